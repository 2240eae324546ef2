// What girih-ws-pipeline asks of a loop with two products.
// RUN: girih-opt %s --girih-ws-pipeline --verify-diagnostics --split-input-file

!acc = tensor<64x64xf32, #girih_ws.layout<accumulator>>
!keys = tensor<64x64xbf16, #girih_ws.layout<shared_k>>
!left = tensor<64x64xbf16, #girih_ws.layout<operand>>
!right = tensor<64x64xbf16, #girih_ws.layout<shared_mn>>

func.func @values_not_got(%map: !girih.block_map, %q: !keys, %k: !keys, %v: !right, %o: !acc) {
  girih_ws.role compute warpgroups 1 registers 232 {
    %r = girih_ws.for_items of %map init(%o : !acc) first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1, %acc: !acc):
      %t0 = girih_ws.dot_async %q, %k : !keys, !keys -> !girih_ws.token<!acc>
      %x = girih_ws.wait %t0 pending 0 : !girih_ws.token<!acc> -> !acc
      %y = girih_ws.pack %x : !acc -> !left
      // expected-error @+1 {{'girih_ws.dot_async' op expected a right operand that is got, and a wait, for the last product of an item}}
      %t1 = girih_ws.dot_async %y, %v acc(%acc : !acc) : !left, !right -> !girih_ws.token<!acc>
      %z = girih_ws.wait %t1 pending 0 : !girih_ws.token<!acc> -> !acc
      girih.yield %z : !acc
    } -> !acc
  }
  return
}

// -----

!acc = tensor<64x64xf32, #girih_ws.layout<accumulator>>
!keys = tensor<64x64xbf16, #girih_ws.layout<shared_k>>
!left = tensor<64x64xbf16, #girih_ws.layout<operand>>
!right = tensor<64x64xbf16, #girih_ws.layout<shared_mn>>

func.func @output_used_at_first(%map: !girih.block_map, %q: !keys, %k: !keys, %v: !girih_ws.channel<!right, 2>, %o: !acc, %d: memref<?x?x?x64xbf16>) {
  girih_ws.role compute warpgroups 1 registers 232 {
    %r = girih_ws.for_items of %map init(%o : !acc) first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1, %acc: !acc):
      %t0 = girih_ws.dot_async %q, %k : !keys, !keys -> !girih_ws.token<!acc>
      %x = girih_ws.wait %t0 pending 0 : !girih_ws.token<!acc> -> !acc
      %y = girih_ws.pack %x : !acc -> !left
      %values = girih_ws.get %v : !girih_ws.channel<!right, 2> -> !right
      %t1 = girih_ws.dot_async %y, %values acc(%acc : !acc) : !left, !right -> !girih_ws.token<!acc>
      %z = girih_ws.wait %t1 pending 0 : !girih_ws.token<!acc> -> !acc
      // expected-error @+1 {{'scf.if' op expected one use of the output in an item, on the last one of a task}}
      scf.if %f {
        girih_ws.store %z, %d[%b, %h, %i] slot %s : !acc, memref<?x?x?x64xbf16>
      }
      girih.yield %z : !acc
    } -> !acc
  }
  return
}

// -----

!acc = tensor<64x64xf32, #girih_ws.layout<accumulator>>
!keys = tensor<64x64xbf16, #girih_ws.layout<shared_k>>
!left = tensor<64x64xbf16, #girih_ws.layout<operand>>
!right = tensor<64x64xbf16, #girih_ws.layout<shared_mn>>

func.func @output_not_carried(%map: !girih.block_map, %q: !keys, %k: !keys, %v: !girih_ws.channel<!right, 2>, %o: !acc) {
  girih_ws.role compute warpgroups 1 registers 232 {
    // expected-error @+1 {{'girih_ws.for_items' op expected the result of the last product to be carried}}
    %r = girih_ws.for_items of %map init(%o : !acc) first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1, %acc: !acc):
      %t0 = girih_ws.dot_async %q, %k : !keys, !keys -> !girih_ws.token<!acc>
      %x = girih_ws.wait %t0 pending 0 : !girih_ws.token<!acc> -> !acc
      %y = girih_ws.pack %x : !acc -> !left
      %values = girih_ws.get %v : !girih_ws.channel<!right, 2> -> !right
      %t1 = girih_ws.dot_async %y, %values acc(%acc : !acc) : !left, !right -> !girih_ws.token<!acc>
      %z = girih_ws.wait %t1 pending 0 : !girih_ws.token<!acc> -> !acc
      girih.yield %x : !acc
    } -> !acc
  }
  return
}
