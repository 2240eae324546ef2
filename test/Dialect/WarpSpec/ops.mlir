// Every girih_ws op, type and attribute survives printing and parsing: as text, in generic form and as bytecode.
// RUN: girih-opt %s | girih-opt | FileCheck %s
// RUN: girih-opt %s -mlir-print-op-generic | girih-opt | FileCheck %s
// RUN: girih-opt %s -emit-bytecode | girih-opt | FileCheck %s

!acc = tensor<128x64xf32, #girih_ws.layout<accumulator>>
!bits = tensor<128x64xi1, #girih_ws.layout<accumulator>>
!left = tensor<128x64xbf16, #girih_ws.layout<operand>>
!row = tensor<128xf32, #girih_ws.layout<rows>>
!keys = tensor<64x64xbf16, #girih_ws.layout<shared_k>>
!queries = tensor<128x64xbf16, #girih_ws.layout<shared_k>>
!values = tensor<64x64xbf16, #girih_ws.layout<shared_mn>>

// CHECK-LABEL: func private @layouts
// CHECK-SAME: tensor<128x64xf32, #girih_ws.layout<accumulator>>
// CHECK-SAME: tensor<128x64xbf16, #girih_ws.layout<operand>>
// CHECK-SAME: tensor<128xf32, #girih_ws.layout<rows>>
// CHECK-SAME: tensor<64x64xbf16, #girih_ws.layout<shared_k>>
// CHECK-SAME: tensor<64x64xbf16, #girih_ws.layout<shared_mn>>
func.func private @layouts(!acc, !left, !row, !keys, !values)

// CHECK-LABEL: func private @types
// CHECK-SAME: !girih_ws.channel<tensor<64x64xbf16, #girih_ws.layout<shared_k>>, 2>
// CHECK-SAME: !girih_ws.token<tensor<128x64xf32, #girih_ws.layout<accumulator>>>
func.func private @types(!girih_ws.channel<!keys, 2>, !girih_ws.token<!acc>)

// CHECK-LABEL: func @roles
func.func @roles() {
  // CHECK-NEXT: girih_ws.role load warpgroups 1 registers 24 {
  // CHECK-NEXT: }
  girih_ws.role load warpgroups 1 registers 24 {
  }
  // CHECK-NEXT: girih_ws.role compute warpgroups 3 registers 160 {
  // CHECK-NEXT: }
  girih_ws.role compute warpgroups 3 registers 160 {
  }
  return
}

// CHECK-LABEL: func @items
// CHECK-SAME: %[[MAP:.*]]: !girih.block_map, %[[N:.*]]: index
func.func @items(%map: !girih.block_map, %n: index) {
  girih_ws.role compute warpgroups 1 registers 232 {
    // CHECK: girih_ws.for_items of %[[MAP]] first {
    // CHECK-NEXT: } rest {
    // CHECK-NEXT: ^bb0(%{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: i1, %{{.*}}: i1, %{{.*}}: i1):
    // CHECK-NEXT: girih.yield
    // CHECK-NEXT: }
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      girih.yield
    }
    // CHECK-NEXT: girih_ws.for_items of %[[MAP]] init(%[[N]] : index) first {
    // CHECK-NEXT: } rest {
    // CHECK: ^bb0({{.*}}: i1, %[[BEFORE:.*]]: index):
    // CHECK-NEXT: girih.yield %[[BEFORE]] : index
    // CHECK-NEXT: } -> index
    %0 = girih_ws.for_items of %map init(%n : index) first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1, %before: index):
      girih.yield %before : index
    } -> index
    // CHECK-NEXT: girih_ws.for_items of %[[MAP]] first {
    // CHECK-NEXT: ^bb0(%{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %[[QTILE:.*]]: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: i1, %{{.*}}: i1, %{{.*}}: i1):
    // CHECK-NEXT: girih.yield %[[QTILE]] : index
    // CHECK-NEXT: } rest {
    %1 = girih_ws.for_items of %map first {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      girih.yield %i : index
    } rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1, %before: index):
      girih.yield %before : index
    } -> index
  }
  return
}

