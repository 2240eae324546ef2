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
  bool scales = false; ///< by powers of two: exp2 does, products do not
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
      loop.multiplyAdds +=
          text.contains("vfmadd") || text.contains("vdpbf16ps") || text.contains("\tmulps");
      loop.scales |= text.contains("pslld") || text.contains("vscalef");
      loop.stackAccesses += text.contains("(%rsp") && text.contains(reg);
    }
    loops.push_back(loop);
  }
  return loops;
}

static std::string assemblyOf(const CompileOptions &options) {
  auto session = makeSession();
  auto text = session->emit(full(), options, "asm");
  if (text)
    return *text;
  ADD_FAILURE() << llvm::toString(text.takeError());
  return "";
}

static void expectNoSpills(const CompileOptions &options, StringRef reg) {
  std::string text = assemblyOf(options);
  int64_t products = 0;
  for (const InnerLoop &loop : innerLoops(text, reg)) {
    if (loop.multiplyAdds < 8 || loop.scales)
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

TEST(Assembly, ProductsDoNotSpillWithSse) {
  // Nor are multiply-adds and rounding, which it lacks, calls of the math library.
  CompileOptions options;
  options.cpu = "x86-64";
  expectNoSpills(options, "%xmm");
  std::string text = assemblyOf(options);
  for (const char *function : {"fmaf", "roundevenf"})
    EXPECT_EQ(text.find(function), std::string::npos) << function;
}

TEST(Assembly, PairsOfBf16DoNotSpill) {
  for (const char *cpu : {"znver4", "sapphirerapids,-amx-bf16"})
    for (int64_t dim : {64, 80, 128}) {
      CompileOptions options;
      options.dtype = GIRIH_BF16;
      options.headDim = dim;
      options.cpu = cpu;
      expectNoSpills(options, "%zmm");
      std::string text = assemblyOf(options);
      EXPECT_EQ(text.find("vfmadd231ps\t("), std::string::npos) << "a product of f32";
    }
}

static int64_t count(StringRef text, StringRef what) { return int64_t(text.count(what)); }

TEST(Assembly, AmxTilesAreConfiguredOnceAndDoNotSpill) {
  // Blocks of two by two results; what is left over of columns has blocks of its own.
  for (auto [dim, products] : {std::pair(64, 2 * 4 + 2 * 4), std::pair(80, 3 * 4 + 2 * (4 + 2)),
                               std::pair(128, 4 * 4 + 2 * 4)}) {
    CompileOptions options;
    options.dtype = GIRIH_BF16;
    options.headDim = dim;
    options.cpu = "sapphirerapids";
    std::string text = assemblyOf(options);
    EXPECT_EQ(count(text, "ldtilecfg"), 1);
    EXPECT_EQ(count(text, "tilerelease"), 1);
    EXPECT_EQ(count(text, "tdpbf16ps"), products) << dim;
    EXPECT_EQ(count(text, "vdpbf16ps"), 0);
    llvm::SmallVector<StringRef> lines;
    StringRef(text).split(lines, '\n');
    for (StringRef line : lines)
      EXPECT_FALSE(line.contains("\ttile") && line.contains("%rsp")) << line.str();
  }
}
