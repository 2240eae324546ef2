// The second product of an item overlaps the first of the next one, through tasks.
// DEFINE: %{ws} = --girih-convert-attention-to-tile=girih-tensor-cores --cse --girih-assign-layouts --girih-convert-tile-to-ws --cse --girih-ws-async-dot
// RUN: girih-opt %s %{ws} --girih-ws-pipeline | FileCheck %s
//
// Twice is once: a loop with a first region is pipelined.
// RUN: girih-opt %s %{ws} --girih-ws-pipeline > %t.once
// RUN: girih-opt %t.once --girih-ws-pipeline | diff %t.once -

// The load role stays as it is.
// CHECK-LABEL: func.func @attention(
// CHECK: %[[Q:.*]] = girih_ws.make_channel : <tensor<128x64xbf16,
// CHECK: %[[K:.*]] = girih_ws.make_channel : <tensor<32x64xbf16, #girih_ws.layout<shared_k>>
// CHECK: %[[V:.*]] = girih_ws.make_channel : <tensor<32x64xbf16, #girih_ws.layout<shared_mn>>
// CHECK: girih_ws.role load
// CHECK-NEXT: girih_ws.for_items of %{{.*}} first {
// CHECK-NEXT: } rest {
// CHECK: girih_ws.role compute
// The very first item has its first product alone, and no values.
// CHECK: %[[END:.*]]:{{[0-9]+}} = girih_ws.for_items of %{{.*}} first {
// CHECK: girih_ws.get %[[K]]
// CHECK: girih_ws.dot_async
// CHECK-NEXT: girih_ws.wait %{{.*}} pending 0
// CHECK-NEXT: girih_ws.release %[[K]]
// CHECK-NOT: girih_ws.get %[[V]]
// CHECK: girih_ws.pack
// CHECK: girih.yield
// CHECK: } rest {
// CHECK: ^bb0({{.*}}%[[FIRST:[a-z0-9]+]]: i1, %[[LAST:[a-z0-9]+]]: i1, %{{[a-z0-9]+}}: i1, %[[P:[a-z0-9]+]]: tensor<128x32xbf16, {{.*}}>, %[[O:[a-z0-9]+]]: tensor<128x64xf32, {{.*}}>, %[[FRESH:[a-z0-9]+]]: i1,
// Both products are in flight together; a wait for one leaves the other.
// CHECK: girih_ws.get %[[Q]] when %[[FIRST]]
// CHECK: girih_ws.get %[[K]]
// CHECK: %[[S:.*]] = girih_ws.dot_async
// CHECK-NEXT: %[[VALUES:.*]] = girih_ws.get %[[V]]
// CHECK-NEXT: %[[OUT:.*]] = girih_ws.dot_async %[[P]], %[[VALUES]] acc(%[[O]] : {{.*}}) fresh %[[FRESH]]
// CHECK-NEXT: girih_ws.wait %[[S]] pending 1
// CHECK-NEXT: girih_ws.release %[[K]]
// CHECK-NEXT: girih_ws.release %[[Q]] when %[[LAST]]
// At the first item of a task the task before is over: its output is stored.
// CHECK-NEXT: scf.if %[[FIRST]] {
// CHECK-NEXT: girih_ws.wait %[[OUT]] pending 0
// CHECK: girih_ws.store
// CHECK: girih_ws.store
// CHECK: }
// The softmax is done before the second product has to be; then the operand is
// packed, whose registers that product needed.
// CHECK: math.exp2 {{.*}} : tensor<128x32xf32
// CHECK: %[[SUM:.*]] = girih_ws.wait %[[OUT]] pending 0
// CHECK-NEXT: girih_ws.release %[[V]]
// CHECK: arith.mulf %[[SUM]]
// CHECK: %[[NEXT:.*]] = girih_ws.pack
// CHECK-NEXT: girih.yield %[[NEXT]], %{{.*}}, %[[FIRST]],
// The last item's second product and the last task's output stand behind the loop.
// CHECK: %[[TAIL:.*]] = girih_ws.get %[[V]]
// CHECK-NEXT: girih_ws.dot_async %[[END]]#0, %[[TAIL]] acc(%[[END]]#1 : {{.*}}) fresh %[[END]]#2
// CHECK-NEXT: girih_ws.wait %{{.*}} pending 0
// CHECK-NEXT: girih_ws.release %[[V]]
// CHECK: girih_ws.store
// CHECK: girih_ws.store
func.func @attention(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>, %s: f32,
                     %map: !girih.block_map) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  %p = girih.full
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) map(%map) tile [128, 32]
      : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

!acc = tensor<64x64xf32, #girih_ws.layout<accumulator>>
!tile = tensor<64x64xbf16, #girih_ws.layout<shared_k>>

// One product an item has nothing to overlap.
// CHECK-LABEL: func.func @leaves_one_product(
// CHECK: girih_ws.for_items of %{{.*}} first {
// CHECK-NEXT: } rest {
// CHECK: girih_ws.dot_async
// CHECK-NEXT: girih_ws.wait %{{.*}} pending 0
func.func @leaves_one_product(%map: !girih.block_map, %q: !tile, %k: !tile) {
  girih_ws.role compute warpgroups 1 registers 232 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      %t = girih_ws.dot_async %q, %k : !tile, !tile -> !girih_ws.token<!acc>
      %x = girih_ws.wait %t pending 0 : !girih_ws.token<!acc> -> !acc
      girih.yield
    }
  }
  return
}
