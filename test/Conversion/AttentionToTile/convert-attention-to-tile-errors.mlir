// What girih-convert-attention-to-tile asks of a function.
// RUN: girih-opt %s --girih-convert-attention-to-tile --verify-diagnostics --split-input-file

func.func @without_map(%q: tensor<?x1x?x16xf32>) -> (tensor<?x1x?x16xf32>, tensor<?x1x?xf32>) {
  %p = girih.full
  // expected-error @+1 {{'girih.attention' op expected a block map; run girih-build-block-maps first}}
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%p) tile [16, 16]
      : tensor<?x1x?x16xf32>, tensor<?x1x?x16xf32>, tensor<?x1x?x16xf32> -> tensor<?x1x?x16xf32>, tensor<?x1x?xf32>
  return %o, %lse : tensor<?x1x?x16xf32>, tensor<?x1x?xf32>
}

// -----

func.func @returns_one_result(%q: tensor<?x1x?x16xf32>) -> tensor<?x1x?x16xf32> {
  %p = girih.full
  %map = girih.block_map %p tile [16, 16] provider table
  // expected-error @+1 {{expected to be the only attention of its function, and the function to return its results}}
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%p) map(%map) tile [16, 16]
      : tensor<?x1x?x16xf32>, tensor<?x1x?x16xf32>, tensor<?x1x?x16xf32> -> tensor<?x1x?x16xf32>, tensor<?x1x?xf32>
  return %o : tensor<?x1x?x16xf32>
}

// -----

func.func @two_attentions(%q: tensor<?x1x?x16xf32>) -> (tensor<?x1x?x16xf32>, tensor<?x1x?xf32>) {
  %p = girih.full
  %map = girih.block_map %p tile [16, 16] provider table
  // expected-error @+1 {{expected to be the only attention of its function, and the function to return its results}}
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%p) map(%map) tile [16, 16]
      : tensor<?x1x?x16xf32>, tensor<?x1x?x16xf32>, tensor<?x1x?x16xf32> -> tensor<?x1x?x16xf32>, tensor<?x1x?xf32>
  %o2, %lse2 = girih.attention q(%o) k(%o) v(%o) pattern(%p) map(%map) tile [16, 16]
      : tensor<?x1x?x16xf32>, tensor<?x1x?x16xf32>, tensor<?x1x?x16xf32> -> tensor<?x1x?x16xf32>, tensor<?x1x?xf32>
  return %o2, %lse2 : tensor<?x1x?x16xf32>, tensor<?x1x?xf32>
}
