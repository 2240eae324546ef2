// Unions and intersections flatten, and leaves of a kind merge where that is exact.
// RUN: girih-opt %s -canonicalize | FileCheck %s
// RUN: girih-opt %s -canonicalize -o %t.once && girih-opt %t.once -canonicalize | diff %t.once -

// CHECK-LABEL: func @flattens_unions
// CHECK-SAME: %[[P:.*]]: !girih.pattern, %[[Q:.*]]: !girih.pattern, %[[R:.*]]: !girih.pattern
// CHECK-NEXT: %[[U:.*]] = girih.union %[[P]], %[[Q]], %[[R]]
// CHECK-NEXT: return %[[U]]
func.func @flattens_unions(%p: !girih.pattern, %q: !girih.pattern, %r: !girih.pattern) -> !girih.pattern {
  %0 = girih.union %p, %q
  %1 = girih.union %q, %r
  %2 = girih.union %0, %1
  return %2 : !girih.pattern
}

// CHECK-LABEL: func @flattens_intersections
// CHECK-SAME: %[[P:.*]]: !girih.pattern, %[[Q:.*]]: !girih.pattern, %[[R:.*]]: !girih.pattern
// CHECK-NEXT: %[[I:.*]] = girih.intersect %[[P]], %[[Q]], %[[R]]
// CHECK-NEXT: return %[[I]]
func.func @flattens_intersections(%p: !girih.pattern, %q: !girih.pattern, %r: !girih.pattern) -> !girih.pattern {
  %0 = girih.intersect %p, %q
  %1 = girih.intersect %0, %r
  return %1 : !girih.pattern
}

// CHECK-LABEL: func @keeps_mixed_nesting
// CHECK: %[[U:.*]] = girih.union
// CHECK-NEXT: girih.intersect %[[U]]
func.func @keeps_mixed_nesting(%p: !girih.pattern, %q: !girih.pattern, %r: !girih.pattern) -> !girih.pattern {
  %0 = girih.union %p, %q
  %1 = girih.intersect %0, %r
  return %1 : !girih.pattern
}

// CHECK-LABEL: func @window_and_causal
// CHECK-NEXT: %[[W:.*]] = girih.window left = 4095 right = 0
// CHECK-NEXT: return %[[W]]
func.func @window_and_causal() -> !girih.pattern {
  %causal = girih.causal
  %window = girih.window left = 4095
  %0 = girih.intersect %causal, %window
  return %0 : !girih.pattern
}

// CHECK-LABEL: func @wide_window_and_causal
// CHECK-NEXT: %[[W:.*]] = girih.window left = 3 right = 0
// CHECK-NEXT: return %[[W]]
func.func @wide_window_and_causal() -> !girih.pattern {
  %window = girih.window left = 3 right = 9
  %causal = girih.causal
  %0 = girih.intersect %window, %causal
  return %0 : !girih.pattern
}

// CHECK-LABEL: func @future_window_and_causal
// CHECK-NEXT: %[[C:.*]] = girih.causal
// CHECK-NEXT: return %[[C]]
func.func @future_window_and_causal() -> !girih.pattern {
  %window = girih.window right = 9
  %causal = girih.causal
  %0 = girih.intersect %window, %causal
  return %0 : !girih.pattern
}

// CHECK-LABEL: func @windows_intersect
// CHECK-SAME: %[[P:.*]]: !girih.pattern
// CHECK-NEXT: %[[W:.*]] = girih.window left = 2 right = 1
// CHECK-NEXT: girih.intersect %[[P]], %[[W]]
func.func @windows_intersect(%p: !girih.pattern) -> !girih.pattern {
  %a = girih.window left = 2 right = 7
  %b = girih.window left = 5
  %c = girih.window left = 6 right = 1
  %0 = girih.intersect %a, %p, %b, %c
  return %0 : !girih.pattern
}

