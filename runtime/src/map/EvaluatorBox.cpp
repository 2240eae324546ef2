//===- EvaluatorBox.cpp - Bounds of a program over a box ------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Interval arithmetic: sound always, exact where the block maps of usual
// patterns need it, so that bisection ends early. Nothing else depends on how
// exact it is.
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"

#include <algorithm>

using namespace girih;

/// Rows of a table that a box may span before the answer is "unknown".
static constexpr int64_t kMaxTableRows = 64;

void Evaluator::box(const Plan &plan, const Box &box) {
  for (int32_t index : plan.boxes)
    bounds[index] = evaluateBox(index, box);
}

Wide Evaluator::fixedPart(const LinearForm &form) const {
  Wide sum = form.constant;
  for (const LinearTerm &term : form.fixed)
    sum += Wide(term.factor) * values[term.node];
  return sum;
}

Bounds Evaluator::boundForm(const LinearForm &form) const {
  Wide lo = fixedPart(form), hi = lo;
  for (const LinearTerm &term : form.varying) {
    const Bounds &b = bounds[term.node];
    lo += Wide(term.factor) * (term.factor > 0 ? b.lo : b.hi);
    hi += Wide(term.factor) * (term.factor > 0 ? b.hi : b.lo);
  }
  return {saturate(lo), saturate(hi)};
}

static Bounds multiply(Bounds a, Bounds b) {
  Wide corners[] = {Wide(a.lo) * b.lo, Wide(a.lo) * b.hi, Wide(a.hi) * b.lo, Wide(a.hi) * b.hi};
  return {saturate(*std::min_element(corners, corners + 4)),
          saturate(*std::max_element(corners, corners + 4))};
}

static Bounds modulo(Bounds a, int64_t divisor) {
  if (floorDiv(a.lo, divisor) == floorDiv(a.hi, divisor))
    return {floorMod(a.lo, divisor), floorMod(a.hi, divisor)};
  return {0, divisor - 1};
}

/// Whether values in [a.lo, a.hi] are congruent to `residue`.
static Bounds congruent(Bounds a, int64_t residue, int64_t modulus) {
  if (modulus == 1)
    return {1, 1};
  // First candidate at or above a.lo.
  Wide first = Wide(a.lo) + floorMod(residue - floorMod(a.lo, modulus), modulus);
  if (first > a.hi)
    return {0, 0};
  return {a.lo == a.hi, 1};
}

/// EQ0, with the help of congruences when the interval alone does not decide.
Bounds Evaluator::boundEquality(int32_t index) const {
  int32_t operand = program.node(index).a;
  Bounds a = bounds[operand];
  if (a.lo > 0 || a.hi < 0)
    return {0, 0};
  if (a.lo == 0 && a.hi == 0)
    return {1, 1};
  const Congruence *c = program.congruence(index);
  if (!c)
    return {0, 1};
  Wide fixed = fixedPart(program.form(operand));
  if (c->factor == 0)
    return fixed == 0 ? congruent(boundForm(c->form), 0, c->modulus) : Bounds{0, 1};
  // factor * MOD + fixed == 0
  if (fixed % c->factor != 0)
    return {0, 0};
  Wide residue = -fixed / c->factor;
  if (residue < 0 || residue >= c->modulus)
    return {0, 0};
  return congruent(boundForm(c->form), static_cast<int64_t>(residue), c->modulus);
}

/// Segment ids do not decrease with the unit, so two ranges of units meet in a
/// segment exactly when their ranges of ids do.
Bounds Evaluator::boundSameSegment(int64_t table, const Box &box) const {
  const GirihBoundTable &view = tables[table];
  int64_t last = view.num_units - 1;
  int64_t q0 = floorDiv(box.q0, view.unit), q1 = floorDiv(box.q1, view.unit);
  int64_t k0 = floorDiv(box.k0, view.unit), k1 = floorDiv(box.k1, view.unit);
  bool inside = q0 >= 0 && k0 >= 0 && q1 <= last && k1 <= last;
  q0 = std::max<int64_t>(q0, 0);
  k0 = std::max<int64_t>(k0, 0);
  q1 = std::min(q1, last);
  k1 = std::min(k1, last);
  if (q0 > q1 || k0 > k1 || view.ids[q1] < view.ids[k0] || view.ids[k1] < view.ids[q0])
    return {0, 0};
  bool one = view.ids[q0] == view.ids[q1] && view.ids[k0] == view.ids[k1];
  return {inside && one, 1};
}

Bounds Evaluator::boundInTable(int64_t table, const Box &box) const {
  const GirihBoundTable &view = tables[table];
  int64_t q0 = floorDiv(box.q0, view.unit), q1 = floorDiv(box.q1, view.unit);
  int64_t k0 = floorDiv(box.k0, view.unit), k1 = floorDiv(box.k1, view.unit);
  bool all = q0 >= view.row0 && q1 < view.row0 + view.rows;
  q0 = std::max(q0, view.row0);
  q1 = std::min(q1, view.row0 + view.rows - 1);
  if (q1 - q0 >= kMaxTableRows)
    return {0, 1};
  bool any = false;
  for (int64_t q = q0; q <= q1 && (all || !any); ++q) {
    UnitRow row = unitRow(view, head, q);
    const int32_t *first = std::lower_bound(row.begin, row.end, k0);
    const int32_t *end = first;
    if (first != row.end && *first <= k1)
      end = std::upper_bound(first, row.end, k1);
    any |= end != first;
    all &= end - first == k1 - k0 + 1;
  }
  return {any && all, any};
}

