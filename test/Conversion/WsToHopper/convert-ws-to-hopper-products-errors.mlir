// What girih-convert-ws-to-hopper asks of products and of waits for them.
// RUN: girih-opt %s --girih-convert-ws-to-hopper --verify-diagnostics --split-input-file

!keys = tensor<64x64xbf16, #girih_ws.layout<shared_k>>
!left = tensor<64x64xbf16, #girih_ws.layout<operand>>
!acc = tensor<64x64xf32, #girih_ws.layout<accumulator>>
!ring = !girih_ws.channel<!keys, 2>
!in = tensor<?x?x?x64xbf16>
func.func @pack_unknown(%q: !in, %k: !in, %v: !in, %s: f32, %map: !girih.block_map, %tile: !acc, %o: memref<?x?x?x64xbf16>, %lse: memref<?x?x?xf32>) {
  %c = girih_ws.make_channel : !ring
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %n: index, %f: i1, %l: i1, %p: i1):
      girih_ws.put %c, %k[%b, %g, %j] : !ring, !in
      girih.yield
    }
  }
  girih_ws.role compute warpgroups 1 registers 232 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %n: index, %f: i1, %l: i1, %p: i1):
      // expected-error @+1 {{'girih_ws.pack' op packs a tile that the Hopper lowering does not hold}}
      %x = girih_ws.pack %tile : !acc -> !left
      girih.yield
    }
  }
  return
}

// -----

!keys = tensor<64x64xbf16, #girih_ws.layout<shared_k>>
!left = tensor<64x64xbf16, #girih_ws.layout<operand>>
!acc = tensor<64x64xf32, #girih_ws.layout<accumulator>>
!ring = !girih_ws.channel<!keys, 2>
!in = tensor<?x?x?x64xbf16>
func.func @product_of_unknown_right(%q: !in, %k: !in, %v: !in, %s: f32, %map: !girih.block_map, %tile: !keys, %o: memref<?x?x?x64xbf16>, %lse: memref<?x?x?xf32>) {
  %c = girih_ws.make_channel : !ring
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %n: index, %f: i1, %l: i1, %p: i1):
      girih_ws.put %c, %k[%b, %g, %j] : !ring, !in
      girih.yield
    }
  }
  girih_ws.role compute warpgroups 1 registers 232 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %n: index, %f: i1, %l: i1, %p: i1):
      %t = girih_ws.get %c : !ring -> !keys
      // expected-error @+1 {{'girih_ws.dot_async' op reads a tile that the Hopper lowering does not hold}}
      %x = girih_ws.dot_async %t, %tile : !keys, !keys -> !girih_ws.token<!acc>
      girih.yield
    }
  }
  return
}

// -----

!keys = tensor<64x64xbf16, #girih_ws.layout<shared_k>>
!left = tensor<64x64xbf16, #girih_ws.layout<operand>>
!acc = tensor<64x64xf32, #girih_ws.layout<accumulator>>
!ring = !girih_ws.channel<!keys, 2>
!in = tensor<?x?x?x64xbf16>
func.func @product_of_unknown_left(%q: !in, %k: !in, %v: !in, %s: f32, %map: !girih.block_map, %tile: !keys, %o: memref<?x?x?x64xbf16>, %lse: memref<?x?x?xf32>) {
  %c = girih_ws.make_channel : !ring
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %n: index, %f: i1, %l: i1, %p: i1):
      girih_ws.put %c, %k[%b, %g, %j] : !ring, !in
      girih.yield
    }
  }
  girih_ws.role compute warpgroups 1 registers 232 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %n: index, %f: i1, %l: i1, %p: i1):
      %t = girih_ws.get %c : !ring -> !keys
      // expected-error @+1 {{reads a tile that the Hopper lowering does not hold}}
      %x = girih_ws.dot_async %tile, %t : !keys, !keys -> !girih_ws.token<!acc>
      girih.yield
    }
  }
  return
}

// -----

