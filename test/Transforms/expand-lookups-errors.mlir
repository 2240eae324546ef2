// Indices of lookups in score functions must be index arithmetic.
// RUN: girih-opt %s --girih-expand-named-patterns --verify-diagnostics

func.func @index_of_the_score(%q: tensor<?x8x?x64xf32>, %bias: tensor<?xf32>) -> tensor<?x8x?x64xf32> {
  %all = girih.full
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%all) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %int = arith.fptosi %s : f32 to i64
    %at = arith.index_cast %int : i64 to index
    // expected-error @+1 {{'girih.lookup' op expected indices in a score function to be index arithmetic over b, h, q, k and lengths}}
    %x = girih.lookup %bias[%at] : tensor<?xf32>
    girih.yield %x : f32
  } : tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return %o : tensor<?x8x?x64xf32>
}
