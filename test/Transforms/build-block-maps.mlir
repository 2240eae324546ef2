// Patterns that solve for the key get key ranges; one run-time list is read; the rest is bisected.
// RUN: girih-opt %s --girih-build-block-maps | %python %S/Inputs/inline-sets.py | FileCheck %s
//
// Twice is once.
// RUN: girih-opt %s --girih-build-block-maps > %t.once
// RUN: girih-opt %t.once --girih-build-block-maps | diff %t.once -

//===----------------------------------------------------------------------===//
// Ranges
//===----------------------------------------------------------------------===//

// k <= q bounds above; the last key bounds every term.
// CHECK-LABEL: func.func @causal(
// CHECK: %[[MAP:.*]] = girih.block_map %{{.*}} tile [64, 32] provider ranges{{ ranges [[]}}#girih.range<lower = {0}, upper = {q, nk - 1}>
// CHECK: girih.attention {{.*}} map(%[[MAP]])
func.func @causal(%q: tensor<?x8x?x64xf32>) -> tensor<?x8x?x64xf32> {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0)>
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%0) tile [64, 32]
      : tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return %o : tensor<?x8x?x64xf32>
}

// Equalities bound from both sides; a coefficient divides, rounding inwards.
// CHECK-LABEL: func.func @equality(
// CHECK: %[[MAP:.*]] = girih.block_map %{{.*}} tile [64, 32] provider ranges{{ ranges [[]}}#girih.range<lower = {0, -((-q) floordiv 3)}, upper = {q floordiv 3, nk - 1}>
// CHECK: girih.attention {{.*}} map(%[[MAP]])
func.func @equality(%q: tensor<?x8x?x64xf32>) -> tensor<?x8x?x64xf32> {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k * 3 == 0)>
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%0) tile [64, 32]
      : tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return %o : tensor<?x8x?x64xf32>
}

// floordiv of the key is solved by its inverse: whole blocks.
// CHECK-LABEL: func.func @floordiv_of_key(
// CHECK: %[[MAP:.*]] = girih.block_map %{{.*}} tile [64, 32] provider ranges{{ ranges [[]}}#girih.range<lower = {0, (q floordiv 64) * 64}, upper = {(q floordiv 64) * 64 + 63, nk - 1}>
// CHECK: girih.attention {{.*}} map(%[[MAP]])
func.func @floordiv_of_key(%q: tensor<?x8x?x64xf32>) -> tensor<?x8x?x64xf32> {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q floordiv 64 - k floordiv 64 == 0)>
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%0) tile [64, 32]
      : tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return %o : tensor<?x8x?x64xf32>
}

// What does not read the key guards the term.
// CHECK-LABEL: func.func @guard(
// CHECK: %[[MAP:.*]] = girih.block_map %{{.*}} tile [64, 32] provider ranges{{ ranges [[]}}#girih.range<lower = {0}, upper = {q, nk - 1}, guard = {q mod 2 == 0, h - 3 >= 0}>
// CHECK: girih.attention {{.*}} map(%[[MAP]])
func.func @guard(%q: tensor<?x8x?x64xf32>) -> tensor<?x8x?x64xf32> {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q mod 2 == 0, h - 3 >= 0, q - k >= 0)>
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%0) tile [64, 32]
      : tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return %o : tensor<?x8x?x64xf32>
}

// The segment of the query: symbols behind the lengths, in units.
// CHECK-LABEL: func.func @segments(
// CHECK: %[[MAP:.*]] = girih.block_map %{{.*}} tile [64, 32] provider ranges{{ ranges [[]}}#girih.range<lower = {0, begin0 * 16}, upper = {end0 * 16 + 15, nk - 1}>
// CHECK: girih.attention {{.*}} map(%[[MAP]])
func.func @segments(%q: tensor<?x8x?x64xf32>, %t: tensor<?xi64>) -> tensor<?x8x?x64xf32> {
  %0 = girih.segments %t unit = 16 : tensor<?xi64>
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%0) tile [64, 32]
      : tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return %o : tensor<?x8x?x64xf32>
}

