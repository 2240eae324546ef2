// Attention without a tile gets one: 64 x 64, or what the options say.
// RUN: girih-opt %s --girih-choose-tiling | FileCheck %s --check-prefixes=CHECK,CHOSEN
// RUN: girih-opt %s --girih-choose-tiling='girih-tile-q=16 girih-tile-k=128' | FileCheck %s --check-prefixes=CHECK,BOTH
// RUN: girih-opt %s --girih-choose-tiling='girih-tile-k=128' | FileCheck %s --check-prefixes=CHECK,KEYS
//
// Twice is once, whatever the options of the second time are.
// RUN: girih-opt %s --girih-choose-tiling > %t.once
// RUN: girih-opt %t.once --girih-choose-tiling='girih-tile-q=16' | diff %t.once -

// CHECK-LABEL: func.func @without_tile
// CHOSEN: girih.attention {{.*}} tile [64, 64]
// BOTH: girih.attention {{.*}} tile [16, 128]
// KEYS: girih.attention {{.*}} tile [64, 128]
func.func @without_tile(%q: tensor<?x8x?x64xf32>, %k: tensor<?x8x?x64xf32>) -> tensor<?x8x?x64xf32> {
  %p = girih.causal
  %o, %lse = girih.attention q(%q) k(%k) v(%k) pattern(%p)
      : tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return %o : tensor<?x8x?x64xf32>
}

// CHECK-LABEL: func.func @leaves_tile_alone
// CHECK: girih.attention {{.*}} tile [32, 16]
func.func @leaves_tile_alone(%q: tensor<?x8x?x64xf32>, %k: tensor<?x8x?x64xf32>) -> tensor<?x8x?x64xf32> {
  %p = girih.causal
  %o, %lse = girih.attention q(%q) k(%k) v(%k) pattern(%p) tile [32, 16]
      : tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return %o : tensor<?x8x?x64xf32>
}

// CHECK-LABEL: func.func @without_attention
// CHECK-NEXT: return
func.func @without_attention() {
  return
}
