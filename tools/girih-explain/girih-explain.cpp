//===- girih-explain.cpp - What a pattern keeps, skips and costs ----------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "common/Cuda.h"
#include "common/Request.h"
#include "common/ToolMain.h"

#include "girih/Explain/Explain.h"
#include "girih/Support/Error.h"
#include "girih/Support/OutputFile.h"

#include "llvm/Support/raw_ostream.h"

using namespace girih;

static const char usage[] =
    "usage: girih-explain --pattern EXPR | --spec FILE[:NAME] --q-len N --dim D [flags]\n\n"
    "Reports which tiles a pattern visits and what that costs. Runs no attention.\n\n";

static llvm::Error run(const RequestFlags &flags, ExplainOptions options,
                       const std::optional<std::string> &svg) {
  llvm::Expected<Request> request = makeRequest(flags);
  if (!request)
    return request.takeError();
  if (request->cuda) {
    llvm::Expected<std::string> chip = chipFor(*request);
    if (!chip)
      return chip.takeError();
    request->chip = *chip;
  }
  if (options.pictureHead.value_or(0) >= request->heads)
    return invalidError("--picture-head: expected less than --heads (" +
                        std::to_string(request->heads) + "), but got " +
                        std::to_string(*options.pictureHead));
  auto session = Session::create(SessionOptions::uncached()); // compiles nothing
  if (!session)
    return session.takeError();
  options.svg = svg.has_value();
  llvm::Expected<Explanation> explanation = explain(**session, *request, options);
  if (!explanation)
    return explanation.takeError();
  if (svg)
    if (llvm::Error error = writeFile(*svg, svgExplanation(*explanation), "--svg"))
      return error;
  llvm::outs() << (flags.json ? jsonExplanation(*request, *explanation)
                              : textExplanation(*request, *explanation));
  return llvm::Error::success();
}

static llvm::Expected<int> runTool(llvm::ArrayRef<const char *> arguments) {
  RequestFlags request;
  std::optional<std::string> svg;
  ExplainOptions options;
  Flags flags;
  addRequestFlags(flags, request);
  flags.text("svg", svg, "FILE", "draw the tiles as SVG, which a browser zooms; at most 6 MiB");
  flags.integer("picture-head", options.pictureHead, 0, "H",
                "the head that is drawn (default: 0; in an SVG, every head that differs)");
  flags.integer("layers", options.layers, 1, "L",
                "layers of the model, for what its tokens hear of each other");
  if (llvm::Error error = flags.parse(arguments))
    return std::move(error);
  if (flags.helpWanted()) {
    llvm::outs() << usage << flags.describe();
    return 0;
  }
  if (llvm::Error error = run(request, options, svg))
    return std::move(error);
  return 0;
}

int main(int argc, char **argv) {
  return toolMain("girih-explain", [&] { return runTool({argv + 1, argv + argc}); });
}
