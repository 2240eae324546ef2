// Attention with a map becomes online softmax over the tiles of one task.
// RUN: girih-opt %s --girih-convert-attention-to-tile --cse | FileCheck %s
//
// Twice is once.
// RUN: girih-opt %s --girih-convert-attention-to-tile > %t.once
// RUN: girih-opt %t.once --girih-convert-attention-to-tile | diff %t.once -

// The whole kernel: queries times scale and log2(e), one step for each tile of
// keys, division by the sum at the end. Outputs are arguments.
// CHECK-LABEL: func.func @kernel(
// CHECK-SAME: %[[Q:.*]]: tensor<?x8x?x32xf32>, %[[K:.*]]: tensor<?x2x?x32xf32>, %[[V:.*]]: tensor<?x2x?x48xf32>, %[[SCALE:.*]]: f32, %[[O:.*]]: memref<?x8x?x48xf32>, %[[LSE:.*]]: memref<?x8x?xf32>) {
// CHECK: %[[P:.*]] = girih.where
// CHECK: %[[MAP:.*]] = girih.block_map %[[P]]
// CHECK: %[[B:.*]], %[[H:.*]], %[[I:.*]] = girih_tile.task
// CHECK: %[[ROW:.*]] = arith.muli %[[I]], %c16
// CHECK: %[[QT:.*]] = girih_tile.load %[[Q]][%[[B]], %[[H]], %[[ROW]]]
// CHECK: %[[FACTOR:.*]] = arith.mulf %[[SCALE]], %cst
// CHECK: girih_tile.splat %[[FACTOR]]
// CHECK: %[[SCALED:.*]] = arith.mulf %[[QT]]
// CHECK: %[[R:.*]]:3 = girih.for_blocks (%[[J:.*]], %[[PARTIAL:.*]]) of %[[MAP]][%[[B]], %[[H]], %[[I]]] iter_args(%[[ACC:.*]] = %{{.*}}, %[[MAX:.*]] = %{{.*}}, %[[SUM:.*]] = %{{.*}})
// CHECK: %[[KT:.*]] = girih_tile.load %[[K]]
// CHECK: %[[S:.*]] = girih_tile.dot %[[SCALED]], %[[KT]] transposed
// CHECK: %[[M:.*]] = girih_tile.mask %[[S]] keep %[[P]] at{{.*}} when %[[PARTIAL]]
// CHECK: %[[PEAK:.*]] = girih_tile.row_reduce max %[[M]]
// CHECK: %[[NEWMAX:.*]] = arith.maxnumf %[[MAX]], %[[PEAK]]
// CHECK: %[[DECAY:.*]] = math.exp2
// CHECK: %[[PROB:.*]] = math.exp2
// CHECK: girih_tile.row_reduce add %[[PROB]]
// CHECK: %[[KEPT:.*]] = arith.mulf %[[SUM]], %[[DECAY]]
// CHECK: %[[NEWSUM:.*]] = arith.addf %[[KEPT]]
// CHECK: %[[VT:.*]] = girih_tile.load %[[V]]
// CHECK: %[[DECAYED:.*]] = arith.mulf %[[ACC]]
// CHECK: %[[NEWACC:.*]] = girih_tile.dot %[[PROB]], %[[VT]] acc(%[[DECAYED]])
// CHECK: girih.yield %[[NEWACC]], %[[NEWMAX]], %[[NEWSUM]]
// CHECK: girih_tile.store %{{.*}}, %[[O]][%[[B]], %[[H]], %[[ROW]]] : tensor<16x48xf32>
// CHECK: girih_tile.store %{{.*}}, %[[LSE]][%[[B]], %[[H]], %[[ROW]]] : tensor<16xf32>
// CHECK: return{{$}}
func.func @kernel(%q: tensor<?x8x?x32xf32>, %k: tensor<?x2x?x32xf32>, %v: tensor<?x2x?x48xf32>, %scale: f32)
    -> (tensor<?x8x?x48xf32>, tensor<?x8x?xf32>) {
  %p = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0)>
  %map = girih.block_map %p tile [16, 32] provider table
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) scale(%scale) map(%map) align top_left tile [16, 32]
      : tensor<?x8x?x32xf32>, tensor<?x2x?x32xf32>, tensor<?x2x?x48xf32> -> tensor<?x8x?x48xf32>, tensor<?x8x?xf32>
  return %o, %lse : tensor<?x8x?x48xf32>, tensor<?x8x?xf32>
}

