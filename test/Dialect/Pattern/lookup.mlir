// Lookups, and the terms that they become, survive printing and parsing: as text, in generic form
// and as bytecode.
// RUN: girih-opt %s | girih-opt | FileCheck %s
// RUN: girih-opt %s -mlir-print-op-generic | girih-opt | FileCheck %s
// RUN: girih-opt %s -emit-bytecode | girih-opt | FileCheck %s

// CHECK-DAG: #[[$C0:.*]] = affine_map<()[s0, s1, s2, s3, s4, s5, s6] -> (s1, s3)>
// CHECK-DAG: #[[$C1:.*]] = affine_map<()[s0, s1, s2, s3, s4, s5, s6] -> (s2 - 5, 0)>
// CHECK-DAG: #[[$C2:.*]] = affine_map<()[s0, s1, s2, s3, s4, s5, s6, s7] -> (s7)>
// CHECK-DAG: #[[$C3:.*]] = affine_set<(d0, d1, d2, d3)[s0, s1, s2, s3] : (-d3 + s3 >= 0)>

// CHECK-LABEL: func @in_predicate(
// CHECK-SAME: %[[IDS:.*]]: tensor<?x?xi32>, %[[NEXT:.*]]: tensor<?xi32>)
func.func @in_predicate(%ids: tensor<?x?xi32>, %next: tensor<?xi32>) -> !girih.pattern {
  // CHECK: girih.predicate (%[[B:.*]], %{{.*}}, %[[Q:.*]], %{{.*}}, %{{.*}}, %{{.*}}) tables(%[[T:.*]] = %[[IDS]] : tensor<?x?xi32>, %[[U:.*]] = %[[NEXT]] : tensor<?xi32>) {
  %p = girih.predicate (%b, %h, %q, %k, %nq, %nk) tables(%t = %ids : tensor<?x?xi32>, %u = %next : tensor<?xi32>) {
    // CHECK-NEXT: %[[ID:.*]] = girih.lookup %[[T]][%[[B]], %[[Q]]] : tensor<?x?xi32>
    %id = girih.lookup %t[%b, %q] : tensor<?x?xi32>
    // CHECK-NEXT: girih.lookup %[[U]][%[[ID]]] : tensor<?xi32>
    %after = girih.lookup %u[%id] : tensor<?xi32>
    %same = arith.cmpi eq, %after, %k : index
    girih.yield %same : i1
  }
  return %p : !girih.pattern
}

// CHECK-LABEL: func @in_score(
// CHECK-SAME: %[[BIAS:[^:]*]]: tensor<?x?xf32>)
func.func @in_score(%q: tensor<?x8x?x64xf32>, %bias: tensor<?x?xf32>) -> (tensor<?x8x?x64xf32>, tensor<?x8x?xf32>) {
  %all = girih.full
  // CHECK: %[[READ:.*]] = girih.term_lookup %[[BIAS]] at #[[$C0]] : tensor<?x?xf32>
  %read = girih.term_lookup %bias at affine_map<()[b, h, q, k, nq, nk, n] -> (h, k)> : tensor<?x?xf32>
  // CHECK: girih.attention {{.*}} reads(%[[READ]]) score {
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%all) reads(%read) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    // CHECK: girih.lookup %[[BIAS]][%{{.*}}, %{{.*}}] : tensor<?x?xf32>
    %x = girih.lookup %bias[%h, %j] : tensor<?x?xf32>
    %y = arith.addf %s, %x : f32
    girih.yield %y : f32
  } : tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return %o, %lse : tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
}

// CHECK-LABEL: func @terms(
func.func @terms(%ids: tensor<?xi32>) -> !girih.pattern {
  // CHECK: %[[M:.*]] = girih.term_extremum max #[[$C1]]
  %m = girih.term_extremum max affine_map<()[b, h, q, k, nq, nk, n] -> (q - 5, 0)>
  // CHECK: %[[X:.*]] = girih.term_lookup %{{.*}} at #[[$C2]] terms(%[[M]]) : tensor<?xi32>
  %x = girih.term_lookup %ids at affine_map<()[b, h, q, k, nq, nk, n, m] -> (m)> terms(%m) : tensor<?xi32>
  // CHECK: girih.where #[[$C3]] terms(%[[X]])
  %p = girih.where affine_set<(b, h, q, k)[nq, nk, n, x] : (x - k >= 0)> terms(%x)
  return %p : !girih.pattern
}

// Sets merge with the terms of both, a term that both name once.
// RUN: girih-opt %s --girih-simplify-patterns | FileCheck %s --check-prefix=MERGE
// MERGE-DAG: #[[$M0:.*]] = affine_map<()[s0, s1, s2, s3, s4, s5, s6] -> (s2)>
// MERGE-DAG: #[[$M1:.*]] = affine_map<()[s0, s1, s2, s3, s4, s5, s6] -> (s3)>
// MERGE-DAG: #[[$M2:.*]] = affine_set<(d0, d1, d2, d3)[s0, s1, s2, s3, s4] : (s3 - s4 == 0, -d0 + s4 >= 0)>
// MERGE-LABEL: func @merged_sets(
// MERGE-DAG: %[[X:.*]] = girih.term_lookup %{{.*}} at #[[$M0]]
// MERGE-DAG: %[[Y:.*]] = girih.term_lookup %{{.*}} at #[[$M1]]
// MERGE: girih.where #[[$M2]] terms(%[[X]], %[[Y]])
func.func @merged_sets(%ids: tensor<?xi32>) -> !girih.pattern {
  %x = girih.term_lookup %ids at affine_map<()[b, h, q, k, nq, nk, n] -> (q)> : tensor<?xi32>
  %y = girih.term_lookup %ids at affine_map<()[b, h, q, k, nq, nk, n] -> (k)> : tensor<?xi32>
  %same = girih.where affine_set<(b, h, q, k)[nq, nk, n, x, y] : (x - y == 0)> terms(%x, %y)
  %large = girih.where affine_set<(b, h, q, k)[nq, nk, n, y] : (y - b >= 0)> terms(%y)
  %both = girih.intersect %same, %large
  return %both : !girih.pattern
}
