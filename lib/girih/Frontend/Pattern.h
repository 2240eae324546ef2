//===- Pattern.h - Patterns as trees, and the C++ builder -------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A pattern tree is what a user wrote: by the parser, by the builder functions
// below, or by a binding. It knows nothing of IR. Trees are immutable and
// shared; copying a Pattern copies a pointer.
//
//   auto longformer = girih::window(256, 256) | girih::global(16);
//   auto mine = girih::predicate([](Index b, Index h, Index q, Index k) {
//     return q >= k && (q - k < 700 || k / 96 % 5 == 2);
//   });
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_FRONTEND_PATTERN_H
#define GIRIH_FRONTEND_PATTERN_H

#include "girih/Frontend/Table.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace girih {

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

/// Node kinds of predicates and scores; numbers first, then booleans.
enum class ExprKind {
  Constant, // value
  Variable, // var
  Literal,  // real; scores only
  Score,    // the score after scale; scores only
  Add,
  Sub,
  Mul,
  Div, // of integers: floor division by a positive constant
  Mod, // floor modulo by a positive constant
  Min,
  Max,
  Abs,    // lhs
  Neg,    // lhs
  Lookup, // table, indices; a float if the table holds floats
  // Scores only. All but Where make floats and take numbers, which become floats.
  ToFloat, // lhs
  Exp,     // lhs, as down to Floor
  Exp2,
  Log,
  Log2,
  Sqrt,
  Rsqrt,
  Tanh,
  Sigmoid,
  Erf,
  Sin,
  Cos,
  Floor,
  Pow,   // lhs to the power of rhs
  Where, // condition ? lhs : rhs
  // Booleans.
  Lt,
  Le,
  Gt,
  Ge,
  Eq,
  Ne,
  And,
  Or,
  Not, // lhs
  True,
  False,
};

/// What an expression may read. Q and K are absolute positions.
enum class Var { B, H, Q, K, NQ, NK };

/// What an expression is worth. Arithmetic on an integer and a float is of floats.
enum class ExprType { Integer, Float, Boolean };

/// An immutable expression node; unused fields are null or zero.
struct Expr {
  ExprKind kind;
  ExprType type = ExprType::Integer;
  int64_t value = 0;
  float real = 0;
  Var var = Var::B;
  std::shared_ptr<const Expr> lhs, rhs, condition;
  TableRef table;
  std::vector<std::shared_ptr<const Expr>> indices;

  /// Frees a long chain without recursion.
  ~Expr();
};
using ExprRef = std::shared_ptr<const Expr>;

/// Whether a node of this kind is a boolean.
bool isBoolean(ExprKind kind);

/// A boolean over indices; what a predicate lambda returns.
class Bool {
public:
  explicit Bool(ExprRef node) : node(std::move(node)) {}
  const ExprRef &get() const { return node; }

private:
  ExprRef node;
};

/// An integer expression over b, h, q, k, nq and nk.
class Index {
public:
  /// Of any integer; a float would lose its fraction.
  template <typename T, std::enable_if_t<std::is_integral_v<T>, int> = 0>
  Index(T value) : Index(constant(static_cast<int64_t>(value))) {}
  explicit Index(ExprRef node) : node(std::move(node)) {}
  /// The run-time lengths.
  static Index nq();
  static Index nk();
  const ExprRef &get() const { return node; }

private:
  static Index constant(int64_t value);
  ExprRef node;
};

/// A named array, for lookups and for `ParseOptions`. Copies share the values.
///
///   Table doc("doc", ids, {batch, tokens});
///   auto packed = predicate([&](Index b, Index h, Index q, Index k) {
///     return doc(b, q) == doc(b, k);
///   });
class Table {
public:
  /// A list of integers.
  Table(std::string name, std::vector<int64_t> values);
  /// In C order.
  Table(std::string name, std::vector<int64_t> values, std::vector<int64_t> shape);
  /// f32, for score functions.
  static Table ofFloats(std::string name, std::vector<float> values, std::vector<int64_t> shape);
  explicit Table(TableRef data) : data(std::move(data)) {}

