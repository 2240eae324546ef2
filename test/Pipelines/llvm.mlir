// girih-to-llvm leaves one LLVM function of three pointers, whatever the pattern, type or score function is.
// RUN: girih-opt %s --pass-pipeline='builtin.module(girih-to-llvm)' | FileCheck %s
// RUN: girih-opt %s --pass-pipeline='builtin.module(girih-to-llvm{tile-q=16 tile-k=16 vector-width=4})' | FileCheck %s
// RUN: girih-opt %s --pass-pipeline='builtin.module(girih-to-llvm)' | FileCheck %s --check-prefix=GONE
// GONE-NOT: {{builtin.unrealized|arith\.|math\.|scf\.|vector\.[a-z]+ |girih_tile|girih\.[a-z_]+ [^=]|func\.func}}

// CHECK-LABEL: llvm.func @segments_of_bf16(
// CHECK-SAME: %{{.*}}: !llvm.ptr {llvm.noalias}, %{{.*}}: !llvm.ptr {llvm.noalias}, %{{.*}}: !llvm.ptr {llvm.noalias}) attributes {girih.scratch_bytes
// CHECK: llvm.intr.masked.gather
// CHECK: llvm.return
func.func @segments_of_bf16(%q: tensor<?x?x?x80xbf16>, %k: tensor<?x?x?x80xbf16>, %v: tensor<?x?x?x17xbf16>, %scale: f32,
                            %offsets: tensor<?xi64>) -> (tensor<?x?x?x17xf32>, tensor<?x?x?xf32>) {
  %past = girih.causal
  %document = girih.segments %offsets : tensor<?xi64>
  %both = girih.intersect %past, %document
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%both) scale(%scale)
      : tensor<?x?x?x80xbf16>, tensor<?x?x?x80xbf16>, tensor<?x?x?x17xbf16> -> tensor<?x?x?x17xf32>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x17xf32>, tensor<?x?x?xf32>
}

// CHECK-LABEL: llvm.func @random_blocks(
// CHECK: llvm.call %{{.*}}(%{{.*}}) : !llvm.ptr, (!llvm.ptr, i64, i64, i64, i32) -> i32
// CHECK: llvm.return
func.func @random_blocks(%q: tensor<?x?x?x1xf16>, %k: tensor<?x?x?x1xf16>, %v: tensor<?x?x?x1xf16>, %scale: f32)
    -> (tensor<?x?x?x1xf32>, tensor<?x?x?xf32>) {
  %p = girih.random_blocks size = 64 count = 3 seed = 0
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%scale)
      : tensor<?x?x?x1xf16>, tensor<?x?x?x1xf16>, tensor<?x?x?x1xf16> -> tensor<?x?x?x1xf32>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x1xf32>, tensor<?x?x?xf32>
}

// tanh has a polynomial: no call of the scalar library.
// CHECK-LABEL: llvm.func @softcapped(
// CHECK-NOT: llvm.call @
// CHECK: llvm.return
func.func @softcapped(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %scale: f32)
    -> (tensor<?x?x?x64xf32>, tensor<?x?x?xf32>) {
  %p = girih.neighborhood grid = [8, 16] kernel = [3, 5] dilation = [1, 2] stride = [1, 1] causal = [false, true]
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%scale) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %bent = math.tanh %s : f32
    girih.yield %bent : f32
  } : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
