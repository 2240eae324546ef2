// girih-to-ws goes from the pattern to a warp-specialised program that is checked; girih-to-hopper on to LLVM.
// DEFINE: %{run} = girih-opt %s --pass-pipeline
// RUN: %{run}='builtin.module(girih-to-ws)' | FileCheck %s
// RUN: %{run}='builtin.module(girih-to-ws{tile-q=192 tile-k=128})' | FileCheck %s --check-prefix=TILES
// RUN: %{run}='builtin.module(girih-to-hopper)' | FileCheck %s --check-prefix=HOPPER
//
// A stage is the one before it and more. Items are looped over before the loop is
// pipelined, so that the pipeline runs through tasks.
// DEFINE: %{tile} = --girih-expand-named-patterns --girih-simplify-patterns --cse --girih-choose-tiling --girih-build-block-maps --girih-convert-attention-to-tile=girih-tensor-cores --cse
// DEFINE: %{program} = --girih-expand-score-math --girih-assign-layouts --girih-convert-tile-to-ws --cse --girih-ws-async-dot
// DEFINE: %{schedule} = --girih-ws-early-masks --girih-ws-pipeline --girih-ws-ping-pong --girih-ws-verify
// RUN: girih-opt %s %{tile} %{program} %{schedule} > %t.steps
// RUN: %{run}='builtin.module(girih-to-ws)' | diff %t.steps -

// CHECK-LABEL: func.func @mistral(
// CHECK-NOT: girih_tile.dot
// CHECK: girih_ws.role load
// CHECK: girih_ws.put
// CHECK: girih_ws.role compute
// CHECK: girih_ws.dot_async
// CHECK: girih_tile.mask
// CHECK: girih_ws.store
// CHECK-NOT: girih_tile.dot

// TILES-LABEL: func.func @mistral(
// TILES: girih_ws.make_channel : <tensor<192x64xbf16,
// TILES: girih_ws.make_channel : <tensor<128x64xbf16,
// TILES: girih_ws.role compute warpgroups 3
// TILES: girih_ws.turn

// HOPPER-LABEL: llvm.func @mistral(
// HOPPER-NOT: {{girih_ws|girih_tile|arith\.|builtin.unrealized}}
// HOPPER: llvm.func @mistral_merge(
func.func @mistral(%q: tensor<?x8x?x64xbf16>, %k: tensor<?x2x?x64xbf16>, %v: tensor<?x2x?x64xbf16>, %scale: f32)
    -> (tensor<?x8x?x64xbf16>, tensor<?x8x?xf32>) {
  %causal = girih.causal
  %window = girih.window left = 4095
  %both = girih.intersect %causal, %window
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%both) scale(%scale)
      : tensor<?x8x?x64xbf16>, tensor<?x2x?x64xbf16>, tensor<?x2x?x64xbf16> -> tensor<?x8x?x64xbf16>, tensor<?x8x?xf32>
  return %o, %lse : tensor<?x8x?x64xbf16>, tensor<?x8x?xf32>
}
