//===- GateTesting.h - What the ptxas gates have in common ------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TEST_TARGET_GATETESTING_H
#define GIRIH_TEST_TARGET_GATETESTING_H

#include "girih/JIT/Session.h"
#include "girih/Support/Error.h"
#include "girih/Target/Ptxas.h"

#include "gtest/gtest.h"

#include <ostream>
#include <vector>

namespace girih::testing {

/// A kernel that is compiled and shown to ptxas.
struct GateCase {
  std::string name;
  Pattern pattern;
  CompileOptions options;
};

inline void PrintTo(const GateCase &gate, std::ostream *os) { *os << gate.name; }

/// Skips, and says so, where there is no ptxas.
class PtxasGate : public ::testing::TestWithParam<GateCase> {
protected:
  void SetUp() override {
    static const GirihStatus status = [] {
      llvm::Error missing = checkPtxas("sm_90a");
      return missing ? takeStatus(std::move(missing)) : GirihStatus{};
    }();
    if (status.code == GIRIH_OK)
      return;
    ASSERT_EQ(status.code, GIRIH_UNSUPPORTED) << status.message;
    GTEST_SKIP() << "the gate needs ptxas: " << status.message;
  }
};

struct NamedScore {
  const char *name;
  Score score;
};

/// Scores as models have them.
inline std::vector<NamedScore> typicalScores() {
  return {
      {"softcap", score([](Real s, Index, Index, Index, Index) { return 30 * tanh(s / 30); })},
      {"alibi", score([](Real s, Index, Index h, Index q, Index k) {
         return s + exp2(-0.5 * (h + 1)) * (k - q);
       })},
      {"distance", score([](Real s, Index, Index, Index q, Index k) {
         return s - 0.0625 * abs(q - k) / 3 + 0.25 * (max(q - k, 0) % 7);
       })},
      {"where", score([](Real s, Index, Index h, Index q, Index k) {
         return where(q - k < 100 || h % 2 == 0, s, 0.5 * s);
       })},
      {"sine",
       score([](Real s, Index, Index, Index q, Index k) { return 0.5 * s + sin(Real(q - k)); })},
  };
}

/// How often `word` stands in `text`.
inline int64_t countOf(llvm::StringRef text, llvm::StringRef word) {
  return static_cast<int64_t>(text.count(word));
}

} // namespace girih::testing

#endif // GIRIH_TEST_TARGET_GATETESTING_H
