//===- AssemblyTest.cpp - What the inner loops look like ------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A register tile that spills is several times slower and gives the same numbers,
// so only a look at the code finds it.
//
//===----------------------------------------------------------------------===//

#include "JitTesting.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"

using namespace girih;
using namespace girih::testing;
using llvm::StringRef;

namespace {

/// A loop without a loop inside: lines [first, last].
struct InnerLoop {
  size_t first, last;
  int64_t multiplyAdds = 0, stackAccesses = 0;
  bool rounds = false; ///< exp2 does, products do not
};

} // namespace

/// A backward jump to a label with no other backward jump in between.
static std::vector<InnerLoop> innerLoops(StringRef assembly, StringRef reg) {
  llvm::SmallVector<StringRef> lines;
  assembly.split(lines, '\n');
  llvm::StringMap<size_t> labels;
  std::vector<InnerLoop> loops;
  for (size_t i = 0; i != lines.size(); ++i) {
    StringRef line = lines[i].split('#').first.trim();
    if (line.ends_with(":")) {
      labels[line.drop_back()] = i;
      continue;
    }
    auto [mnemonic, target] = line.split('\t');
    auto label = mnemonic.starts_with("j") ? labels.find(target.trim()) : labels.end();
    if (label == labels.end())
      continue;
    InnerLoop loop{label->second, i};
    if (!loops.empty() && loops.back().first >= loop.first)
      continue; // holds another loop
    for (size_t j = loop.first; j != i; ++j) {
      StringRef text = lines[j].split('#').first;
      loop.multiplyAdds += text.contains("vfmadd");
      loop.rounds |= text.contains("vround") || text.contains("vrndscale");
      loop.stackAccesses += text.contains("(%rsp") && text.contains(reg);
    }
    loops.push_back(loop);
  }
  return loops;
}

static void expectNoSpills(const CompileOptions &options, StringRef reg) {
  auto session = makeSession();
  auto text = session->emit(full(), options, "asm");
  ASSERT_TRUE(bool(text)) << llvm::toString(text.takeError());
  int64_t products = 0;
  for (const InnerLoop &loop : innerLoops(*text, reg)) {
    if (loop.multiplyAdds < 8 || loop.rounds)
      continue;
    ++products;
    EXPECT_EQ(loop.stackAccesses, 0) << "lines " << loop.first << " to " << loop.last;
  }
  // Scores and output.
  EXPECT_GE(products, 2);
}

TEST(Assembly, ProductsDoNotSpillWithAvx512) {
  for (int64_t dim : {64, 80, 128}) {
    CompileOptions options;
    options.headDim = dim;
    options.cpu = "x86-64-v4";
    expectNoSpills(options, "%zmm");
  }
}

TEST(Assembly, ProductsDoNotSpillWithAvx2) {
  CompileOptions options;
  options.cpu = "x86-64-v3";
  expectNoSpills(options, "%ymm");
}
