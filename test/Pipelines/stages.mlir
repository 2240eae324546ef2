// Each pipeline starts at the pattern and stops at its level; options reach the passes.
// DEFINE: %{run} = girih-opt %s --pass-pipeline
// RUN: %{run}='builtin.module(girih-to-blocks)' | FileCheck %s --check-prefix=BLOCKS
// RUN: %{run}='builtin.module(girih-to-blocks{tile-q=16 tile-k=128})' | FileCheck %s --check-prefix=TILES
// RUN: %{run}='builtin.module(girih-to-tile)' | FileCheck %s --check-prefix=TILE
// RUN: %{run}='builtin.module(girih-to-cpu)' | FileCheck %s --check-prefix=CPU
// RUN: %{run}='builtin.module(girih-to-cpu{vector-width=8})' | FileCheck %s --check-prefix=CPU8
//
// A stage is the one before it and more.
// RUN: %{run}='builtin.module(girih-to-blocks)' | girih-opt --girih-convert-attention-to-tile --cse > %t.steps
// RUN: %{run}='builtin.module(girih-to-tile)' | girih-opt | diff %t.steps -

// BLOCKS-LABEL: func.func @mistral(
// BLOCKS: %[[P:.*]] = girih.where
// BLOCKS: %[[MAP:.*]] = girih.block_map %[[P]] tile [64, 64] provider ranges
// BLOCKS: girih.attention {{.*}} pattern(%[[P]]) scale(%arg3) map(%[[MAP]]) tile [64, 64]

// TILES: girih.block_map {{.*}} tile [16, 128]

// TILE-LABEL: func.func @mistral(
// TILE-NOT: girih.attention
// TILE: girih.for_blocks
// TILE: girih_tile.mask
// TILE: girih_tile.store

// CPU-LABEL: func.func @mistral(
// CPU-SAME: girih.scratch_bytes
// CPU-NOT: math.exp2
// CPU: vector.fma {{.*}} : vector<16xf32>
// CPU-NOT: math.exp2
// CPU: return

// CPU8: vector.fma {{.*}} : vector<8xf32>
func.func @mistral(%q: tensor<?x8x?x64xf32>, %k: tensor<?x2x?x64xf32>, %v: tensor<?x2x?x64xf32>, %scale: f32)
    -> (tensor<?x8x?x64xf32>, tensor<?x8x?xf32>) {
  %causal = girih.causal
  %window = girih.window left = 4095
  %both = girih.intersect %causal, %window
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%both) scale(%scale)
      : tensor<?x8x?x64xf32>, tensor<?x2x?x64xf32>, tensor<?x2x?x64xf32> -> tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
  return %o, %lse : tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
}
