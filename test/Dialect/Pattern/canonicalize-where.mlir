// Affine sets merge, lose what always holds, and are found empty by Presburger arithmetic.
// RUN: girih-opt %s -canonicalize | FileCheck %s
// RUN: girih-opt %s -canonicalize -o %t.once && girih-opt %t.once -canonicalize | diff %t.once -

// CHECK-DAG: #[[$MERGED:.*]] = affine_set<(d0, d1, d2, d3)[s0, s1, s2] : (d2 - d3 >= 0, d3 - d2 + 9 >= 0, d3 mod 2 == 0)>
// CHECK-DAG: #[[$PRODUCTS:.*]] = affine_set<()[s0, s1, s2, s3, s4, s5, s6] : (s1 * s2 - s3 >= 0, s1 * s3 - s2 >= 0)>
// CHECK-DAG: #[[$FUTURE:.*]] = affine_set<(d0, d1, d2, d3)[s0, s1, s2] : (-d2 - 1 >= 0)>
// CHECK-DAG: #[[$SMALLER:.*]] = affine_set<(d0, d1, d2, d3)[s0, s1, s2] : (d2 - d3 >= 0)>

// CHECK-LABEL: func @merges_sets
// CHECK-NEXT: %[[W:.*]] = girih.where #[[$MERGED]]
// CHECK-NEXT: return %[[W]]
func.func @merges_sets() -> !girih.pattern {
  %a = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0, k - q + 9 >= 0)>
  %b = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (k mod 2 == 0, q - k >= 0)>
  %0 = girih.intersect %a, %b
  return %0 : !girih.pattern
}

// CHECK-LABEL: func @merges_sets_with_products
// CHECK-NEXT: %[[W:.*]] = girih.where #[[$PRODUCTS]]
// CHECK-NEXT: return %[[W]]
func.func @merges_sets_with_products() -> !girih.pattern {
  %a = girih.where affine_set<()[b, h, q, k, nq, nk, n] : (h * q - k >= 0)>
  %b = girih.where affine_set<()[b, h, q, k, nq, nk, n] : (h * k - q >= 0)>
  %0 = girih.intersect %a, %b
  return %0 : !girih.pattern
}

// CHECK-LABEL: func @keeps_forms_apart
// CHECK: girih.intersect
func.func @keeps_forms_apart() -> !girih.pattern {
  %a = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0)>
  %b = girih.where affine_set<()[b, h, q, k, nq, nk, n] : (h * k - q >= 0)>
  %0 = girih.intersect %a, %b
  return %0 : !girih.pattern
}

// CHECK-LABEL: func @disjoint_sets_meet_in_nothing
// CHECK: %[[NONE:.*]] = girih.empty
// CHECK-NEXT: return %[[NONE]]
func.func @disjoint_sets_meet_in_nothing() -> !girih.pattern {
  %past = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0)>
  %future = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (k - q - 1 >= 0)>
  %0 = girih.intersect %past, %future
  return %0 : !girih.pattern
}

// No rational argument shows this one: 2 * q = 2 * k + 1.
// CHECK-LABEL: func @parity_is_empty
// CHECK: %[[NONE:.*]] = girih.empty
// CHECK-NEXT: return %[[NONE]]
func.func @parity_is_empty() -> !girih.pattern {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q mod 2 == 0, k mod 2 == 0, q - k - 1 == 0)>
  return %0 : !girih.pattern
}

// CHECK-LABEL: func @division_is_empty
// CHECK: %[[NONE:.*]] = girih.empty
// CHECK-NEXT: return %[[NONE]]
func.func @division_is_empty() -> !girih.pattern {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q floordiv 64 - k floordiv 64 == 0, q - k - 64 >= 0)>
  return %0 : !girih.pattern
}

// Keys out of bounds are never asked for.
// CHECK-LABEL: func @no_key_is_out_of_bounds
// CHECK-DAG: %[[NONE:.*]] = girih.empty
// CHECK: return %[[NONE]], %[[NONE]]
func.func @no_key_is_out_of_bounds() -> (!girih.pattern, !girih.pattern) {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (-k - 1 >= 0)>
  %1 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (k - nk >= 0)>
  return %0, %1 : !girih.pattern, !girih.pattern
}

// With more queries than keys the first positions are negative.
// CHECK-LABEL: func @queries_may_be_negative
// CHECK: girih.where #[[$FUTURE]]
func.func @queries_may_be_negative() -> !girih.pattern {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (-q - 1 >= 0)>
  return %0 : !girih.pattern
}

// CHECK-LABEL: func @drops_true_and_repeated_constraints
// CHECK: girih.where #[[$SMALLER]]
func.func @drops_true_and_repeated_constraints() -> !girih.pattern {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0, 4 >= 0, q - k >= 0)>
  return %0 : !girih.pattern
}

// Coefficients near 2^63 are not asked about: the answer could be wrong.
// CHECK-LABEL: func @leaves_huge_coefficients
// CHECK: girih.where
func.func @leaves_huge_coefficients() -> !girih.pattern {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q * 4611686018427387903 - k >= 0, k - q * 4611686018427387903 - 1 >= 0)>
  return %0 : !girih.pattern
}
