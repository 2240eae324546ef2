// For CPUs that multiply pairs of bf16, products take bf16 tiles as they are.
// RUN: girih-opt %s --girih-convert-attention-to-tile=girih-bf16-dots --cse | FileCheck %s

// The scale goes into the exponent, in one multiply-add; queries take its sign, which
// rounds nothing, so that maxima of products are those of scores.
// CHECK-LABEL: func.func @bf16(
// CHECK: %[[NEGATIVE:.*]] = arith.cmpf olt
// CHECK: %[[FACTOR:.*]] = arith.maxnumf
// CHECK: %[[SIGN:.*]] = arith.select %[[NEGATIVE]]
// CHECK: %[[SIGNS:.*]] = girih_tile.splat %[[SIGN]]
// CHECK: %[[SIGNED:.*]] = arith.mulf %{{.*}}, %[[SIGNS]] : tensor<16x32xf32>
// CHECK: %[[Q:.*]] = arith.truncf %[[SIGNED]] : tensor<16x32xf32> to tensor<16x32xbf16>
// CHECK: girih.for_blocks
// CHECK: %[[S:.*]] = girih_tile.dot %[[Q]], %{{.*}} transposed acc(%{{.*}}) : tensor<16x32xbf16>, tensor<16x32xbf16>
// CHECK-NOT: arith.negf %[[S]]
// What came before counts less as maxima grow: exactly as much where they don't.
// CHECK: %[[ROSE:.*]] = arith.subf %{{.*}} : tensor<16xf32>
// CHECK: arith.mulf %[[ROSE]], %{{.*}} : tensor<16xf32>
// CHECK: math.fma
// CHECK: %[[P:.*]] = math.exp2 %{{.*}} : tensor<16x16xf32>
// Sums are those of probabilities that are not rounded.
// CHECK: girih_tile.row_reduce add %[[P]]
// CHECK: %[[ROUNDED:.*]] = arith.truncf %[[P]] : tensor<16x16xf32> to tensor<16x16xbf16>
// CHECK: girih_tile.dot %[[ROUNDED]], %{{.*}} acc(%{{.*}}) : tensor<16x16xbf16>, tensor<16x48xbf16>
// CHECK: return
func.func @bf16(%q: tensor<?x1x?x32xbf16>, %k: tensor<?x1x?x32xbf16>, %v: tensor<?x1x?x48xbf16>, %scale: f32)
    -> (tensor<?x1x?x48xf32>, tensor<?x1x?xf32>) {
  %p = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0)>
  %map = girih.block_map %p tile [16, 16] provider table
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%scale) map(%map) tile [16, 16]
      : tensor<?x1x?x32xbf16>, tensor<?x1x?x32xbf16>, tensor<?x1x?x48xbf16> -> tensor<?x1x?x48xf32>, tensor<?x1x?xf32>
  return %o, %lse : tensor<?x1x?x48xf32>, tensor<?x1x?xf32>
}

// f16 has no such products: queries are scaled in f32 as ever.
// CHECK-LABEL: func.func @f16(
// CHECK: arith.extf %{{.*}} : tensor<16x32xf16> to tensor<16x32xf32>
// CHECK: girih_tile.dot %{{.*}}, %{{.*}} transposed acc(%{{.*}}) : tensor<16x32xf32>, tensor<16x32xf16>
// CHECK-NOT: arith.truncf
// CHECK: return
func.func @f16(%q: tensor<?x1x?x32xf16>, %k: tensor<?x1x?x32xf16>, %v: tensor<?x1x?x48xf16>, %scale: f32)
    -> (tensor<?x1x?x48xf32>, tensor<?x1x?xf32>) {
  %p = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0)>
  %map = girih.block_map %p tile [16, 16] provider table
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%scale) map(%map) tile [16, 16]
      : tensor<?x1x?x32xf16>, tensor<?x1x?x32xf16>, tensor<?x1x?x48xf16> -> tensor<?x1x?x48xf32>, tensor<?x1x?xf32>
  return %o, %lse : tensor<?x1x?x48xf32>, tensor<?x1x?xf32>
}
