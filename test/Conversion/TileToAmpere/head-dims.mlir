// Head dims that are no multiple of 16 bytes: partial pieces, padded products, narrow stores.
// RUN: girih-opt %s --girih-to-ampere | FileCheck %s

// A row of 20 columns has two pieces of 16 bytes and one of 8; the fourth is all zeros.
// CHECK-LABEL: llvm.func @partial_pieces(
// CHECK: llvm.addrspacecast
// CHECK: %[[INSIDE:.+]] = llvm.icmp "slt"
// CHECK-NEXT: llvm.intr.smin
// CHECK: %[[ALL:.+]] = llvm.select %[[INSIDE]], %[[SIXTEEN:.+]], %[[NONE:.+]] : i1, i32
// CHECK: %[[ENDS:.+]] = llvm.icmp "eq" %[[PIECE:.+]], %{{.+}} : i32
// CHECK: %[[EIGHT:.+]] = llvm.mlir.constant(8 : i32)
// CHECK: %[[REST:.+]] = llvm.select %[[INSIDE]], %[[EIGHT]], %[[NONE]] : i1, i32
// CHECK: %[[BEHIND:.+]] = llvm.select %[[ENDS]], %[[REST]], %[[NONE]] : i1, i32
// CHECK: %[[WHOLE:.+]] = llvm.icmp "slt" %[[PIECE]], %{{.+}} : i32
// CHECK: %[[BYTES:.+]] = llvm.select %[[WHOLE]], %[[ALL]], %[[BEHIND]] : i1, i32
// CHECK: cp.async.cg.shared.global {{.*}} %[[BYTES]] :
// The output has rows of 40 bytes: pairs of columns are stored, the last two groups' as
// far as there are any.
// CHECK: st.global.b32 [$0], $2; }"{{.*}} (!llvm.ptr, i32, i32)
// CHECK-NOT: st.global.v2.b32 {{.*}} (!llvm.ptr, i32, i32, i32)
// CHECK-LABEL: llvm.func @partial_pieces_merge(
// CHECK-LABEL: llvm.func @partial_pieces_copy(
// CHECK-SAME: !llvm.array<312 x i8>
// CHECK-SAME: nvvm.reqntid = array<i32: 128>
// CHECK-COUNT-1: llvm.load {{.*}} : !llvm.ptr<1> -> i16
// CHECK-NOT: llvm.load {{.*}} : !llvm.ptr<1> -> i16
func.func @partial_pieces(%q: tensor<?x?x?x20xf16>, %k: tensor<?x?x?x20xf16>, %v: tensor<?x?x?x20xf16>, %s: f32)
    -> (tensor<?x?x?x20xf16>, tensor<?x?x?xf32>) {
  %p = girih.full
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) tile [64, 64]
      : tensor<?x?x?x20xf16>, tensor<?x?x?x20xf16>, tensor<?x?x?x20xf16> -> tensor<?x?x?x20xf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x20xf16>, tensor<?x?x?xf32>
}

// Eight columns of values are half of the width that ldmatrix reads: one product of two.
// 64 keys are 4 steps of 16.
// CHECK-LABEL: llvm.func @half_a_width(
// CHECK-COUNT-8: mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
// CHECK: ldmatrix.sync.aligned.m8n8.x4.trans
// CHECK-COUNT-4: mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
// CHECK-NOT: mma.sync
// CHECK-LABEL: llvm.func @half_a_width_merge(
func.func @half_a_width(%q: tensor<?x?x?x16xbf16>, %k: tensor<?x?x?x16xbf16>, %v: tensor<?x?x?x8xbf16>, %s: f32)
    -> (tensor<?x?x?x8xbf16>, tensor<?x?x?xf32>) {
  %p = girih.full
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) tile [64, 64]
      : tensor<?x?x?x16xbf16>, tensor<?x?x?x16xbf16>, tensor<?x?x?x8xbf16> -> tensor<?x?x?x8xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x8xbf16>, tensor<?x?x?xf32>
}
