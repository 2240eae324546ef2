//===- Emitter.h - State of the Hopper lowering of one program --*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One LLVM function a program: roles become branches of it, channels become rings
// of tiles and barriers in shared memory, tokens become registers in flight. Order
// and overlap are the program's; nothing here moves an op.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_CONVERSION_WSTOHOPPER_EMITTER_H
#define GIRIH_CONVERSION_WSTOHOPPER_EMITTER_H

#include "girih/Conversion/Fragments/Fragments.h"
#include "girih/Conversion/WsToHopper/HopperAsm.h"
#include "girih/WarpSpec/WarpSpec.h"

namespace girih::gpu {

/// A channel in shared memory: its tiles, and for each stage a full and an empty
/// barrier of 8 bytes. `counter` is how many tiles the role that is being emitted
/// has put or got so far; stage and phase follow from it.
struct Ring {
  mlir::Value channel;
  mlir::RankedTensorType tile;
  int64_t stages, bytes;  ///< bytes of one tile
  int64_t at, barriersAt; ///< offsets in shared memory
  mlir::Value counter;    ///< i32
};

class Emitter : public FragmentEmitter {
public:
  Emitter(mlir::func::FuncOp source, HopperAsm &h) : FragmentEmitter(h), h(h), source(source) {}
  mlir::LogicalResult run();
  mlir::LogicalResult emitOther(mlir::Operation *op) override;

private:
  //===--- ConvertWsToHopper.cpp: the function ------------------------------------===//
  mlir::LogicalResult plan();
  mlir::LogicalResult planItems();
  void createKernel();
  mlir::LogicalResult emitPrologue();
  mlir::LogicalResult emitRole(ws::RoleOp role);

  //===--- EmitItems.cpp: the loop over items ---------------------------------------===//
  mlir::LogicalResult emitLoadItems(ws::ForItemsOp loop);
  mlir::LogicalResult emitComputeItems(ws::ForItemsOp loop);
  void writeRecord(ws::ForItemsOp loop, mlir::Value address);
  mlir::Value readRecord(mlir::Block &region, mlir::Value before);
  mlir::LogicalResult emitBody(mlir::Block &region);
  void flatten(mlir::ValueRange values, llvm::SmallVector<mlir::Value> &to);
  void unflatten(mlir::ValueRange values, mlir::ValueRange from);
  void setCounters(mlir::ValueRange values);
  llvm::SmallVector<mlir::Value> counters();

  //===--- EmitOps.cpp: channels and products -----------------------------------------===//
  Ring &ringOf(mlir::Value channel);
  mlir::Value recordAddress(const Ring &ring);
  mlir::Value stageOf(const Ring &ring, mlir::Value counter);
  mlir::Value phaseOf(const Ring &ring, mlir::Value counter);
  mlir::Value barrier(const Ring &ring, mlir::Value counter, bool empty);
  mlir::Value tileAddress(const Ring &ring, mlir::Value counter);
  void advance(Ring &ring, mlir::Value when);
  mlir::LogicalResult emitPut(ws::PutOp op);
  mlir::LogicalResult emitGet(ws::GetOp op);
  mlir::LogicalResult emitRelease(ws::ReleaseOp op);
  mlir::LogicalResult emitPack(ws::PackOp op);
  mlir::LogicalResult emitDotAsync(ws::DotAsyncOp op);
  mlir::LogicalResult emitWait(ws::WaitOp op);
  mlir::LogicalResult emitEarlyWait(ws::WaitOp op);
  mlir::LogicalResult emitTurn(ws::TurnOp op);

  HopperAsm &h;
  mlir::func::FuncOp source;
  mlir::Block *exit = nullptr;
  llvm::SmallVector<Ring> rings;
  mlir::Value itemChannel; ///< whose tiles come with the records of items
  int64_t recordsAt = 0, sharedBytes = 0, warpgroups = 0, blocksPerMultiprocessor = 1;
  bool takesTurns = false;

  // Values of every thread.
  mlir::Value maps[3], shared, sharedBase, thread, group;
  mlir::Value consumer;                               ///< of a compute role: 0 ..< warpgroups
  mlir::Value isLastOfBlock;                          ///< of a load role: i1, about the item
  llvm::DenseMap<mlir::Value, mlir::Value> addresses; ///< of tiles that were got
};

} // namespace girih::gpu

#endif // GIRIH_CONVERSION_WSTOHOPPER_EMITTER_H
