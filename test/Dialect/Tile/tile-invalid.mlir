// Each constraint of a girih_tile op is checked and named.
// RUN: girih-opt %s --verify-diagnostics --split-input-file

func.func @load_c1(%k: tensor<?x?x?x64xbf16>, %i: index) {
  // expected-error @+1 {{'girih_tile.load' op [c1] expected element types of source and tile to match, but got 'bf16' and 'f32'}}
  %0 = girih_tile.load %k[%i, %i, %i] : tensor<?x?x?x64xbf16> -> tensor<32x64xf32>
  return
}

// -----

func.func @load_c2(%k: tensor<?x?x?x64xf32>, %i: index) {
  // expected-error @+1 {{'girih_tile.load' op [c2] expected columns of source and tile to match, but got 64 and 32}}
  %0 = girih_tile.load %k[%i, %i, %i] : tensor<?x?x?x64xf32> -> tensor<32x32xf32>
  return
}

// -----

func.func @load_dynamic(%k: tensor<?x?x?x64xf32>, %i: index) {
  // expected-error @+1 {{result #0 must be statically shaped 2-D tile of floating-point values, but got 'tensor<?x64xf32>'}}
  %0 = girih_tile.load %k[%i, %i, %i] : tensor<?x?x?x64xf32> -> tensor<?x64xf32>
  return
}

// -----

func.func @load_rank(%k: tensor<?x?x64xf32>, %i: index) {
  // expected-error @+1 {{operand #0 must be rank-4 tensor of floating-point values, but got 'tensor<?x?x64xf32>'}}
  %0 = girih_tile.load %k[%i, %i, %i] : tensor<?x?x64xf32> -> tensor<32x64xf32>
  return
}

// -----

func.func @store_c1(%t: tensor<16x64xf32>, %l: memref<?x?x?xf32>, %i: index) {
  // expected-error @+1 {{'girih_tile.store' op [c1] expected dest of rank 4 for a tile of rank 2, but got 3}}
  girih_tile.store %t, %l[%i, %i, %i] : tensor<16x64xf32>, memref<?x?x?xf32>
  return
}

// -----

func.func @store_c1_vector(%t: tensor<16xf32>, %o: memref<?x?x?x64xf32>, %i: index) {
  // expected-error @+1 {{'girih_tile.store' op [c1] expected dest of rank 3 for a tile of rank 1, but got 4}}
  girih_tile.store %t, %o[%i, %i, %i] : tensor<16xf32>, memref<?x?x?x64xf32>
  return
}

// -----

func.func @store_c2(%t: tensor<16x64xf32>, %o: memref<?x?x?x80xf32>, %i: index) {
  // expected-error @+1 {{'girih_tile.store' op [c2] expected columns of tile and dest to match, but got 64 and 80}}
  girih_tile.store %t, %o[%i, %i, %i] : tensor<16x64xf32>, memref<?x?x?x80xf32>
  return
}

// -----

func.func @store_type(%t: tensor<16x64xbf16>, %o: memref<?x?x?x64xf32>, %i: index) {
  // expected-error @+1 {{operand #0 must be statically shaped 1-D or 2-D tile of 32-bit float values, but got 'tensor<16x64xbf16>'}}
  girih_tile.store %t, %o[%i, %i, %i] : tensor<16x64xbf16>, memref<?x?x?x64xf32>
  return
}

// -----

func.func @dot_c1(%a: tensor<16x64xf32>, %b: tensor<32x80xf32>, %c: tensor<16x80xf32>) {
  // expected-error @+1 {{'girih_tile.dot' op [c1] expected columns of lhs and rows of rhs to match, but got 64 and 32}}
  %0 = girih_tile.dot %a, %b acc(%c) : tensor<16x64xf32>, tensor<32x80xf32> -> tensor<16x80xf32>
  return
}

// -----

func.func @dot_c1_transposed(%a: tensor<16x64xf32>, %b: tensor<64x32xf32>, %c: tensor<16x32xf32>) {
  // expected-error @+1 {{[c1] expected columns of lhs and columns of rhs to match, but got 64 and 32}}
  %0 = girih_tile.dot %a, %b transposed acc(%c) : tensor<16x64xf32>, tensor<64x32xf32> -> tensor<16x32xf32>
  return
}

// -----

func.func @dot_c2(%a: tensor<16x64xf32>, %b: tensor<64x80xf32>, %c: tensor<8x80xf32>) {
  // expected-error @+1 {{[c2] expected rows of lhs and acc to match, but got 16 and 8}}
  %0 = girih_tile.dot %a, %b acc(%c) : tensor<16x64xf32>, tensor<64x80xf32> -> tensor<8x80xf32>
  return
}

