//===- Pattern.cpp - Patterns as handles ----------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/CAPI/Objects.h"
#include "girih/CAPI/Tensors.h"
#include "girih/JIT/Problem.h"
#include "girih/Reference/Membership.h"

using namespace girih;
using namespace girih::capi;

int girihPatternText(const GirihPattern *pattern, char **text, GirihStatus *status) {
  return guarded(status, [&]() -> llvm::Error {
    if (llvm::Error error = checkHandle(pattern, "a pattern"))
      return error;
    if (!text)
      return nullError("room for a text");
    *text = copyText(pattern->pattern.str());
    return llvm::Error::success();
  });
}

llvm::Expected<Problem> capi::readProblem(const Pattern &pattern, const GirihLengths *lengths) {
  GirihLengths read{};
  if (llvm::Error error = readStruct("lengths", lengths, read))
    return std::move(error);
  if (read.align != GIRIH_BOTTOM_RIGHT && read.align != GIRIH_TOP_LEFT)
    return invalidError(
        "expected align of lengths to be 0 (bottom right) or 1 (top left), but got " +
        std::to_string(read.align));
  Problem problem;
  problem.pattern = pattern;
  problem.batch = read.batch;
  problem.heads = read.heads;
  problem.kvHeads = read.kv_heads;
  problem.numQ = read.num_q;
  problem.numK = read.num_k;
  problem.align = static_cast<GirihAlign>(read.align);
  return problem;
}

/// Whether all that the pattern looks up at these lengths lies in its tables, as launches
/// ask before they look anything up.
static llvm::Error checkLookups(Session &session, const Problem &problem) {
  if (patternLookups(problem.pattern).empty())
    return llvm::Error::success();
  auto analyzed = session.analyze(problem.pattern, problem.compileOptions());
  if (!analyzed)
    return analyzed.takeError();
  GirihKernelDesc kernel{};
  kernel.tile_q = analyzed->tileQ;
  kernel.tile_k = analyzed->tileK;
  const GirihMapParams params = mapParams(problem.batch, problem.heads, problem.numQ, problem.numK,
                                          problem.align, analyzed->operands, kernel);
  GirihBlockMap *map = nullptr;
  GirihStatus status;
  if (girihBlockMapBuild(analyzed->program.get(), &params, &map, &status) != GIRIH_OK)
    return statusError(status);
  girihBlockMapFree(map);
  return llvm::Error::success();
}

int girihPatternMask(const GirihPattern *pattern, const GirihLengths *lengths, const DLTensor *mask,
                     GirihStatus *status) {
  return guarded(status, [&]() -> llvm::Error {
    if (llvm::Error error = checkHandle(pattern, "a pattern"))
      return error;
    auto read = readProblem(pattern->pattern, lengths);
    if (!read)
      return read.takeError();
    const Problem &problem = *read;
    if (llvm::Error error = checkProblem(problem))
      return error;
    if (llvm::Error error = checkLookups(*pattern->session->session, problem))
      return error;
    auto memory = maskMemory(mask, {problem.batch, problem.heads, problem.numQ, problem.numK});
    if (!memory)
      return memory.takeError();
    const Shape shape =
        makeShape(problem.numQ, problem.numK, problem.heads, problem.align == GIRIH_TOP_LEFT);
    Membership membership(problem.pattern, shape);
    std::vector<uint8_t> keys(static_cast<size_t>(problem.numK));
    uint8_t *row = *memory;
    for (int64_t b = 0; b != problem.batch; ++b)
      for (int64_t h = 0; h != problem.heads; ++h)
        for (int64_t q = 0; q != problem.numQ; ++q, row += problem.numK) {
          membership.row(b, h, q + shape.qOffset, keys);
          std::copy(keys.begin(), keys.end(), row);
        }
    return llvm::Error::success();
  });
}
