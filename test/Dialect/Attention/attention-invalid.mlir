// Each constraint of attention is checked and named.
// RUN: girih-opt %s --verify-diagnostics --split-input-file

func.func @q_type(%q: tensor<1x8x?x64xf64>, %p: !girih.pattern) {
  // expected-error @+1 {{operand #0 must be rank-4 tensor of f32, bf16 or f16 values, but got 'tensor<1x8x?x64xf64>'}}
  %o, %l = girih.attention q(%q) k(%q) v(%q) pattern(%p)
      : tensor<1x8x?x64xf64>, tensor<1x8x?x64xf64>, tensor<1x8x?x64xf64> -> tensor<1x8x?x64xf32>, tensor<1x8x?xf32>
  return
}

// -----

func.func @c12(%q: tensor<1x8x?x64xbf16>, %p: !girih.pattern) {
  // expected-error @+1 {{[c12] expected o to be f32 or of the element type of q, 'bf16', but got 'f16'}}
  %o, %l = girih.attention q(%q) k(%q) v(%q) pattern(%p)
      : tensor<1x8x?x64xbf16>, tensor<1x8x?x64xbf16>, tensor<1x8x?x64xbf16> -> tensor<1x8x?x64xf16>, tensor<1x8x?xf32>
  return
}

// -----

func.func @lse_type(%q: tensor<1x8x?x64xbf16>, %p: !girih.pattern) {
  // expected-error @+1 {{result #1 must be rank-3 tensor of 32-bit float values, but got 'tensor<1x8xf32>'}}
  %o, %l = girih.attention q(%q) k(%q) v(%q) pattern(%p)
      : tensor<1x8x?x64xbf16>, tensor<1x8x?x64xbf16>, tensor<1x8x?x64xbf16> -> tensor<1x8x?x64xf32>, tensor<1x8xf32>
  return
}

// -----

// expected-note @+1 {{k defined here}}
func.func @c1_batch_of_k(%q: tensor<2x8x?x64xf32>, %k: tensor<3x8x?x64xf32>, %v: tensor<?x8x?x64xf32>, %p: !girih.pattern) {
  // expected-error @+1 {{'girih.attention' op [c1] expected batch of q and k to match, but got 2 and 3}}
  %o, %l = girih.attention q(%q) k(%k) v(%v) pattern(%p)
      : tensor<2x8x?x64xf32>, tensor<3x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return
}

// -----

// expected-note @+1 {{v defined here}}
func.func @c1_batch_of_v(%q: tensor<2x8x?x64xf32>, %k: tensor<?x8x?x64xf32>, %v: tensor<3x8x?x64xf32>, %p: !girih.pattern) {
  // expected-error @+1 {{[c1] expected batch of q and v to match, but got 2 and 3}}
  %o, %l = girih.attention q(%q) k(%k) v(%v) pattern(%p)
      : tensor<2x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<3x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return
}

// -----

// expected-note @+1 {{v defined here}}
func.func @c1_heads(%q: tensor<2x8x?x64xf32>, %k: tensor<2x4x?x64xf32>, %v: tensor<2x2x?x64xf32>, %p: !girih.pattern) {
  // expected-error @+1 {{[c1] expected heads of k and v to match, but got 4 and 2}}
  %o, %l = girih.attention q(%q) k(%k) v(%v) pattern(%p)
      : tensor<2x8x?x64xf32>, tensor<2x4x?x64xf32>, tensor<2x2x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return
}

// -----

// expected-note @+1 {{v defined here}}
func.func @c1_lengths(%q: tensor<2x8x?x64xf32>, %k: tensor<2x8x100x64xf32>, %v: tensor<2x8x101x64xf32>, %p: !girih.pattern) {
  // expected-error @+1 {{[c1] expected lengths of k and v to match, but got 100 and 101}}
  %o, %l = girih.attention q(%q) k(%k) v(%v) pattern(%p)
      : tensor<2x8x?x64xf32>, tensor<2x8x100x64xf32>, tensor<2x8x101x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return
}

// -----

