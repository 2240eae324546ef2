//===- BlockMap.h - Map programs and the block maps derived from them -----===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A map program is a pattern in predicate normal form, flattened: which
// (query, key) pairs attend, as a small expression DAG. From it and the lengths
// of a launch the runtime derives the block map: for each q-tile the runs of
// k-tiles to visit, each full or partial. Deriving needs no compiler, so a
// kernel compiled ahead of time takes any length.
//
// Nothing here is ever proportional to num_q * num_k.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_C_BLOCKMAP_H
#define GIRIH_C_BLOCKMAP_H

#include "girih-c/Status.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Longest q or k that a map program is defined for: 2^26 tokens. Compilers
/// prove that no index expression leaves int64 for positions within it.
#define GIRIH_MAX_TOKENS ((int64_t)1 << 26)
/// Most batches, and most heads, that a map program is defined for; proved with
/// the positions.
#define GIRIH_MAX_HEADS ((int64_t)1 << 20)

/// Variables of a map program. Q is the absolute query position.
typedef enum GirihMapVar {
  GIRIH_VAR_B = 0,
  GIRIH_VAR_H = 1,
  GIRIH_VAR_Q = 2,
  GIRIH_VAR_K = 3,
  GIRIH_VAR_NQ = 4,
  GIRIH_VAR_NK = 5,
  GIRIH_VAR_END = 6, ///< absolute query end
} GirihMapVar;

typedef enum GirihMapOp {
  // Integers.
  GIRIH_MAP_CONST = 0,     ///< imm
  GIRIH_MAP_VAR = 1,       ///< the GirihMapVar in imm
  GIRIH_MAP_ADD = 2,       ///< a + b
  GIRIH_MAP_MUL = 3,       ///< a * b
  GIRIH_MAP_FLOORDIV = 4,  ///< floor(a / imm), imm > 0
  GIRIH_MAP_MOD = 5,       ///< a - imm * floor(a / imm), imm > 0
  GIRIH_MAP_SEG_BEGIN = 6, ///< first unit of the segment of table imm that holds
                           ///< unit a; a + 1 when a is in no segment
  GIRIH_MAP_SEG_END = 7,   ///< last unit of that segment; a when in none
  GIRIH_MAP_MIN = 8,       ///< min(a, b)
  GIRIH_MAP_MAX = 9,       ///< max(a, b)
  /// a * extent + b: the place in C order of index b of dimension imm % 4 in table
  /// imm / 4, behind the indices before it, whose place is a.
  GIRIH_MAP_PLACE = 10,
  /// The value of table imm at place a: index 0, or the PLACE of the last of its
  /// dimensions above that of the one before, and so on. Of an f32 table it has no
  /// value here, but its indices are checked.
  GIRIH_MAP_LOOKUP = 11,
  // Booleans.
  GIRIH_MAP_TRUE = 16,
  GIRIH_MAP_FALSE = 17,
  GIRIH_MAP_GE0 = 18, ///< a >= 0
  GIRIH_MAP_EQ0 = 19, ///< a == 0
  GIRIH_MAP_AND = 20, ///< a && b
  GIRIH_MAP_OR = 21,  ///< a || b
  GIRIH_MAP_NOT = 22, ///< !a
  /// The units of Q and K lie in the same segment of table imm.
  GIRIH_MAP_SAME_SEGMENT = 23,
  /// (h, unit of Q, unit of K) is listed in table imm.
  GIRIH_MAP_IN_TABLE = 24,
} GirihMapOp;

/// One node; `a` and `b` are indices of earlier nodes.
typedef struct GirihMapNode {
  int32_t op;
  int32_t a;
  int32_t b;
  int32_t reserved;
  int64_t imm;
} GirihMapNode;

typedef enum GirihTableKind {
  /// Run-time operand: offsets [0, ..., n] in units, n = ceil(nk / unit).
  GIRIH_TABLE_SEGMENTS = 0,
  /// Run-time operands: CSR indptr and indices in units of `unit` tokens, rows
  /// indexed by unit of Q; one row set shared by all heads or one for each head.
  GIRIH_TABLE_BLOCKS = 1,
  /// No operand: `count` distinct units for each (h, unit of Q), drawn by
  /// girihRandomBlocks.
  GIRIH_TABLE_RANDOM = 2,
  /// Run-time operand: an array of `count` dimensions that is looked up, of integers
  /// that fit 32 bits.
  GIRIH_TABLE_LOOKUP = 3,
  /// The same of f32, which score functions look up.
  GIRIH_TABLE_LOOKUP_F32 = 4,
} GirihTableKind;

