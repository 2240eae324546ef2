//===- CacheTest.cpp - What is compiled, and how often --------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "JitTesting.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <thread>

using namespace girih;
using namespace girih::testing;

TEST(Cache, OneKernelServesEveryShape) {
  auto session = makeSession();
  Pattern pattern = causal() & window(20);
  bool expectHit = false;
  int64_t lengths[] = {1, 2, 15, 16, 17, 63, 64, 65, 101, 257};
  for (int64_t numQ : lengths) {
    for (int64_t numK : {numQ, int64_t(1), int64_t(97)}) {
      Sizes sizes{2, 4, numQ % 2 ? 2 : 4, numQ, numK, 16, 16};
      bool hit = false;
      auto kernel = compile(*session, pattern, optionsFor(sizes), &hit);
      ASSERT_TRUE(kernel);
      EXPECT_EQ(hit, expectHit);
      expectHit = true;
      EXPECT_EQ(check(*kernel, pattern, sizes), "") << numQ << " x " << numK;
    }
  }
  EXPECT_EQ(session->compilations(), 1);
}

TEST(Cache, ReportsHitsAndMisses) {
  auto session = makeSession();
  bool hit = true;
  ASSERT_TRUE(compile(*session, causal(), {}, &hit));
  EXPECT_FALSE(hit);
  // Another tree of the same value is the same kernel.
  ASSERT_TRUE(compile(*session, causal(), {}, &hit));
  EXPECT_TRUE(hit);
  EXPECT_EQ(session->compilations(), 1);
}

TEST(Cache, EveryOptionIsPartOfTheKey) {
  auto session = makeSession();
  CompileOptions base;
  base.headDim = 16;
  std::vector<CompileOptions> variants(8, base);
  variants[1].dtype = GIRIH_BF16;
  variants[2].headDim = 17;
  variants[3].vDim = 8;
  variants[4].align = GIRIH_TOP_LEFT;
  variants[5].tileQ = 32;
  variants[6].tileK = 32;
  variants[7].cpu = "x86-64-v2";
  for (const CompileOptions &options : variants)
    ASSERT_TRUE(compile(*session, causal(), options));
  EXPECT_EQ(session->compilations(), int64_t(variants.size()));
  ASSERT_TRUE(compile(*session, window(3), base));
  EXPECT_EQ(session->compilations(), int64_t(variants.size()) + 1);
}

TEST(Cache, ScoreFunctionsArePartOfTheKey) {
  auto session = makeSession();
  auto times = [](float factor) {
    return score([&](Real s, Index, Index, Index, Index) { return s * factor; });
  };
  CompileOptions two, three;
  two.headDim = three.headDim = 16;
  two.score = times(2);
  three.score = times(3);
  Sizes sizes;
  auto a = compile(*session, causal(), two), b = compile(*session, causal(), three);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(session->compilations(), 2);
  EXPECT_EQ(check(*a, causal(), sizes,
                  [](double s, int64_t, int64_t, int64_t, int64_t) { return 2 * s; }),
            "");
  EXPECT_EQ(check(*b, causal(), sizes,
                  [](double s, int64_t, int64_t, int64_t, int64_t) { return 3 * s; }),
            "");
  bool hit = false;
  two.score = times(2);
  ASSERT_TRUE(compile(*session, causal(), two, &hit));
  EXPECT_TRUE(hit);
}

TEST(Cache, ConcurrentRequestsForOneKernelCompileOnce) {
  auto session = makeSession();
  Pattern pattern = window(9, 4) | global(2);
  Sizes sizes;
  std::vector<std::string> problems(16);
  std::vector<std::thread> threads;
  for (size_t i = 0; i != problems.size(); ++i)
    threads.emplace_back([&, i] {
      auto kernel = session->compile(pattern, optionsFor(sizes));
      problems[i] = kernel ? check(**kernel, pattern, sizes) : llvm::toString(kernel.takeError());
    });
  for (std::thread &thread : threads)
    thread.join();
  for (const std::string &problem : problems)
    EXPECT_EQ(problem, "");
  EXPECT_EQ(session->compilations(), 1);
}

