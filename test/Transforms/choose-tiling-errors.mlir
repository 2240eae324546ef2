// A tile that is none is an error of the attention that would have it.
// RUN: girih-opt %s --girih-choose-tiling='girih-tile-q=-16' --verify-diagnostics

func.func @negative(%q: tensor<?x8x?x64xf32>, %p: !girih.pattern) -> tensor<?x8x?x64xf32> {
  // expected-error @+1 {{'girih.attention' op [c11] expected tile to be two positive numbers, but got [-16, 64]}}
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%p)
      : tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return %o : tensor<?x8x?x64xf32>
}
