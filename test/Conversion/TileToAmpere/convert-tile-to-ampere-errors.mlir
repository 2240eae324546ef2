// What girih-convert-tile-to-ampere asks of a kernel.
// RUN: girih-opt %s --girih-to-ampere=chip=sm_86 --verify-diagnostics --split-input-file
//
// And of its chip.
// RUN: not girih-opt %s --girih-convert-tile-to-ampere=girih-chip=sm_75 2>&1 | FileCheck %s
// CHECK: expected a chip that mma.sync kernels are made for, but got 'sm_75'; supported: sm_80, sm_86, sm_89

// expected-error @+1 {{expected bf16 or f16 inputs on sm_86, but got 'f32'}}
func.func @single_precision(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %s: f32)
    -> (tensor<?x?x?x64xf32>, tensor<?x?x?xf32>) {
  %p = girih.full
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) tile [128, 64]
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}

// -----

// expected-error @+1 {{expected tiles of 64 or 128 rows by a multiple of 16 keys up to 128, but got 96 x 64}}
func.func @odd_rows(%q: tensor<?x?x?x64xf16>, %k: tensor<?x?x?x64xf16>, %v: tensor<?x?x?x64xf16>, %s: f32)
    -> (tensor<?x?x?x64xf32>, tensor<?x?x?xf32>) {
  %p = girih.full
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) tile [96, 64]
      : tensor<?x?x?x64xf16>, tensor<?x?x?x64xf16>, tensor<?x?x?x64xf16> -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}

// -----

// expected-error @+1 {{expected tiles to fit 101376 bytes of shared memory on sm_86, but got 196608}}
func.func @too_large(%q: tensor<?x?x?x256xf16>, %k: tensor<?x?x?x256xf16>, %v: tensor<?x?x?x256xf16>, %s: f32)
    -> (tensor<?x?x?x256xf32>, tensor<?x?x?xf32>) {
  %p = girih.full
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) tile [128, 64]
      : tensor<?x?x?x256xf16>, tensor<?x?x?x256xf16>, tensor<?x?x?x256xf16> -> tensor<?x?x?x256xf32>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x256xf32>, tensor<?x?x?xf32>
}

// -----

// expected-error @+1 {{expected arguments that begin with q, k and v, rank-4 tensors of static head dims}}
func.func @query_only(%q: tensor<?x1x?x16xf16>) -> (tensor<?x1x?x16xf16>, tensor<?x1x?xf32>) {
  %p = girih.full
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%p) tile [64, 16]
      : tensor<?x1x?x16xf16>, tensor<?x1x?x16xf16>, tensor<?x1x?x16xf16> -> tensor<?x1x?x16xf16>, tensor<?x1x?xf32>
  return %o, %lse : tensor<?x1x?x16xf16>, tensor<?x1x?xf32>
}
