// Each constraint of a girih_ws op or type is checked and named.
// RUN: girih-opt %s --verify-diagnostics --split-input-file

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

// expected-error @+1 {{expected a channel of at least one stage, but got 0}}
func.func private @channel_stages(!girih_ws.channel<tensor<64x64xbf16, #girih_ws.layout<shared_k>>, 0>)

// -----

// expected-error @+1 {{expected a channel of 16-bit elements, but got 'tensor<64x64xf32, #girih_ws.layout<shared_k>>'}}
func.func private @channel_elements(!girih_ws.channel<tensor<64x64xf32, #girih_ws.layout<shared_k>>, 2>)

// -----

// expected-error @+1 {{expected a channel of tiles in shared memory, but got 'tensor<64x64xbf16, #girih_ws.layout<operand>>'}}
func.func private @channel_place(!girih_ws.channel<tensor<64x64xbf16, #girih_ws.layout<operand>>, 2>)

// -----

// expected-error @+1 {{expected a channel of 16-bit elements, but got 'tensor<64x64xindex, #girih_ws.layout<shared_k>>'}}
func.func private @channel_index(!girih_ws.channel<tensor<64x64xindex, #girih_ws.layout<shared_k>>, 2>)

// -----

// expected-error @+1 {{expected a channel of tiles in shared memory, but got 'tensor<64xbf16, #girih_ws.layout<shared_k>>'}}
func.func private @channel_rank(!girih_ws.channel<tensor<64xbf16, #girih_ws.layout<shared_k>>, 2>)

// -----

// A tile without a layout is in no place.
// expected-error @+1 {{expected a channel of tiles in shared memory, but got 'tensor<64x64xbf16>'}}
func.func private @channel_layout(!girih_ws.channel<tensor<64x64xbf16>, 2>)

// -----

//===----------------------------------------------------------------------===//
// Roles and items
//===----------------------------------------------------------------------===//

func.func @role_c1_multiple() {
  // expected-error @+1 {{'girih_ws.role' op [c1] expected registers to be a multiple of 8 in 24..256, but got 36}}
  girih_ws.role load warpgroups 1 registers 36 {
  }
  return
}

// -----

func.func @role_c1_few() {
  // expected-error @+1 {{[c1] expected registers to be a multiple of 8 in 24..256, but got 16}}
  girih_ws.role load warpgroups 1 registers 16 {
  }
  return
}

// -----

func.func @role_c1_many() {
  // expected-error @+1 {{[c1] expected registers to be a multiple of 8 in 24..256, but got 264}}
  girih_ws.role load warpgroups 1 registers 264 {
  }
  return
}

// -----

func.func @no_warpgroup() {
  // expected-error @+1 {{'girih_ws.role' op [c2] expected 1 to 8 warpgroups, but got 0}}
  girih_ws.role load warpgroups 0 registers 24 {
  }
  return
}

// -----

// Checks of whole programs take time for each of them.
func.func @many_warpgroups() {
  // expected-error @+1 {{'girih_ws.role' op [c2] expected 1 to 8 warpgroups, but got 1048576}}
  girih_ws.role compute warpgroups 1048576 registers 24 {
  }
  return
}

// -----

// expected-error @+1 {{expected a channel of at most 1024 stages, but got 4611686018427387904}}
func.func private @many_stages(!girih_ws.channel<tensor<64x64xbf16, #girih_ws.layout<shared_k>>, 4611686018427387904>)

// -----

// expected-error @+1 {{expected a channel of tiles of 1 to 65536 rows and columns, but got 'tensor<64x9223372036854775807xbf16, #girih_ws.layout<shared_k>>'}}
func.func private @huge_tile(!girih_ws.channel<tensor<64x9223372036854775807xbf16, #girih_ws.layout<shared_k>>, 2>)

// -----

func.func @for_items_c1_item(%map: !girih.block_map) {
  girih_ws.role compute warpgroups 1 registers 232 {
    // expected-error @+1 {{'girih_ws.for_items' op [c1] expected region rest to take the parts of an item and 0 carried values of their types}}
    girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index):
      girih.yield
    }
  }
  return
}

// -----

func.func @for_items_c1_carried(%map: !girih.block_map, %n: index) {
  girih_ws.role compute warpgroups 1 registers 232 {
    // expected-error @+1 {{[c1] expected region rest to take the parts of an item and 1 carried values of their types}}
    %0 = girih_ws.for_items of %map init(%n : index) first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1, %before: i1):
      girih.yield %j : index
    } -> index
  }
  return
}

// -----

func.func @for_items_c1_first(%map: !girih.block_map, %n: index) {
  girih_ws.role compute warpgroups 1 registers 232 {
    // expected-error @+1 {{[c1] expected region first to take the parts of an item and 0 carried values of their types}}
    %0 = girih_ws.for_items of %map first {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1, %before: index):
      girih.yield %j : index
    } rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1, %before: index):
      girih.yield %j : index
    } -> index
  }
  return
}

