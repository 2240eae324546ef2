//===- CapiCases.h - The C API of the compiler on GPUs ----------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TEST_GPU_API_CAPICASES_H
#define GIRIH_TEST_GPU_API_CAPICASES_H

#include "GraphDriver.h"
#include "Outcomes.h"

namespace girih::gputest {

/// Launches DLPack tensors through girihAttention: numbers against the CPU's, streams that
/// overlap, graphs, streams and tensors of other devices.
void checkCapi(const GraphDriver &driver, Outcomes &outcomes);

} // namespace girih::gputest

#endif // GIRIH_TEST_GPU_API_CAPICASES_H
