// Masks and score functions of a warp-specialised program, on the fragments of a thread.
// RUN: girih-opt %s --girih-to-hopper | FileCheck %s

// A cheap mask stands behind the first product, in a branch of partial tiles: for
// each element a compare with a constant, no loop.
// CHECK-LABEL: llvm.func @causal(
// CHECK: wgmma.wait_group.sync.aligned 0;
// CHECK: llvm.cond_br %[[PARTIAL:[0-9]+]], ^[[MASK:bb[0-9]+]], ^[[AFTER:bb[0-9]+]](
// CHECK-NEXT: ^[[MASK]]:
// CHECK: llvm.mlir.constant(0xFF800000 : f32)
// CHECK-NOT: loop_annotation
// CHECK: llvm.select
// CHECK: llvm.br ^[[AFTER]](
// CHECK-LABEL: llvm.func @causal_merge(
func.func @causal(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>, %s: f32)
    -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  %p = girih.causal
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) tile [64, 16]
      : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

// A table is searched in front of the first product; scores are dropped by its bits.
// CHECK-LABEL: llvm.func @random_blocks(
// CHECK: nvvm.setmaxregister increase
// CHECK: llvm.load {{.*}} : !llvm.ptr<3> -> vector<4xi32>
// CHECK: llvm.cond_br %{{.*}}, ^[[TABLE:bb[0-9]+]], ^[[PRODUCT:bb[0-9]+]](
// CHECK: ^[[TABLE]]:
// CHECK-NOT: wgmma
// CHECK: ^[[PRODUCT]](%[[BITS:[0-9]+]]: i32, %{{[0-9]+}}: i32):
// CHECK: wgmma.mma_async
// CHECK: wgmma.wait_group.sync.aligned 0;
// CHECK: {{.*}} %[[BITS]]{{[,: ]}}
// CHECK: llvm.select
// CHECK-LABEL: llvm.func @random_blocks_merge(
func.func @random_blocks(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>, %s: f32)
    -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  %p = girih.random_blocks size = 64 count = 3 seed = 0
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) tile [64, 16]
      : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

// A score function is copied for each element of the scores.
// CHECK-LABEL: llvm.func @soft_cap(
// CHECK: wgmma.wait_group.sync.aligned 0;
// CHECK-COUNT-8: llvm.fdiv
// CHECK: nvvm.shfl.sync bfly
// CHECK-LABEL: llvm.func @soft_cap_merge(
func.func @soft_cap(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>, %s: f32)
    -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  %p = girih.full
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) tile [64, 16] score {
  ^bb0(%x: f32, %b: index, %h: index, %qi: index, %ki: index):
    %y = math.tanh %x : f32
    girih.yield %y : f32
  } : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}
