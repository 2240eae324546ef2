// A predicate may also name its arguments in the region; it prints in the short form.
// RUN: girih-opt %s | FileCheck %s

// CHECK-LABEL: func @arguments_in_region
func.func @arguments_in_region() {
  // CHECK: girih.predicate (%[[B:.*]], %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %[[NK:.*]]) {
  // CHECK-NEXT: arith.cmpi eq, %[[B]], %[[NK]] : index
  %0 = girih.predicate {
  ^bb0(%b: index, %h: index, %q: index, %k: index, %nq: index, %nk: index):
    %c = arith.cmpi eq, %b, %nk : index
    girih.yield %c : i1
  }
  return
}