// A row that has seen nothing keeps -inf: its base is 0, because -inf - -inf is
// NaN. A sum of 0 at the end divides by 1 and gives output 0, LSE -inf.
// CHECK-LABEL: func.func @rows_that_see_nothing(
// CHECK: girih.for_blocks
// CHECK: %[[NEWMAX:.*]] = arith.maxnumf
// CHECK: %[[UNSEEN:.*]] = arith.cmpf oeq, %[[NEWMAX]], %[[INF:.*]] : tensor<16xf32>
// CHECK: %[[BASE:.*]] = arith.select %[[UNSEEN]], %[[ZERO:.*]], %[[NEWMAX]]
// CHECK: arith.subf %{{.*}}, %[[BASE]]
// CHECK: girih_tile.broadcast %[[BASE]]
// CHECK: girih.yield
// CHECK: %[[EMPTY:.*]] = arith.cmpf oeq, %[[SUM:.*]], %{{.*}} : tensor<16xf32>
// CHECK: %[[DIVISOR:.*]] = arith.select %[[EMPTY]], %{{.*}}, %[[SUM]]
// CHECK: math.log2 %[[DIVISOR]]
func.func @rows_that_see_nothing(%q: tensor<?x1x?x32xf32>) -> (tensor<?x1x?x32xf32>, tensor<?x1x?xf32>) {
  %p = girih.empty
  %map = girih.block_map %p tile [16, 16] provider table
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%p) map(%map) tile [16, 16]
      : tensor<?x1x?x32xf32>, tensor<?x1x?x32xf32>, tensor<?x1x?x32xf32> -> tensor<?x1x?x32xf32>, tensor<?x1x?xf32>
  return %o, %lse : tensor<?x1x?x32xf32>, tensor<?x1x?xf32>
}

// Query heads share KV heads: head / (Hq / Hkv).
// CHECK-LABEL: func.func @grouped_heads(
// CHECK: %{{.*}}, %[[H:.*]], %{{.*}} = girih_tile.task
// CHECK: %[[HQ:.*]] = tensor.dim %arg0, %c1
// CHECK: %[[HKV:.*]] = tensor.dim %arg1, %c1
// CHECK: %[[GROUP:.*]] = arith.divui %[[HQ]], %[[HKV]]
// CHECK: %[[KVHEAD:.*]] = arith.divui %[[H]], %[[GROUP]]
// CHECK: girih_tile.load %arg1[%{{.*}}, %[[KVHEAD]],
// CHECK: girih_tile.load %arg2[%{{.*}}, %[[KVHEAD]],
func.func @grouped_heads(%q: tensor<?x?x?x32xf32>, %k: tensor<?x?x?x32xf32>, %v: tensor<?x?x?x32xf32>)
    -> (tensor<?x?x?x32xf32>, tensor<?x?x?xf32>) {
  %p = girih.full
  %map = girih.block_map %p tile [16, 16] provider table
  %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%p) map(%map) tile [16, 16]
      : tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32> -> tensor<?x?x?x32xf32>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x32xf32>, tensor<?x?x?xf32>
}

