// Boolean identities fold, in one application of each op's fold.
// RUN: girih-opt %s -canonicalize | FileCheck %s
// RUN: girih-opt %s -canonicalize -o %t.once && girih-opt %t.once -canonicalize | diff %t.once -

// CHECK-LABEL: func @union_with_full
// CHECK: %[[R:.*]] = girih.full
// CHECK-NEXT: return %[[R]]
func.func @union_with_full(%p: !girih.pattern) -> !girih.pattern {
  %all = girih.full
  %0 = girih.union %p, %all
  return %0 : !girih.pattern
}

// CHECK-LABEL: func @union_drops_empty
// CHECK-SAME: %[[P:.*]]: !girih.pattern, %[[Q:.*]]: !girih.pattern
// CHECK-NEXT: %[[R:.*]] = girih.union %[[P]], %[[Q]]
// CHECK-NEXT: return %[[R]]
func.func @union_drops_empty(%p: !girih.pattern, %q: !girih.pattern) -> !girih.pattern {
  %none = girih.empty
  %0 = girih.union %p, %none, %q
  return %0 : !girih.pattern
}

// CHECK-LABEL: func @union_of_one
// CHECK-SAME: %[[P:.*]]: !girih.pattern
// CHECK-NEXT: return %[[P]]
func.func @union_of_one(%p: !girih.pattern) -> !girih.pattern {
  %0 = girih.union %p
  return %0 : !girih.pattern
}

// CHECK-LABEL: func @union_drops_duplicates
// CHECK-SAME: %[[P:.*]]: !girih.pattern, %[[Q:.*]]: !girih.pattern
// CHECK-NEXT: girih.union %[[P]], %[[Q]]{{$}}
func.func @union_drops_duplicates(%p: !girih.pattern, %q: !girih.pattern) -> !girih.pattern {
  %0 = girih.union %p, %q, %p
  return %0 : !girih.pattern
}

// Equal ops count as duplicates before CSE has run.
// CHECK-LABEL: func @union_drops_equal_ops
// CHECK-NEXT: %[[C:.*]] = girih.columns period = 8 lo = 0 hi = 1
// CHECK-NEXT: return %[[C]]
func.func @union_drops_equal_ops() -> !girih.pattern {
  %a = girih.columns period = 8 lo = 0 hi = 1
  %b = girih.columns period = 8 lo = 0 hi = 1
  %0 = girih.union %a, %b
  return %0 : !girih.pattern
}

// CHECK-LABEL: func @union_with_complement
// CHECK: %[[R:.*]] = girih.full
// CHECK-NEXT: return %[[R]]
func.func @union_with_complement(%p: !girih.pattern, %q: !girih.pattern) -> !girih.pattern {
  %not = girih.complement %p
  %0 = girih.union %not, %q, %p
  return %0 : !girih.pattern
}

// CHECK-LABEL: func @intersect_with_empty
// CHECK: %[[R:.*]] = girih.empty
// CHECK-NEXT: return %[[R]]
func.func @intersect_with_empty(%p: !girih.pattern) -> !girih.pattern {
  %none = girih.empty
  %0 = girih.intersect %p, %none
  return %0 : !girih.pattern
}

// CHECK-LABEL: func @intersect_drops_full_and_duplicates
// CHECK-SAME: %[[P:.*]]: !girih.pattern
// CHECK-NEXT: return %[[P]]
func.func @intersect_drops_full_and_duplicates(%p: !girih.pattern) -> !girih.pattern {
  %all = girih.full
  %0 = girih.intersect %all, %p, %p
  return %0 : !girih.pattern
}

// CHECK-LABEL: func @intersect_with_complement
// CHECK: %[[R:.*]] = girih.empty
// CHECK-NEXT: return %[[R]]
func.func @intersect_with_complement(%p: !girih.pattern) -> !girih.pattern {
  %not = girih.complement %p
  %0 = girih.intersect %p, %not
  return %0 : !girih.pattern
}

// CHECK-LABEL: func @subtract_itself
// CHECK: %[[R:.*]] = girih.empty
// CHECK-NEXT: return %[[R]]
func.func @subtract_itself(%p: !girih.pattern) -> !girih.pattern {
  %0 = girih.subtract %p, %p
  return %0 : !girih.pattern
}

// CHECK-LABEL: func @subtract_empty
// CHECK-SAME: %[[P:.*]]: !girih.pattern
// CHECK-NEXT: return %[[P]]
func.func @subtract_empty(%p: !girih.pattern) -> !girih.pattern {
  %none = girih.empty
  %0 = girih.subtract %p, %none
  return %0 : !girih.pattern
}

