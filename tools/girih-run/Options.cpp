//===- Options.cpp - The flags of girih-run -------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"

#include "common/Cpu.h"
#include "common/Layout.h"

using namespace girih;

void girih::addOptions(Flags &flags, Options &o) {
  addRequestFlags(flags, o.request);
  addCacheFlags(flags, o.request);
  addThreadsFlag(flags, o.threads);
  flags.number("scale", o.scale, "S", "multiplies q.k (default: 1 / sqrt(D))");
  flags.unsignedInteger("seed", o.seed, "X", "seed of drawn inputs (default: 0)");
  flags.text("q", o.qFile, "F.npy", "queries [B, H, N, D]");
  flags.text("k", o.kFile, "F.npy", "keys [B, G, M, D]");
  flags.text("v", o.vFile, "F.npy", "values [B, G, M, E]");
  flags.text("out", o.outFile, "F.npy", "write the output [B, H, N, E], f32");
  flags.text("lse", o.lseFile, "F.npy", "write the log-sum-exp [B, H, N], f32");
  flags.choice("layout", o.layout, {contiguousLayout, "bnhd", "bhdn"},
               "how tensors lie on a GPU, outermost dimension first");
  flags.flag("check", o.check, "compare with the f64 reference; exit 1 on a miss");
  flags.flag("bench", o.bench, "time: median of launches after a warm-up");
  flags.text("emit", o.emit, "STAGE",
             "print the IR: girih, blocks, tile, cpu, ws, llvm, ptx or asm");
}
