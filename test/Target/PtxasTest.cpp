//===- PtxasTest.cpp - What ptxas says ------------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The reading of the text is tested everywhere, the assembling where ptxas is.
//
//===----------------------------------------------------------------------===//

#include "TargetTesting.h"

#include "girih/Target/Ptxas.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

#include <csignal>
#include <cstdlib>
#include <optional>
#include <unistd.h>

using namespace girih;
using namespace girih::testing;

TEST(PtxasText, ReadsResources) {
  PtxasReport report =
      parsePtxasText("ptxas info    : 0 bytes gmem\n"
                     "ptxas info    : Compiling entry function 'fa' for 'sm_90a'\n"
                     "ptxas info    : Function properties for fa\n"
                     "    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n"
                     "ptxas info    : Used 168 registers, used 16 barriers, 1024 bytes smem\n");
  EXPECT_EQ(report.registers, 168);
  EXPECT_EQ(report.sharedBytes, 1024);
  EXPECT_EQ(report.spillBytes, 0);
  EXPECT_TRUE(report.complaints.empty());
}

TEST(PtxasText, AddsUpFunctions) {
  PtxasReport report =
      parsePtxasText("    96 bytes stack frame, 92 bytes spill stores, 104 bytes spill loads\n"
                     "ptxas info    : Used 24 registers, 64 bytes smem\n"
                     "    8 bytes stack frame, 0 bytes spill stores, 4 bytes spill loads\n"
                     "ptxas info    : Used 16 registers, 128 bytes smem\n");
  EXPECT_EQ(report.spillBytes, 200);
  EXPECT_EQ(report.registers, 24);
  EXPECT_EQ(report.sharedBytes, 128);
  EXPECT_EQ(report.complaints.size(), 2u);
}

TEST(PtxasText, ComplainsAboutSlowKernels) {
  for (const char *code : {"C7507", "C7508", "C7510", "C7514", "C7519"}) {
    std::string line = std::string("ptxas info    : (") + code + ") Potential Performance Loss";
    EXPECT_EQ(parsePtxasText(line).complaints, std::vector<std::string>{line}) << code;
  }
  for (const char *code : {"C7506", "C7509", "C7520", "C7600"})
    EXPECT_TRUE(parsePtxasText(std::string("ptxas info    : (") + code + ") x").complaints.empty())
        << code;
}

/// Assembles; null where there is no ptxas.
static std::optional<PtxasReport> assemble(llvm::StringRef module) {
  if (llvm::errorToBool(checkPtxas("sm_90a")))
    return std::nullopt;
  PtxTarget target;
  llvm::SmallVector<char, 0> cubin;
  auto report = assemblePtx(toPtx(module, target), target.chip, cubin);
  if (!report) {
    ADD_FAILURE() << takeStatus(report.takeError()).message;
    return PtxasReport();
  }
  EXPECT_EQ(llvm::StringRef(cubin.data(), cubin.size()).take_front(4), "\x7f"
                                                                       "ELF");
  return *report;
}

/// A kernel that holds `live` values at once, with `attributes`.
static std::string holding(int live, const std::string &attributes) {
  std::string text = "define ptx_kernel void @k(ptr addrspace(1) %y) " + attributes + " {\n";
  auto access = [&](const std::string &before, int i, const std::string &after) {
    std::string n = std::to_string(i);
    text += "%" + before + n + " = getelementptr i32, ptr addrspace(1) %y, i32 " + n + "\n";
    text += after + n + (after[0] == '%' ? " = load volatile i32, " : ", ");
    text += "ptr addrspace(1) %" + before + n + "\n";
  };
  for (int i = 0; i != live; ++i)
    access("p", i, "%v");
  for (int i = 0; i != live; ++i)
    access("q", i, "store volatile i32 %v");
  return text + "ret void\n}\n";
}

TEST(Ptxas, AssemblesAndReports) {
  auto report = assemble(holding(8, ""));
  if (!report)
    GTEST_SKIP() << "no ptxas";
  EXPECT_GT(report->registers, 8);
  EXPECT_EQ(report->spillBytes, 0);
  EXPECT_TRUE(report->complaints.empty()) << report->text;
}

TEST(Ptxas, CatchesSpills) {
  auto report = assemble(holding(100, "\"nvvm.maxnreg\"=\"32\""));
  if (!report)
    GTEST_SKIP() << "no ptxas";
  EXPECT_GT(report->spillBytes, 0) << report->text;
  ASSERT_FALSE(report->complaints.empty());
  EXPECT_NE(report->complaints[0].find("spill"), std::string::npos);
}

