//===- MaskCostTest.cpp - What it takes to evaluate a pattern on a pair ---===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves how the parts of a pattern are counted. What depends on the counts,
// girih-ws-early-masks, is tested in test/Transforms.
//
//===----------------------------------------------------------------------===//

#include "girih/Analysis/MaskCost.h"

#include "girih/Pipelines/Pipelines.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

using namespace girih;

namespace {

class MaskCostTest : public testing::Test {
protected:
  MaskCostTest() {
    mlir::DialectRegistry registry;
    registerDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  /// The cost of %0, which `body` makes.
  MaskCost costOf(const std::string &body) {
    std::string text = "func.func @f(%a: tensor<?xi64>, %b: tensor<?xi64>, %t: tensor<?xi32>) -> "
                       "!girih.pattern {\n" +
                       body + "\nreturn %0 : !girih.pattern\n}\n";
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    if (!module) {
      ADD_FAILURE() << "does not parse: " << text;
      return {};
    }
    auto function = *module->getOps<mlir::func::FuncOp>().begin();
    return maskCost(function.getBody().front().getTerminator()->getOperand(0));
  }

  /// The cost of a conjunction of constraints.
  MaskCost costOfWhere(const std::string &constraints) {
    return costOf("%0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (" + constraints + ")>");
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

void expectCost(const MaskCost &cost, unsigned linear, unsigned others, unsigned tables) {
  EXPECT_EQ(cost.linear, linear);
  EXPECT_EQ(cost.others, others);
  EXPECT_EQ(cost.tables, tables);
}

} // namespace

TEST_F(MaskCostTest, aWindowIsTwoRanges) {
  MaskCost cost = costOfWhere("q - k >= 0, k - q + 256 >= 0");
  expectCost(cost, 2, 0, 0);
  EXPECT_TRUE(cost.isCheap());
}

TEST_F(MaskCostTest, whatDoesNotReadTheKeyIsARange) {
  expectCost(costOfWhere("q mod 128 - 3 >= 0, h - 2 == 0"), 2, 0, 0);
}

TEST_F(MaskCostTest, dividedAndMultipliedKeysAreOthers) {
  MaskCost cost = costOfWhere("q - k >= 0, k mod 96 - 5 == 0, q floordiv 64 - k floordiv 64 == 0, "
                              "q - 2 * k >= 0");
  expectCost(cost, 1, 3, 0);
  EXPECT_FALSE(cost.isCheap());
}

TEST_F(MaskCostTest, segmentsAreARange) {
  MaskCost cost = costOf("%0 = girih.segments %a : tensor<?xi64>");
  expectCost(cost, 1, 0, 0);
  EXPECT_TRUE(cost.isCheap());
}

TEST_F(MaskCostTest, tablesAreLookedUp) {
  MaskCost table = costOf("%0 = girih.block_table %a, %b size = 64 : tensor<?xi64>, tensor<?xi64>");
  expectCost(table, 0, 0, 1);
  EXPECT_FALSE(table.isCheap());
  expectCost(costOf("%0 = girih.random_blocks size = 64 count = 3 seed = 0"), 0, 0, 1);
}

TEST_F(MaskCostTest, partsOfATreeAreSummed) {
  const char *causal = "%1 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0)>\n";
  MaskCost cost =
      costOf(std::string(causal) + "%2 = girih.segments %a : tensor<?xi64>\n"
                                   "%3 = girih.random_blocks size = 64 count = 3 seed = 0\n"
                                   "%4 = girih.complement %3\n"
                                   "%5 = girih.intersect %1, %2\n"
                                   "%0 = girih.union %5, %4");
  expectCost(cost, 2, 0, 1);
  // A part that is used twice is evaluated twice.
  expectCost(costOf(std::string(causal) + "%2 = girih.complement %1\n"
                                          "%0 = girih.intersect %1, %2"),
             2, 0, 0);
}

TEST_F(MaskCostTest, manyRangesAreNotCheap) {
  std::string six;
  for (int i = 0; i != 6; ++i)
    six += std::string(i ? ", " : "") + "k - " + std::to_string(10 + i) + " >= 0";
  MaskCost cost = costOfWhere(six);
  expectCost(cost, 6, 0, 0);
  EXPECT_TRUE(cost.isCheap());
  cost = costOfWhere(six + ", q - k >= 0");
  expectCost(cost, 7, 0, 0);
  EXPECT_FALSE(cost.isCheap());
}

TEST_F(MaskCostTest, lookups_of_the_key_cost_as_other_constraints_do) {
  const std::string ofQuery =
      "%x = girih.term_lookup %t at affine_map<()[b, h, q, k, nq, nk, n] -> (q)> : tensor<?xi32>\n";
  const std::string ofKey =
      "%y = girih.term_lookup %t at affine_map<()[b, h, q, k, nq, nk, n] -> (k)> : tensor<?xi32>\n";
  MaskCost cost = costOf(ofQuery + "%0 = girih.where affine_set<(b, h, q, k)[nq, nk, n, x] : "
                                   "(x - k >= 0)> terms(%x)");
  EXPECT_EQ(cost.linear, 1);
  EXPECT_EQ(cost.others, 0);
  cost = costOf(ofQuery + ofKey +
                "%0 = girih.where affine_set<(b, h, q, k)[nq, nk, n, x, y] : (x - y == 0)> "
                "terms(%x, %y)");
  EXPECT_EQ(cost.linear, 0);
  EXPECT_EQ(cost.others, 1);
}
