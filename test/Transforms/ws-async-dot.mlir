// Products of roles become a start and a wait behind it.
// RUN: girih-opt %s --girih-ws-async-dot | FileCheck %s
//
// Twice is once.
// RUN: girih-opt %s --girih-ws-async-dot > %t.once
// RUN: girih-opt %t.once --girih-ws-async-dot | diff %t.once -

!acc = tensor<64x64xf32, #girih_ws.layout<accumulator>>
!left = tensor<64x64xbf16, #girih_ws.layout<operand>>
!right = tensor<64x64xbf16, #girih_ws.layout<shared_mn>>

// CHECK-LABEL: func.func @keeps_accumulator(
// CHECK-SAME: %[[P:.*]]: tensor<64x64xbf16, {{.*}}>, %[[V:.*]]: tensor<64x64xbf16, {{.*}}>, %[[O:.*]]: tensor<64x64xf32, {{.*}}>)
// CHECK: girih_ws.role
// CHECK-NEXT: %[[T:.*]] = girih_ws.dot_async %[[P]], %[[V]] acc(%[[O]] : {{.*}}) :
// CHECK-NEXT: %[[R:.*]] = girih_ws.wait %[[T]] pending 0
// CHECK-NEXT: math.exp2 %[[R]]
func.func @keeps_accumulator(%p: !left, %v: !right, %o: !acc) {
  girih_ws.role compute warpgroups 1 registers 232 {
    %0 = girih_tile.dot %p, %v acc(%o) : !left, !right -> !acc
    %1 = math.exp2 %0 : !acc
  }
  return
}

// CHECK-LABEL: func.func @leaves_zero_out(
// CHECK-SAME: %[[P:.*]]: tensor<64x64xbf16, {{.*}}>, %[[V:.*]]: tensor<64x64xbf16, {{.*}}>)
// CHECK: girih_ws.dot_async %[[P]], %[[V]] :
func.func @leaves_zero_out(%p: !left, %v: !right) {
  %zero = arith.constant dense<0.0> : !acc
  girih_ws.role compute warpgroups 1 registers 232 {
    %0 = girih_tile.dot %p, %v acc(%zero) : !left, !right -> !acc
  }
  return
}

// CHECK-LABEL: func.func @begins_anew(
// CHECK-SAME: %[[P:.*]]: tensor<64x64xbf16, {{.*}}>, %[[V:.*]]: tensor<64x64xbf16, {{.*}}>, %[[O:.*]]: tensor<64x64xf32, {{.*}}>, %[[F:.*]]: i1)
// CHECK-NOT: arith.select
// CHECK: girih_ws.dot_async %[[P]], %[[V]] acc(%[[O]] : {{.*}}) fresh %[[F]]
func.func @begins_anew(%p: !left, %v: !right, %o: !acc, %first: i1) {
  %zero = arith.constant dense<0.0> : !acc
  girih_ws.role compute warpgroups 1 registers 232 {
    %acc = arith.select %first, %zero, %o : !acc
    %0 = girih_tile.dot %p, %v acc(%acc) : !left, !right -> !acc
  }
  return
}

// Zero times a factor is zero.
// CHECK-LABEL: func.func @begins_anew_with_factor(
// CHECK-SAME: %[[P:.*]]: tensor<64x64xbf16, {{.*}}>, %[[V:.*]]: tensor<64x64xbf16, {{.*}}>, %[[O:.*]]: tensor<64x64xf32, {{.*}}>, %[[X:.*]]: tensor<64x64xf32, {{.*}}>, %[[F:.*]]: i1)
// CHECK-NOT: arith.select
// CHECK: %[[ACC:.*]] = arith.mulf %[[O]], %[[X]]
// CHECK: girih_ws.dot_async %[[P]], %[[V]] acc(%[[ACC]] : {{.*}}) fresh %[[F]]
func.func @begins_anew_with_factor(%p: !left, %v: !right, %o: !acc, %x: !acc, %first: i1) {
  %zero = arith.constant dense<0.0> : !acc
  girih_ws.role compute warpgroups 1 registers 232 {
    %begin = arith.select %first, %zero, %o : !acc
    %acc = arith.mulf %begin, %x : !acc
    %0 = girih_tile.dot %p, %v acc(%acc) : !left, !right -> !acc
  }
  return
}

// The factor may be left out in a branch.
// CHECK-LABEL: func.func @begins_anew_in_branch(
// CHECK-SAME: %{{[a-z0-9]+}}: tensor<64x64xbf16, {{.*}}>, %{{[a-z0-9]+}}: tensor<64x64xbf16, {{.*}}>, %[[O:[a-z0-9]+]]: tensor<64x64xf32, {{.*}}>, %[[X:[a-z0-9]+]]: tensor<64x64xf32, {{.*}}>, %[[F:[a-z0-9]+]]: i1,
// CHECK-NOT: arith.select
// CHECK: %[[ACC:.*]] = scf.if
// CHECK-NEXT: arith.mulf %[[O]], %[[X]]
// CHECK: } else {
// CHECK-NEXT: scf.yield %[[O]]
// CHECK: girih_ws.dot_async %{{.*}}, %{{.*}} acc(%[[ACC]] : {{.*}}) fresh %[[F]]
func.func @begins_anew_in_branch(%p: !left, %v: !right, %o: !acc, %x: !acc, %first: i1, %grew: i1) {
  %zero = arith.constant dense<0.0> : !acc
  girih_ws.role compute warpgroups 1 registers 232 {
    %begin = arith.select %first, %zero, %o : !acc
    %acc = scf.if %grew -> !acc {
      %scaled = arith.mulf %begin, %x : !acc
      scf.yield %scaled : !acc
    } else {
      scf.yield %begin : !acc
    }
    %0 = girih_tile.dot %p, %v acc(%acc) : !left, !right -> !acc
  }
  return
}

