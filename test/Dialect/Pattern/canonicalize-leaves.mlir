// Leaves take their shortest form; those that skip something stay as they are.
// RUN: girih-opt %s -canonicalize | FileCheck %s
// RUN: girih-opt %s -canonicalize -o %t.once && girih-opt %t.once -canonicalize | diff %t.once -

// CHECK-LABEL: func @window_forms
// CHECK-DAG: %[[ALL:.*]] = girih.full
// CHECK-DAG: %[[CAUSAL:.*]] = girih.causal
// CHECK-DAG: %[[LEFT:.*]] = girih.window left = 0
// CHECK: return %[[ALL]], %[[CAUSAL]], %[[LEFT]]
func.func @window_forms() -> (!girih.pattern, !girih.pattern, !girih.pattern) {
  %0 = girih.window
  %1 = girih.window right = 0
  %2 = girih.window left = 0
  return %0, %1, %2 : !girih.pattern, !girih.pattern, !girih.pattern
}

// CHECK-LABEL: func @dilated_forms
// CHECK: %[[NEAR:.*]] = girih.window left = 3 right = 5
// CHECK: %[[SELF:.*]] = girih.window left = 0 right = 0
// CHECK: %[[TAPS:.*]] = girih.dilated left = 0 right = 1 dilation = 2
// CHECK: return %[[NEAR]], %[[SELF]], %[[TAPS]]
func.func @dilated_forms() -> (!girih.pattern, !girih.pattern, !girih.pattern) {
  %0 = girih.dilated left = 3 right = 5 dilation = 1
  %1 = girih.dilated left = 0 right = 0 dilation = 7
  %2 = girih.dilated left = 0 right = 1 dilation = 2
  return %0, %1, %2 : !girih.pattern, !girih.pattern, !girih.pattern
}

// CHECK-LABEL: func @strided_forms
// CHECK-DAG: %[[ALL:.*]] = girih.full
// CHECK-DAG: %[[STRIDED:.*]] = girih.strided stride = 2
// CHECK: return %[[ALL]], %[[STRIDED]]
func.func @strided_forms() -> (!girih.pattern, !girih.pattern) {
  %0 = girih.strided stride = 1
  %1 = girih.strided stride = 2
  return %0, %1 : !girih.pattern, !girih.pattern
}

// CHECK-LABEL: func @chunk_forms
// CHECK: %[[SELF:.*]] = girih.window left = 0 right = 0
// CHECK: %[[CHUNK:.*]] = girih.chunk size = 2
// CHECK: return %[[SELF]], %[[CHUNK]]
func.func @chunk_forms() -> (!girih.pattern, !girih.pattern) {
  %0 = girih.chunk size = 1
  %1 = girih.chunk size = 2
  return %0, %1 : !girih.pattern, !girih.pattern
}

// CHECK-LABEL: func @columns_forms
// CHECK-DAG: %[[ALL:.*]] = girih.full
// CHECK-DAG: %[[NONE:.*]] = girih.empty
// CHECK-DAG: %[[STRIP:.*]] = girih.columns period = 4 lo = 1 hi = 4
// CHECK: return %[[NONE]], %[[ALL]], %[[STRIP]]
func.func @columns_forms() -> (!girih.pattern, !girih.pattern, !girih.pattern) {
  %0 = girih.columns period = 4 lo = 2 hi = 2
  %1 = girih.columns period = 4 lo = 0 hi = 4
  %2 = girih.columns period = 4 lo = 1 hi = 4
  return %0, %1, %2 : !girih.pattern, !girih.pattern, !girih.pattern
}

// CHECK-LABEL: func @no_global_column
// CHECK-DAG: %[[NONE:.*]] = girih.empty
// CHECK-DAG: %[[LAST:.*]] = girih.global_columns first = 0 last = 1
// CHECK: return %[[NONE]], %[[LAST]]
func.func @no_global_column() -> (!girih.pattern, !girih.pattern) {
  %0 = girih.global_columns first = 0
  %1 = girih.global_columns first = 0 last = 1
  return %0, %1 : !girih.pattern, !girih.pattern
}

// A query at a negative position comes before row 0.
// CHECK-LABEL: func @no_global_row_stays
// CHECK: girih.global_rows first = 0
func.func @no_global_row_stays() -> !girih.pattern {
  %0 = girih.global_rows first = 0
  return %0 : !girih.pattern
}

// CHECK-LABEL: func @no_random_block
// CHECK: %[[NONE:.*]] = girih.empty
// CHECK-NEXT: return %[[NONE]]
func.func @no_random_block() -> !girih.pattern {
  %0 = girih.random_blocks size = 64 count = 0 seed = 1
  return %0 : !girih.pattern
}

// CHECK-LABEL: func @subtract_from_full
// CHECK-SAME: %[[P:.*]]: !girih.pattern
// CHECK-NEXT: girih.complement %[[P]]
func.func @subtract_from_full(%p: !girih.pattern) -> !girih.pattern {
  %all = girih.full
  %0 = girih.subtract %all, %p
  return %0 : !girih.pattern
}

// CHECK-LABEL: func @chunk_of_blocks
// CHECK: %[[A:.*]] = girih.chunk size = 128
// CHECK: %[[B:.*]] = girih.chunk size = 64
// CHECK: return %[[A]], %[[B]]
func.func @chunk_of_blocks() -> (!girih.pattern, !girih.pattern) {
  %chunk = girih.chunk size = 2
  %self = girih.window left = 0 right = 0
  %0 = girih.blockwise %chunk size = 64
  %1 = girih.blockwise %self size = 64
  return %0, %1 : !girih.pattern, !girih.pattern
}

// A window of blocks is no window of tokens.
// CHECK-LABEL: func @window_of_blocks_stays
// CHECK: girih.blockwise %{{.*}} size = 64
func.func @window_of_blocks_stays() -> !girih.pattern {
  %near = girih.window left = 0 right = 1
  %0 = girih.blockwise %near size = 64
  return %0 : !girih.pattern
}
