//===- girih-explain.cpp - What a pattern keeps, skips and costs ----------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "common/Cuda.h"
#include "common/Request.h"

#include "girih/Explain/Explain.h"
#include "girih/Support/Error.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

using namespace girih;
namespace fs = llvm::sys::fs;

static const char usage[] =
    "usage: girih-explain --pattern EXPR | --spec FILE[:NAME] --q-len N --dim D [flags]\n\n"
    "Reports which tiles a pattern visits and what that costs. Runs no attention.\n\n";

/// Writes and closes; the stream is in no error state afterwards.
static std::error_code put(llvm::raw_fd_ostream &os, const std::string &text) {
  os << text;
  os.flush();
  std::error_code failure = os.error();
  os.clear_error();
  return failure;
}

/// Writes beside the file and renames, so that nobody finds half a picture.
static llvm::Error writeSvg(const std::string &path, const std::string &text) {
  auto failed = [&](const std::string &why) {
    return invalidError("--svg: " + path + ": cannot be written: " + why);
  };
  // What is no plain file (/dev/stdout, a pipe) can't be renamed onto.
  if (fs::exists(path) && !fs::is_regular_file(path)) {
    std::error_code failure;
    llvm::raw_fd_ostream os(path, failure);
    if (!failure)
      failure = put(os, text);
    return failure ? failed(failure.message()) : llvm::Error::success();
  }
  auto staged = fs::TempFile::create(path + ".%%%%%%%%", fs::all_read | fs::all_write);
  if (!staged)
    return failed(llvm::toString(staged.takeError()));
  std::error_code failure;
  {
    llvm::raw_fd_ostream os(staged->FD, /*shouldClose=*/false);
    failure = put(os, text);
  }
  if (failure) {
    llvm::consumeError(staged->discard());
    return failed(failure.message());
  }
  if (llvm::Error error = staged->keep(path))
    return failed(llvm::toString(std::move(error)));
  return llvm::Error::success();
}

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
    if (llvm::Error error = writeSvg(*svg, svgExplanation(*explanation)))
      return error;
  llvm::outs() << (flags.json ? jsonExplanation(*request, *explanation)
                              : textExplanation(*request, *explanation));
  return llvm::Error::success();
}

int main(int argc, char **argv) {
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
  if (llvm::Error error = flags.parse(llvm::ArrayRef<const char *>(argv, argc).drop_front()))
    return reportError("girih-explain", std::move(error));
  if (flags.helpWanted()) {
    llvm::outs() << usage << flags.describe();
    return 0;
  }
  if (llvm::Error error = run(request, options, svg))
    return reportError("girih-explain", std::move(error));
  return 0;
}
