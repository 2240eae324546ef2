// A product in flight neither loses what it reads nor is read before it is over.
// RUN: girih-opt %s --girih-ws-verify --verify-diagnostics --split-input-file

!tile = tensor<64x64xbf16, #girih_ws.layout<shared_mn>>
!ring = !girih_ws.channel<!tile, 2>
!left = tensor<64x64xbf16, #girih_ws.layout<operand>>
!acc = tensor<64x64xf32, #girih_ws.layout<accumulator>>
func.func @v6_accumulator(%map: !girih.block_map, %src: tensor<?x?x?x64xbf16>, %a: !left, %o: !acc) {
  %c = girih_ws.make_channel : !ring
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      girih_ws.put %c, %src[%b, %g, %j] : !ring, tensor<?x?x?x64xbf16>
      girih.yield
    }
  }
  girih_ws.role compute warpgroups 1 registers 232 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      %k = girih_ws.get %c : !ring -> !tile
      // expected-error @+1 {{'girih_ws.dot_async' op [v6] expected the accumulator to have no other use: its registers are those of the result}}
      %t = girih_ws.dot_async %a, %k acc(%o : !acc) : !left, !tile -> !girih_ws.token<!acc>
      %x = girih_ws.wait %t pending 0 : !girih_ws.token<!acc> -> !acc
      girih_ws.release %c : !ring
      %y = arith.addf %o, %x : !acc
      girih.yield
    }
  }
  return
}
// -----

!tile = tensor<64x64xbf16, #girih_ws.layout<shared_mn>>
!ring = !girih_ws.channel<!tile, 2>
!left = tensor<64x64xbf16, #girih_ws.layout<operand>>
!acc = tensor<64x64xf32, #girih_ws.layout<accumulator>>
func.func @v7_negative(%map: !girih.block_map, %src: tensor<?x?x?x64xbf16>, %a: !left, %o: !acc) {
  %c = girih_ws.make_channel : !ring
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      girih_ws.put %c, %src[%b, %g, %j] : !ring, tensor<?x?x?x64xbf16>
      girih.yield
    }
  }
  girih_ws.role compute warpgroups 1 registers 232 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      %k = girih_ws.get %c : !ring -> !tile
      %t = girih_ws.dot_async %a, %k : !left, !tile -> !girih_ws.token<!acc>
      // expected-error @+1 {{'girih_ws.wait' op [v7] expected pending not to be negative, but got -1}}
      %x = girih_ws.wait %t pending -1 : !girih_ws.token<!acc> -> !acc
      girih_ws.release %c : !ring
      girih.yield
    }
  }
  return
}
// -----

!tile = tensor<64x64xbf16, #girih_ws.layout<shared_mn>>
!ring = !girih_ws.channel<!tile, 2>
!left = tensor<64x64xbf16, #girih_ws.layout<operand>>
!acc = tensor<64x64xf32, #girih_ws.layout<accumulator>>
func.func @v7_in_flight(%map: !girih.block_map, %src: tensor<?x?x?x64xbf16>, %a: !left, %o: !acc) {
  %c = girih_ws.make_channel : !ring
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      girih_ws.put %c, %src[%b, %g, %j] : !ring, tensor<?x?x?x64xbf16>
      girih.yield
    }
  }
  girih_ws.role compute warpgroups 1 registers 232 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      %k = girih_ws.get %c : !ring -> !tile
      %t = girih_ws.dot_async %a, %k : !left, !tile -> !girih_ws.token<!acc>
      // expected-error @+1 {{'girih_ws.wait' op [v7] expected the product to be over, but with pending 1 it may be in flight}}
      %x = girih_ws.wait %t pending 1 : !girih_ws.token<!acc> -> !acc
      girih_ws.release %c : !ring
      girih.yield
    }
  }
  return
}
// -----

