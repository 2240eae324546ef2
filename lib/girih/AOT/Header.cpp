//===- Header.cpp - The C header of an artifact ---------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/AOT/ArtifactParts.h"
#include "girih/Frontend/EmitIR.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <fmt/format.h>

using namespace girih;

const char *girih::dtypeText(int32_t dtype) {
  return dtype == GIRIH_F32 ? "f32" : dtype == GIRIH_BF16 ? "bf16" : "f16";
}

std::vector<OperandInfo> girih::operandsOf(const ArtifactInfo &info) {
  const GirihMapProgram &program = *info.desc.map;
  std::vector<OperandInfo> operands(static_cast<size_t>(program.num_operands));
  for (OperandInfo &operand : operands)
    operand.meaning = "any list; nothing that is left reads it";
  auto set = [&](int64_t index, const char *name, std::string meaning) {
    operands[static_cast<size_t>(index)].name = name;
    operands[static_cast<size_t>(index)].meaning = std::move(meaning);
  };
  for (int32_t i = 0; i != program.num_tables; ++i) {
    const GirihMapTable &table = program.tables[i];
    if (table.kind == GIRIH_TABLE_SEGMENTS) {
      std::string end = table.unit == 1 ? "num_k" : fmt::format("ceil(num_k / {})", table.unit);
      set(table.operand, "offsets", "where segments begin, [0, ..., " + end + "]");
    } else if (table.kind == GIRIH_TABLE_BLOCKS) {
      set(table.operand, "indptr",
          fmt::format("rows of a CSR table, one for each block of {} queries", table.unit));
      set(table.operand + 1, "indices",
          fmt::format("blocks of {} keys that each row lists, ascending", table.unit));
    }
  }
  // Lookups come last; what only the score reads is in no table of the program.
  std::vector<TableRef> lookups = kernelLookups(info.pattern, info.score);
  size_t first = operands.size() - lookups.size();
  for (size_t i = 0; i != lookups.size(); ++i) {
    OperandInfo &operand = operands[first + i];
    operand.name = "@" + lookups[i]->name;
    operand.isTable = true;
    operand.isFloat = lookups[i]->isFloat;
    operand.rank = static_cast<int32_t>(lookups[i]->shape.size());
    operand.meaning =
        fmt::format("a table of {} dimension{}{}", operand.rank, operand.rank == 1 ? "" : "s",
                    operand.isFloat ? "" : "; values fit 32 bits");
  }
  return operands;
}

static void collectShapes(const PatternNode &node, const std::string &unit,
                          std::vector<std::string> &shapes) {
  if (node.kind == PatternKind::Neighborhood) {
    int64_t positions = 1;
    for (int64_t size : node.grid)
      positions *= size;
    shapes.push_back(fmt::format("{} {} of queries and of keys, for the grid of a neighborhood",
                                 positions, unit));
  }
  if (node.kind == PatternKind::Heads) {
    int64_t heads = 0;
    for (int64_t end : node.headEnd)
      heads = std::max(heads, end + 1);
    shapes.push_back(fmt::format("{} heads of q", heads));
  }
  std::string inner = node.kind == PatternKind::Blockwise
                          ? fmt::format("blocks ({} {} each)", node.size, unit)
                          : unit;
  for (const PatternRef &child : node.children)
    collectShapes(*child, inner, shapes);
}

std::vector<std::string> girih::shapesOf(const Pattern &pattern) {
  std::vector<std::string> shapes;
  collectShapes(*pattern, "tokens", shapes);
  return shapes;
}

/// One line that a `//` comment can hold, whatever file names a pattern has.
static std::string commentLine(std::string text) {
  constexpr size_t longest = 400; // offsets may be thousands; the manifest has all
  if (text.size() > longest)
    text = text.substr(0, longest) + "...";
  for (char &c : text)
    if (!llvm::isPrint(c) || c == '\\')
      c = '?';
  return text;
}

static void printComment(const ArtifactInfo &info, llvm::raw_ostream &os) {
  const GirihKernelDesc &d = info.desc;
  os << "// " << info.names.headerFile << ": made by girih-compile for "
     << commentLine(info.names.codeFile) << "; do not edit.\n//\n// Attention over\n//     "
     << commentLine(info.pattern.str());
  if (info.score)
    os << "\n// with scores\n//     " << commentLine(info.score.str());
  os << fmt::format(
            "\n// q and k [B, H, N, {}], v [B, G, M, {}] of {}; o of {}; queries stand {}.\n",
            d.head_dim, d.v_dim, dtypeText(d.dtype), dtypeText(d.o_dtype),
            d.align == GIRIH_TOP_LEFT ? "top left" : "bottom right")
     << "// Any batch, heads and lengths";
  std::vector<std::string> shapes = shapesOf(info.pattern);
  for (size_t i = 0; i != shapes.size(); ++i)
    os << (i ? "\n//     and " : ", but the pattern is for\n//     ") << shapes[i];
  os << ".\n// For " << info.processor << (info.features.empty() ? "" : " (") << info.features
     << (info.features.empty() ? "" : ")") << ".\n";
  std::vector<OperandInfo> operands = operandsOf(info);
  if (!operands.empty())
    os << "// Operands at run time (GirihMapParams::operands), in this order:\n";
  for (size_t i = 0; i != operands.size(); ++i)
    os << "//   " << i << ": " << commentLine(operands[i].name) << ", "
       << (operands[i].isFloat ? "float" : "int64_t") << ": " << operands[i].meaning << '\n';
  if (llvm::any_of(operands, [](const OperandInfo &operand) { return operand.isTable; }))
    os << "// Of a table set GirihOperand's type too, GIRIH_OPERAND_F32 or _I64, and its rank and\n"
          "// shape (one dimension needs none); of a list data and size are enough.\n";
}

std::string girih::printHeader(const ArtifactInfo &info,
                               const std::vector<StaticObject> &constants) {
  std::string text;
  llvm::raw_string_ostream os(text);
  printComment(info, os);
  const std::string symbol = info.checkedSymbol();
  const std::string guard = "GIRIH_AOT_" + llvm::StringRef(symbol).upper() + "_H";
  const char *type = info.cuda ? "GirihCudaKernelDesc" : "GirihKernelDesc";
  os << "\n#ifndef " << guard << "\n#define " << guard << "\n\n#include \""
     << (info.cuda ? "girih-c/Cuda.h" : "girih-c/Runtime.h") << "\"\n\n"
     << "#if GIRIH_ABI_VERSION != " << GIRIH_ABI_VERSION << "\n#error \"expected girih-c headers of"
     << " ABI version " << GIRIH_ABI_VERSION << ", but got another\"\n#endif\n\n"
     << "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n";
  if (info.cuda) {
    os << "// Symbols of the image end in the same digits: girihCudaLoadFile refuses another.\n";
    printStatic(constants, os);
    os << "\n/// The kernel in " << commentLine(info.names.codeFile)
       << ", for girihCudaLoadFile.\n";
  } else {
    os << "// The digits are a hash of what the code was made from: another object does not link.\n"
       << "extern const " << type << ' ' << symbol << ";\n\n/// The kernel in "
       << commentLine(info.names.codeFile)
       << ", for girihPrepareLaunch; what dlsym finds under this name.\n";
  }
  os << "static const " << type << " *const " << info.kernelSymbol() << " = &" << symbol
     << ";\n\n#ifdef __cplusplus\n} // extern \"C\"\n#endif\n\n#endif // " << guard << '\n';
  return text;
}