!keys = tensor<64x64xbf16, #girih_ws.layout<shared_k>>
!left = tensor<64x64xbf16, #girih_ws.layout<operand>>
!acc = tensor<64x64xf32, #girih_ws.layout<accumulator>>
!ring = !girih_ws.channel<!keys, 2>
!in = tensor<?x?x?x64xbf16>
func.func @wait_for_unknown(%q: !in, %k: !in, %v: !in, %s: f32, %map: !girih.block_map, %token: !girih_ws.token<!acc>, %o: memref<?x?x?x64xbf16>, %lse: memref<?x?x?xf32>) {
  %c = girih_ws.make_channel : !ring
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %n: index, %f: i1, %l: i1, %p: i1):
      girih_ws.put %c, %k[%b, %g, %j] : !ring, !in
      girih.yield
    }
  }
  girih_ws.role compute warpgroups 1 registers 232 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %n: index, %f: i1, %l: i1, %p: i1):
      // expected-error @+1 {{'girih_ws.wait' op waits for a product that the Hopper lowering does not hold}}
      %x = girih_ws.wait %token pending 0 : !girih_ws.token<!acc> -> !acc
      girih.yield
    }
  }
  return
}

// -----

// Behind a branch nothing may copy the registers of a product.
!keys = tensor<64x64xbf16, #girih_ws.layout<shared_k>>
!left = tensor<64x64xbf16, #girih_ws.layout<operand>>
!acc = tensor<64x64xf32, #girih_ws.layout<accumulator>>
!ring = !girih_ws.channel<!keys, 2>
!in = tensor<?x?x?x64xbf16>
func.func @early_wait_used_alone(%q: !in, %k: !in, %v: !in, %s: f32, %map: !girih.block_map, %o: memref<?x?x?x64xbf16>, %lse: memref<?x?x?xf32>) {
  %c = girih_ws.make_channel : !ring
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %n: index, %f: i1, %l: i1, %p: i1):
      girih_ws.put %c, %k[%b, %g, %j] : !ring, !in
      girih.yield
    }
  }
  girih_ws.role compute warpgroups 1 registers 232 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %n: index, %f: i1, %l: i1, %p: i1):
      %t = girih_ws.get %c : !ring -> !keys
      %x = girih_ws.dot_async %t, %t : !keys, !keys -> !girih_ws.token<!acc>
      scf.if %f {
        // expected-error @+1 {{'girih_ws.wait' op expected a tile that only is multiplied by a row vector here}}
        %early = girih_ws.wait %x pending 0 : !girih_ws.token<!acc> -> !acc
        %y = math.exp2 %early : !acc
      }
      %late = girih_ws.wait %x pending 0 : !girih_ws.token<!acc> -> !acc
      girih.yield
    }
  }
  return
}

// -----

!keys = tensor<64x64xbf16, #girih_ws.layout<shared_k>>
!left = tensor<64x64xbf16, #girih_ws.layout<operand>>
!acc = tensor<64x64xf32, #girih_ws.layout<accumulator>>
!ring = !girih_ws.channel<!keys, 2>
!in = tensor<?x?x?x64xbf16>
func.func @early_wait_without_rows(%q: !in, %k: !in, %v: !in, %s: f32, %map: !girih.block_map, %o: memref<?x?x?x64xbf16>, %lse: memref<?x?x?xf32>) {
  %c = girih_ws.make_channel : !ring
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %n: index, %f: i1, %l: i1, %p: i1):
      girih_ws.put %c, %k[%b, %g, %j] : !ring, !in
      girih.yield
    }
  }
  girih_ws.role compute warpgroups 1 registers 232 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %n: index, %f: i1, %l: i1, %p: i1):
      %t = girih_ws.get %c : !ring -> !keys
      %x = girih_ws.dot_async %t, %t : !keys, !keys -> !girih_ws.token<!acc>
      scf.if %f {
        // expected-error @+1 {{expected a row vector that the tile is multiplied by}}
        %early = girih_ws.wait %x pending 0 : !girih_ws.token<!acc> -> !acc
      }
      %late = girih_ws.wait %x pending 0 : !girih_ws.token<!acc> -> !acc
      girih.yield
    }
  }
  return
}
