//===- Lookups.cpp - Whether indices stay within their arrays -------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lookups.h"

#include "../Error.h"
#include "Evaluator.h"

#include <algorithm>
#include <cinttypes>

using namespace girih;

namespace {

/// Bounds of integer nodes over all pairs, batches and heads of a launch.
class LaunchBounds {
public:
  LaunchBounds(const Program &program, const BoundTables &tables, const GirihMapParams &params)
      : program(program), tables(tables), params(params),
        bounds(static_cast<size_t>(program.size()), Bounds{0, 0}) {}

  int prove(GirihStatus *status);

private:
  Bounds of(int32_t index) const;
  Bounds ofAtom(const GirihMapNode &node) const;
  int check(const GirihMapNode &lookup, GirihStatus *status) const;

  const Program &program;
  const BoundTables &tables;
  const GirihMapParams &params;
  std::vector<Bounds> bounds;
};

} // namespace

Bounds LaunchBounds::of(int32_t index) const {
  if (program.isAtom(index))
    return ofAtom(program.node(index));
  const LinearForm &form = program.form(index);
  Wide lo = form.constant, hi = lo;
  for (const auto *terms : {&form.varying, &form.fixed}) {
    for (const LinearTerm &term : *terms) {
      const Bounds &b = bounds[term.node];
      lo += Wide(term.factor) * (term.factor > 0 ? b.lo : b.hi);
      hi += Wide(term.factor) * (term.factor > 0 ? b.hi : b.lo);
    }
  }
  return {saturate(lo), saturate(hi)};
}

Bounds LaunchBounds::ofAtom(const GirihMapNode &n) const {
  const Bounds *a = numOperands(n.op) > 0 ? &bounds[n.a] : nullptr;
  const Bounds *b = numOperands(n.op) > 1 ? &bounds[n.b] : nullptr;
  switch (n.op) {
  case GIRIH_MAP_VAR: {
    const Bounds variables[] = {{0, params.batch - 1},
                                {0, params.heads - 1},
                                {params.q_offset, params.q_offset + params.num_q - 1},
                                {0, params.num_k - 1},
                                {params.num_q, params.num_q},
                                {params.num_k, params.num_k},
                                {params.q_end, params.q_end}};
    return variables[n.imm];
  }
  case GIRIH_MAP_ADD:
    return {saturate(Wide(a->lo) + b->lo), saturate(Wide(a->hi) + b->hi)};
  case GIRIH_MAP_MUL: {
    Wide corners[] = {Wide(a->lo) * b->lo, Wide(a->lo) * b->hi, Wide(a->hi) * b->lo,
                      Wide(a->hi) * b->hi};
    return {saturate(*std::min_element(corners, corners + 4)),
            saturate(*std::max_element(corners, corners + 4))};
  }
  case GIRIH_MAP_FLOORDIV:
    return {floorDiv(a->lo, n.imm), floorDiv(a->hi, n.imm)};
  case GIRIH_MAP_MOD:
    if (floorDiv(a->lo, n.imm) == floorDiv(a->hi, n.imm))
      return {floorMod(a->lo, n.imm), floorMod(a->hi, n.imm)};
    return {0, n.imm - 1};
  case GIRIH_MAP_SEG_BEGIN:
    return {tables.segmentBegin(n.imm, a->lo), tables.segmentBegin(n.imm, a->hi)};
  case GIRIH_MAP_SEG_END:
    return {tables.segmentEnd(n.imm, a->lo), tables.segmentEnd(n.imm, a->hi)};
  case GIRIH_MAP_MIN:
    return {std::min(a->lo, b->lo), std::min(a->hi, b->hi)};
  case GIRIH_MAP_MAX:
    return {std::max(a->lo, b->lo), std::max(a->hi, b->hi)};
  case GIRIH_MAP_PLACE: {
    Wide extent = tables[n.imm >> 2].extent[n.imm & 3];
    return {saturate(a->lo * extent + b->lo), saturate(a->hi * extent + b->hi)};
  }
  case GIRIH_MAP_LOOKUP: { // its indices are proved by now
    Extrema::Range range = tables.extrema(n.imm, a->lo, a->hi);
    return {range.lo, range.hi};
  }
  default:
    return {0, 0};
  }
}

int LaunchBounds::check(const GirihMapNode &lookup, GirihStatus *status) const {
  LookupIndices indices = lookupIndices(program.source(), lookup);
  for (int32_t d = 0; d < indices.count; ++d) {
    const Bounds &range = bounds[indices.node[d]];
    int64_t extent = tables[lookup.imm].extent[d];
    if (range.lo < 0 || range.hi >= extent)
      return fail(status, GIRIH_INVALID,
                  "expected index %d of table %s, whose extent is %" PRId64
                  ", to lie in 0..%" PRId64 ", but got %" PRId64 "..%" PRId64,
                  d, tables.nameOf(lookup.imm), extent, extent - 1, range.lo, range.hi);
  }
  return GIRIH_OK;
}

int LaunchBounds::prove(GirihStatus *status) {
  for (int32_t i = 0; i < program.size(); ++i) {
    const GirihMapNode &node = program.node(i);
    if (node.op >= GIRIH_MAP_TRUE)
      continue;
    if (node.op == GIRIH_MAP_LOOKUP)
      if (int code = check(node, status))
        return code;
    bounds[i] = of(i);
  }
  return GIRIH_OK;
}

int girih::proveLookups(const Program &program, const BoundTables &tables,
                        const GirihMapParams &params, GirihStatus *status) {
  bool any = false;
  for (int32_t i = 0; i < program.size(); ++i)
    any |= program.node(i).op == GIRIH_MAP_LOOKUP;
  return any ? LaunchBounds(program, tables, params).prove(status) : GIRIH_OK;
}
