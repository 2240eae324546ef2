// What the CPU lowering does not support is an error at the op, and says what is.
// RUN: girih-opt %s --girih-convert-tile-to-cpu --verify-diagnostics --split-input-file

func.func @op_without_result(%q: tensor<?x1x?x32xf32>, %x: memref<f32>, %v: f32) {
  %b, %h, %i = girih_tile.task
  // expected-error @+1 {{'memref.store' op is not supported in a tile kernel}}
  memref.store %v, %x[] : memref<f32>
  return
}

// -----

func.func @scalar_of_another_dialect(%q: tensor<?x1x?x32xf32>) {
  %b, %h, %i = girih_tile.task
  // expected-error @+1 {{'affine.apply' op is not supported in a tile kernel}}
  %0 = affine.apply affine_map<(d0) -> (d0 + 1)> (%i)
  return
}

// -----

func.func @tile_of_another_dialect(%q: tensor<?x1x?x32xf32>) {
  %b, %h, %i = girih_tile.task
  // expected-error @+1 {{'tensor.empty' op is not supported in a tile kernel}}
  %0 = tensor.empty() : tensor<16x16xf32>
  return
}

// -----

func.func @scalar_argument(%q: tensor<?x1x?x32xf32>, %x: f32) {
  %b, %h, %i = girih_tile.task
  // expected-error @+1 {{'arith.addf' op reads a value that a tile kernel does not have}}
  %0 = arith.addf %x, %x : f32
  return
}

// -----

func.func @splat_of_argument(%q: tensor<?x1x?x32xf32>, %x: f32) {
  %b, %h, %i = girih_tile.task
  // expected-error @+1 {{'girih_tile.splat' op reads a value that a tile kernel does not have}}
  %0 = girih_tile.splat %x : tensor<16xf32>
  return
}

// -----

func.func @dim_of_tile(%q: tensor<?x1x?x32xf32>) {
  %b, %h, %i = girih_tile.task
  // expected-error @+1 {{'tensor.dim' op expected a constant dimension of q, k or v}}
  %0 = tensor.dim %q, %i : tensor<?x1x?x32xf32>
  return
}

// -----

