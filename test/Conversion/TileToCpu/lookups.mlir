// Entries of arrays: gathered once for the queries of a group, loaded once for a key, gathered in
// every column where an index reads both. Indices are clamped.
// RUN: girih-opt %s --girih-convert-tile-to-cpu | FileCheck %s

// CHECK-LABEL: func.func @documents(
// CHECK: scf.if %true
// CHECK: %[[E1:.*]] = llvm.load %{{.*}} invariant : !llvm.ptr -> i64
// CHECK: arith.minsi %{{.*}} : vector<16xi32>
// CHECK: arith.maxsi %{{.*}} : vector<16xi32>
// CHECK: %[[MINE:.*]] = llvm.intr.masked.gather {{.*}} vector<16xi32>
// CHECK: llvm.intr.masked.gather {{.*}} vector<16xi32>
// CHECK: scf.for
// CHECK-NOT: llvm.intr.masked.gather
// CHECK: arith.minsi %{{.*}} : i32
// CHECK: arith.maxsi %{{.*}} : i32
// CHECK: %[[ID:.*]] = llvm.load %{{.*}} : !llvm.ptr -> i32
// CHECK: %[[IDS:.*]] = vector.broadcast %[[ID]] : i32 to vector<16xi32>
// CHECK: arith.cmpi eq, %[[MINE]], %[[IDS]] : vector<16xi32>
func.func @documents(%q: tensor<?x1x?x32xf32>, %k: tensor<?x1x?x32xf32>, %v: tensor<?x1x?x32xf32>, %scale: f32, %ids: tensor<?x?xi32>,
    %o: memref<?x1x?x32xf32>, %lse: memref<?x1x?xf32>) {
  %b, %h, %i = girih_tile.task
  %zero = arith.constant dense<0.0> : tensor<32x4xf32>
  %partial = arith.constant true
  %mine = girih.term_lookup %ids at affine_map<()[b, h, q, k, nq, nk, n] -> (b, q)> : tensor<?x?xi32>
  %its = girih.term_lookup %ids at affine_map<()[b, h, q, k, nq, nk, n] -> (b, k)> : tensor<?x?xi32>
  %p = girih.where affine_set<(b, h, q, k)[nq, nk, n, x, y] : (x - y == 0)> terms(%mine, %its)
  %qt = girih_tile.load %q[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<32x32xf32>
  %kt = girih_tile.load %k[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<4x32xf32>
  %s = girih_tile.dot %qt, %kt transposed acc(%zero) : tensor<32x32xf32>, tensor<4x32xf32> -> tensor<32x4xf32>
  %m = girih_tile.mask %s keep %p at [%b, %h, %i, %i] when %partial : tensor<32x4xf32>
  %r = girih_tile.row_reduce max %m : tensor<32x4xf32> -> tensor<32xf32>
  girih_tile.store %r, %lse[%b, %h, %i] : tensor<32xf32>, memref<?x1x?xf32>
  return
}

// The distance reads both; clamping it is a minimum in lanes.
// CHECK-LABEL: func.func @distance(
// CHECK: scf.for
// CHECK: arith.maxsi %{{.*}} : vector<16xi32>
// CHECK: llvm.intr.masked.gather {{.*}} vector<16xi32>
// CHECK: arith.cmpi sge, %{{.*}} : vector<16xi32>
func.func @distance(%q: tensor<?x1x?x32xf32>, %k: tensor<?x1x?x32xf32>, %v: tensor<?x1x?x32xf32>, %scale: f32, %t: tensor<?xi32>,
    %o: memref<?x1x?x32xf32>, %lse: memref<?x1x?xf32>) {
  %b, %h, %i = girih_tile.task
  %zero = arith.constant dense<0.0> : tensor<32x4xf32>
  %partial = arith.constant true
  %d = girih.term_extremum max affine_map<()[b, h, q, k, nq, nk, n] -> (q - k, 0)>
  %x = girih.term_lookup %t at affine_map<()[b, h, q, k, nq, nk, n, d] -> (d)> terms(%d) : tensor<?xi32>
  %p = girih.where affine_set<(b, h, q, k)[nq, nk, n, x] : (x - k >= 0)> terms(%x)
  %qt = girih_tile.load %q[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<32x32xf32>
  %kt = girih_tile.load %k[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<4x32xf32>
  %s = girih_tile.dot %qt, %kt transposed acc(%zero) : tensor<32x32xf32>, tensor<4x32xf32> -> tensor<32x4xf32>
  %m = girih_tile.mask %s keep %p at [%b, %h, %i, %i] when %partial : tensor<32x4xf32>
  %r = girih_tile.row_reduce max %m : tensor<32x4xf32> -> tensor<32xf32>
  girih_tile.store %r, %lse[%b, %h, %i] : tensor<32xf32>, memref<?x1x?xf32>
  return
}

// Score functions look up integers, which become indices, and floats. The second array stands 96
// bytes behind the first.
// CHECK-LABEL: func.func @score(
// CHECK: llvm.getelementptr %{{.*}}[24] : (!llvm.ptr) -> !llvm.ptr, i8
// CHECK: llvm.getelementptr %{{.*}}[120] : (!llvm.ptr) -> !llvm.ptr, i8
// CHECK: scf.for
// CHECK: %[[PLACE:.*]] = llvm.load %{{.*}} : !llvm.ptr -> i32
// CHECK: arith.extsi %[[PLACE]] : i32 to i64
// CHECK: %[[BIAS:.*]] = llvm.intr.masked.gather {{.*}} vector<16xf32>
// CHECK: arith.addf %{{.*}}, %[[BIAS]] : vector<16xf32>
func.func @score(%q: tensor<?x1x?x32xf32>, %k: tensor<?x1x?x32xf32>, %v: tensor<?x1x?x32xf32>, %scale: f32, %t: tensor<?xi32>, %bias: tensor<?x?xf32>,
    %o: memref<?x1x?x32xf32>, %lse: memref<?x1x?xf32>) {
  %b, %h, %i = girih_tile.task
  %zero = arith.constant dense<0.0> : tensor<32x4xf32>
  %qt = girih_tile.load %q[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<32x32xf32>
  %kt = girih_tile.load %k[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<4x32xf32>
  %s = girih_tile.dot %qt, %kt transposed acc(%zero) : tensor<32x32xf32>, tensor<4x32xf32> -> tensor<32x4xf32>
  %m = girih_tile.map %s at [%b, %h, %i, %i] {
  ^bb0(%x: f32, %bi: index, %hi: index, %qi: index, %ki: index):
    %place = girih.lookup %t[%ki] : tensor<?xi32>
    %distance = arith.subi %qi, %place : index
    %y = girih.lookup %bias[%hi, %distance] : tensor<?x?xf32>
    %z = arith.addf %x, %y : f32
    girih.yield %z : f32
  } : tensor<32x4xf32>
  %r = girih_tile.row_reduce max %m : tensor<32x4xf32> -> tensor<32xf32>
  girih_tile.store %r, %lse[%b, %h, %i] : tensor<32xf32>, memref<?x1x?xf32>
  return
}