typedef struct GirihMapTable {
  int32_t kind;    ///< a GirihTableKind
  int32_t operand; ///< index of the first run-time operand; -1 for none
  int64_t unit;    ///< tokens of a unit, > 0; 1 for arrays
  int64_t count;   ///< RANDOM: blocks for each row; BLOCKS: row sets; LOOKUP: dimensions
  uint64_t seed;   ///< RANDOM
} GirihMapTable;

/// One conjunctive term in closed form: it holds for (q, k) exactly when every
/// guard holds and max(lower) <= k <= min(upper). Guards are boolean nodes
/// without K. Lower and upper are integer nodes without K, each monotone in Q
/// over the integers. For the reverse terms read Q for K and K for Q.
/// `first` indexes `GirihMapProgram::term_nodes`: guards, then lowers, then
/// uppers. The nodes of a term begin where those of the term before it end, and those of
/// the first reverse term where those of the last forward term do; the first begin at 0.
typedef struct GirihMapTerm {
  int32_t first;
  int32_t num_guards;
  int32_t num_lower;
  int32_t num_upper;
} GirihMapTerm;

/// A pattern in predicate normal form. `forward` terms bound K for a given Q,
/// `reverse` terms bound Q for a given K. When `num_forward` is positive the
/// pattern is exactly the union of the forward terms (same for reverse); zero
/// means that no closed form was found.
typedef struct GirihMapProgram {
  const GirihMapNode *nodes;
  const GirihMapTable *tables;
  const GirihMapTerm *forward;
  const GirihMapTerm *reverse;
  const int32_t *term_nodes;
  int32_t num_nodes;
  int32_t num_tables;
  int32_t num_forward;
  int32_t num_reverse;
  int32_t num_operands;
  int32_t root;       ///< boolean node
  int32_t uses_batch; ///< whether the pattern reads B
  int32_t uses_head;  ///< whether the pattern reads H, or a table has head rows
} GirihMapProgram;

typedef enum GirihOperandType {
  GIRIH_OPERAND_I64 = 0,
  GIRIH_OPERAND_F32 = 1, ///< of GIRIH_TABLE_LOOKUP_F32 alone
} GirihOperandType;

/// A borrowed run-time operand: an array in C order, in host memory. Lists, which are all
/// operands but those of lookups, need `data` and `size` alone.
typedef struct GirihOperand {
  const void *data; ///< int64_t, or float
  int64_t size;     ///< values
  const char *name; ///< for messages; may be null
  int32_t type;     ///< a GirihOperandType
  int32_t rank;     ///< dimensions, 1 to 4; 0 stands for 1
  int64_t shape[4]; ///< of the first `rank` dimensions; their product is `size`
} GirihOperand;

/// The lengths of one launch.
typedef struct GirihMapParams {
  int64_t batch;
  int64_t heads;
  int64_t num_q;
  int64_t num_k;
  int64_t q_offset; ///< absolute position of query 0
  int64_t q_end;    ///< absolute query end
  int32_t tile_q;
  int32_t tile_k;
  const GirihOperand *operands; ///< `num_operands` of the program
  int64_t num_operands;
} GirihMapParams;

/// A table bound to the lengths of a launch; what generated code reads.
typedef struct GirihBoundTable {
  int32_t kind;
  int32_t per_head; ///< BLOCKS, RANDOM: whether rows differ by head
  int64_t unit;
  int64_t num_units;  ///< SEGMENTS: units that `ids` covers; LOOKUP: values
  const int32_t *ids; ///< SEGMENTS: segment of each unit; LOOKUP: values
  /// SEGMENTS: segment s of `rows` has units [indptr[s], indptr[s + 1]); row0 is 0.
  /// BLOCKS, RANDOM: row r of head h, r in [row0, row0 + rows), lists
  /// indices[indptr[h' * (rows + 1) + r - row0] ...), ascending, h' = per_head ? h : 0.
  int64_t row0;
  int64_t rows;
  const int64_t *indptr;
  const int32_t *indices;
  /// LOOKUP: `ids` has the `num_units` values in C order (of f32 tables their bits), and
  /// these are the extents; 1 behind the last dimension.
  int64_t extent[4];
} GirihBoundTable;

/// State of a listed k-tile.
typedef enum GirihTileState {
  GIRIH_TILE_PARTIAL = 0, ///< some pair is false or out of bounds: needs the mask
  GIRIH_TILE_FULL = 1,    ///< every pair of its queries is true, every key in bounds
} GirihTileState;

/// k-tiles [begin, end) that share a state.
typedef struct GirihRun {
  int32_t begin;
  int32_t end;
  int32_t state; ///< a GirihTileState
  int32_t view;  ///< which view the tile indices count in; 0 is the identity
} GirihRun;

