// A tile kernel of one task becomes a program of two roles for all tasks of a block.
// DEFINE: %{layouts} = --girih-convert-attention-to-tile=girih-tensor-cores --cse --girih-assign-layouts
// RUN: girih-opt %s %{layouts} --girih-convert-tile-to-ws | FileCheck %s --check-prefixes=CHECK,TWO
// RUN: girih-opt %s %{layouts} --girih-convert-tile-to-ws=girih-query-stages=1 | FileCheck %s --check-prefixes=CHECK,ONE
//
// Twice is once: a program has no task.
// RUN: girih-opt %s %{layouts} --girih-convert-tile-to-ws > %t.once
// RUN: girih-opt %t.once --girih-convert-tile-to-ws | diff %t.once -
//
// Nothing of the kernel is left beside the roles.
// RUN: girih-opt %s %{layouts} --girih-convert-tile-to-ws | FileCheck %s --check-prefix=GONE
// GONE-NOT: {{girih_tile\.(task|load|store)|girih\.for_blocks}}

// A channel for each tensor; the queries of two tasks where they fit.
// CHECK-LABEL: func.func @grouped_heads(
// CHECK-SAME: %[[Q:.*]]: tensor<?x8x?x64xbf16>, %[[K:.*]]: tensor<?x2x?x64xbf16>, %[[V:.*]]: tensor<?x2x?x96xbf16>, %{{.*}}: f32, %[[MAP:.*]]: !girih.block_map, %[[O:.*]]: memref<?x8x?x96xbf16>, %[[L:.*]]: memref<?x8x?xf32>)
// TWO: %[[QS:.*]] = girih_ws.make_channel : <tensor<128x64xbf16, #girih_ws.layout<shared_k>>, 2>
// ONE: %[[QS:.*]] = girih_ws.make_channel : <tensor<128x64xbf16, #girih_ws.layout<shared_k>>, 1>
// CHECK: %[[KS:.*]] = girih_ws.make_channel : <tensor<32x64xbf16, #girih_ws.layout<shared_k>>, 2>
// CHECK: %[[VS:.*]] = girih_ws.make_channel : <tensor<32x96xbf16, #girih_ws.layout<shared_mn>>, 2>
// The first item of a task brings its queries, behind the keys. Heads of keys and
// values come with the item.
// CHECK: girih_ws.role load warpgroups 1
// CHECK-NEXT: girih_ws.for_items of %[[MAP]] first {
// CHECK-NEXT: } rest {
// CHECK: ^bb0(%[[B:[a-z0-9]+]]: index, %[[H:[a-z0-9]+]]: index, %[[G:[a-z0-9]+]]: index, %[[I:[a-z0-9]+]]: index, %[[J:[a-z0-9]+]]: index, %{{[a-z0-9]+}}: index, %[[FIRST:[a-z0-9]+]]: i1,
// CHECK: %[[KEY:.*]] = arith.muli %[[J]],
// CHECK: girih_ws.put %[[KS]], %[[K]][%[[B]], %[[G]], %[[KEY]]] :
// CHECK: %[[ROW:.*]] = arith.muli %[[I]],
// CHECK: girih_ws.put %[[QS]], %[[Q]][%[[B]], %[[H]], %[[ROW]]] when %[[FIRST]] :
// CHECK: girih_ws.put %[[VS]], %[[V]][%[[B]], %[[G]], %{{.*}}] :
// CHECK-NEXT: girih.yield
// A warpgroup for every 64 rows. What is carried begins anew at the first item.
// CHECK: girih_ws.role compute warpgroups 2
// CHECK: girih_ws.for_items of %[[MAP]] init(%[[ZERO:.*]], %[[MIN:.*]], %{{.*}} : {{.*}}) first {
// CHECK-NEXT: } rest {
// CHECK: ^bb0(%[[B:[a-z0-9]+]]: index, %[[H:[a-z0-9]+]]: index, {{.*}} %[[SLOT:[a-z0-9]+]]: index, %[[FIRST:[a-z0-9]+]]: i1, %[[LAST:[a-z0-9]+]]: i1, %[[PARTIAL:[a-z0-9]+]]: i1, %[[OUT:[a-z0-9]+]]: tensor<128x96xf32, {{.*}}>, %[[MAX:[a-z0-9]+]]: tensor<128xf32, {{.*}}>
// CHECK-NEXT: arith.select %[[FIRST]], %[[ZERO]], %[[OUT]]
// CHECK-NEXT: arith.select %[[FIRST]], %[[MIN]], %[[MAX]]
// CHECK: %[[QT:.*]] = girih_ws.get %[[QS]] when %[[FIRST]]
// CHECK: %[[KT:.*]] = girih_ws.get %[[KS]] :
// CHECK: girih_tile.dot %[[QT]], %[[KT]] transposed
// Tiles go back behind the product that reads them last.
// CHECK-NEXT: girih_ws.release %[[KS]] :
// CHECK-NEXT: girih_ws.release %[[QS]] when %[[LAST]]
// CHECK: girih_tile.mask {{.*}} when %[[PARTIAL]]
// CHECK: %[[VT:.*]] = girih_ws.get %[[VS]] :
// CHECK: %[[SUM:.*]] = girih_tile.dot %{{.*}}, %[[VT]] acc
// CHECK-NEXT: girih_ws.release %[[VS]] :
// What stood behind the loop of the kernel is done at the last item.
// CHECK-NEXT: scf.if %[[LAST]] {
// CHECK: girih_ws.store %{{.*}}, %[[O]][%[[B]], %[[H]], %[[AT:.*]]] slot %[[SLOT]]
// CHECK: girih_ws.store %{{.*}}, %[[L]][%[[B]], %[[H]], %[[AT]]] slot %[[SLOT]]
// CHECK-NEXT: }
// CHECK-NEXT: girih.yield %[[SUM]],
func.func @grouped_heads(%q: tensor<?x8x?x64xbf16>, %k: tensor<?x2x?x64xbf16>, %v: tensor<?x2x?x96xbf16>, %s: f32,
                         %map: !girih.block_map) -> (tensor<?x8x?x96xbf16>, tensor<?x8x?xf32>) {
  %p = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0)>
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) map(%map) tile [128, 32]
      : tensor<?x8x?x64xbf16>, tensor<?x2x?x64xbf16>, tensor<?x2x?x96xbf16> -> tensor<?x8x?x96xbf16>, tensor<?x8x?xf32>
  return %o, %lse : tensor<?x8x?x96xbf16>, tensor<?x8x?xf32>
}

