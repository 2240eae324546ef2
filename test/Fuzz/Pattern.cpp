//===- Pattern.cpp - Fuzzes patterns from text to block maps --------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A pattern that parses becomes verified IR, a map program and block maps, forward
// and reverse, that list exactly the tiles that hold pairs of the membership
// oracle, whatever the numbers in it; or an error that was reported.
//
//===----------------------------------------------------------------------===//

#include "Fuzz.h"

#include "girih/Analysis/MapProgram.h"
#include "girih/Frontend/EmitIR.h"
#include "girih/Frontend/Parser.h"
#include "girih/Pipelines/Pipelines.h"
#include "girih/Reference/Membership.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"

#include <algorithm>
#include <memory>

using namespace girih;
using namespace girih::fuzz;

namespace {

/// A context and the passes to level L1. Types and attributes are never freed,
/// so it is replaced now and then.
struct Compiler {
  Compiler() : context(mlir::MLIRContext::Threading::DISABLED) {
    mlir::DialectRegistry registry;
    registerDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    context.getDiagEngine().registerHandler(
        [&](mlir::Diagnostic &diagnostic) { message = diagnostic.str(); });
    passes = std::make_unique<mlir::PassManager>(&context);
    PipelineOptions options;
    options.tileQ = options.tileK = 8;
    buildBlocksPipeline(*passes, options);
  }

  mlir::MLIRContext context;
  std::unique_ptr<mlir::PassManager> passes;
  std::string message;
};

struct FreeMap {
  void operator()(GirihBlockMap *map) const { girihBlockMapFree(map); }
};

/// Lengths that a pattern asks for: the end of its segments, the tokens of its
/// grid; 0 when it takes any.
int64_t wantedLength(const PatternNode &node) {
  int64_t length = node.offsets.empty() ? 0 : node.offsets.back();
  if (!node.grid.empty())
    length = 1;
  for (int64_t extent : node.grid)
    length *= extent;
  for (const PatternRef &child : node.children)
    length = std::max(length, wantedLength(*child));
  return length;
}

} // namespace

/// The blocks that the oracle wants listed and those that are, tile by tile.
static void compare(const GirihMapProgram &program, const Pattern &pattern, const Shape &shape,
                    const GirihMapParams &params, bool reverse) {
  GirihStatus status{};
  GirihBlockMap *built = nullptr;
  int code = reverse ? girihBlockMapBuildReverse(&program, &params, &built, &status)
                     : girihBlockMapBuild(&program, &params, &built, &status);
  // Indices may leave their tables.
  if (code == GIRIH_UNSUPPORTED || (code == GIRIH_INVALID && !patternLookups(pattern).empty()))
    return;
  if (code != GIRIH_OK)
    broken("no block map of " + pattern.str() + ": " + status.message);
  std::unique_ptr<GirihBlockMap, FreeMap> map(built);

  Membership membership(pattern, shape);
  int64_t rows = (shape.numQ + params.tile_q - 1) / params.tile_q;
  int64_t columns = (shape.numK + params.tile_k - 1) / params.tile_k;
  std::vector<uint8_t> keys(shape.numK);
  for (int64_t head = 0; head < shape.heads; ++head) {
    std::vector<int64_t> expected(rows * columns), state(rows * columns, -1);
    for (int64_t i = 0; i < shape.numQ; ++i) {
      membership.row(0, head, i + shape.qOffset, keys);
      for (int64_t k = 0; k < shape.numK; ++k)
        expected[i / params.tile_q * columns + k / params.tile_k] += keys[k];
    }
    for (int64_t line = 0; line < girihBlockMapRows(map.get()); ++line) {
      int64_t count = 0;
      const GirihRun *runs = girihBlockMapRuns(map.get(), 0, head, line, &count);
      for (int64_t r = 0; r < count; ++r)
        for (int64_t j = runs[r].begin; j < runs[r].end; ++j)
          state[reverse ? j * columns + line : line * columns + j] = runs[r].state;
    }
    for (int64_t tile = 0; tile < rows * columns; ++tile) {
      int64_t height =
          std::min<int64_t>(params.tile_q, shape.numQ - tile / columns * params.tile_q);
      int64_t pairs = expected[tile];
      int64_t wanted = pairs == 0                        ? -1
                       : pairs == height * params.tile_k ? int64_t(GIRIH_TILE_FULL)
                                                         : int64_t(GIRIH_TILE_PARTIAL);
      if (state[tile] != wanted)
        broken("tile " + std::to_string(tile) + " of head " + std::to_string(head) +
               (reverse ? " (reverse)" : "") + " should be " + std::to_string(wanted) + " but is " +
               std::to_string(state[tile]) + ": " + pattern.str());
    }
  }
}

