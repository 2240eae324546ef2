//===- EmitTiles.cpp - Products in AMX tiles ------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tile register holds 16 lines of 64 bytes: 16 f32, or 16 pairs of bf16. In units of
// pairs one instruction is a product of 16 x 16 by 16 x 16:
//   results[i][j] += sum over p of lines[i][p] * pairs[p][j]
// The right side is what EmitPairs.cpp packs anyway. The left side is read along the
// depth, one line after the other:
//   scores   lines = keys where they lie        pairs = packed queries
//   output   lines = probabilities, transposed  pairs = interleaved values
// Registers are named here and not allocated by LLVM: nothing spills, and one
// configuration, of eight whole tiles, serves a task. What ends inside a tile is padded
// with zeros.
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/TileToCpu/Emitter.h"

using namespace mlir;
using namespace girih;
using namespace girih::cpu;

namespace {

/// Lines of a tile; also f32, or pairs, of a line.
constexpr int64_t tileSize = 16;
constexpr int64_t lineBytes = 64;

/// Registers: results of two tiles by two, two of lines, two of pairs. Each tile that is
/// loaded meets two others.
constexpr int64_t blockTiles = 2, firstLines = 4, firstPairs = 6, numTiles = 8;

int64_t resultTile(int64_t i, int64_t j) { return blockTiles * i + j; }

} // namespace

bool Emitter::isTiled(tile::DotOp dot) {
  if (!amx || !isNarrow(dot))
    return false;
  // Results are whole tiles. Queries and columns are padded to that.
  return !dot.getTransposeRhs() ||
         cast<RankedTensorType>(dot.getRhs().getType()).getDimSize(0) % tileSize == 0;
}

void Emitter::callTile(StringRef name, ArrayRef<int64_t> tiles, ValueRange operands) {
  SmallVector<Value> arguments;
  for (int64_t tile : tiles)
    arguments.push_back(arith::ConstantIntOp::create(b, loc, b.getI8Type(), tile));
  llvm::append_range(arguments, operands);
  LLVM::CallIntrinsicOp::create(b, loc, b.getStringAttr("llvm.x86." + name), arguments);
}

/// Makes every register a whole tile.
void Emitter::configureTiles() {
  constexpr int64_t palette = 0, bytesOfLines = 16, lines = 48; // where these are
  SmallVector<int8_t> bytes(lineBytes, 0);
  bytes[palette] = 1;
  for (int64_t tile = 0; tile != numTiles; ++tile) {
    bytes[bytesOfLines + 2 * tile] = lineBytes; // of 16 bits
    bytes[lines + tile] = tileSize;
  }
  Value memory = allocateBytes(lineBytes);
  Value configuration = arith::ConstantOp::create(
      b, loc,
      DenseElementsAttr::get(VectorType::get({lineBytes}, b.getI8Type()), ArrayRef<int8_t>(bytes)));
  LLVM::StoreOp::create(b, loc, configuration, memory, /*alignment=*/lineBytes);
  callTile("ldtilecfg", {}, memory);
}

/// Puts the registers back to their initial state, which costs nothing to save.
void Emitter::releaseTiles() { callTile("tilerelease", {}, {}); }

//===----------------------------------------------------------------------===//
// Lines
//===----------------------------------------------------------------------===//

/// Keys. Whole tiles are read where they lie, at any stride, if rows end where a tile
/// does; others are copied, with zeros behind their ends.
void Emitter::loadTileLines(const Rows &rows, TileLines &lines) {
  int64_t ld = roundUp((rows.size + 1) / 2);
  Value memory = allocate(rows.count, ld, /*colMajor=*/false).base;
  Value packed = i64(ld * sizeof(float));
  if (rows.size % (2 * tileSize)) {
    copyRowPairs(rows, memory, ld);
    lines = {memory, packed};
    return;
  }
  Value isWhole =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, rows.valid, i64(rows.count));
  auto branch = scf::IfOp::create(b, loc, TypeRange{memory.getType(), packed.getType()}, isWhole,
                                  /*withElseRegion=*/true);
  b.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(b, loc, ValueRange{rows.base, mul(rows.stride, 2)});
  b.setInsertionPointToStart(branch.elseBlock());
  copyRowPairs(rows, memory, ld);
  scf::YieldOp::create(b, loc, ValueRange{memory, packed});
  b.setInsertionPointAfter(branch);
  lines = {branch.getResult(0), branch.getResult(1)};
}

