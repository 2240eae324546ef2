//===- girih-run.cpp - Compile a pattern, launch it, check and time it ----===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The command-line contract of the pattern language: exit codes 0 good, 1 wrong
// numbers, 2 bad arguments or pattern, 3 unsupported, 4 no such device.
//
//===----------------------------------------------------------------------===//

#include "Bench.h"
#include "Check.h"
#include "Cuda.h"
#include "Inputs.h"
#include "Layout.h"
#include "Report.h"

#include "girih/Analysis/Reachability.h"
#include "girih/Support/Error.h"

#include "llvm/Support/raw_ostream.h"

#include <fmt/format.h>

#include <cmath>

using namespace girih;

static const char usage[] =
    "usage: girih-run --pattern EXPR | --spec FILE[:NAME] --q-len N --dim D [flags]\n\n"
    "Compiles an attention pattern, runs it on real or drawn tensors, and reports.\n\n";

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

/// Derives the map and counts it.
static llvm::Error measureMap(CompiledKernel &kernel, const Request &r,
                              llvm::ArrayRef<GirihOperand> operands, RunReport &report) {
  const GirihKernelDesc &desc = kernel.desc();
  GirihMapParams params = mapParams(r.batch, r.heads, r.numQ, r.numK, r.align, operands, desc);
  auto map = kernel.blockMap(params, &report.mapMs);
  if (!map)
    return map.takeError();
  GirihStatus status{};
  if (girihBlockMapStats(map->get(), desc.map, &params, &report.stats, &status) != GIRIH_OK)
    return statusError(status);
  report.tileQ = desc.tile_q;
  report.tileK = desc.tile_k;
  report.picture = sampleTiles({map->get(), desc.map, &params}, 0, 0, 24);
  return llvm::Error::success();
}

/// Compiles for this processor, launches and times.
static llvm::Error runCpu(Session &session, const Request &r, Tensors &tensors, float scale,
                          const Options &options, RunReport &report) {
  auto kernel = session.compile(r.pattern, r.compileOptions(), &report.cacheHit);
  if (!kernel)
    return kernel.takeError();
  report.compileMs = (*kernel)->compileMs();
  std::vector<GirihOperand> operands = patternOperands(r.pattern);
  if (llvm::Error error = measureMap(**kernel, r, operands, report))
    return error;

  int threads = static_cast<int>(options.threads.value_or(0));
  report.threads = threads ? threads : girihCpuThreads();
  auto launch = [&] {
    return (*kernel)->launch(tensors.q.view(), tensors.k.view(), tensors.v.view(),
                             tensors.out.view(), tensors.lse.data(), scale, operands, threads);
  };
  llvm::Expected<BenchResult> bench = timeLaunches(launch, report.threads, options.bench);
  if (!bench)
    return bench.takeError();
  report.timeMs = bench->medianMs;
  report.peakGflops = bench->peakGflops;
  report.launches = bench->launches;
  return llvm::Error::success();
}

static llvm::Error writeOutputs(const Options &options, const Request &r, const Tensors &tensors) {
  if (options.outFile)
    if (llvm::Error error =
            writeNpy(*options.outFile, {r.batch, r.heads, r.numQ, r.vDim}, tensors.out.values()))
      return error;
  if (options.lseFile)
    return writeNpy(*options.lseFile, {r.batch, r.heads, r.numQ}, tensors.lse);
  return llvm::Error::success();
}

/// Everything between the flags and the exit code, 0 or 1.
static llvm::Expected<int> run(Options &options) {
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
  auto session = Session::create({request->cacheDir});
  if (!session)
    return session.takeError();
  if (options.emit) {
    if (llvm::Error error = emitStage(**session, *request, *options.emit))
      return std::move(error);
    return 0;
  }

  llvm::Expected<Tensors> tensors = makeTensors(*request, std::move(files), options.seed);
  if (!tensors)
    return tensors.takeError();
  RunReport report;
  llvm::Error ran = request->cuda ? runCuda(**session, *request, *tensors, scale, options.bench,
                                            options.layout, report)
                                  : runCpu(**session, *request, *tensors, scale, options, report);
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

int main(int argc, char **argv) {
  Options options;
  Flags flags;
  addOptions(flags, options);
  if (llvm::Error error = flags.parse(llvm::ArrayRef<const char *>(argv, argc).drop_front()))
    return reportError("girih-run", std::move(error));
  if (flags.helpWanted()) {
    llvm::outs() << usage << flags.describe();
    return 0;
  }
  llvm::Expected<int> code = run(options);
  if (!code)
    return reportError("girih-run", code.takeError());
  if (*code == GIRIH_MISMATCH)
    llvm::errs() << "girih-run: error: the result differs from the reference\n";
  return *code;
}
