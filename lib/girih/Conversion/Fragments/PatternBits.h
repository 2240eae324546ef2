//===- PatternBits.h - Evaluate a pattern for many keys at a time -*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A thread's keys of a fragment row are columns 8 j and 8 j + 1 behind its first
// one. A pattern is evaluated for all of them at once, as bits of words: bit
// 2 j + x of word w is column 128 w + 8 j + x. Constraints that are linear in the
// key are ranges of keys, and a range is a handful of instructions, however many
// keys there are; union, intersection and complement are those of words. Only what
// divides the key is evaluated key by key.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_CONVERSION_FRAGMENTS_PATTERNBITS_H
#define GIRIH_CONVERSION_FRAGMENTS_PATTERNBITS_H

#include "girih/Conversion/Fragments/Fragments.h"

#include "girih/Analysis/ClosedForm.h"
#include "girih/Analysis/IndexForm.h"

#include <map>

namespace girih::gpu {

/// The bits of a row: one i32 for every 16 groups of 8 columns.
using Words = llvm::SmallVector<mlir::Value>;

/// Where the pairs of a fragment are.
struct Place {
  mlir::Value row[2]; ///< absolute positions of this thread's two query rows, i32
  mlir::Value column; ///< position of this thread's first key, i32
  mlir::Value batch, head;
};

class PatternBits {
public:
  /// For fragments of `groups` times 8 columns.
  PatternBits(FragmentEmitter &e, mlir::Value pattern, const Place &place, int64_t groups);

  /// Which keys row 0 or 1 keeps: those of the pattern that are in bounds.
  Words kept(int row);

private:
  //===--- PatternBits.cpp ---------------------------------------------------------===//
  Words evaluate(mlir::Value pattern);
  Words constraint(const Constraint &c);
  Words keyByKey(const Constraint &c);
  /// Keys that are less than `limit` (i32) columns behind the first one.
  Words below(mlir::Value limit);
  Words all(mlir::Value condition);
  Words combine(const Words &x, const Words &y, bool isUnion);
  Words complement(const Words &x);
  mlir::Value saturated(mlir::Value x);
  mlir::Type typeFor(mlir::AffineExpr expr);
  mlir::Value number(mlir::AffineExpr expr, int64_t value);
  mlir::Value index(mlir::AffineExpr expr);
  mlir::Value value(mlir::AffineExpr expr);
  /// `expr` in `type`, whatever is evaluated around it.
  mlir::Value indexIn(mlir::AffineExpr expr, mlir::Type type);
  mlir::Value termValue(mlir::Operation *term);
  mlir::Value floorDivide(mlir::Value x, int64_t divisor,
                          llvm::function_ref<mlir::Value(int64_t)> number);
  mlir::Value divide(mlir::Value position, int64_t unit);

  //===--- TableBits.cpp -------------------------------------------------------------===//
  /// The units that a table lists for a query row.
  struct TableRow {
    mlir::Value list, length; ///< pointer to ascending i32 units; i32
  };
  Words sameSegment(unsigned table);
  Words listed(unsigned table);
  int64_t unitOf(unsigned table);
  TableRow findRow(unsigned table);
  mlir::Value unitBits(const TableRow &row, mlir::Value first);
  void addListedUnits(Words &words, mlir::Value units, mlir::Value firstColumn, int64_t unit);
  mlir::Value tablePointer(unsigned table);

  FragmentEmitter &e;
  ScalarBuilder &a;
  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::Value pattern;
  Place place;
  int64_t groups;
  llvm::SmallVector<mlir::Operation *> tables;
  size_t firstTable; ///< of the tables of ops, behind arrays
  TermSymbols terms;
  llvm::DenseMap<mlir::Value, Array> arrays;
  mlir::Value uniform[NumPositions];
  int currentRow = 0;
  int64_t currentOffset = 0; ///< of the key that is evaluated, behind the first
  mlir::Type root;           ///< that the expression is evaluated in
};

} // namespace girih::gpu

#endif // GIRIH_CONVERSION_FRAGMENTS_PATTERNBITS_H