// CHECK-LABEL: func @channels
// CHECK-SAME: %[[K:.*]]: tensor<?x?x?x64xbf16>, %[[I:.*]]: index, %[[W:.*]]: i1
func.func @channels(%k: tensor<?x?x?x64xbf16>, %i: index, %w: i1) {
  // CHECK-NEXT: %[[C:.*]] = girih_ws.make_channel : <tensor<64x64xbf16, #girih_ws.layout<shared_k>>, 2>
  %c = girih_ws.make_channel : !girih_ws.channel<!keys, 2>
  // CHECK-NEXT: girih_ws.put %[[C]], %[[K]][%[[I]], %[[I]], %[[I]]] : <tensor<64x64xbf16, #girih_ws.layout<shared_k>>, 2>, tensor<?x?x?x64xbf16>
  girih_ws.put %c, %k[%i, %i, %i] : !girih_ws.channel<!keys, 2>, tensor<?x?x?x64xbf16>
  // CHECK-NEXT: girih_ws.put %[[C]], %[[K]][%[[I]], %[[I]], %[[I]]] when %[[W]] : <
  girih_ws.put %c, %k[%i, %i, %i] when %w : !girih_ws.channel<!keys, 2>, tensor<?x?x?x64xbf16>
  // CHECK-NEXT: girih_ws.get %[[C]] : <tensor<64x64xbf16, #girih_ws.layout<shared_k>>, 2> -> tensor<64x64xbf16, #girih_ws.layout<shared_k>>
  %0 = girih_ws.get %c : !girih_ws.channel<!keys, 2> -> !keys
  // CHECK-NEXT: girih_ws.get %[[C]] when %[[W]] : <
  %1 = girih_ws.get %c when %w : !girih_ws.channel<!keys, 2> -> !keys
  // CHECK-NEXT: girih_ws.release %[[C]] : <
  girih_ws.release %c : !girih_ws.channel<!keys, 2>
  // CHECK-NEXT: girih_ws.release %[[C]] when %[[W]] : <
  girih_ws.release %c when %w : !girih_ws.channel<!keys, 2>
  return
}

// CHECK-LABEL: func @products
// CHECK-SAME: %[[Q:.*]]: tensor<128x64xbf16, #girih_ws.layout<shared_k>>, %[[K:.*]]: tensor<64x64xbf16, #girih_ws.layout<shared_k>>, %[[V:.*]]: tensor<64x64xbf16, #girih_ws.layout<shared_mn>>, %[[O:.*]]: tensor<128x64xf32, #girih_ws.layout<accumulator>>, %[[W:.*]]: i1
func.func @products(%q: !queries, %k: !keys, %v: !values, %o: !acc, %w: i1) {
  // CHECK-NEXT: %[[T:.*]] = girih_ws.dot_async %[[Q]], %[[K]] : tensor<128x64xbf16, #girih_ws.layout<shared_k>>, tensor<64x64xbf16, #girih_ws.layout<shared_k>> -> <tensor<128x64xf32, #girih_ws.layout<accumulator>>>
  %t = girih_ws.dot_async %q, %k : !queries, !keys -> !girih_ws.token<!acc>
  // CHECK-NEXT: %[[S:.*]] = girih_ws.wait %[[T]] pending 0 : <tensor<128x64xf32, #girih_ws.layout<accumulator>>> -> tensor<128x64xf32, #girih_ws.layout<accumulator>>
  %s = girih_ws.wait %t pending 0 : !girih_ws.token<!acc> -> !acc
  // CHECK-NEXT: %[[P:.*]] = girih_ws.pack %[[S]] : tensor<128x64xf32, #girih_ws.layout<accumulator>> -> tensor<128x64xbf16, #girih_ws.layout<operand>>
  %p = girih_ws.pack %s : !acc -> !left
  // CHECK-NEXT: girih_ws.dot_async %[[P]], %[[V]] acc(%[[O]] : tensor<128x64xf32, #girih_ws.layout<accumulator>>) : tensor<128x64xbf16, #girih_ws.layout<operand>>,
  %a = girih_ws.dot_async %p, %v acc(%o : !acc) : !left, !values -> !girih_ws.token<!acc>
  // CHECK-NEXT: girih_ws.dot_async %[[P]], %[[V]] acc(%[[O]] : tensor<128x64xf32, #girih_ws.layout<accumulator>>) fresh %[[W]] : tensor<128x64xbf16, #girih_ws.layout<operand>>,
  %f = girih_ws.dot_async %p, %v acc(%o : !acc) fresh %w : !left, !values -> !girih_ws.token<!acc>
  return
}

