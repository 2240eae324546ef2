// Attention, block maps and block loops survive printing and parsing: as text, in generic form and as bytecode.
// RUN: girih-opt %s | girih-opt | FileCheck %s
// RUN: girih-opt %s -mlir-print-op-generic | girih-opt | FileCheck %s
// RUN: girih-opt %s -emit-bytecode | girih-opt | FileCheck %s

#late = affine_set<(b, h, q)[nq, nk, n] : (q - 64 >= 0)>

// CHECK-LABEL: func @attention
// CHECK-SAME: %[[Q:.*]]: tensor<?x8x?x64xbf16>, %[[K:.*]]: tensor<?x2x?x64xbf16>, %[[V:.*]]: tensor<?x2x?x80xbf16>, %[[P:.*]]: !girih.pattern, %[[S:.*]]: f32
func.func @attention(%q: tensor<?x8x?x64xbf16>, %k: tensor<?x2x?x64xbf16>, %v: tensor<?x2x?x80xbf16>,
                     %p: !girih.pattern, %s: f32) {
  // CHECK: girih.attention q(%[[Q]]) k(%[[K]]) v(%[[V]]) pattern(%[[P]]) : tensor<?x8x?x64xbf16>, tensor<?x2x?x64xbf16>, tensor<?x2x?x80xbf16> -> tensor<?x8x?x80xf32>, tensor<?x8x?xf32>
  %o0, %l0 = girih.attention q(%q) k(%k) v(%v) pattern(%p)
      : tensor<?x8x?x64xbf16>, tensor<?x2x?x64xbf16>, tensor<?x2x?x80xbf16> -> tensor<?x8x?x80xf32>, tensor<?x8x?xf32>
  // CHECK: girih.attention q(%[[Q]]) k(%[[K]]) v(%[[V]]) pattern(%[[P]]) scale(%[[S]]) align top_left tile [64, 32] :
  %o1, %l1 = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) align top_left tile [64, 32]
      : tensor<?x8x?x64xbf16>, tensor<?x2x?x64xbf16>, tensor<?x2x?x80xbf16> -> tensor<?x8x?x80xf32>, tensor<?x8x?xf32>
  return
}

// CHECK-LABEL: func @score
func.func @score(%q: tensor<1x1x?x8xf32>, %p: !girih.pattern) {
  // CHECK: girih.attention {{.*}} score {
  // CHECK-NEXT: ^bb0(%[[X:.*]]: f32, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index):
  // CHECK-NEXT: %[[Y:.*]] = arith.addf %[[X]], %[[X]] : f32
  // CHECK-NEXT: girih.yield %[[Y]] : f32
  // CHECK-NEXT: } : tensor<1x1x?x8xf32>
  %o, %l = girih.attention q(%q) k(%q) v(%q) pattern(%p) score {
  ^bb0(%x: f32, %b: index, %h: index, %i: index, %j: index):
    %y = arith.addf %x, %x : f32
    girih.yield %y : f32
  } : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>, tensor<1x1x?xf32>
  return
}

// CHECK-LABEL: func @block_maps
// CHECK-SAME: %[[P:.*]]: !girih.pattern
func.func @block_maps(%p: !girih.pattern) {
  // CHECK-NEXT: girih.block_map %[[P]] tile [64, 32] provider table{{$}}
  %0 = girih.block_map %p tile [64, 32] provider table
  // CHECK-NEXT: girih.block_map %[[P]] tile [64, 32] provider csr q_view #[[$VIEW:.*]] k_view #[[$VIEW]]
  %1 = girih.block_map %p tile [64, 32] provider csr q_view affine_map<(d0) -> (d0)> k_view affine_map<(d0) -> (d0)>
  // CHECK-NEXT: girih.block_map %[[P]] tile [64, 32] provider ranges ranges [#girih.range<lower = #[[$LOWER:.*]], upper = #[[$UPPER:.*]]>, #girih.range<lower = #[[$LOWER]], upper = #[[$UPPER]], guard = "(d0, d1, d2)[s0, s1, s2] : (d2 - 64 >= 0)">]
  %2 = girih.block_map %p tile [64, 32] provider ranges ranges [
      #girih.range<lower = affine_map<(b, h, q)[nq, nk, n] -> (0, q - 3)>, upper = affine_map<(b, h, q)[nq, nk, n] -> (q)>>,
      #girih.range<lower = affine_map<(b, h, q)[nq, nk, n] -> (0, q - 3)>, upper = affine_map<(b, h, q)[nq, nk, n] -> (q)>, guard = #late>]
  // CHECK-NEXT: girih.block_map %[[P]] tile [64, 32] provider ranges ranges []
  %3 = girih.block_map %p tile [64, 32] provider ranges ranges []
  return
}

// CHECK-LABEL: func @for_blocks
// CHECK-SAME: %[[MAP:.*]]: !girih.block_map, %[[B:.*]]: index, %[[H:.*]]: index, %[[I:.*]]: index, %[[X:.*]]: f32
func.func @for_blocks(%map: !girih.block_map, %b: index, %h: index, %i: index, %x: f32) -> (index, f32) {
  // CHECK: girih.for_blocks (%{{.*}}, %{{.*}}) of %[[MAP]][%[[B]], %[[H]], %[[I]]] {
  // CHECK-NEXT: girih.yield
  // CHECK-NEXT: }
  girih.for_blocks (%j, %partial) of %map[%b, %h, %i] {
    girih.yield
  }
  // CHECK: %[[R:.*]]:2 = girih.for_blocks (%[[J:.*]], %[[PARTIAL:.*]]) of %[[MAP]][%[[B]], %[[H]], %[[I]]] iter_args(%{{.*}} = %[[I]], %[[F:.*]] = %[[X]]) -> (index, f32) {
  // CHECK-NEXT: girih.yield %[[J]], %[[F]] : index, f32
  // CHECK-NEXT: } {order = "ascending"}
  %r:2 = girih.for_blocks (%j, %partial) of %map[%b, %h, %i] iter_args(%n = %i, %f = %x) -> (index, f32) {
    girih.yield %j, %f : index, f32
  } {order = "ascending"}
  // CHECK: return %[[R]]#0, %[[R]]#1
  return %r#0, %r#1 : index, f32
}