// A select of something else than zero stays.
// CHECK-LABEL: func.func @keeps_other_select(
// CHECK: %[[ACC:.*]] = arith.select
// CHECK: girih_ws.dot_async %{{.*}}, %{{.*}} acc(%[[ACC]] : {{.*}}) :
func.func @keeps_other_select(%p: !left, %v: !right, %o: !acc, %x: !acc, %first: i1) {
  girih_ws.role compute warpgroups 1 registers 232 {
    %acc = arith.select %first, %x, %o : !acc
    %0 = girih_tile.dot %p, %v acc(%acc) : !left, !right -> !acc
  }
  return
}

// Nor does one whose zero something else reads: the select itself,
// CHECK-LABEL: func.func @keeps_select_that_is_read(
// CHECK: %[[ACC:.*]] = arith.select
// CHECK: girih_ws.dot_async %{{.*}}, %{{.*}} acc(%[[ACC]] : {{.*}}) :
func.func @keeps_select_that_is_read(%p: !left, %v: !right, %o: !acc, %x: !acc, %first: i1) {
  %zero = arith.constant dense<0.0> : !acc
  girih_ws.role compute warpgroups 1 registers 232 {
    %acc = arith.select %first, %zero, %o : !acc
    %other = arith.mulf %acc, %x : !acc
    %0 = girih_tile.dot %p, %v acc(%acc) : !left, !right -> !acc
  }
  return
}

// its product,
// CHECK-LABEL: func.func @keeps_factor_that_is_read(
// CHECK: arith.select
// CHECK: %[[ACC:.*]] = arith.mulf
// CHECK: girih_ws.dot_async %{{.*}}, %{{.*}} acc(%[[ACC]] : {{.*}}) :
func.func @keeps_factor_that_is_read(%p: !left, %v: !right, %o: !acc, %x: !acc, %first: i1) {
  %zero = arith.constant dense<0.0> : !acc
  girih_ws.role compute warpgroups 1 registers 232 {
    %begin = arith.select %first, %zero, %o : !acc
    %acc = arith.mulf %begin, %x : !acc
    %other = math.exp2 %acc : !acc
    %0 = girih_tile.dot %p, %v acc(%acc) : !left, !right -> !acc
  }
  return
}

// another result of the branch,
// CHECK-LABEL: func.func @keeps_select_of_other_result(
// CHECK: arith.select
// CHECK: %[[IF:.*]]:2 = scf.if
// CHECK: girih_ws.dot_async %{{.*}}, %{{.*}} acc(%[[IF]]#0 : {{.*}}) :
func.func @keeps_select_of_other_result(%p: !left, %v: !right, %o: !acc, %x: !acc, %first: i1, %grew: i1) {
  %zero = arith.constant dense<0.0> : !acc
  girih_ws.role compute warpgroups 1 registers 232 {
    %begin = arith.select %first, %zero, %o : !acc
    %acc:2 = scf.if %grew -> (!acc, !acc) {
      %scaled = arith.mulf %begin, %x : !acc
      scf.yield %scaled, %x : !acc, !acc
    } else {
      scf.yield %begin, %begin : !acc, !acc
    }
    %0 = girih_tile.dot %p, %v acc(%acc#0) : !left, !right -> !acc
  }
  return
}

// or another product.
// CHECK-LABEL: func.func @keeps_select_of_two_products(
// CHECK: %[[ACC:.*]] = arith.select
// CHECK: girih_ws.dot_async %{{.*}}, %{{.*}} acc(%[[ACC]] : {{.*}}) :
// CHECK: girih_ws.dot_async %{{.*}}, %{{.*}} acc(%[[ACC]] : {{.*}}) :
func.func @keeps_select_of_two_products(%p: !left, %v: !right, %o: !acc, %first: i1) {
  %zero = arith.constant dense<0.0> : !acc
  girih_ws.role compute warpgroups 1 registers 232 {
    %acc = arith.select %first, %zero, %o : !acc
    %0 = girih_tile.dot %p, %v acc(%acc) : !left, !right -> !acc
    %1 = girih_tile.dot %p, %v acc(%acc) : !left, !right -> !acc
  }
  return
}

// CHECK-LABEL: func.func @leaves_without_role(
// CHECK: girih_tile.dot
func.func @leaves_without_role(%p: !left, %v: !right, %o: !acc) {
  %0 = girih_tile.dot %p, %v acc(%o) : !left, !right -> !acc
  return
}
