// Lookups of masks and score functions on a thread's fragment: loads that nothing orders, with
// clamped indices.
// RUN: girih-opt %s --girih-to-hopper | FileCheck %s

// A mask that looks keys up is evaluated in front of the first product.
// CHECK-LABEL: llvm.func @documents(
// CHECK: nvvm.setmaxregister increase
// CHECK: llvm.intr.smin
// CHECK: llvm.intr.smax
// CHECK: llvm.load %{{.*}} invariant {{.*}}-> i32
// CHECK: llvm.icmp "eq"
// CHECK: wgmma.mma_async
// CHECK-LABEL: llvm.func @documents_merge(
func.func @documents(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>, %s: f32, %ids: tensor<?x?xi32>)
    -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  %p = girih.predicate (%b, %h, %i, %j, %nq, %nk) tables(%t = %ids : tensor<?x?xi32>) {
    %mine = girih.lookup %t[%b, %i] : tensor<?x?xi32>
    %its = girih.lookup %t[%b, %j] : tensor<?x?xi32>
    %same = arith.cmpi eq, %mine, %its : index
    girih.yield %same : i1
  }
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) tile [64, 16]
      : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

// CHECK-LABEL: llvm.func @bias(
// CHECK: wgmma.wait_group.sync.aligned 0;
// CHECK-COUNT-8: llvm.load %{{.*}} invariant {{.*}}-> f32
// CHECK: nvvm.shfl.sync bfly
// CHECK-LABEL: llvm.func @bias_merge(
func.func @bias(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>, %s: f32, %bias: tensor<?x?xf32>)
    -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  %p = girih.full
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) tile [64, 16] score {
  ^bb0(%x: f32, %b: index, %h: index, %i: index, %j: index):
    %y = girih.lookup %bias[%h, %j] : tensor<?x?xf32>
    %z = arith.addf %x, %y : f32
    girih.yield %z : f32
  } : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}
