// A tile kernel becomes one mma.sync function for sm_80, sm_86 and sm_89.
// RUN: girih-opt %s --girih-to-ampere | FileCheck %s
//
// Nothing of the tile level is left.
// RUN: girih-opt %s --girih-to-ampere | FileCheck %s --check-prefix=GONE
// GONE-NOT: {{girih_tile|tensor<|memref<|arith\.}}
//
// The registers that a block may take depend on how many the chip holds at a time.
// RUN: girih-opt %s --girih-to-ampere=chip=sm_86 | FileCheck %s --check-prefix=SM86
// SM86-LABEL: llvm.func @narrow_64(
// SM86-SAME: nvvm.minctasm = 3 : i32

// The arguments come by value; eight warps of 16 rows.
// CHECK-LABEL: llvm.func @causal_128(
// CHECK-SAME: llvm.byval = !llvm.array<224 x i8>, nvvm.grid_constant
// CHECK-SAME: girih.shared_bytes = 98304 : i64, girih.threads = 256 : i64
// CHECK-SAME: nvvm.kernel, nvvm.minctasm = 1 : i32, nvvm.reqntid = array<i32: 256>
// A task begins when every warp has ended the one before. Queries and the first
// keys are one group of copies, the first values another.
// CHECK: nvvm.barrier{{$}}
// CHECK-COUNT-12: cp.async.cg.shared.global
// CHECK: nvvm.cp.async.commit.group
// CHECK-COUNT-4: cp.async.cg.shared.global
// CHECK: nvvm.cp.async.commit.group
// In the loop the next keys are on their way while these are multiplied: 8 steps of
// 16 columns, each with 8 times 8 keys.
// CHECK: cp.async.cg.shared.global
// CHECK: nvvm.cp.async.commit.group
// CHECK: nvvm.cp.async.wait.group 2
// CHECK: nvvm.barrier{{$}}
// CHECK: ldmatrix.sync.aligned.m8n8.x4.shared.b16
// CHECK-COUNT-64: mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
// CHECK: ex2.approx.ftz.f32
// The values are read transposed, the probabilities are registers.
// CHECK: nvvm.cp.async.wait.group 2
// CHECK: nvvm.barrier{{$}}
// CHECK: cvt.rn.bf16x2.f32
// CHECK: ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16
// CHECK-COUNT-64: mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
// CHECK-NOT: mma.sync
// Parts of split lists are merged by a kernel of its own.
// CHECK: llvm.func @causal_128_merge(
func.func @causal_128(%q: tensor<?x?x?x128xbf16>, %k: tensor<?x?x?x128xbf16>, %v: tensor<?x?x?x128xbf16>, %s: f32)
    -> (tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>) {
  %p = girih.causal
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) tile [128, 64]
      : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16> -> tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
}

// Four warps; head dims of 40 are padded to 48: the last piece of a row is zeros.
// CHECK-LABEL: llvm.func @narrow_64(
// CHECK-SAME: girih.shared_bytes = 30720 : i64, girih.threads = 128 : i64
// CHECK-SAME: nvvm.minctasm = 4 : i32
// CHECK: mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32
func.func @narrow_64(%q: tensor<?x?x?x40xf16>, %k: tensor<?x?x?x40xf16>, %v: tensor<?x?x?x40xf16>, %s: f32)
    -> (tensor<?x?x?x40xf16>, tensor<?x?x?xf32>) {
  %p = girih.full
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) tile [64, 64]
      : tensor<?x?x?x40xf16>, tensor<?x?x?x40xf16>, tensor<?x?x?x40xf16> -> tensor<?x?x?x40xf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x40xf16>, tensor<?x?x?xf32>
}
