// What no lowering of a tile kernel can take is the same error in each of them.
// RUN: girih-opt %s --girih-convert-tile-to-cpu --verify-diagnostics --split-input-file
// RUN: girih-opt %s --girih-convert-tile-to-ampere --verify-diagnostics --split-input-file

func.func @tile_argument(%v: tensor<?x?x?x64xbf16>, %p: tensor<64x64xbf16>, %zero: tensor<64x64xf32>) {
  %b, %h, %i = girih_tile.task
  %0 = girih_tile.load %v[%b, %h, %i] : tensor<?x?x?x64xbf16> -> tensor<64x64xbf16>
  // expected-error @+1 {{'girih_tile.dot' op expected a tile that is made in the kernel, but got an argument}}
  %1 = girih_tile.dot %p, %0 acc(%zero) : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  return
}

// -----

func.func @huge_tile(%v: tensor<?x?x?x64xf32>) {
  %b, %h, %i = girih_tile.task
  // expected-error @+1 {{'girih_tile.load' op expected tiles of 1 to 1048576 elements, but got 'tensor<4611686018427387904x64xf32>'}}
  %0 = girih_tile.load %v[%b, %h, %i] : tensor<?x?x?x64xf32> -> tensor<4611686018427387904x64xf32>
  return
}

// -----

func.func @empty_tile(%v: tensor<?x?x?x64xf32>) {
  %b, %h, %i = girih_tile.task
  // expected-error @+1 {{'girih_tile.load' op expected tiles of 1 to 1048576 elements, but got 'tensor<0x64xf32>'}}
  %0 = girih_tile.load %v[%b, %h, %i] : tensor<?x?x?x64xf32> -> tensor<0x64xf32>
  return
}

// -----

func.func @wide_floats(%v: tensor<?x?x?x64xf64>) {
  %b, %h, %i = girih_tile.task
  // expected-error @+1 {{'girih_tile.load' op expected tiles of f32, bf16, f16 or i1, but got 'tensor<64x64xf64>'}}
  %0 = girih_tile.load %v[%b, %h, %i] : tensor<?x?x?x64xf64> -> tensor<64x64xf64>
  return
}

// -----

func.func @row_argument(%v: tensor<?x?x?x64xf32>, %row: index) {
  %b, %h, %i = girih_tile.task
  // expected-error @+1 {{'girih_tile.load' op reads a value that a tile kernel does not have}}
  %0 = girih_tile.load %v[%b, %h, %row] : tensor<?x?x?x64xf32> -> tensor<64x64xf32>
  return
}

// -----

func.func @constant_of_many_numbers() {
  %b, %h, %i = girih_tile.task
  // expected-error @+1 {{'arith.constant' op expected a splat constant}}
  %0 = arith.constant dense<[0.0, 1.0]> : tensor<2xf32>
  return
}

// -----

// expected-error @+1 {{'func.func' op expected a tile kernel of one block}}
func.func @two_blocks() {
  %b, %h, %i = girih_tile.task
  return
^unreachable:
  return
}