// Two tables, two pairs of symbols.
// CHECK-LABEL: func.func @two_tables(
// CHECK: %[[MAP:.*]] = girih.block_map %{{.*}} tile [64, 32] provider ranges{{ ranges [[]}}#girih.range<lower = {0, begin0, begin1}, upper = {end0, end1, nk - 1}>
// CHECK: girih.attention {{.*}} map(%[[MAP]])
func.func @two_tables(%q: tensor<?x8x?x64xf32>, %t: tensor<?xi64>, %u: tensor<?xi64>) -> tensor<?x8x?x64xf32> {
  %0 = girih.segments %t : tensor<?xi64>
  %1 = girih.segments %u : tensor<?xi64>
  %2 = girih.intersect %0, %1
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%2) tile [64, 32]
      : tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return %o : tensor<?x8x?x64xf32>
}

// A union has a term for each part; an intersection of unions multiplies out.
// CHECK-LABEL: func.func @union(
// CHECK: %[[MAP:.*]] = girih.block_map %{{.*}} tile [64, 32] provider ranges{{ ranges [[]}}#girih.range<lower = {0}, upper = {3, q, nk - 1}>
// CHECK-SAME: #girih.range<lower = {0, -(-q + 9)}, upper = {q, nk - 1}>
// CHECK: girih.attention {{.*}} map(%[[MAP]])
func.func @union(%q: tensor<?x8x?x64xf32>) -> tensor<?x8x?x64xf32> {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (-k + 3 >= 0)>
  %1 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (k - q + 9 >= 0)>
  %2 = girih.union %0, %1
  %3 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0)>
  %4 = girih.intersect %2, %3
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%4) tile [64, 32]
      : tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return %o : tensor<?x8x?x64xf32>
}

// Complements of sets are solved in place.
// CHECK-LABEL: func.func @complement(
// CHECK: %[[MAP:.*]] = girih.block_map %{{.*}} tile [64, 32] provider ranges{{ ranges [[]}}#girih.range<lower = {0, -(-q - 1)}, upper = {nk - 1}>
// CHECK: girih.attention {{.*}} map(%[[MAP]])
func.func @complement(%q: tensor<?x8x?x64xf32>) -> tensor<?x8x?x64xf32> {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0)>
  %1 = girih.complement %0
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%1) tile [64, 32]
      : tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return %o : tensor<?x8x?x64xf32>
}

// Either side of an equality is a term.
// CHECK-LABEL: func.func @complement_of_equality(
// CHECK: %[[MAP:.*]] = girih.block_map %{{.*}} tile [64, 32] provider ranges{{ ranges [[]}}#girih.range<lower = {0, -(-q - 1)}, upper = {nk - 1}>
// CHECK-SAME: #girih.range<lower = {0}, upper = {q - 1, nk - 1}>
// CHECK: girih.attention {{.*}} map(%[[MAP]])
func.func @complement_of_equality(%q: tensor<?x8x?x64xf32>) -> tensor<?x8x?x64xf32> {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k == 0)>
  %1 = girih.complement %0
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%1) tile [64, 32]
      : tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return %o : tensor<?x8x?x64xf32>
}

// Constant constraints that fail drop their term.
// CHECK-LABEL: func.func @contradiction(
// CHECK: %[[MAP:.*]] = girih.block_map %{{.*}} tile [64, 32] provider ranges{{ ranges [[]}}#girih.range<lower = {0}, upper = {q - 5, nk - 1}>
// CHECK: girih.attention {{.*}} map(%[[MAP]])
func.func @contradiction(%q: tensor<?x8x?x64xf32>) -> tensor<?x8x?x64xf32> {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (-1 >= 0, q - k >= 0)>
  %1 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k - 5 >= 0)>
  %2 = girih.union %0, %1
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%2) tile [64, 32]
      : tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return %o : tensor<?x8x?x64xf32>
}