func.func @load_of_other_tensor(%q: tensor<?x1x?x32xf32>, %k: tensor<?x1x?x32xf32>, %v: tensor<?x1x?x32xf32>, %scale: f32,
                                %w: tensor<?x1x?x32xf32>) {
  %b, %h, %i = girih_tile.task
  // expected-error @+1 {{'girih_tile.load' op expected q, k or v of the kernel}}
  %0 = girih_tile.load %w[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<16x32xf32>
  return
}

// -----

func.func @map_argument(%q: tensor<?x1x?x32xf32>, %map: !girih.block_map) {
  %b, %h, %i = girih_tile.task
  // expected-error @+1 {{'girih.for_blocks' op expected a map made by girih.block_map}}
  girih.for_blocks (%j, %partial) of %map[%b, %h, %i] {
    girih.yield
  }
  return
}

// -----

func.func @many_rows(%q: tensor<?x1x?x32xf32>) {
  %b, %h, %i = girih_tile.task
  %p = girih.full
  // expected-error @+1 {{'girih.block_map' op has tiles of 65536 x 16, which the CPU lowering does not support; supported: up to 256 x 1024}}
  %map = girih.block_map %p tile [65536, 16] provider table
  girih.for_blocks (%j, %partial) of %map[%b, %h, %i] {
    girih.yield
  }
  return
}

// -----

func.func @strided_view(%q: tensor<?x1x?x32xf32>) {
  %b, %h, %i = girih_tile.task
  %p = girih.full
  // expected-error @+1 {{'girih.block_map' op has a view that the CPU lowering does not support; supported: the identity}}
  %map = girih.block_map %p tile [16, 16] provider table k_view affine_map<(d0) -> (d0 * 2)>
  girih.for_blocks (%j, %partial) of %map[%b, %h, %i] {
    girih.yield
  }
  return
}

// -----

func.func @rows_of_row_vector(%q: tensor<?x1x?x32xf32>) {
  %b, %h, %i = girih_tile.task
  // expected-error @+1 {{'arith.constant' op expected the rows of a tile to be a multiple of the vector width 16, but got 24}}
  %0 = arith.constant dense<0.0> : tensor<24xf32>
  return
}

// -----

func.func @rows_of_tile(%q: tensor<?x1x?x32xf32>, %k: tensor<?x1x?x32xf32>, %v: tensor<?x1x?x32xf32>) {
  %b, %h, %i = girih_tile.task
  %zero = arith.constant dense<0.0> : tensor<24x16xf32>
  %qt = girih_tile.load %q[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<24x32xf32>
  %kt = girih_tile.load %k[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<16x32xf32>
  // expected-error @+1 {{expected the rows of a tile to be a multiple of the vector width 16, but got 24}}
  %twice = arith.addf %qt, %qt : tensor<24x32xf32>
  %s = girih_tile.dot %twice, %kt transposed acc(%zero) : tensor<24x32xf32>, tensor<16x32xf32> -> tensor<24x16xf32>
  return
}

// -----

func.func @constant_of_several_numbers(%q: tensor<?x1x?x32xf32>) {
  %b, %h, %i = girih_tile.task
  // expected-error @+1 {{'arith.constant' op expected a splat constant}}
  %0 = arith.constant dense<[0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]> : tensor<16xf32>
  return
}

// -----

// Queries times queries: left wants them column-major, right row-major.
func.func @tile_on_both_sides(%q: tensor<?x1x?x32xf32>, %k: tensor<?x1x?x32xf32>, %v: tensor<?x1x?x32xf32>) {
  %b, %h, %i = girih_tile.task
  %zero = arith.constant dense<0.0> : tensor<16x16xf32>
  // expected-error @+1 {{expected a tile that the CPU lowering lays out one way only}}
  %qt = girih_tile.load %q[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<16x32xf32>
  %s = girih_tile.dot %qt, %qt transposed acc(%zero) : tensor<16x32xf32>, tensor<16x32xf32> -> tensor<16x16xf32>
  return
}

// -----

func.func @stores_scores(%q: tensor<?x1x?x32xf32>, %k: tensor<?x1x?x32xf32>, %v: tensor<?x1x?x16xf32>, %scale: f32,
                         %o: memref<?x1x?x16xf32>, %lse: memref<?x1x?xf32>) {
  %b, %h, %i = girih_tile.task
  %zero = arith.constant dense<0.0> : tensor<16x16xf32>
  %qt = girih_tile.load %q[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<16x32xf32>
  %kt = girih_tile.load %k[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<16x32xf32>
  %s = girih_tile.dot %qt, %kt transposed acc(%zero) : tensor<16x32xf32>, tensor<16x32xf32> -> tensor<16x16xf32>
  // expected-error @+1 {{'girih_tile.store' op expected a row-major tile on the CPU}}
  girih_tile.store %s, %o[%b, %h, %i] : tensor<16x16xf32>, memref<?x1x?x16xf32>
  return
}

// -----

func.func @pattern_not_in_normal_form(%q: tensor<?x1x?x32xf32>, %k: tensor<?x1x?x32xf32>, %v: tensor<?x1x?x32xf32>) {
  %b, %h, %i = girih_tile.task
  %true = arith.constant true
  %zero = arith.constant dense<0.0> : tensor<16x16xf32>
  %p = girih.causal
  %qt = girih_tile.load %q[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<16x32xf32>
  %kt = girih_tile.load %k[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<16x32xf32>
  %s = girih_tile.dot %qt, %kt transposed acc(%zero) : tensor<16x32xf32>, tensor<16x32xf32> -> tensor<16x16xf32>
  // expected-error @+1 {{'girih_tile.mask' op expected a pattern in normal form; run girih-expand-named-patterns first}}
  %m = girih_tile.mask %s keep %p at [%b, %h, %i, %i] when %true : tensor<16x16xf32>
  return
}

// -----

func.func @op_of_another_dialect_in_score(%q: tensor<?x1x?x32xf32>, %k: tensor<?x1x?x32xf32>, %v: tensor<?x1x?x32xf32>) {
  %b, %h, %i = girih_tile.task
  %zero = arith.constant dense<0.0> : tensor<16x16xf32>
  %qt = girih_tile.load %q[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<16x32xf32>
  %kt = girih_tile.load %k[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<16x32xf32>
  %s = girih_tile.dot %qt, %kt transposed acc(%zero) : tensor<16x32xf32>, tensor<16x32xf32> -> tensor<16x16xf32>
  %m = girih_tile.map %s at [%b, %h, %i, %i] {
  ^bb0(%x: f32, %bi: index, %hi: index, %qi: index, %ki: index):
    // expected-error @+1 {{'affine.apply' op is not supported in a score function; supported: arith and math ops}}
    %y = affine.apply affine_map<(d0) -> (d0 + 1)> (%ki)
    girih.yield %x : f32
  } : tensor<16x16xf32>
  return
}

// -----

func.func @score_reads_argument(%q: tensor<?x1x?x32xf32>, %k: tensor<?x1x?x32xf32>, %v: tensor<?x1x?x32xf32>, %scale: f32, %bias: f32) {
  %b, %h, %i = girih_tile.task
  %zero = arith.constant dense<0.0> : tensor<16x16xf32>
  %qt = girih_tile.load %q[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<16x32xf32>
  %kt = girih_tile.load %k[%b, %h, %i] : tensor<?x1x?x32xf32> -> tensor<16x32xf32>
  %s = girih_tile.dot %qt, %kt transposed acc(%zero) : tensor<16x32xf32>, tensor<16x32xf32> -> tensor<16x16xf32>
  %m = girih_tile.map %s at [%b, %h, %i, %i] {
  ^bb0(%x: f32, %bi: index, %hi: index, %qi: index, %ki: index):
    // expected-error @+1 {{'arith.addf' op reads a value from outside of the score function}}
    %y = arith.addf %x, %bias : f32
    girih.yield %y : f32
  } : tensor<16x16xf32>
  return
}