/// How a map was derived.
typedef enum GirihMapTier {
  GIRIH_TIER_RANGES = 0,   ///< closed form
  GIRIH_TIER_QUADTREE = 1, ///< interval bisection with exact leaves
  GIRIH_TIER_CSR = 2,      ///< from a run-time list
  GIRIH_TIER_PERIODIC = 3, ///< bisection of some tile rows, copies of them for the others
} GirihMapTier;

/// An owned block map; opaque.
typedef struct GirihBlockMap GirihBlockMap;

/// Derives the map of `program` for these lengths. `*map` is owned by the
/// caller (girihBlockMapFree). Operands are copied where the map needs them.
/// Fails with GIRIH_INVALID on operands that are not what the program asks for
/// (offsets that do not start at 0, decrease or do not end at the length, CSR
/// that decreases or names a block outside, arrays of another rank or with values
/// beyond 32 bits), and on indices that could leave their array for some pair of
/// the launch by interval arithmetic; GIRIH_UNSUPPORTED beyond GIRIH_MAX_TOKENS and
/// GIRIH_MAX_HEADS.
int girihBlockMapBuild(const GirihMapProgram *program, const GirihMapParams *params,
                       GirihBlockMap **map, GirihStatus *status);

/// The same with roles swapped: for each k-tile the runs of q-tiles.
int girihBlockMapBuildReverse(const GirihMapProgram *program, const GirihMapParams *params,
                              GirihBlockMap **map, GirihStatus *status);

void girihBlockMapFree(GirihBlockMap *map);

/// Tile rows of one (batch, head): ceil(num_q / tile_q), or ceil(num_k / tile_k)
/// of a reverse map.
int64_t girihBlockMapRows(const GirihBlockMap *map);

/// Runs of tile row `row` for (batch, head): ascending, disjoint, none empty,
/// neighbours of one state merged. Borrowed from the map.
const GirihRun *girihBlockMapRuns(const GirihBlockMap *map, int64_t batch, int64_t head,
                                  int64_t row, int64_t *num_runs);

/// The tables of the program bound to this launch; borrowed from the map.
const GirihBoundTable *girihBlockMapTables(const GirihBlockMap *map);

/// Summed over batch and heads.
typedef struct GirihMapStats {
  int64_t listed_full;    ///< full tiles
  int64_t listed_partial; ///< partial tiles
  int64_t useful_pairs;   ///< true pairs
  int64_t computed_pairs; ///< pairs of listed tiles, cut at the lengths
  int64_t total_pairs;    ///< batch * heads * num_q * num_k
  int64_t empty_rows;     ///< queries that see nothing
  int64_t map_bytes;
  int32_t tier;           ///< a GirihMapTier
  int32_t distinct_lists; ///< (batch, head) combinations with lists of their own
  int64_t copied_rows;    ///< PERIODIC: tile rows that were copied, of all derived lists
} GirihMapStats;

/// Counts exactly, in time proportional to listed runs plus partial tiles.
/// `program` and `params` must be those that the map was built with.
int girihBlockMapStats(const GirihBlockMap *map, const GirihMapProgram *program,
                       const GirihMapParams *params, GirihMapStats *stats, GirihStatus *status);

/// The fewest k-tiles of the map's width, starting anywhere, that cover every key which a q-tile
/// keeps, summed over q-tiles, heads and batch. `map` is a forward map of `program`. -1 when more
/// than `budget` boxes of pairs (a fraction of a microsecond each) would have to be looked at.
int girihBlockMapMinimalTiles(const GirihBlockMap *map, const GirihMapProgram *program,
                              int64_t budget, int64_t *tiles, GirihStatus *status);

/// Whether (b, h, q, k) attends, q absolute: one point evaluation.
int girihMapContains(const GirihBlockMap *map, const GirihMapProgram *program,
                     const GirihMapParams *params, int64_t b, int64_t h, int64_t q, int64_t k);

/// Bit i of the result tells whether (h, unit of (q + i), unit of k) is listed,
/// for i < lanes <= 32. Called by generated code on partial tiles.
uint32_t girihTableLanes(const GirihBoundTable *table, int64_t h, int64_t q, int64_t k,
                         int32_t lanes);

/// Draws min(count, num_blocks) distinct blocks out of [0, num_blocks),
/// ascending, into `out`. Counter-based (Philox4x32-10, Salmon et al., SC'11,
/// keyed by seed, counted by head, row and draw) with Floyd's sampling, so a row
/// depends on nothing but its arguments; `row` must fit in 32 bits. Returns how
/// many.
int64_t girihRandomBlocks(uint64_t seed, int64_t head, int64_t row, int64_t num_blocks,
                          int64_t count, int64_t *out);

#ifdef __cplusplus
} // extern "C"
#endif

#endif // GIRIH_C_BLOCKMAP_H
