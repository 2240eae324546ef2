// Complements reach the leaves, and intersections of sets become one set.
// RUN: girih-opt %s --girih-simplify-patterns | %python %S/Inputs/inline-sets.py | FileCheck %s
//
// Twice is once.
// RUN: girih-opt %s --girih-simplify-patterns > %t.once
// RUN: girih-opt %t.once --girih-simplify-patterns | diff %t.once -

//===----------------------------------------------------------------------===//
// Complements
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func.func @complement_of_inequality(
// CHECK-NEXT: %[[P0:.*]] = girih.where {-(q - k) - 1 >= 0}
// CHECK-NEXT: return %[[P0]] : !girih.pattern
func.func @complement_of_inequality() -> !girih.pattern {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0)>
  %1 = girih.complement %0
  return %1 : !girih.pattern
}

// Either side of it.
// CHECK-LABEL: func.func @complement_of_equality(
// CHECK-NEXT: %[[P0:.*]] = girih.where {-(q - k) - 1 >= 0}
// CHECK-NEXT: %[[P1:.*]] = girih.where {q - k - 1 >= 0}
// CHECK-NEXT: %[[P2:.*]] = girih.union %[[P0]], %[[P1]]
// CHECK-NEXT: return %[[P2]] : !girih.pattern
func.func @complement_of_equality() -> !girih.pattern {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k == 0)>
  %1 = girih.complement %0
  return %1 : !girih.pattern
}

// CHECK-LABEL: func.func @complement_of_conjunction(
// CHECK-NEXT: %[[P0:.*]] = girih.where {-(q - k) - 1 >= 0}
// CHECK-NEXT: %[[P1:.*]] = girih.where {-(k - 4) - 1 >= 0}
// CHECK-NEXT: %[[P2:.*]] = girih.union %[[P0]], %[[P1]]
// CHECK-NEXT: return %[[P2]] : !girih.pattern
func.func @complement_of_conjunction() -> !girih.pattern {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0, k - 4 >= 0)>
  %1 = girih.complement %0
  return %1 : !girih.pattern
}

// Sets of symbols stay sets of symbols.
// CHECK-LABEL: func.func @complement_of_product(
// CHECK-NEXT: %[[P0:.*]] = girih.where symbols {-(h * k - q) - 1 >= 0}
// CHECK-NEXT: return %[[P0]] : !girih.pattern
func.func @complement_of_product() -> !girih.pattern {
  %0 = girih.where affine_set<()[b, h, q, k, nq, nk, n] : (h * k - q >= 0)>
  %1 = girih.complement %0
  return %1 : !girih.pattern
}

// CHECK-LABEL: func.func @all_but_a_union(
// CHECK-NEXT: %[[P0:.*]] = girih.where {-(q - k) - 1 >= 0, -(k - 4) - 1 >= 0}
// CHECK-NEXT: return %[[P0]] : !girih.pattern
func.func @all_but_a_union() -> !girih.pattern {
  %0 = girih.full
  %1 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0)>
  %2 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (k - 4 >= 0)>
  %3 = girih.union %1, %2
  %4 = girih.subtract %0, %3
  return %4 : !girih.pattern
}

// CHECK-LABEL: func.func @complement_of_union(
// CHECK-SAME: %[[ARG0:[^:]*]]:
// CHECK-NEXT: %[[P0:.*]] = girih.segments %[[ARG0]] : tensor<?xi64>
// CHECK-NEXT: %[[P1:.*]] = girih.where {-(q - k) - 1 >= 0}
// CHECK-NEXT: %[[P2:.*]] = girih.complement %[[P0]]
// CHECK-NEXT: %[[P3:.*]] = girih.intersect %[[P1]], %[[P2]]
// CHECK-NEXT: return %[[P3]] : !girih.pattern
func.func @complement_of_union(%offsets: tensor<?xi64>) -> !girih.pattern {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0)>
  %1 = girih.segments %offsets : tensor<?xi64>
  %2 = girih.union %0, %1
  %3 = girih.complement %2
  return %3 : !girih.pattern
}

// CHECK-LABEL: func.func @complement_of_intersection(
// CHECK-SAME: %[[ARG0:[^:]*]]:
// CHECK-NEXT: %[[P0:.*]] = girih.segments %[[ARG0]] : tensor<?xi64>
// CHECK-NEXT: %[[P1:.*]] = girih.where {-(q - k) - 1 >= 0}
// CHECK-NEXT: %[[P2:.*]] = girih.complement %[[P0]]
// CHECK-NEXT: %[[P3:.*]] = girih.union %[[P1]], %[[P2]]
// CHECK-NEXT: return %[[P3]] : !girih.pattern
func.func @complement_of_intersection(%offsets: tensor<?xi64>) -> !girih.pattern {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0)>
  %1 = girih.segments %offsets : tensor<?xi64>
  %2 = girih.intersect %0, %1
  %3 = girih.complement %2
  return %3 : !girih.pattern
}

