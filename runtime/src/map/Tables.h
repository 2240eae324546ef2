//===- Tables.h - Tables of a program bound to a launch ---------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Segments, block lists and random blocks as lookups. Operands are checked here
// once; nothing after this file meets an index that is out of range.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_MAP_TABLES_H
#define GIRIH_RUNTIME_MAP_TABLES_H

#include "girih-c/BlockMap.h"

#include "Extrema.h"
#include "Integer.h"

#include <stddef.h>
#include <string>
#include <vector>

namespace girih {

/// Listed units of one row: ascending, distinct.
struct UnitRow {
  const int32_t *begin = nullptr;
  const int32_t *end = nullptr;
};

/// Row `row` of head `head`; empty when the table has no such row.
inline UnitRow unitRow(const GirihBoundTable &table, int64_t head, int64_t row) {
  int64_t place = row - table.row0;
  if (place < 0 || place >= table.rows)
    return {};
  const int64_t *indptr = table.indptr + (table.per_head ? head * (table.rows + 1) : 0) + place;
  return {table.indices + indptr[0], table.indices + indptr[1]};
}

/// The tables of one program, owning what their views point to.
class BoundTables {
public:
  /// Checks the operands and builds every table. Returns a GirihCode.
  int bind(const GirihMapProgram &program, const GirihMapParams &params, GirihStatus *status);

  const GirihBoundTable *data() const { return views.data(); }
  int64_t size() const { return static_cast<int64_t>(views.size()); }
  const GirihBoundTable &operator[](int64_t table) const {
    return views[static_cast<size_t>(table)];
  }

  /// Segment that holds `unit`; -1 for none.
  int64_t segmentOf(int64_t table, int64_t unit) const {
    const GirihBoundTable &view = (*this)[table];
    return unit < 0 || unit >= view.num_units ? -1 : view.ids[unit];
  }
  /// GIRIH_MAP_SEG_BEGIN and GIRIH_MAP_SEG_END; both are monotone in `unit`.
  int64_t segmentBegin(int64_t table, int64_t unit) const {
    int64_t id = segmentOf(table, unit);
    return id < 0 ? wrapAdd(unit, 1) : storage[table].wide[id];
  }
  int64_t segmentEnd(int64_t table, int64_t unit) const {
    int64_t id = segmentOf(table, unit);
    return id < 0 ? unit : storage[table].wide[id + 1] - 1;
  }

  /// The value of an array of integers at `place`; 0 outside of it and of f32.
  int64_t lookUp(int64_t table, int64_t place) const {
    const GirihBoundTable &view = (*this)[table];
    bool inside = place >= 0 && place < view.num_units && view.kind == GIRIH_TABLE_LOOKUP;
    return inside ? view.ids[place] : 0;
  }
  /// GIRIH_MAP_PLACE with `imm`.
  int64_t placeOf(int64_t imm, int64_t before, int64_t index) const {
    return wrapAdd(wrapMul(before, (*this)[imm >> 2].extent[imm & 3]), index);
  }
  /// Bounds of the values of an array of integers at places `first` to `last`; {0, 0} of f32
  /// and of places outside.
  Extrema::Range extrema(int64_t table, int64_t first, int64_t last) const;
  /// "@name" of the operand that table `table` was bound to, or "(operand N)".
  const char *nameOf(int64_t table) const { return storage[table].name.c_str(); }

  /// Whether units `q` and `k` lie in one segment.
  bool sameSegment(int64_t table, int64_t q, int64_t k) const {
    int64_t id = segmentOf(table, q);
    return id >= 0 && id == segmentOf(table, k);
  }
  /// Whether (head, unit q, unit k) is listed.
  bool listed(int64_t table, int64_t head, int64_t q, int64_t k) const;

  /// Table `table` with the roles of Q and K swapped, for the reverse map;
  /// `numUnits` is the number of K units. Owned by this object.
  const GirihBoundTable &transposed(int64_t table, int64_t heads, int64_t numUnits);

  int64_t bytes() const;

private:
  struct Storage {
    std::vector<int64_t> wide;   // segment offsets, or indptr
    std::vector<int32_t> narrow; // segment ids, indices, or looked-up values
    Extrema extrema;             // of looked-up integers
    std::string name;            // of a looked-up array
  };
  int bindSegments(size_t table, const GirihMapTable &spec, const GirihMapParams &params,
                   GirihStatus *status);
  int bindBlocks(size_t table, const GirihMapTable &spec, const GirihMapParams &params,
                 GirihStatus *status);
  int bindRandom(size_t table, const GirihMapTable &spec, const GirihMapParams &params,
                 GirihStatus *status);

  int bindLookup(size_t table, const GirihMapTable &spec, const GirihMapParams &params,
                 GirihStatus *status);

  std::vector<GirihBoundTable> views;
  std::vector<Storage> storage;
  std::vector<GirihBoundTable> transposedViews;
  std::vector<Storage> transposedStorage;
};

} // namespace girih

#endif // GIRIH_RUNTIME_MAP_TABLES_H