// -----

func.func @dot_c3(%a: tensor<16x64xf32>, %b: tensor<64x80xf32>, %c: tensor<16x64xf32>) {
  // expected-error @+1 {{[c3] expected columns of rhs and columns of acc to match, but got 80 and 64}}
  %0 = girih_tile.dot %a, %b acc(%c) : tensor<16x64xf32>, tensor<64x80xf32> -> tensor<16x64xf32>
  return
}

// -----

func.func @dot_c3_transposed(%a: tensor<16x64xf32>, %b: tensor<80x64xf32>, %c: tensor<16x64xf32>) {
  // expected-error @+1 {{[c3] expected rows of rhs and columns of acc to match, but got 80 and 64}}
  %0 = girih_tile.dot %a, %b transposed acc(%c) : tensor<16x64xf32>, tensor<80x64xf32> -> tensor<16x64xf32>
  return
}

// -----

func.func @dot_accumulator(%a: tensor<16x64xbf16>, %b: tensor<64x80xbf16>, %c: tensor<16x80xbf16>) {
  // expected-error @+1 {{operand #2 must be statically shaped 2-D tile of 32-bit float values, but got 'tensor<16x80xbf16>'}}
  %0 = girih_tile.dot %a, %b acc(%c) : tensor<16x64xbf16>, tensor<64x80xbf16> -> tensor<16x80xbf16>
  return
}

// -----

func.func @row_reduce_c1(%s: tensor<16x32xf32>) {
  // expected-error @+1 {{'girih_tile.row_reduce' op [c1] expected rows of tile and result to match, but got 16 and 32}}
  %0 = girih_tile.row_reduce max %s : tensor<16x32xf32> -> tensor<32xf32>
  return
}

// -----

func.func @broadcast_c1(%v: tensor<16xf32>) {
  // expected-error @+1 {{'girih_tile.broadcast' op [c1] expected rows of vector and result to match, but got 16 and 8}}
  %0 = girih_tile.broadcast %v : tensor<16xf32> -> tensor<8x32xf32>
  return
}

// -----

func.func @splat_type(%x: f32) {
  // expected-error @+1 {{result #0 must be statically shaped 1-D or 2-D tile of 32-bit float values, but got 'tensor<4x4x4xf32>'}}
  %0 = girih_tile.splat %x : tensor<4x4x4xf32>
  return
}

// -----

func.func @mask_type(%s: tensor<16x32xbf16>, %p: !girih.pattern, %i: index, %w: i1) {
  // expected-error @+1 {{operand #0 must be statically shaped 2-D tile of 32-bit float values, but got 'tensor<16x32xbf16>'}}
  %0 = girih_tile.mask %s keep %p at [%i, %i, %i, %i] when %w : tensor<16x32xbf16>
  return
}

// -----

func.func @map_c1(%s: tensor<16x32xf32>, %i: index) {
  // expected-error @+1 {{'girih_tile.map' op [c1] expected the region to take ('f32', 'index', 'index', 'index', 'index'), but got ('f32', 'index')}}
  %0 = girih_tile.map %s at [%i, %i, %i, %i] {
  ^bb0(%x: f32, %k: index):
    girih.yield %x : f32
  } : tensor<16x32xf32>
  return
}

// -----

func.func @map_c2(%s: tensor<16x32xf32>, %i: index) {
  // expected-error @+1 {{[c2] expected the region to yield ('f32'), but got ('f32', 'f32')}}
  %0 = girih_tile.map %s at [%i, %i, %i, %i] {
  ^bb0(%x: f32, %b: index, %h: index, %q: index, %k: index):
    // expected-note @+1 {{yielded here}}
    girih.yield %x, %x : f32, f32
  } : tensor<16x32xf32>
  return
}

// -----

func.func private @bias(f32) -> f32

func.func @map_c3(%s: tensor<16x32xf32>, %i: index) {
  // expected-error @+1 {{[c3] expected ops of the region to have no memory effects, but got 'func.call'}}
  %0 = girih_tile.map %s at [%i, %i, %i, %i] {
  ^bb0(%x: f32, %b: index, %h: index, %q: index, %k: index):
    // expected-note @+1 {{op with effects here}}
    %y = func.call @bias(%x) : (f32) -> f32
    girih.yield %y : f32
  } : tensor<16x32xf32>
  return
}