// Through two levels, where complements of complements vanish.
// CHECK-LABEL: func.func @complement_of_nested(
// CHECK-SAME: %[[ARG0:[^:]*]]:
// CHECK-NEXT: %[[P0:.*]] = girih.segments %[[ARG0]] : tensor<?xi64>
// CHECK-NEXT: %[[P1:.*]] = girih.random_blocks size = 64 count = 3 seed = 0
// CHECK-NEXT: %[[P2:.*]] = girih.complement %[[P0]]
// CHECK-NEXT: %[[P3:.*]] = girih.where {-(q - k) - 1 >= 0}
// CHECK-NEXT: %[[P4:.*]] = girih.union %[[P1]], %[[P3]]
// CHECK-NEXT: %[[P5:.*]] = girih.intersect %[[P2]], %[[P4]]
// CHECK-NEXT: return %[[P5]] : !girih.pattern
func.func @complement_of_nested(%offsets: tensor<?xi64>) -> !girih.pattern {
  %0 = girih.segments %offsets : tensor<?xi64>
  %1 = girih.random_blocks size = 64 count = 3 seed = 0
  %2 = girih.complement %1
  %3 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0)>
  %4 = girih.intersect %2, %3
  %5 = girih.union %0, %4
  %6 = girih.complement %5
  return %6 : !girih.pattern
}

//===----------------------------------------------------------------------===//
// Sets
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func.func @merges_sets(
// CHECK-NEXT: %[[P0:.*]] = girih.where {q - k >= 0, k - q + 7 >= 0}
// CHECK-NEXT: return %[[P0]] : !girih.pattern
func.func @merges_sets() -> !girih.pattern {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0)>
  %1 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (k - q + 7 >= 0)>
  %2 = girih.intersect %0, %1
  return %2 : !girih.pattern
}

// No key is before 4 and after 8.
// CHECK-LABEL: func.func @drops_empty_intersections(
// CHECK-NEXT: %[[P0:.*]] = girih.where {q - k >= 0}
// CHECK-NEXT: return %[[P0]] : !girih.pattern
func.func @drops_empty_intersections() -> !girih.pattern {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0)>
  %1 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (-k + 4 >= 0)>
  %2 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (k - 8 >= 0)>
  %3 = girih.intersect %1, %2
  %4 = girih.union %0, %3
  return %4 : !girih.pattern
}

// CHECK-LABEL: func.func @flattens_unions(
// CHECK-SAME: %[[ARG0:[^:]*]]:
// CHECK-NEXT: %[[P0:.*]] = girih.segments %[[ARG0]] : tensor<?xi64>
// CHECK-NEXT: %[[P1:.*]] = girih.where {q - k >= 0}
// CHECK-NEXT: %[[P2:.*]] = girih.where {-k + 4 >= 0}
// CHECK-NEXT: %[[P3:.*]] = girih.union %[[P0]], %[[P1]], %[[P2]]
// CHECK-NEXT: return %[[P3]] : !girih.pattern
func.func @flattens_unions(%offsets: tensor<?xi64>) -> !girih.pattern {
  %0 = girih.segments %offsets : tensor<?xi64>
  %1 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0)>
  %2 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (-k + 4 >= 0)>
  %3 = girih.union %0, %1
  %4 = girih.union %3, %2
  return %4 : !girih.pattern
}

//===----------------------------------------------------------------------===//
// What is left alone
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func.func @complements_of_leaves(
// CHECK-SAME: %[[ARG0:[^:]*]]:
// CHECK-NEXT: %[[P0:.*]] = girih.segments %[[ARG0]] : tensor<?xi64>
// CHECK-NEXT: %[[P1:.*]] = girih.complement %[[P0]]
// CHECK-NEXT: %[[P2:.*]] = girih.chunk size = 64
// CHECK-NEXT: %[[P3:.*]] = girih.complement %[[P2]]
// CHECK-NEXT: return %[[P1]], %[[P3]] : !girih.pattern, !girih.pattern
func.func @complements_of_leaves(%offsets: tensor<?xi64>) -> (!girih.pattern, !girih.pattern) {
  %0 = girih.segments %offsets : tensor<?xi64>
  %1 = girih.complement %0
  %2 = girih.chunk size = 64
  %3 = girih.complement %2
  return %1, %3 : !girih.pattern, !girih.pattern
}

// Nine constraints would become nine sets.
// CHECK-LABEL: func.func @complement_of_large_set(
// CHECK-NEXT: %[[P0:.*]] = girih.where {k mod 2 >= 0, k mod 3 - 1 >= 0, k mod 5 - 1 >= 0, k mod 7 - 1 >= 0, k mod 11 - 1 >= 0, k mod 13 - 1 >= 0, k mod 17 - 1 >= 0, k mod 19 - 1 >= 0, k mod 23 - 1 >= 0, k mod 29 - 1 >= 0}
// CHECK-NEXT: %[[P1:.*]] = girih.complement %[[P0]]
// CHECK-NEXT: return %[[P1]] : !girih.pattern
func.func @complement_of_large_set() -> !girih.pattern {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] :
      (k mod 2 >= 0, k mod 3 - 1 >= 0, k mod 5 - 1 >= 0, k mod 7 - 1 >= 0, k mod 11 - 1 >= 0,
       k mod 13 - 1 >= 0, k mod 17 - 1 >= 0, k mod 19 - 1 >= 0, k mod 23 - 1 >= 0, k mod 29 - 1 >= 0)>
  %1 = girih.complement %0
  return %1 : !girih.pattern
}
