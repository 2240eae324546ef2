//===- MapProgramTest.cpp - What a pattern becomes for the runtime --------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// No pass builds map programs (the JIT does, from IR at level L1), so their
// errors and their layout are tested here.
//
//===----------------------------------------------------------------------===//

#include "girih/Analysis/MapProgram.h"

#include "girih/Pipelines/Pipelines.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

using namespace girih;

namespace {

/// Parses the body of a kernel function that returns a pattern.
class MapProgramTest : public testing::Test {
protected:
  MapProgramTest() {
    mlir::DialectRegistry registry;
    registerDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    context.getDiagEngine().registerHandler(
        [&](mlir::Diagnostic &diagnostic) { message = diagnostic.str(); });
  }

  std::unique_ptr<MapProgram> build(const std::string &body, const std::string &arrays = "") {
    std::string text = "func.func @f(%q: f32, %k: f32, %v: f32, %scale: f32, %a: tensor<?xi64>, "
                       "%b: tensor<?xi64>, %c: tensor<?xi64>, %p: !girih.pattern" +
                       arrays + ") " + "-> !girih.pattern {\n" + body + "\n}\n";
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    if (!module) {
      ADD_FAILURE() << message;
      return nullptr;
    }
    auto function = *module->getOps<mlir::func::FuncOp>().begin();
    llvm::SmallVector<mlir::Value> reads;
    function.walk([&](TermLookupOp op) {
      if (op->hasAttr("read"))
        reads.push_back(op);
    });
    return buildMapProgram(function.getBody().front().getTerminator()->getOperand(0), reads);
  }

