//===- Pattern.cpp - Patterns as handles ----------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/CAPI/Objects.h"
#include "girih/CAPI/Tensors.h"
#include "girih/Frontend/Parser.h"
#include "girih/Reference/Membership.h"

using namespace girih;
using namespace girih::capi;

int girihPatternParse(GirihSession *session, const char *text, const GirihTable *tables,
                      int64_t num_tables, GirihPattern **pattern, GirihStatus *status) {
  return guarded(status, [&]() -> llvm::Error {
    if (llvm::Error error = checkHandle(session, "a session"))
      return error;
    if (!text || !pattern)
      return nullError(!text ? "the text of a pattern" : "room for a pattern");
    ParseOptions options;
    ParseResult parsed = parsePattern(text, "<pattern>", options);
    if (!parsed)
      return invalidError(parsed.error);
    *pattern = new GirihPattern{{}, session->state, std::move(parsed.pattern)};
    return llvm::Error::success();
  });
}

void girihPatternRelease(GirihPattern *pattern) { release(pattern); }

int girihPatternText(const GirihPattern *pattern, char **text, GirihStatus *status) {
  return guarded(status, [&]() -> llvm::Error {
    if (llvm::Error error = checkHandle(pattern, "a pattern"))
      return error;
    if (!text)
      return nullError("room for a text");
    *text = copyText(pattern->pattern.str());
    return llvm::Error::success();
  });
}

llvm::Error capi::readLengths(const GirihLengths *lengths, GirihLengths &read, Shape &shape) {
  if (llvm::Error error = readStruct("lengths", lengths, read))
    return error;
  if (read.align != GIRIH_BOTTOM_RIGHT && read.align != GIRIH_TOP_LEFT)
    return invalidError("expected align of lengths to be 0 or 1, but got " +
                        std::to_string(read.align));
  const struct {
    const char *name;
    int64_t value, most;
  } fields[] = {{"batch", read.batch, GIRIH_MAX_HEADS},
                {"heads", read.heads, GIRIH_MAX_HEADS},
                {"kv_heads", read.kv_heads, GIRIH_MAX_HEADS},
                {"num_q", read.num_q, GIRIH_MAX_TOKENS},
                {"num_k", read.num_k, GIRIH_MAX_TOKENS}};
  for (const auto &field : fields)
    if (field.value < 1 || field.value > field.most)
      return invalidError(std::string("expected ") + field.name + " of lengths to be from 1 to " +
                          std::to_string(field.most) + ", but got " + std::to_string(field.value));
  if (read.heads % read.kv_heads != 0)
    return invalidError("expected heads of lengths to be a multiple of kv_heads, but got " +
                        std::to_string(read.heads) + " and " + std::to_string(read.kv_heads));
  shape = makeShape(read.num_q, read.num_k, read.heads, read.align == GIRIH_TOP_LEFT);
  return llvm::Error::success();
}

int girihPatternMask(const GirihPattern *pattern, const GirihLengths *lengths, const DLTensor *mask,
                     GirihStatus *status) {
  return guarded(status, [&]() -> llvm::Error {
    if (llvm::Error error = checkHandle(pattern, "a pattern"))
      return error;
    GirihLengths read{};
    Shape shape;
    if (llvm::Error error = readLengths(lengths, read, shape))
      return error;
    if (std::string problem = validateShape(pattern->pattern, shape); !problem.empty())
      return invalidError(problem);
    auto memory = maskMemory(mask, {read.batch, read.heads, read.num_q, read.num_k});
    if (!memory)
      return memory.takeError();
    Membership membership(pattern->pattern, shape);
    std::vector<uint8_t> keys(static_cast<size_t>(read.num_k));
    uint8_t *row = *memory;
    for (int64_t b = 0; b != read.batch; ++b)
      for (int64_t h = 0; h != read.heads; ++h)
        for (int64_t q = 0; q != read.num_q; ++q, row += read.num_k) {
          membership.row(b, h, q + shape.qOffset, keys);
          std::copy(keys.begin(), keys.end(), row);
        }
    return llvm::Error::success();
  });
}
