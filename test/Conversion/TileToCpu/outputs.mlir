// Outputs of 16 bits are rounded once, when they are stored.
// RUN: girih-opt %s --girih-convert-tile-to-cpu | FileCheck %s

// Rows of a part of a cut task stay f32: the launch says which they are. bf16 is the upper
// half, rounded by integers; a NaN keeps a bit that says so.
// CHECK-LABEL: func.func @bf16(
// CHECK: %[[DTYPE:.*]] = llvm.load %{{.*}} invariant : !llvm.ptr -> i32
// CHECK: %[[F32:.*]] = arith.constant 0 : i32
// CHECK: %[[PART:.*]] = arith.cmpi eq, %[[DTYPE]], %[[F32]]
// CHECK: scf.if %[[PART]] {
// CHECK: llvm.store %{{.*}} {alignment = 4 : i64} : vector<16xf32>, !llvm.ptr
// CHECK: } else {
// CHECK: %[[BITS:.*]] = arith.bitcast %[[X:.*]] : vector<16xf32> to vector<16xi32>
// CHECK: %[[UPPER:.*]] = arith.shrui %[[BITS]],
// CHECK: %[[NEAREST:.*]] = arith.shrui
// CHECK: %[[QUIET:.*]] = arith.ori %[[UPPER]],
// CHECK: %[[NAN:.*]] = arith.cmpf uno, %[[X]], %[[X]]
// CHECK: %[[ROUNDED:.*]] = arith.select %[[NAN]], %[[QUIET]], %[[NEAREST]]
// CHECK: %[[HALF:.*]] = arith.trunci %[[ROUNDED]] : vector<16xi32> to vector<16xi16>
// CHECK: llvm.store %[[HALF]], %{{.*}} {alignment = 2 : i64} : vector<16xi16>, !llvm.ptr
// The columns behind the last whole vector.
// CHECK: %[[REST:.*]] = vector.extract_strided_slice %{{.*}} {offsets = [0], sizes = [4], strides = [1]} : vector<16xi16> to vector<4xi16>
// CHECK: llvm.store %[[REST]], %{{.*}} {alignment = 2 : i64} : vector<4xi16>, !llvm.ptr
// CHECK: return
func.func @bf16(%q: tensor<?x1x?x20xbf16>, %k: tensor<?x1x?x20xbf16>, %v: tensor<?x1x?x20xbf16>, %scale: f32,
    %o: memref<?x1x?x20xbf16>, %lse: memref<?x1x?xf32>) {
  %b, %h, %i = girih_tile.task
  %t = girih_tile.splat %scale : tensor<16x20xf32>
  girih_tile.store %t, %o[%b, %h, %i] : tensor<16x20xf32>, memref<?x1x?x20xbf16>
  return
}

// CHECK-LABEL: func.func @f16(
// CHECK: %[[HALF:.*]] = arith.truncf %{{.*}} : vector<16xf32> to vector<16xf16>
// CHECK: llvm.store %[[HALF]], %{{.*}} {alignment = 2 : i64} : vector<16xf16>, !llvm.ptr
func.func @f16(%q: tensor<?x1x?x16xf16>, %k: tensor<?x1x?x16xf16>, %v: tensor<?x1x?x16xf16>, %scale: f32,
    %o: memref<?x1x?x16xf16>, %lse: memref<?x1x?xf32>) {
  %b, %h, %i = girih_tile.task
  %t = girih_tile.splat %scale : tensor<16x16xf32>
  girih_tile.store %t, %o[%b, %h, %i] : tensor<16x16xf32>, memref<?x1x?x16xf16>
  return
}

// Nothing is asked where o is f32 anyway.
// CHECK-LABEL: func.func @f32(
// CHECK-NOT: scf.if
// CHECK: llvm.store %{{.*}} {alignment = 4 : i64} : vector<16xf32>, !llvm.ptr
// CHECK: return
func.func @f32(%q: tensor<?x1x?x16xf16>, %k: tensor<?x1x?x16xf16>, %v: tensor<?x1x?x16xf16>, %scale: f32,
    %o: memref<?x1x?x16xf32>, %lse: memref<?x1x?xf32>) {
  %b, %h, %i = girih_tile.task
  %t = girih_tile.splat %scale : tensor<16x16xf32>
  girih_tile.store %t, %o[%b, %h, %i] : tensor<16x16xf32>, memref<?x1x?x16xf32>
  return
}