  int64_t count(const MapProgram &program, GirihMapOp op) {
    return std::count_if(program.nodes.begin(), program.nodes.end(),
                         [&](const GirihMapNode &node) { return node.op == op; });
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::string message;
};

TEST_F(MapProgramTest, refusesNamedPatterns) {
  EXPECT_EQ(build("%0 = girih.causal\nreturn %0 : !girih.pattern"), nullptr);
  EXPECT_EQ(message, "'girih.causal' op expected a pattern in normal form; run "
                     "girih-expand-named-patterns first");
}

TEST_F(MapProgramTest, refusesPatternArguments) {
  EXPECT_EQ(build("%0 = girih.complement %p\nreturn %0 : !girih.pattern"), nullptr);
  EXPECT_EQ(message, "expected patterns to be made in the function that uses them");
}

TEST_F(MapProgramTest, refusesOperandsMadeInTheFunction) {
  EXPECT_EQ(build("%0 = arith.constant dense<[0, 4]> : tensor<2xi64>\n"
                  "%1 = girih.segments %0 : tensor<2xi64>\nreturn %1 : !girih.pattern"),
            nullptr);
  EXPECT_EQ(message, "'girih.segments' op expected run-time operands to be function arguments "
                     "after q, k, v and scale");
}

TEST_F(MapProgramTest, refusesOperandsOutOfOrder) {
  EXPECT_EQ(build("%0 = girih.block_table %b, %a size = 64 : tensor<?xi64>, tensor<?xi64>\n"
                  "return %0 : !girih.pattern"),
            nullptr);
  EXPECT_EQ(message, "'girih.block_table' op expected indices to be the function argument after "
                     "indptr");
}

TEST_F(MapProgramTest, sharesEqualNodes) {
  auto program = build("%0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : "
                       "(q - k >= 0, q - k + 4 >= 0)>\nreturn %0 : !girih.pattern");
  ASSERT_NE(program, nullptr) << message;
  EXPECT_EQ(count(*program, GIRIH_MAP_VAR), 2); // q and k
  EXPECT_EQ(count(*program, GIRIH_MAP_GE0), 2);
  EXPECT_EQ(program->get().uses_head, 0);
  EXPECT_EQ(program->get().uses_batch, 0);
}

TEST_F(MapProgramTest, solvesBothDirections) {
  auto program = build("%0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : "
                       "(q - k >= 0)>\nreturn %0 : !girih.pattern");
  ASSERT_NE(program, nullptr) << message;
  ASSERT_EQ(program->get().num_forward, 1);
  EXPECT_EQ(program->get().forward[0].num_upper, 1); // k <= q
  ASSERT_EQ(program->get().num_reverse, 1);
  EXPECT_EQ(program->get().reverse[0].num_lower, 1); // q >= k
}

TEST_F(MapProgramTest, numbersOperandsOfTables) {
  auto program = build("%0 = girih.segments %a unit = 16 : tensor<?xi64>\n"
                       "%1 = girih.block_table %b, %c size = 64 heads = 2 : tensor<?xi64>, "
                       "tensor<?xi64>\n%2 = girih.intersect %0, %1\n"
                       "return %2 : !girih.pattern");
  ASSERT_NE(program, nullptr) << message;
  ASSERT_EQ(program->get().num_tables, 2);
  EXPECT_EQ(program->tables[0].kind, GIRIH_TABLE_SEGMENTS);
  EXPECT_EQ(program->tables[0].unit, 16);
  EXPECT_EQ(program->tables[0].operand, 0);
  EXPECT_EQ(program->tables[1].kind, GIRIH_TABLE_BLOCKS);
  EXPECT_EQ(program->tables[1].operand, 1);
  EXPECT_EQ(program->get().num_operands, 3);
  EXPECT_EQ(program->get().uses_head, 1);
  EXPECT_EQ(program->get().num_forward, 0);
}

TEST_F(MapProgramTest, numbersArraysBeforeOtherTables) {
  auto program =
      build("%x = girih.term_lookup %t at affine_map<()[b, h, q, k, nq, nk, n] -> (b, k)> : "
            "tensor<?x?xi32>\n"
            "%0 = girih.where affine_set<(b, h, q, k)[nq, nk, n, x] : (x >= 0)> terms(%x)\n"
            "%1 = girih.segments %a : tensor<?xi64>\n"
            "%2 = girih.intersect %0, %1\nreturn %2 : !girih.pattern",
            ", %t: tensor<?x?xi32>, %u: tensor<?xf32>");
  ASSERT_NE(program, nullptr) << message;
  ASSERT_EQ(program->tables.size(), 3u);
  EXPECT_EQ(program->tables[0].kind, GIRIH_TABLE_LOOKUP);
  EXPECT_EQ(program->tables[0].operand, 4);
  EXPECT_EQ(program->tables[0].count, 2);
  EXPECT_EQ(program->tables[1].kind, GIRIH_TABLE_LOOKUP_F32);
  EXPECT_EQ(program->tables[2].kind, GIRIH_TABLE_SEGMENTS);
  EXPECT_EQ(count(*program, GIRIH_MAP_PLACE), 1);
  EXPECT_EQ(count(*program, GIRIH_MAP_LOOKUP), 1);
  EXPECT_EQ(program->get().num_operands, 6);
  EXPECT_EQ(program->get().uses_batch, 1);
}

TEST_F(MapProgramTest, solvesBoundsThatReadTheBatchAlone) {
  const std::string lookup =
      "%x = girih.term_lookup %t at affine_map<()[b, h, q, k, nq, nk, n] -> (b, ";
  const std::string rest =
      ")> : tensor<?x?xi32>\n"
      "%0 = girih.where affine_set<(b, h, q, k)[nq, nk, n, x] : (x - k - 1 >= 0)> terms(%x)\n"
      "return %0 : !girih.pattern";
  auto program = build(lookup + "h" + rest, ", %t: tensor<?x?xi32>"); // k < @t[b, h]
  ASSERT_NE(program, nullptr) << message;
  EXPECT_EQ(program->get().num_forward, 1);
  program = build(lookup + "q" + rest, ", %t: tensor<?x?xi32>"); // in no known direction along q
  ASSERT_NE(program, nullptr) << message;
  EXPECT_EQ(program->get().num_forward, 0);
}

TEST_F(MapProgramTest, whatScoresReadIsNotOfTheMap) {
  auto program = build(
      "%x = girih.term_lookup %u at affine_map<()[b, h, q, k, nq, nk, n] -> (h * 8 + b)> {read} : "
      "tensor<?xf32>\n"
      "%0 = girih.full\nreturn %0 : !girih.pattern",
      ", %u: tensor<?xf32>");
  ASSERT_NE(program, nullptr) << message;
  EXPECT_EQ(count(*program, GIRIH_MAP_LOOKUP), 1);
  EXPECT_EQ(program->get().uses_batch, 0);
  EXPECT_EQ(program->get().uses_head, 0);
}

TEST_F(MapProgramTest, refusesArraysMadeInTheFunction) {
  EXPECT_EQ(build("%0 = arith.constant dense<[0, 4]> : tensor<2xi32>\n"
                  "%x = girih.term_lookup %0 at affine_map<()[b, h, q, k, nq, nk, n] -> (k)> : "
                  "tensor<2xi32>\n"
                  "%1 = girih.where affine_set<(b, h, q, k)[nq, nk, n, x] : (x >= 0)> terms(%x)\n"
                  "return %1 : !girih.pattern"),
            nullptr);
  EXPECT_EQ(message, "'girih.term_lookup' op expected run-time operands to be function arguments "
                     "after q, k, v and scale");
}

TEST_F(MapProgramTest, doesNotWrapAroundWhenItSolves) {
  // k >= 2^80, which nothing is; folded in 64 bits it would be k >= 0.
  auto program = build("%0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : "
                       "(k floordiv 1099511627776 - 1099511627776 >= 0)>\n"
                       "return %0 : !girih.pattern");
  ASSERT_NE(program, nullptr) << message;
  EXPECT_EQ(program->get().num_forward, 0);
  GirihMapParams params{};
  params.batch = params.heads = 1;
  params.num_q = params.num_k = params.q_end = 100;
  params.tile_q = params.tile_k = 16;
  GirihBlockMap *map = nullptr;
  GirihStatus status{};
  ASSERT_EQ(girihBlockMapBuild(&program->get(), &params, &map, &status), GIRIH_OK)
      << status.message;
  int64_t numRuns = -1;
  girihBlockMapRuns(map, 0, 0, 0, &numRuns);
  EXPECT_EQ(numRuns, 0);
  girihBlockMapFree(map);
}

} // namespace
