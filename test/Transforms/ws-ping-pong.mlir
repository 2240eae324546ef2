// The products that an item starts are one turn of its warpgroup.
// DEFINE: %{ws} = --girih-convert-attention-to-tile=girih-tensor-cores --cse --girih-assign-layouts --girih-convert-tile-to-ws --cse --girih-ws-async-dot
// RUN: girih-opt %s %{ws} --girih-ws-pipeline --girih-ws-ping-pong | FileCheck %s
//
// Twice is once.
// RUN: girih-opt %s %{ws} --girih-ws-pipeline --girih-ws-ping-pong > %t.once
// RUN: girih-opt %t.once --girih-ws-ping-pong | diff %t.once -
//
// A loop that is not pipelined is left alone.
// RUN: girih-opt %s %{ws} > %t.serial
// RUN: girih-opt %t.serial --girih-ws-ping-pong | diff %t.serial -

// The turn begins with the first product and ends with the start of the last; waits
// are outside of it.
// CHECK-LABEL: func.func @two_warpgroups(
// CHECK: girih_ws.role compute warpgroups 2
// CHECK: girih_ws.for_items of %{{.*}} first {
// CHECK-NOT: girih_ws.turn
// CHECK: } rest {
// CHECK: %[[TURN:.*]]:2 = girih_ws.turn {
// CHECK-NEXT: %[[S:.*]] = girih_ws.dot_async
// CHECK-NEXT: girih_ws.get
// CHECK-NEXT: %[[O:.*]] = girih_ws.dot_async
// CHECK-NEXT: girih.yield %[[S]], %[[O]]
// CHECK-NEXT: } -> !girih_ws.token<{{.*}}>, !girih_ws.token<{{.*}}>
// CHECK-NEXT: girih_ws.wait %[[TURN]]#0 pending 1
// CHECK: scf.if
// CHECK-NEXT: girih_ws.wait %[[TURN]]#1 pending 0
// CHECK: girih_ws.wait %[[TURN]]#1 pending 0
// CHECK-NOT: girih_ws.turn
func.func @two_warpgroups(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>, %s: f32,
                          %map: !girih.block_map) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  %p = girih.full
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) map(%map) tile [128, 32]
      : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

// CHECK-LABEL: func.func @leaves_one_warpgroup(
// CHECK: girih_ws.role compute warpgroups 1
// CHECK-NOT: girih_ws.turn
func.func @leaves_one_warpgroup(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>, %s: f32,
                                %map: !girih.block_map) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  %p = girih.full
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) map(%map) tile [64, 32]
      : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}
