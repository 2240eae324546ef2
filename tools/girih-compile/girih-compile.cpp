//===- girih-compile.cpp - Compile a pattern ahead of time ----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes a kernel that the runtime alone loads and launches, for any lengths: its code, a
// C header and a manifest. Exit codes: 0 good, 2 bad arguments or pattern, 3 unsupported.
//
//===----------------------------------------------------------------------===//

#include "Options.h"

#include "common/ToolMain.h"

#include "girih/Support/Error.h"
#include "girih/Support/OutputFile.h"

#include "llvm/Support/raw_ostream.h"

#include <fmt/format.h>

using namespace girih;

static const char usage[] =
    "usage: girih-compile --pattern EXPR | --spec FILE[:NAME] --dim D -o FILE [flags]\n\n"
    "Compiles an attention pattern to a file that programs load without a compiler, for\n"
    "any batch, heads and lengths.\n\n";

static llvm::Error run(const Options &options) {
  llvm::Expected<Output> output = makeOutput(options);
  if (!output)
    return output.takeError();
  llvm::Expected<Request> request = makeRequest(options.request, /*lengths=*/false);
  if (!request)
    return request.takeError();
  llvm::Expected<Artifact> artifact =
      compileArtifact(request->pattern, request->compileOptions(), output->format, output->names);
  if (!artifact)
    return artifact.takeError();
  // The manifest is last: where it is, the others are.
  const FileContents files[] = {{output->codePath, artifact->code},
                                {output->headerPath, artifact->header},
                                {output->manifestPath, artifact->manifest}};
  if (llvm::Error error = writeFiles(files))
    return error;
  if (options.request.json) {
    llvm::outs() << artifact->manifest;
    return llvm::Error::success();
  }
  for (const FileContents &file : files)
    llvm::outs() << fmt::format("{}: {} bytes\n", file.path.str(), file.contents.size());
  return llvm::Error::success();
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
  if (llvm::Error error = run(options))
    return std::move(error);
  return 0;
}

int main(int argc, char **argv) {
  return toolMain("girih-compile", [&] { return runTool({argv + 1, argv + argc}); });
}
