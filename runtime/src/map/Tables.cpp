//===- Tables.cpp - Tables of a program bound to a launch -----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks and binding of run-time operands, random tables, and the lookup that
// generated code calls on partial tiles.
//
//===----------------------------------------------------------------------===//

#include "Tables.h"

#include "../Error.h"

#include <algorithm>
#include <cinttypes>

using namespace girih;

int BoundTables::bind(const GirihMapProgram &program, const GirihMapParams &params,
                      GirihStatus *status) {
  if (params.num_operands != program.num_operands || (params.num_operands > 0 && !params.operands))
    return fail(status, GIRIH_INVALID, "expected %d run-time operands, but got %" PRId64,
                program.num_operands, params.operands ? params.num_operands : int64_t{0});
  auto count = static_cast<size_t>(program.num_tables);
  views.assign(count, GirihBoundTable{});
  storage.assign(count, Storage{});
  for (size_t table = 0; table < count; ++table) {
    const GirihMapTable &spec = program.tables[table];
    int code = GIRIH_OK;
    switch (spec.kind) {
    case GIRIH_TABLE_SEGMENTS:
      code = bindSegments(table, spec, params, status);
      break;
    case GIRIH_TABLE_BLOCKS:
      code = bindBlocks(table, spec, params, status);
      break;
    default:
      code = bindRandom(table, spec, params, status);
      break;
    }
    if (code != GIRIH_OK)
      return code;
    views[table].kind = spec.kind;
    views[table].unit = spec.unit;
  }
  return GIRIH_OK;
}

int BoundTables::bindSegments(size_t table, const GirihMapTable &spec, const GirihMapParams &params,
                              GirihStatus *status) {
  const GirihOperand &operand = params.operands[spec.operand];
  int64_t units = ceilDiv(params.num_k, spec.unit);
  if (operand.size < 2 || !operand.data)
    return fail(status, GIRIH_INVALID,
                "expected segment offsets (operand %d) to have at least 2 "
                "values, but got %" PRId64,
                spec.operand, operand.data ? operand.size : int64_t{0});
  if (operand.size - 1 > INT32_MAX)
    return fail(status, GIRIH_UNSUPPORTED,
                "expected segment offsets (operand %d) to have at most %d "
                "values, but got %" PRId64,
                spec.operand, INT32_MAX, operand.size);
  if (operand.data[0] != 0)
    return fail(status, GIRIH_INVALID,
                "expected segment offsets (operand %d) to start at 0, but got "
                "%" PRId64,
                spec.operand, operand.data[0]);
  for (int64_t i = 1; i < operand.size; ++i)
    if (operand.data[i] < operand.data[i - 1])
      return fail(status, GIRIH_INVALID,
                  "expected segment offsets (operand %d) not to decrease, but "
                  "got %" PRId64 " after %" PRId64 " at index %" PRId64,
                  spec.operand, operand.data[i], operand.data[i - 1], i);
  if (operand.data[operand.size - 1] != units)
    return fail(status, GIRIH_INVALID,
                "expected segment offsets (operand %d) to end at %" PRId64 " (%" PRId64
                " keys in units of %" PRId64 "), but got %" PRId64,
                spec.operand, units, params.num_k, spec.unit, operand.data[operand.size - 1]);

  Storage &store = storage[table];
  store.wide.assign(operand.data, operand.data + operand.size);
  store.narrow.resize(static_cast<size_t>(units));
  for (int64_t id = 0; id + 1 < operand.size; ++id)
    std::fill(store.narrow.begin() + store.wide[id], store.narrow.begin() + store.wide[id + 1],
              static_cast<int32_t>(id));
  views[table].num_units = units;
  views[table].ids = store.narrow.data();
  views[table].rows = operand.size - 1;
  views[table].indptr = store.wide.data();
  return GIRIH_OK;
}

