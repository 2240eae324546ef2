// girih-build-block-maps needs a tile.
// RUN: girih-opt %s --girih-build-block-maps --verify-diagnostics

func.func @without_tile(%q: tensor<?x8x?x64xf32>) -> tensor<?x8x?x64xf32> {
  %p = girih.full
  // expected-error @+1 {{'girih.attention' op expected a tile; run girih-choose-tiling first}}
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%p)
      : tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return %o : tensor<?x8x?x64xf32>
}
