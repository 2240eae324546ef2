// What girih-convert-tile-to-hopper asks of a kernel.
// RUN: girih-opt %s --girih-to-hopper --verify-diagnostics --split-input-file

// expected-error @+1 {{expected bf16 or f16 inputs on Hopper, but got 'f32'}}
func.func @single_precision(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %s: f32)
    -> (tensor<?x?x?x64xf32>, tensor<?x?x?xf32>) {
  %p = girih.full
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) tile [128, 128]
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}

// -----

// expected-error @+1 {{expected tiles of 64, 128 or 192 rows by a multiple of 16 keys up to 256, but got 96 x 128}}
func.func @odd_rows(%q: tensor<?x?x?x64xf16>, %k: tensor<?x?x?x64xf16>, %v: tensor<?x?x?x64xf16>, %s: f32)
    -> (tensor<?x?x?x64xf32>, tensor<?x?x?xf32>) {
  %p = girih.full
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) tile [96, 128]
      : tensor<?x?x?x64xf16>, tensor<?x?x?x64xf16>, tensor<?x?x?x64xf16> -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}

// -----

// expected-error @+1 {{expected tiles to fit 232448 bytes of shared memory, but got}}
func.func @too_large(%q: tensor<?x?x?x256xf16>, %k: tensor<?x?x?x256xf16>, %v: tensor<?x?x?x256xf16>, %s: f32)
    -> (tensor<?x?x?x256xf32>, tensor<?x?x?xf32>) {
  %p = girih.full
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) tile [128, 128]
      : tensor<?x?x?x256xf16>, tensor<?x?x?x256xf16>, tensor<?x?x?x256xf16> -> tensor<?x?x?x256xf32>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x256xf32>, tensor<?x?x?xf32>
}

// -----

func.func @tanh(%q: tensor<?x?x?x64xf16>, %k: tensor<?x?x?x64xf16>, %v: tensor<?x?x?x64xf16>, %s: f32)
    -> (tensor<?x?x?x64xf32>, tensor<?x?x?xf32>) {
  %p = girih.full
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%s) tile [128, 128] score {
  ^bb0(%x: f32, %b: index, %h: index, %qi: index, %ki: index):
    // expected-error @+1 {{has no Hopper instruction; supported math ops: exp2, fma, absf, sqrt}}
    %y = math.tanh %x : f32
    girih.yield %y : f32
  } : tensor<?x?x?x64xf16>, tensor<?x?x?x64xf16>, tensor<?x?x?x64xf16> -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
