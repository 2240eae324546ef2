// Costly patterns are evaluated in front of the first product of an item, cheap ones on the scores.
// RUN: girih-opt %s --girih-ws-early-masks | FileCheck %s
//
// Twice is once.
// RUN: girih-opt %s --girih-ws-early-masks > %t.once
// RUN: girih-opt %t.once --girih-ws-early-masks | diff %t.once -

!acc = tensor<64x64xf32, #girih_ws.layout<accumulator>>
!tile = tensor<64x64xbf16, #girih_ws.layout<shared_k>>

// What the mask needs, the coordinates, moves along.
// CHECK-LABEL: func.func @table(
// CHECK-SAME: %[[I:[a-z0-9]+]]: index, %[[W:[a-z0-9]+]]: i1
// CHECK: %[[P:.*]] = girih.random_blocks
// CHECK: girih_ws.role
// CHECK-NEXT: %[[ROW:.*]] = arith.addi
// CHECK-NEXT: %[[KEEP:.*]] = girih_ws.keep %[[P]] at[%[[I]], %[[I]], %[[ROW]], %[[I]]] when %[[W]] : tensor<64x64xi1, #girih_ws.layout<accumulator>>
// CHECK-NEXT: girih_ws.dot_async
// CHECK-NEXT: %[[S:.*]] = girih_ws.wait
// CHECK-NEXT: %[[M:.*]] = girih_ws.drop %[[S]] keep %[[KEEP]] when %[[W]]
// CHECK-NEXT: math.exp2 %[[M]]
func.func @table(%q: !tile, %k: !tile, %i: index, %w: i1) {
  %p = girih.random_blocks size = 64 count = 3 seed = 0
  girih_ws.role compute warpgroups 2 registers 232 {
    %t = girih_ws.dot_async %q, %k : !tile, !tile -> !girih_ws.token<!acc>
    %s = girih_ws.wait %t pending 0 : !girih_ws.token<!acc> -> !acc
    %row = arith.addi %i, %i : index
    %m = girih_tile.mask %s keep %p at [%i, %i, %row, %i] when %w : !acc
    %x = math.exp2 %m : !acc
  }
  return
}

// CHECK-LABEL: func.func @seven_constraints(
// CHECK: girih_ws.keep
// CHECK: girih_ws.dot_async
// CHECK: girih_ws.drop
func.func @seven_constraints(%q: !tile, %k: !tile, %i: index, %w: i1) {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0, k - q + 64 >= 0, -k + 512 >= 0, k - 3 >= 0)>
  %1 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k - 128 >= 0, k - q + 256 >= 0, k - 5 >= 0)>
  %p = girih.union %0, %1
  girih_ws.role compute warpgroups 2 registers 232 {
    %t = girih_ws.dot_async %q, %k : !tile, !tile -> !girih_ws.token<!acc>
    %s = girih_ws.wait %t pending 0 : !girih_ws.token<!acc> -> !acc
    %m = girih_tile.mask %s keep %p at [%i, %i, %i, %i] when %w : !acc
  }
  return
}

// CHECK-LABEL: func.func @leaves_cheap(
// CHECK-NOT: girih_ws.keep
// CHECK: girih_ws.dot_async
// CHECK: girih_tile.mask
func.func @leaves_cheap(%q: !tile, %k: !tile, %i: index, %w: i1) {
  %p = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0, k - q + 64 >= 0)>
  girih_ws.role compute warpgroups 2 registers 232 {
    %t = girih_ws.dot_async %q, %k : !tile, !tile -> !girih_ws.token<!acc>
    %s = girih_ws.wait %t pending 0 : !girih_ws.token<!acc> -> !acc
    %m = girih_tile.mask %s keep %p at [%i, %i, %i, %i] when %w : !acc
  }
  return
}

// A remainder of the key is no range of keys.
// CHECK-LABEL: func.func @remainder_of_key(
// CHECK: girih_ws.keep
// CHECK: girih_ws.dot_async
// CHECK: girih_ws.drop
func.func @remainder_of_key(%q: !tile, %k: !tile, %i: index, %w: i1) {
  %p = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (k mod 4 == 0)>
  girih_ws.role compute warpgroups 2 registers 232 {
    %t = girih_ws.dot_async %q, %k : !tile, !tile -> !girih_ws.token<!acc>
    %s = girih_ws.wait %t pending 0 : !girih_ws.token<!acc> -> !acc
    %m = girih_tile.mask %s keep %p at [%i, %i, %i, %i] when %w : !acc
  }
  return
}

// There is nothing to be in front of.
// CHECK-LABEL: func.func @leaves_without_product(
// CHECK: girih_tile.mask
func.func @leaves_without_product(%s: !acc, %i: index, %w: i1) {
  %p = girih.random_blocks size = 64 count = 3 seed = 0
  girih_ws.role compute warpgroups 2 registers 232 {
    %m = girih_tile.mask %s keep %p at [%i, %i, %i, %i] when %w : !acc
  }
  return
}
