//===- girih-run.cpp - Compile a pattern, launch it, check and time it ----===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The command-line contract of the pattern language: exit codes 0 good, 1 wrong
// numbers, 2 bad arguments or pattern, 3 unsupported, 4 no such device.
//
//===----------------------------------------------------------------------===//

#include "Check.h"
#include "Inputs.h"
#include "Report.h"

#include "common/Cpu.h"
#include "common/Cuda.h"
#include "common/Layout.h"
#include "common/ToolMain.h"

#include "girih/Support/Error.h"
#include "girih/Support/Npy.h"
#include "girih/Support/OutputFile.h"

#include "llvm/Support/raw_ostream.h"

#include <fmt/format.h>

#include <cmath>

using namespace girih;

static const char usage[] =
    "usage: girih-run --pattern EXPR | --spec FILE[:NAME] --q-len N --dim D [flags]\n\n"
    "Compiles an attention pattern, runs it on real or drawn tensors, and reports.\n\n";

/// What `--bench` times.
static constexpr TimingBudget benchBudget{/*ms=*/1000, /*least=*/5};

/// `--emit`: prints the IR and launches nothing.
static llvm::Error emitStage(Session &session, const Request &request, llvm::StringRef stage) {
  static constexpr llvm::StringLiteral stages[] = {"girih", "blocks", "tile", "cpu",
                                                   "ws",    "llvm",   "ptx",  "asm"};
  if (!llvm::is_contained(stages, stage))
    return invalidError(
        "--emit: expected girih, blocks, tile, cpu, ws, llvm, ptx or asm, but got '" + stage.str() +
        "'");
  CompileOptions compileOptions = request.compileOptions();
  if (request.cuda) {
    llvm::Expected<std::string> chip = chipFor(request);
    if (!chip)
      return chip.takeError();
    compileOptions.chip = *chip;
  }
  llvm::Expected<std::string> text =
      session.emit(request.pattern, compileOptions, stage, request.cuda);
  if (!text)
    return text.takeError();
  llvm::outs() << *text;
  return llvm::Error::success();
}

static llvm::Error writeOutputs(const Options &options, const Request &r, const Tensors &tensors) {
  if (options.outFile)
    if (llvm::Error error = writeNpy(*options.outFile, {r.batch, r.heads, r.numQ, r.vDim},
                                     tensors.out.values(), "--out"))
      return error;
  if (options.lseFile)
    return writeNpy(*options.lseFile, {r.batch, r.heads, r.numQ}, tensors.lse, "--lse");
  return llvm::Error::success();
}

/// Everything between the flags and the exit code, 0 or 1.
static llvm::Expected<int> run(Options &options) {
  if (options.outFile && options.lseFile && areSameOutput(*options.outFile, *options.lseFile))
    return invalidError("expected --out and --lse to be different files, but got '" +
                        *options.outFile + "' and '" + *options.lseFile + "'");
  InputFiles files;
  if (llvm::Error error = files.read(options))
    return std::move(error);
  llvm::Expected<Request> request = makeRequest(options.request, /*lengths=*/!options.emit);
  if (!request)
    return request.takeError();
  if (options.layout != contiguousLayout && !request->cuda)
    return invalidError("expected --target cuda with --layout " + options.layout +
                        ", but got --target cpu");
  float scale =
      static_cast<float>(options.scale.value_or(1 / std::sqrt(static_cast<double>(request->dim))));
  if (!std::isfinite(scale))
    return invalidError("--scale: expected a number that f32 can hold, but got " +
                        fmt::format("{:g}", *options.scale));
  llvm::Expected<int> threads = launchThreads(options.threads);
  if (!threads)
    return threads.takeError();
  auto session = Session::create({request->cacheDir});
  if (!session)
    return session.takeError();
  if (options.emit) {
    if (llvm::Error error = emitStage(**session, *request, *options.emit))
      return std::move(error);
    return 0;
  }

  llvm::Expected<Tensors> tensors = makeTensors(*request, std::move(files.data), options.seed);
  if (!tensors)
    return tensors.takeError();
  RunReport report;
  llvm::Error ran = request->cuda ? runCuda(**session, *request, *tensors, scale, options.bench,
                                            options.layout, report)
                                  : runCpu(**session, *request, *tensors, scale, *threads,
                                           options.bench ? benchBudget : TimingBudget(), report);
  warnAboutCache("girih-run", **session);
  if (ran)
    return std::move(ran);

  if (llvm::Error error = writeOutputs(options, *request, *tensors))
    return std::move(error);
  if (options.check)
    report.check =
        checkOutputs(*request, *tensors, scale, report.stats, report.tileQ, options.seed);
  llvm::outs() << (options.request.json ? jsonReport(*request, report)
                                        : textReport(*request, report));
  return report.check && !report.check->comparison.good ? GIRIH_MISMATCH : GIRIH_OK;
}

static llvm::Expected<int> runTool(llvm::ArrayRef<const char *> arguments) {
  Options options;
  Flags flags;
  addOptions(flags, options);
  if (llvm::Error error = flags.parse(arguments))
    return std::move(error);
  if (flags.helpWanted()) {
    llvm::outs() << usage << flags.describe();
    return 0;
  }
  llvm::Expected<int> code = run(options);
  if (code && *code == GIRIH_MISMATCH)
    llvm::errs() << "girih-run: error: the result differs from the reference\n";
  return code;
}

int main(int argc, char **argv) {
  return toolMain("girih-run", [&] { return runTool({argv + 1, argv + argc}); });
}