// -----

func.func @for_items_outside(%map: !girih.block_map) {
  // expected-error @+1 {{'girih_ws.for_items' op expects parent op 'girih_ws.role'}}
  girih_ws.for_items of %map first {} rest {
  ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
    girih.yield
  }
  return
}

// -----

func.func @for_items_c2_rest(%map: !girih.block_map, %n: index) {
  girih_ws.role compute warpgroups 1 registers 232 {
    // expected-error @+1 {{'girih_ws.for_items' op [c2] expected region rest to yield the carried values}}
    %0 = girih_ws.for_items of %map init(%n : index) first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1, %before: index):
      girih.yield %f : i1
    } -> index
  }
  return
}

// -----

func.func @for_items_c2_first(%map: !girih.block_map) {
  girih_ws.role compute warpgroups 1 registers 232 {
    // expected-error @+1 {{[c2] expected region first to yield the carried values}}
    %0 = girih_ws.for_items of %map first {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      girih.yield
    } rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1, %before: index):
      girih.yield %j : index
    } -> index
  }
  return
}

// -----

func.func @for_items_c3_with_first(%map: !girih.block_map, %n: index) {
  girih_ws.role compute warpgroups 1 registers 232 {
    // expected-error @+1 {{'girih_ws.for_items' op [c3] expected 0 initial values of the carried types, but got 1}}
    %0 = girih_ws.for_items of %map init(%n : index) first {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1):
      girih.yield %j : index
    } rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1, %before: index):
      girih.yield %j : index
    } -> index
  }
  return
}

// -----

func.func @for_items_c3_without_first(%map: !girih.block_map) {
  girih_ws.role compute warpgroups 1 registers 232 {
    // expected-error @+1 {{[c3] expected 1 initial values of the carried types, but got 0}}
    %0 = girih_ws.for_items of %map first {} rest {
    ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %f: i1, %l: i1, %p: i1, %before: index):
      girih.yield %j : index
    } -> index
  }
  return
}

// -----

//===----------------------------------------------------------------------===//
// Channels
//===----------------------------------------------------------------------===//

func.func @put_c1(%c: !girih_ws.channel<tensor<64x64xbf16, #girih_ws.layout<shared_k>>, 2>, %k: tensor<?x?x?x64xf16>, %i: index) {
  // expected-error @+1 {{'girih_ws.put' op [c1] expected element types of source and channel to match, but got 'f16' and 'bf16'}}
  girih_ws.put %c, %k[%i, %i, %i] : !girih_ws.channel<tensor<64x64xbf16, #girih_ws.layout<shared_k>>, 2>, tensor<?x?x?x64xf16>
  return
}

// -----

func.func @put_c2(%c: !girih_ws.channel<tensor<64x64xbf16, #girih_ws.layout<shared_k>>, 2>, %k: tensor<?x?x?x96xbf16>, %i: index) {
  // expected-error @+1 {{'girih_ws.put' op [c2] expected columns of source and channel to match, but got 96 and 64}}
  girih_ws.put %c, %k[%i, %i, %i] : !girih_ws.channel<tensor<64x64xbf16, #girih_ws.layout<shared_k>>, 2>, tensor<?x?x?x96xbf16>
  return
}

// -----

func.func @get_c1(%c: !girih_ws.channel<tensor<64x64xbf16, #girih_ws.layout<shared_k>>, 2>) {
  // expected-error @+1 {{'girih_ws.get' op [c1] expected the tile of the channel, 'tensor<64x64xbf16, #girih_ws.layout<shared_k>>', but got 'tensor<64x64xbf16, #girih_ws.layout<shared_mn>>'}}
  %0 = girih_ws.get %c : !girih_ws.channel<tensor<64x64xbf16, #girih_ws.layout<shared_k>>, 2> -> tensor<64x64xbf16, #girih_ws.layout<shared_mn>>
  return
}

