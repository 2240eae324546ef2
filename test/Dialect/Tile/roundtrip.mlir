// Every girih_tile op survives printing and parsing: as text, in generic form and as bytecode.
// RUN: girih-opt %s | girih-opt | FileCheck %s
// RUN: girih-opt %s -mlir-print-op-generic | girih-opt | FileCheck %s
// RUN: girih-opt %s -emit-bytecode | girih-opt | FileCheck %s

// CHECK-LABEL: func @task
func.func @task() -> (index, index, index) {
  // CHECK: %[[B:.*]], %[[H:.*]], %[[I:.*]] = girih_tile.task
  %b, %h, %i = girih_tile.task
  // CHECK: return %[[B]], %[[H]], %[[I]]
  return %b, %h, %i : index, index, index
}

// CHECK-LABEL: func @memory
// CHECK-SAME: %[[K:.*]]: tensor<?x?x?x64xbf16>, %[[O:.*]]: memref<?x?x?x64xf32>, %[[L:.*]]: memref<?x?x?xf32>, %[[I:.*]]: index, %[[T:.*]]: tensor<16x64xf32>, %[[V:.*]]: tensor<16xf32>
func.func @memory(%k: tensor<?x?x?x64xbf16>, %o: memref<?x?x?x64xf32>, %l: memref<?x?x?xf32>, %i: index,
                  %t: tensor<16x64xf32>, %v: tensor<16xf32>) {
  // CHECK-NEXT: girih_tile.load %[[K]][%[[I]], %[[I]], %[[I]]] : tensor<?x?x?x64xbf16> -> tensor<32x64xbf16>
  %0 = girih_tile.load %k[%i, %i, %i] : tensor<?x?x?x64xbf16> -> tensor<32x64xbf16>
  // CHECK-NEXT: girih_tile.store %[[T]], %[[O]][%[[I]], %[[I]], %[[I]]] : tensor<16x64xf32>, memref<?x?x?x64xf32>
  girih_tile.store %t, %o[%i, %i, %i] : tensor<16x64xf32>, memref<?x?x?x64xf32>
  // CHECK-NEXT: girih_tile.store %[[V]], %[[L]][%[[I]], %[[I]], %[[I]]] : tensor<16xf32>, memref<?x?x?xf32>
  girih_tile.store %v, %l[%i, %i, %i] : tensor<16xf32>, memref<?x?x?xf32>
  return
}

// CHECK-LABEL: func @dots
// CHECK-SAME: %[[Q:.*]]: tensor<16x64xbf16>, %[[K:.*]]: tensor<32x64xbf16>, %[[V:.*]]: tensor<64x80xf32>, %[[S:.*]]: tensor<16x32xf32>, %[[O:.*]]: tensor<16x80xf32>
func.func @dots(%q: tensor<16x64xbf16>, %k: tensor<32x64xbf16>, %v: tensor<64x80xf32>, %s: tensor<16x32xf32>,
                %o: tensor<16x80xf32>) {
  // CHECK-NEXT: girih_tile.dot %[[Q]], %[[K]] transposed acc(%[[S]]) : tensor<16x64xbf16>, tensor<32x64xbf16> -> tensor<16x32xf32>
  %0 = girih_tile.dot %q, %k transposed acc(%s) : tensor<16x64xbf16>, tensor<32x64xbf16> -> tensor<16x32xf32>
  // CHECK-NEXT: girih_tile.dot %[[Q]], %[[V]] acc(%[[O]]) : tensor<16x64xbf16>, tensor<64x80xf32> -> tensor<16x80xf32>
  %1 = girih_tile.dot %q, %v acc(%o) : tensor<16x64xbf16>, tensor<64x80xf32> -> tensor<16x80xf32>
  return
}

// CHECK-LABEL: func @rows
// CHECK-SAME: %[[S:.*]]: tensor<16x32xf32>, %[[V:.*]]: tensor<16xf32>, %[[X:.*]]: f32
func.func @rows(%s: tensor<16x32xf32>, %v: tensor<16xf32>, %x: f32) {
  // CHECK-NEXT: girih_tile.row_reduce max %[[S]] : tensor<16x32xf32> -> tensor<16xf32>
  %0 = girih_tile.row_reduce max %s : tensor<16x32xf32> -> tensor<16xf32>
  // CHECK-NEXT: girih_tile.row_reduce add %[[S]] : tensor<16x32xf32> -> tensor<16xf32>
  %1 = girih_tile.row_reduce add %s : tensor<16x32xf32> -> tensor<16xf32>
  // CHECK-NEXT: girih_tile.broadcast %[[V]] : tensor<16xf32> -> tensor<16x32xf32>
  %2 = girih_tile.broadcast %v : tensor<16xf32> -> tensor<16x32xf32>
  // CHECK-NEXT: girih_tile.splat %[[X]] : tensor<16x32xf32>
  %3 = girih_tile.splat %x : tensor<16x32xf32>
  // CHECK-NEXT: girih_tile.splat %[[X]] : tensor<16xf32>
  %4 = girih_tile.splat %x : tensor<16xf32>
  return
}

// CHECK-LABEL: func @coordinates
// CHECK-SAME: %[[S:.*]]: tensor<16x32xf32>, %[[P:.*]]: !girih.pattern, %[[I:.*]]: index, %[[W:.*]]: i1
func.func @coordinates(%s: tensor<16x32xf32>, %p: !girih.pattern, %i: index, %w: i1) {
  // CHECK-NEXT: girih_tile.mask %[[S]] keep %[[P]] at[%[[I]], %[[I]], %[[I]], %[[I]]] when %[[W]] : tensor<16x32xf32>
  %0 = girih_tile.mask %s keep %p at [%i, %i, %i, %i] when %w : tensor<16x32xf32>
  // CHECK-NEXT: girih_tile.map %[[S]] at[%[[I]], %[[I]], %[[I]], %[[I]]] {
  // CHECK-NEXT: ^bb0(%[[X:.*]]: f32, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index):
  // CHECK-NEXT: girih.yield %[[X]] : f32
  // CHECK-NEXT: } : tensor<16x32xf32>
  %1 = girih_tile.map %s at [%i, %i, %i, %i] {
  ^bb0(%x: f32, %b: index, %h: index, %q: index, %k: index):
    girih.yield %x : f32
  } : tensor<16x32xf32>
  return
}