TEST(Ptxas, CatchesIgnoredRegisterHandOver) {
  // Without a fixed number of threads, how many registers a thread enters with is
  // unknown.
  auto report = assemble(R"(
define ptx_kernel void @k(ptr addrspace(1) %y) {
  call void asm sideeffect "setmaxnreg.inc.sync.aligned.u32 240;", "~{memory}"()
  store i32 1, ptr addrspace(1) %y
  ret void
})");
  if (!report)
    GTEST_SKIP() << "no ptxas";
  ASSERT_EQ(report->complaints.size(), 1u) << report->text;
  EXPECT_NE(report->complaints[0].find("C7508"), std::string::npos);
}

TEST(Ptxas, SaysWhatPtxasRejects) {
  if (llvm::errorToBool(checkPtxas("sm_90a")))
    GTEST_SKIP() << "no ptxas";
  llvm::SmallVector<char, 0> cubin;
  auto report =
      assemblePtx(".version 8.0\n.target sm_90a\n.address_size 64\nbad\n", "sm_90a", cubin);
  ASSERT_FALSE(report);
  GirihStatus status = takeStatus(report.takeError());
  EXPECT_EQ(status.code, GIRIH_INTERNAL);
  EXPECT_NE(std::string(status.message).find("line 4"), std::string::npos) << status.message;
}

namespace {

/// Programs called ptxas in folders of their own, and PATH and GIRIH_PTXAS as a test wants
/// them.
class PtxasSearch : public ::testing::Test {
protected:
  void SetUp() override {
    for (const char *name : {"PATH", "GIRIH_PTXAS", "CUDA_HOME"}) {
      const char *value = std::getenv(name);
      before.emplace_back(name, value ? std::optional<std::string>(value) : std::nullopt);
    }
    ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("girih-ptxas-test", folder));
    ::unsetenv("GIRIH_PTXAS");
    ::setenv("CUDA_HOME", "/nonexistent", 1);
  }
  void TearDown() override {
    for (const auto &[name, value] : before)
      value ? ::setenv(name, value->c_str(), 1) : ::unsetenv(name);
    llvm::sys::fs::remove_directories(folder);
  }

  /// A shell script; returns its folder.
  std::string addPtxas(llvm::StringRef name, llvm::StringRef commands,
                       llvm::StringRef interpreter = "#!/bin/sh\n") {
    std::string own = (folder + "/" + name).str(), file = own + "/ptxas";
    EXPECT_FALSE(llvm::sys::fs::create_directory(own));
    std::error_code error;
    llvm::raw_fd_ostream(file, error) << interpreter << commands << '\n';
    EXPECT_FALSE(error);
    EXPECT_FALSE(llvm::sys::fs::setPermissions(file, llvm::sys::fs::owner_all));
    return own;
  }
  std::string addOld(llvm::StringRef name, llvm::StringRef text) {
    return addPtxas(name, "echo \"ptxas $3, line 5; fatal   : " + text.str() + "\"; exit 255");
  }
  static void setPath(const std::string &path) { ::setenv("PATH", path.c_str(), 1); }
  static GirihStatus statusOf(llvm::Expected<PtxasReport> report) {
    return report ? GirihStatus{} : takeStatus(report.takeError());
  }

  llvm::SmallString<128> folder;
  llvm::SmallVector<char, 0> cubin;
  std::vector<std::pair<const char *, std::optional<std::string>>> before;
};

constexpr const char makesElf[] = "printf '\\177ELF' > $5; echo 'Used 7 registers'";
constexpr const char emptyModule[] = ".version 8.0\n.target sm_90a\n.address_size 64\n";
constexpr const char unsupportedVersion[] = "Unsupported .version 8.0; current version is '7.8'";
constexpr const char unknownChip[] = "Value 'sm_90a' is not defined for option 'gpu-name'";

} // namespace

TEST_F(PtxasSearch, NamesABadSetting) {
  ::setenv("GIRIH_PTXAS", "/nonexistent/ptxas", 1);
  GirihStatus status = takeStatus(checkPtxas("sm_90a"));
  EXPECT_EQ(status.code, GIRIH_INVALID);
  EXPECT_NE(std::string(status.message).find("'/nonexistent/ptxas'"), std::string::npos);
}

