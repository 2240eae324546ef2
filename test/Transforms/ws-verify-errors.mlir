// Roles that can't follow each other, or do not fit, are found and named.
// Channels: ws-verify-channels-errors.mlir; products: ws-verify-products-errors.mlir.
// RUN: girih-opt %s --girih-ws-verify --verify-diagnostics --split-input-file

func.func @no_loop() {
  // expected-error @+1 {{'girih_ws.role' op expected one girih_ws.for_items in a role, but got 0}}
  girih_ws.role compute warpgroups 1 registers 232 {
  }
  return
}

// -----

func.func @two_loops(%map: !girih.block_map) {
  // expected-error @+1 {{expected one girih_ws.for_items in a role, but got 2}}
  girih_ws.role compute warpgroups 1 registers 232 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      girih.yield
    }
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      girih.yield
    }
  }
  return
}

// -----

!tile = tensor<64x64xbf16, #girih_ws.layout<shared_mn>>
!ring = !girih_ws.channel<!tile, 2>
func.func @v1_put(%map: !girih.block_map, %src: tensor<?x?x?x64xbf16>) {
  %c = girih_ws.make_channel : !ring
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      scf.if %f {
        // expected-error @+1 {{'girih_ws.put' op [v1] expected to run at every item, but is behind a condition of its own, where the other side can't follow}}
        girih_ws.put %c, %src[%b, %g, %j] : !ring, tensor<?x?x?x64xbf16>
      }
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

func.func @v1_turn(%map: !girih.block_map) {
  girih_ws.role compute warpgroups 2 registers 232 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      scf.if %f {
        // expected-error @+1 {{'girih_ws.turn' op [v1] expected to run at every item}}
        girih_ws.turn {
          girih.yield
        }
      }
      girih.yield
    }
  }
  return
}

// -----

!tile = tensor<64x64xbf16, #girih_ws.layout<shared_mn>>
!ring = !girih_ws.channel<!tile, 2>
func.func @v2_first(%map: !girih.block_map, %src: tensor<?x?x?x64xbf16>) {
  %c = girih_ws.make_channel : !ring
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      // expected-error @+1 {{'girih_ws.put' op [v2] expected the condition to be that the item is the first of its task}}
      girih_ws.put %c, %src[%b, %g, %j] when %p : !ring, tensor<?x?x?x64xbf16>
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
func.func @v2_last(%map: !girih.block_map, %src: tensor<?x?x?x64xbf16>) {
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
      // expected-error @+1 {{'girih_ws.release' op [v2] expected the condition to be that the item is the last of its task}}
      girih_ws.release %c when %f : !ring
      girih.yield
    }
  }
  return
}

// -----

!tile = tensor<64x64xbf16, #girih_ws.layout<shared_mn>>
!ring = !girih_ws.channel<!tile, 2>
func.func @v3_two_putters(%map: !girih.block_map, %src: tensor<?x?x?x64xbf16>) {
  %c = girih_ws.make_channel : !ring
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      girih_ws.put %c, %src[%b, %g, %j] : !ring, tensor<?x?x?x64xbf16>
      girih.yield
    }
  }
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      // expected-error @+1 {{'girih_ws.put' op [v3] expected one role on each side of a channel}}
      girih_ws.put %c, %src[%b, %g, %j] : !ring, tensor<?x?x?x64xbf16>
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
func.func @v3_no_getter(%map: !girih.block_map, %src: tensor<?x?x?x64xbf16>) {
  // expected-error @+1 {{'girih_ws.make_channel' op [v3] expected one role that puts and another that gets}}
  %c = girih_ws.make_channel : !ring
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      girih_ws.put %c, %src[%b, %g, %j] : !ring, tensor<?x?x?x64xbf16>
      girih.yield
    }
  }
  return
}

// -----

!tile = tensor<64x64xbf16, #girih_ws.layout<shared_mn>>
!ring = !girih_ws.channel<!tile, 2>
func.func @v3_same_role(%map: !girih.block_map, %src: tensor<?x?x?x64xbf16>) {
  // expected-error @+1 {{[v3] expected one role that puts and another that gets}}
  %c = girih_ws.make_channel : !ring
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      girih_ws.put %c, %src[%b, %g, %j] : !ring, tensor<?x?x?x64xbf16>
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
func.func @v3_channel_of_caller(%map: !girih.block_map, %src: tensor<?x?x?x64xbf16>, %c: !ring) {
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      // expected-error @+1 {{'girih_ws.put' op [v3] expected a channel that is made in this function}}
      girih_ws.put %c, %src[%b, %g, %j] : !ring, tensor<?x?x?x64xbf16>
      girih.yield
    }
  }
  return
}

// -----

// expected-error @+1 {{'func.func' op [v10] expected at most 1024 threads a block, but got 1152}}
func.func @v10_threads(%map: !girih.block_map) {
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      girih.yield
    }
  }
  girih_ws.role compute warpgroups 8 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      girih.yield
    }
  }
  return
}

// -----

// expected-error @+1 {{[v10] expected at most 65536 registers a block, but got 92160}}
func.func @v10_registers(%map: !girih.block_map) {
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      girih.yield
    }
  }
  girih_ws.role compute warpgroups 3 registers 232 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      girih.yield
    }
  }
  return
}

// -----

!tile = tensor<256x256xbf16, #girih_ws.layout<shared_k>>
!ring = !girih_ws.channel<!tile, 2>
// expected-error @+1 {{[v10] expected at most 232448 bytes of shared memory a block, but got 262240}}
func.func @v10_shared_memory(%map: !girih.block_map, %src: tensor<?x?x?x256xbf16>) {
  %c = girih_ws.make_channel : !ring
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      girih_ws.put %c, %src[%b, %g, %j] : !ring, tensor<?x?x?x256xbf16>
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
