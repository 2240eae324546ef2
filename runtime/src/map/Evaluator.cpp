//===- Evaluator.cpp - Points and ranges of a program ---------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exact evaluation. Ranges run node by node over arrays, so that the compiler
// vectorises every node's loop. Boxes are in EvaluatorBox.cpp.
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"

#include <algorithm>

using namespace girih;

Evaluator::Evaluator(const Program &program, const BoundTables &tables,
                     const GirihMapParams &params)
    : program(program), tables(tables), params(params),
      values(static_cast<size_t>(program.size()), 0),
      bounds(static_cast<size_t>(program.size()), Bounds{0, 0}) {}

void Evaluator::bind(int64_t newBatch, int64_t newHead) {
  batch = newBatch;
  head = newHead;
  for (int32_t i = 0; i < program.size(); ++i) {
    if (program.varies(i))
      continue;
    evaluatePoint(i, 0, 0);
    bounds[i] = {values[i], values[i]};
  }
}

static int64_t pointValue(const GirihMapNode &n, const int64_t *values, const BoundTables &tables,
                          const GirihMapParams &params, const Pair &at) {
  int64_t result = 0;
  switch (n.op) {
  case GIRIH_MAP_CONST:
    result = n.imm;
    break;
  case GIRIH_MAP_VAR: {
    const int64_t variables[] = {at.b, at.h, at.q, at.k, params.num_q, params.num_k, params.q_end};
    result = variables[n.imm];
    break;
  }
  case GIRIH_MAP_ADD:
    result = wrapAdd(values[n.a], values[n.b]);
    break;
  case GIRIH_MAP_MUL:
    result = wrapMul(values[n.a], values[n.b]);
    break;
  case GIRIH_MAP_FLOORDIV:
    result = floorDiv(values[n.a], n.imm);
    break;
  case GIRIH_MAP_MOD:
    result = floorMod(values[n.a], n.imm);
    break;
  case GIRIH_MAP_SEG_BEGIN:
    result = tables.segmentBegin(n.imm, values[n.a]);
    break;
  case GIRIH_MAP_SEG_END:
    result = tables.segmentEnd(n.imm, values[n.a]);
    break;
  case GIRIH_MAP_MIN:
    result = std::min(values[n.a], values[n.b]);
    break;
  case GIRIH_MAP_MAX:
    result = std::max(values[n.a], values[n.b]);
    break;
  case GIRIH_MAP_PLACE:
    result = tables.placeOf(n.imm, values[n.a], values[n.b]);
    break;
  case GIRIH_MAP_LOOKUP:
    result = tables.lookUp(n.imm, values[n.a]);
    break;
  case GIRIH_MAP_TRUE:
    result = 1;
    break;
  case GIRIH_MAP_FALSE:
    break;
  case GIRIH_MAP_GE0:
    result = values[n.a] >= 0;
    break;
  case GIRIH_MAP_EQ0:
    result = values[n.a] == 0;
    break;
  case GIRIH_MAP_AND:
    result = values[n.a] & values[n.b];
    break;
  case GIRIH_MAP_OR:
    result = values[n.a] | values[n.b];
    break;
  case GIRIH_MAP_NOT:
    result = values[n.a] ^ 1;
    break;
  case GIRIH_MAP_SAME_SEGMENT: {
    int64_t unit = tables[n.imm].unit;
    result = tables.sameSegment(n.imm, floorDiv(at.q, unit), floorDiv(at.k, unit));
    break;
  }
  case GIRIH_MAP_IN_TABLE: {
    int64_t unit = tables[n.imm].unit;
    result = tables.listed(n.imm, at.h, floorDiv(at.q, unit), floorDiv(at.k, unit));
    break;
  }
  }
  return result;
}

void Evaluator::evaluatePoint(int32_t index, int64_t q, int64_t k) {
  values[index] =
      pointValue(program.node(index), values.data(), tables, params, {batch, head, q, k});
}