// CHECK-LABEL: func @masks
// CHECK-SAME: %[[S:.*]]: tensor<128x64xf32, #girih_ws.layout<accumulator>>, %[[P:.*]]: !girih.pattern, %[[I:.*]]: index, %[[W:.*]]: i1
func.func @masks(%s: !acc, %p: !girih.pattern, %i: index, %w: i1) {
  // CHECK-NEXT: %[[K:.*]] = girih_ws.keep %[[P]] at[%[[I]], %[[I]], %[[I]], %[[I]]] when %[[W]] : tensor<128x64xi1, #girih_ws.layout<accumulator>>
  %k = girih_ws.keep %p at [%i, %i, %i, %i] when %w : !bits
  // CHECK-NEXT: girih_ws.drop %[[S]] keep %[[K]] when %[[W]] : tensor<128x64xf32, #girih_ws.layout<accumulator>>, tensor<128x64xi1, #girih_ws.layout<accumulator>>
  %d = girih_ws.drop %s keep %k when %w : !acc, !bits
  return
}

// CHECK-LABEL: func @stores
// CHECK-SAME: %[[T:.*]]: tensor<128x64xf32, #girih_ws.layout<accumulator>>, %[[R:.*]]: tensor<128xf32, #girih_ws.layout<rows>>, %[[O:.*]]: memref<?x?x?x64xbf16>, %[[L:.*]]: memref<?x?x?xf32>, %[[I:.*]]: index
func.func @stores(%t: !acc, %r: !row, %o: memref<?x?x?x64xbf16>, %l: memref<?x?x?xf32>, %i: index) {
  // CHECK-NEXT: girih_ws.store %[[T]], %[[O]][%[[I]], %[[I]], %[[I]]] slot %[[I]] : tensor<128x64xf32, #girih_ws.layout<accumulator>>, memref<?x?x?x64xbf16>
  girih_ws.store %t, %o[%i, %i, %i] slot %i : !acc, memref<?x?x?x64xbf16>
  // CHECK-NEXT: girih_ws.store %[[R]], %[[L]][%[[I]], %[[I]], %[[I]]] slot %[[I]] : tensor<128xf32, #girih_ws.layout<rows>>, memref<?x?x?xf32>
  girih_ws.store %r, %l[%i, %i, %i] slot %i : !row, memref<?x?x?xf32>
  return
}

// CHECK-LABEL: func @turns
// CHECK-SAME: %[[I:.*]]: index
func.func @turns(%i: index) {
  // CHECK-NEXT: girih_ws.turn {
  // CHECK-NEXT: girih.yield
  // CHECK-NEXT: }
  girih_ws.turn {
    girih.yield
  }
  // CHECK-NEXT: girih_ws.turn {
  // CHECK-NEXT: girih.yield %[[I]], %[[I]] : index, index
  // CHECK-NEXT: } -> index, index
  %0:2 = girih_ws.turn {
    girih.yield %i, %i : index, index
  } -> index, index
  return
}