// Everything is one term without bounds but the lengths.
// CHECK-LABEL: func.func @full(
// CHECK: %[[MAP:.*]] = girih.block_map %{{.*}} tile [64, 32] provider ranges{{ ranges [[]}}#girih.range<lower = {0}, upper = {nk - 1}>
// CHECK: girih.attention {{.*}} map(%[[MAP]])
func.func @full(%q: tensor<?x8x?x64xf32>) -> tensor<?x8x?x64xf32> {
  %0 = girih.full
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%0) tile [64, 32]
      : tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return %o : tensor<?x8x?x64xf32>
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

// Nothing has no term; an empty list would mean everything is unknown.
// CHECK-LABEL: func.func @empty(
// CHECK: %[[MAP:.*]] = girih.block_map %{{.*}} tile [64, 32] provider table{{$}}
// CHECK: girih.attention {{.*}} map(%[[MAP]])
func.func @empty(%q: tensor<?x8x?x64xf32>) -> tensor<?x8x?x64xf32> {
  %0 = girih.empty
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%0) tile [64, 32]
      : tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return %o : tensor<?x8x?x64xf32>
}

// A remainder of the key is no interval.
// CHECK-LABEL: func.func @remainder_of_key(
// CHECK: %[[MAP:.*]] = girih.block_map %{{.*}} tile [64, 32] provider table{{$}}
// CHECK: girih.attention {{.*}} map(%[[MAP]])
func.func @remainder_of_key(%q: tensor<?x8x?x64xf32>) -> tensor<?x8x?x64xf32> {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (k mod 2 == 0)>
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%0) tile [64, 32]
      : tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return %o : tensor<?x8x?x64xf32>
}

// The key twice in one constraint can't be solved.
// CHECK-LABEL: func.func @key_twice(
// CHECK: %[[MAP:.*]] = girih.block_map %{{.*}} tile [64, 32] provider table{{$}}
// CHECK: girih.attention {{.*}} map(%[[MAP]])
func.func @key_twice(%q: tensor<?x8x?x64xf32>) -> tensor<?x8x?x64xf32> {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k - k floordiv 2 >= 0)>
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%0) tile [64, 32]
      : tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return %o : tensor<?x8x?x64xf32>
}

// A bound must be monotone in the query.
// CHECK-LABEL: func.func @bound_not_monotone(
// CHECK: %[[MAP:.*]] = girih.block_map %{{.*}} tile [64, 32] provider table{{$}}
// CHECK: girih.attention {{.*}} map(%[[MAP]])
func.func @bound_not_monotone(%q: tensor<?x8x?x64xf32>) -> tensor<?x8x?x64xf32> {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q mod 7 - k >= 0)>
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%0) tile [64, 32]
      : tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return %o : tensor<?x8x?x64xf32>
}

// A key times a variable can't be solved.
// CHECK-LABEL: func.func @product_with_key(
// CHECK: %[[MAP:.*]] = girih.block_map %{{.*}} tile [64, 32] provider table{{$}}
// CHECK: girih.attention {{.*}} map(%[[MAP]])
func.func @product_with_key(%q: tensor<?x8x?x64xf32>) -> tensor<?x8x?x64xf32> {
  %0 = girih.where affine_set<()[b, h, q, k, nq, nk, n] : (h * k - q >= 0)>
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%0) tile [64, 32]
      : tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return %o : tensor<?x8x?x64xf32>
}

// A bound that multiplies variables can't be printed over dimensions.
// CHECK-LABEL: func.func @product_in_bound(
// CHECK: %[[MAP:.*]] = girih.block_map %{{.*}} tile [64, 32] provider table{{$}}
// CHECK: girih.attention {{.*}} map(%[[MAP]])
func.func @product_in_bound(%q: tensor<?x8x?x64xf32>) -> tensor<?x8x?x64xf32> {
  %0 = girih.where affine_set<()[b, h, q, k, nq, nk, n] : (nq * nk - k >= 0)>
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%0) tile [64, 32]
      : tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return %o : tensor<?x8x?x64xf32>
}