bool girih::evaluateOnce(const GirihMapProgram &program, const BoundTables &tables,
                         const GirihMapParams &params, const Pair &at) {
  // Programs are small: the heap is for the odd one.
  int64_t fixed[256];
  std::vector<int64_t> grown;
  int64_t *values = fixed;
  if (program.root >= 256) {
    grown.resize(static_cast<size_t>(program.root) + 1);
    values = grown.data();
  }
  for (int32_t i = 0; i <= program.root; ++i)
    values[i] = pointValue(program.nodes[i], values, tables, params, at);
  return values[program.root] != 0;
}

void Evaluator::point(const Plan &plan, int64_t q, int64_t k) {
  for (int32_t index : plan.points)
    evaluatePoint(index, q, k);
}

void Evaluator::range(const Plan &plan, Along along, int64_t first, int64_t count, int64_t other) {
  if (laneValues.empty())
    laneValues.resize(static_cast<size_t>(program.size()) * kLanes);
  alongBit = along == Along::Q ? kOnQ : kOnK;
  rangeFirst = first;
  rangeCount = count;
  rangeOther = other;
  for (int32_t index : plan.points) {
    if (program.dependence(index) & alongBit)
      evaluateRange(index);
    else
      evaluatePoint(index, other, other);
  }
}

const int64_t *Evaluator::lanes(int32_t node) {
  int64_t *buffer = laneBuffer(node);
  if (!(program.dependence(node) & alongBit))
    std::fill(buffer, buffer + rangeCount, values[node]);
  return buffer;
}

Evaluator::Operand Evaluator::operand(int32_t node) {
  if (program.dependence(node) & alongBit)
    return {laneBuffer(node), 0};
  return {nullptr, values[node]};
}

template <typename Op> void Evaluator::map2(Op op, Operand a, Operand b, int64_t *out) const {
  int64_t count = rangeCount;
  if (a.lanes && b.lanes) {
    for (int64_t i = 0; i < count; ++i)
      out[i] = op(a.lanes[i], b.lanes[i]);
    return;
  }
  // Every binary operation that comes here commutes.
  const int64_t *lanes = a.lanes ? a.lanes : b.lanes;
  int64_t scalar = a.lanes ? b.value : a.value;
  for (int64_t i = 0; i < count; ++i)
    out[i] = op(lanes[i], scalar);
}

/// Division by a multiplication in double, exact for |x| < 2^40. The bias, a multiple of the
/// divisor, makes x positive. Rounding errors are below 2^-51 of the quotient, and a quotient that
/// is no integer is 2^-42 of it away from the next one: only a multiple of the divisor may come out
/// one too low.
void Evaluator::divideRange(const GirihMapNode &node, const int64_t *in, int64_t *out) {
  int64_t divisor = node.imm, count = rangeCount;
  bool wantsRest = node.op == GIRIH_MAP_MOD;
  if ((divisor & (divisor - 1)) == 0) {
    int shift = __builtin_ctzll(static_cast<uint64_t>(divisor));
    if (wantsRest)
      for (int64_t i = 0; i < count; ++i)
        out[i] = in[i] & (divisor - 1);
    else
      for (int64_t i = 0; i < count; ++i)
        out[i] = in[i] >> shift;
    return;
  }
  constexpr int64_t limit = int64_t{1} << 40;
  uint64_t outside = 0;
  for (int64_t i = 0; i < count; ++i)
    outside |= static_cast<uint64_t>(wrapAdd(in[i], limit)) & ~uint64_t(2 * limit - 1);
  if (outside != 0 || divisor >= limit) {
    for (int64_t i = 0; i < count; ++i)
      out[i] = wantsRest ? floorMod(in[i], divisor) : floorDiv(in[i], divisor);
    return;
  }
  int64_t biasQuotient = limit / divisor + 1;
  int64_t bias = biasQuotient * divisor;
  double inverse = 1.0 / static_cast<double>(divisor);
  for (int64_t i = 0; i < count; ++i) {
    int64_t biased = in[i] + bias;
    auto quotient = static_cast<int64_t>(static_cast<double>(biased) * inverse);
    int64_t rest = biased - quotient * divisor;
    bool isLow = rest >= divisor;
    quotient += isLow;
    rest -= isLow ? divisor : 0;
    out[i] = wantsRest ? rest : quotient - biasQuotient;
  }
}