TEST(Cache, ConcurrentRequestsForDifferentKernels) {
  auto session = makeSession();
  Sizes sizes;
  std::vector<std::string> problems(8);
  std::vector<std::thread> threads;
  for (size_t i = 0; i != problems.size(); ++i)
    threads.emplace_back([&, i] {
      Pattern pattern = causal() & window(int64_t(i));
      auto kernel = session->compile(pattern, optionsFor(sizes));
      problems[i] = kernel ? check(**kernel, pattern, sizes) : llvm::toString(kernel.takeError());
    });
  for (std::thread &thread : threads)
    thread.join();
  for (const std::string &problem : problems)
    EXPECT_EQ(problem, "");
  EXPECT_EQ(session->compilations(), int64_t(problems.size()));
}

TEST(Cache, OperandValuesAreNotPartOfTheKey) {
  auto session = makeSession();
  Sizes sizes{1, 2, 1, 90, 90, 16, 16};
  std::vector<Pattern> patterns = {segments({0, 30, 90}) & causal(), segments({0, 90}) & causal(),
                                   segments({0, 1, 1, 2, 50, 64, 89, 90}) & causal()};
  std::shared_ptr<CompiledKernel> kernel;
  for (const Pattern &pattern : patterns) {
    auto next = compile(*session, pattern, optionsFor(sizes));
    ASSERT_TRUE(next);
    EXPECT_TRUE(!kernel || kernel == next);
    kernel = next;
    EXPECT_EQ(check(*kernel, pattern, sizes), "") << pattern.str();
  }
  EXPECT_EQ(session->compilations(), 1);
  // Block tables are operands too.
  patterns = {blockTable(30, {0, 1, 2, 3}, {0, 1, 2}), blockTable(30, {0, 0, 3, 4}, {0, 1, 2, 0})};
  for (const Pattern &pattern : patterns) {
    auto next = compile(*session, pattern, optionsFor(sizes));
    ASSERT_TRUE(next);
    EXPECT_EQ(check(*next, pattern, sizes), "") << pattern.str();
  }
  EXPECT_EQ(session->compilations(), 2);
}

TEST(Cache, KernelsOutliveTheirSession) {
  Sizes sizes;
  std::shared_ptr<CompiledKernel> kernel;
  {
    auto session = makeSession();
    kernel = compile(*session, causal(), optionsFor(sizes));
  }
  ASSERT_TRUE(kernel);
  EXPECT_EQ(check(*kernel, causal(), sizes), "");
}

TEST(Cache, FailedCompilationsAreNotKept) {
  auto session = makeSession();
  CompileOptions options;
  options.cpu = "no-such-cpu";
  compileError(*session, causal(), options);
  compileError(*session, causal(), options);
  EXPECT_EQ(session->compilations(), 0);
  EXPECT_TRUE(compile(*session, causal()));
}

TEST(Cache, BlockMapsAreDerivedOnce) {
  auto session = makeSession();
  Sizes sizes;
  auto kernel = compile(*session, window(5), optionsFor(sizes));
  ASSERT_TRUE(kernel);
  Tensors tensors(sizes);
  LaunchReport report;
  EXPECT_EQ(launch(*kernel, tensors, window(5), 1, &report), "");
  EXPECT_FALSE(report.mapCached);
  EXPECT_EQ(launch(*kernel, tensors, window(5), 1, &report), "");
  EXPECT_TRUE(report.mapCached);
  EXPECT_EQ(report.mapMs, 0);
  Sizes longer = sizes;
  longer.numQ = longer.numK = 51;
  Tensors others(longer);
  EXPECT_EQ(launch(*kernel, others, window(5), 1, &report), "");
  EXPECT_FALSE(report.mapCached);
}

