// Each tile of a tile kernel gets a layout, by how it is made and read.
// DEFINE: %{tile} = --girih-convert-attention-to-tile=girih-tensor-cores --cse
// RUN: girih-opt %s %{tile} --girih-assign-layouts | FileCheck %s
//
// No tile is left without one; whole tensors have none.
// RUN: girih-opt %s %{tile} --girih-assign-layouts | FileCheck %s --check-prefix=GONE
// GONE-NOT: {{tensor<[0-9]+(x[0-9]+)?x[a-z0-9]+>}}
//
// Twice is once.
// RUN: girih-opt %s %{tile} --girih-assign-layouts > %t.once
// RUN: girih-opt %t.once --girih-assign-layouts | diff %t.once -

// CHECK-LABEL: func.func @attention(
// CHECK-SAME: tensor<?x?x?x64xbf16>, %{{.*}}: memref<?x?x?x64xbf16>
// Queries and keys are read along their rows, values across them.
// CHECK: %[[Q:.*]] = girih_tile.load {{.*}} -> tensor<128x64xbf16, #girih_ws.layout<shared_k>>
// CHECK: %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : tensor<128x64xf32, #girih_ws.layout<accumulator>>
// CHECK: girih.for_blocks {{.*}} iter_args(%[[O:.*]] = %[[ZERO]], {{.*}}) -> (tensor<128x64xf32, #girih_ws.layout<accumulator>>, tensor<128xf32, #girih_ws.layout<rows>>
// CHECK: %[[K:.*]] = girih_tile.load {{.*}} -> tensor<32x64xbf16, #girih_ws.layout<shared_k>>
// CHECK: girih_tile.dot %[[Q]], %[[K]] transposed {{.*}} -> tensor<128x32xf32, #girih_ws.layout<accumulator>>
// A branch has the layout of what it yields.
// CHECK: scf.if {{.*}} -> (tensor<128x32xf32, #girih_ws.layout<accumulator>>)
// CHECK: girih_tile.row_reduce max {{.*}} -> tensor<128xf32, #girih_ws.layout<rows>>
// CHECK: arith.cmpf {{.*}} : tensor<128xf32, #girih_ws.layout<rows>>
// CHECK: %[[P:.*]] = math.exp2 %{{.*}} : tensor<128x32xf32, #girih_ws.layout<accumulator>>
// CHECK: %[[V:.*]] = girih_tile.load {{.*}} -> tensor<32x64xbf16, #girih_ws.layout<shared_mn>>
// Rounding to the left side of a product becomes a change of layout.
// CHECK-NOT: arith.truncf
// CHECK: %[[LEFT:.*]] = girih_ws.pack %[[P]] : {{.*}} -> tensor<128x32xbf16, #girih_ws.layout<operand>>
// CHECK: girih_tile.dot %[[LEFT]], %[[V]] acc
// CHECK: girih_tile.store {{.*}} : tensor<128x64xf32, #girih_ws.layout<accumulator>>, memref<?x?x?x64xbf16>
// CHECK: girih_tile.store {{.*}} : tensor<128xf32, #girih_ws.layout<rows>>, memref<?x?x?xf32>
func.func @attention(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>, %s: f32,
                     %map: !girih.block_map) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  %p = girih.full
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) map(%map) tile [128, 32]
      : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}