/// Bounds of the values at a box of indices: row by row of the last dimension, or all that lie
/// between its first and last place when there are many rows.
Bounds Evaluator::boundLookup(const GirihMapNode &lookup) const {
  LookupIndices indices = lookupIndices(program.source(), lookup);
  const GirihBoundTable &view = tables[lookup.imm];
  int64_t lo[4], hi[4], first = 0, last = 0, rows = 1;
  for (int32_t d = 0; d < indices.count; ++d) {
    lo[d] = std::max<int64_t>(bounds[indices.node[d]].lo, 0);
    hi[d] = std::min(bounds[indices.node[d]].hi, view.extent[d] - 1);
    if (lo[d] > hi[d])
      return {0, 0};
    first = first * view.extent[d] + lo[d];
    last = last * view.extent[d] + hi[d];
    if (d + 1 < indices.count)
      rows = std::min(rows * (hi[d] - lo[d] + 1), kMaxTableRows + 1);
  }
  if (rows == 1 || rows > kMaxTableRows) {
    Extrema::Range all = tables.extrema(lookup.imm, first, last);
    return {all.lo, all.hi};
  }
  int32_t inner = indices.count - 1;
  int64_t width = hi[inner] - lo[inner];
  Bounds result{INT64_MAX, INT64_MIN};
  int64_t at[4] = {lo[0], lo[1], lo[2], lo[3]};
  for (int64_t row = 0; row < rows; ++row) {
    int64_t place = 0;
    for (int32_t d = 0; d < inner; ++d)
      place = place * view.extent[d] + at[d];
    place = place * view.extent[inner] + lo[inner];
    Extrema::Range part = tables.extrema(lookup.imm, place, place + width);
    result = {std::min<int64_t>(result.lo, part.lo), std::max<int64_t>(result.hi, part.hi)};
    for (int32_t d = inner - 1; d >= 0 && ++at[d] > hi[d]; --d)
      at[d] = lo[d];
  }
  return result;
}

Bounds Evaluator::evaluateBox(int32_t index, const Box &box) const {
  const GirihMapNode &n = program.node(index);
  if (n.op < GIRIH_MAP_TRUE && !program.isAtom(index))
    return boundForm(program.form(index));
  switch (n.op) {
  case GIRIH_MAP_VAR:
    return n.imm == GIRIH_VAR_Q ? Bounds{box.q0, box.q1} : Bounds{box.k0, box.k1};
  case GIRIH_MAP_ADD:
    return {saturate(Wide(bounds[n.a].lo) + bounds[n.b].lo),
            saturate(Wide(bounds[n.a].hi) + bounds[n.b].hi)};
  case GIRIH_MAP_MUL:
    return multiply(bounds[n.a], bounds[n.b]);
  case GIRIH_MAP_FLOORDIV:
    return {floorDiv(bounds[n.a].lo, n.imm), floorDiv(bounds[n.a].hi, n.imm)};
  case GIRIH_MAP_MOD:
    return modulo(bounds[n.a], n.imm);
  case GIRIH_MAP_SEG_BEGIN:
    return {tables.segmentBegin(n.imm, bounds[n.a].lo), tables.segmentBegin(n.imm, bounds[n.a].hi)};
  case GIRIH_MAP_SEG_END:
    return {tables.segmentEnd(n.imm, bounds[n.a].lo), tables.segmentEnd(n.imm, bounds[n.a].hi)};
  case GIRIH_MAP_MIN:
    return {std::min(bounds[n.a].lo, bounds[n.b].lo), std::min(bounds[n.a].hi, bounds[n.b].hi)};
  case GIRIH_MAP_MAX:
    return {std::max(bounds[n.a].lo, bounds[n.b].lo), std::max(bounds[n.a].hi, bounds[n.b].hi)};
  case GIRIH_MAP_PLACE: {
    Wide extent = tables[n.imm >> 2].extent[n.imm & 3];
    return {saturate(bounds[n.a].lo * extent + bounds[n.b].lo),
            saturate(bounds[n.a].hi * extent + bounds[n.b].hi)};
  }
  case GIRIH_MAP_LOOKUP:
    return boundLookup(n);
  case GIRIH_MAP_GE0:
    return {bounds[n.a].lo >= 0, bounds[n.a].hi >= 0};
  case GIRIH_MAP_EQ0:
    return boundEquality(index);
  case GIRIH_MAP_AND:
    return {bounds[n.a].lo & bounds[n.b].lo, bounds[n.a].hi & bounds[n.b].hi};
  case GIRIH_MAP_OR:
    return {bounds[n.a].lo | bounds[n.b].lo, bounds[n.a].hi | bounds[n.b].hi};
  case GIRIH_MAP_NOT:
    return {1 - bounds[n.a].hi, 1 - bounds[n.a].lo};
  case GIRIH_MAP_SAME_SEGMENT:
    return boundSameSegment(n.imm, box);
  case GIRIH_MAP_IN_TABLE:
    return boundInTable(n.imm, box);
  default:
    return {n.op == GIRIH_MAP_TRUE, n.op == GIRIH_MAP_TRUE};
  }
}