int BoundTables::bindBlocks(size_t table, const GirihMapTable &spec, const GirihMapParams &params,
                            GirihStatus *status) {
  const GirihOperand &indptr = params.operands[spec.operand];
  const GirihOperand &indices = params.operands[spec.operand + 1];
  int64_t sets = spec.count;
  if (sets != 1 && sets != params.heads)
    return fail(status, GIRIH_INVALID,
                "expected the block table (operand %d) to have rows for 1 or "
                "%" PRId64 " heads, but got %" PRId64,
                spec.operand, params.heads, sets);
  int64_t needed = ceilDiv(std::max<int64_t>(params.q_end, 0), spec.unit);
  if (indptr.size < sets || !indptr.data || indptr.size % sets != 0 ||
      indptr.size / sets - 1 < needed)
    return fail(status, GIRIH_INVALID,
                "expected indptr (operand %d) to have %" PRId64 " x (%" PRId64
                " + 1) values, but got %" PRId64,
                spec.operand, sets, needed, indptr.data ? indptr.size : int64_t{0});
  if (indices.size < 0 || (indices.size > 0 && !indices.data))
    return fail(status, GIRIH_INVALID,
                "expected indices (operand %d) to be a list, but got %" PRId64 " values",
                spec.operand + 1, indices.size);
  int64_t rows = indptr.size / sets - 1;
  int64_t units = ceilDiv(params.num_k, spec.unit);
  int64_t before = 0;
  for (int64_t i = 0; i < indptr.size; ++i) {
    int64_t at = indptr.data[i];
    // Each head's part starts where the part before it ended.
    if (i % (rows + 1) == 0 && at != before)
      return fail(status, GIRIH_INVALID,
                  "expected indptr (operand %d) of head %" PRId64 " to start at %" PRId64
                  ", but got %" PRId64,
                  spec.operand, i / (rows + 1), before, at);
    if (at < before)
      return fail(status, GIRIH_INVALID,
                  "expected indptr (operand %d) not to decrease, but got "
                  "%" PRId64 " after %" PRId64 " at index %" PRId64,
                  spec.operand, at, before, i);
    if (at > indices.size)
      return fail(status, GIRIH_INVALID,
                  "expected indptr (operand %d) to end at %" PRId64
                  ", the size of indices, but got %" PRId64,
                  spec.operand, indices.size, at);
    for (int64_t j = before; j < at; ++j) {
      int64_t block = indices.data[j];
      if (block < 0 || block >= units)
        return fail(status, GIRIH_INVALID,
                    "expected indices (operand %d) to name blocks below "
                    "%" PRId64 ", but got %" PRId64 " at index %" PRId64,
                    spec.operand + 1, units, block, j);
      if (j > before && block <= indices.data[j - 1])
        return fail(status, GIRIH_INVALID,
                    "expected indices (operand %d) of a row to ascend, but got "
                    "%" PRId64 " after %" PRId64 " at index %" PRId64,
                    spec.operand + 1, block, indices.data[j - 1], j);
    }
    before = at;
  }
  if (before != indices.size)
    return fail(status, GIRIH_INVALID,
                "expected indptr (operand %d) to end at %" PRId64
                ", the size of indices, but got %" PRId64,
                spec.operand, indices.size, before);

  Storage &store = storage[table];
  store.wide.assign(indptr.data, indptr.data + indptr.size);
  store.narrow.resize(static_cast<size_t>(indices.size));
  for (int64_t j = 0; j < indices.size; ++j)
    store.narrow[j] = static_cast<int32_t>(indices.data[j]);
  GirihBoundTable &view = views[table];
  view.per_head = sets > 1;
  view.rows = rows;
  view.indptr = store.wide.data();
  view.indices = store.narrow.data();
  return GIRIH_OK;
}