/// Column-major pairs, row by row: squares of 16 x 16 pairs, in registers.
TileLines Emitter::transposePairs(const Buffer &pairs) {
  int64_t depth = roundUp(pairs.cols);
  Value memory = allocate(pairs.rows, depth, /*colMajor=*/false).base;
  // x[i] and x[i + 8] are interleaved to rows 2 i and 2 i + 1. That rotates the bits of
  // an element's place, four of its row and four of its lane, by one.
  SmallVector<int64_t> halves[2];
  for (int64_t lane = 0; lane != tileSize; ++lane)
    halves[2 * lane / tileSize].append({lane, lane + tileSize});
  loop(i64(0), i64(depth), tileSize, [&](Value pair) {
    loop(i64(0), i64(pairs.rows), tileSize, [&](Value row) {
      Value from = at(pairs.base, add(mul(pair, pairs.ld), row));
      SmallVector<Value> square;
      for (int64_t i = 0; i != tileSize; ++i)
        square.push_back(loadVector(at(from, Value(), i * pairs.ld)));
      for (int64_t bits = 1; bits != tileSize; bits *= 2) {
        SmallVector<Value> next;
        for (int64_t i = 0; i != tileSize / 2; ++i)
          for (ArrayRef<int64_t> half : halves)
            next.push_back(
                vector::ShuffleOp::create(b, loc, square[i], square[i + tileSize / 2], half));
        square = std::move(next);
      }
      Value to = at(memory, add(mul(row, depth), pair));
      for (int64_t i = 0; i != tileSize; ++i)
        storeVector(square[i], at(to, Value(), i * depth));
    });
  });
  return {memory, i64(depth * sizeof(float))};
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

void Emitter::emitTileProduct(const TileProduct &product) {
  auto blocks = [&](int64_t size, llvm::function_ref<void(Value, int64_t)> body) {
    int64_t step = blockTiles * tileSize, whole = size / step * step;
    if (whole)
      loop(i64(0), i64(whole), step, [&](Value first) { body(first, blockTiles); });
    if (whole != size)
      body(i64(whole), 1);
  };
  bool colMajor = product.result.colMajor;
  blocks(roundUp(colMajor ? product.result.cols : product.result.rows),
         [&](Value line, int64_t tall) {
           blocks(product.result.ld, [&](Value column, int64_t wide) {
             emitTileBlock(product, line, column, tall, wide);
           });
         });
}

/// Results of `tall` by `wide` tiles over the whole depth: one straight line of code, in
/// which registers live from beginning to end.
void Emitter::emitTileBlock(const TileProduct &product, Value line, Value column, int64_t tall,
                            int64_t wide) {
  auto eachResult = [&](llvm::function_ref<void(int64_t, int64_t)> body) {
    for (int64_t i = 0; i != tall; ++i)
      for (int64_t j = 0; j != wide; ++j)
        body(i, j);
  };
  int64_t ld = product.result.ld;
  Value out = at(product.result.base, add(mul(line, ld), column));
  Value outStride = i64(ld * sizeof(float));
  auto outAt = [&](int64_t i, int64_t j) { return at(out, Value(), tileSize * (i * ld + j)); };
  eachResult([&](int64_t i, int64_t j) {
    if (product.accumulate)
      callTile("tileloadd64", resultTile(i, j), {outAt(i, j), outStride});
    else
      callTile("tilezero", resultTile(i, j), {});
  });

  Value stride = product.lines.stride, pairStride = i64(product.pairs.ld * sizeof(float));
  auto lineAt = [&](int64_t i, int64_t tile) -> Value {
    Value offset = arith::MulIOp::create(b, loc, add(line, i * tileSize), stride);
    return LLVM::GEPOp::create(b, loc, product.lines.base.getType(), b.getI8Type(),
                               product.lines.base,
                               ArrayRef<LLVM::GEPArg>{add(offset, tile * lineBytes)});
  };
  for (int64_t tile = 0; tile != product.depth; ++tile) {
    for (int64_t i = 0; i != tall; ++i)
      callTile("tileloadd64", firstLines + i, {lineAt(i, tile), stride});
    for (int64_t j = 0; j != wide; ++j)
      callTile(
          "tileloadd64", firstPairs + j,
          {at(product.pairs.base, column, tileSize * (tile * product.pairs.ld + j)), pairStride});
    eachResult([&](int64_t i, int64_t j) {
      callTile("tdpbf16ps", {resultTile(i, j), firstLines + i, firstPairs + j}, {});
    });
  }
  eachResult([&](int64_t i, int64_t j) {
    callTile("tilestored64", resultTile(i, j), {outAt(i, j), outStride});
  });
}
