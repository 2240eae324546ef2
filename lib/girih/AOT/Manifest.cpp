//===- Manifest.cpp - What an artifact is, for build systems --------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/AOT/ArtifactParts.h"
#include "girih/Support/Json.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SHA256.h"
#include "llvm/Support/raw_ostream.h"

using namespace girih;

static std::string sha256(llvm::StringRef bytes) {
  llvm::SHA256 hasher;
  hasher.update(bytes);
  return llvm::toHex(hasher.final(), /*LowerCase=*/true);
}

static void printTarget(const ArtifactInfo &info, llvm::json::OStream &json) {
  json.attribute("target", info.cuda ? "cuda" : "cpu");
  if (!info.cuda) {
    json.attribute("cpu", info.processor);
    json.attributeArray("features", [&] {
      for (llvm::StringRef feature : llvm::split(info.features, ','))
        if (feature.consume_front("+"))
          json.value(feature);
    });
    json.attribute("scratch_bytes", info.desc.scratch_bytes);
    return;
  }
  json.attribute("chip", info.processor);
  json.attribute("threads", info.cuda->threads);
  json.attribute("shared_bytes", info.cuda->shared_bytes);
}

std::string girih::printManifest(const ArtifactInfo &info, llvm::StringRef code,
                                 llvm::StringRef header) {
  const GirihKernelDesc &d = info.desc;
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::json::OStream json(os, /*IndentSize=*/2);
  json.object([&] {
    json.attribute("name", info.names.name);
    json.attribute("format", formatName(info.format));
    json.attribute("pattern", jsonText(info.pattern.str()));
    if (info.score)
      json.attribute("score", jsonText(info.score.str()));
    json.attribute("abi_version", GIRIH_ABI_VERSION);
    json.attribute("id", info.id);
    printTarget(info, json);
    json.attribute("dtype", dtypeText(d.dtype));
    json.attribute("o_dtype", dtypeText(d.o_dtype));
    json.attribute("dim", d.head_dim);
    json.attribute("v_dim", d.v_dim);
    json.attribute("align", d.align == GIRIH_TOP_LEFT ? "top_left" : "bottom_right");
    json.attribute("tile_q", d.tile_q);
    json.attribute("tile_k", d.tile_k);
    json.attributeArray("operands", [&] {
      for (const OperandInfo &operand : operandsOf(info))
        json.object([&] {
          json.attribute("name", llvm::json::fixUTF8(operand.name));
          json.attribute("type", operand.isFloat ? "f32" : "i64");
          json.attribute("rank", operand.rank);
          json.attribute("meaning", operand.meaning);
        });
    });
    json.attributeArray("shapes", [&] {
      for (const std::string &shape : shapesOf(info.pattern))
        json.value(shape);
    });
    json.attributeObject("symbols", [&] {
      if (info.cuda) {
        json.attribute("function", info.cuda->function);
        json.attribute("merge_function", info.cuda->merge_function);
        json.attribute("copy_function", info.cuda->copy_function);
      } else {
        json.attribute("kernel", info.kernelSymbol());
        json.attribute("checked_kernel", info.checkedSymbol());
      }
    });
    json.attributeArray("files", [&] {
      for (auto [file, bytes] :
           {std::pair(&info.names.codeFile, code), {&info.names.headerFile, header}})
        json.object([&, file = file, bytes = bytes] {
          json.attribute("name", jsonText(*file));
          json.attribute("bytes", static_cast<int64_t>(bytes.size()));
          json.attribute("sha256", sha256(bytes));
        });
    });
  });
  os << '\n';
  return text;
}