TEST(Cache, BlockMapsFollowOperandValues) {
  auto session = makeSession();
  Sizes sizes;
  Pattern two = segments({0, 20, 50}), one = segments({0, 50});
  auto kernel = compile(*session, two, optionsFor(sizes));
  ASSERT_TRUE(kernel);
  // Same lengths, other values, and back again.
  for (const Pattern &pattern : {two, one, two})
    EXPECT_EQ(check(*kernel, pattern, sizes), "") << pattern.str();
}

TEST(Cache, MapsGrowLinearlyWithLength) {
  auto session = makeSession();
  auto kernel = compile(*session, window(256, 256) | global(16));
  ASSERT_TRUE(kernel);
  auto statsFor = [&](int64_t length) {
    GirihMapParams params = mapParams(1, 1, length, length, GIRIH_BOTTOM_RIGHT, {}, kernel->desc());
    GirihMapStats stats{};
    GirihStatus status{};
    auto map = kernel->blockMap(params);
    EXPECT_TRUE(bool(map));
    EXPECT_EQ(girihBlockMapStats(map->get(), kernel->desc().map, &params, &stats, &status),
              GIRIH_OK)
        << status.message;
    return stats;
  };
  GirihMapStats small = statsFor(1 << 16), large = statsFor(1 << 20);
  double tiles = double(large.listed_full + large.listed_partial) /
                 double(small.listed_full + small.listed_partial);
  EXPECT_NEAR(tiles, 16, 0.5);
  EXPECT_LT(double(large.map_bytes), 17.0 * double(small.map_bytes));
}

//===----------------------------------------------------------------------===//
// On disk; girih-cache-test has the processes
//===----------------------------------------------------------------------===//

namespace {

class DiskCache : public ::testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("girih-test", folder));
    settings.cacheDir = std::string(folder);
  }
  void TearDown() override { llvm::sys::fs::remove_directories(folder); }

  /// Compiles in a session of its own and launches; tells whether it compiled, and
  /// what the session says of the cache.
  void expectRun(const Pattern &pattern, bool expectHit, const std::string &problem = "") {
    auto session = Session::create(settings);
    ASSERT_TRUE(bool(session)) << llvm::toString(session.takeError());
    Sizes sizes;
    bool hit = !expectHit;
    auto kernel = compile(**session, pattern, optionsFor(sizes), &hit);
    ASSERT_TRUE(kernel);
    EXPECT_EQ(hit, expectHit);
    EXPECT_EQ((*session)->compilations(), expectHit ? 0 : 1);
    EXPECT_EQ((*session)->cacheProblem(), problem);
    EXPECT_EQ(check(*kernel, pattern, sizes), "");
  }

  std::vector<std::string> entries() const {
    std::vector<std::string> found;
    std::error_code error;
    for (llvm::sys::fs::directory_iterator it(folder, error), end; !error && it != end;
         it.increment(error))
      if (llvm::StringRef(it->path()).ends_with(".kernel"))
        found.push_back(it->path());
    return found;
  }

  llvm::SmallString<128> folder;
  SessionOptions settings;
};

} // namespace

TEST_F(DiskCache, ServesTheNextSession) {
  expectRun(window(5), false);
  expectRun(window(5), true);
  expectRun(window(6), false);
  EXPECT_EQ(entries().size(), 2u);
}

TEST_F(DiskCache, DamagedEntriesAreCompiledAgain) {
  expectRun(window(5), false);
  ASSERT_EQ(entries().size(), 1u);
  {
    std::error_code error;
    llvm::raw_fd_ostream os(entries()[0], error, llvm::sys::fs::CD_OpenExisting,
                            llvm::sys::fs::FA_Write, llvm::sys::fs::OF_None);
    ASSERT_FALSE(error) << error.message();
    os.seek(2000);
    os << "damage";
  }
  expectRun(window(5), false);
  expectRun(window(5), true);
}

