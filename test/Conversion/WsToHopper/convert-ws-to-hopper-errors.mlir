// What girih-convert-ws-to-hopper asks of a program and its channels. Products: convert-ws-to-hopper-products-errors.mlir.
// RUN: girih-opt %s --girih-convert-ws-to-hopper --verify-diagnostics --split-input-file

// expected-error @+1 {{'func.func' op expected a kernel of three tensors, a scale and two results, but got '(!girih.block_map) -> ()'}}
func.func @not_a_kernel(%map: !girih.block_map) {
  girih_ws.role compute warpgroups 1 registers 232 {
  }
  return
}

// -----

!keys = tensor<64x64xbf16, #girih_ws.layout<shared_k>>
!left = tensor<64x64xbf16, #girih_ws.layout<operand>>
!acc = tensor<64x64xf32, #girih_ws.layout<accumulator>>
!ring = !girih_ws.channel<!keys, 2>
!in = tensor<?x?x?x64xbf16>
func.func @three_stages(%q: !in, %k: !in, %v: !in, %s: f32, %map: !girih.block_map, %o: memref<?x?x?x64xbf16>, %lse: memref<?x?x?xf32>) {
  // expected-error @+1 {{'girih_ws.make_channel' op expected a power of two as stages on Hopper, but got 3}}
  %c = girih_ws.make_channel : !girih_ws.channel<!keys, 3>
  girih_ws.role compute warpgroups 1 registers 232 {
  }
  return
}

// -----

!keys = tensor<64x64xbf16, #girih_ws.layout<shared_k>>
!left = tensor<64x64xbf16, #girih_ws.layout<operand>>
!acc = tensor<64x64xf32, #girih_ws.layout<accumulator>>
!ring = !girih_ws.channel<!keys, 2>
!in = tensor<?x?x?x64xbf16>
func.func @twelve_rows(%q: !in, %k: !in, %v: !in, %s: f32, %map: !girih.block_map, %o: memref<?x?x?x64xbf16>, %lse: memref<?x?x?xf32>) {
  // expected-error @+1 {{expected tiles whose rows are a multiple of 8, but got 'tensor<12x64xbf16, #girih_ws.layout<shared_k>>'}}
  %c = girih_ws.make_channel : !girih_ws.channel<tensor<12x64xbf16, #girih_ws.layout<shared_k>>, 2>
  girih_ws.role compute warpgroups 1 registers 232 {
  }
  return
}

// -----

!keys = tensor<64x64xbf16, #girih_ws.layout<shared_k>>
!left = tensor<64x64xbf16, #girih_ws.layout<operand>>
!acc = tensor<64x64xf32, #girih_ws.layout<accumulator>>
!ring = !girih_ws.channel<!keys, 2>
!in = tensor<?x?x?x64xbf16>
// expected-error @+1 {{'func.func' op expected a compute role of 1 to 3 warpgroups, but got 4}}
func.func @four_warpgroups(%q: !in, %k: !in, %v: !in, %s: f32, %map: !girih.block_map, %o: memref<?x?x?x64xbf16>, %lse: memref<?x?x?xf32>) {
  girih_ws.role compute warpgroups 4 registers 24 {
  }
  return
}

// -----

!keys = tensor<64x64xbf16, #girih_ws.layout<shared_k>>
!left = tensor<64x64xbf16, #girih_ws.layout<operand>>
!acc = tensor<64x64xf32, #girih_ws.layout<accumulator>>
!ring = !girih_ws.channel<!keys, 2>
!in = tensor<?x?x?x64xbf16>
func.func @load_carries(%q: !in, %k: !in, %v: !in, %s: f32, %map: !girih.block_map, %o: memref<?x?x?x64xbf16>, %lse: memref<?x?x?xf32>) {
  %c = girih_ws.make_channel : !ring
  girih_ws.role load warpgroups 1 registers 24 {
    %zero = arith.constant 0 : index
    // expected-error @+1 {{'girih_ws.for_items' op expected a load role to carry nothing from item to item}}
    %r = girih_ws.for_items of %map init(%zero : index) first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %n: index, %f: i1, %l: i1, %p: i1, %before: index):
      girih_ws.put %c, %k[%b, %g, %j] : !ring, !in
      girih.yield %j : index
    } -> index
  }
  girih_ws.role compute warpgroups 1 registers 232 {
  }
  return
}

// -----