  /// `@name[indices...]`, an index for each dimension. Every index must stay within the
  /// table for all pairs of a launch, which the launch checks.
  template <typename... Indices> Index operator()(Indices... indices) const {
    return lookup({Index(indices)...});
  }
  Index lookup(std::vector<Index> indices) const;
  const TableRef &get() const { return data; }

private:
  TableRef data;
};

Index operator+(Index a, Index b);
Index operator-(Index a, Index b);
Index operator*(Index a, Index b);
Index operator-(Index a);
/// Floor division and modulo; `b` must be a positive constant when parsed or
/// lowered (anything else is an error there).
Index operator/(Index a, Index b);
Index operator%(Index a, Index b);
Index min(Index a, Index b);
Index max(Index a, Index b);
Index abs(Index a);
Bool operator<(Index a, Index b);
Bool operator<=(Index a, Index b);
Bool operator>(Index a, Index b);
Bool operator>=(Index a, Index b);
Bool operator==(Index a, Index b);
Bool operator!=(Index a, Index b);
Bool operator&&(Bool a, Bool b);
Bool operator||(Bool a, Bool b);
Bool operator!(Bool a);

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

enum class PatternKind {
  Full,
  Empty,
  Causal,
  Window,        // left?, right?
  Dilated,       // left, right, dilation
  Strided,       // stride
  Chunk,         // size
  Columns,       // period, lo, hi
  GlobalColumns, // first, last
  GlobalRows,    // first, last
  Global,        // first, last
  Blockwise,     // size, one child
  Segments,      // offsets
  RandomBlocks,  // size, count, seed
  BlockTable,    // size, indptr, indices, table_heads
  Neighborhood,  // grid, kernel, dilation, stride, causal
  Heads,         // one child for each range of headBegin/headEnd
  Union,         // two children or more
  Intersect,     // two children or more
  Subtract,      // two children
  Complement,    // one child
  Predicate,     // expr
};

struct PatternNode;
using PatternRef = std::shared_ptr<const PatternNode>;

/// An immutable tree node. Fields that a kind does not use stay at their default.
struct PatternNode {
  PatternKind kind;
  std::vector<PatternRef> children;
  /// Window: absent means unbounded. Dilated: always present, in taps.
  std::optional<int64_t> left, right;
  int64_t size = 0; // Chunk, Blockwise, RandomBlocks, BlockTable: tokens
  int64_t dilation = 1, stride = 1;
  int64_t period = 0, lo = 0, hi = 0;
  int64_t first = 0, last = 0;
  int64_t count = 0;
  uint64_t seed = 0;
  /// Segments: [0, ..., n], non-decreasing. Values are run-time operands: they
  /// never reach a kernel's key. `file` is the file or table they came from, if any.
  std::vector<int64_t> offsets;
  /// BlockTable: CSR rows of key blocks for each query block; `tableHeads` row
  /// sets one after another (1: shared by every head); indptr has
  /// tableHeads * (rows + 1) entries, each head's part starting where its
  /// indices start in `indices`.
  std::vector<int64_t> indptr, indices;
  int64_t tableHeads = 1;
  std::string file;
  std::string indptrName, indicesName; ///< of BlockTable's lists, without `@`
  /// Neighborhood, one entry a dimension (1 to 3).
  std::vector<int64_t> grid, kernel, dilations, strides;
  std::vector<bool> causal;
  /// Heads: inclusive ranges, one for each child.
  std::vector<int64_t> headBegin, headEnd;
  ExprRef expr; // Predicate

  /// Frees a deep tree without recursion.
  ~PatternNode();
};

/// A pattern: a shared pointer to an immutable tree with the operators of the
/// pattern language.
class Pattern {
public:
  Pattern() = default;
  explicit Pattern(PatternRef node) : node(std::move(node)) {}
  const PatternNode &operator*() const { return *node; }
  const PatternNode *operator->() const { return node.get(); }
  const PatternRef &get() const { return node; }
  explicit operator bool() const { return node != nullptr; }

  /// The expression in the pattern language. Parsing it gives an equal tree.
  std::string str() const;

private:
  PatternRef node;
};

