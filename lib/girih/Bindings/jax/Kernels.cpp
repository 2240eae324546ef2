//===- Kernels.cpp - The kernels that XLA programs name -------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"

#include <functional>
#include <map>
#include <mutex>
#include <new>
#include <shared_mutex>
#include <string>

using namespace girih::xla;

namespace {

struct Kernels {
  std::shared_mutex mutex;
  std::map<std::string, NamedKernel, std::less<>> byName;
};

} // namespace

/// Never destroyed: programs may still run while the process ends.
static Kernels &kernels() {
  static auto *all = new Kernels;
  return *all;
}

bool girih::xla::keepKernel(std::string_view name, NamedKernel kernel) noexcept {
  try {
    std::unique_lock lock(kernels().mutex);
    kernels().byName.insert_or_assign(std::string(name), kernel);
    return true;
  } catch (const std::bad_alloc &) {
    return false;
  }
}

NamedKernel girih::xla::findKernel(std::string_view name) noexcept {
  std::shared_lock lock(kernels().mutex);
  auto found = kernels().byName.find(name);
  return found == kernels().byName.end() ? NamedKernel() : found->second;
}
