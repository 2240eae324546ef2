// A warp-specialised program becomes one function for sm_90a, and one that merges parts of split lists.
// RUN: girih-opt %s --girih-to-ws --girih-convert-ws-to-hopper | FileCheck %s
//
// Nothing of the levels above is left, and twice is once.
// RUN: girih-opt %s --girih-to-hopper > %t.once
// RUN: FileCheck %s --input-file=%t.once --check-prefix=GONE
// RUN: girih-opt %t.once --girih-convert-ws-to-hopper | diff %t.once -
// GONE-NOT: {{girih_tile|girih_ws|tensor<|memref<|arith\.|scf\.}}

// Three tensor maps and the arguments come by value; two warpgroups multiply.
// CHECK-LABEL: llvm.func @causal_128(
// CHECK-SAME: llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant
// CHECK-SAME: girih.blocks_per_multiprocessor = 1 : i64, girih.shared_bytes = {{[1-9][0-9]*}} : i64, girih.threads = 384 : i64, nvvm.kernel
// CHECK-SAME: nvvm.reqntid = array<i32: 384>
// A full barrier is of the thread that loads, an empty one of eight warps.
// CHECK: mbarrier.init.shared::cta.b64 [$0], 1;
// CHECK: mbarrier.init.shared::cta.b64 [$0], 8;
// CHECK: nvvm.setmaxregister decrease
// CHECK: nvvm.setmaxregister increase
// Keys come first, with the record of the item; queries at the first item of a
// task; then values.
// CHECK: mbarrier.try_wait.parity
// CHECK: llvm.store {{.*}} : vector<4xi32>, !llvm.ptr<3>
// CHECK: mbarrier.arrive.expect_tx
// CHECK: cp.async.bulk.tensor.4d{{.*}} %arg1
// CHECK: cp.async.bulk.tensor.4d{{.*}} %arg0
// CHECK: cp.async.bulk.tensor.4d{{.*}} %arg2
// The first scores, alone.
// CHECK: llvm.load {{.*}} : !llvm.ptr<3> -> vector<4xi32>
// CHECK: wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16
// CHECK: wgmma.wait_group.sync.aligned 0;
// CHECK: ex2.approx.ftz.f32
// CHECK: cvt.rn.bf16x2.f32
// In the loop the scores of one item and the output of the item before are in
// flight together, inside of the warpgroup's turn.
// CHECK: nvvm.barrier id = %{{.*}} number_of_threads =
// CHECK: wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16
// CHECK: setp.eq.s32 adds{{.*}} wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16
// CHECK: bar.arrive $0, 256;
// CHECK: wgmma.wait_group.sync.aligned 1;
// CHECK: mbarrier.arrive.shared::cta.b64
// The last item's second product stands behind the loop, in one asm.
// CHECK: wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16
// CHECK: wgmma.wait_group.sync.aligned 0;
// The wait for the output has a basic block of its own behind the softmax.
// CHECK: ex2.approx.ftz.f32
// CHECK: brkpt;
// CHECK: wgmma.wait_group.sync.aligned 0;
// CHECK-NOT: wgmma.mma_async
// CHECK-LABEL: llvm.func @causal_128_merge(
// CHECK-NOT: wgmma
// CHECK: llvm.return
func.func @causal_128(%q: tensor<?x?x?x128xbf16>, %k: tensor<?x?x?x128xbf16>, %v: tensor<?x?x?x128xbf16>, %s: f32)
    -> (tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>) {
  %p = girih.causal
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) tile [128, 128]
      : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16> -> tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
}

// One warpgroup takes no turns, and two blocks fit a multiprocessor. Head dims are
// padded to 16 columns: 5 steps of 16 for 72, 48 columns of output for 40.
// CHECK-LABEL: llvm.func @odd_head_dims(
// CHECK-SAME: girih.blocks_per_multiprocessor = 2 : i64, {{.*}} girih.threads = 256 : i64
// CHECK-SAME: nvvm.minctasm = 2
// CHECK-NOT: nvvm.barrier id
// CHECK-COUNT-5: wgmma.mma_async.sync.aligned.m64n32k16.f32.f16.f16
// CHECK-NOT: wgmma.mma_async.sync.aligned.m64n32k16
// CHECK: wgmma.wait_group
// CHECK: wgmma.mma_async.sync.aligned.m64n48k16.f32.f16.f16
// Rows that f32 is asked of are stored as they are.
// CHECK: st.global.v2.b32 [$0], {$2, $3};{{.*}} (!llvm.ptr, i32, f32, f32)
// CHECK-LABEL: llvm.func @odd_head_dims_merge(
func.func @odd_head_dims(%q: tensor<?x?x?x72xf16>, %k: tensor<?x?x?x72xf16>, %v: tensor<?x?x?x40xf16>, %s: f32)
    -> (tensor<?x?x?x40xf32>, tensor<?x?x?xf32>) {
  %p = girih.full
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) tile [64, 32]
      : tensor<?x?x?x72xf16>, tensor<?x?x?x72xf16>, tensor<?x?x?x40xf16> -> tensor<?x?x?x40xf32>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x40xf32>, tensor<?x?x?xf32>
}

// Three warpgroups: twelve warps release a tile.
// CHECK-LABEL: llvm.func @three_warpgroups(
// CHECK-SAME: girih.threads = 512 : i64
// CHECK: mbarrier.init.shared::cta.b64 [$0], 12;
// CHECK: nvvm.barrier id = %{{.*}} number_of_threads =
func.func @three_warpgroups(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>, %s: f32)
    -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  %p = girih.causal
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) tile [192, 64]
      : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

// CHECK-LABEL: func.func @leaves_without_roles(
// CHECK-NEXT: return
func.func @leaves_without_roles() {
  return
}
