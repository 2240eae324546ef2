//===- EmitConsumer.cpp - Warpgroups that multiply and do the softmax -----===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/TileToHopper/Emitter.h"

using namespace mlir;
using namespace girih;
using namespace girih::hopper;

SmallVector<Value> Emitter::scoreProduct(Value stage) {
  Asm::Product p;
  p.n = config.tileK;
  p.isBf16 = config.isBf16;
  p.lhs = queryDescriptor;
  Value at = a.add(a.add(sharedBase, a.mul(stage, config.kBytes())), config.kAt());
  p.rhs = a.descriptor(at, 16, 1024);
  for (int64_t step = 0; step != config.depth() / 16; ++step) {
    // 64-column chunks; 32 bytes a step inside one.
    p.lhsSteps.push_back((step / 4 * config.tileQ * 128 + step % 4 * 32) >> 4);
    p.rhsSteps.push_back((step / 4 * config.tileK * 128 + step % 4 * 32) >> 4);
  }
  a.productFence();
  SmallVector<Value> result = a.product(p);
  a.productCommit();
  return result;
}

SmallVector<Value> Emitter::outputProduct(ArrayRef<Value> acc, Value stage,
                                          ArrayRef<Value> fragments) {
  Asm::Product p;
  p.n = config.width();
  p.isBf16 = config.isBf16;
  p.rhsIsTransposed = true;
  p.acc.assign(acc.begin(), acc.end());
  p.lhsFragments.assign(fragments.begin(), fragments.end());
  Value at = a.add(a.add(sharedBase, a.mul(stage, config.vBytes())), config.vAt());
  p.rhs = a.descriptor(at, config.tileK * 128, 1024);
  for (int64_t step = 0; step != config.tileK / 16; ++step)
    p.rhsSteps.push_back((step * 2048) >> 4);
  a.productFence();
  SmallVector<Value> result = a.product(p);
  a.productCommit();
  return result;
}

/// Accumulator layout is operand layout but for the rounding of pairs.
SmallVector<Value> Emitter::packed(const Fragment &p) {
  SmallVector<Value> result;
  for (size_t i = 0; i != p.size(); i += 2)
    result.push_back(a.pack(p[i], p[i + 1], config.isBf16));
  return result;
}

