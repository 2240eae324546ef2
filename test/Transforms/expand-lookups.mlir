// Lookups become terms that sets name; minima and maxima stay within an index.
// RUN: girih-opt %s --girih-expand-named-patterns | %python %S/Inputs/inline-sets.py | FileCheck %s
//
// Twice is once.
// RUN: girih-opt %s --girih-expand-named-patterns > %t.once
// RUN: girih-opt %t.once --girih-expand-named-patterns | diff %t.once -

// CHECK-LABEL: func.func @documents(
// CHECK-SAME: %[[IDS:.*]]: tensor<?x?xi32>)
// CHECK-NEXT: %[[X:.*]] = girih.term_lookup %[[IDS]] at symbols {b, q} : tensor<?x?xi32>
// CHECK-NEXT: %[[Y:.*]] = girih.term_lookup %[[IDS]] at symbols {b, k} : tensor<?x?xi32>
// CHECK-NEXT: %[[P:.*]] = girih.where {x0 - x1 == 0} terms(%[[X]], %[[Y]])
// CHECK-NEXT: return %[[P]]
func.func @documents(%ids: tensor<?x?xi32>) -> !girih.pattern {
  %p = girih.predicate (%b, %h, %q, %k, %nq, %nk) tables(%t = %ids : tensor<?x?xi32>) {
    %x = girih.lookup %t[%b, %q] : tensor<?x?xi32>
    %y = girih.lookup %t[%b, %k] : tensor<?x?xi32>
    %same = arith.cmpi eq, %x, %y : index
    girih.yield %same : i1
  }
  return %p : !girih.pattern
}

// CHECK-LABEL: func.func @clamped(
// CHECK-NEXT: %[[C:.*]] = girih.term_extremum max symbols {q - k, 0}
// CHECK-NEXT: %[[X:.*]] = girih.term_lookup %{{.*}} at symbols {x0} terms(%[[C]]) : tensor<?xi32>
// CHECK-NEXT: %[[Y:.*]] = girih.term_lookup %{{.*}} at symbols {x0} terms(%[[X]]) : tensor<?xi32>
// CHECK-NEXT: girih.where {-k + x0 >= 0} terms(%[[Y]])
func.func @clamped(%table: tensor<?xi32>) -> !girih.pattern {
  %p = girih.predicate (%b, %h, %q, %k, %nq, %nk) tables(%t = %table : tensor<?xi32>) {
    %zero = arith.constant 0 : index
    %d = arith.subi %q, %k : index
    %c = arith.maxsi %d, %zero : index
    %x = girih.lookup %t[%c] : tensor<?xi32>
    %y = girih.lookup %t[%x] : tensor<?xi32>
    %p = arith.cmpi sge, %y, %k : index
    girih.yield %p : i1
  }
  return %p : !girih.pattern
}

// Inside of blocks, indices count blocks.
// CHECK-LABEL: func.func @blocks(
// CHECK-NEXT: %[[X:.*]] = girih.term_lookup %{{.*}} at symbols {q floordiv 64, k floordiv 64} : tensor<?x?xi32>
// CHECK-NEXT: girih.where {x0 == 0} terms(%[[X]])
func.func @blocks(%table: tensor<?x?xi32>) -> !girih.pattern {
  %x = girih.term_lookup %table at affine_map<()[b, h, q, k, nq, nk, n] -> (q, k)> : tensor<?x?xi32>
  %none = girih.where affine_set<(b, h, q, k)[nq, nk, n, x] : (x == 0)> terms(%x)
  %p = girih.blockwise %none size = 64
  return %p : !girih.pattern
}

// What a score function looks up is found for the launch to prove.
// CHECK-LABEL: func.func @score(
// CHECK-SAME: %[[BIAS:[^:]*]]: tensor<?x?xf32>, %[[MAP:.*]]: tensor<?xi32>)
// CHECK-DAG: %[[M:.*]] = girih.term_lookup %[[MAP]] at symbols {nk - k - 1} : tensor<?xi32>
// CHECK-DAG: %[[R:.*]] = girih.term_lookup %[[BIAS]] at symbols {h, x0} terms(%[[M]]) : tensor<?x?xf32>
// CHECK: girih.attention {{.*}} reads(%[[M]], %[[R]]) score {
func.func @score(%q: tensor<?x8x?x64xf32>, %bias: tensor<?x?xf32>, %map: tensor<?xi32>)
    -> (tensor<?x8x?x64xf32>, tensor<?x8x?xf32>) {
  %all = girih.full
  %two = arith.constant 2 : index
  %nk = tensor.dim %q, %two : tensor<?x8x?x64xf32>
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%all) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %one = arith.constant 1 : index
    %from_end = arith.subi %nk, %j : index
    %last = arith.subi %from_end, %one : index
    %m = girih.lookup %map[%last] : tensor<?xi32>
    %x = girih.lookup %bias[%h, %m] : tensor<?x?xf32>
    // Not of an index, so that it may be anything.
    %odd = arith.andi %j, %one : index
    %int = arith.index_cast %odd : index to i64
    %float = arith.sitofp %int : i64 to f32
    %z = arith.addf %x, %float : f32
    %y = arith.addf %s, %z : f32
    girih.yield %y : f32
  } : tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return %o, %lse : tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
}
