// bf16 products are of pairs along the depth, a pair in each 32-bit lane.
// RUN: girih-opt %s --girih-convert-tile-to-cpu=girih-bf16-dots | FileCheck %s
//
// Without the option tiles are widened.
// RUN: girih-opt %s --girih-convert-tile-to-cpu | FileCheck %s --check-prefix=WIDE
// WIDE-NOT: llvm.call_intrinsic

// Queries are packed once, two columns of 16 queries to a vector.
// CHECK-LABEL: func.func @scores(
// CHECK: %[[BOTH:.*]] = llvm.call_intrinsic "llvm.x86.avx512bf16.cvtne2ps2bf16.512"
// CHECK: vector.shuffle %[[BOTH]], %[[BOTH]] [0, 16, 1, 17,
// Keys are pairs already: read where they are when they are whole tiles of packed
// rows, else copied.
// CHECK: %[[KEYS:.*]] = scf.if %{{.*}} -> (!llvm.ptr)
// CHECK: llvm.load %{{.*}} {alignment = 2 : i64} : !llvm.ptr -> vector<32xbf16>
// A key's pair meets a vector of pairs, 16 times for a depth of 32.
// CHECK: scf.for %{{.*}} to %c16_i64{{.*}} step %c1_i64{{.*}} iter_args(
// CHECK: %[[PAIR:.*]] = llvm.load %{{.*}} {alignment = 2 : i64} : !llvm.ptr -> f32
// CHECK: %[[SPREAD:.*]] = vector.broadcast %[[PAIR]]
// CHECK: %[[LEFT:.*]] = vector.bitcast %[[SPREAD]] : vector<16xf32> to vector<32xbf16>
// CHECK: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"(%{{.*}}, %[[LEFT]], %{{.*}})
// CHECK: return
func.func @scores(%q: tensor<?x1x?x32xbf16>, %k: tensor<?x1x?x32xbf16>, %v: tensor<?x1x?x32xbf16>, %scale: f32,
    %o: memref<?x1x?x32xf32>, %lse: memref<?x1x?xf32>) {
  %b, %h, %i = girih_tile.task
  %zero = arith.constant dense<0.0> : tensor<16x4xf32>
  %qt = girih_tile.load %q[%b, %h, %i] : tensor<?x1x?x32xbf16> -> tensor<16x32xbf16>
  %kt = girih_tile.load %k[%b, %h, %i] : tensor<?x1x?x32xbf16> -> tensor<4x32xbf16>
  %s = girih_tile.dot %qt, %kt transposed acc(%zero) : tensor<16x32xbf16>, tensor<4x32xbf16> -> tensor<16x4xf32>
  %r = girih_tile.row_reduce max %s : tensor<16x4xf32> -> tensor<16xf32>
  girih_tile.store %r, %lse[%b, %h, %i] : tensor<16xf32>, memref<?x1x?xf32>
  return
}

// Probabilities are rounded and packed in the pass that computes them, which adds the
// sums of what is not rounded. Rows of values are interleaved as they are loaded; a
// last row without a partner meets zeros, and columns behind the end are not read.
// CHECK-LABEL: func.func @output(
// CHECK: scf.for
// CHECK: %[[X:.*]] = math.exp2
// CHECK: arith.addf %{{.*}}, %[[X]]
// CHECK: %[[Y:.*]] = math.exp2
// CHECK: arith.addf %{{.*}}, %[[Y]]
// CHECK: llvm.call_intrinsic "llvm.x86.avx512bf16.cvtne2ps2bf16.512"(%[[Y]], %[[X]])
// CHECK-NOT: math.exp2
// CHECK: llvm.intr.masked.load {{.*}} : (!llvm.ptr, vector<32xi1>, vector<32xbf16>) -> vector<32xbf16>
// CHECK: vector.shuffle %{{.*}}, %{{.*}} [0, 32, 1, 33,
// CHECK: vector.shuffle %{{.*}}, %{{.*}} [16, 48, 17, 49,
// CHECK: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"
// CHECK: return
func.func @output(%q: tensor<?x1x?x32xbf16>, %k: tensor<?x1x?x32xbf16>, %v: tensor<?x1x?x20xbf16>, %scale: f32,
    %o: memref<?x1x?x20xf32>, %lse: memref<?x1x?xf32>) {
  %b, %h, %i = girih_tile.task
  %zero = arith.constant dense<0.0> : tensor<16x20xf32>
  %none = arith.constant dense<0.0> : tensor<16x32xf32>
  %qt = girih_tile.load %q[%b, %h, %i] : tensor<?x1x?x32xbf16> -> tensor<16x32xbf16>
  %kt = girih_tile.load %k[%b, %h, %i] : tensor<?x1x?x32xbf16> -> tensor<32x32xbf16>
  %s = girih_tile.dot %qt, %kt transposed acc(%none) : tensor<16x32xbf16>, tensor<32x32xbf16> -> tensor<16x32xf32>
  %p = math.exp2 %s : tensor<16x32xf32>
  %sum = girih_tile.row_reduce add %p : tensor<16x32xf32> -> tensor<16xf32>
  %vt = girih_tile.load %v[%b, %h, %i] : tensor<?x1x?x20xbf16> -> tensor<32x20xbf16>
  %pt = arith.truncf %p : tensor<16x32xf32> to tensor<16x32xbf16>
  %r = girih_tile.dot %pt, %vt acc(%zero) : tensor<16x32xbf16>, tensor<32x20xbf16> -> tensor<16x20xf32>
  girih_tile.store %r, %o[%b, %h, %i] : tensor<16x20xf32>, memref<?x1x?x20xf32>
  girih_tile.store %sum, %lse[%b, %h, %i] : tensor<16xf32>, memref<?x1x?xf32>
  return
}
