//===- Score.cpp - Fuzzes scores from text to IR --------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Any text parses to a valid score or is refused with a message; a score prints as
// text that parses to an equal one, its IR verifies, and the reference gives it a
// number, whatever is in it.
//
//===----------------------------------------------------------------------===//

#include "Fuzz.h"

#include "girih/Frontend/EmitIR.h"
#include "girih/Frontend/Parser.h"
#include "girih/Pipelines/Pipelines.h"
#include "girih/Reference/Attention.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"

#include <memory>

using namespace girih;
using namespace girih::fuzz;

static void check(mlir::MLIRContext &context, const Score &score) {
  if (std::string error = validate(score); !error.empty())
    broken("a parsed score is not valid: " + error);
  std::string text = score.str();
  ScoreResult again = parseScore(text);
  if (!again)
    broken("a printed score does not parse: " + text + "\n" + again.error);
  if (!(again.score == score))
    broken("a printed score parses to another one: " + text);
  KernelSpec spec;
  spec.element = spec.output = mlir::Float32Type::get(&context);
  spec.score = score;
  if (mlir::failed(mlir::verify(*emitKernel(&context, causal(), spec))))
    broken("emitted IR does not verify: " + text);
  constexpr int64_t most = int64_t(1) << 26;
  ScoreFunction function = scoreFunction(score, makeShape(most, most, 1 << 20, false));
  for (int64_t q : {-most, int64_t(0), most})
    for (int64_t k : {int64_t(0), int64_t(7), most})
      function(0.5, 0, k & 0xffff, q, k);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static std::unique_ptr<mlir::MLIRContext> context;
  static int uses = 0;
  // Types and attributes are never freed.
  if (uses++ % 500 == 0) {
    mlir::DialectRegistry registry;
    registerDialects(registry);
    context = std::make_unique<mlir::MLIRContext>(registry, mlir::MLIRContext::Threading::DISABLED);
    context->loadAllAvailableDialects();
  }
  std::string text(reinterpret_cast<const char *>(data), size);
  // Large trees only take longer: the reference takes shared nodes one by one.
  if (size > 4096)
    return 0;
  if (ScoreResult result = parseScore(text))
    check(*context, result.score);
  return 0;
}
