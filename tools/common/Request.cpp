//===- Request.cpp - The pattern and lengths a tool is asked about --------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "common/Request.h"

#include "girih/Frontend/Parser.h"
#include "girih/Support/Error.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

#include <fmt/format.h>

using namespace girih;

void girih::addCacheFlag(Flags &flags, std::optional<std::string> &folder) {
  flags.text("cache-dir", folder, "D",
             "folder of the kernel cache, '' for none (default: ~/.cache/girih)",
             /*mayBeEmpty=*/true);
}

void girih::addCacheFlags(Flags &flags, RequestFlags &v) {
  addCacheFlag(flags, v.cacheDir);
  flags.flag("no-cache", v.noCache, "neither read nor write the kernel cache");
}

void girih::addKernelFlags(Flags &flags, RequestFlags &v, llvm::StringRef defaultChip) {
  flags.text("pattern", v.pattern, "EXPR", "pattern expression");
  flags.text("spec", v.spec, "FILE[:NAME]", "pattern NAME of a .girih file, or its only one");
  flags.text("score", v.score, "EXPR",
             "what becomes of a score before the softmax, such as '30 * tanh(score / 30)'");
  flags.integer("dim", v.dim, 1, "D", "head dim of queries and keys");
  flags.integer("v-dim", v.vDim, 1, "E", "head dim of values (default: D)");
  flags.choice("dtype", v.dtype, {"f32", "bf16", "f16"}, "element type of q, k and v");
  flags.choice("out-dtype", v.outDtype, {"auto", "f32", "same"},
               "element type of o, same being that of q; auto: f32 on cpu, same on cuda");
  flags.choice("target", v.target, {"cpu", "cuda"}, "where to run");
  flags.text("chip", v.chip, "NAME",
             ("what kernels for cuda are for: sm_80, sm_86, sm_89 or sm_90a (default: " +
              defaultChip + ")")
                 .str());
  flags.text("cpu", v.cpu, "NAME",
             "what kernels for cpu are for, as LLVM calls it: x86-64-v4, or "
             "sapphirerapids,-amx-bf16 (default: this processor)");
  flags.text("tile", v.tile, "QxK", "queries and keys of a tile (default: chosen)");
  flags.choice("align", v.align, {"bottom_right", "top_left"},
               "where queries stand among the keys when their numbers differ");
  flags.flag("json", v.json, "print one JSON object");
}

void girih::addRequestFlags(Flags &flags, RequestFlags &v) {
  addKernelFlags(flags, v, "the device");
  flags.integer("q-len", v.qLen, 1, "N", "queries");
  flags.integer("k-len", v.kLen, 1, "M", "keys (default: as many as queries)");
  flags.integer("batch", v.batch, 1, "B", "batch (default: 1)");
  flags.integer("heads", v.heads, 1, "H", "query heads (default: 1)");
  flags.integer("kv-heads", v.kvHeads, 1, "G", "key and value heads, a divisor of H (default: H)");
}

/// Messages of the parser that have a place have a line for themselves.
static llvm::Error parseError(const char *what, const std::string &message) {
  bool hasPlace = message.find(": error: ") != std::string::npos;
  return invalidError(hasPlace ? fmt::format("the {} does not parse\n{}", what, message) : message);
}

llvm::Expected<Pattern> girih::loadPattern(const RequestFlags &flags) {
  if (flags.pattern.has_value() == flags.spec.has_value())
    return invalidError(flags.pattern ? "expected one of --pattern and --spec, but got both"
                                      : "expected --pattern EXPR or --spec FILE[:NAME], but got "
                                        "neither");
  ParseResult result;
  if (flags.pattern) {
    result = parsePattern(*flags.pattern, "<pattern>");
  } else {
    // A file whose own name has a colon is taken as it stands.
    llvm::StringRef file = *flags.spec, name;
    if (!llvm::sys::fs::exists(file))
      std::tie(file, name) = file.rsplit(':');
    result = parseSpecFile(file.str(), {name.data(), name.size()});
  }
  if (!result)
    return parseError("pattern", result.error);
  return result.pattern;
}

llvm::Expected<Score> girih::loadScore(const RequestFlags &flags) {
  if (!flags.score)
    return Score();
  ScoreResult result = parseScore(*flags.score);
  if (!result)
    return parseError("score", result.error);
  return result.score;
}

llvm::Expected<Request> girih::makeRequest(const RequestFlags &flags, bool lengths) {
  llvm::Expected<Pattern> pattern = loadPattern(flags);
  if (!pattern)
    return pattern.takeError();
  llvm::Expected<Score> score = loadScore(flags);
  if (!score)
    return score.takeError();
  if (!flags.qLen && lengths)
    return invalidError("expected --q-len N, but got none");
  if (!flags.dim)
    return invalidError("expected --dim D, but got none");
  if (flags.noCache && flags.cacheDir)
    return invalidError("expected one of --cache-dir and --no-cache, but got both");
  Request r;
  r.pattern = *pattern;
  r.score = *score;
  r.numQ = flags.qLen.value_or(0);
  r.numK = flags.kLen.value_or(r.numQ);
  r.batch = flags.batch.value_or(1);
  r.heads = flags.heads.value_or(1);
  r.kvHeads = flags.kvHeads.value_or(r.heads);
  r.dim = *flags.dim;
  r.vDim = flags.vDim.value_or(r.dim);
  r.dtype = flags.dtype == "f32" ? GIRIH_F32 : flags.dtype == "bf16" ? GIRIH_BF16 : GIRIH_F16;
  if (flags.outDtype != "auto")
    r.oDtype = flags.outDtype == "same" ? r.dtype : GIRIH_F32;
  r.align = flags.align == "top_left" ? GIRIH_TOP_LEFT : GIRIH_BOTTOM_RIGHT;
  r.cacheDir = flags.noCache ? "" : flags.cacheDir;
  r.cuda = flags.target == "cuda";
  r.chip = flags.chip.value_or("");
  r.cpu = flags.cpu.value_or("");
  if (flags.cpu && r.cuda)
    return invalidError("expected --target cpu with --cpu, but got --target cuda");
  if (flags.chip && !r.cuda)
    return invalidError("expected --target cuda with --chip, but got --target " + flags.target);
  if (flags.tile) {
    auto [rows, keys] = llvm::StringRef(*flags.tile).split('x');
    if (rows.getAsInteger(10, r.tileQ) || keys.getAsInteger(10, r.tileK) || r.tileQ < 1 ||
        r.tileK < 1)
      return invalidError("expected --tile QxK, such as 128x64, but got '" + *flags.tile + "'");
  }
  if (llvm::Error error = flags.qLen ? checkProblem(r, "--") : checkSizes(r, "--"))
    return std::move(error);
  return r;
}

void girih::warnAboutCache(llvm::StringRef tool, const Session &session) {
  if (std::string problem = session.cacheProblem(); !problem.empty())
    llvm::errs() << tool << ": warning: " << problem << '\n';
}
