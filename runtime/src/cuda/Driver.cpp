//===- Driver.cpp - The CUDA driver, loaded when it is first needed -------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dlopen, dlsym, and the driver's own words for what went wrong.
//
//===----------------------------------------------------------------------===//

#include "Driver.h"

#include "../Error.h"

#include <dlfcn.h>

#include <cstdarg>
#include <cstdio>

using namespace girih;
using namespace girih::cuda;

/// Installed with the driver, unlike libcuda.so, which comes with the toolkit.
static constexpr const char *kLibrary = "libcuda.so.1";

namespace {
struct Symbol {
  const char *name;
  void **address;
  bool required;
};
} // namespace

int cuda::loadDriver(const char *library, Driver &driver, GirihStatus *status) {
  // Never closed: the driver's own threads outlive any use of it.
  void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    const char *why = dlerror();
    return fail(status, GIRIH_NO_DEVICE, "expected an NVIDIA driver, but got none: %s",
                why ? why : library);
  }
  const Symbol symbols[] = {
#define GIRIH_CUDA_REQUIRED(name, exported, parameters)                                            \
  {exported, reinterpret_cast<void **>(&driver.name), true},
#define GIRIH_CUDA_OPTIONAL(name, exported, parameters)                                            \
  {exported, reinterpret_cast<void **>(&driver.name), false},
#include "DriverSymbols.def"
  };
  const char *missing = nullptr;
  for (const Symbol &symbol : symbols) {
    *symbol.address = dlsym(handle, symbol.name);
    if (!*symbol.address && symbol.required && !missing)
      missing = symbol.name;
  }
  if (missing)
    return fail(status, GIRIH_NO_DEVICE,
                "expected %s to be an NVIDIA driver for CUDA 12.0 or later, but it has no %s",
                library, missing);
  driver.cuDriverGetVersion(&driver.version);
  if (Result result = driver.cuInit(0)) {
    failCall(driver, result, status, "could not start the NVIDIA driver for CUDA %d.%d",
             driver.version / 1000, driver.version % 1000 / 10);
    // Whatever keeps the driver from starting, there is no device to use.
    if (status)
      status->code = GIRIH_NO_DEVICE;
    return GIRIH_NO_DEVICE;
  }
  return GIRIH_OK;
}

const Driver *cuda::sharedDriver(GirihStatus *status) {
  struct Shared {
    Shared() { code = loadDriver(kLibrary, driver, &status); }
    Driver driver;
    GirihStatus status{};
    int code;
  };
  static const Shared shared;
  if (shared.code == GIRIH_OK)
    return &shared.driver;
  fail(status, shared.code, "%s", shared.status.message);
  return nullptr;
}

static int codeOf(Result result) {
  switch (result) {
  case kErrorNoDevice:
  case kErrorInvalidDevice:
    return GIRIH_NO_DEVICE;
  case kErrorInvalidImage:
  case kErrorInvalidHandle:
    return GIRIH_INVALID;
  case kErrorNoBinaryForGpu:
  case kErrorInvalidPtx:
  case kErrorUnsupportedPtxVersion:
    return GIRIH_UNSUPPORTED;
  default:
    return GIRIH_INTERNAL;
  }
}

int cuda::failCall(const Driver &driver, Result result, GirihStatus *status, const char *format,
                   ...) {
  char what[sizeof(GirihStatus::message)];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(what, sizeof(what), format, arguments);
  va_end(arguments);
  // Both leave null for results that the driver does not know.
  const char *text = nullptr, *name = nullptr;
  driver.cuGetErrorString(result, &text);
  driver.cuGetErrorName(result, &name);
  return fail(status, codeOf(result), "%s: %s (%s, %d)", what, text ? text : "unknown error",
              name ? name : "unknown", result);
}
