// Puts, gets and releases that do not match hang or race.
// RUN: girih-opt %s --girih-ws-verify --verify-diagnostics --split-input-file

!tile = tensor<64x64xbf16, #girih_ws.layout<shared_mn>>
!ring = !girih_ws.channel<!tile, 2>
func.func @v4_gets(%map: !girih.block_map, %src: tensor<?x?x?x64xbf16>) {
  // expected-error @+1 {{'girih_ws.make_channel' op [v4] expected as many gets as puts an item, 1 (0 of them for one item of a task), but got 2 (0)}}
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
      %again = girih_ws.get %c : !ring -> !tile
      girih_ws.release %c : !ring
      girih.yield
    }
  }
  return
}

// -----

!tile = tensor<64x64xbf16, #girih_ws.layout<shared_mn>>
!ring = !girih_ws.channel<!tile, 2>
func.func @v4_condition(%map: !girih.block_map, %src: tensor<?x?x?x64xbf16>) {
  // expected-error @+1 {{[v4] expected as many gets as puts an item, 1 (1 of them for one item of a task), but got 1 (0)}}
  %c = girih_ws.make_channel : !ring
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      girih_ws.put %c, %src[%b, %g, %j] when %f : !ring, tensor<?x?x?x64xbf16>
      girih.yield
    }
  }
  girih_ws.role compute warpgroups 1 registers 232 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      %k = girih_ws.get %c : !ring -> !tile
      girih_ws.release %c : !ring
      girih.yield
    }
  }
  return
}

// -----

!tile = tensor<64x64xbf16, #girih_ws.layout<shared_mn>>
!ring = !girih_ws.channel<!tile, 2>
func.func @v4_releases(%map: !girih.block_map, %src: tensor<?x?x?x64xbf16>) {
  // expected-error @+1 {{[v4] expected as many releases as puts an item, 1 (0 of them for one item of a task), but got 0 (0)}}
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
      girih.yield
    }
  }
  return
}

// -----

// The first item's tile is never got.
!tile = tensor<64x64xbf16, #girih_ws.layout<shared_mn>>
!ring = !girih_ws.channel<!tile, 2>
func.func @v4_first_item(%map: !girih.block_map, %src: tensor<?x?x?x64xbf16>) {
  // expected-error @+1 {{[v4] expected as many gets as puts an item, 1 (0 of them for one item of a task), but got 0 (0)}}
  %c = girih_ws.make_channel : !ring
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      girih_ws.put %c, %src[%b, %g, %j] : !ring, tensor<?x?x?x64xbf16>
      girih.yield
    }
  }
  girih_ws.role compute warpgroups 1 registers 232 {
    girih_ws.for_items of %map first {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      girih.yield
    } rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      %k = girih_ws.get %c : !ring -> !tile
      girih_ws.release %c : !ring
      girih.yield
    }
  }
  return
}

// -----

!tile = tensor<64x64xbf16, #girih_ws.layout<shared_mn>>
!ring = !girih_ws.channel<!tile, 2>
func.func @v4_put_behind(%map: !girih.block_map, %src: tensor<?x?x?x64xbf16>) {
  // expected-error @+1 {{[v4] expected puts in the loop over items alone}}
  %c = girih_ws.make_channel : !ring
  girih_ws.role load warpgroups 1 registers 24 {
    %n = arith.constant 0 : index
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      girih_ws.put %c, %src[%b, %g, %j] : !ring, tensor<?x?x?x64xbf16>
      girih.yield
    }
    girih_ws.put %c, %src[%n, %n, %n] : !ring, tensor<?x?x?x64xbf16>
  }
  girih_ws.role compute warpgroups 1 registers 232 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      %k = girih_ws.get %c : !ring -> !tile
      girih_ws.release %c : !ring
      girih.yield
    }
  }
  return
}

// -----

!tile = tensor<64x64xbf16, #girih_ws.layout<shared_mn>>
!ring = !girih_ws.channel<!tile, 2>
func.func @v5_order(%map: !girih.block_map, %src: tensor<?x?x?x64xbf16>) {
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
      // expected-error @+1 {{'girih_ws.release' op [v5] expected a tile to be got, then released, before the next}}
      girih_ws.release %c : !ring
      %k = girih_ws.get %c : !ring -> !tile
      girih.yield
    }
  }
  return
}

// -----

// The second item's values wait for the first's to be multiplied, which waits for the
// second item's keys.
!tile = tensor<64x64xbf16, #girih_ws.layout<shared_mn>>
!one = !girih_ws.channel<!tile, 1>
func.func @v9_put_in_the_wrong_order(%map: !girih.block_map, %src: tensor<?x?x?x64xbf16>) {
  %c = girih_ws.make_channel : !one
  %d = girih_ws.make_channel : !one
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      // expected-error @+1 {{'girih_ws.put' op [v9] expected to go on, but waits for ever when tasks have 2 items}}
      girih_ws.put %d, %src[%b, %g, %j] : !one, tensor<?x?x?x64xbf16>
      girih_ws.put %c, %src[%b, %g, %j] : !one, tensor<?x?x?x64xbf16>
      girih.yield
    }
  }
  girih_ws.role compute warpgroups 1 registers 232 {
    girih_ws.for_items of %map first {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      %c0 = girih_ws.get %c : !one -> !tile
      girih_ws.release %c : !one
      girih.yield
    } rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      %c0 = girih_ws.get %c : !one -> !tile
      girih_ws.release %c : !one
      %d0 = girih_ws.get %d : !one -> !tile
      girih_ws.release %d : !one
      girih.yield
    }
    %d0 = girih_ws.get %d : !one -> !tile
    girih_ws.release %d : !one
  }
  return
}