// Positions are absolute: row + Nk - Nq. Loads and stores count rows of the launch.
// CHECK-LABEL: func.func @bottom_right(
// CHECK: %[[ROW:.*]] = arith.muli
// CHECK: %[[NK:.*]] = tensor.dim %arg1, %c2
// CHECK: %[[NQ:.*]] = tensor.dim %arg0, %c2
// CHECK: %[[OFFSET:.*]] = arith.subi %[[NK]], %[[NQ]]
// CHECK: %[[POSITION:.*]] = arith.addi %[[ROW]], %[[OFFSET]]
// CHECK: girih_tile.load %arg0[%{{.*}}, %{{.*}}, %[[ROW]]]
// CHECK: girih_tile.mask {{.*}} at[%{{.*}}, %{{.*}}, %[[POSITION]], %{{.*}}]
// CHECK: girih_tile.store {{.*}}[%{{.*}}, %{{.*}}, %[[ROW]]]
func.func @bottom_right(%q: tensor<?x1x?x32xf32>, %k: tensor<?x1x?x32xf32>) -> (tensor<?x1x?x32xf32>, tensor<?x1x?xf32>) {
  %p = girih.full
  %map = girih.block_map %p tile [16, 16] provider table
  %o, %lse = girih.attention q(%q) k(%k) v(%k) pattern(%p) map(%map) tile [16, 16]
      : tensor<?x1x?x32xf32>, tensor<?x1x?x32xf32>, tensor<?x1x?x32xf32> -> tensor<?x1x?x32xf32>, tensor<?x1x?xf32>
  return %o, %lse : tensor<?x1x?x32xf32>, tensor<?x1x?xf32>
}

// Without scale it is 1 / sqrt(16). Queries are widened before they are scaled;
// keys and values keep their type.
// CHECK-LABEL: func.func @bf16(
// CHECK: arith.extf %{{.*}} : tensor<16x16xbf16> to tensor<16x16xf32>
// CHECK: %[[SCALE:.*]] = arith.constant 2.500000e-01 : f32
// CHECK: %[[LOG2E:.*]] = arith.constant 1.44269502 : f32
// CHECK: arith.mulf %[[SCALE]], %[[LOG2E]] : f32
// CHECK: girih_tile.dot %{{.*}} : tensor<16x16xf32>, tensor<16x16xbf16> -> tensor<16x16xf32>
// CHECK: girih_tile.dot %{{.*}} : tensor<16x16xf32>, tensor<16x16xbf16> -> tensor<16x16xf32>
func.func @bf16(%q: tensor<?x1x?x16xbf16>) -> (tensor<?x1x?x16xf32>, tensor<?x1x?xf32>) {
  %p = girih.full
  %map = girih.block_map %p tile [16, 16] provider table
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%p) map(%map) tile [16, 16]
      : tensor<?x1x?x16xbf16>, tensor<?x1x?x16xbf16>, tensor<?x1x?x16xbf16> -> tensor<?x1x?x16xf32>, tensor<?x1x?xf32>
  return %o, %lse : tensor<?x1x?x16xf32>, tensor<?x1x?xf32>
}

// A score function sees natural scores: log2(e) is multiplied behind it, and the
// mask comes last.
// CHECK-LABEL: func.func @score(
// CHECK: %[[X:.*]] = girih_tile.map %{{.*}} {
// CHECK: %[[BENT:.*]] = math.tanh
// CHECK: %[[LOG2E:.*]] = arith.constant 1.44269502 : f32
// CHECK: %[[Y:.*]] = arith.mulf %[[BENT]], %[[LOG2E]]
// CHECK: girih.yield %[[Y]] : f32
// CHECK: girih_tile.mask %[[X]]
func.func @score(%q: tensor<?x1x?x16xf32>) -> (tensor<?x1x?x16xf32>, tensor<?x1x?xf32>) {
  %p = girih.full
  %map = girih.block_map %p tile [16, 16] provider table
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%p) map(%map) tile [16, 16] score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %bent = math.tanh %s : f32
    girih.yield %bent : f32
  } : tensor<?x1x?x16xf32>, tensor<?x1x?x16xf32>, tensor<?x1x?x16xf32> -> tensor<?x1x?x16xf32>, tensor<?x1x?xf32>
  return %o, %lse : tensor<?x1x?x16xf32>, tensor<?x1x?xf32>
}

// CHECK-LABEL: func.func @leaves_other_functions_alone(
// CHECK-NEXT: return %arg0 : tensor<4xf32>
func.func @leaves_other_functions_alone(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
