//===- HopperAsm.cpp - The instructions that only Hopper has --------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/WsToHopper/HopperAsm.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace girih::gpu;

//===----------------------------------------------------------------------===//
// Threads and barriers
//===----------------------------------------------------------------------===//

void HopperAsm::namedSync(Value id, int threads) {
  NVVM::BarrierOp::create(b, loc, TypeRange(), id, i32(threads), {}, Value());
}
void HopperAsm::namedArrive(Value id, int threads) {
  effect("bar.arrive $0, " + std::to_string(threads) + ";", "r,~{memory}", id);
}
void HopperAsm::setRegisters(bool increase, int count) {
  NVVM::SetMaxRegisterOp::create(b, loc, count,
                                 increase ? NVVM::SetMaxRegisterAction::increase
                                          : NVVM::SetMaxRegisterAction::decrease);
}
void HopperAsm::barrierInit(Value address, int arrivals) {
  effect("mbarrier.init.shared::cta.b64 [$0], " + std::to_string(arrivals) + ";", "r,~{memory}",
         address);
}
void HopperAsm::fenceBarrierInit() { NVVM::FenceMbarrierInitOp::create(b, loc); }
void HopperAsm::barrierArrive(Value address) {
  effect("mbarrier.arrive.shared::cta.b64 _, [$0];", "r,~{memory}", address);
}
void HopperAsm::barrierExpect(Value address, Value bytes) {
  effect("mbarrier.arrive.expect_tx.shared::cta.b64 _, [$0], $1;", "r,r,~{memory}",
         {address, bytes});
}
void HopperAsm::barrierArrive(Value address, Value when) {
  Value flag = LLVM::ZExtOp::create(b, loc, b.getI32Type(), when);
  effect("{ .reg .pred go; setp.ne.s32 go, $1, 0; @go mbarrier.arrive.shared::cta.b64 _, [$0]; }",
         "r,r,~{memory}", {address, flag});
}
void HopperAsm::barrierWait(Value address, Value parity, Value when) {
  // Labels are local to the braces.
  std::string loop = "WAIT: mbarrier.try_wait.parity.shared::cta.b64 done, [$0], $1; "
                     "@done bra DONE; bra WAIT; DONE: }";
  if (!when)
    return effect("{ .reg .pred done; " + loop, "r,r,~{memory}", {address, parity});
  Value flag = LLVM::ZExtOp::create(b, loc, b.getI32Type(), when);
  effect("{ .reg .pred done, go; setp.ne.s32 go, $2, 0; @!go bra DONE; " + loop, "r,r,r,~{memory}",
         {address, parity, flag});
}
void HopperAsm::copyTile(Value shared, Value map, ArrayRef<Value> coordinates, Value barrier) {
  std::string code = "cp.async.bulk.tensor." + std::to_string(coordinates.size()) +
                     "d.shared::cluster.global.mbarrier::complete_tx::bytes [$0], [$1, {";
  std::string constraints = "r,l";
  SmallVector<Value> operands{shared, map};
  for (auto [i, coordinate] : llvm::enumerate(coordinates)) {
    code += (i ? ", $" : "$") + std::to_string(operands.size());
    constraints += ",r";
    operands.push_back(coordinate);
  }
  code += "}], [$" + std::to_string(operands.size()) + "];";
  operands.push_back(barrier);
  effect(code, constraints + ",r,~{memory}", operands);
}

//===----------------------------------------------------------------------===//
// Warpgroup products
//===----------------------------------------------------------------------===//

Value HopperAsm::descriptor(Value address, int64_t leadingBytes, int64_t strideBytes) {
  constexpr int64_t swizzle128 = int64_t(1) << 62;
  Value start = bitAnd(shr(address, 4), 0x3fff);
  Value wide = LLVM::ZExtOp::create(b, loc, b.getI64Type(), start);
  return LLVM::OrOp::create(
      b, loc, wide, i64(((leadingBytes >> 4) << 16) | ((strideBytes >> 4) << 32) | swizzle128));
}

void HopperAsm::productFence() { NVVM::WgmmaFenceAlignedOp::create(b, loc); }
void HopperAsm::productCommit() { NVVM::WgmmaGroupSyncAlignedOp::create(b, loc); }

static std::string repeated(StringRef item, size_t count) {
  std::string text;
  for (size_t i = 0; i != count; ++i)
    text += (i ? "," : "") + item.str();
  return text;
}

SmallVector<Value> HopperAsm::productWait(ArrayRef<Value> values, int64_t pending) {
  std::string constraints = repeated("=f", values.size());
  for (size_t i = 0; i != values.size(); ++i)
    constraints += "," + std::to_string(i);
  return results("wgmma.wait_group.sync.aligned " + std::to_string(pending) + ";", constraints,
                 values, values.size());
}

void HopperAsm::endBlock(Value length) {
  effect("{ .reg .pred always; setp.ge.s32 always, $0, 0; @always bra NEXT; brkpt; NEXT: }", "r",
         length);
}

SmallVector<Value> HopperAsm::product(const Product &p) {
  size_t count = p.n / 2, steps = p.rhsSteps.size();
  bool accumulates = !p.acc.empty();
  std::string constraints = repeated(accumulates ? "=f" : "=&f", count);
  SmallVector<Value> operands;
  size_t next = count;
  auto operand = [&](Value value, const std::string &constraint) {
    constraints += "," + constraint;
    operands.push_back(value);
    return next++;
  };
  if (accumulates)
    for (size_t i = 0; i != count; ++i)
      operand(p.acc[i], std::to_string(i));
  size_t lhs = next;
  if (p.lhsFragments.empty())
    operand(p.lhs, "l");
  for (Value fragment : p.lhsFragments)
    operand(fragment, "r");
  size_t rhs = operand(p.rhs, "l");
  // The first step leaves the accumulator out when the product starts fresh.
  std::string first = accumulates ? "1" : "0";
  std::string code = "{ .reg .b64 da, db; ";
  if (accumulates && p.fresh) {
    size_t fresh = operand(LLVM::ZExtOp::create(b, loc, b.getI32Type(), p.fresh), "r");
    code += ".reg .pred adds; setp.eq.s32 adds, $" + std::to_string(fresh) + ", 0; ";
    first = "adds";
  }

  std::string registers = "{";
  for (size_t i = 0; i != count; ++i)
    registers += (i ? ",$" : "$") + std::to_string(i);
  registers += "}";
  std::string element = p.isBf16 ? "bf16" : "f16";
  for (size_t step = 0; step != steps; ++step) {
    std::string scale = step ? "1" : first, transposed = p.rhsIsTransposed ? "1" : "0";
    std::string instruction = "wgmma.mma_async.sync.aligned.m64n" + std::to_string(p.n) +
                              "k16.f32." + element + "." + element + " " + registers;
    code += "add.s64 db, $" + std::to_string(rhs) + ", " + std::to_string(p.rhsSteps[step]) + "; ";
    if (p.lhsFragments.empty()) {
      code += "add.s64 da, $" + std::to_string(lhs) + ", " + std::to_string(p.lhsSteps[step]) +
              "; " + instruction + ", da, db, " + scale + ", 1, 1, 0, " + transposed + "; ";
      continue;
    }
    std::string fragment = "{";
    for (size_t i = 0; i != 4; ++i)
      fragment += (i ? ",$" : "$") + std::to_string(lhs + 4 * step + i);
    code += instruction + ", " + fragment + "}, db, " + scale + ", 1, 1, " + transposed + "; ";
  }
  return results(code + "}", constraints, operands, count);
}