// CHECK-LABEL: func @windows_unite
// CHECK-NEXT: %[[W:.*]] = girih.window left = 5 right = 7
// CHECK-NEXT: return %[[W]]
func.func @windows_unite() -> !girih.pattern {
  %a = girih.window left = 2 right = 7
  %b = girih.window left = 5 right = 1
  %0 = girih.union %a, %b
  return %0 : !girih.pattern
}

// CHECK-LABEL: func @window_or_causal
// CHECK-NEXT: %[[W:.*]] = girih.window right = 7
// CHECK-NEXT: return %[[W]]
func.func @window_or_causal() -> !girih.pattern {
  %a = girih.window left = 2 right = 7
  %b = girih.causal
  %0 = girih.union %a, %b
  return %0 : !girih.pattern
}

// CHECK-LABEL: func @past_or_future
// CHECK: %[[ALL:.*]] = girih.full
// CHECK-NEXT: return %[[ALL]]
func.func @past_or_future() -> !girih.pattern {
  %past = girih.causal
  %future = girih.window left = 0
  %0 = girih.union %past, %future
  return %0 : !girih.pattern
}

// CHECK-LABEL: func @strides
// CHECK: %[[UNION:.*]] = girih.strided stride = 4
// CHECK: %[[BOTH:.*]] = girih.strided stride = 60
// CHECK: return %[[UNION]], %[[BOTH]]
func.func @strides() -> (!girih.pattern, !girih.pattern) {
  %a = girih.strided stride = 4
  %b = girih.strided stride = 12
  %c = girih.strided stride = 10
  %0 = girih.union %a, %b
  %1 = girih.intersect %b, %c
  return %0, %1 : !girih.pattern, !girih.pattern
}

// CHECK-LABEL: func @strides_that_do_not_nest_stay
// CHECK: girih.union
func.func @strides_that_do_not_nest_stay() -> !girih.pattern {
  %a = girih.strided stride = 4
  %b = girih.strided stride = 6
  %0 = girih.union %a, %b
  return %0 : !girih.pattern
}

// CHECK-LABEL: func @chunks
// CHECK: %[[UNION:.*]] = girih.chunk size = 12
// CHECK: %[[BOTH:.*]] = girih.chunk size = 4
// CHECK: return %[[UNION]], %[[BOTH]]
func.func @chunks() -> (!girih.pattern, !girih.pattern) {
  %a = girih.chunk size = 4
  %b = girih.chunk size = 12
  %0 = girih.union %a, %b
  %1 = girih.intersect %a, %b
  return %0, %1 : !girih.pattern, !girih.pattern
}

// CHECK-LABEL: func @chunks_that_do_not_nest_stay
// CHECK: girih.intersect
func.func @chunks_that_do_not_nest_stay() -> !girih.pattern {
  %a = girih.chunk size = 4
  %b = girih.chunk size = 6
  %0 = girih.intersect %a, %b
  return %0 : !girih.pattern
}

// CHECK-LABEL: func @global_ends_unite
// CHECK: %[[COLUMNS:.*]] = girih.global_columns first = 4 last = 2
// CHECK: %[[ROWS:.*]] = girih.global_rows first = 1 last = 3
// CHECK: girih.union %[[COLUMNS]], %[[ROWS]]
func.func @global_ends_unite() -> !girih.pattern {
  %a = girih.global_columns first = 4
  %b = girih.global_rows first = 1
  %c = girih.global_columns first = 1 last = 2
  %d = girih.global_rows first = 0 last = 3
  %0 = girih.union %a, %b, %c, %d
  return %0 : !girih.pattern
}

// Each set is two strips, so their intersection is not made of both minima.
// CHECK-LABEL: func @global_ends_do_not_intersect
// CHECK: girih.intersect
func.func @global_ends_do_not_intersect() -> !girih.pattern {
  %a = girih.global_columns first = 4 last = 1
  %b = girih.global_columns first = 1 last = 2
  %0 = girih.intersect %a, %b
  return %0 : !girih.pattern
}
