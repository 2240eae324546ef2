//===- SessionTest.cpp - Sessions, texts, structs, forks and threads ------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CapiTesting.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <thread>

using namespace girih::testing;

// Version 1 of the structs: these numbers never change, and those of sizes only grow.
static_assert(sizeof(GirihLibraryInfo) == 32 && offsetof(GirihLibraryInfo, version) == 16);
static_assert(sizeof(GirihSessionOptions) == 24 &&
              offsetof(GirihSessionOptions, cache_bytes) == 16);
static_assert(sizeof(GirihTable) == 56 && offsetof(GirihTable, shape) == 24);
static_assert(sizeof(GirihLengths) == 48 && offsetof(GirihLengths, num_k) == 40);
static_assert(sizeof(GirihCompileOptions) == 56 && offsetof(GirihCompileOptions, chip) == 40);
static_assert(sizeof(GirihAttentionArgs) == 64 && offsetof(GirihAttentionArgs, stream) == 56);
static_assert(sizeof(GirihAttentionReport) == 32 &&
              offsetof(GirihAttentionReport, copied_bytes) == 24);

TEST(Session, SaysWhatTheLibraryIs) {
  const GirihLibraryInfo *info = girihLibraryInfo();
  EXPECT_EQ(GIRIH_MAGIC, info->magic);
  EXPECT_EQ(GIRIH_COMPILER_API_VERSION, info->api_version);
  EXPECT_EQ(sizeof(GirihLibraryInfo), info->size);
}

TEST(Session, RefusesStructsOfOtherSizes) {
  GirihSessionOptions options{8, 0, "", -1};
  GirihSession *session = nullptr;
  GirihStatus status;
  EXPECT_EQ("2: expected the size of options to be at least 24, but got 8",
            outcome(girihSessionCreate(&options, &session, &status), status));
  EXPECT_EQ(nullptr, session);
  EXPECT_EQ("2: expected room for a session, but got null",
            outcome(girihSessionCreate(&options, nullptr, &status), status));
  // Nobody is forced to listen.
  EXPECT_EQ(GIRIH_INVALID, girihSessionCreate(&options, &session, nullptr));

  options = {sizeof(options), 1, "", -1};
  EXPECT_EQ("2: expected reserved of options to be 0, but got 1",
            outcome(girihSessionCreate(&options, &session, &status), status));

  // A caller of a later version: what is unknown here must be 0.
  struct Later {
    GirihSessionOptions known;
    int64_t unknown;
  } later{{sizeof(Later), 0, "", -1}, 0};
  EXPECT_EQ("OK", outcome(girihSessionCreate(&later.known, &session, &status), status));
  girihSessionRelease(session);
  later.unknown = 1;
  EXPECT_EQ("3: expected fields of options behind the 24 bytes that this library knows to be 0",
            outcome(girihSessionCreate(&later.known, &session, &status), status));
}

TEST(Session, ReadsThreadsFromTheEnvironment) {
  GirihSession *session = nullptr;
  GirihStatus status;
  setenv("GIRIH_NUM_THREADS", "two", 1);
  EXPECT_EQ("2: expected GIRIH_NUM_THREADS to be a number from 0 to 4096, but got 'two'",
            outcome(girihSessionCreate(nullptr, &session, &status), status));
  setenv("GIRIH_NUM_THREADS", "1", 1);
  {
    SessionHandle limited = makeSession();
    KernelHandle kernel = compile(limited, parse(limited, "causal"));
    CpuProblem problem(1, 4, 4, 300, 300);
    GirihAttentionReport one{}, two{};
    one.size = two.size = sizeof(one);
    problem.args.threads = 0;
    EXPECT_EQ("OK", problem.launch(kernel, &one));
    problem.args.threads = 2;
    EXPECT_EQ("OK", problem.launch(kernel, &two));
    EXPECT_LT(one.workspace_bytes, two.workspace_bytes);
  }
  unsetenv("GIRIH_NUM_THREADS");
}

