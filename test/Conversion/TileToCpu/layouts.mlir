// Scores lie column-major, queries along the lanes; everything else row-major. Rows of no use are zero.
// RUN: girih-opt %s --girih-convert-tile-to-cpu | FileCheck %s
// RUN: girih-opt %s --girih-convert-tile-to-cpu=girih-vector-width=8 | FileCheck %s --check-prefix=HALF

// What is multiplied from the left is transposed on its way in, element by
// element: element (r, c) goes to c * 16 + r.
// CHECK-LABEL: func.func @queries_are_transposed(
// CHECK: scf.for %[[R:.*]] =
// CHECK: scf.for %[[C:.*]] =
// CHECK: %[[X:.*]] = llvm.load %{{.*}} : !llvm.ptr -> f32
// CHECK: %[[LINE:.*]] = arith.muli %[[C]], %c16_i64{{.*}} : i64
// CHECK: %[[INDEX:.*]] = arith.addi %[[LINE]], %[[R]] : i64
// CHECK: %[[AT:.*]] = llvm.getelementptr %{{.*}}[%[[INDEX]]]
// CHECK: llvm.store %[[X]], %[[AT]] : f32
// Keys are rows: read where they are when they are packed f32 rows of a whole
// tile, else copied.
// CHECK: %[[KEYS:.*]] = scf.if %{{.*}} -> (!llvm.ptr)
// CHECK: scf.yield
// CHECK: } else {
// CHECK: llvm.load %{{.*}} : !llvm.ptr -> vector<16xf32>
// CHECK: scf.yield
// One key's number meets a vector of queries.
// CHECK: llvm.getelementptr %[[KEYS]]
// CHECK: %[[NUMBER:.*]] = llvm.load %{{.*}} : !llvm.ptr -> f32
// CHECK: %[[SPREAD:.*]] = vector.broadcast %[[NUMBER]]
// CHECK: vector.fma %[[SPREAD]]
// The row maximum is vertical: no reduction within a vector.
// CHECK-NOT: vector.reduction
// CHECK: arith.select %{{.*}} : vector<16xi1>, vector<16xf32>
// CHECK: return
func.func @queries_are_transposed(%q: tensor<?x1x?x32xf32>, %k: tensor<?x1x?x32xf32>, %v: tensor<?x1x?x32xf32>, %scale: f32,
    %o: memref<?x1x?x32xf32>, %lse: memref<?x1x?xf32>) {
  %b, %h, %i = girih_tile.task
  %zero = arith.constant dense<0.0> : tensor<16x4xf32>
  %qt = girih_tile.load %q[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<16x32xf32>
  %kt = girih_tile.load %k[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<4x32xf32>
  %s = girih_tile.dot %qt, %kt transposed acc(%zero) : tensor<16x32xf32>, tensor<4x32xf32> -> tensor<16x4xf32>
  %r = girih_tile.row_reduce max %s : tensor<16x4xf32> -> tensor<16xf32>
  girih_tile.store %r, %lse[%b, %h, %i] : tensor<16xf32>, memref<?x1x?xf32>
  return
}

// bf16 rows are always copied, widened; 20 columns fill one vector and a part.
// CHECK-LABEL: func.func @odd_columns_of_bf16(
// CHECK: llvm.load %{{.*}} {alignment = 2 : i64} : !llvm.ptr -> vector<16xbf16>
// CHECK: arith.extf %{{.*}} : vector<16xbf16> to vector<16xf32>
// CHECK: %[[MASK:.*]] = arith.constant dense<[true, true, true, true, false, {{.*}}false]> : vector<16xi1>
// CHECK: llvm.intr.masked.load %{{.*}}, %[[MASK]], %{{.*}} {alignment = 2 : i32}
// Rows behind the end of the keys become zero.
// CHECK: llvm.store %cst{{.*}} : vector<16xf32>, !llvm.ptr
// Of outputs that many lanes are stored.
// CHECK: %[[STORED:.*]] = vector.extract_strided_slice %{{.*}} {offsets = [0], sizes = [4], strides = [1]}
// CHECK: llvm.store %[[STORED]], %{{.*}} {alignment = 4 : i64} : vector<4xf32>, !llvm.ptr
func.func @odd_columns_of_bf16(%q: tensor<?x1x?x32xbf16>, %k: tensor<?x1x?x32xbf16>, %v: tensor<?x1x?x20xbf16>, %scale: f32,
    %o: memref<?x1x?x20xf32>, %lse: memref<?x1x?xf32>) {
  %b, %h, %i = girih_tile.task
  %zero = arith.constant dense<0.0> : tensor<16x20xf32>
  %p = girih_tile.load %q[%b, %h, %i] : tensor<?x1x?x32xbf16> -> tensor<16x32xbf16>
  %vt = girih_tile.load %v[%b, %h, %i] : tensor<?x1x?x20xbf16> -> tensor<32x20xbf16>
  %r = girih_tile.dot %p, %vt acc(%zero) : tensor<16x32xbf16>, tensor<32x20xbf16> -> tensor<16x20xf32>
  girih_tile.store %r, %o[%b, %h, %i] : tensor<16x20xf32>, memref<?x1x?x20xf32>
  return
}

// An elementwise chain is computed where it is consumed, over its operand's own
// memory: 16 x 32 queries, 4 x 32 keys, 16 x 4 scores, one row vector.
// CHECK-LABEL: func.func @chains_are_fused(
// CHECK-SAME: girih.scratch_bytes = 2880 : i64
// CHECK: vector.fma
// CHECK: scf.for
// CHECK-NOT: scf.for
// CHECK: math.exp2 %{{.*}} : vector<16xf32>
// CHECK-NOT: scf.for
// CHECK: arith.addf
// CHECK: return
func.func @chains_are_fused(%q: tensor<?x1x?x32xf32>, %k: tensor<?x1x?x32xf32>, %v: tensor<?x1x?x32xf32>, %scale: f32,
    %o: memref<?x1x?x32xf32>, %lse: memref<?x1x?xf32>) {
  %b, %h, %i = girih_tile.task
  %zero = arith.constant dense<0.0> : tensor<16x4xf32>
  %qt = girih_tile.load %q[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<16x32xf32>
  %kt = girih_tile.load %k[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<4x32xf32>
  %s = girih_tile.dot %qt, %kt transposed acc(%zero) : tensor<16x32xf32>, tensor<4x32xf32> -> tensor<16x4xf32>
  %factor = girih_tile.splat %scale : tensor<16x4xf32>
  %x = arith.mulf %s, %factor : tensor<16x4xf32>
  %e = math.exp2 %x : tensor<16x4xf32>
  %r = girih_tile.row_reduce add %e : tensor<16x4xf32> -> tensor<16xf32>
  girih_tile.store %r, %lse[%b, %h, %i] : tensor<16xf32>, memref<?x1x?xf32>
  return
}

// A carried output is scaled in its own memory, and rows whose factor is 1 are
// left as they are.
// CHECK-LABEL: func.func @rows_are_scaled_in_place(
// CHECK: %[[MOVES:.*]] = arith.cmpf une, %{{.*}}, %cst{{.*}} : f32
// CHECK-NEXT: scf.if %[[MOVES]] {
// CHECK: arith.mulf %{{.*}} : vector<16xf32>
// CHECK: vector.fma
func.func @rows_are_scaled_in_place(%q: tensor<?x1x?x32xf32>, %k: tensor<?x1x?x32xf32>, %v: tensor<?x1x?x32xf32>, %scale: f32,
    %o: memref<?x1x?x32xf32>, %lse: memref<?x1x?xf32>) {
  %b, %h, %i = girih_tile.task
  %p = girih.full
  %map = girih.block_map %p tile [16, 32] provider table
  %zero = arith.constant dense<0.0> : tensor<16x32xf32>
  %qt = girih_tile.load %q[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<16x32xf32>
  %decay = girih_tile.splat %scale : tensor<16xf32>
  %out = girih.for_blocks (%j, %partial) of %map[%b, %h, %i] iter_args(%acc = %zero) -> (tensor<16x32xf32>) {
    %vt = girih_tile.load %v[%b, %h, %j] : tensor<?x1x?x32xf32> -> tensor<32x32xf32>
    %factor = girih_tile.broadcast %decay : tensor<16xf32> -> tensor<16x32xf32>
    %scaled = arith.mulf %acc, %factor : tensor<16x32xf32>
    %next = girih_tile.dot %qt, %vt acc(%scaled) : tensor<16x32xf32>, tensor<32x32xf32> -> tensor<16x32xf32>
    girih.yield %next : tensor<16x32xf32>
  }
  girih_tile.store %out, %o[%b, %h, %i] : tensor<16x32xf32>, memref<?x1x?x32xf32>
  return
}

// A score function sees vectors of queries and one key; scalars stay scalars
// until they meet a vector. Eight lanes are two groups of 16 queries.
// CHECK-LABEL: func.func @score_function(
// CHECK: arith.sitofp %{{.*}} : i64 to f32
// CHECK: arith.sitofp %{{.*}} : vector<16xi64> to vector<16xf32>
// HALF-LABEL: func.func @score_function(
// HALF: arith.sitofp %{{.*}} : vector<8xi64> to vector<8xf32>
// HALF: arith.sitofp %{{.*}} : vector<8xi64> to vector<8xf32>
func.func @score_function(%q: tensor<?x1x?x32xf32>, %k: tensor<?x1x?x32xf32>, %v: tensor<?x1x?x32xf32>, %scale: f32,
    %o: memref<?x1x?x32xf32>, %lse: memref<?x1x?xf32>) {
  %b, %h, %i = girih_tile.task
  %zero = arith.constant dense<0.0> : tensor<16x4xf32>
  %qt = girih_tile.load %q[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<16x32xf32>
  %kt = girih_tile.load %k[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<4x32xf32>
  %s = girih_tile.dot %qt, %kt transposed acc(%zero) : tensor<16x32xf32>, tensor<4x32xf32> -> tensor<16x4xf32>
  %x = girih_tile.map %s at [%b, %h, %i, %i] {
  ^bb0(%e: f32, %bi: index, %hi: index, %qi: index, %ki: index):
    %ki64 = arith.index_cast %ki : index to i64
    %kf = arith.sitofp %ki64 : i64 to f32
    %qi64 = arith.index_cast %qi : index to i64
    %qf = arith.sitofp %qi64 : i64 to f32
    %d = arith.subf %kf, %qf : f32
    %y = arith.addf %e, %d : f32
    girih.yield %y : f32
  } : tensor<16x4xf32>
  %r = girih_tile.row_reduce max %x : tensor<16x4xf32> -> tensor<16xf32>
  girih_tile.store %r, %lse[%b, %h, %i] : tensor<16xf32>, memref<?x1x?xf32>
  return
}