// Beside other conditions a list is a table atom.
// CHECK-LABEL: func.func @random_blocks(
// CHECK: %[[MAP:.*]] = girih.block_map %{{.*}} tile [64, 32] provider table{{$}}
// CHECK: girih.attention {{.*}} map(%[[MAP]])
func.func @random_blocks(%q: tensor<?x8x?x64xf32>) -> tensor<?x8x?x64xf32> {
  %0 = girih.random_blocks size = 64 count = 3 seed = 0
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%0) tile [64, 32]
      : tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return %o : tensor<?x8x?x64xf32>
}

// Other segments than the query's are no interval.
// CHECK-LABEL: func.func @other_segments(
// CHECK: %[[MAP:.*]] = girih.block_map %{{.*}} tile [64, 32] provider table{{$}}
// CHECK: girih.attention {{.*}} map(%[[MAP]])
func.func @other_segments(%q: tensor<?x8x?x64xf32>, %t: tensor<?xi64>) -> tensor<?x8x?x64xf32> {
  %0 = girih.segments %t : tensor<?xi64>
  %1 = girih.complement %0
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%1) tile [64, 32]
      : tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return %o : tensor<?x8x?x64xf32>
}

// Nine terms are more than eight.
// CHECK-LABEL: func.func @nine_terms(
// CHECK: %[[MAP:.*]] = girih.block_map %{{.*}} tile [64, 32] provider table{{$}}
// CHECK: girih.attention {{.*}} map(%[[MAP]])
func.func @nine_terms(%q: tensor<?x8x?x64xf32>) -> tensor<?x8x?x64xf32> {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (k - 0 == 0)>
  %1 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (k - 10 == 0)>
  %2 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (k - 20 == 0)>
  %3 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (k - 30 == 0)>
  %4 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (k - 40 == 0)>
  %5 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (k - 50 == 0)>
  %6 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (k - 60 == 0)>
  %7 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (k - 70 == 0)>
  %8 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (k - 80 == 0)>
  %9 = girih.union %0, %1, %2, %3, %4, %5, %6, %7, %8
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%9) tile [64, 32]
      : tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return %o : tensor<?x8x?x64xf32>
}

// 2^40 blocks of 2^40 keys leave 64 bits: no bound, where wrapping around would give 0.
// CHECK-LABEL: func.func @bound_beyond_62_bits(
// CHECK: %[[MAP:.*]] = girih.block_map %{{.*}} tile [64, 32] provider table{{$}}
// CHECK: girih.attention {{.*}} map(%[[MAP]])
func.func @bound_beyond_62_bits(%q: tensor<?x8x?x64xf32>) -> tensor<?x8x?x64xf32> {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (k floordiv 1099511627776 - 1099511627776 >= 0)>
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%0) tile [64, 32]
      : tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return %o : tensor<?x8x?x64xf32>
}

//===----------------------------------------------------------------------===//
// Run-time lists, and what is left alone
//===----------------------------------------------------------------------===//

// A run-time list alone is read as it is.
// CHECK-LABEL: func.func @block_table(
// CHECK: %[[MAP:.*]] = girih.block_map %{{.*}} tile [64, 32] provider csr{{$}}
// CHECK: girih.attention {{.*}} map(%[[MAP]])
func.func @block_table(%q: tensor<?x8x?x64xf32>, %t: tensor<?xi64>, %u: tensor<?xi64>) -> tensor<?x8x?x64xf32> {
  %0 = girih.block_table %t, %u size = 64 : tensor<?xi64>, tensor<?xi64>
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%0) tile [64, 32]
      : tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return %o : tensor<?x8x?x64xf32>
}

// CHECK-LABEL: func.func @leaves_map_alone(
// CHECK-NOT: girih.block_map %
// CHECK: girih.attention {{.*}} map(%arg1)
func.func @leaves_map_alone(%q: tensor<?x8x?x64xf32>, %map: !girih.block_map) -> tensor<?x8x?x64xf32> {
  %0 = girih.full
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%0) map(%map) tile [64, 32]
      : tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return %o : tensor<?x8x?x64xf32>
}