/// Structural equality.
bool operator==(const Pattern &a, const Pattern &b);

Pattern operator|(Pattern a, Pattern b);
Pattern operator&(Pattern a, Pattern b);
Pattern operator-(Pattern a, Pattern b);
Pattern operator~(Pattern a);

// Builders, one for each name of the language. They do not check values;
// `validate` does, and the parser and the compiler call it.
Pattern full();
Pattern empty();
Pattern causal();
Pattern window(std::optional<int64_t> left, std::optional<int64_t> right = {});
Pattern dilated(int64_t left, int64_t right, int64_t dilation);
Pattern strided(int64_t stride);
Pattern chunk(int64_t size);
Pattern columns(int64_t period, int64_t lo, int64_t hi);
Pattern globalColumns(int64_t first, int64_t last = 0);
Pattern globalRows(int64_t first, int64_t last = 0);
Pattern global(int64_t first, int64_t last = 0);
Pattern blockwise(Pattern inner, int64_t size);
Pattern segments(std::vector<int64_t> offsets);
Pattern randomBlocks(int64_t size, int64_t count, uint64_t seed);
Pattern blockTable(int64_t size, std::vector<int64_t> indptr, std::vector<int64_t> indices,
                   int64_t tableHeads = 1);
Pattern neighborhood(std::vector<int64_t> grid, std::vector<int64_t> kernel,
                     std::vector<int64_t> dilation = {}, std::vector<int64_t> stride = {},
                     std::vector<bool> causal = {});
Pattern heads(std::vector<Pattern> perHead);
struct HeadRange {
  int64_t begin, end; // inclusive
  Pattern pattern;
};
Pattern heads(std::vector<HeadRange> ranges);
Pattern predicate(Bool expr);

/// Builds a predicate from a callable (b, h, q, k) -> Bool.
template <typename Callable> Pattern predicate(Callable callable);

/// Tables that an expression, or the predicates of a tree, look up: each once, in the order of
/// the kernel's arguments.
std::vector<TableRef> exprLookups(const Expr &expr);
std::vector<TableRef> patternLookups(const Pattern &pattern);

/// Checks every value of the tree that does not depend on lengths (sizes and
/// periods positive, windows not negative, head ranges disjoint, grids that hold
/// their kernel, divisors positive constants, depth within maxDepth...).
/// Returns an empty string, or what is wrong: "expected ..., but got ...".
std::string validate(const Pattern &pattern);

/// Lengths of a launch, for checks and for the oracle.
struct Shape {
  int64_t numQ = 0, numK = 0, heads = 1;
  int64_t qOffset = 0; ///< absolute position of query 0
  int64_t qEnd = 0;    ///< absolute query end
};
/// bottom_right: qOffset = numK - numQ, qEnd = numK; top_left: 0, numQ.
Shape makeShape(int64_t numQ, int64_t numK, int64_t heads, bool topLeft);

/// Checks what depends on lengths: offsets end at the length, a grid matches
/// it, heads are covered, block tables have rows for every query block. Returns
/// an empty string, or what is wrong.
std::string validateShape(const Pattern &pattern, const Shape &shape);

/// Deepest tree that `validate`, the parser and the compiler accept; a predicate
/// is as deep as its expression plus one.
inline constexpr int maxDepth = 256;

/// Largest tree they accept, in nodes of patterns and expressions. A subtree that
/// is shared counts each time that it is used.
inline constexpr int64_t maxNodes = int64_t(1) << 17;

/// Largest distance, size, period or offset they accept: far beyond any length,
/// and small enough that sums and products with positions stay within 64 bits.
inline constexpr int64_t maxValue = int64_t(1) << 40;

//===----------------------------------------------------------------------===//
// Implementation of templates
//===----------------------------------------------------------------------===//

namespace detail {
Index variable(Var var);
} // namespace detail

template <typename Callable> Pattern predicate(Callable callable) {
  return predicate(Bool(callable(detail::variable(Var::B), detail::variable(Var::H),
                                 detail::variable(Var::Q), detail::variable(Var::K))));
}

} // namespace girih

#endif // GIRIH_FRONTEND_PATTERN_H