// CHECK-LABEL: func @subtract_from_empty
// CHECK: %[[R:.*]] = girih.empty
// CHECK-NEXT: return %[[R]]
func.func @subtract_from_empty(%p: !girih.pattern) -> !girih.pattern {
  %none = girih.empty
  %0 = girih.subtract %none, %p
  return %0 : !girih.pattern
}

// CHECK-LABEL: func @subtract_full
// CHECK: %[[R:.*]] = girih.empty
// CHECK-NEXT: return %[[R]]
func.func @subtract_full(%p: !girih.pattern) -> !girih.pattern {
  %all = girih.full
  %0 = girih.subtract %p, %all
  return %0 : !girih.pattern
}

// CHECK-LABEL: func @complement_twice
// CHECK-SAME: %[[P:.*]]: !girih.pattern
// CHECK-NEXT: return %[[P]]
func.func @complement_twice(%p: !girih.pattern) -> !girih.pattern {
  %0 = girih.complement %p
  %1 = girih.complement %0
  return %1 : !girih.pattern
}

// CHECK-LABEL: func @complement_of_constants
// CHECK-DAG: %[[ALL:.*]] = girih.full
// CHECK-DAG: %[[NONE:.*]] = girih.empty
// CHECK: return %[[NONE]], %[[ALL]]
func.func @complement_of_constants() -> (!girih.pattern, !girih.pattern) {
  %all = girih.full
  %none = girih.empty
  %0 = girih.complement %all
  %1 = girih.complement %none
  return %0, %1 : !girih.pattern, !girih.pattern
}

// CHECK-LABEL: func @blockwise_of_full
// CHECK: %[[R:.*]] = girih.full
// CHECK-NEXT: return %[[R]]
func.func @blockwise_of_full() -> !girih.pattern {
  %all = girih.full
  %0 = girih.blockwise %all size = 64
  return %0 : !girih.pattern
}

// CHECK-LABEL: func @blockwise_of_size_one
// CHECK-SAME: %[[P:.*]]: !girih.pattern
// CHECK-NEXT: return %[[P]]
func.func @blockwise_of_size_one(%p: !girih.pattern) -> !girih.pattern {
  %0 = girih.blockwise %p size = 1
  return %0 : !girih.pattern
}

// CHECK-LABEL: func @blockwise_twice
// CHECK-SAME: %[[P:.*]]: !girih.pattern
// CHECK-NEXT: girih.blockwise %[[P]] size = 48
func.func @blockwise_twice(%p: !girih.pattern) -> !girih.pattern {
  %0 = girih.blockwise %p size = 4
  %1 = girih.blockwise %0 size = 12
  return %1 : !girih.pattern
}

// CHECK-LABEL: func @blockwise_twice_too_large
// CHECK: girih.blockwise %{{.*}} size = 1099511627776
// CHECK: girih.blockwise %{{.*}} size = 2
func.func @blockwise_twice_too_large(%p: !girih.pattern) -> !girih.pattern {
  %0 = girih.blockwise %p size = 1099511627776
  %1 = girih.blockwise %0 size = 2
  return %1 : !girih.pattern
}

// CHECK-LABEL: func @constant_predicates
// CHECK-DAG: %[[ALL:.*]] = girih.full
// CHECK-DAG: %[[NONE:.*]] = girih.empty
// CHECK: return %[[ALL]], %[[NONE]]
func.func @constant_predicates() -> (!girih.pattern, !girih.pattern) {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %true = arith.constant true
    girih.yield %true : i1
  }
  %1 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %c = arith.cmpi slt, %q, %q : index
    girih.yield %c : i1
  }
  return %0, %1 : !girih.pattern, !girih.pattern
}

// CHECK-LABEL: func @constant_sets
// CHECK-DAG: %[[ALL:.*]] = girih.full
// CHECK-DAG: %[[NONE:.*]] = girih.empty
// CHECK: return %[[ALL]], %[[NONE]], %[[NONE]]
func.func @constant_sets() -> (!girih.pattern, !girih.pattern, !girih.pattern) {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (0 == 0, 3 >= 0)>
  %1 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0, -1 >= 0)>
  %2 = girih.where affine_set<()[b, h, q, k, nq, nk, n] : (h * q >= 0, 1 == 0)>
  return %0, %1, %2 : !girih.pattern, !girih.pattern, !girih.pattern
}
