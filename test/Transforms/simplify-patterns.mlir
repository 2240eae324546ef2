// Complements reach the leaves, and intersections of sets become one set.
// RUN: girih-opt %s --girih-simplify-patterns | %python %S/Inputs/inline-sets.py | FileCheck %s
//
// Twice is once.
// RUN: girih-opt %s --girih-simplify-patterns > %t.once
// RUN: girih-opt %t.once --girih-simplify-patterns | diff %t.once -

//===----------------------------------------------------------------------===//
// Complements
//===----------------------------------------------------------------------===//

func.func @complement_of_inequality() -> !girih.pattern {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0)>
  %1 = girih.complement %0
  return %1 : !girih.pattern
}

// Either side of it.
func.func @complement_of_equality() -> !girih.pattern {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k == 0)>
  %1 = girih.complement %0
  return %1 : !girih.pattern
}

func.func @complement_of_conjunction() -> !girih.pattern {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0, k - 4 >= 0)>
  %1 = girih.complement %0
  return %1 : !girih.pattern
}

// Sets of symbols stay sets of symbols.
func.func @complement_of_product() -> !girih.pattern {
  %0 = girih.where affine_set<()[b, h, q, k, nq, nk, n] : (h * k - q >= 0)>
  %1 = girih.complement %0
  return %1 : !girih.pattern
}

func.func @complement_of_union(%offsets: tensor<?xi64>) -> !girih.pattern {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0)>
  %1 = girih.segments %offsets : tensor<?xi64>
  %2 = girih.union %0, %1
  %3 = girih.complement %2
  return %3 : !girih.pattern
}

func.func @complement_of_intersection(%offsets: tensor<?xi64>) -> !girih.pattern {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0)>
  %1 = girih.segments %offsets : tensor<?xi64>
  %2 = girih.intersect %0, %1
  %3 = girih.complement %2
  return %3 : !girih.pattern
}

// Through two levels, where complements of complements vanish.
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

func.func @merges_sets() -> !girih.pattern {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0)>
  %1 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (k - q + 7 >= 0)>
  %2 = girih.intersect %0, %1
  return %2 : !girih.pattern
}

// No key is before 4 and after 8.
func.func @drops_empty_intersections() -> !girih.pattern {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0)>
  %1 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (-k + 4 >= 0)>
  %2 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (k - 8 >= 0)>
  %3 = girih.intersect %1, %2
  %4 = girih.union %0, %3
  return %4 : !girih.pattern
}

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

func.func @complements_of_leaves(%offsets: tensor<?xi64>) -> (!girih.pattern, !girih.pattern) {
  %0 = girih.segments %offsets : tensor<?xi64>
  %1 = girih.complement %0
  %2 = girih.chunk size = 64
  %3 = girih.complement %2
  return %1, %3 : !girih.pattern, !girih.pattern
}

// Nine constraints would become nine sets.
func.func @complement_of_large_set() -> !girih.pattern {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] :
      (k mod 2 >= 0, k mod 3 - 1 >= 0, k mod 5 - 1 >= 0, k mod 7 - 1 >= 0, k mod 11 - 1 >= 0,
       k mod 13 - 1 >= 0, k mod 17 - 1 >= 0, k mod 19 - 1 >= 0, k mod 23 - 1 >= 0, k mod 29 - 1 >= 0)>
  %1 = girih.complement %0
  return %1 : !girih.pattern
}