TEST_F(PtxasSearch, PassesByWhatIsUnfit) {
  std::string oldest = addOld("oldest", unknownChip), old = addOld("old", unsupportedVersion),
              broken = addPtxas("broken", "echo no libraries; exit 127"),
              foreign = addPtxas("foreign", "", "#!/nonexistent/interpreter\n"),
              good = addPtxas("new", makesElf);
  setPath(oldest + ":/nonexistent::" + old + ":" + broken + ":" + foreign + ":" + good +
          ":/usr/bin:/bin");
  auto report = assemblePtx(emptyModule, "sm_90a", cubin);
  ASSERT_TRUE(bool(report)) << llvm::toString(report.takeError());
  EXPECT_EQ(report->registers, 7);
  EXPECT_EQ(llvm::StringRef(cubin.data(), cubin.size()), "\x7f"
                                                         "ELF");
}

TEST_F(PtxasSearch, UnfitOnesAloneAreNone) {
  std::string system = ":/usr/bin:/bin";
  setPath(addOld("old", unsupportedVersion) + system);
  GirihStatus status = statusOf(assemblePtx(emptyModule, "sm_90a", cubin));
  EXPECT_EQ(status.code, GIRIH_UNSUPPORTED) << status.message;
  EXPECT_NE(std::string(status.message).find(unsupportedVersion), std::string::npos);
  setPath(addPtxas("broken", "echo no libraries; exit 127") + system);
  status = statusOf(assemblePtx(emptyModule, "sm_90a", cubin));
  EXPECT_EQ(status.code, GIRIH_UNSUPPORTED) << status.message;
  EXPECT_NE(std::string(status.message).find("no libraries"), std::string::npos);
}

TEST_F(PtxasSearch, LooksInTheFolderOfCuda) {
  setPath("/usr/bin:/bin");
  EXPECT_EQ(statusOf(assemblePtx(emptyModule, "sm_90a", cubin)).code, GIRIH_UNSUPPORTED);
  ::setenv("CUDA_HOME", (folder + "/cuda").str().c_str(), 1);
  ASSERT_FALSE(llvm::sys::fs::create_directory(folder + "/cuda"));
  addPtxas("cuda/bin", makesElf);
  EXPECT_EQ(statusOf(assemblePtx(emptyModule, "sm_90a", cubin)).code, GIRIH_OK);
}

// Nobody gets to know how it ended; what it made says so.
TEST_F(PtxasSearch, WorksWhereChildrenAreForgotten) {
  auto handler = ::signal(SIGCHLD, SIG_IGN);
  ::setenv("GIRIH_PTXAS", (addPtxas("good", makesElf) + "/ptxas").c_str(), 1);
  EXPECT_EQ(statusOf(assemblePtx(emptyModule, "sm_90a", cubin)).code, GIRIH_OK);
  ::setenv("GIRIH_PTXAS", (addPtxas("bad", "echo not this; exit 255") + "/ptxas").c_str(), 1);
  GirihStatus status = statusOf(assemblePtx(emptyModule, "sm_90a", cubin));
  ::signal(SIGCHLD, handler);
  EXPECT_EQ(status.code, GIRIH_INTERNAL);
  EXPECT_NE(std::string(status.message).find("not this"), std::string::npos) << status.message;
}

TEST_F(PtxasSearch, AnOldOneThatIsNamedIsInvalid) {
  ::setenv("GIRIH_PTXAS", (addOld("old", unsupportedVersion) + "/ptxas").c_str(), 1);
  GirihStatus status = statusOf(assemblePtx(emptyModule, "sm_90a", cubin));
  EXPECT_EQ(status.code, GIRIH_INVALID) << status.message;
  EXPECT_NE(std::string(status.message).find("name ptxas of CUDA 12.0 or later"), std::string::npos)
      << status.message;
}

// One process has one alarm, and it is the program's that we are a library of.
TEST_F(PtxasSearch, LeavesTheAlarmAlone) {
  ::setenv("GIRIH_PTXAS", (addPtxas("new", makesElf) + "/ptxas").c_str(), 1);
  struct sigaction handler{};
  ASSERT_EQ(::sigaction(SIGALRM, nullptr, &handler), 0);
  ::alarm(1000);
  EXPECT_EQ(statusOf(assemblePtx(emptyModule, "sm_90a", cubin)).code, GIRIH_OK);
  EXPECT_GT(::alarm(0), 900u);
  struct sigaction after{};
  ASSERT_EQ(::sigaction(SIGALRM, nullptr, &after), 0);
  EXPECT_EQ(after.sa_handler, handler.sa_handler);
}
