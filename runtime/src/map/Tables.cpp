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

#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstring>

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
    case GIRIH_TABLE_RANDOM:
      code = bindRandom(table, spec, params, status);
      break;
    default:
      code = bindLookup(table, spec, params, status);
      break;
    }
    if (code != GIRIH_OK)
      return code;
    views[table].kind = spec.kind;
    views[table].unit = spec.unit;
  }
  return GIRIH_OK;
}

/// Checks that `operand`, called `what`, is a list of int64.
static int checkList(const GirihOperand &operand, const char *what, int32_t index,
                     GirihStatus *status) {
  if (operand.type == GIRIH_OPERAND_I64 && operand.rank >= 0 && operand.rank <= 1)
    return GIRIH_OK;
  return fail(status, GIRIH_INVALID,
              "expected %s (operand %d) to be a list of int64, but got %s of %d dimensions", what,
              index, operand.type == GIRIH_OPERAND_I64 ? "int64" : "another type", operand.rank);
}

int BoundTables::bindSegments(size_t table, const GirihMapTable &spec, const GirihMapParams &params,
                              GirihStatus *status) {
  const GirihOperand &operand = params.operands[spec.operand];
  if (int code = checkList(operand, "segment offsets", spec.operand, status))
    return code;
  const auto *offsets = static_cast<const int64_t *>(operand.data);
  int64_t units = ceilDiv(params.num_k, spec.unit);
  if (operand.size < 2 || !offsets)
    return fail(status, GIRIH_INVALID,
                "expected segment offsets (operand %d) to have at least 2 "
                "values, but got %" PRId64,
                spec.operand, offsets ? operand.size : int64_t{0});
  if (operand.size - 1 > INT32_MAX)
    return fail(status, GIRIH_UNSUPPORTED,
                "expected segment offsets (operand %d) to have at most %d "
                "values, but got %" PRId64,
                spec.operand, INT32_MAX, operand.size);
  if (offsets[0] != 0)
    return fail(status, GIRIH_INVALID,
                "expected segment offsets (operand %d) to start at 0, but got "
                "%" PRId64,
                spec.operand, offsets[0]);
  for (int64_t i = 1; i < operand.size; ++i)
    if (offsets[i] < offsets[i - 1])
      return fail(status, GIRIH_INVALID,
                  "expected segment offsets (operand %d) not to decrease, but "
                  "got %" PRId64 " after %" PRId64 " at index %" PRId64,
                  spec.operand, offsets[i], offsets[i - 1], i);
  if (offsets[operand.size - 1] != units)
    return fail(status, GIRIH_INVALID,
                "expected segment offsets (operand %d) to end at %" PRId64 " (%" PRId64
                " keys in units of %" PRId64 "), but got %" PRId64,
                spec.operand, units, params.num_k, spec.unit, offsets[operand.size - 1]);

  Storage &store = storage[table];
  store.wide.assign(offsets, offsets + operand.size);
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
  const GirihOperand &rowOperand = params.operands[spec.operand];
  const GirihOperand &indexOperand = params.operands[spec.operand + 1];
  if (int code = checkList(rowOperand, "indptr", spec.operand, status))
    return code;
  if (int code = checkList(indexOperand, "indices", spec.operand + 1, status))
    return code;
  const struct {
    const int64_t *data;
    int64_t size;
  } indptr{static_cast<const int64_t *>(rowOperand.data), rowOperand.size},
      indices{static_cast<const int64_t *>(indexOperand.data), indexOperand.size};
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
  // Refused here, for memory that is promised and then missing kills the process.
  Wide bytes = Wide(params.heads) *
               (rows * count * Wide(sizeof(int32_t)) + (rows + 1) * Wide(sizeof(int64_t)));
  Wide memory = Wide(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  if (bytes > memory / 10 * 9)
    return fail(
        status, GIRIH_UNSUPPORTED,
        "expected random blocks that fit in this machine's memory (%.1f GiB), but got %" PRId64
        " for each of %" PRId64 " rows of %" PRId64 " heads, which need %.1f GiB",
        static_cast<double>(memory) / 0x1p30, count, rows, params.heads,
        static_cast<double>(bytes) / 0x1p30);
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

int BoundTables::bindLookup(size_t table, const GirihMapTable &spec, const GirihMapParams &params,
                            GirihStatus *status) {
  const GirihOperand &operand = params.operands[spec.operand];
  Storage &store = storage[table];
  store.name = operand.name ? std::string("@") + operand.name
                            : "(operand " + std::to_string(spec.operand) + ")";
  const char *name = store.name.c_str();
  bool isFloat = spec.kind == GIRIH_TABLE_LOOKUP_F32;
  int32_t rank = operand.rank == 0 ? 1 : operand.rank;
  if (operand.type != (isFloat ? GIRIH_OPERAND_F32 : GIRIH_OPERAND_I64) || rank != spec.count)
    return fail(status, GIRIH_INVALID,
                "expected table %s to hold %s in %" PRId64 " dimensions, but got %s in %d", name,
                isFloat ? "f32" : "int64", spec.count,
                operand.type == GIRIH_OPERAND_I64   ? "int64"
                : operand.type == GIRIH_OPERAND_F32 ? "f32"
                                                    : "another type",
                rank);
  GirihBoundTable &view = views[table];
  Wide product = 1;
  for (int32_t d = 0; d < 4; ++d) {
    int64_t extent = d >= rank ? 1 : operand.rank == 0 ? operand.size : operand.shape[d];
    if (extent < 0)
      return fail(status, GIRIH_INVALID,
                  "expected extents of table %s to be at least 0, but got %" PRId64
                  " in dimension %d",
                  name, extent, d);
    view.extent[d] = extent;
    product = std::min<Wide>(product * extent, INT64_MAX);
  }
  if (product != operand.size || (operand.size > 0 && !operand.data))
    return fail(status, GIRIH_INVALID,
                "expected table %s to have %" PRId64 " values as its shape says, but got %" PRId64,
                name, static_cast<int64_t>(product), operand.data ? operand.size : int64_t{0});
  store.narrow.resize(static_cast<size_t>(operand.size));
  if (isFloat) {
    if (operand.size > 0)
      memcpy(store.narrow.data(), operand.data, store.narrow.size() * sizeof(int32_t));
  } else {
    const auto *values = static_cast<const int64_t *>(operand.data);
    for (int64_t i = 0; i < operand.size; ++i) {
      store.narrow[i] = static_cast<int32_t>(values[i]);
      if (store.narrow[i] != values[i])
        return fail(status, GIRIH_INVALID,
                    "expected values of table %s to fit 32 bits, but got %" PRId64
                    " at element %" PRId64,
                    name, values[i], i);
    }
    store.extrema.build(store.narrow.data(), operand.size);
  }
  view.num_units = operand.size;
  view.ids = store.narrow.data();
  return GIRIH_OK;
}

Extrema::Range BoundTables::extrema(int64_t table, int64_t first, int64_t last) const {
  const GirihBoundTable &view = (*this)[table];
  if (view.kind != GIRIH_TABLE_LOOKUP || first < 0 || first > last || last >= view.num_units)
    return {0, 0};
  return storage[table].extrema.of(first, last);
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
      total += store.wide.size() * sizeof(int64_t) + store.narrow.size() * sizeof(int32_t) +
               store.extrema.bytes();
  return static_cast<int64_t>(total);
}

uint32_t girihTableLanes(const GirihBoundTable *table, int64_t h, int64_t q, int64_t k,
                         int32_t lanes) {
  if (table->kind != GIRIH_TABLE_BLOCKS && table->kind != GIRIH_TABLE_RANDOM)
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
