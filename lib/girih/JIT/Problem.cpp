//===- Problem.cpp - A pattern at given lengths ---------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/JIT/Problem.h"

#include "girih/Support/Error.h"

#include "llvm/Support/MathExtras.h"

using namespace girih;

static std::string number(int64_t value) { return std::to_string(value); }

CompileOptions Problem::compileOptions() const {
  CompileOptions options;
  options.dtype = dtype;
  options.oDtype = oDtype;
  options.headDim = dim;
  options.vDim = vDim;
  options.align = align;
  options.tileQ = tileQ;
  options.tileK = tileK;
  options.score = score;
  if (!chip.empty())
    options.chip = chip;
  options.cpu = cpu;
  return options;
}

const char *girih::dtypeName(GirihDType dtype) {
  return dtype == GIRIH_F32 ? "f32" : dtype == GIRIH_BF16 ? "bf16" : "f16";
}

llvm::Expected<int64_t> girih::tensorBytes(int64_t batch, int64_t heads, int64_t tokens,
                                           int64_t dim, int64_t elementBytes) {
  int64_t bytes = elementBytes;
  for (int64_t size : {batch, heads, tokens, dim})
    if (llvm::MulOverflow(bytes, size, bytes))
      return invalidError("expected a tensor of less than 2^63 bytes, but got [" + number(batch) +
                          ", " + number(heads) + ", " + number(tokens) + ", " + number(dim) + "]");
  return bytes;
}

llvm::Error girih::checkSizes(const Problem &p, llvm::StringRef prefix) {
  for (auto [what, size] :
       {std::pair("batch", p.batch), std::pair("heads", p.heads), std::pair("kv-heads", p.kvHeads),
        std::pair("dim", p.dim), std::pair("v-dim", p.vDim)})
    if (size < 1)
      return invalidError((prefix + what).str() + ": expected at least 1, but got " + number(size));
  if (p.heads % p.kvHeads != 0)
    return invalidError(
        ("expected " + prefix + "heads to be a multiple of " + prefix + "kv-heads").str() +
        ", but got " + number(p.heads) + " and " + number(p.kvHeads));
  for (auto [what, tokens] : {std::pair("query", p.numQ), std::pair("key", p.numK)}) {
    if (tokens < 0)
      return invalidError(std::string(what) + " length: expected at least 0, but got " +
                          number(tokens));
    if (tokens > GIRIH_MAX_TOKENS)
      return unsupportedError(std::string(what) + " length: expected at most 2^26 (" +
                              number(GIRIH_MAX_TOKENS) +
                              ") tokens, which is what is supported, but got " + number(tokens));
  }
  for (auto [what, count] : {std::pair("batch", p.batch), std::pair("heads", p.heads)})
    if (count > GIRIH_MAX_HEADS)
      return unsupportedError((prefix + what).str() + ": expected at most 2^20 (" +
                              number(GIRIH_MAX_HEADS) + "), which is what is supported, but got " +
                              number(count));
  for (auto [what, dim] : {std::pair("dim", p.dim), std::pair("v-dim", p.vDim)})
    if (dim > 256)
      return unsupportedError((prefix + what).str() +
                              ": expected a head dim from 1 to 256, which is what is supported, "
                              "but got " +
                              number(dim));
  // Pair counts are reported as 64-bit integers.
  int64_t pairs = 1;
  for (int64_t size : {p.batch, p.heads, p.numQ, p.numK})
    if (llvm::MulOverflow(pairs, size, pairs))
      return invalidError("expected less than 2^63 (query, key) pairs, but got " + number(p.batch) +
                          " x " + number(p.heads) + " x " + number(p.numQ) + " x " +
                          number(p.numK));
  for (auto [heads, tokens, dim] :
       {std::tuple(p.heads, p.numQ, p.dim), std::tuple(p.kvHeads, p.numK, p.dim),
        std::tuple(p.kvHeads, p.numK, p.vDim), std::tuple(p.heads, p.numQ, p.vDim)})
    if (auto bytes = tensorBytes(p.batch, heads, tokens, dim, 4); !bytes)
      return bytes.takeError();
  return llvm::Error::success();
}

llvm::Error girih::checkProblem(const Problem &p, llvm::StringRef prefix) {
  if (!p.pattern)
    return invalidError("expected a pattern, but got none");
  if (llvm::Error error = checkSizes(p, prefix))
    return error;
  for (auto [what, tokens] : {std::pair("query", p.numQ), std::pair("key", p.numK)})
    if (tokens < 1)
      return invalidError(std::string(what) + " length: expected at least 1, but got " +
                          number(tokens));
  Shape shape = makeShape(p.numQ, p.numK, p.heads, p.align == GIRIH_TOP_LEFT);
  if (std::string what = validateShape(p.pattern, shape); !what.empty())
    return invalidError(what);
  return llvm::Error::success();
}