static void check(Compiler &compiler, const Pattern &pattern, bool topLeft) {
  int64_t wanted = wantedLength(*pattern);
  if (wanted > 160)
    return;
  Shape shape =
      wanted ? makeShape(wanted, wanted, 3, topLeft) : makeShape(topLeft ? 37 : 21, 43, 3, topLeft);
  if (!validateShape(pattern, shape).empty())
    return;
  compiler.message.clear();
  KernelSpec spec;
  spec.element = spec.output = mlir::Float32Type::get(&compiler.context);
  spec.topLeft = topLeft;
  mlir::OwningOpRef<mlir::ModuleOp> module = emitKernel(&compiler.context, pattern, spec);
  if (mlir::failed(mlir::verify(*module)))
    broken("emitted IR does not verify: " + compiler.message + ": " + pattern.str());
  if (mlir::failed(compiler.passes->run(*module))) {
    if (compiler.message.empty())
      broken("a pass failed without saying why: " + pattern.str());
    return;
  }
  BlockMapOp op;
  module->walk([&](BlockMapOp found) { op = found; });
  std::unique_ptr<MapProgram> program = op ? buildMapProgram(op.getPattern()) : nullptr;
  if (!program)
    broken("no map program: " + compiler.message + ": " + pattern.str());

  std::vector<GirihOperand> operands;
  auto addOperand = [&](const std::vector<int64_t> &values) {
    // An empty list has data too.
    static const int64_t nothing = 0;
    GirihOperand operand{};
    operand.data = values.empty() ? &nothing : values.data();
    operand.size = static_cast<int64_t>(values.size());
    operands.push_back(operand);
  };
  for (const PatternNode *table : patternTables(pattern)) {
    if (table->kind == PatternKind::Segments) {
      addOperand(table->offsets);
    } else {
      addOperand(table->indptr);
      addOperand(table->indices);
    }
  }
  for (const TableRef &table : patternLookups(pattern)) {
    addOperand(table->ints);
    operands.back().rank = static_cast<int32_t>(table->shape.size());
    std::copy(table->shape.begin(), table->shape.end(), operands.back().shape);
  }
  program->program.num_operands = static_cast<int32_t>(operands.size());
  GirihMapParams params{};
  params.batch = 1;
  params.heads = shape.heads;
  params.num_q = shape.numQ;
  params.num_k = shape.numK;
  params.q_offset = shape.qOffset;
  params.q_end = shape.qEnd;
  params.tile_q = static_cast<int32_t>(op.getTile()[0]);
  params.tile_k = static_cast<int32_t>(op.getTile()[1]);
  params.operands = operands.data();
  params.num_operands = static_cast<int64_t>(operands.size());
  for (bool reverse : {false, true})
    compare(program->get(), pattern, shape, params, reverse);
}

/// What `@t`, `@u` and `@v` stand for: ids of documents, flags of blocks, anything.
static const ParseOptions &tablesInMemory() {
  static const ParseOptions options = [] {
    std::vector<int64_t> ids, flags, others;
    for (int64_t i = 0; i < 160; ++i)
      ids.push_back(i / 17);
    for (int64_t i = 0; i < 3 * 8 * 8; ++i)
      flags.push_back(i % 5 < 2);
    for (int64_t i = 0; i < 64; ++i)
      others.push_back(i * i * 7 % 101 - 50);
    ParseOptions made;
    made.tables = {Table("t", ids), Table("u", flags, {3, 8, 8}), Table("v", others)};
    return made;
  }();
  return options;
}

/// Whether `text` names no file.
static bool namesTablesOnly(const std::string &text) {
  for (size_t at = text.find('@'); at != std::string::npos; at = text.find('@', at + 1))
    if (at + 2 >= text.size() || text[at + 1] < 't' || text[at + 1] > 'v' || text[at + 2] != '[')
      return false;
  return true;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static std::unique_ptr<Compiler> compiler;
  static int uses = 0;
  if (uses++ % 500 == 0)
    compiler = std::make_unique<Compiler>();
  std::string text(reinterpret_cast<const char *>(data), size);
  // What is in other files does not depend on the input; large trees only take longer.
  if (!namesTablesOnly(text) || size > 400)
    return 0;
  if (ParseResult result = parsePattern(text, "<pattern>", tablesInMemory()))
    for (bool topLeft : {false, true})
      check(*compiler, result.pattern, topLeft);
  return 0;
}
