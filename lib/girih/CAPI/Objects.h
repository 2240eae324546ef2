//===- Objects.h - What the opaque handles are ------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Patterns, scores and kernels share the state of their session, so that handles may
// be released in any order. Each object remembers in which process it was made: locks
// and threads of a parent do not work in the child of a fork.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_CAPI_OBJECTS_H
#define GIRIH_CAPI_OBJECTS_H

#include "girih-c/Compiler.h"
#include "girih/CAPI/Status.h"
#include "girih/JIT/Problem.h"
#include "girih/JIT/Session.h"

namespace girih::capi {

class CudaDevices;

/// Forks between the first session of the library and now.
uint64_t forkCount();

/// An object of this process.
struct Object {
  uint64_t born = forkCount();
  bool isInherited() const { return born != forkCount(); }
};

/// What handles of one session share.
struct SessionState {
  SessionState(std::unique_ptr<Session> session, int32_t threads);
  ~SessionState();

  std::unique_ptr<Session> session;
  int32_t threads; ///< of launches that name no number; 0: every core
  std::unique_ptr<CudaDevices> devices;
};
using SessionRef = std::shared_ptr<SessionState>;

} // namespace girih::capi

struct GirihSession : girih::capi::Object {
  girih::capi::SessionRef state;
};

struct GirihPattern : girih::capi::Object {
  girih::capi::SessionRef session;
  girih::Pattern pattern;
};

struct GirihScore : girih::capi::Object {
  girih::capi::SessionRef session;
  girih::Score score;
};

namespace girih::capi {

/// Whether a handle, called `what` ("a session"), can be used here.
template <typename Handle> llvm::Error checkHandle(const Handle *handle, const char *what) {
  if (!handle)
    return nullError(what);
  if (handle->isInherited())
    return invalidError(std::string("expected ") + what +
                        " of this process, but got one that was made before fork(); the child "
                        "has to make a session of its own");
  return llvm::Error::success();
}

/// Whether `handle`, called `what`, is usable and was made in that session.
template <typename Handle>
llvm::Error checkMember(const Handle *handle, const char *what, const SessionRef &session) {
  if (llvm::Error error = checkHandle(handle, what))
    return error;
  if (handle->session != session)
    return invalidError(std::string("expected ") + what +
                        " of the same session, but got one of another");
  return llvm::Error::success();
}

/// Frees a handle. In the child of a fork it stays as it is: taking it apart would wait
/// for locks and threads that only the parent has.
template <typename Handle> void release(Handle *handle) {
  if (handle && !handle->isInherited())
    delete handle;
}

/// The pattern at these lengths; sizes are not checked (checkProblem).
llvm::Expected<Problem> readProblem(const Pattern &pattern, const GirihLengths *lengths);

} // namespace girih::capi

#endif // GIRIH_CAPI_OBJECTS_H
