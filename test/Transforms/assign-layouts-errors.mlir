// Tiles that would need another layout than those that exist are errors.
// RUN: girih-opt %s --girih-assign-layouts --verify-diagnostics --split-input-file

func.func @load_added(%k: tensor<?x?x?x64xf32>) -> tensor<64x64xf32> {
  %b, %h, %i = girih_tile.task
  // expected-error @+1 {{'girih_tile.load' op expected to be an operand of girih_tile.dot as it is, but is used by an op of another kind}}
  %0 = girih_tile.load %k[%b, %h, %i] : tensor<?x?x?x64xf32> -> tensor<64x64xf32>
  %1 = arith.negf %0 : tensor<64x64xf32>
  return %1 : tensor<64x64xf32>
}

// -----

func.func @load_read_in_two_ways(%k: tensor<?x?x?x64xbf16>, %zero: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %b, %h, %i = girih_tile.task
  %0 = girih_tile.load %k[%b, %h, %i] : tensor<?x?x?x64xbf16> -> tensor<64x64xbf16>
  // expected-error @+1 {{'girih_tile.load' op expected to be read in one way, but is read along its rows and across them}}
  %1 = girih_tile.load %k[%b, %h, %i] : tensor<?x?x?x64xbf16> -> tensor<64x64xbf16>
  %2 = girih_tile.dot %0, %1 transposed acc(%zero) : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  %3 = girih_tile.dot %0, %1 acc(%2) : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  return %3 : tensor<64x64xf32>
}

// -----

func.func @single_precision(%k: tensor<?x?x?x64xf32>, %zero: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %b, %h, %i = girih_tile.task
  %0 = girih_tile.load %k[%b, %h, %i] : tensor<?x?x?x64xf32> -> tensor<64x64xf32>
  // expected-error @+1 {{'girih_tile.dot' op expected operands of 16 bits and a right one that is loaded, but got 'tensor<64x64xf32>' and 'tensor<64x64xf32>'}}
  %1 = girih_tile.dot %0, %0 transposed acc(%zero) : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
  return %1 : tensor<64x64xf32>
}

// -----

func.func @right_not_loaded(%k: tensor<?x?x?x64xbf16>, %p: tensor<64x64xbf16>, %zero: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %b, %h, %i = girih_tile.task
  %0 = girih_tile.load %k[%b, %h, %i] : tensor<?x?x?x64xbf16> -> tensor<64x64xbf16>
  // expected-error @+1 {{expected operands of 16 bits and a right one that is loaded, but got 'tensor<64x64xbf16>' and 'tensor<64x64xbf16>'}}
  %1 = girih_tile.dot %0, %p acc(%zero) : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  return %1 : tensor<64x64xf32>
}

// -----

func.func @left_rounded_for_two(%v: tensor<?x?x?x64xbf16>, %p: tensor<64x64xf32>, %zero: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %b, %h, %i = girih_tile.task
  %0 = girih_tile.load %v[%b, %h, %i] : tensor<?x?x?x64xbf16> -> tensor<64x64xbf16>
  %1 = arith.truncf %p : tensor<64x64xf32> to tensor<64x64xbf16>
  // expected-error @+1 {{'girih_tile.dot' op expected a left operand that is loaded, or rounded for this product alone}}
  %2 = girih_tile.dot %1, %0 acc(%zero) : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  %3 = girih_tile.dot %1, %0 acc(%2) : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  return %3 : tensor<64x64xf32>
}
