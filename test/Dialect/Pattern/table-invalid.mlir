// Each constraint of a pattern that reads tables is checked and named.
// RUN: girih-opt %s --verify-diagnostics --split-input-file

func.func @segments_type(%offsets: tensor<?xi32>) {
  // expected-error @+1 {{'girih.segments' op operand #0 must be 1-D tensor of i64, but got 'tensor<?xi32>'}}
  %0 = girih.segments %offsets : tensor<?xi32>
  return
}

// -----

// segments [c1]
func.func @segments_unit(%offsets: tensor<?xi64>) {
  // expected-error @+1 {{attribute 'unit' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive}}
  %0 = girih.segments %offsets unit = 0 : tensor<?xi64>
  return
}

// -----

// random_blocks [c1]
// expected-error @+1 {{attribute 'size' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive}}
%0 = girih.random_blocks size = 0 count = 3 seed = 0

// -----

// random_blocks [c2]
// expected-error @+1 {{attribute 'count' failed to satisfy constraint: 64-bit signless integer attribute whose value is non-negative}}
%0 = girih.random_blocks size = 64 count = -3 seed = 0

// -----

func.func @block_table_type(%indptr: tensor<?x?xi64>, %indices: tensor<?xi64>) {
  // expected-error @+1 {{'girih.block_table' op operand #0 must be 1-D tensor of i64, but got 'tensor<?x?xi64>'}}
  %0 = girih.block_table %indptr, %indices size = 64 : tensor<?x?xi64>, tensor<?xi64>
  return
}

// -----

// block_table [c1]
func.func @block_table_size(%indptr: tensor<?xi64>, %indices: tensor<?xi64>) {
  // expected-error @+1 {{attribute 'size' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive}}
  %0 = girih.block_table %indptr, %indices size = 0 : tensor<?xi64>, tensor<?xi64>
  return
}

// -----

// block_table [c2]
func.func @block_table_heads(%indptr: tensor<?xi64>, %indices: tensor<?xi64>) {
  // expected-error @+1 {{attribute 'heads' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive}}
  %0 = girih.block_table %indptr, %indices size = 64 heads = 0 : tensor<?xi64>, tensor<?xi64>
  return
}
