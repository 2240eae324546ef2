// Each constraint of block maps and block loops is checked and named.
// RUN: girih-opt %s --verify-diagnostics --split-input-file

%p = girih.causal
// expected-error @+1 {{'girih.block_map' op [c1] expected tile to be two positive numbers, but got [64]}}
%0 = girih.block_map %p tile [64] provider table

// -----

%p = girih.causal
// expected-error @+1 {{[c1] expected tile to be two positive numbers, but got [-1, 64]}}
%0 = girih.block_map %p tile [-1, 64] provider table

// -----

%p = girih.causal
// expected-error @+1 {{[c2] expected ranges with provider ranges, but got none}}
%0 = girih.block_map %p tile [64, 64] provider ranges

// -----

%p = girih.causal
// expected-error @+1 {{[c2] expected no ranges with provider csr, but got ranges}}
%0 = girih.block_map %p tile [64, 64] provider csr ranges []

// -----

%p = girih.causal
// expected-error @+1 {{attribute 'ranges' failed to satisfy constraint: array of key ranges}}
%0 = girih.block_map %p tile [64, 64] provider ranges ranges [1 : i64]

// -----

%p = girih.causal
// expected-error @+1 {{[c3] expected q_view to have one dimension and one result, but got affine_map<(d0, d1) -> (d0)>}}
%0 = girih.block_map %p tile [64, 64] provider table q_view affine_map<(d0, d1) -> (d0)>

// -----

%p = girih.causal
// expected-error @+1 {{[c3] expected k_view to have one dimension and one result, but got affine_map<(d0) -> (d0, d0)>}}
%0 = girih.block_map %p tile [64, 64] provider table k_view affine_map<(d0) -> (d0, d0)>

// -----

func.func @c1_arguments(%map: !girih.block_map, %i: index, %x: f32) {
  // expected-error @+1 {{'girih.for_blocks' op [c1] expected the body to take ('index', 'i1', 'f32'), but got ('index', 'i1', 'f64')}}
  %r = "girih.for_blocks"(%map, %i, %i, %i, %x) ({
  ^bb0(%j: index, %partial: i1, %y: f64):
    girih.yield %x : f32
  }) : (!girih.block_map, index, index, index, f32) -> f32
  return
}

// -----

func.func @c2_yield(%map: !girih.block_map, %i: index, %x: f32) {
  // expected-error @+1 {{[c2] expected the body to yield ('f32'), but got ()}}
  %r = girih.for_blocks (%j, %partial) of %map[%i, %i, %i] iter_args(%y = %x) -> (f32) {
    // expected-note @+1 {{yielded here}}
    girih.yield
  }
  return
}

// -----

func.func @c3_results(%map: !girih.block_map, %i: index, %x: f32) {
  // expected-error @+1 {{[c3] expected results to have the types of initial values, but got ('f64') and ('f32')}}
  %r = "girih.for_blocks"(%map, %i, %i, %i, %x) ({
  ^bb0(%j: index, %partial: i1, %y: f32):
    girih.yield %y : f32
  }) : (!girih.block_map, index, index, index, f32) -> f64
  return
}

// -----

func.func @iter_types(%map: !girih.block_map, %i: index, %x: f32) {
  // expected-error @+1 {{expected as many types as loop-carried values, but got 2 and 1}}
  %r:2 = girih.for_blocks (%j, %partial) of %map[%i, %i, %i] iter_args(%y = %x) -> (f32, f32) {
    girih.yield %y : f32
  }
  return
}