LogicalResult Emitter::emitConsumer() {
  Type i32 = b.getI32Type(), i1 = b.getI1Type(), f32 = b.getF32Type();
  a.setRegisters(true, config.warpgroups == 3 ? 160 : 240);
  Value consumer = a.add(group, -1);
  Value warp = a.bitAnd(a.shr(thread, 5), 3);
  Value row = a.add(a.add(a.mul(consumer, 64), a.mul(warp, 16)), a.shr(lane, 2));
  Value firstColumn = a.mul(a.bitAnd(lane, 3), 2);
  queryDescriptor =
      a.descriptor(a.add(a.add(sharedBase, config.qAt()), a.mul(consumer, 64 * 128)), 16, 1024);
  bool turns = config.warpgroups > 1;
  constexpr int barrierThreads = 256;
  if (turns) {
    Block *kick = addBlock(), *go = addBlock();
    branch(a.compare(LLVM::ICmpPredicate::eq, consumer, a.i32(0)), kick, go);
    b.setInsertionPointToEnd(kick);
    a.namedArrive(a.i32(1), barrierThreads);
    branch(go);
    b.setInsertionPointToEnd(go);
  }

  // Carried over tasks: task, stage and phase of the ring, phase of the queries,
  // and the task's record, read one task ahead where registers allow.
  bool readsAhead = config.warpgroups < 3;
  Block *nextTask = addBlock(SmallVector<Type>(readsAhead ? 9 : 4, i32)), *task = addBlock(),
        *work = addBlock(), *none = addBlock();
  SmallVector<Value> begin{firstTask, a.i32(0), a.i32(0), a.i32(0)};
  if (readsAhead)
    llvm::append_range(begin, readTask(firstTask));
  branch(nextTask, begin);
  b.setInsertionPointToEnd(nextTask);
  Value index = nextTask->getArgument(0);
  Value startStage = nextTask->getArgument(1), startPhase = nextTask->getArgument(2);
  Value queryPhase = nextTask->getArgument(3);
  branch(a.compare(LLVM::ICmpPredicate::slt, index, endTask), task, exit);
  b.setInsertionPointToEnd(task);
  Value nextIndex = a.add(index, 1);
  SmallVector<Value> nextRecord;
  if (readsAhead) {
    enterTask(nextTask->getArguments().slice(4, 5));
    nextRecord = readTask(nextIndex);
  } else {
    enterTask(readTask(index));
  }
  auto goOn = [&](Value stage, Value phase, Value queries) {
    SmallVector<Value> operands{nextIndex, stage, phase, queries};
    llvm::append_range(operands, nextRecord);
    branch(nextTask, operands);
  };
  warpRows = {a.add(firstRow, row), a.add(a.add(firstRow, row), 8)};
  Place place;
  place.row[0] = a.add(firstPosition, row);
  place.row[1] = a.add(place.row[0], 8);
  place.batch = batch;
  place.head = head;
  branch(a.compare(LLVM::ICmpPredicate::sgt, numTiles, a.i32(0)), work, none);

  size_t numOutput = config.width() / 2;
  auto carriedIndex = [&](unsigned i) { return blockLoop.getIterArgs()[i]; };
  Operation *yield = blockLoop.getBody().front().getTerminator();
  unsigned numRows = yield->getNumOperands() - 1;

  // Rows that see nothing: what the tail makes of the initial values.
  auto initial = [&](Fragments &values) {
    for (unsigned i = 0; i != numRows; ++i) {
      auto constant = blockLoop.getInits()[i + 1].getDefiningOp<arith::ConstantOp>();
      float value =
          cast<DenseElementsAttr>(constant.getValue()).getSplatValue<APFloat>().convertToFloat();
      values[carriedIndex(i + 1)] = Fragment(2, a.f32(value));
    }
  };
  auto finish = [&](ArrayRef<Value> out, const SmallVector<Fragment> &rowValues) {
    Fragments values;
    values[blockLoop.getResult(0)] = Fragment(out.begin(), out.end());
    for (unsigned i = 0; i != numRows; ++i)
      values[blockLoop.getResult(i + 1)] = rowValues[i];
    return emitOps(tail, values, place, Value());
  };

  b.setInsertionPointToEnd(none);
  {
    Fragments values;
    initial(values);
    SmallVector<Fragment> rowValues;
    for (unsigned i = 0; i != numRows; ++i)
      rowValues.push_back(values[carriedIndex(i + 1)]);
    if (failed(finish(SmallVector<Value>(numOutput, a.f32(0)), rowValues)))
      return failure();
    goOn(startStage, startPhase, queryPhase);
  }

  b.setInsertionPointToEnd(work);
  auto takeTurn = [&] {
    if (turns)
      a.namedSync(group, barrierThreads);
  };
  auto passTurn = [&] {
    if (!turns)
      return;
    Value next = a.add(group, 1);
    Value isLast = a.compare(LLVM::ICmpPredicate::eq, group, a.i32(config.warpgroups));
    a.namedArrive(a.select(isLast, a.i32(1), next), barrierThreads);
  };

  a.barrierWait(queryBarrier(), queryPhase);
  Cursor first = firstTile();
  a.barrierWait(barrier(0, startStage), startPhase);
  SmallVector<Value> s = a.productWait(scoreProduct(startStage), 0);
  a.barrierArrive(barrier(1, startStage));

  // The softmax of one tile: rows and probabilities from scores and rows.
  auto softmaxOf = [&](ArrayRef<Value> tileScores, const SmallVector<Fragment> &rowValues,
                       const Cursor &cursor, SmallVector<Fragment> &newRows, Fragment &decayRows,
                       Fragment &p) -> LogicalResult {
    Fragments values;
    values[scores.getResult()] = Fragment(tileScores.begin(), tileScores.end());
    for (unsigned i = 0; i != numRows; ++i)
      values[carriedIndex(i + 1)] = rowValues[i];
    place.column = a.add(a.mul(cursor.tile, config.tileK), firstColumn);
    if (failed(emitOps(softmax, values, place, cursor.partial)))
      return failure();
    newRows.clear();
    for (unsigned i = 0; i != numRows; ++i)
      newRows.push_back(fragmentOf(yield->getOperand(i + 1), values, 2));
    decayRows = fragmentOf(decay, values, 2);
    p = fragmentOf(output.getLhs(), values, config.tileK / 2);
    return success();
  };

  Fragments starts;
  initial(starts);
  SmallVector<Fragment> rowValues, newRows;
  for (unsigned i = 0; i != numRows; ++i)
    rowValues.push_back(starts[carriedIndex(i + 1)]);
  Fragment decayRows, p;
  if (failed(softmaxOf(s, rowValues, first, newRows, decayRows, p)))
    return failure();

  // Carried: tile number, stage and phase of the scores, cursor, output, rows,
  // probabilities of the tile before.
  Cursor second = nextTile(first);
  SmallVector<Type> types{i32, i32, i32, i32, i32, i1, i32};
  types.append(numOutput + 2 * numRows, f32);
  types.append(config.tileK / 4, i32);
  Block *loop = addBlock(types), *body = addBlock(), *done = addBlock();
  auto jump = [&](Value i, Value stage, Value phase, const Cursor &cursor, ArrayRef<Value> out,
                  const SmallVector<Fragment> &rowFragments, ArrayRef<Value> probabilities) {
    SmallVector<Value> operands{i,          stage,          phase,     cursor.tile,
                                cursor.end, cursor.partial, cursor.run};
    llvm::append_range(operands, out);
    for (const Fragment &fragment : rowFragments)
      llvm::append_range(operands, fragment);
    llvm::append_range(operands, probabilities);
    branch(loop, operands);
  };
  jump(a.i32(1), a.bitXor(startStage, a.i32(1)), a.bitXor(startPhase, startStage), second,
       SmallVector<Value>(numOutput, a.f32(0)), newRows, packed(p));

  b.setInsertionPointToEnd(loop);
  auto args = loop->getArguments();
  Value i = args[0], stage = args[1], phase = args[2];
  Cursor cursor{args[3], args[4], args[5], args[6]};
  SmallVector<Value> out(args.slice(7, numOutput));
  rowValues.clear();
  for (unsigned n = 0; n != numRows; ++n)
    rowValues.push_back(Fragment(args.slice(7 + numOutput + 2 * n, 2)));
  SmallVector<Value> before(args.slice(7 + numOutput + 2 * numRows, config.tileK / 4));
  Value stageBefore = a.bitXor(stage, a.i32(1)), phaseBefore = a.bitXor(phase, stageBefore);
  branch(a.compare(LLVM::ICmpPredicate::slt, i, numTiles), body, done);

  b.setInsertionPointToEnd(body);
  a.barrierWait(barrier(0, stage), phase);
  takeTurn();
  s = scoreProduct(stage);
  a.barrierWait(barrier(2, stageBefore), phaseBefore);
  SmallVector<Value> sum = outputProduct(out, stageBefore, before);
  passTurn();
  s = a.productWait(s, 1);
  a.barrierArrive(barrier(1, stage));
  if (failed(softmaxOf(s, rowValues, cursor, newRows, decayRows, p)))
    return failure();
  sum = a.productWait(sum, 0);
  a.barrierArrive(barrier(3, stageBefore));
  SmallVector<Value> probabilities = packed(p);
  for (size_t n = 0; n != numOutput; ++n)
    sum[n] = a.fmul(sum[n], decayRows[n / 2 % 2]);
  jump(a.add(i, 1), a.bitXor(stage, a.i32(1)), a.bitXor(phase, stage), nextTile(cursor), sum,
       newRows, probabilities);

  // Every product with the queries is over: the producer may load the next ones
  // while the last tile is multiplied and the output is stored.
  b.setInsertionPointToEnd(done);
  a.barrierArrive(queryBarrier(/*empty=*/true));
  a.barrierWait(barrier(2, stageBefore), phaseBefore);
  sum = a.productWait(outputProduct(out, stageBefore, before), 0);
  a.barrierArrive(barrier(3, stageBefore));
  if (failed(finish(sum, rowValues)))
    return failure();
  goOn(stage, phase, a.bitXor(queryPhase, a.i32(1)));
  return success();
}
