//===- Kernel.cpp - Loading compiled kernels on a device ------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Cubins are loaded, PTX is compiled by the driver. What would make every launch
// fail fails here.
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"

#include "../Error.h"
#include "../LaunchChecks.h"

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <memory>

using namespace girih;
using namespace girih::cuda;

/// Rows of a box that the tensor-map encoder takes.
static constexpr int32_t kMaxBoxRows = 256;
/// Bytes of a box row under the 128-byte swizzle.
static constexpr int32_t kBoxRowBytes = 128;
/// What compute capabilities 8.0 and 9.0 keep resident.
static constexpr int32_t kMaxBlocksPerMultiprocessor = 32;

/// What one instruction stores at most.
static constexpr int32_t kMaxStoreBytes = 16;

/// Whether the encoder takes the boxes of the tensor maps.
static int checkBoxes(const GirihCudaKernelDesc &desc, GirihStatus *status) {
  const struct {
    const char *name;
    int32_t rows;
  } boxes[] = {{"box_q", desc.box_q}, {"box_k", desc.box_k}};
  for (const auto &box : boxes)
    if (box.rows <= 0 || box.rows > kMaxBoxRows)
      return fail(status, GIRIH_INVALID,
                  "expected %s of the kernel to be between 1 and %d, but got %d", box.name,
                  kMaxBoxRows, box.rows);
  if (desc.box_cols != kBoxRowBytes / 2)
    return fail(status, GIRIH_INVALID, "expected box_cols of the kernel to be %d, but got %d",
                kBoxRowBytes / 2, desc.box_cols);
  return GIRIH_OK;
}

int cuda::checkCudaKernel(const GirihCudaKernelDesc *desc, GirihStatus *status) {
  if (int code = checkKernel(desc ? &desc->base : nullptr, status))
    return code;
  if (desc->base.dtype != GIRIH_BF16 && desc->base.dtype != GIRIH_F16)
    return fail(status, GIRIH_UNSUPPORTED,
                "expected the dtype of a CUDA kernel to be bf16 or f16, but got %s",
                dtypeName(desc->base.dtype));
  if (!desc->function)
    return fail(status, GIRIH_INVALID,
                "expected the kernel's function to have a name, but got null");
  if (desc->threads <= 0 || desc->threads > 1024 || desc->threads % 32 != 0)
    return fail(status, GIRIH_INVALID,
                "expected threads of the kernel to be a multiple of 32 up to 1024, but got %d",
                desc->threads);
  if (desc->shared_bytes < 0)
    return fail(status, GIRIH_INVALID,
                "expected shared_bytes of the kernel not to be negative, but got %d",
                desc->shared_bytes);
  if (desc->uses_tensor_maps != 0)
    if (int code = checkBoxes(*desc, status))
      return code;
  if (desc->blocks_per_multiprocessor <= 0 ||
      desc->blocks_per_multiprocessor > kMaxBlocksPerMultiprocessor)
    return fail(status, GIRIH_INVALID,
                "expected blocks_per_multiprocessor of the kernel to be between 1 and %d, but got "
                "%d",
                kMaxBlocksPerMultiprocessor, desc->blocks_per_multiprocessor);
  const int32_t element = desc->base.o_dtype == GIRIH_F32 ? 4 : 2, stores = desc->store_bytes;
  if (stores < element || stores > kMaxStoreBytes || (stores & (stores - 1)) != 0)
    return fail(status, GIRIH_INVALID,
                "expected store_bytes of the kernel to be a power of two from %d to %d, but got %d",
                element, kMaxStoreBytes, stores);
  if (desc->merge_function && desc->base.tile_q % kMergeRows != 0)
    return fail(status, GIRIH_INVALID,
                "expected tile_q of a kernel with a merge function to be a multiple of %d, but got "
                "%d",
                kMergeRows, desc->base.tile_q);
  return GIRIH_OK;
}

/// Drops the end of `log` that is only space, and puts it on one line.
static void tidyLog(char *log) {
  size_t length = strlen(log);
  while (length > 0 && strchr(" \r\n\t", log[length - 1]))
    --length;
  log[length] = '\0';
  for (char *c = log; *c; ++c)
    if (*c == '\n' || *c == '\r')
      *c = ' ';
}

