// A tile kernel becomes one warp-specialised function for sm_90a.
// RUN: girih-opt %s --girih-to-hopper | FileCheck %s
//
// Nothing of the tile level is left.
// RUN: girih-opt %s --girih-to-hopper | FileCheck %s --check-prefix=GONE
// GONE-NOT: {{girih_tile|tensor<|memref<|arith\.}}

// Three tensor maps and the arguments come by value; two warpgroups of consumers
// and one of producers.
// CHECK-LABEL: llvm.func @causal_128(
// CHECK-SAME: llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant
// CHECK-SAME: girih.shared_bytes = {{[1-9][0-9]*}} : i64, girih.threads = 384 : i64
// CHECK-SAME: nvvm.kernel
// CHECK-SAME: nvvm.reqntid = array<i32: 384>
// The producer gives registers away, which the consumers take.
// CHECK: setmaxnreg.dec.sync.aligned.u32 24;
// CHECK: setmaxnreg.inc.sync.aligned.u32 240;
// The producer loads queries once and then K and V in turn.
// CHECK: cp.async.bulk.tensor.4d{{.*}} %arg0
// CHECK: mbarrier.try_wait.parity
// CHECK: cp.async.bulk.tensor.4d{{.*}} %arg1
// CHECK: cp.async.bulk.tensor.4d{{.*}} %arg2
// The first scores, alone.
// CHECK: wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16
// CHECK: wgmma.wait_group.sync.aligned 0;
// In the loop the scores of one tile and the output of the tile before are in
// flight together, inside the warpgroup's turn.
// CHECK: bar.sync $0, 256;
// CHECK: wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16
// CHECK: wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16
// CHECK: bar.arrive $0, 256;
// CHECK: wgmma.wait_group.sync.aligned 1;
// CHECK: ex2.approx.ftz.f32
// CHECK: wgmma.wait_group.sync.aligned 0;
// CHECK: cvt.rn.bf16x2.f32
func.func @causal_128(%q: tensor<?x?x?x128xbf16>, %k: tensor<?x?x?x128xbf16>, %v: tensor<?x?x?x128xbf16>, %s: f32)
    -> (tensor<?x?x?x128xf32>, tensor<?x?x?xf32>) {
  %p = girih.causal
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) tile [128, 128]
      : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16> -> tensor<?x?x?x128xf32>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x128xf32>, tensor<?x?x?xf32>
}