!keys = tensor<64x64xbf16, #girih_ws.layout<shared_k>>
!left = tensor<64x64xbf16, #girih_ws.layout<operand>>
!acc = tensor<64x64xf32, #girih_ws.layout<accumulator>>
!ring = !girih_ws.channel<!keys, 2>
!in = tensor<?x?x?x64xbf16>
func.func @batches(%q: !in, %k: !in, %v: !in, %s: f32, %map: !girih.block_map, %o: memref<?x?x?x64xbf16>, %lse: memref<?x?x?xf32>) {
  %zero = arith.constant 0 : index
  // expected-error @+1 {{'tensor.dim' op expected a number of heads or tokens}}
  %batches = tensor.dim %q, %zero : !in
  girih_ws.role compute warpgroups 1 registers 232 {
  }
  return
}

// -----

!keys = tensor<64x64xbf16, #girih_ws.layout<shared_k>>
!left = tensor<64x64xbf16, #girih_ws.layout<operand>>
!acc = tensor<64x64xf32, #girih_ws.layout<accumulator>>
!ring = !girih_ws.channel<!keys, 2>
!in = tensor<?x?x?x64xbf16>
func.func @put_of_operand(%q: !in, %k: !in, %v: !in, %s: f32, %map: !girih.block_map, %more: !in, %o: memref<?x?x?x64xbf16>, %lse: memref<?x?x?xf32>) {
  %c = girih_ws.make_channel : !ring
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %n: index, %f: i1, %l: i1, %p: i1):
      // expected-error @+1 {{'girih_ws.put' op copies from what the Hopper lowering does not hold}}
      girih_ws.put %c, %more[%b, %g, %j] : !ring, !in
      girih.yield
    }
  }
  girih_ws.role compute warpgroups 1 registers 232 {
  }
  return
}

// -----

!keys = tensor<64x64xbf16, #girih_ws.layout<shared_k>>
!left = tensor<64x64xbf16, #girih_ws.layout<operand>>
!acc = tensor<64x64xf32, #girih_ws.layout<accumulator>>
!ring = !girih_ws.channel<!keys, 2>
!in = tensor<?x?x?x64xbf16>
func.func @get_when(%q: !in, %k: !in, %v: !in, %s: f32, %map: !girih.block_map, %flag: i1, %o: memref<?x?x?x64xbf16>, %lse: memref<?x?x?xf32>) {
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
      // expected-error @+1 {{'girih_ws.get' op depends on what the Hopper lowering does not hold}}
      %t = girih_ws.get %c when %flag : !ring -> !keys
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
func.func @release_when(%q: !in, %k: !in, %v: !in, %s: f32, %map: !girih.block_map, %flag: i1, %o: memref<?x?x?x64xbf16>, %lse: memref<?x?x?xf32>) {
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
      // expected-error @+1 {{'girih_ws.release' op depends on what the Hopper lowering does not hold}}
      girih_ws.release %c when %flag : !ring
      girih.yield
    }
  }
  return
}

// -----

!keys = tensor<64x64xbf16, #girih_ws.layout<shared_k>>
!ring = !girih_ws.channel<!keys, 2>
!in = tensor<?x?x?x64xbf16>
// expected-error @+1 {{'func.func' op expected a put without a condition for each item}}
func.func @item_without_put(%q: !in, %k: !in, %v: !in, %s: f32, %map: !girih.block_map, %o: memref<?x?x?x64xbf16>, %lse: memref<?x?x?xf32>) {
  %c = girih_ws.make_channel : !ring
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %n: index, %f: i1, %l: i1, %p: i1):
      girih_ws.put %c, %q[%b, %h, %i] when %f : !ring, !in
      girih.yield
    }
  }
  girih_ws.role compute warpgroups 1 registers 232 {
  }
  return
}

// -----

!keys = tensor<64x64xbf16, #girih_ws.layout<shared_k>>
!ring = !girih_ws.channel<!keys, 2>
!in = tensor<?x?x?x64xbf16>
func.func @channel_of_nobody(%q: !in, %k: !in, %v: !in, %s: f32, %map: !girih.block_map, %c: !ring, %o: memref<?x?x?x64xbf16>, %lse: memref<?x?x?xf32>) {
  girih_ws.role load warpgroups 1 registers 24 {
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %n: index, %f: i1, %l: i1, %p: i1):
      // expected-error @+1 {{'girih_ws.put' op expected a channel that the program makes}}
      girih_ws.put %c, %k[%b, %g, %j] : !ring, !in
      girih.yield
    }
  }
  girih_ws.role compute warpgroups 1 registers 232 {
  }
  return
}