// A turn yields what its products are.
!tile = tensor<64x64xbf16, #girih_ws.layout<shared_mn>>
!ring = !girih_ws.channel<!tile, 2>
!left = tensor<64x64xbf16, #girih_ws.layout<operand>>
!acc = tensor<64x64xf32, #girih_ws.layout<accumulator>>
func.func @v7_in_flight_of_turn(%map: !girih.block_map, %src: tensor<?x?x?x64xbf16>, %a: !left, %o: !acc) {
  %c = girih_ws.make_channel : !ring
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      girih_ws.put %c, %src[%b, %g, %j] : !ring, tensor<?x?x?x64xbf16>
      girih.yield
    }
  }
  girih_ws.role compute warpgroups 1 registers 232 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      %k = girih_ws.get %c : !ring -> !tile
      %u = girih_ws.turn {
        %t = girih_ws.dot_async %a, %k : !left, !tile -> !girih_ws.token<!acc>
        girih.yield %t : !girih_ws.token<!acc>
      } -> !girih_ws.token<!acc>
      // expected-error @+1 {{[v7] expected the product to be over, but with pending 1 it may be in flight}}
      %x = girih_ws.wait %u pending 1 : !girih_ws.token<!acc> -> !acc
      girih_ws.release %c : !ring
      girih.yield
    }
  }
  return
}
// -----

// A wait of some items has to be enough for them.
!tile = tensor<64x64xbf16, #girih_ws.layout<shared_mn>>
!ring = !girih_ws.channel<!tile, 2>
!left = tensor<64x64xbf16, #girih_ws.layout<operand>>
!acc = tensor<64x64xf32, #girih_ws.layout<accumulator>>
func.func @v7_behind_condition(%map: !girih.block_map, %src: tensor<?x?x?x64xbf16>, %a: !left, %o: !acc) {
  %c = girih_ws.make_channel : !ring
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      girih_ws.put %c, %src[%b, %g, %j] : !ring, tensor<?x?x?x64xbf16>
      girih.yield
    }
  }
  girih_ws.role compute warpgroups 1 registers 232 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      %k = girih_ws.get %c : !ring -> !tile
      %t = girih_ws.dot_async %a, %k : !left, !tile -> !girih_ws.token<!acc>
      scf.if %f {
        // expected-error @+1 {{[v7] expected the product to be over, but with pending 1 it may be in flight}}
        %early = girih_ws.wait %t pending 1 : !girih_ws.token<!acc> -> !acc
      }
      %x = girih_ws.wait %t pending 0 : !girih_ws.token<!acc> -> !acc
      girih_ws.release %c : !ring
      girih.yield
    }
  }
  return
}
// -----

!tile = tensor<64x64xbf16, #girih_ws.layout<shared_mn>>
!ring = !girih_ws.channel<!tile, 2>
!left = tensor<64x64xbf16, #girih_ws.layout<operand>>
!acc = tensor<64x64xf32, #girih_ws.layout<accumulator>>
func.func @v7_carried(%map: !girih.block_map, %src: tensor<?x?x?x64xbf16>, %a: !left, %token: !girih_ws.token<!acc>) {
  %c = girih_ws.make_channel : !ring
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      girih_ws.put %c, %src[%b, %g, %j] : !ring, tensor<?x?x?x64xbf16>
      girih.yield
    }
  }
  girih_ws.role compute warpgroups 1 registers 232 {
    %r = girih_ws.for_items of %map init(%token : !girih_ws.token<!acc>) first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1, %c0: !girih_ws.token<!acc>):
      %k = girih_ws.get %c : !ring -> !tile
      %t = girih_ws.dot_async %a, %k : !left, !tile -> !girih_ws.token<!acc>
      // expected-error @+1 {{[v7] expected a token of a product, but got one that was carried}}
      %x = girih_ws.wait %c0 pending 0 : !girih_ws.token<!acc> -> !acc
      girih_ws.release %c : !ring
      girih.yield %t : !girih_ws.token<!acc>
    } -> !girih_ws.token<!acc>
  }
  return
}
// -----

!tile = tensor<64x64xbf16, #girih_ws.layout<shared_mn>>
!ring = !girih_ws.channel<!tile, 2>
!left = tensor<64x64xbf16, #girih_ws.layout<operand>>
!acc = tensor<64x64xf32, #girih_ws.layout<accumulator>>
func.func @v8_released_in_flight(%map: !girih.block_map, %src: tensor<?x?x?x64xbf16>, %a: !left, %o: !acc) {
  %c = girih_ws.make_channel : !ring
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      girih_ws.put %c, %src[%b, %g, %j] : !ring, tensor<?x?x?x64xbf16>
      girih.yield
    }
  }
  girih_ws.role compute warpgroups 1 registers 232 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      %k = girih_ws.get %c : !ring -> !tile
      // expected-note @+1 {{this one may}}
      %t = girih_ws.dot_async %a, %k : !left, !tile -> !girih_ws.token<!acc>
      // expected-error @+1 {{'girih_ws.release' op [v8] expected no product in flight to read the tile that is given back}}
      girih_ws.release %c : !ring
      %x = girih_ws.wait %t pending 0 : !girih_ws.token<!acc> -> !acc
      girih.yield
    }
  }
  return
}
// -----