int BoundTables::bindRandom(size_t table, const GirihMapTable &spec, const GirihMapParams &params,
                            GirihStatus *status) {
  int64_t units = ceilDiv(params.num_k, spec.unit);
  int64_t count = std::min(spec.count, units);
  int64_t first = floorDiv(params.q_offset, spec.unit);
  int64_t last = floorDiv(params.q_offset + params.num_q - 1, spec.unit);
  int64_t rows = last - first + 1;
  // 2^36 indices would be 256 GiB.
  if (Wide(params.heads) * rows * count > Wide(1) << 36)
    return fail(status, GIRIH_UNSUPPORTED,
                "expected fewer than 2^36 random blocks, but got %" PRId64 " for each of %" PRId64
                " rows of %" PRId64 " heads",
                count, rows, params.heads);
  Storage &store = storage[table];
  store.wide.reserve(static_cast<size_t>(params.heads * (rows + 1)));
  store.narrow.reserve(static_cast<size_t>(params.heads * rows * count));
  std::vector<int64_t> drawn(static_cast<size_t>(std::max<int64_t>(count, 1)));
  for (int64_t head = 0; head < params.heads; ++head) {
    store.wide.push_back(static_cast<int64_t>(store.narrow.size()));
    for (int64_t row = first; row <= last; ++row) {
      int64_t size = girihRandomBlocks(spec.seed, head, row, units, count, drawn.data());
      for (int64_t i = 0; i < size; ++i)
        store.narrow.push_back(static_cast<int32_t>(drawn[i]));
      store.wide.push_back(static_cast<int64_t>(store.narrow.size()));
    }
  }
  GirihBoundTable &view = views[table];
  view.per_head = 1;
  view.row0 = first;
  view.rows = rows;
  view.indptr = store.wide.data();
  view.indices = store.narrow.data();
  return GIRIH_OK;
}

bool BoundTables::listed(int64_t table, int64_t head, int64_t q, int64_t k) const {
  UnitRow row = unitRow((*this)[table], head, q);
  return std::binary_search(row.begin, row.end, k);
}

const GirihBoundTable &BoundTables::transposed(int64_t table, int64_t heads, int64_t numUnits) {
  transposedViews.resize(views.size());
  transposedStorage.resize(views.size());
  const GirihBoundTable &view = (*this)[table];
  GirihBoundTable &result = transposedViews[table];
  if (result.indptr)
    return result;
  Storage &store = transposedStorage[table];
  int64_t sets = view.per_head ? heads : 1;
  store.wide.assign(static_cast<size_t>(sets * (numUnits + 1)), 0);
  store.narrow.resize(static_cast<size_t>(view.indptr[sets * (view.rows + 1) - 1]));
  int64_t base = 0;
  std::vector<int64_t> next(static_cast<size_t>(numUnits));
  for (int64_t head = 0; head < sets; ++head) {
    std::fill(next.begin(), next.end(), 0);
    for (int64_t row = 0; row < view.rows; ++row)
      for (UnitRow list = unitRow(view, head, view.row0 + row); list.begin != list.end;
           ++list.begin)
        ++next[*list.begin];
    int64_t *indptr = store.wide.data() + head * (numUnits + 1);
    indptr[0] = base;
    for (int64_t unit = 0; unit < numUnits; ++unit) {
      indptr[unit + 1] = indptr[unit] + next[unit];
      next[unit] = indptr[unit];
    }
    base = indptr[numUnits];
    for (int64_t row = 0; row < view.rows; ++row)
      for (UnitRow list = unitRow(view, head, view.row0 + row); list.begin != list.end;
           ++list.begin)
        store.narrow[next[*list.begin]++] = static_cast<int32_t>(view.row0 + row);
  }
  result = view;
  result.row0 = 0;
  result.rows = numUnits;
  result.indptr = store.wide.data();
  result.indices = store.narrow.data();
  return result;
}

int64_t BoundTables::bytes() const {
  size_t total = 0;
  for (const auto *stores : {&storage, &transposedStorage})
    for (const Storage &store : *stores)
      total += store.wide.size() * sizeof(int64_t) + store.narrow.size() * sizeof(int32_t);
  return static_cast<int64_t>(total);
}

uint32_t girihTableLanes(const GirihBoundTable *table, int64_t h, int64_t q, int64_t k,
                         int32_t lanes) {
  if (table->kind == GIRIH_TABLE_SEGMENTS)
    return 0;
  auto unitK = static_cast<int32_t>(floorDiv(k, table->unit));
  uint64_t mask = 0;
  for (int64_t lane = 0; lane < lanes;) {
    int64_t row = floorDiv(q + lane, table->unit);
    int64_t next = std::min<int64_t>(lanes, (row + 1) * table->unit - q);
    UnitRow list = unitRow(*table, h, row);
    if (std::binary_search(list.begin, list.end, unitK))
      mask |= ((uint64_t{1} << (next - lane)) - 1) << lane;
    lane = next;
  }
  return static_cast<uint32_t>(mask);
}