// expected-note @+1 {{k defined here}}
func.func @c2_groups(%q: tensor<2x8x?x64xf32>, %k: tensor<2x3x?x64xf32>, %v: tensor<2x3x?x64xf32>, %p: !girih.pattern) {
  // expected-error @+1 {{[c2] expected heads of q to be a multiple of heads of k, but got 8 and 3}}
  %o, %l = girih.attention q(%q) k(%k) v(%v) pattern(%p)
      : tensor<2x8x?x64xf32>, tensor<2x3x?x64xf32>, tensor<2x3x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return
}

// -----

// expected-note @+1 {{v defined here}}
func.func @c2_groups_of_v(%q: tensor<2x8x?x64xf32>, %k: tensor<2x?x?x64xf32>, %v: tensor<2x0x?x64xf32>, %p: !girih.pattern) {
  // expected-error @+1 {{[c2] expected heads of q to be a multiple of heads of v, but got 8 and 0}}
  %o, %l = girih.attention q(%q) k(%k) v(%v) pattern(%p)
      : tensor<2x8x?x64xf32>, tensor<2x?x?x64xf32>, tensor<2x0x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return
}

// -----

// expected-note @+1 {{k defined here}}
func.func @c3_head_dims(%q: tensor<2x8x?x64xf32>, %k: tensor<2x8x?x128xf32>, %v: tensor<2x8x?x64xf32>, %p: !girih.pattern) {
  // expected-error @+1 {{[c3] expected head dims of q and k to match, but got 64 and 128}}
  %o, %l = girih.attention q(%q) k(%k) v(%v) pattern(%p)
      : tensor<2x8x?x64xf32>, tensor<2x8x?x128xf32>, tensor<2x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return
}

// -----

// expected-note @+1 {{k defined here}}
func.func @c4_dynamic(%q: tensor<2x8x?x?xf32>, %p: !girih.pattern) {
  // expected-error @+1 {{[c4] expected the head dim of k in 1..256, but got a dynamic size}}
  %o, %l = girih.attention q(%q) k(%q) v(%q) pattern(%p)
      : tensor<2x8x?x?xf32>, tensor<2x8x?x?xf32>, tensor<2x8x?x?xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return
}

// -----

// expected-note @+1 {{v defined here}}
func.func @c4_too_large(%q: tensor<2x8x?x64xf32>, %v: tensor<2x8x?x257xf32>, %p: !girih.pattern) {
  // expected-error @+1 {{[c4] expected the head dim of v in 1..256, but got 257}}
  %o, %l = girih.attention q(%q) k(%q) v(%v) pattern(%p)
      : tensor<2x8x?x64xf32>, tensor<2x8x?x64xf32>, tensor<2x8x?x257xf32> -> tensor<?x8x?x257xf32>, tensor<?x8x?xf32>
  return
}

// -----

// expected-note @+1 {{v defined here}}
func.func @c5_element_types(%q: tensor<2x8x?x64xbf16>, %v: tensor<2x8x?x64xf16>, %p: !girih.pattern) {
  // expected-error @+1 {{[c5] expected element types of q and v to match, but got 'bf16' and 'f16'}}
  %o, %l = girih.attention q(%q) k(%q) v(%v) pattern(%p)
      : tensor<2x8x?x64xbf16>, tensor<2x8x?x64xbf16>, tensor<2x8x?x64xf16> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return
}

// -----

func.func @c6_lengths(%q: tensor<2x8x100x64xf32>, %p: !girih.pattern) {
  // expected-error @+2 {{[c6] expected lengths of q and o to match, but got 100 and 99}}
  // expected-note @+1 {{o defined here}}
  %o, %l = girih.attention q(%q) k(%q) v(%q) pattern(%p)
      : tensor<2x8x100x64xf32>, tensor<2x8x100x64xf32>, tensor<2x8x100x64xf32> -> tensor<2x8x99x64xf32>, tensor<2x8x100xf32>
  return
}

// -----