// A wait behind a condition leaves the product in flight for the others.
!tile = tensor<64x64xbf16, #girih_ws.layout<shared_mn>>
!ring = !girih_ws.channel<!tile, 2>
!left = tensor<64x64xbf16, #girih_ws.layout<operand>>
!acc = tensor<64x64xf32, #girih_ws.layout<accumulator>>
func.func @v8_wait_of_some_items(%map: !girih.block_map, %src: tensor<?x?x?x64xbf16>, %a: !left, %o: !acc) {
  %c = girih_ws.make_channel : !ring
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      girih_ws.put %c, %src[%b, %g, %j] : !ring, tensor<?x?x?x64xbf16>
      girih.yield
    }
  }
  girih_ws.role compute warpgroups 1 registers 232 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      %k = girih_ws.get %c : !ring -> !tile
      // expected-note @+1 {{this one may}}
      %t = girih_ws.dot_async %a, %k : !left, !tile -> !girih_ws.token<!acc>
      scf.if %f {
        %early = girih_ws.wait %t pending 0 : !girih_ws.token<!acc> -> !acc
      }
      // expected-error @+1 {{[v8] expected no product in flight to read the tile that is given back}}
      girih_ws.release %c : !ring
      %x = girih_ws.wait %t pending 0 : !girih_ws.token<!acc> -> !acc
      girih.yield
    }
  }
  return
}
// -----

!tile = tensor<64x64xbf16, #girih_ws.layout<shared_mn>>
!ring = !girih_ws.channel<!tile, 2>
!left = tensor<64x64xbf16, #girih_ws.layout<operand>>
!acc = tensor<64x64xf32, #girih_ws.layout<accumulator>>
func.func @v8_read_behind_release(%map: !girih.block_map, %src: tensor<?x?x?x64xbf16>, %a: !left, %o: !acc) {
  %c = girih_ws.make_channel : !ring
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      girih_ws.put %c, %src[%b, %g, %j] : !ring, tensor<?x?x?x64xbf16>
      girih.yield
    }
  }
  girih_ws.role compute warpgroups 1 registers 232 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      %k = girih_ws.get %c : !ring -> !tile
      girih_ws.release %c : !ring
      // expected-error @+1 {{'girih_ws.dot_async' op [v8] expected to read tiles that were got and not given back}}
      %t = girih_ws.dot_async %a, %k : !left, !tile -> !girih_ws.token<!acc>
      %x = girih_ws.wait %t pending 0 : !girih_ws.token<!acc> -> !acc
      girih.yield
    }
  }
  return
}
// -----

!tile = tensor<64x64xbf16, #girih_ws.layout<shared_mn>>
!ring = !girih_ws.channel<!tile, 2>
!left = tensor<64x64xbf16, #girih_ws.layout<operand>>
!acc = tensor<64x64xf32, #girih_ws.layout<accumulator>>
func.func @v8_carried_tile(%map: !girih.block_map, %src: tensor<?x?x?x64xbf16>, %a: !left, %tile: !tile) {
  %c = girih_ws.make_channel : !ring
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      girih_ws.put %c, %src[%b, %g, %j] : !ring, tensor<?x?x?x64xbf16>
      girih.yield
    }
  }
  girih_ws.role compute warpgroups 1 registers 232 {
    %r = girih_ws.for_items of %map init(%tile : !tile) first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1, %c0: !tile):
      %k = girih_ws.get %c : !ring -> !tile
      // expected-error @+1 {{[v8] expected to read tiles that were got and not given back}}
      %t = girih_ws.dot_async %a, %c0 : !left, !tile -> !girih_ws.token<!acc>
      %x = girih_ws.wait %t pending 0 : !girih_ws.token<!acc> -> !acc
      girih_ws.release %c : !ring
      girih.yield %k : !tile
    } -> !tile
  }
  return
}