TEST(Session, SaysWhyTheDiskCacheFails) {
  GirihSessionOptions options{sizeof(GirihSessionOptions), 0, "/dev/null/girih", -1};
  GirihSession *made = nullptr;
  GirihStatus status;
  ASSERT_EQ("OK", outcome(girihSessionCreate(&options, &made, &status), status));
  SessionHandle session(made, girihSessionRelease);
  EXPECT_EQ(nullptr, girihSessionCacheProblem(made));
  KernelHandle kernel = compile(session, parse(session, "causal"));
  EXPECT_EQ(1, girihSessionCompilations(made));
  char *problem = girihSessionCacheProblem(made);
  ASSERT_NE(nullptr, problem);
  EXPECT_NE(nullptr, strstr(problem, "/dev/null/girih")) << problem;
  girihTextFree(problem);
}

TEST(Session, IgnoresNull) {
  girihSessionRelease(nullptr);
  girihPatternRelease(nullptr);
  girihScoreRelease(nullptr);
  girihKernelRelease(nullptr);
  girihTextFree(nullptr);
  EXPECT_EQ(0, girihSessionCompilations(nullptr));
  EXPECT_EQ(nullptr, girihSessionCacheProblem(nullptr));
  EXPECT_EQ(0, girihKernelCompileMs(nullptr));
}