static bool isBinary(const void *image, int64_t bytes) {
  // An ELF file, or the fat binary that holds some.
  return bytes >= 4 && (memcmp(image,
                               "\x7f"
                               "ELF",
                               4) == 0 ||
                        memcmp(image, "\x50\xed\x55\xba", 4) == 0);
}

static int loadModule(GirihCudaKernel &kernel, const void *image, int64_t bytes,
                      GirihStatus *status) {
  const Driver &driver = kernel.device->driver;
  // Text that the caller did not end is ended here; the driver reads until NUL.
  std::string text;
  bool binary = isBinary(image, bytes);
  if (!binary) {
    text.assign(static_cast<const char *>(image), static_cast<size_t>(bytes));
    image = text.c_str();
  }
  char errors[4096] = "", notes[4096] = "";
  int options[] = {kJitErrorLogBuffer, kJitErrorLogBufferSizeBytes, kJitInfoLogBuffer,
                   kJitInfoLogBufferSizeBytes};
  void *values[] = {errors, nullptr, notes, nullptr};
  // The driver takes sizes in place of pointers.
  static_assert(sizeof(errors) == sizeof(notes));
  constexpr size_t logBytes = sizeof(errors);
  memcpy(static_cast<void *>(&values[1]), &logBytes, sizeof(logBytes));
  memcpy(static_cast<void *>(&values[3]), &logBytes, sizeof(logBytes));
  Result result = driver.cuModuleLoadDataEx(&kernel.module, image, 4, options, values);
  if (result == 0)
    return GIRIH_OK;
  tidyLog(errors);
  tidyLog(notes);
  const char *log = errors[0] ? errors : notes;
  const GirihCudaDevice &device = *kernel.device;
  // The log may be long: it comes last, so that it is what gets cut.
  GirihStatus reason{};
  int code = failCall(driver, result, &reason,
                      "could not load kernel '%s' (%s) on device %d (%s, compute capability %d.%d)",
                      kernel.name.c_str(), binary ? "cubin" : "PTX", device.ordinal, device.name,
                      device.major, device.minor);
  return fail(status, code, "%s%s%s", reason.message, log[0] ? ": " : "", log);
}

/// Finds a function of the image, and loads its code.
static int findFunction(const GirihCudaKernel &kernel, const char *symbol, Function &function,
                        GirihStatus *status) {
  const Driver &driver = kernel.device->driver;
  const char *name = kernel.name.c_str();
  Result result = driver.cuModuleGetFunction(&function, kernel.module, symbol);
  if (result == kErrorNotFound)
    return fail(status, GIRIH_INVALID, "expected the image of kernel '%s' to have function '%s'",
                name, symbol);
  if (result != 0)
    return failCall(driver, result, status, "could not get function '%s' of kernel '%s'", symbol,
                    name);
  // Drivers load code at the first launch, which a graph capture must not meet.
  if (driver.cuFuncLoad)
    if ((result = driver.cuFuncLoad(function)))
      return failCall(driver, result, status, "could not load function '%s' of kernel '%s'", symbol,
                      name);
  return GIRIH_OK;
}

/// Checks that a block of the kernel fits the device, and gives it its memory.
static int prepareFunction(const GirihCudaKernel &kernel, GirihStatus *status) {
  const GirihCudaDevice &device = *kernel.device;
  const Driver &driver = device.driver;
  const char *name = kernel.name.c_str();
  int maxThreads = 0, staticBytes = 0;
  Result result =
      driver.cuFuncGetAttribute(&maxThreads, kFunctionMaxThreadsPerBlock, kernel.function);
  if (result == 0)
    result = driver.cuFuncGetAttribute(&staticBytes, kFunctionSharedSizeBytes, kernel.function);
  if (result != 0)
    return failCall(driver, result, status, "could not read the limits of kernel '%s'", name);
  if (kernel.desc.threads > maxThreads)
    return fail(status, GIRIH_INVALID,
                "expected threads of kernel '%s' to be at most %d (what it was compiled for), but "
                "got %d",
                name, maxThreads, kernel.desc.threads);
  if (int64_t{kernel.desc.shared_bytes} + staticBytes > device.sharedBytes)
    return fail(status, GIRIH_UNSUPPORTED,
                "expected kernel '%s' to need at most %d bytes of shared memory (device %d, %s), "
                "but got %" PRId64,
                name, device.sharedBytes, device.ordinal, device.name,
                int64_t{kernel.desc.shared_bytes} + staticBytes);
  result = driver.cuFuncSetAttribute(kernel.function, kFunctionMaxDynamicSharedSizeBytes,
                                     kernel.desc.shared_bytes);
  if (result != 0)
    return failCall(driver, result, status, "could not give kernel '%s' %d bytes of shared memory",
                    name, kernel.desc.shared_bytes);
  return GIRIH_OK;
}

