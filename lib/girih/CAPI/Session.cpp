//===- Session.cpp - Sessions, and what the library is --------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/CAPI/CudaDevices.h"
#include "girih/CAPI/Objects.h"
#include "girih/CAPI/Version.h"
#include "girih/JIT/Threads.h"

#include "llvm/Config/llvm-config.h"

#include <pthread.h>

#include <atomic>
#include <cstdlib>

using namespace girih;
using namespace girih::capi;

//===----------------------------------------------------------------------===//
// The library
//===----------------------------------------------------------------------===//

const GirihLibraryInfo *girihLibraryInfo(void) {
  static const GirihLibraryInfo info = {
      GIRIH_MAGIC,    GIRIH_ABI_VERSION,  GIRIH_COMPILER_API_VERSION, sizeof(GirihLibraryInfo),
      libraryVersion, LLVM_VERSION_STRING};
  return &info;
}

void girihTextFree(char *text) { std::free(text); }

// A count costs a load where getpid() costs a system call.
static std::atomic<uint64_t> numForks{0};

uint64_t capi::forkCount() { return numForks.load(std::memory_order_relaxed); }

static void watchForks() {
  static const int watching =
      pthread_atfork(nullptr, nullptr, [] { numForks.fetch_add(1, std::memory_order_relaxed); });
  if (watching != 0)
    throw std::bad_alloc(); // the only reason that there is
}

//===----------------------------------------------------------------------===//
// Sessions
//===----------------------------------------------------------------------===//

SessionState::SessionState(std::unique_ptr<Session> session, int32_t threads)
    : session(std::move(session)), threads(threads), devices(std::make_unique<CudaDevices>()) {}
SessionState::~SessionState() = default;

static llvm::Expected<SessionOptions> readOptions(const GirihSessionOptions *given) {
  SessionOptions options;
  if (!given)
    return options;
  GirihSessionOptions read{};
  if (llvm::Error error = readStruct("options", given, read))
    return std::move(error);
  if (read.reserved != 0)
    return invalidError("expected reserved of options to be 0, but got " +
                        std::to_string(read.reserved));
  if (read.cache_dir)
    options.cacheDir = read.cache_dir;
  if (read.cache_bytes >= 0)
    options.cacheBytes = static_cast<uint64_t>(read.cache_bytes);
  return options;
}

int girihSessionCreate(const GirihSessionOptions *options, GirihSession **session,
                       GirihStatus *status) {
  return guarded(status, [&]() -> llvm::Error {
    if (!session)
      return nullError("room for a session");
    watchForks();
    auto read = readOptions(options);
    if (!read)
      return read.takeError();
    auto threads = threadsOfEnvironment();
    if (!threads)
      return threads.takeError();
    auto made = Session::create(*read);
    if (!made)
      return made.takeError();
    *session = new GirihSession{{}, std::make_shared<SessionState>(std::move(*made), *threads)};
    return llvm::Error::success();
  });
}

void girihSessionRelease(GirihSession *session) { release(session); }

int64_t girihSessionCompilations(const GirihSession *session) {
  return session && !session->isInherited() ? session->state->session->compilations() : 0;
}

char *girihSessionCacheProblem(const GirihSession *session) {
  if (!session || session->isInherited())
    return nullptr;
  char *text = nullptr;
  guarded(nullptr, [&] {
    std::string problem = session->state->session->cacheProblem();
    if (!problem.empty())
      text = copyText(problem);
    return llvm::Error::success();
  });
  return text;
}