TEST(Session, ObjectsOutliveIt) {
  SessionHandle session = makeSession();
  PatternHandle pattern = parse(session, "causal & window(left=3)");
  KernelHandle kernel = compile(session, pattern);
  session.reset();
  char *text = nullptr;
  GirihStatus status;
  EXPECT_EQ("OK", outcome(girihPatternText(pattern.get(), &text, &status), status));
  EXPECT_STREQ("causal & window(left=3)", text);
  girihTextFree(text);
  pattern.reset();
  CpuProblem problem(1, 1, 1, 20, 20);
  EXPECT_EQ("OK", problem.launch(kernel));
  EXPECT_EQ(problem.vData[0], problem.oData[0]);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define GIRIH_LIMITS_MEMORY 1
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#undef GIRIH_LIMITS_MEMORY
#endif
#endif
#endif

#ifdef GIRIH_LIMITS_MEMORY // sanitizers take address space by the terabyte
TEST(Session, SaysThatMemoryRanOut) {
  SessionHandle session = makeSession();
  // Zeros that take no memory, until somebody copies them.
  constexpr size_t bytes = size_t{1} << 32;
  void *zeros = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(MAP_FAILED, zeros);
  GirihTable table{"t", zeros, GIRIH_TABLE_I64, 1, {bytes / 8}};
  long pages = 0;
  FILE *statm = fopen("/proc/self/statm", "r");
  ASSERT_NE(nullptr, statm);
  ASSERT_EQ(1, fscanf(statm, "%ld", &pages));
  fclose(statm);
  rlimit old{};
  ASSERT_EQ(0, getrlimit(RLIMIT_AS, &old));
  rlimit limited = old;
  limited.rlim_cur =
      static_cast<rlim_t>(pages) * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + (rlim_t{1} << 28);
  ASSERT_EQ(0, setrlimit(RLIMIT_AS, &limited));
  GirihPattern *pattern = nullptr;
  GirihStatus status;
  const int code = girihPatternParse(session.get(), "full", &table, 1, &pattern, &status);
  setrlimit(RLIMIT_AS, &old);
  munmap(zeros, bytes);
  EXPECT_EQ("5: out of memory", outcome(code, status));
  EXPECT_NE(nullptr, parse(session, "full").get());
}
#endif

//===----------------------------------------------------------------------===//
// Forks
//===----------------------------------------------------------------------===//

/// Runs `body` in a child, which exits by what it returns ("" is good) or is killed after
/// a minute.
template <typename Body> static void inChild(Body body) {
  pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(60);
    std::string trouble = body();
    if (!trouble.empty())
      fprintf(stderr, "in the child: %s\n", trouble.c_str());
    _exit(trouble.empty() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(child, waitpid(child, &status, 0));
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "wait status " << status;
}

TEST(Fork, ChildIsToldAndStartsAnew) {
  SessionHandle session = makeSession();
  PatternHandle pattern = parse(session, "causal");
  KernelHandle kernel = compile(session, pattern);
  CpuProblem problem(1, 8, 8, 200, 200);
  problem.args.threads = 2; // leaves threads waiting that the child has not
  ASSERT_EQ("OK", problem.launch(kernel));
  const std::vector<float> expected = problem.oData;

  inChild([&]() -> std::string {
    const char *wanted = " of this process, but got one that was made before fork(); the child "
                         "has to make a session of its own";
    GirihStatus status;
    char *text = nullptr;
    GirihPattern *other = nullptr;
    GirihKernel *rebound = nullptr;
    GirihLengths lengths{sizeof(GirihLengths), 0, 1, 1, 1, 4, 4};
    GirihCompileOptions options = cpuOptions();
    const struct {
      const char *what;
      int code;
      std::string message;
    } calls[] = {
        {"a kernel", girihAttention(kernel.get(), &problem.args, nullptr, &status), status.message},
        {"a session", girihPatternParse(session.get(), "full", nullptr, 0, &other, &status),
         status.message},
        {"a pattern", girihPatternText(pattern.get(), &text, &status), status.message},
        {"a pattern", girihPatternMask(pattern.get(), &lengths, nullptr, &status), status.message},
        {"a session",
         girihCompile(session.get(), pattern.get(), &options, &rebound, nullptr, &status),
         status.message},
        {"a session", girihEmit(session.get(), pattern.get(), &options, "girih", &text, &status),
         status.message},
        {"a session",
         girihExplain(session.get(), pattern.get(), &lengths, nullptr, 0, &text, &status),
         status.message},
        {"a kernel", girihKernelRebind(kernel.get(), pattern.get(), nullptr, &rebound, &status),
         status.message},
    };
    for (const auto &call : calls)
      if (call.code != GIRIH_INVALID ||
          call.message != std::string("expected ") + call.what + wanted)
        return call.message.empty() ? "a call worked" : call.message;
    if (girihSessionCompilations(session.get()) != 0 || girihKernelCompileMs(kernel.get()) != 0)
      return "expected counts of a parent's objects to be 0";
    kernel.reset();
    pattern.reset();
    session.reset();

    SessionHandle own = makeSession();
    KernelHandle again = compile(own, parse(own, "causal"));
    std::fill(problem.oData.begin(), problem.oData.end(), NAN);
    for (int32_t threads : {1, 2, 0}) {
      problem.args.threads = threads;
      if (std::string trouble = problem.launch(again); trouble != "OK")
        return trouble;
    }
    return problem.oData == expected ? "" : "expected the parent's numbers";
  });
  // The parent goes on.
  EXPECT_EQ("OK", problem.launch(kernel));
}

//===----------------------------------------------------------------------===//
// Threads
//===----------------------------------------------------------------------===//

TEST(Threads, ShareASessionAndAKernel) {
  SessionHandle session = makeSession();
  const char *texts[] = {"causal", "window(left=5)", "causal & window(left=30)"};
  CpuProblem reference[] = {{1, 2, 1, 40, 40}, {1, 2, 1, 77, 77}, {2, 2, 2, 33, 65}};
  std::vector<KernelHandle> kernels;
  for (const char *text : texts)
    kernels.push_back(compile(session, parse(session, text)));
  const int64_t before = girihSessionCompilations(session.get());
  std::vector<std::vector<float>> expected;
  for (size_t i = 0; i != 3; ++i) {
    ASSERT_EQ("OK", reference[i].launch(kernels[i]));
    expected.push_back(reference[i].oData);
  }
  auto work = [&](unsigned seed) {
    CpuProblem own[] = {{1, 2, 1, 40, 40}, {1, 2, 1, 77, 77}, {2, 2, 2, 33, 65}};
    for (unsigned round = 0; round != 60; ++round) {
      const unsigned i = (seed + round) % 3;
      // Every tenth time compiled again, which finds the kernel of the others.
      KernelHandle mine(nullptr, girihKernelRelease);
      if (round % 10 == 0)
        mine = compile(session, parse(session, texts[i]));
      own[i].args.threads = static_cast<int32_t>(round % 3);
      EXPECT_EQ("OK", own[i].launch(mine ? mine : kernels[i]));
      EXPECT_EQ(expected[i], own[i].oData);
    }
  };
  std::vector<std::thread> threads;
  for (unsigned t = 0; t != 4; ++t)
    threads.emplace_back(work, t);
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(before, girihSessionCompilations(session.get()));
}

TEST(Threads, CompileOneKernelOnce) {
  SessionHandle session = makeSession();
  PatternHandle pattern = parse(session, "causal & window(left=9)");
  std::vector<std::thread> threads;
  for (int t = 0; t != 4; ++t)
    threads.emplace_back([&] { compile(session, pattern); });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(1, girihSessionCompilations(session.get()));
}