static int loadKernel(GirihCudaDevice *device, const GirihCudaKernelDesc &desc, const void *image,
                      int64_t bytes, GirihCudaKernel **loaded, GirihStatus *status) {
  auto kernel = std::make_unique<GirihCudaKernel>(GirihCudaKernel{device, desc, {}});
  kernel->name = desc.base.name ? desc.base.name : desc.function;
  Current current(*device);
  if (int code = current.enter(status))
    return code;
  if (int code = loadModule(*kernel, image, bytes, status))
    return code;
  int code = findFunction(*kernel, desc.function, kernel->function, status);
  if (code == GIRIH_OK)
    code = prepareFunction(*kernel, status);
  if (code == GIRIH_OK && desc.merge_function)
    code = findFunction(*kernel, desc.merge_function, kernel->merge, status);
  if (code == GIRIH_OK && desc.copy_function)
    code = findFunction(*kernel, desc.copy_function, kernel->copy, status);
  if (code != GIRIH_OK) {
    device->driver.cuModuleUnload(kernel->module);
    return code;
  }
  *loaded = kernel.release();
  return succeed(status);
}

int girihCudaLoad(GirihCudaDevice *device, const GirihCudaKernelDesc *desc, const void *image,
                  int64_t image_bytes, GirihCudaKernel **kernel, GirihStatus *status) {
  *kernel = nullptr;
  if (int code = checkHandle(device, "a device", status))
    return code;
  if (int code = checkCudaKernel(desc, status))
    return code;
  if (!image || image_bytes <= 0)
    return fail(status, GIRIH_INVALID, "expected an image of the kernel, but got %" PRId64 " bytes",
                image ? image_bytes : int64_t{0});
  return guarded(status, [&] {
    RelaxedCapture relaxed(device->driver);
    return loadKernel(device, *desc, image, image_bytes, kernel, status);
  });
}

/// The whole of a file.
static int readImage(const char *path, std::string &image, GirihStatus *status) {
  std::unique_ptr<FILE, int (*)(FILE *)> file(fopen(path, "rb"), fclose);
  if (!file)
    return fail(status, GIRIH_INVALID, "%s: cannot be read: %s", path, strerror(errno));
  char part[1 << 16];
  size_t bytes;
  while ((bytes = fread(part, 1, sizeof(part), file.get())) > 0)
    image.append(part, bytes);
  if (ferror(file.get()))
    return fail(status, GIRIH_INVALID, "%s: cannot be read: %s", path, strerror(errno));
  if (image.empty())
    return fail(status, GIRIH_INVALID, "%s: expected a cubin or PTX, but got an empty file", path);
  return GIRIH_OK;
}

int girihCudaLoadFile(GirihCudaDevice *device, const GirihCudaKernelDesc *desc, const char *path,
                      GirihCudaKernel **kernel, GirihStatus *status) {
  *kernel = nullptr;
  if (!path)
    return fail(status, GIRIH_INVALID, "expected the path of an image, but got null");
  return guarded(status, [&] {
    std::string image;
    if (int code = readImage(path, image, status))
      return code;
    return girihCudaLoad(device, desc, image.data(), static_cast<int64_t>(image.size()), kernel,
                         status);
  });
}

void girihCudaUnload(GirihCudaKernel *kernel) {
  if (!kernel)
    return;
  Current current(*kernel->device);
  if (current.enter(nullptr) == GIRIH_OK)
    kernel->device->driver.cuModuleUnload(kernel->module);
  delete kernel;
}
