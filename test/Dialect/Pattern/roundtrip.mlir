// Every pattern op survives printing and parsing: as text, in generic form and as bytecode.
// RUN: girih-opt %s | girih-opt | FileCheck %s
// RUN: girih-opt %s -mlir-print-op-generic | girih-opt | FileCheck %s
// RUN: girih-opt %s -emit-bytecode | girih-opt | FileCheck %s

// CHECK-LABEL: func @constants
func.func @constants() -> (!girih.pattern, !girih.pattern) {
  // CHECK: %[[ALL:.*]] = girih.full
  %all = girih.full
  // CHECK: %[[NONE:.*]] = girih.empty
  %none = girih.empty
  // CHECK: return %[[ALL]], %[[NONE]] : !girih.pattern, !girih.pattern
  return %all, %none : !girih.pattern, !girih.pattern
}

// CHECK-LABEL: func @windows
func.func @windows() {
  // CHECK-NEXT: girih.causal
  %0 = girih.causal
  // CHECK-NEXT: girih.window left = 3 right = 4
  %1 = girih.window left = 3 right = 4
  // CHECK-NEXT: girih.window left = 0
  %2 = girih.window left = 0
  // CHECK-NEXT: girih.window right = 9223372036854775807
  %3 = girih.window right = 9223372036854775807
  // CHECK-NEXT: girih.window{{$}}
  %4 = girih.window
  // CHECK-NEXT: girih.dilated left = 1 right = 2 dilation = 3
  %5 = girih.dilated left = 1 right = 2 dilation = 3
  return
}

// CHECK-LABEL: func @periodic
func.func @periodic() {
  // CHECK-NEXT: girih.strided stride = 128
  %0 = girih.strided stride = 128
  // CHECK-NEXT: girih.chunk size = 64
  %1 = girih.chunk size = 64
  // CHECK-NEXT: girih.columns period = 128 lo = 96 hi = 128
  %2 = girih.columns period = 128 lo = 96 hi = 128
  return
}

// CHECK-LABEL: func @global
func.func @global() {
  // CHECK-NEXT: girih.global_columns first = 4{{$}}
  %0 = girih.global_columns first = 4
  // CHECK-NEXT: girih.global_columns first = 4 last = 1
  %1 = girih.global_columns first = 4 last = 1
  // CHECK-NEXT: girih.global_rows first = 0 last = 2
  %2 = girih.global_rows first = 0 last = 2
  return
}

// CHECK-LABEL: func @neighborhood
func.func @neighborhood() {
  // CHECK-NEXT: girih.neighborhood grid = [48, 64] kernel = [7, 9] dilation = [1, 2] stride = [1, 3] causal = [false, true]
  %0 = girih.neighborhood grid = [48, 64] kernel = [7, 9] dilation = [1, 2] stride = [1, 3] causal = [false, true]
  return
}

// CHECK-LABEL: func @tables
// CHECK-SAME: %[[A:.*]]: tensor<?xi64>, %[[B:.*]]: tensor<9xi64>
func.func @tables(%a: tensor<?xi64>, %b: tensor<9xi64>) {
  // CHECK-NEXT: girih.segments %[[A]] : tensor<?xi64>
  %0 = girih.segments %a : tensor<?xi64>
  // CHECK-NEXT: girih.segments %[[B]] unit = 16 : tensor<9xi64>
  %1 = girih.segments %b unit = 16 : tensor<9xi64>
  // CHECK-NEXT: girih.random_blocks size = 64 count = 3 seed = -1
  %2 = girih.random_blocks size = 64 count = 3 seed = -1
  // CHECK-NEXT: girih.block_table %[[B]], %[[A]] size = 64 : tensor<9xi64>, tensor<?xi64>
  %3 = girih.block_table %b, %a size = 64 : tensor<9xi64>, tensor<?xi64>
  // CHECK-NEXT: girih.block_table %[[B]], %[[A]] size = 64 heads = 2 : tensor<9xi64>, tensor<?xi64>
  %4 = girih.block_table %b, %a size = 64 heads = 2 : tensor<9xi64>, tensor<?xi64>
  return
}

// CHECK-LABEL: func @algebra
// CHECK-SAME: %[[P:.*]]: !girih.pattern, %[[Q:.*]]: !girih.pattern
func.func @algebra(%p: !girih.pattern, %q: !girih.pattern) {
  // CHECK-NEXT: girih.union %[[P]], %[[Q]], %[[P]]
  %0 = girih.union %p, %q, %p
  // CHECK-NEXT: girih.union %[[Q]]
  %1 = girih.union %q
  // CHECK-NEXT: girih.intersect %[[P]]
  %2 = girih.intersect %p
  // CHECK-NEXT: girih.subtract %[[P]], %[[Q]]
  %3 = girih.subtract %p, %q
  // CHECK-NEXT: girih.complement %[[Q]]
  %4 = girih.complement %q
  // CHECK-NEXT: girih.blockwise %[[P]] size = 64
  %5 = girih.blockwise %p size = 64
  // CHECK-NEXT: girih.heads %[[P]], %[[Q]] first = [0, 8] last = [7, 15]
  %6 = girih.heads %p, %q first = [0, 8] last = [7, 15]
  return
}

// CHECK-LABEL: func @where
func.func @where() {
  // CHECK: girih.where #[[$SET:.*]]{{$}}
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0, k mod 2 == 0)>
  // CHECK: girih.where #[[$PRODUCT:.*]]{{$}}
  %1 = girih.where affine_set<()[b, h, q, k, nq, nk, n] : (h * k - q >= 0)>
  return
}

// CHECK-LABEL: func @predicate
func.func @predicate() {
  // CHECK: girih.predicate (%{{.*}}, %[[H:.*]], %{{.*}}, %[[K:.*]], %{{.*}}, %{{.*}}) {
  // CHECK-NEXT: %[[C:.*]] = arith.cmpi slt, %[[H]], %[[K]] : index
  // CHECK-NEXT: girih.yield %[[C]] : i1
  // CHECK-NEXT: } {note = "kept"}
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %c = arith.cmpi slt, %h, %k : index
    girih.yield %c : i1
  } {note = "kept"}
  return
}
