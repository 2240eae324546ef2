// What girih-convert-tile-to-ws asks of a kernel.
// RUN: girih-opt %s --girih-convert-tile-to-ws --verify-diagnostics --split-input-file

// expected-error @+1 {{'func.func' op expected a tile kernel with one girih.for_blocks}}
func.func @without_loop() {
  %b, %h, %i = girih_tile.task
  return
}

// -----

// expected-error @+1 {{expected a tile kernel with one girih.for_blocks}}
func.func @two_loops(%map: !girih.block_map) {
  %b, %h, %i = girih_tile.task
  girih.for_blocks (%j, %partial) of %map[%b, %h, %i] {
    girih.yield
  }
  girih.for_blocks (%j, %partial) of %map[%b, %h, %i] {
    girih.yield
  }
  return
}

// -----

func.func @without_layout(%map: !girih.block_map, %k: tensor<?x?x?x64xbf16>) {
  %b, %h, %i = girih_tile.task
  girih.for_blocks (%j, %partial) of %map[%b, %h, %i] {
    // expected-error @+1 {{'girih_tile.load' op expected a tile with a layout; run girih-assign-layouts first}}
    %0 = girih_tile.load %k[%b, %h, %j] : tensor<?x?x?x64xbf16> -> tensor<64x64xbf16>
    girih.yield
  }
  return
}

// -----

!tile = tensor<96x64xbf16, #girih_ws.layout<shared_k>>
!acc = tensor<96x96xf32, #girih_ws.layout<accumulator>>
func.func @rows(%map: !girih.block_map, %k: tensor<?x?x?x64xbf16>) {
  %zero = arith.constant dense<0.0> : !acc
  %b, %h, %i = girih_tile.task
  // expected-error @+1 {{'girih.for_blocks' op expected tiles of 64, 128 or 192 rows, but got 96}}
  girih.for_blocks (%j, %partial) of %map[%b, %h, %i] {
    %0 = girih_tile.load %k[%b, %h, %j] : tensor<?x?x?x64xbf16> -> !tile
    %1 = girih_tile.dot %0, %0 transposed acc(%zero) : !tile, !tile -> !acc
    girih.yield
  }
  return
}
