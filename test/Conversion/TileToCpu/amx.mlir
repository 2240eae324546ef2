// Products of bf16 in AMX tiles: registers 0 to 3 are results, 4 and 5 lines, 6 and 7 pairs.
// RUN: girih-opt %s --girih-convert-tile-to-cpu='girih-bf16-dots girih-amx' | FileCheck %s

// One configuration for a task: palette 1, eight tiles of 16 lines of 64 bytes.
// CHECK-LABEL: func.func @scores(
// CHECK: llvm.store %{{.*}} {alignment = 64 : i64} : vector<64xi8>, !llvm.ptr
// CHECK: llvm.call_intrinsic "llvm.x86.ldtilecfg"
// Rows of 64 bf16 end where a tile does: whole tiles are read where they lie.
// CHECK: %[[LINES:.*]]:2 = scf.if %{{.*}} -> (!llvm.ptr, i64)
// CHECK-NOT: tileloadd64
// CHECK: %[[ZERO:.*]] = arith.constant 0 : i8
// CHECK-NEXT: llvm.call_intrinsic "llvm.x86.tilezero"(%[[ZERO]])
// CHECK-COUNT-3: llvm.call_intrinsic "llvm.x86.tilezero"
// Of each of two steps along the depth: keys, queries, products.
// CHECK: %[[FOUR:.*]] = arith.constant 4 : i8
// CHECK-NEXT: llvm.call_intrinsic "llvm.x86.tileloadd64"(%[[FOUR]], %{{.*}}, %[[LINES]]#1)
// CHECK: llvm.call_intrinsic "llvm.x86.tileloadd64"(%{{.*}}, %{{.*}}, %[[LINES]]#1)
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.x86.tileloadd64"
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.tdpbf16ps"
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.tileloadd64"
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.tdpbf16ps"
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.tilestored64"
// CHECK-NOT: llvm.x86.t
// CHECK: llvm.call_intrinsic "llvm.x86.tilerelease"()
// CHECK-NEXT: return
func.func @scores(%q: tensor<?x1x?x64xbf16>, %k: tensor<?x1x?x64xbf16>, %v: tensor<?x1x?x64xbf16>, %scale: f32,
    %o: memref<?x1x?x64xf32>, %lse: memref<?x1x?xf32>) {
  %b, %h, %i = girih_tile.task
  %zero = arith.constant dense<0.0> : tensor<32x32xf32>
  %qt = girih_tile.load %q[%b, %h, %i] : tensor<?x1x?x64xbf16> -> tensor<32x64xbf16>
  %kt = girih_tile.load %k[%b, %h, %i] : tensor<?x1x?x64xbf16> -> tensor<32x64xbf16>
  %s = girih_tile.dot %qt, %kt transposed acc(%zero) : tensor<32x64xbf16>, tensor<32x64xbf16> -> tensor<32x32xf32>
  %r = girih_tile.row_reduce max %s : tensor<32x32xf32> -> tensor<32xf32>
  girih_tile.store %r, %lse[%b, %h, %i] : tensor<32xf32>, memref<?x1x?xf32>
  return
}

// Probabilities are packed as for products of pairs, then transposed in squares of 16 by 16.
// 20 columns of values are two tiles. Keys of 40 columns are copied, with zeros behind them.
// CHECK-LABEL: func.func @output(
// CHECK: llvm.call_intrinsic "llvm.x86.ldtilecfg"
// CHECK-NOT: scf.if
// CHECK: llvm.intr.masked.load {{.*}} : (!llvm.ptr, vector<32xi1>, vector<32xbf16>) -> vector<32xbf16>
// CHECK: llvm.call_intrinsic "llvm.x86.tdpbf16ps"
// CHECK: math.exp2
// CHECK: llvm.call_intrinsic "llvm.x86.avx512bf16.cvtne2ps2bf16.512"
// CHECK-COUNT-16: llvm.load %{{.*}} {alignment = 4 : i64} : !llvm.ptr -> vector<16xf32>
// CHECK: vector.shuffle %{{.*}}, %{{.*}} [0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23] : vector<16xf32>, vector<16xf32>
// CHECK: vector.shuffle %{{.*}}, %{{.*}} [8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31] : vector<16xf32>, vector<16xf32>
// CHECK-COUNT-62: vector.shuffle
// CHECK-COUNT-16: llvm.store
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.x86.tilezero"
// CHECK-COUNT-3: llvm.call_intrinsic "llvm.x86.tileloadd64"
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.x86.tdpbf16ps"
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.x86.tilestored64"
// CHECK: llvm.call_intrinsic "llvm.x86.tilerelease"()
func.func @output(%q: tensor<?x1x?x40xbf16>, %k: tensor<?x1x?x40xbf16>, %v: tensor<?x1x?x20xbf16>, %scale: f32,
    %o: memref<?x1x?x20xf32>, %lse: memref<?x1x?xf32>) {
  %b, %h, %i = girih_tile.task
  %zero = arith.constant dense<0.0> : tensor<16x20xf32>
  %none = arith.constant dense<0.0> : tensor<16x32xf32>
  %qt = girih_tile.load %q[%b, %h, %i] : tensor<?x1x?x40xbf16> -> tensor<16x40xbf16>
  %kt = girih_tile.load %k[%b, %h, %i] : tensor<?x1x?x40xbf16> -> tensor<32x40xbf16>
  %s = girih_tile.dot %qt, %kt transposed acc(%none) : tensor<16x40xbf16>, tensor<32x40xbf16> -> tensor<16x32xf32>
  %p = math.exp2 %s : tensor<16x32xf32>
  %vt = girih_tile.load %v[%b, %h, %i] : tensor<?x1x?x20xbf16> -> tensor<32x20xbf16>
  %pt = arith.truncf %p : tensor<16x32xf32> to tensor<16x32xbf16>
  %r = girih_tile.dot %pt, %vt acc(%zero) : tensor<16x32xbf16>, tensor<32x20xbf16> -> tensor<16x20xf32>
  girih_tile.store %r, %o[%b, %h, %i] : tensor<16x20xf32>, memref<?x1x?x20xf32>
  return
}

// 8 keys are no tile: products of pairs, and nothing to configure.
// CHECK-LABEL: func.func @few_keys(
// CHECK-NOT: llvm.x86.{{t|ldtilecfg}}
// CHECK: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"
// CHECK: return
func.func @few_keys(%q: tensor<?x1x?x64xbf16>, %k: tensor<?x1x?x64xbf16>, %v: tensor<?x1x?x64xbf16>, %scale: f32,
    %o: memref<?x1x?x64xf32>, %lse: memref<?x1x?xf32>) {
  %b, %h, %i = girih_tile.task
  %zero = arith.constant dense<0.0> : tensor<16x8xf32>
  %qt = girih_tile.load %q[%b, %h, %i] : tensor<?x1x?x64xbf16> -> tensor<16x64xbf16>
  %kt = girih_tile.load %k[%b, %h, %i] : tensor<?x1x?x64xbf16> -> tensor<8x64xbf16>
  %s = girih_tile.dot %qt, %kt transposed acc(%zero) : tensor<16x64xbf16>, tensor<8x64xbf16> -> tensor<16x8xf32>
  %r = girih_tile.row_reduce max %s : tensor<16x8xf32> -> tensor<16xf32>
  girih_tile.store %r, %lse[%b, %h, %i] : tensor<16xf32>, memref<?x1x?xf32>
  return
}
