//===- ExplainTest.cpp - Reports without a command line -------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an embedder gets: three texts of one explanation, and errors for sizes that no
// flag has checked. What the texts say is tested in test/Tools/girih-explain.
//
//===----------------------------------------------------------------------===//

#include "girih/Explain/Explain.h"

#include "girih/Frontend/Parser.h"
#include "girih/Support/Error.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/JSON.h"

#include <gtest/gtest.h>

using namespace girih;

namespace {

Problem problemOf(const char *text, int64_t numQ, int64_t numK) {
  ParseResult result = parsePattern(text, "<test>");
  EXPECT_TRUE(result) << result.error;
  Problem problem;
  problem.pattern = result.pattern;
  problem.numQ = numQ;
  problem.numK = numK;
  return problem;
}

struct ExplainTest : testing::Test {
  std::unique_ptr<Session> session = llvm::cantFail(Session::create(SessionOptions::uncached()));

  void expectError(const Problem &problem, GirihCode code, llvm::StringRef message,
                   const ExplainOptions &options = {}) {
    auto made = explain(*session, problem, options);
    ASSERT_FALSE(static_cast<bool>(made));
    GirihStatus status = takeStatus(made.takeError());
    EXPECT_EQ(status.code, code);
    EXPECT_TRUE(llvm::StringRef(status.message).contains(message)) << status.message;
  }
};

TEST_F(ExplainTest, writesOneExplanationAsTextJsonAndSvg) {
  Problem problem = problemOf("causal & window(left=63)", 1000, 1000);
  problem.heads = 4;
  problem.kvHeads = 2;
  problem.dtype = GIRIH_BF16;
  ExplainOptions options;
  options.svg = true;
  auto made = explain(*session, problem, options);
  ASSERT_TRUE(static_cast<bool>(made)) << llvm::toString(made.takeError());
  constexpr int64_t pairs = 4 * (1000 * 64 - 63 * 64 / 2);

  auto json = llvm::json::parse(jsonExplanation(problem, *made));
  ASSERT_TRUE(static_cast<bool>(json)) << llvm::toString(json.takeError());
  const llvm::json::Object &report = *json->getAsObject();
  EXPECT_EQ(report.getInteger("useful_pairs"), pairs);
  EXPECT_EQ(report.getString("dtype"), "bf16");
  EXPECT_EQ(report.getInteger("kv_heads"), 2);

  std::string text = textExplanation(problem, *made);
  EXPECT_NE(text.find("useful pairs     247,936 "), std::string::npos) << text;
  EXPECT_NE(text.find("dim 64/64, bf16"), std::string::npos) << text;

  EXPECT_TRUE(llvm::StringRef(svgExplanation(*made)).starts_with("<svg "));
  EXPECT_EQ(session->compilations(), 0);
}

TEST_F(ExplainTest, drawsPairsWhereThereAreFew) {
  Problem problem = problemOf("heads(0..3: causal, 4: full)", 50, 50);
  problem.heads = problem.kvHeads = 5;
  ExplainOptions options;
  options.svg = true;
  auto made = explain(*session, problem, options);
  ASSERT_TRUE(static_cast<bool>(made)) << llvm::toString(made.takeError());
  EXPECT_TRUE(made->picture.tokens);
  ASSERT_EQ(made->drawing.panels.size(), 2u);
  EXPECT_TRUE(made->drawing.panels[1].grid.tokens);
  // Sixteen panels have no room for 50 x 50 cells each, and one of 65 x 65 neither.
  problem = problemOf("random_blocks(size=4, count=1, seed=0)", 50, 50);
  problem.heads = problem.kvHeads = 16;
  made = explain(*session, problem, options);
  ASSERT_TRUE(static_cast<bool>(made)) << llvm::toString(made.takeError());
  EXPECT_TRUE(made->picture.tokens);
  ASSERT_EQ(made->drawing.panels.size(), 16u);
  EXPECT_FALSE(made->drawing.panels[0].grid.tokens);
  made = explain(*session, problemOf("causal", 64, 65), options);
  ASSERT_TRUE(static_cast<bool>(made)) << llvm::toString(made.takeError());
  EXPECT_FALSE(made->picture.tokens);
  EXPECT_FALSE(made->drawing.panels[0].grid.tokens);
}

TEST_F(ExplainTest, takesTheTileThatWasAskedFor) {
  Problem problem = problemOf("causal", 300, 300);
  problem.tileQ = 32;
  problem.tileK = 24;
  auto made = explain(*session, problem, {});
  ASSERT_TRUE(static_cast<bool>(made)) << llvm::toString(made.takeError());
  EXPECT_EQ(made->tileQ, 32);
  EXPECT_EQ(made->tileK, 24);
}

TEST_F(ExplainTest, refusesSizesBeforeAnythingIsFormedOfThem) {
  Problem problem = problemOf("causal", 100, 100);
  Problem other = problem;
  other.pattern = {};
  expectError(other, GIRIH_INVALID, "expected a pattern, but got none");
  for (auto [field, name] :
       {std::pair(&Problem::batch, "batch"), std::pair(&Problem::heads, "heads"),
        std::pair(&Problem::kvHeads, "kv-heads"), std::pair(&Problem::dim, "dim"),
        std::pair(&Problem::vDim, "v-dim")})
    for (int64_t size : {int64_t(0), INT64_MIN}) {
      other = problem;
      other.*field = size;
      expectError(other, GIRIH_INVALID, std::string(name) + ": expected at least 1, but got ");
    }
  for (auto [field, name] :
       {std::pair(&Problem::numQ, "query"), std::pair(&Problem::numK, "key")}) {
    other = problem;
    other.*field = 0;
    expectError(other, GIRIH_INVALID,
                std::string(name) + " length: expected at least 1, but got 0");
    other.*field = -1;
    expectError(other, GIRIH_INVALID, std::string(name) + " length: expected at least 0");
    other.*field = INT64_MAX;
    expectError(other, GIRIH_UNSUPPORTED, std::string(name) + " length: expected at most 2^26");
  }
  other = problem;
  other.heads = 6;
  other.kvHeads = 4;
  expectError(other, GIRIH_INVALID, "heads to be a multiple of kv-heads, but got 6 and 4");
  other.heads = other.kvHeads = INT64_MAX;
  expectError(other, GIRIH_UNSUPPORTED, "heads: expected at most 2^20");
  other = problem;
  other.vDim = 257;
  expectError(other, GIRIH_UNSUPPORTED, "v-dim: expected a head dim from 1 to 256");
  other = problem;
  other.batch = other.heads = 1 << 20;
  other.numQ = other.numK = 1 << 26;
  expectError(other, GIRIH_INVALID, "expected less than 2^63 (query, key) pairs");
  other = problem;
  other.tileQ = -16;
  expectError(other, GIRIH_UNSUPPORTED, "tile of -16 x 0 is not supported");
}

TEST_F(ExplainTest, refusesLengthsThatThePatternDoesNotFit) {
  expectError(problemOf("neighborhood(grid=[8, 8], kernel=[3, 3])", 63, 63), GIRIH_INVALID,
              "expected grid to hold 63 queries");
  expectError(problemOf("heads(0..1: causal, 2: full)", 64, 64), GIRIH_INVALID,
              "expected heads to cover 0");
}

TEST_F(ExplainTest, refusesHeadsAndLayersThatThereAreNot) {
  Problem problem = problemOf("causal", 100, 100);
  ExplainOptions options;
  options.pictureHead = 1;
  expectError(problem, GIRIH_INVALID, "picture head: expected 0 to 0, but got 1", options);
  options.pictureHead = -1;
  expectError(problem, GIRIH_INVALID, "picture head: expected 0 to 0, but got -1", options);
  options.pictureHead = 0;
  options.layers = 0;
  expectError(problem, GIRIH_INVALID, "layers: expected at least 1, but got 0", options);
}

} // namespace
