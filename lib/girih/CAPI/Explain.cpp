//===- Explain.cpp - Reports about patterns -------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Explain/Explain.h"

#include "girih/CAPI/Kernel.h"
#include "girih/CAPI/Objects.h"

using namespace girih;
using namespace girih::capi;

/// Fills what the options say about a problem; `given` may be null.
static llvm::Error addOptions(const SessionRef &session, const GirihCompileOptions *given,
                              Problem &problem) {
  if (!given)
    return llvm::Error::success();
  auto request = readCompileOptions(session, given);
  if (!request)
    return request.takeError();
  const CompileOptions &options = request->options;
  if (options.align != problem.align)
    return invalidError("expected align of options to be that of lengths, " +
                        std::to_string(problem.align) + ", but got " +
                        std::to_string(options.align));
  problem.cuda = request->device == kDLCUDA;
  problem.chip = options.chip;
  problem.cpu = options.cpu;
  problem.score = options.score;
  problem.dtype = options.dtype;
  problem.oDtype = options.oDtype;
  problem.dim = options.headDim;
  problem.vDim = options.vDim ? options.vDim : options.headDim;
  problem.tileQ = options.tileQ;
  problem.tileK = options.tileK;
  return llvm::Error::success();
}

int girihExplain(GirihSession *session, const GirihPattern *pattern, const GirihLengths *lengths,
                 const GirihCompileOptions *options, int32_t report, char **text,
                 GirihStatus *status) {
  return guarded(status, [&]() -> llvm::Error {
    if (llvm::Error error = checkHandle(session, "a session"))
      return error;
    if (llvm::Error error = checkMember(pattern, "a pattern", session->state))
      return error;
    if (!text)
      return nullError("room for a text");
    if (report != GIRIH_REPORT_TEXT && report != GIRIH_REPORT_JSON && report != GIRIH_REPORT_SVG)
      return invalidError("expected report to be text (0), JSON (1) or SVG (2), but got " +
                          std::to_string(report));
    auto read = readProblem(pattern->pattern, lengths);
    if (!read)
      return read.takeError();
    Problem &problem = *read;
    if (llvm::Error error = addOptions(session->state, options, problem))
      return error;
    ExplainOptions wanted;
    wanted.svg = report == GIRIH_REPORT_SVG;
    auto explanation = explain(*session->state->session, problem, wanted);
    if (!explanation)
      return explanation.takeError();
    *text = copyText(report == GIRIH_REPORT_TEXT   ? textExplanation(problem, *explanation)
                     : report == GIRIH_REPORT_JSON ? jsonExplanation(problem, *explanation)
                                                   : svgExplanation(*explanation));
    return llvm::Error::success();
  });
}