TEST_F(DiskCache, UnusableFoldersAreNoted) {
  settings.cacheDir = "/proc/girih";
  expectRun(window(5), false, "kernels are not cached in /proc/girih: No such file or directory");
  expectRun(window(5), false, "kernels are not cached in /proc/girih: No such file or directory");
}

TEST_F(DiskCache, OnByDefault) {
  const char *before = std::getenv("GIRIH_CACHE_DIR");
  std::string old = before ? before : "";
  settings.cacheDir.reset();
  ::setenv("GIRIH_CACHE_DIR", folder.c_str(), 1);
  expectRun(window(5), false);
  expectRun(window(5), true);
  ::setenv("GIRIH_CACHE_DIR", "", 1);
  expectRun(window(5), false);
  before ? ::setenv("GIRIH_CACHE_DIR", old.c_str(), 1) : ::unsetenv("GIRIH_CACHE_DIR");
  EXPECT_EQ(entries().size(), 1u);
}

TEST_F(DiskCache, LimitOfTheSession) {
  settings.cacheBytes = 100;
  auto session = Session::create(settings);
  ASSERT_TRUE(bool(session)) << llvm::toString(session.takeError());
  ASSERT_TRUE(compile(**session, window(5)));
  EXPECT_NE((*session)->cacheProblem().find("expected a kernel of at most 100 bytes, but got "),
            std::string::npos);
  EXPECT_TRUE(entries().empty());
}

TEST_F(DiskCache, BadLimitOfTheEnvironment) {
  ::setenv("GIRIH_CACHE_SIZE", "lots", 1);
  auto session = Session::create(settings);
  ::unsetenv("GIRIH_CACHE_SIZE");
  ASSERT_FALSE(bool(session));
  EXPECT_EQ(llvm::toString(session.takeError()),
            "GIRIH_CACHE_SIZE: expected a number of bytes below 2^63, such as 268435456, 256M or "
            "1G, but got 'lots'");
}

// Handlers, the alarm and the mask of signals are the program's that we are a library of.
TEST(Cache, ColdCompilationsLeaveSignalsAlone) {
  static volatile std::sig_atomic_t caught = 0;
  struct sigaction own{}, before{};
  own.sa_handler = [](int) { caught = 1; };
  ASSERT_EQ(::sigaction(SIGUSR1, &own, &before), 0);
  std::array<struct sigaction, 32> handlers{};
  for (int signal = 1; signal != 32; ++signal)
    ASSERT_EQ(::sigaction(signal, nullptr, &handlers[signal]), 0);

  llvm::SmallString<128> folder;
  ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("girih-signals", folder));
  SessionOptions options;
  options.cacheDir = std::string(folder);
  auto session = Session::create(options);
  ASSERT_TRUE(bool(session));
  bool hit = true;
  EXPECT_TRUE(compile(**session, causal(), {}, &hit));
  EXPECT_FALSE(hit);
  EXPECT_EQ((*session)->cacheProblem(), "");

  // LLVM installs its own once in a process: perhaps in an earlier test.
  for (int signal : {SIGHUP, SIGINT, SIGTERM, SIGUSR2})
    EXPECT_TRUE(handlers[signal].sa_handler == SIG_DFL || handlers[signal].sa_handler == SIG_IGN)
        << signal;
  for (int signal = 1; signal != 32; ++signal) {
    struct sigaction now{};
    ASSERT_EQ(::sigaction(signal, nullptr, &now), 0);
    EXPECT_EQ(now.sa_handler, handlers[signal].sa_handler) << signal;
    EXPECT_EQ(now.sa_flags, handlers[signal].sa_flags) << signal;
  }
  ::raise(SIGUSR1);
  EXPECT_EQ(caught, 1);
  ::sigaction(SIGUSR1, &before, nullptr);
  llvm::sys::fs::remove_directories(folder);
}
