// Masks compute each part of a pattern as often as it changes, in lanes of queries.
// RUN: girih-opt %s --girih-convert-tile-to-cpu | FileCheck %s

// What reads the query is a vector for each group of 16 queries, before the loop
// over columns. What reads the key is a scalar in it. The bound of the key is
// part of every mask, and dropped scores are -inf.
// CHECK-LABEL: func.func @causal(
// CHECK: scf.if %true
// CHECK: %[[LENAT:.*]] = llvm.getelementptr %arg0[336]
// CHECK: %[[LEN:.*]] = llvm.load %[[LENAT]] invariant : !llvm.ptr -> i64
// CHECK: %[[Q0:.*]] = arith.addi %{{.*}} : vector<16xi32>
// CHECK: %[[Q1:.*]] = arith.addi %{{.*}} : vector<16xi32>
// CHECK: %[[INF:.*]] = arith.constant dense<0xFF800000> : vector<16xf32>
// CHECK: scf.for
// CHECK: %[[INSIDE:.*]] = arith.cmpi slt, %[[KEY:.*]], %[[LEN]] : i64
// CHECK: %[[NARROW:.*]] = arith.trunci %[[KEY]] : i64 to i32
// CHECK: arith.muli %[[NARROW]], %c-1_i32{{.*}} : i32
// CHECK: %[[D0:.*]] = arith.addi %[[Q0]], %{{.*}} : vector<16xi32>
// CHECK: %[[HOLDS:.*]] = arith.cmpi sge, %[[D0]]
// CHECK: %[[BOUND:.*]] = vector.broadcast %[[INSIDE]] : i1 to vector<16xi1>
// CHECK: %[[KEEP:.*]] = arith.andi %[[HOLDS]], %[[BOUND]] : vector<16xi1>
// CHECK: arith.select %[[KEEP]], %{{.*}}, %[[INF]]
// CHECK: %[[D1:.*]] = arith.addi %[[Q1]], %{{.*}} : vector<16xi32>
func.func @causal(%q: tensor<?x1x?x32xf32>, %k: tensor<?x1x?x32xf32>, %v: tensor<?x1x?x32xf32>, %scale: f32,
    %o: memref<?x1x?x32xf32>, %lse: memref<?x1x?xf32>) {
  %b, %h, %i = girih_tile.task
  %zero = arith.constant dense<0.0> : tensor<32x4xf32>
  %partial = arith.constant true
  %p = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0)>
  %qt = girih_tile.load %q[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<32x32xf32>
  %kt = girih_tile.load %k[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<4x32xf32>
  %s = girih_tile.dot %qt, %kt transposed acc(%zero) : tensor<32x32xf32>, tensor<4x32xf32> -> tensor<32x4xf32>
  %m = girih_tile.mask %s keep %p at [%b, %h, %i, %i] when %partial : tensor<32x4xf32>
  %r = girih_tile.row_reduce max %m : tensor<32x4xf32> -> tensor<32xf32>
  girih_tile.store %r, %lse[%b, %h, %i] : tensor<32xf32>, memref<?x1x?xf32>
  return
}

// Division of the query happens before the loop, that of the key once a column.
// CHECK-LABEL: func.func @rates(
// CHECK: scf.if %true
// CHECK: arith.shrsi %{{.*}} : vector<16xi32>
// CHECK: arith.shrsi %{{.*}} : vector<16xi32>
// CHECK: scf.for
// CHECK-NOT: arith.shrsi %{{.*}} : vector<16xi32>
// CHECK: arith.shrsi %{{.*}} : i32
// CHECK-NOT: arith.shrsi
// CHECK: arith.select
func.func @rates(%q: tensor<?x1x?x32xf32>, %k: tensor<?x1x?x32xf32>, %v: tensor<?x1x?x32xf32>, %scale: f32,
    %o: memref<?x1x?x32xf32>, %lse: memref<?x1x?xf32>) {
  %b, %h, %i = girih_tile.task
  %zero = arith.constant dense<0.0> : tensor<32x4xf32>
  %partial = arith.constant true
  %p = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q floordiv 64 - k floordiv 64 == 0)>
  %qt = girih_tile.load %q[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<32x32xf32>
  %kt = girih_tile.load %k[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<4x32xf32>
  %s = girih_tile.dot %qt, %kt transposed acc(%zero) : tensor<32x32xf32>, tensor<4x32xf32> -> tensor<32x4xf32>
  %m = girih_tile.mask %s keep %p at [%b, %h, %i, %i] when %partial : tensor<32x4xf32>
  %r = girih_tile.row_reduce max %m : tensor<32x4xf32> -> tensor<32xf32>
  girih_tile.store %r, %lse[%b, %h, %i] : tensor<32xf32>, memref<?x1x?xf32>
  return
}

// What reads neither is one scalar, whatever it costs.
// CHECK-LABEL: func.func @uniform(
// CHECK: scf.if %true
// CHECK: %[[HALF:.*]] = arith.divui %{{.*}} : i32
// CHECK: scf.for
// CHECK-NOT: arith.divui
// CHECK: return
func.func @uniform(%q: tensor<?x1x?x32xf32>, %k: tensor<?x1x?x32xf32>, %v: tensor<?x1x?x32xf32>, %scale: f32,
    %o: memref<?x1x?x32xf32>, %lse: memref<?x1x?xf32>) {
  %b, %h, %i = girih_tile.task
  %zero = arith.constant dense<0.0> : tensor<32x4xf32>
  %partial = arith.constant true
  %p = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (nk floordiv 3 - k >= 0)>
  %qt = girih_tile.load %q[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<32x32xf32>
  %kt = girih_tile.load %k[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<4x32xf32>
  %s = girih_tile.dot %qt, %kt transposed acc(%zero) : tensor<32x32xf32>, tensor<4x32xf32> -> tensor<32x4xf32>
  %m = girih_tile.mask %s keep %p at [%b, %h, %i, %i] when %partial : tensor<32x4xf32>
  %r = girih_tile.row_reduce max %m : tensor<32x4xf32> -> tensor<32xf32>
  girih_tile.store %r, %lse[%b, %h, %i] : tensor<32xf32>, memref<?x1x?xf32>
  return
}

// Floor division of what may be negative corrects the quotient; a remainder of a
// power of two is a mask in two's complement.
// CHECK-LABEL: func.func @negative_dividends(
// CHECK: scf.if %true
// CHECK: %[[QUOTIENT:.*]] = arith.divsi %[[X:.*]], %{{.*}} : vector<16xi32>
// CHECK: %[[PRODUCT:.*]] = arith.muli %[[QUOTIENT]]
// CHECK: %[[BELOW:.*]] = arith.cmpi slt, %[[X]], %[[PRODUCT]]
// CHECK: %[[MINUSONE:.*]] = arith.extsi %[[BELOW]] : vector<16xi1> to vector<16xi32>
// CHECK: arith.addi %[[QUOTIENT]], %[[MINUSONE]]
// CHECK: %[[SEVEN:.*]] = arith.constant dense<7> : vector<16xi32>
// CHECK: arith.andi %{{.*}}, %[[SEVEN]] : vector<16xi32>
func.func @negative_dividends(%q: tensor<?x1x?x32xf32>, %k: tensor<?x1x?x32xf32>, %v: tensor<?x1x?x32xf32>, %scale: f32,
    %o: memref<?x1x?x32xf32>, %lse: memref<?x1x?xf32>) {
  %b, %h, %i = girih_tile.task
  %zero = arith.constant dense<0.0> : tensor<32x4xf32>
  %partial = arith.constant true
  %p = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q floordiv 3 + q mod 8 - k >= 0)>
  %qt = girih_tile.load %q[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<32x32xf32>
  %kt = girih_tile.load %k[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<4x32xf32>
  %s = girih_tile.dot %qt, %kt transposed acc(%zero) : tensor<32x32xf32>, tensor<4x32xf32> -> tensor<32x4xf32>
  %m = girih_tile.mask %s keep %p at [%b, %h, %i, %i] when %partial : tensor<32x4xf32>
  %r = girih_tile.row_reduce max %m : tensor<32x4xf32> -> tensor<32xf32>
  girih_tile.store %r, %lse[%b, %h, %i] : tensor<32xf32>, memref<?x1x?xf32>
  return
}

// A value that may leave 32 bits for 2^26 tokens makes all lanes 64 bits.
// CHECK-LABEL: func.func @wide_lanes(
// CHECK: scf.if %true
// CHECK-NOT: vector<16xi32>
// CHECK: arith.cmpi sge, %{{.*}} : vector<16xi64>
// CHECK: return
func.func @wide_lanes(%q: tensor<?x1x?x32xf32>, %k: tensor<?x1x?x32xf32>, %v: tensor<?x1x?x32xf32>, %scale: f32,
    %o: memref<?x1x?x32xf32>, %lse: memref<?x1x?xf32>) {
  %b, %h, %i = girih_tile.task
  %zero = arith.constant dense<0.0> : tensor<32x4xf32>
  %partial = arith.constant true
  %p = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q * 64 - k >= 0)>
  %qt = girih_tile.load %q[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<32x32xf32>
  %kt = girih_tile.load %k[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<4x32xf32>
  %s = girih_tile.dot %qt, %kt transposed acc(%zero) : tensor<32x32xf32>, tensor<4x32xf32> -> tensor<32x4xf32>
  %m = girih_tile.mask %s keep %p at [%b, %h, %i, %i] when %partial : tensor<32x4xf32>
  %r = girih_tile.row_reduce max %m : tensor<32x4xf32> -> tensor<32xf32>
  girih_tile.store %r, %lse[%b, %h, %i] : tensor<32xf32>, memref<?x1x?xf32>
  return
}

// 2^26 * 31 + 2^26 is 2^31, one too many; 2^31 - 1 fits.
// CHECK-LABEL: func.func @just_too_wide(
// CHECK: arith.cmpi sge, %{{.*}} : vector<16xi64>
// CHECK-LABEL: func.func @just_fits(
// CHECK: arith.cmpi sge, %{{.*}} : vector<16xi32>
func.func @just_too_wide(%q: tensor<?x1x?x32xf32>, %k: tensor<?x1x?x32xf32>, %v: tensor<?x1x?x32xf32>, %scale: f32,
    %o: memref<?x1x?x32xf32>, %lse: memref<?x1x?xf32>) {
  %b, %h, %i = girih_tile.task
  %zero = arith.constant dense<0.0> : tensor<32x4xf32>
  %partial = arith.constant true
  %p = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q * 31 - k >= 0)>
  %qt = girih_tile.load %q[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<32x32xf32>
  %kt = girih_tile.load %k[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<4x32xf32>
  %s = girih_tile.dot %qt, %kt transposed acc(%zero) : tensor<32x32xf32>, tensor<4x32xf32> -> tensor<32x4xf32>
  %m = girih_tile.mask %s keep %p at [%b, %h, %i, %i] when %partial : tensor<32x4xf32>
  %r = girih_tile.row_reduce max %m : tensor<32x4xf32> -> tensor<32xf32>
  girih_tile.store %r, %lse[%b, %h, %i] : tensor<32xf32>, memref<?x1x?xf32>
  return
}

func.func @just_fits(%q: tensor<?x1x?x32xf32>, %k: tensor<?x1x?x32xf32>, %v: tensor<?x1x?x32xf32>, %scale: f32,
    %o: memref<?x1x?x32xf32>, %lse: memref<?x1x?xf32>) {
  %b, %h, %i = girih_tile.task
  %zero = arith.constant dense<0.0> : tensor<32x4xf32>
  %partial = arith.constant true
  %p = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q * 31 + 67108863 >= 0)>
  %qt = girih_tile.load %q[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<32x32xf32>
  %kt = girih_tile.load %k[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<4x32xf32>
  %s = girih_tile.dot %qt, %kt transposed acc(%zero) : tensor<32x32xf32>, tensor<4x32xf32> -> tensor<32x4xf32>
  %m = girih_tile.mask %s keep %p at [%b, %h, %i, %i] when %partial : tensor<32x4xf32>
  %r = girih_tile.row_reduce max %m : tensor<32x4xf32> -> tensor<32xf32>
  girih_tile.store %r, %lse[%b, %h, %i] : tensor<32xf32>, memref<?x1x?xf32>
  return
}

// Boolean algebra is on bits, scalar where it can be.
// CHECK-LABEL: func.func @algebra(
// CHECK: scf.if %true
// CHECK: %[[A:.*]] = arith.cmpi sge, %{{.*}} : vector<16xi32>
// CHECK: %[[B:.*]] = arith.cmpi eq, %{{.*}} : i32
// CHECK: %[[NOT:.*]] = arith.xori %[[B]], %true{{.*}} : i1
// CHECK: %[[SPREAD:.*]] = vector.broadcast %[[NOT]] : i1 to vector<16xi1>
// CHECK: arith.ori %[[A]], %[[SPREAD]] : vector<16xi1>
func.func @algebra(%q: tensor<?x1x?x32xf32>, %k: tensor<?x1x?x32xf32>, %v: tensor<?x1x?x32xf32>, %scale: f32,
    %o: memref<?x1x?x32xf32>, %lse: memref<?x1x?xf32>) {
  %b, %h, %i = girih_tile.task
  %zero = arith.constant dense<0.0> : tensor<32x4xf32>
  %partial = arith.constant true
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0)>
  %1 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (k mod 5 == 0)>
  %2 = girih.complement %1
  %p = girih.union %0, %2
  %qt = girih_tile.load %q[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<32x32xf32>
  %kt = girih_tile.load %k[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<4x32xf32>
  %s = girih_tile.dot %qt, %kt transposed acc(%zero) : tensor<32x32xf32>, tensor<4x32xf32> -> tensor<32x4xf32>
  %m = girih_tile.mask %s keep %p at [%b, %h, %i, %i] when %partial : tensor<32x4xf32>
  %r = girih_tile.row_reduce max %m : tensor<32x4xf32> -> tensor<32xf32>
  girih_tile.store %r, %lse[%b, %h, %i] : tensor<32xf32>, memref<?x1x?xf32>
  return
}

// Full tiles at the end of the keys: only the bound is left.
// CHECK-LABEL: func.func @bounds_only(
// CHECK: scf.if %true
// CHECK: arith.cmpi slt, %{{.*}} : i64
// CHECK-NOT: arith.cmpi
// CHECK: arith.select
func.func @bounds_only(%q: tensor<?x1x?x32xf32>, %k: tensor<?x1x?x32xf32>, %v: tensor<?x1x?x32xf32>, %scale: f32,
    %o: memref<?x1x?x32xf32>, %lse: memref<?x1x?xf32>) {
  %b, %h, %i = girih_tile.task
  %zero = arith.constant dense<0.0> : tensor<32x4xf32>
  %partial = arith.constant true
  %p = girih.full
  %qt = girih_tile.load %q[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<32x32xf32>
  %kt = girih_tile.load %k[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<4x32xf32>
  %s = girih_tile.dot %qt, %kt transposed acc(%zero) : tensor<32x32xf32>, tensor<4x32xf32> -> tensor<32x4xf32>
  %m = girih_tile.mask %s keep %p at [%b, %h, %i, %i] when %partial : tensor<32x4xf32>
  %r = girih_tile.row_reduce max %m : tensor<32x4xf32> -> tensor<32xf32>
  girih_tile.store %r, %lse[%b, %h, %i] : tensor<32xf32>, memref<?x1x?xf32>
  return
}

// Segment ids of the queries are gathered once a tile, -1 outside; that of the
// key is loaded once a column.
// CHECK-LABEL: func.func @segments(
// CHECK: scf.if %true
// CHECK: llvm.intr.masked.gather {{.*}} vector<16xi32>
// CHECK: llvm.intr.masked.gather {{.*}} vector<16xi32>
// CHECK: scf.for
// CHECK-NOT: llvm.intr.masked.gather
// CHECK: %[[ID:.*]] = llvm.load %{{.*}} : !llvm.ptr -> i32
// CHECK: %[[IDS:.*]] = vector.broadcast %[[ID]] : i32 to vector<16xi32>
// CHECK: arith.cmpi eq, %{{.*}}, %[[IDS]] : vector<16xi32>
func.func @segments(%q: tensor<?x1x?x32xf32>, %k: tensor<?x1x?x32xf32>, %v: tensor<?x1x?x32xf32>, %scale: f32, %t: tensor<?xi64>,
    %o: memref<?x1x?x32xf32>, %lse: memref<?x1x?xf32>) {
  %b, %h, %i = girih_tile.task
  %zero = arith.constant dense<0.0> : tensor<32x4xf32>
  %partial = arith.constant true
  %p = girih.segments %t unit = 4 : tensor<?xi64>
  %qt = girih_tile.load %q[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<32x32xf32>
  %kt = girih_tile.load %k[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<4x32xf32>
  %s = girih_tile.dot %qt, %kt transposed acc(%zero) : tensor<32x32xf32>, tensor<4x32xf32> -> tensor<32x4xf32>
  %m = girih_tile.mask %s keep %p at [%b, %h, %i, %i] when %partial : tensor<32x4xf32>
  %r = girih_tile.row_reduce max %m : tensor<32x4xf32> -> tensor<32xf32>
  girih_tile.store %r, %lse[%b, %h, %i] : tensor<32xf32>, memref<?x1x?xf32>
  return
}

// The runtime answers for a column and 16 queries at once, a bit for each; the launch
// has its function. The second table stands 96 bytes behind the first.
// CHECK-LABEL: func.func @tables(
// CHECK: scf.if %true
// CHECK: llvm.getelementptr %{{.*}}[96] : (!llvm.ptr) -> !llvm.ptr, i8
// CHECK: %[[FIELD:.*]] = llvm.getelementptr %{{.*}}[384] : (!llvm.ptr) -> !llvm.ptr, i8
// CHECK: %[[FUNCTION:.*]] = llvm.load %[[FIELD]]
// CHECK: %[[BITS:.*]] = llvm.call %[[FUNCTION]](%{{.*}}, %c16_i32{{.*}}) : !llvm.ptr, (!llvm.ptr, i64, i64, i64, i32) -> i32
// CHECK: %[[SPREAD:.*]] = vector.broadcast %[[BITS]] : i32 to vector<16xi32>
// CHECK: %[[BIT:.*]] = arith.andi %[[SPREAD]]
// CHECK: arith.cmpi ne, %[[BIT]]
func.func @tables(%q: tensor<?x1x?x32xf32>, %k: tensor<?x1x?x32xf32>, %v: tensor<?x1x?x32xf32>, %scale: f32, %t: tensor<?xi64>, %u: tensor<?xi64>,
    %o: memref<?x1x?x32xf32>, %lse: memref<?x1x?xf32>) {
  %b, %h, %i = girih_tile.task
  %zero = arith.constant dense<0.0> : tensor<32x4xf32>
  %partial = arith.constant true
  %0 = girih.random_blocks size = 64 count = 3 seed = 0
  %1 = girih.block_table %t, %u size = 64 : tensor<?xi64>, tensor<?xi64>
  %p = girih.intersect %0, %1
  %qt = girih_tile.load %q[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<32x32xf32>
  %kt = girih_tile.load %k[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<4x32xf32>
  %s = girih_tile.dot %qt, %kt transposed acc(%zero) : tensor<32x32xf32>, tensor<4x32xf32> -> tensor<32x4xf32>
  %m = girih_tile.mask %s keep %p at [%b, %h, %i, %i] when %partial : tensor<32x4xf32>
  %r = girih_tile.row_reduce max %m : tensor<32x4xf32> -> tensor<32xf32>
  girih_tile.store %r, %lse[%b, %h, %i] : tensor<32xf32>, memref<?x1x?xf32>
  return
}
