//===- Table.h - Arrays that patterns look up -------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What `@name` stands for in the pattern language. Values and extents are
// run-time operands: they never reach a kernel's key. Rank and type do.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_FRONTEND_TABLE_H
#define GIRIH_FRONTEND_TABLE_H

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace girih {

/// Most dimensions of a table.
inline constexpr size_t maxTableRank = 4;

/// An immutable array in C order. Trees that look it up share it.
struct TableData {
  std::string name; ///< as written behind `@`: a name, or a file
  std::vector<int64_t> shape;
  bool isFloat = false;      ///< f32, which score functions alone look up
  std::vector<int64_t> ints; ///< values, unless `isFloat`; those that are looked up fit 32 bits
  std::vector<float> floats; ///< values, if `isFloat`

  int64_t elements() const { return static_cast<int64_t>(isFloat ? floats.size() : ints.size()); }
};
using TableRef = std::shared_ptr<const TableData>;

/// Equality of names, shapes, types and values.
bool operator==(const TableData &a, const TableData &b);

/// Checks what holds of every table: 1 to 4 dimensions whose product is the number of
/// values. Returns an empty string, or what is wrong.
std::string validateTable(const TableData &table);

/// Checks that a table can be looked up: what `validateTable` checks, and integers that fit
/// 32 bits. Returns an empty string, or what is wrong.
std::string validateLookup(const TableData &table);

/// Whether `name` can name a table in memory: a letter or _, then letters, digits and _.
bool isTableName(const std::string &name);

} // namespace girih

#endif // GIRIH_FRONTEND_TABLE_H
