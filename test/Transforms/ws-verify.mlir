// Programs of the pipeline neither hang nor race, before they are pipelined and after.
// DEFINE: %{ws} = --girih-convert-attention-to-tile=girih-tensor-cores --cse --girih-assign-layouts --girih-convert-tile-to-ws --cse --girih-ws-async-dot
//
// The pass leaves functions as they are, those without roles too.
// RUN: girih-opt %s %{ws} > %t.serial
// RUN: girih-opt %t.serial --girih-ws-verify | diff %t.serial -
// RUN: girih-opt %s %{ws} --girih-ws-early-masks --girih-ws-pipeline > %t.pipelined
// RUN: girih-opt %t.pipelined --girih-ws-verify | diff %t.pipelined -
// RUN: girih-opt %t.pipelined --girih-ws-ping-pong > %t.turns
// RUN: girih-opt %t.turns --girih-ws-verify | diff %t.turns -
//
// These are programs of all kinds: one to three warpgroups, with masks and without.
// RUN: FileCheck %s --input-file=%t.turns
// CHECK-LABEL: func.func @one_warpgroup(
// CHECK: girih_ws.role compute warpgroups 1
// CHECK-LABEL: func.func @two_warpgroups(
// CHECK: girih_ws.role compute warpgroups 2
// CHECK: girih_ws.keep
// CHECK-LABEL: func.func @three_warpgroups(
// CHECK: girih_ws.role compute warpgroups 3
// CHECK: girih_ws.turn
// CHECK-LABEL: func.func @without_roles(

func.func @one_warpgroup(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>, %s: f32,
                         %map: !girih.block_map) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  %p = girih.full
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) map(%map) tile [64, 64]
      : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

func.func @two_warpgroups(%q: tensor<?x?x?x128xf16>, %k: tensor<?x?x?x128xf16>, %v: tensor<?x?x?x128xf16>, %s: f32,
                          %map: !girih.block_map) -> (tensor<?x?x?x128xf16>, tensor<?x?x?xf32>) {
  %p = girih.random_blocks size = 64 count = 3 seed = 0
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) map(%map) tile [128, 128]
      : tensor<?x?x?x128xf16>, tensor<?x?x?x128xf16>, tensor<?x?x?x128xf16> -> tensor<?x?x?x128xf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x128xf16>, tensor<?x?x?xf32>
}

func.func @three_warpgroups(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>, %s: f32,
                            %map: !girih.block_map) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  %p = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0)>
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) map(%map) tile [192, 128]
      : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

func.func @without_roles() {
  return
}
