//===- girih-explain.cpp - What a pattern keeps, skips and costs ----------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Explain.h"

#include "girih/Support/Error.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

using namespace girih;

static const char usage[] =
    "usage: girih-explain --pattern EXPR | --spec FILE[:NAME] --q-len N --dim D [flags]\n\n"
    "Reports which tiles a pattern visits and what that costs. Runs no attention.\n\n";

static llvm::Error writeSvg(const std::string &path, const std::string &text) {
  std::error_code failure;
  llvm::raw_fd_ostream os(path, failure);
  if (!failure) {
    os << text;
    os.close();
    failure = os.error();
    os.clear_error();
  }
  if (failure)
    return invalidError("--svg: " + path + ": cannot be written: " + failure.message());
  return llvm::Error::success();
}

static llvm::Error run(const RequestFlags &flags, std::optional<int64_t> pictureHead,
                       const std::optional<std::string> &svg) {
  llvm::Expected<Request> request = makeRequest(flags);
  if (!request)
    return request.takeError();
  if (request->cuda)
    return unsupportedError("--target: cuda is not supported by girih-explain; supported: cpu");
  int64_t head = pictureHead.value_or(0);
  if (head >= request->heads)
    return invalidError("--picture-head: expected less than --heads (" +
                        std::to_string(request->heads) + "), but got " + std::to_string(head));
  auto session = Session::create({request->cacheDir});
  if (!session)
    return session.takeError();
  llvm::Expected<Explanation> explanation = explain(**session, *request, head);
  warnAboutCache("girih-explain", **session);
  if (!explanation)
    return explanation.takeError();
  if (svg) {
    std::string title = request->pattern.str();
    if (title.size() > 120)
      title = title.substr(0, 117) + "...";
    if (llvm::Error error = writeSvg(*svg, printSvg(explanation->largePicture, title)))
      return error;
  }
  llvm::outs() << (flags.json ? jsonExplanation(*request, *explanation)
                              : textExplanation(*request, *explanation, head));
  return llvm::Error::success();
}

int main(int argc, char **argv) {
  RequestFlags request;
  std::optional<std::string> svg;
  std::optional<int64_t> pictureHead;
  Flags flags;
  addRequestFlags(flags, request);
  flags.text("svg", svg, "FILE", "draw the tiles as SVG, at most 256 x 256 cells");
  flags.integer("picture-head", pictureHead, 0, "H", "the head that is drawn (default: 0)");
  if (llvm::Error error = flags.parse(llvm::ArrayRef<const char *>(argv, argc).drop_front()))
    return reportError("girih-explain", std::move(error));
  if (flags.helpWanted()) {
    llvm::outs() << usage << flags.describe();
    return 0;
  }
  if (llvm::Error error = run(request, pictureHead, svg))
    return reportError("girih-explain", std::move(error));
  return 0;
}