func.func @c6_head_dims(%q: tensor<2x8x?x64xf32>, %v: tensor<2x8x?x80xf32>, %p: !girih.pattern) {
  // expected-error @+1 {{[c6] expected head dims of v and o to match, but got 80 and 64}}
  %o, %l = girih.attention q(%q) k(%q) v(%v) pattern(%p)
      : tensor<2x8x?x64xf32>, tensor<2x8x?x64xf32>, tensor<2x8x?x80xf32> -> tensor<2x8x?x64xf32>, tensor<2x8x?xf32>
  return
}

// -----

func.func @c6_dynamic_head_dim(%q: tensor<2x8x?x64xf32>, %p: !girih.pattern) {
  // expected-error @+1 {{[c6] expected head dims of v and o to match, but got 64 and a dynamic size}}
  %o, %l = girih.attention q(%q) k(%q) v(%q) pattern(%p)
      : tensor<2x8x?x64xf32>, tensor<2x8x?x64xf32>, tensor<2x8x?x64xf32> -> tensor<2x8x?x?xf32>, tensor<2x8x?xf32>
  return
}

// -----

func.func @c7_heads(%q: tensor<2x8x?x64xf32>, %p: !girih.pattern) {
  // expected-error @+2 {{[c7] expected heads of q and lse to match, but got 8 and 4}}
  // expected-note @+1 {{lse defined here}}
  %o, %l = girih.attention q(%q) k(%q) v(%q) pattern(%p)
      : tensor<2x8x?x64xf32>, tensor<2x8x?x64xf32>, tensor<2x8x?x64xf32> -> tensor<2x8x?x64xf32>, tensor<2x4x?xf32>
  return
}

// -----

func.func @c8_arguments(%q: tensor<2x8x?x64xf32>, %p: !girih.pattern) {
  // expected-error @+1 {{[c8] expected score to take ('f32', 'index', 'index', 'index', 'index'), but got ('f32')}}
  %o, %l = girih.attention q(%q) k(%q) v(%q) pattern(%p) score {
  ^bb0(%s: f32):
    girih.yield %s : f32
  } : tensor<2x8x?x64xf32>, tensor<2x8x?x64xf32>, tensor<2x8x?x64xf32> -> tensor<2x8x?x64xf32>, tensor<2x8x?xf32>
  return
}

// -----

func.func @c9_yield(%q: tensor<2x8x?x64xf32>, %p: !girih.pattern) {
  // expected-error @+1 {{[c9] expected score to yield ('f32'), but got ('index')}}
  %o, %l = girih.attention q(%q) k(%q) v(%q) pattern(%p) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    // expected-note @+1 {{yielded here}}
    girih.yield %h : index
  } : tensor<2x8x?x64xf32>, tensor<2x8x?x64xf32>, tensor<2x8x?x64xf32> -> tensor<2x8x?x64xf32>, tensor<2x8x?xf32>
  return
}

// -----

func.func private @bias(f32) -> f32

func.func @c10_effects(%q: tensor<2x8x?x64xf32>, %p: !girih.pattern) {
  // expected-error @+1 {{[c10] expected ops of score to have no memory effects, but got 'func.call'}}
  %o, %l = girih.attention q(%q) k(%q) v(%q) pattern(%p) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    // expected-note @+1 {{op with effects here}}
    %x = func.call @bias(%s) : (f32) -> f32
    girih.yield %x : f32
  } : tensor<2x8x?x64xf32>, tensor<2x8x?x64xf32>, tensor<2x8x?x64xf32> -> tensor<2x8x?x64xf32>, tensor<2x8x?xf32>
  return
}

// -----

func.func @c11_tile(%q: tensor<2x8x?x64xf32>, %p: !girih.pattern) {
  // expected-error @+1 {{[c11] expected tile to be two positive numbers, but got [64, 0]}}
  %o, %l = girih.attention q(%q) k(%q) v(%q) pattern(%p) tile [64, 0]
      : tensor<2x8x?x64xf32>, tensor<2x8x?x64xf32>, tensor<2x8x?x64xf32> -> tensor<2x8x?x64xf32>, tensor<2x8x?xf32>
  return
}
