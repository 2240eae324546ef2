//===- Program.h - A checked and analysed map program ------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A checked program with what every evaluation needs: which nodes depend on
// what, linear forms of its integers, and the order in which to evaluate the
// nodes below given roots.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_MAP_PROGRAM_H
#define GIRIH_RUNTIME_MAP_PROGRAM_H

#include "girih-c/BlockMap.h"

#include <stddef.h>
#include <vector>

namespace girih {

/// What the value of a node depends on; tables count as their operands do.
enum Dependence : uint8_t {
  kOnQ = 1,
  kOnK = 2,
  kOnBatch = 4,
  kOnHead = 8,
};

/// Number of node operands of `op`, or -1 when there is no such op.
int numOperands(int32_t op);

/// Whether `op` is a boolean of integers or tables: a comparison or a lookup.
inline bool isLookupTable(int32_t kind) {
  return kind == GIRIH_TABLE_LOOKUP || kind == GIRIH_TABLE_LOOKUP_F32;
}

/// The nodes of the indices of a LOOKUP, one a dimension.
struct LookupIndices {
  int32_t node[4];
  int32_t count;
};
/// Takes a checked program.
LookupIndices lookupIndices(const GirihMapProgram &program, const GirihMapNode &lookup);

inline bool isLeaf(int32_t op) {
  return op == GIRIH_MAP_GE0 || op == GIRIH_MAP_EQ0 || op == GIRIH_MAP_SAME_SEGMENT ||
         op == GIRIH_MAP_IN_TABLE;
}

struct LinearTerm {
  int32_t node;
  int64_t factor;
};

/// sum(factor * node) + constant. Collecting factors before bounding is what
/// makes q - 2*k + k exact over a box.
struct LinearForm {
  std::vector<LinearTerm> varying; ///< nodes that depend on Q or K, ascending
  std::vector<LinearTerm> fixed;   ///< nodes that depend on neither, ascending
  int64_t constant = 0;
};

/// Set for `EQ0` nodes that ask whether a MOD has some value: `form` is
/// congruent to that value modulo `modulus`.
struct Congruence {
  LinearForm form; ///< what MOD is taken of; of two MODs, the difference
  int64_t modulus = 0;
  /// For one MOD: its factor in the form of the operand. Zero for the difference
  /// of two, which decides only when the rest of the operand is zero.
  int64_t factor = 0;
};

/// Nodes to evaluate for some roots, operands first; nodes that depend on
/// neither Q nor K are left out (they are evaluated once for each head).
struct Plan {
  std::vector<int32_t> points; ///< for points and ranges
  std::vector<int32_t> boxes;  ///< for boxes: skips inner nodes of linear forms
};

/// Read only after `analyze`; borrows the program's arrays.
class Program {
public:
  /// Checks `program` and analyses it. Returns a GirihCode.
  int analyze(const GirihMapProgram &program, GirihStatus *status);

  Plan plan(const std::vector<int32_t> &roots) const;

  const GirihMapProgram &source() const { return *program; }
  const GirihMapNode &node(int32_t index) const { return program->nodes[index]; }
  int32_t size() const { return program->num_nodes; }
  uint8_t dependence(int32_t index) const { return deps[index]; }
  bool varies(int32_t index) const { return deps[index] & (kOnQ | kOnK); }
  const LinearForm &form(int32_t index) const { return forms[index]; }
  /// Whether the form of `index` is the node itself: an atom.
  bool isAtom(int32_t index) const { return atoms[index]; }
  /// Null unless node `index` is an EQ0 of the kinds that Congruence describes.
  const Congruence *congruence(int32_t index) const {
    int32_t place = congruenceOf[index];
    return place < 0 ? nullptr : &congruences[place];
  }

private:
  int check(GirihStatus *status) const;
  int checkTerms(const GirihMapTerm *terms, int32_t count, uint8_t varied, const char *name,
                 int64_t &end, GirihStatus *status) const;
  void computeDependence();
  void computeForms();
  void computeCongruences();

  const GirihMapProgram *program = nullptr;
  std::vector<uint8_t> deps;
  std::vector<uint8_t> atoms;
  std::vector<LinearForm> forms;
  std::vector<Congruence> congruences;
  std::vector<int32_t> congruenceOf;
};

} // namespace girih

#endif // GIRIH_RUNTIME_MAP_PROGRAM_H