// Queries of one task only, where shared memory has no room for two.
// CHECK-LABEL: func.func @wide_heads(
// CHECK: girih_ws.make_channel : <tensor<128x256xbf16, #girih_ws.layout<shared_k>>, 1>
// CHECK: girih_ws.make_channel : <tensor<80x256xbf16, #girih_ws.layout<shared_k>>, 2>
func.func @wide_heads(%q: tensor<?x?x?x256xbf16>, %k: tensor<?x?x?x256xbf16>, %v: tensor<?x?x?x256xbf16>, %s: f32,
                      %map: !girih.block_map) -> (tensor<?x?x?x256xbf16>, tensor<?x?x?xf32>) {
  %p = girih.full
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) map(%map) tile [128, 80]
      : tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16> -> tensor<?x?x?x256xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x256xbf16>, tensor<?x?x?xf32>
}

// Three warpgroups have fewer registers each.
// CHECK-LABEL: func.func @three_warpgroups(
// CHECK: girih_ws.role compute warpgroups 3 registers 160
func.func @three_warpgroups(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>, %s: f32,
                            %map: !girih.block_map) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  %p = girih.full
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) map(%map) tile [192, 128]
      : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

// CHECK-LABEL: func.func @leaves_without_task(
// CHECK-NEXT: return
func.func @leaves_without_task() {
  return
}