// -----

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

!shared = tensor<64x64xbf16, #girih_ws.layout<shared_k>>
func.func @dot_async_c1_place(%q: !shared, %k: !shared) {
  // expected-error @+1 {{'girih_ws.dot_async' op [c1] expected a token of an accumulator with the rows of 'tensor<64x64xbf16, #girih_ws.layout<shared_k>>', but got 'tensor<64x64xf32, #girih_ws.layout<rows>>'}}
  %0 = girih_ws.dot_async %q, %k : !shared, !shared -> !girih_ws.token<tensor<64x64xf32, #girih_ws.layout<rows>>>
  return
}

// -----

!shared = tensor<64x64xbf16, #girih_ws.layout<shared_k>>
func.func @dot_async_c1_rows(%q: !shared, %k: !shared) {
  // expected-error @+1 {{[c1] expected a token of an accumulator with the rows of 'tensor<64x64xbf16, #girih_ws.layout<shared_k>>', but got 'tensor<128x64xf32, #girih_ws.layout<accumulator>>'}}
  %0 = girih_ws.dot_async %q, %k : !shared, !shared -> !girih_ws.token<tensor<128x64xf32, #girih_ws.layout<accumulator>>>
  return
}

// -----

!shared = tensor<64x64xbf16, #girih_ws.layout<shared_k>>
func.func @dot_async_c2(%q: !shared, %k: !shared, %o: tensor<64x32xf32, #girih_ws.layout<accumulator>>) {
  // expected-error @+1 {{'girih_ws.dot_async' op [c2] expected acc to have the type of the result, 'tensor<64x64xf32, #girih_ws.layout<accumulator>>', but got 'tensor<64x32xf32, #girih_ws.layout<accumulator>>'}}
  %0 = girih_ws.dot_async %q, %k acc(%o : tensor<64x32xf32, #girih_ws.layout<accumulator>>) : !shared, !shared -> !girih_ws.token<tensor<64x64xf32, #girih_ws.layout<accumulator>>>
  return
}

// -----

func.func @dot_async_c1_rank(%q: tensor<64x64xbf16, #girih_ws.layout<shared_k>>) {
  // expected-error @+1 {{[c1] expected a token of an accumulator with the rows of 'tensor<64x64xbf16, #girih_ws.layout<shared_k>>', but got 'tensor<64xf32, #girih_ws.layout<accumulator>>'}}
  %0 = girih_ws.dot_async %q, %q : tensor<64x64xbf16, #girih_ws.layout<shared_k>>, tensor<64x64xbf16, #girih_ws.layout<shared_k>> -> !girih_ws.token<tensor<64xf32, #girih_ws.layout<accumulator>>>
  return
}

// -----

// Read along its rows, the right side is N x K.
!left = tensor<64x64xbf16, #girih_ws.layout<shared_k>>
!right = tensor<64x128xbf16, #girih_ws.layout<shared_k>>
func.func @dot_async_c3_transposed(%q: !left, %k: !right) {
  // expected-error @+1 {{'girih_ws.dot_async' op [c3] expected inner dims of lhs and rhs to match, but got 64 and 128}}
  %0 = girih_ws.dot_async %q, %k : !left, !right -> !girih_ws.token<tensor<64x64xf32, #girih_ws.layout<accumulator>>>
  return
}

// -----

!left = tensor<64x64xbf16, #girih_ws.layout<operand>>
!right = tensor<128x64xbf16, #girih_ws.layout<shared_mn>>
func.func @dot_async_c3(%p: !left, %v: !right) {
  // expected-error @+1 {{[c3] expected inner dims of lhs and rhs to match, but got 64 and 128}}
  %0 = girih_ws.dot_async %p, %v : !left, !right -> !girih_ws.token<tensor<64x64xf32, #girih_ws.layout<accumulator>>>
  return
}

// -----

!left = tensor<64x64xbf16, #girih_ws.layout<shared_k>>
!right = tensor<128x64xbf16, #girih_ws.layout<shared_k>>
func.func @dot_async_c4_transposed(%q: !left, %k: !right) {
  // expected-error @+1 {{'girih_ws.dot_async' op [c4] expected columns of the result and of rhs to match, but got 64 and 128}}
  %0 = girih_ws.dot_async %q, %k : !left, !right -> !girih_ws.token<tensor<64x64xf32, #girih_ws.layout<accumulator>>>
  return
}

// -----

!left = tensor<64x64xbf16, #girih_ws.layout<operand>>
!right = tensor<64x128xbf16, #girih_ws.layout<shared_mn>>
func.func @dot_async_c4(%p: !left, %v: !right) {
  // expected-error @+1 {{[c4] expected columns of the result and of rhs to match, but got 64 and 128}}
  %0 = girih_ws.dot_async %p, %v : !left, !right -> !girih_ws.token<tensor<64x64xf32, #girih_ws.layout<accumulator>>>
  return
}

// -----

func.func @dot_async_operand(%q: tensor<64x64xbf16>, %k: tensor<64x64xbf16, #girih_ws.layout<shared_k>>) {
  // expected-error @+1 {{operand #0 must be tile in shared memory, read along its rows or tile of a left operand in registers, but got 'tensor<64x64xbf16>'}}
  %0 = girih_ws.dot_async %q, %k : tensor<64x64xbf16>, tensor<64x64xbf16, #girih_ws.layout<shared_k>> -> !girih_ws.token<tensor<64x64xf32, #girih_ws.layout<accumulator>>>
  return
}

// -----

func.func @wait_c1(%t: !girih_ws.token<tensor<64x64xf32, #girih_ws.layout<accumulator>>>) {
  // expected-error @+1 {{'girih_ws.wait' op [c1] expected the tile of the token, 'tensor<64x64xf32, #girih_ws.layout<accumulator>>', but got 'tensor<64x32xf32, #girih_ws.layout<accumulator>>'}}
  %0 = girih_ws.wait %t pending 0 : !girih_ws.token<tensor<64x64xf32, #girih_ws.layout<accumulator>>> -> tensor<64x32xf32, #girih_ws.layout<accumulator>>
  return
}

// -----

func.func @pack_operand(%t: tensor<64x64xf32, #girih_ws.layout<operand>>) {
  // expected-error @+1 {{operand #0 must be tile in an accumulator, but got 'tensor<64x64xf32, #girih_ws.layout<operand>>'}}
  %0 = girih_ws.pack %t : tensor<64x64xf32, #girih_ws.layout<operand>> -> tensor<64x64xbf16, #girih_ws.layout<operand>>
  return
}

// -----

!acc = tensor<64x64xf32, #girih_ws.layout<accumulator>>
func.func @drop_c1_shape(%s: !acc, %keep: tensor<64x32xi1, #girih_ws.layout<accumulator>>, %when: i1) {
  // expected-error @+1 {{'girih_ws.drop' op [c1] expected keep to have an i1 for each element of 'tensor<64x64xf32, #girih_ws.layout<accumulator>>', but got 'tensor<64x32xi1, #girih_ws.layout<accumulator>>'}}
  %0 = girih_ws.drop %s keep %keep when %when : !acc, tensor<64x32xi1, #girih_ws.layout<accumulator>>
  return
}

// -----

!acc = tensor<64x64xf32, #girih_ws.layout<accumulator>>
func.func @drop_c1_element(%s: !acc, %when: i1) {
  // expected-error @+1 {{[c1] expected keep to have an i1 for each element of 'tensor<64x64xf32, #girih_ws.layout<accumulator>>', but got 'tensor<64x64xf32, #girih_ws.layout<accumulator>>'}}
  %0 = girih_ws.drop %s keep %s when %when : !acc, !acc
  return
}

// -----

//===----------------------------------------------------------------------===//
// Stores and turns
//===----------------------------------------------------------------------===//

func.func @store_place(%t: tensor<64x64xbf16, #girih_ws.layout<shared_k>>, %o: memref<?x?x?x64xbf16>, %i: index) {
  // expected-error @+1 {{operand #0 must be tile in registers, but got 'tensor<64x64xbf16, #girih_ws.layout<shared_k>>'}}
  girih_ws.store %t, %o[%i, %i, %i] slot %i : tensor<64x64xbf16, #girih_ws.layout<shared_k>>, memref<?x?x?x64xbf16>
  return
}

// -----

func.func @turn_c1(%i: index) {
  // expected-error @+1 {{'girih_ws.turn' op [c1] expected the region to yield the results}}
  %0 = girih_ws.turn {
    girih.yield
  } -> index
  return
}
