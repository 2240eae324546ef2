//===- ReportTesting.cpp - What tests of reports share --------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ReportTesting.h"

#include "girih/Frontend/Parser.h"
#include "girih/Reference/Membership.h"

#include <gtest/gtest.h>

using namespace girih;

Pattern girih::parsed(const std::string &text) {
  ParseResult result = parsePattern(text, "<test>");
  EXPECT_TRUE(result) << result.error;
  return result ? result.pattern : empty();
}

GirihMapParams girih::lengthsOf(int64_t numQ, int64_t numK, int64_t heads, int64_t batch) {
  GirihMapParams params{};
  params.batch = batch;
  params.heads = heads;
  params.num_q = numQ;
  params.num_k = numK;
  params.q_offset = numK - numQ;
  params.q_end = numK;
  params.tile_q = params.tile_k = 64;
  return params;
}

llvm::Expected<BoundPattern> girih::boundPattern(const Pattern &pattern) {
  static std::unique_ptr<Session> session = llvm::cantFail(Session::create());
  auto program = session->analyze(pattern, {});
  if (!program)
    return program.takeError();
  return BoundPattern{program->program, std::move(program->operands)};
}

int64_t girih::bruteForcePairs(const Pattern &pattern, const GirihMapParams &lengths) {
  Shape shape = makeShape(lengths.num_q, lengths.num_k, lengths.heads, /*topLeft=*/false);
  EXPECT_EQ(validateShape(pattern, shape), "");
  Membership membership(pattern, shape);
  int64_t pairs = 0;
  std::vector<uint8_t> keys(static_cast<size_t>(lengths.num_k));
  for (int64_t b = 0; b < lengths.batch; ++b)
    for (int64_t h = 0; h < lengths.heads; ++h)
      for (int64_t q = 0; q < lengths.num_q; ++q) {
        membership.row(b, h, q + lengths.q_offset, keys);
        for (uint8_t kept : keys)
          pairs += kept;
      }
  return pairs;
}

std::vector<Advice> girih::adviceFor(const std::string &text, const GirihMapParams &lengths,
                                     std::optional<int64_t> layers) {
  Pattern pattern = parsed(text);
  BoundPattern bound = llvm::cantFail(boundPattern(pattern));
  GirihMapParams params = lengths;
  params.operands = bound.operands.data();
  params.num_operands = static_cast<int64_t>(bound.operands.size());
  BlockMapPtr map = llvm::cantFail(buildMap(*bound.program, params));
  GirihMapStats stats = llvm::cantFail(mapStats(map.get(), *bound.program, params));
  auto useful = static_cast<double>(stats.useful_pairs);
  std::vector<TileSize> sizes{countedSize(stats, params.tile_q, params.tile_k)};
  for (auto [q, k] : {std::pair(64, 16), std::pair(64, 32), std::pair(128, 128)})
    sizes.push_back(llvm::cantFail(tileSize(bound, params, q, k, useful)));
  PairCounter counter(boundPattern, params);
  Contributions parts = llvm::cantFail(contributions(counter, pattern));
  std::optional<Reachability> reach = reachability({map.get(), bound.program.get(), &params});
  return advise({pattern, params, stats, sizes, parts, rowLengths(map.get(), 0, 0), reach, layers});
}
