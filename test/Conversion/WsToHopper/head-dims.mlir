// Head dims that are no multiple of 16 bytes: padded products, narrow stores, and the copy kernel.
// RUN: girih-opt %s --girih-to-hopper | FileCheck %s

// 20 columns of keys are two steps of 16, 36 columns of values three times 16. Whole pairs
// of columns are stored: five groups of 8 columns, of the last the first two pairs.
// CHECK-LABEL: llvm.func @even(
// CHECK: wgmma.mma_async.sync.aligned.m64n32k16{{.*}} wgmma.mma_async.sync.aligned.m64n32k16
// CHECK-NOT: m64n32k16{{.*}} m64n32k16{{.*}} m64n32k16
// CHECK: wgmma.mma_async.sync.aligned.m64n48k16.f32.bf16.bf16
// The workspace has rows of 40 columns, stored in whole.
// CHECK: llvm.mlir.constant(40 : i64)
// CHECK-COUNT-10: st.global.v2.b32 [$0], {$2, $3}; }"{{.*}} (!llvm.ptr, i32, f32, f32)
// CHECK-NOT: st.global.v2.b32
// CHECK: %[[FIRST:.+]] = llvm.mul %{{.+}}, %{{.+}} : i32
// CHECK-COUNT-4: st.global.b32 [$0], $2; }"
// CHECK: %[[LEFT:.+]] = llvm.mlir.constant(4 : i32)
// CHECK: llvm.icmp "slt" %[[FIRST]], %[[LEFT]]
// CHECK-COUNT-6: st.global.b32 [$0], $2; }"
// The last task of a block is stored behind the loop, by the same code.
// CHECK-NOT: st.global.b
// CHECK: st.global.v2.b32
// CHECK-LABEL: llvm.func @even_merge(
// CHECK: llvm.mlir.constant(40 : i64)
// CHECK: llvm.store {{.*}} {alignment = 4 : i64} : i32, !llvm.ptr
//
// A copy is a division of the block's number and a warp a row; a column is inside or the first.
// CHECK-LABEL: llvm.func @even_copy(
// CHECK-SAME: llvm.byval = !llvm.array<312 x i8>, nvvm.grid_constant
// CHECK-SAME: nvvm.kernel, nvvm.reqntid = array<i32: 128>
// CHECK: mov.u32 $0, %ctaid.y;
// CHECK: mov.u32 $0, %ctaid.x;
// CHECK: %[[LINE:.+]] = llvm.udiv
// CHECK: llvm.icmp "ult" %[[LINE]],
// CHECK: %[[LAST:.+]] = llvm.icmp "slt"
// CHECK-NEXT: llvm.select %[[LAST]]
// CHECK: %[[INSIDE0:.+]] = llvm.icmp "slt" %{{.+}}, %[[COLUMNS:.+]] : i32
// CHECK: llvm.select %[[INSIDE0]]
// CHECK: %[[INSIDE1:.+]] = llvm.icmp "slt" %{{.+}}, %[[COLUMNS]] : i32
// CHECK: %[[VALUE0:.+]] = llvm.load {{.*}} : !llvm.ptr<1> -> i16
// CHECK: %[[VALUE1:.+]] = llvm.load {{.*}} : !llvm.ptr<1> -> i16
// CHECK: llvm.cond_br %[[INSIDE0]]
// CHECK: llvm.store %[[VALUE0]], %{{.+}} : i16, !llvm.ptr<1>
// CHECK: llvm.cond_br %[[INSIDE1]]
// CHECK: llvm.store %[[VALUE1]], %{{.+}} : i16, !llvm.ptr<1>
func.func @even(%q: tensor<?x?x?x20xbf16>, %k: tensor<?x?x?x20xbf16>, %v: tensor<?x?x?x36xbf16>, %s: f32)
    -> (tensor<?x?x?x36xbf16>, tensor<?x?x?xf32>) {
  %p = girih.full
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) tile [64, 32]
      : tensor<?x?x?x20xbf16>, tensor<?x?x?x20xbf16>, tensor<?x?x?x36xbf16> -> tensor<?x?x?x36xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x36xbf16>, tensor<?x?x?xf32>
}

// Rows of an odd head dim begin between two words: elements are stored one by one.
// CHECK-LABEL: llvm.func @odd(
// CHECK-COUNT-4: st.global.v2.b32
// CHECK-COUNT-8: st.global.b16 [$0], $2; }"{{.*}} (!llvm.ptr, i32, i16)
// CHECK-NOT: st.global.b
// CHECK: st.global.v2.b32
// CHECK-LABEL: llvm.func @odd_merge(
// CHECK-COUNT-2: llvm.store {{.*}} : i16, !llvm.ptr
// CHECK-NOT: llvm.store
// CHECK-LABEL: llvm.func @odd_copy(
func.func @odd(%q: tensor<?x?x?x1xf16>, %k: tensor<?x?x?x1xf16>, %v: tensor<?x?x?x13xf16>, %s: f32)
    -> (tensor<?x?x?x13xf16>, tensor<?x?x?xf32>) {
  %p = girih.full
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) tile [64, 32]
      : tensor<?x?x?x1xf16>, tensor<?x?x?x1xf16>, tensor<?x?x?x13xf16> -> tensor<?x?x?x13xf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x13xf16>, tensor<?x?x?xf32>
}

// An f32 output is copied in words, inputs in halves of them.
// CHECK-LABEL: llvm.func @words(
// CHECK-COUNT-2: st.global.v2.b32
// CHECK-NOT: st.global.v2.b32
// CHECK: st.global.b32 [$0], $2; }"{{.*}} (!llvm.ptr, i32, f32)
// CHECK-LABEL: llvm.func @words_copy(
// CHECK: llvm.load {{.*}} : !llvm.ptr<1> -> i32
// CHECK: llvm.load {{.*}} : !llvm.ptr<1> -> i16
func.func @words(%q: tensor<?x?x?x16xf16>, %k: tensor<?x?x?x16xf16>, %v: tensor<?x?x?x7xf16>, %s: f32)
    -> (tensor<?x?x?x7xf32>, tensor<?x?x?xf32>) {
  %p = girih.full
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) tile [64, 32]
      : tensor<?x?x?x16xf16>, tensor<?x?x?x16xf16>, tensor<?x?x?x7xf16> -> tensor<?x?x?x7xf32>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x7xf32>, tensor<?x?x?xf32>
}