/// SAME_SEGMENT and IN_TABLE are constant over a unit: one lookup a unit.
void Evaluator::evaluateUnits(int32_t index, int64_t *out) {
  const GirihMapNode &n = program.node(index);
  int64_t unit = tables[n.imm].unit;
  int64_t other = floorDiv(rangeOther, unit);
  bool alongQ = alongBit == kOnQ;
  for (int64_t i = 0; i < rangeCount;) {
    int64_t here = floorDiv(rangeFirst + i, unit);
    int64_t next = std::min(rangeCount, (here + 1) * unit - rangeFirst);
    int64_t q = alongQ ? here : other;
    int64_t k = alongQ ? other : here;
    bool found = n.op == GIRIH_MAP_SAME_SEGMENT ? tables.sameSegment(n.imm, q, k)
                                                : tables.listed(n.imm, head, q, k);
    std::fill(out + i, out + next, int64_t{found});
    i = next;
  }
}

void Evaluator::evaluateRange(int32_t index) {
  const GirihMapNode &n = program.node(index);
  int64_t *out = laneBuffer(index);
  int64_t count = rangeCount;
  switch (n.op) {
  case GIRIH_MAP_VAR:
    for (int64_t i = 0; i < count; ++i)
      out[i] = rangeFirst + i;
    return;
  case GIRIH_MAP_ADD:
    return map2([](int64_t a, int64_t b) { return wrapAdd(a, b); }, operand(n.a), operand(n.b),
                out);
  case GIRIH_MAP_MUL:
    return map2([](int64_t a, int64_t b) { return wrapMul(a, b); }, operand(n.a), operand(n.b),
                out);
  case GIRIH_MAP_FLOORDIV:
  case GIRIH_MAP_MOD:
    return divideRange(n, laneBuffer(n.a), out);
  case GIRIH_MAP_SEG_BEGIN:
    for (int64_t i = 0; i < count; ++i)
      out[i] = tables.segmentBegin(n.imm, laneBuffer(n.a)[i]);
    return;
  case GIRIH_MAP_SEG_END:
    for (int64_t i = 0; i < count; ++i)
      out[i] = tables.segmentEnd(n.imm, laneBuffer(n.a)[i]);
    return;
  case GIRIH_MAP_MIN:
    return map2([](int64_t a, int64_t b) { return std::min(a, b); }, operand(n.a), operand(n.b),
                out);
  case GIRIH_MAP_MAX:
    return map2([](int64_t a, int64_t b) { return std::max(a, b); }, operand(n.a), operand(n.b),
                out);
  case GIRIH_MAP_PLACE: {
    Operand before = operand(n.a), last = operand(n.b);
    for (int64_t i = 0; i < count; ++i)
      out[i] = tables.placeOf(n.imm, before.lanes ? before.lanes[i] : before.value,
                              last.lanes ? last.lanes[i] : last.value);
    return;
  }
  case GIRIH_MAP_LOOKUP:
    for (int64_t i = 0; i < count; ++i)
      out[i] = tables.lookUp(n.imm, laneBuffer(n.a)[i]);
    return;
  case GIRIH_MAP_GE0: {
    const int64_t *in = laneBuffer(n.a);
    for (int64_t i = 0; i < count; ++i)
      out[i] = static_cast<int64_t>(~static_cast<uint64_t>(in[i]) >> 63);
    return;
  }
  case GIRIH_MAP_EQ0: {
    const int64_t *in = laneBuffer(n.a);
    for (int64_t i = 0; i < count; ++i)
      out[i] = in[i] == 0;
    return;
  }
  case GIRIH_MAP_AND:
    return map2([](int64_t a, int64_t b) { return a & b; }, operand(n.a), operand(n.b), out);
  case GIRIH_MAP_OR:
    return map2([](int64_t a, int64_t b) { return a | b; }, operand(n.a), operand(n.b), out);
  case GIRIH_MAP_NOT: {
    const int64_t *in = laneBuffer(n.a);
    for (int64_t i = 0; i < count; ++i)
      out[i] = in[i] ^ 1;
    return;
  }
  default:
    return evaluateUnits(index, out);
  }
}
