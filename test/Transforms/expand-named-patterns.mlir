// Each named pattern becomes the sets and tables that define it, and only they are left.
// RUN: girih-opt %s --girih-expand-named-patterns | %python %S/Inputs/inline-sets.py | FileCheck %s
//
// Twice is once.
// RUN: girih-opt %s --girih-expand-named-patterns > %t.once
// RUN: girih-opt %t.once --girih-expand-named-patterns | diff %t.once -

//===----------------------------------------------------------------------===//
// Leaves
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func.func @constants(
// CHECK-NEXT: %[[P0:.*]] = girih.full
// CHECK-NEXT: %[[P1:.*]] = girih.empty
// CHECK-NEXT: return %[[P0]], %[[P1]] : !girih.pattern, !girih.pattern
func.func @constants() -> (!girih.pattern, !girih.pattern) {
  %0 = girih.full
  %1 = girih.empty
  return %0, %1 : !girih.pattern, !girih.pattern
}

// CHECK-LABEL: func.func @causal(
// CHECK-NEXT: %[[P0:.*]] = girih.where {q - k >= 0}
// CHECK-NEXT: return %[[P0]] : !girih.pattern
func.func @causal() -> !girih.pattern {
  %0 = girih.causal
  return %0 : !girih.pattern
}

// CHECK-LABEL: func.func @window(
// CHECK-NEXT: %[[P0:.*]] = girih.where {-(q - k) + 3 >= 0}
// CHECK-NEXT: %[[P1:.*]] = girih.where {q - k + 4 >= 0}
// CHECK-NEXT: %[[P2:.*]] = girih.intersect %[[P0]], %[[P1]]
// CHECK-NEXT: return %[[P2]] : !girih.pattern
func.func @window() -> !girih.pattern {
  %0 = girih.window left = 3 right = 4
  return %0 : !girih.pattern
}

// CHECK-LABEL: func.func @window_with_one_side(
// CHECK-NEXT: %[[P0:.*]] = girih.where {-(q - k) + 3 >= 0}
// CHECK-NEXT: %[[P1:.*]] = girih.where {q - k + 4 >= 0}
// CHECK-NEXT: return %[[P0]], %[[P1]] : !girih.pattern, !girih.pattern
func.func @window_with_one_side() -> (!girih.pattern, !girih.pattern) {
  %0 = girih.window left = 3
  %1 = girih.window right = 4
  return %0, %1 : !girih.pattern, !girih.pattern
}

// A side that no sequence reaches is no constraint: adding it could leave 64 bits.
// CHECK-LABEL: func.func @window_beyond_every_length(
// CHECK-NEXT: %[[P0:.*]] = girih.full
// CHECK-NEXT: return %[[P0]] : !girih.pattern
func.func @window_beyond_every_length() -> !girih.pattern {
  %0 = girih.window left = 9223372036854775807 right = 4611686018427387904
  return %0 : !girih.pattern
}

// CHECK-LABEL: func.func @dilated(
// CHECK-NEXT: %[[P0:.*]] = girih.where {(q - k) mod 5 == 0}
// CHECK-NEXT: %[[P1:.*]] = girih.where {-(q - k) + 10 >= 0}
// CHECK-NEXT: %[[P2:.*]] = girih.where {q - k + 5 >= 0}
// CHECK-NEXT: %[[P3:.*]] = girih.intersect %[[P1]], %[[P2]]
// CHECK-NEXT: %[[P4:.*]] = girih.intersect %[[P0]], %[[P3]]
// CHECK-NEXT: return %[[P4]] : !girih.pattern
func.func @dilated() -> !girih.pattern {
  %0 = girih.dilated left = 2 right = 1 dilation = 5
  return %0 : !girih.pattern
}

// 2^61 taps of 8 tokens are 2^64 tokens.
// CHECK-LABEL: func.func @dilated_beyond_every_length(
// CHECK-NEXT: %[[P0:.*]] = girih.where {(q - k) mod 8 == 0}
// CHECK-NEXT: %[[P1:.*]] = girih.where {q - k + 8 >= 0}
// CHECK-NEXT: %[[P2:.*]] = girih.intersect %[[P0]], %[[P1]]
// CHECK-NEXT: return %[[P2]] : !girih.pattern
func.func @dilated_beyond_every_length() -> !girih.pattern {
  %0 = girih.dilated left = 2305843009213693952 right = 1 dilation = 8
  return %0 : !girih.pattern
}

// CHECK-LABEL: func.func @strided(
// CHECK-NEXT: %[[P0:.*]] = girih.where {(q - k) mod 6 == 0}
// CHECK-NEXT: return %[[P0]] : !girih.pattern
func.func @strided() -> !girih.pattern {
  %0 = girih.strided stride = 6
  return %0 : !girih.pattern
}

// CHECK-LABEL: func.func @chunk(
// CHECK-NEXT: %[[P0:.*]] = girih.where {q floordiv 64 - k floordiv 64 == 0}
// CHECK-NEXT: return %[[P0]] : !girih.pattern
func.func @chunk() -> !girih.pattern {
  %0 = girih.chunk size = 64
  return %0 : !girih.pattern
}

// CHECK-LABEL: func.func @columns(
// CHECK-NEXT: %[[P0:.*]] = girih.where {k mod 8 - 6 >= 0}
// CHECK-NEXT: %[[P1:.*]] = girih.where {-(k mod 8) + 7 >= 0}
// CHECK-NEXT: %[[P2:.*]] = girih.intersect %[[P0]], %[[P1]]
// CHECK-NEXT: return %[[P2]] : !girih.pattern
func.func @columns() -> !girih.pattern {
  %0 = girih.columns period = 8 lo = 6 hi = 8
  return %0 : !girih.pattern
}

// CHECK-LABEL: func.func @global_columns(
// CHECK-NEXT: %[[P0:.*]] = girih.where {-k + 3 >= 0}
// CHECK-NEXT: %[[P1:.*]] = girih.where {k - nk + 2 >= 0}
// CHECK-NEXT: %[[P2:.*]] = girih.union %[[P0]], %[[P1]]
// CHECK-NEXT: return %[[P2]] : !girih.pattern
func.func @global_columns() -> !girih.pattern {
  %0 = girih.global_columns first = 4 last = 2
  return %0 : !girih.pattern
}

// "last = 0" adds nothing; rows count from the absolute query end.
// CHECK-LABEL: func.func @global_rows(
// CHECK-NEXT: %[[P0:.*]] = girih.where {-q + 3 >= 0}
// CHECK-NEXT: %[[P1:.*]] = girih.where {-q + 3 >= 0}
// CHECK-NEXT: %[[P2:.*]] = girih.where {q - n + 1 >= 0}
// CHECK-NEXT: %[[P3:.*]] = girih.union %[[P1]], %[[P2]]
// CHECK-NEXT: return %[[P0]], %[[P3]] : !girih.pattern, !girih.pattern
func.func @global_rows() -> (!girih.pattern, !girih.pattern) {
  %0 = girih.global_rows first = 4
  %1 = girih.global_rows first = 4 last = 1
  return %0, %1 : !girih.pattern, !girih.pattern
}

// CHECK-LABEL: func.func @global_everything(
// CHECK-NEXT: %[[P0:.*]] = girih.full
// CHECK-NEXT: return %[[P0]] : !girih.pattern
func.func @global_everything() -> !girih.pattern {
  %0 = girih.global_columns first = 9223372036854775807
  return %0 : !girih.pattern
}

//===----------------------------------------------------------------------===//
// Neighbourhoods
//===----------------------------------------------------------------------===//

// Seven of 48 positions: min(q - 3, 41) or 0, whichever is larger, is the first.
// CHECK-LABEL: func.func @neighborhood_1d(
// CHECK-NEXT: %[[P0:.*]] = girih.where {-(q - 3) + k >= 0}
// CHECK-NEXT: %[[P1:.*]] = girih.where {k - 44 >= 0}
// CHECK-NEXT: %[[P2:.*]] = girih.union %[[P0]], %[[P1]]
// CHECK-NEXT: %[[P3:.*]] = girih.where {k - 41 >= 0}
// CHECK-NEXT: %[[P4:.*]] = girih.union %[[P2]], %[[P3]]
// CHECK-NEXT: %[[P5:.*]] = girih.where {k >= 0}
// CHECK-NEXT: %[[P6:.*]] = girih.intersect %[[P4]], %[[P5]]
// CHECK-NEXT: %[[P7:.*]] = girih.where {q - k + 3 >= 0}
// CHECK-NEXT: %[[P8:.*]] = girih.where {-k + 50 >= 0}
// CHECK-NEXT: %[[P9:.*]] = girih.intersect %[[P7]], %[[P8]]
// CHECK-NEXT: %[[P10:.*]] = girih.where {-k + 47 >= 0}
// CHECK-NEXT: %[[P11:.*]] = girih.intersect %[[P9]], %[[P10]]
// CHECK-NEXT: %[[P12:.*]] = girih.where {-k + 6 >= 0}
// CHECK-NEXT: %[[P13:.*]] = girih.union %[[P11]], %[[P12]]
// CHECK-NEXT: %[[P14:.*]] = girih.intersect %[[P6]], %[[P13]]
// CHECK-NEXT: return %[[P14]] : !girih.pattern
func.func @neighborhood_1d() -> !girih.pattern {
  %0 = girih.neighborhood grid = [48] kernel = [7] dilation = [1] stride = [1] causal = [false]
  return %0 : !girih.pattern
}

// The inner coordinate is a remainder; the outer one needs none.
// CHECK-LABEL: func.func @neighborhood_2d(
// CHECK: girih.where {-(q floordiv 64 - 3) + k floordiv 64 >= 0}
// CHECK: girih.where {-(k floordiv 64) + 6 >= 0}
// CHECK: %[[ROWS:.*]] = girih.intersect
// CHECK: girih.where {-(q mod 64 - 4) + k mod 64 >= 0}
// CHECK: girih.where {-(k mod 64) + 8 >= 0}
// CHECK: %[[COLUMNS:.*]] = girih.intersect
// CHECK-NEXT: %[[BOTH:.*]] = girih.intersect %[[ROWS]], %[[COLUMNS]]
// CHECK-NEXT: return %[[BOTH]]
func.func @neighborhood_2d() -> !girih.pattern {
  %0 = girih.neighborhood grid = [48, 64] kernel = [7, 9] dilation = [1, 1] stride = [1, 1] causal = [false, false]
  return %0 : !girih.pattern
}

// The leader of a group of three is its middle.
// CHECK-LABEL: func.func @neighborhood_strided(
// CHECK-NEXT: %[[P0:.*]] = girih.where {-((q floordiv 3) * 3 - 2) + k >= 0}
// CHECK-NEXT: %[[P1:.*]] = girih.where {k - 44 >= 0}
// CHECK-NEXT: %[[P2:.*]] = girih.union %[[P0]], %[[P1]]
// CHECK-NEXT: %[[P3:.*]] = girih.where {k - 41 >= 0}
// CHECK-NEXT: %[[P4:.*]] = girih.union %[[P2]], %[[P3]]
// CHECK-NEXT: %[[P5:.*]] = girih.where {k >= 0}
// CHECK-NEXT: %[[P6:.*]] = girih.intersect %[[P4]], %[[P5]]
// CHECK-NEXT: %[[P7:.*]] = girih.where {(q floordiv 3) * 3 - k + 4 >= 0}
// CHECK-NEXT: %[[P8:.*]] = girih.where {-k + 50 >= 0}
// CHECK-NEXT: %[[P9:.*]] = girih.intersect %[[P7]], %[[P8]]
// CHECK-NEXT: %[[P10:.*]] = girih.where {-k + 47 >= 0}
// CHECK-NEXT: %[[P11:.*]] = girih.intersect %[[P9]], %[[P10]]
// CHECK-NEXT: %[[P12:.*]] = girih.where {-k + 6 >= 0}
// CHECK-NEXT: %[[P13:.*]] = girih.union %[[P11]], %[[P12]]
// CHECK-NEXT: %[[P14:.*]] = girih.intersect %[[P6]], %[[P13]]
// CHECK-NEXT: return %[[P14]] : !girih.pattern
func.func @neighborhood_strided() -> !girih.pattern {
  %0 = girih.neighborhood grid = [48] kernel = [7] dilation = [1] stride = [3] causal = [false]
  return %0 : !girih.pattern
}

// Neighbours share the residue; positions count within it.
// CHECK-LABEL: func.func @neighborhood_dilated(
// CHECK-NEXT: %[[P0:.*]] = girih.where {q mod 5 - k mod 5 == 0}
// CHECK-NEXT: %[[P1:.*]] = girih.where {-(q floordiv 5 - 3) + k floordiv 5 >= 0}
// CHECK-NEXT: %[[P2:.*]] = girih.where {-((-(q mod 5) + 52) floordiv 5 - 4) + k floordiv 5 >= 0}
// CHECK-NEXT: %[[P3:.*]] = girih.union %[[P1]], %[[P2]]
// CHECK-NEXT: %[[P4:.*]] = girih.where {-((-(q mod 5) + 52) floordiv 5 - 7) + k floordiv 5 >= 0}
// CHECK-NEXT: %[[P5:.*]] = girih.union %[[P3]], %[[P4]]
// CHECK-NEXT: %[[P6:.*]] = girih.where {k floordiv 5 >= 0}
// CHECK-NEXT: %[[P7:.*]] = girih.intersect %[[P5]], %[[P6]]
// CHECK-NEXT: %[[P8:.*]] = girih.where {q floordiv 5 - k floordiv 5 + 3 >= 0}
// CHECK-NEXT: %[[P9:.*]] = girih.where {(-(q mod 5) + 52) floordiv 5 - k floordiv 5 + 2 >= 0}
// CHECK-NEXT: %[[P10:.*]] = girih.intersect %[[P8]], %[[P9]]
// CHECK-NEXT: %[[P11:.*]] = girih.where {(-(q mod 5) + 52) floordiv 5 - k floordiv 5 - 1 >= 0}
// CHECK-NEXT: %[[P12:.*]] = girih.intersect %[[P10]], %[[P11]]
// CHECK-NEXT: %[[P13:.*]] = girih.where {-(k floordiv 5) + 6 >= 0}
// CHECK-NEXT: %[[P14:.*]] = girih.union %[[P12]], %[[P13]]
// CHECK-NEXT: %[[P15:.*]] = girih.intersect %[[P0]], %[[P7]], %[[P14]]
// CHECK-NEXT: return %[[P15]] : !girih.pattern
func.func @neighborhood_dilated() -> !girih.pattern {
  %0 = girih.neighborhood grid = [48] kernel = [7] dilation = [5] stride = [1] causal = [false]
  return %0 : !girih.pattern
}

// CHECK-LABEL: func.func @neighborhood_causal(
// CHECK-NEXT: %[[P0:.*]] = girih.where {-((q floordiv 2) * 2 - 5) + k >= 0}
// CHECK-NEXT: %[[P1:.*]] = girih.where {k - 41 >= 0}
// CHECK-NEXT: %[[P2:.*]] = girih.union %[[P0]], %[[P1]]
// CHECK-NEXT: %[[P3:.*]] = girih.where {k >= 0}
// CHECK-NEXT: %[[P4:.*]] = girih.intersect %[[P2]], %[[P3]]
// CHECK-NEXT: %[[P5:.*]] = girih.where {q - k >= 0}
// CHECK-NEXT: %[[P6:.*]] = girih.intersect %[[P4]], %[[P5]]
// CHECK-NEXT: return %[[P6]] : !girih.pattern
func.func @neighborhood_causal() -> !girih.pattern {
  %0 = girih.neighborhood grid = [48] kernel = [7] dilation = [1] stride = [2] causal = [true]
  return %0 : !girih.pattern
}

//===----------------------------------------------------------------------===//
// Algebra
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func.func @algebra(
// CHECK-NEXT: %[[P0:.*]] = girih.where {q - k >= 0}
// CHECK-NEXT: %[[P1:.*]] = girih.where {(q - k) mod 2 == 0}
// CHECK-NEXT: %[[P2:.*]] = girih.union %[[P0]], %[[P1]]
// CHECK-NEXT: %[[P3:.*]] = girih.where {q floordiv 4 - k floordiv 4 == 0}
// CHECK-NEXT: %[[P4:.*]] = girih.complement %[[P3]]
// CHECK-NEXT: %[[P5:.*]] = girih.intersect %[[P2]], %[[P4]]
// CHECK-NEXT: return %[[P5]] : !girih.pattern
func.func @algebra() -> !girih.pattern {
  %0 = girih.causal
  %1 = girih.strided stride = 2
  %2 = girih.chunk size = 4
  %3 = girih.union %0, %1
  %4 = girih.subtract %3, %2
  return %4 : !girih.pattern
}

// CHECK-LABEL: func.func @folds_constants(
// CHECK: %[[ALL:.*]] = girih.full
// CHECK: %[[C:.*]] = girih.where {q - k >= 0}
// CHECK: return %[[ALL]], %[[C]] :
func.func @folds_constants() -> (!girih.pattern, !girih.pattern) {
  %0 = girih.full
  %1 = girih.causal
  %2 = girih.union %0, %1
  %3 = girih.intersect %0, %1
  return %2, %3 : !girih.pattern, !girih.pattern
}

// CHECK-LABEL: func.func @two_complements(
// CHECK-NEXT: %[[P0:.*]] = girih.where {q - k >= 0}
// CHECK-NEXT: return %[[P0]] : !girih.pattern
func.func @two_complements() -> !girih.pattern {
  %0 = girih.causal
  %1 = girih.complement %0
  %2 = girih.complement %1
  return %2 : !girih.pattern
}

// Blocks are tokens divided, lengths are rounded up.
// CHECK-LABEL: func.func @blockwise(
// CHECK-NEXT: %[[P0:.*]] = girih.where {-(q floordiv 64 - k floordiv 64) + 1 >= 0}
// CHECK-NEXT: %[[P1:.*]] = girih.where {q floordiv 64 - k floordiv 64 + 1 >= 0}
// CHECK-NEXT: %[[P2:.*]] = girih.intersect %[[P0]], %[[P1]]
// CHECK-NEXT: %[[P3:.*]] = girih.where {-(k floordiv 64) >= 0}
// CHECK-NEXT: %[[P4:.*]] = girih.where {k floordiv 64 - (nk + 63) floordiv 64 + 1 >= 0}
// CHECK-NEXT: %[[P5:.*]] = girih.union %[[P3]], %[[P4]]
// CHECK-NEXT: %[[P6:.*]] = girih.union %[[P2]], %[[P5]]
// CHECK-NEXT: return %[[P6]] : !girih.pattern
func.func @blockwise() -> !girih.pattern {
  %0 = girih.window left = 1 right = 1
  %1 = girih.global_columns first = 1 last = 1
  %2 = girih.union %0, %1
  %3 = girih.blockwise %2 size = 64
  return %3 : !girih.pattern
}

// Blocks of blocks are divided once, by the product.
// CHECK-LABEL: func.func @blockwise_twice(
// CHECK-NEXT: %[[P0:.*]] = girih.where {q floordiv 64 - k floordiv 64 >= 0}
// CHECK-NEXT: return %[[P0]] : !girih.pattern
func.func @blockwise_twice() -> !girih.pattern {
  %0 = girih.causal
  %1 = girih.blockwise %0 size = 4
  %2 = girih.blockwise %1 size = 16
  return %2 : !girih.pattern
}

// One pattern at two scales is expanded twice.
// CHECK-LABEL: func.func @blockwise_and_not(
// CHECK-NEXT: %[[P0:.*]] = girih.where {q floordiv 4 - k floordiv 4 >= 0}
// CHECK-NEXT: %[[P1:.*]] = girih.where {q - k >= 0}
// CHECK-NEXT: %[[P2:.*]] = girih.complement %[[P1]]
// CHECK-NEXT: %[[P3:.*]] = girih.intersect %[[P0]], %[[P2]]
// CHECK-NEXT: return %[[P3]] : !girih.pattern
func.func @blockwise_and_not() -> !girih.pattern {
  %0 = girih.causal
  %1 = girih.blockwise %0 size = 4
  %2 = girih.subtract %1, %0
  return %2 : !girih.pattern
}

// CHECK-LABEL: func.func @heads(
// CHECK-NEXT: %[[P0:.*]] = girih.where {h >= 0}
// CHECK-NEXT: %[[P1:.*]] = girih.where {-h + 5 >= 0}
// CHECK-NEXT: %[[P2:.*]] = girih.where {q - k >= 0}
// CHECK-NEXT: %[[P3:.*]] = girih.intersect %[[P0]], %[[P1]], %[[P2]]
// CHECK-NEXT: %[[P4:.*]] = girih.where {h - 6 >= 0}
// CHECK-NEXT: %[[P5:.*]] = girih.where {-h + 7 >= 0}
// CHECK-NEXT: %[[P6:.*]] = girih.intersect %[[P4]], %[[P5]]
// CHECK-NEXT: %[[P7:.*]] = girih.union %[[P3]], %[[P6]]
// CHECK-NEXT: return %[[P7]] : !girih.pattern
func.func @heads() -> !girih.pattern {
  %0 = girih.causal
  %1 = girih.window
  %2 = girih.heads %0, %1 first = [0, 6] last = [5, 7]
  return %2 : !girih.pattern
}

//===----------------------------------------------------------------------===//
// Tables stay; blocks of them are larger units
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func.func @tables(
// CHECK-SAME: %[[ARG0:[^:]*]]:{{.*}}%[[ARG1:[^:]*]]:{{.*}}%[[ARG2:[^:]*]]:
// CHECK-NEXT: %[[P0:.*]] = girih.segments %[[ARG0]] : tensor<?xi64>
// CHECK-NEXT: %[[P1:.*]] = girih.block_table %[[ARG1]], %[[ARG2]] size = 64 heads = 2 : tensor<?xi64>, tensor<?xi64>
// CHECK-NEXT: %[[P2:.*]] = girih.random_blocks size = 64 count = 3 seed = 1
// CHECK-NEXT: return %[[P0]], %[[P1]], %[[P2]] : !girih.pattern, !girih.pattern, !girih.pattern
func.func @tables(%offsets: tensor<?xi64>, %indptr: tensor<?xi64>, %indices: tensor<?xi64>)
    -> (!girih.pattern, !girih.pattern, !girih.pattern) {
  %0 = girih.segments %offsets : tensor<?xi64>
  %1 = girih.block_table %indptr, %indices size = 64 heads = 2 : tensor<?xi64>, tensor<?xi64>
  %2 = girih.random_blocks size = 64 count = 3 seed = 1
  return %0, %1, %2 : !girih.pattern, !girih.pattern, !girih.pattern
}

// CHECK-LABEL: func.func @tables_of_blocks(
// CHECK-SAME: %[[ARG0:[^:]*]]:{{.*}}%[[ARG1:[^:]*]]:{{.*}}%[[ARG2:[^:]*]]:
// CHECK-NEXT: %[[P0:.*]] = girih.segments %[[ARG0]] unit = 32 : tensor<?xi64>
// CHECK-NEXT: %[[P1:.*]] = girih.block_table %[[ARG1]], %[[ARG2]] size = 64 : tensor<?xi64>, tensor<?xi64>
// CHECK-NEXT: %[[P2:.*]] = girih.random_blocks size = 128 count = 3 seed = 1
// CHECK-NEXT: %[[P3:.*]] = girih.union %[[P0]], %[[P1]], %[[P2]]
// CHECK-NEXT: return %[[P3]] : !girih.pattern
func.func @tables_of_blocks(%offsets: tensor<?xi64>, %indptr: tensor<?xi64>, %indices: tensor<?xi64>) -> !girih.pattern {
  %0 = girih.segments %offsets unit = 2 : tensor<?xi64>
  %1 = girih.block_table %indptr, %indices size = 4 : tensor<?xi64>, tensor<?xi64>
  %2 = girih.random_blocks size = 8 count = 3 seed = 1
  %3 = girih.union %0, %1, %2
  %4 = girih.blockwise %3 size = 16
  return %4 : !girih.pattern
}

// Beyond 2^26 tokens, the longest sequence, all units are the same.
// CHECK-LABEL: func.func @tables_of_huge_blocks(
// CHECK-SAME: %[[ARG0:[^:]*]]:{{.*}}%[[ARG1:[^:]*]]:{{.*}}%[[ARG2:[^:]*]]:
// CHECK-NEXT: %[[P0:.*]] = girih.segments %[[ARG0]] unit = 67108864 : tensor<?xi64>
// CHECK-NEXT: %[[P1:.*]] = girih.block_table %[[ARG1]], %[[ARG2]] size = 67108864 : tensor<?xi64>, tensor<?xi64>
// CHECK-NEXT: %[[P2:.*]] = girih.random_blocks size = 67108864 count = 3 seed = 1
// CHECK-NEXT: %[[P3:.*]] = girih.union %[[P0]], %[[P1]], %[[P2]]
// CHECK-NEXT: return %[[P3]] : !girih.pattern
func.func @tables_of_huge_blocks(%offsets: tensor<?xi64>, %indptr: tensor<?xi64>, %indices: tensor<?xi64>) -> !girih.pattern {
  %0 = girih.segments %offsets unit = 4611686018427387904 : tensor<?xi64>
  %1 = girih.block_table %indptr, %indices size = 9223372036854775807 : tensor<?xi64>, tensor<?xi64>
  %2 = girih.random_blocks size = 1099511627776 count = 3 seed = 1
  %3 = girih.blockwise %0 size = 2
  %4 = girih.union %3, %1, %2
  return %4 : !girih.pattern
}

//===----------------------------------------------------------------------===//
// What is left alone
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func.func @sets(
// CHECK-NEXT: %[[P0:.*]] = girih.where {q - k >= 0, k mod 2 == 0}
// CHECK-NEXT: %[[P1:.*]] = girih.where symbols {h * k - q >= 0}
// CHECK-NEXT: return %[[P0]], %[[P1]] : !girih.pattern, !girih.pattern
func.func @sets() -> (!girih.pattern, !girih.pattern) {
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0, k mod 2 == 0)>
  %1 = girih.where affine_set<()[b, h, q, k, nq, nk, n] : (h * k - q >= 0)>
  return %0, %1 : !girih.pattern, !girih.pattern
}

// Patterns that nothing uses vanish; other ops stay.
// CHECK-LABEL: func.func @drops_unused(
// CHECK-SAME: %[[ARG0:[^:]*]]:
// CHECK-NEXT: %[[P0:.*]] = arith.addi %[[ARG0]], %[[ARG0]] : index
// CHECK-NEXT: return %[[P0]] : index
func.func @drops_unused(%x: index) -> index {
  %0 = girih.causal
  %1 = arith.addi %x, %x : index
  return %1 : index
}
