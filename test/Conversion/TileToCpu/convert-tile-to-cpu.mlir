// Tile kernels become functions of (launch, task, scratch) over vectors.
// RUN: girih-opt %s --girih-convert-tile-to-cpu | FileCheck %s --check-prefixes=CHECK,WIDE
// RUN: girih-opt %s --girih-convert-tile-to-cpu=girih-vector-width=8 | FileCheck %s --check-prefixes=CHECK,HALF
//
// Nothing of the tile level is left.
// RUN: girih-opt %s --girih-convert-tile-to-cpu | FileCheck %s --check-prefix=GONE
// GONE-NOT: {{girih\.[a-z_]+ [^=]|girih_tile|tensor<|memref<|: index}}
//
// Twice is once.
// RUN: girih-opt %s --girih-convert-tile-to-cpu > %t.once
// RUN: girih-opt %t.once --girih-convert-tile-to-cpu | diff %t.once -

// Arguments become the runtime's structs, which don't alias. Scratch is 64-byte
// aligned pieces: 32 x 16 queries, 32 x 16 scores...
// CHECK-LABEL: func.func @kernel(
// CHECK-SAME: %[[LAUNCH:.*]]: !llvm.ptr {llvm.noalias}, %[[TASK:.*]]: !llvm.ptr {llvm.noalias}, %[[SCRATCH:.*]]: !llvm.ptr {llvm.noalias}) attributes {girih.scratch_bytes = {{[1-9][0-9]*}} : i64}
// Batch, head and q-tile of the task; offsets are the ABI's.
// CHECK-DAG: llvm.getelementptr %[[TASK]][0] : (!llvm.ptr) -> !llvm.ptr, i8
// CHECK-DAG: llvm.getelementptr %[[TASK]][8] : (!llvm.ptr) -> !llvm.ptr, i8
// CHECK-DAG: llvm.getelementptr %[[TASK]][16] : (!llvm.ptr) -> !llvm.ptr, i8
// The runs of the task, then the tiles of a run; row statistics are carried in registers.
// CHECK: %[[RUNSAT:.*]] = llvm.getelementptr %[[TASK]][24] : (!llvm.ptr) -> !llvm.ptr, i8
// CHECK: %[[RUNS:.*]] = llvm.load %[[RUNSAT]] invariant : !llvm.ptr -> !llvm.ptr
// CHECK: %[[NUMRUNSAT:.*]] = llvm.getelementptr %[[TASK]][32] : (!llvm.ptr) -> !llvm.ptr, i8
// CHECK: %[[NUMRUNS:.*]] = llvm.load %[[NUMRUNSAT]] invariant : !llvm.ptr -> i64
// WIDE: scf.for %[[R:.*]] = %{{.*}} to %[[NUMRUNS]] step %{{.*}} iter_args(%{{.*}} = %{{.*}}) -> (vector<16xf32>)
// HALF: scf.for %[[R:.*]] = %{{.*}} to %[[NUMRUNS]] step %{{.*}} iter_args(%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}) -> (vector<8xf32>, vector<8xf32>)
// CHECK: %[[ONE:.*]] = llvm.getelementptr %[[RUNS]]
// CHECK: %[[BEGIN:.*]] = arith.extsi
// CHECK: %[[END:.*]] = arith.extsi
// CHECK: llvm.getelementptr %[[ONE]][8] : (!llvm.ptr) -> !llvm.ptr, i8
// CHECK: %[[PARTIAL:.*]] = arith.cmpi eq, %{{.*}}, %c0_i32
// CHECK: scf.for %{{.*}} = %[[BEGIN]] to %[[END]]
// WIDE: vector.fma %{{.*}} : vector<16xf32>
// HALF: vector.fma %{{.*}} : vector<8xf32>
// Masks run on partial tiles only.
// CHECK: scf.if %[[PARTIAL]] {
// LSE may be absent.
// CHECK: %[[NULL:.*]] = llvm.mlir.zero : !llvm.ptr
// CHECK: %[[PRESENT:.*]] = llvm.icmp "ne" %{{.*}}, %[[NULL]]
// CHECK: scf.if %[[PRESENT]] {
// CHECK: return{{$}}
func.func @kernel(%q: tensor<?x1x?x32xf32>, %k: tensor<?x1x?x32xf32>, %v: tensor<?x1x?x32xf32>, %scale: f32,
                  %o: memref<?x1x?x32xf32>, %lse: memref<?x1x?xf32>) {
  %b, %h, %i = girih_tile.task
  %p = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0)>
  %map = girih.block_map %p tile [16, 32] provider table
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %row = arith.muli %i, %c16 : index
  %zero = arith.constant dense<0.0> : tensor<16x32xf32>
  %low = arith.constant dense<0xFF800000> : tensor<16xf32>
  %qt = girih_tile.load %q[%b, %h, %row] : tensor<?x1x?x32xf32> -> tensor<16x32xf32>
  %peak = girih.for_blocks (%j, %partial) of %map[%b, %h, %i] iter_args(%m = %low) -> (tensor<16xf32>) {
    %first = arith.muli %j, %c32 : index
    %kt = girih_tile.load %k[%b, %h, %first] : tensor<?x1x?x32xf32> -> tensor<32x32xf32>
    %s = girih_tile.dot %qt, %kt transposed acc(%zero) : tensor<16x32xf32>, tensor<32x32xf32> -> tensor<16x32xf32>
    %masked = girih_tile.mask %s keep %p at [%b, %h, %row, %first] when %partial : tensor<16x32xf32>
    %max = girih_tile.row_reduce max %masked : tensor<16x32xf32> -> tensor<16xf32>
    %next = arith.maxnumf %m, %max : tensor<16xf32>
    girih.yield %next : tensor<16xf32>
  }
  girih_tile.store %peak, %lse[%b, %h, %row] : tensor<16xf32>, memref<?x1x?xf32>
  return
}

// CHECK-LABEL: func.func @leaves_other_functions_alone(
// CHECK-SAME: %[[X:.*]]: f32) -> f32
// CHECK-NEXT: return %[[X]]
func.func @leaves_other_functions_alone(%x: f32) -> f32 {
  return %x : f32
}
