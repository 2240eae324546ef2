// The form of a tile kernel that girih-convert-tile-to-ampere takes.
// RUN: girih-opt %s --girih-convert-tile-to-ampere --verify-diagnostics --split-input-file

// expected-error @+1 {{expected a tile kernel with one girih.for_blocks}}
func.func @no_loop(%q: tensor<?x?x?x64xf16>, %k: tensor<?x?x?x64xf16>, %v: tensor<?x?x?x64xf16>, %s: f32) {
  %b, %h, %i = girih_tile.task
  return
}

// -----

#lower = affine_map<(d0, d1, d2)[s0, s1, s2] -> (0)>
#upper = affine_map<(d0, d1, d2)[s0, s1, s2] -> (s1 - 1)>
func.func @no_scores(%q: tensor<?x?x?x64xf16>, %k: tensor<?x?x?x64xf16>, %v: tensor<?x?x?x64xf16>, %s: f32) {
  %p = girih.full
  %map = girih.block_map %p tile [128, 64] provider ranges ranges [#girih.range<lower = #lower, upper = #upper>]
  %b, %h, %i = girih_tile.task
  %zero = arith.constant dense<0.0> : tensor<128x64xf32>
  // expected-error @+1 {{expected a product of queries and keys}}
  %o = girih.for_blocks (%tile, %partial) of %map[%b, %h, %i] iter_args(%acc = %zero) -> (tensor<128x64xf32>) {
    girih.yield %acc : tensor<128x64xf32>
  }
  return
}

// -----

#lower = affine_map<(d0, d1, d2)[s0, s1, s2] -> (0)>
#upper = affine_map<(d0, d1, d2)[s0, s1, s2] -> (s1 - 1)>
func.func @use_behind_a_load(%q: tensor<?x?x?x64xf16>, %k: tensor<?x?x?x64xf16>, %v: tensor<?x?x?x64xf16>, %s: f32) {
  %p = girih.full
  %map = girih.block_map %p tile [128, 64] provider ranges ranges [#girih.range<lower = #lower, upper = #upper>]
  %b, %h, %i = girih_tile.task
  %c64 = arith.constant 64 : index
  %zero = arith.constant dense<0.0> : tensor<128x64xf32>
  %queries = girih_tile.load %q[%b, %h, %i] : tensor<?x?x?x64xf16> -> tensor<128x64xf16>
  %o = girih.for_blocks (%tile, %partial) of %map[%b, %h, %i] iter_args(%acc = %zero) -> (tensor<128x64xf32>) {
    %row = arith.muli %tile, %c64 : index
    // expected-error @+1 {{expected a tile to be used before the next one is loaded, but got a use behind a load}}
    %keys = girih_tile.load %k[%b, %h, %row] : tensor<?x?x?x64xf16> -> tensor<64x64xf16>
    // expected-note @+1 {{the next load}}
    %values = girih_tile.load %v[%b, %h, %row] : tensor<?x?x?x64xf16> -> tensor<64x64xf16>
    %scores = girih_tile.dot %queries, %keys transposed acc(%zero) : tensor<128x64xf16>, tensor<64x64xf16> -> tensor<128x64xf32>
    %half = arith.truncf %scores : tensor<128x64xf32> to tensor<128x64xf16>
    %sum = girih_tile.dot %half, %values acc(%acc) : tensor<128x64xf16>, tensor<64x64xf16> -> tensor<128x64xf32>
    girih.yield %sum : tensor<128x64xf32>
  }
  return
}

// -----

#lower = affine_map<(d0, d1, d2)[s0, s1, s2] -> (0)>
#upper = affine_map<(d0, d1, d2)[s0, s1, s2] -> (s1 - 1)>
func.func @one_load(%q: tensor<?x?x?x64xf16>, %k: tensor<?x?x?x64xf16>, %v: tensor<?x?x?x64xf16>, %s: f32) {
  %p = girih.full
  %map = girih.block_map %p tile [128, 64] provider ranges ranges [#girih.range<lower = #lower, upper = #upper>]
  %b, %h, %i = girih_tile.task
  %c64 = arith.constant 64 : index
  %zero = arith.constant dense<0.0> : tensor<128x64xf32>
  %queries = girih_tile.load %q[%b, %h, %i] : tensor<?x?x?x64xf16> -> tensor<128x64xf16>
  // expected-error @+1 {{expected one load of keys and one of values, but got 1 loads}}
  %o = girih.for_blocks (%tile, %partial) of %map[%b, %h, %i] iter_args(%acc = %zero) -> (tensor<128x64xf32>) {
    %row = arith.muli %tile, %c64 : index
    %keys = girih_tile.load %k[%b, %h, %row] : tensor<?x?x?x64xf16> -> tensor<64x64xf16>
    %scores = girih_tile.dot %queries, %keys transposed acc(%acc) : tensor<128x64xf16>, tensor<64x64xf16> -> tensor<128x64xf32>
    girih.yield %scores : tensor<128x64xf32>
  }
  return
}

// -----

#lower = affine_map<(d0, d1, d2)[s0, s1, s2] -> (0)>
#upper = affine_map<(d0, d1, d2)[s0, s1, s2] -> (s1 - 1)>
func.func @rows_elsewhere(%q: tensor<?x?x?x64xf16>, %k: tensor<?x?x?x64xf16>, %v: tensor<?x?x?x64xf16>, %s: f32) {
  %p = girih.full
  %map = girih.block_map %p tile [128, 64] provider ranges ranges [#girih.range<lower = #lower, upper = #upper>]
  %b, %h, %i = girih_tile.task
  %zero = arith.constant dense<0.0> : tensor<128x64xf32>
  %queries = girih_tile.load %q[%b, %h, %i] : tensor<?x?x?x64xf16> -> tensor<128x64xf16>
  %o = girih.for_blocks (%tile, %partial) of %map[%b, %h, %i] iter_args(%acc = %zero) -> (tensor<128x64xf32>) {
    // expected-error @+1 {{expected rows from 64 times the key tile on}}
    %keys = girih_tile.load %k[%b, %h, %tile] : tensor<?x?x?x64xf16> -> tensor<64x64xf16>
    %scores = girih_tile.dot %queries, %keys transposed acc(%acc) : tensor<128x64xf16>, tensor<64x64xf16> -> tensor<128x64xf32>
    girih.yield %scores : tensor<128x64xf32>
  }
  return
}

// -----

#lower = affine_map<(d0, d1, d2)[s0, s1, s2] -> (0)>
#upper = affine_map<(d0, d1, d2)[s0, s1, s2] -> (s1 - 1)>
func.func @scaled_queries(%q: tensor<?x?x?x64xf16>, %k: tensor<?x?x?x64xf16>, %v: tensor<?x?x?x64xf16>, %s: f32) {
  %p = girih.full
  %map = girih.block_map %p tile [128, 64] provider ranges ranges [#girih.range<lower = #lower, upper = #upper>]
  %b, %h, %i = girih_tile.task
  %c64 = arith.constant 64 : index
  %zero = arith.constant dense<0.0> : tensor<128x64xf32>
  %queries = girih_tile.load %q[%b, %h, %i] : tensor<?x?x?x64xf16> -> tensor<128x64xf16>
  %wide = arith.extf %queries : tensor<128x64xf16> to tensor<128x64xf32>
  %o = girih.for_blocks (%tile, %partial) of %map[%b, %h, %i] iter_args(%acc = %zero) -> (tensor<128x64xf32>) {
    %row = arith.muli %tile, %c64 : index
    %keys = girih_tile.load %k[%b, %h, %row] : tensor<?x?x?x64xf16> -> tensor<64x64xf16>
    // expected-error @+1 {{expected queries as they are loaded; the sm_80 lowering scales scores}}
    %scores = girih_tile.dot %wide, %keys transposed acc(%acc) : tensor<128x64xf32>, tensor<64x64xf16> -> tensor<128x64xf32>
    girih.yield %scores : tensor<128x64xf32>
  }
  return
}

// -----

#lower = affine_map<(d0, d1, d2)[s0, s1, s2] -> (0)>
#upper = affine_map<(d0, d1, d2)[s0, s1, s2] -> (s1 - 1)>
func.func @values_first(%q: tensor<?x?x?x64xf16>, %k: tensor<?x?x?x64xf16>, %v: tensor<?x?x?x64xf16>, %s: f32) {
  %p = girih.full
  %map = girih.block_map %p tile [128, 64] provider ranges ranges [#girih.range<lower = #lower, upper = #upper>]
  %b, %h, %i = girih_tile.task
  %c64 = arith.constant 64 : index
  %zero = arith.constant dense<0.0> : tensor<128x64xf32>
  %queries = girih_tile.load %q[%b, %h, %i] : tensor<?x?x?x64xf16> -> tensor<128x64xf16>
  %o = girih.for_blocks (%tile, %partial) of %map[%b, %h, %i] iter_args(%acc = %zero) -> (tensor<128x64xf32>) {
    %row = arith.muli %tile, %c64 : index
    // expected-error @+1 {{expected keys to be loaded first, and then values}}
    %keys = girih_tile.load %v[%b, %h, %row] : tensor<?x?x?x64xf16> -> tensor<64x64xf16>
    %scores = girih_tile.dot %queries, %keys transposed acc(%acc) : tensor<128x64xf16>, tensor<64x64xf16> -> tensor<128x64xf32>
    girih.yield %scores : tensor<128x64xf32>
  }
  return
}
