//===- IndexArithmeticTest.cpp - Numbers near 2^31 and 2^63 ---------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves that index arithmetic is an error or right, never wrapped: predicates with
// numbers near powers of two become map programs of which the root, the closed
// forms and the reverse closed forms say at the ends of every position what the
// predicate says in 128 bits, without any node leaving 64.
//
//===----------------------------------------------------------------------===//

#include "girih/Analysis/IndexForm.h"
#include "girih/Analysis/MapProgram.h"
#include "girih/Frontend/EmitIR.h"
#include "girih/Frontend/Parser.h"
#include "girih/Pipelines/Pipelines.h"
#include "girih/Reference/Dice.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Pass/PassManager.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

using namespace girih;

namespace {

using Wide = __int128;

uint64_t testSeed() {
  const char *text = std::getenv("GIRIH_TEST_SEED");
  uint64_t seed = text ? std::strtoull(text, nullptr, 10) : 20261122;
  std::printf("GIRIH_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

/// One pair and the lengths around it.
struct Point {
  int64_t b, h, q, k, nq, nk, end;
};

Wide floorDivide(Wide a, Wide b) { return a / b - (a % b < 0); }

/// A predicate's expression at a point; booleans are 0 and 1.
Wide valueOf(const Expr &expr, const Point &at) {
  Wide a = expr.lhs ? valueOf(*expr.lhs, at) : 0, b = expr.rhs ? valueOf(*expr.rhs, at) : 0;
  const int64_t variables[] = {at.b, at.h, at.q, at.k, at.nq, at.nk};
  switch (expr.kind) {
  case ExprKind::Constant:
    return expr.value;
  case ExprKind::Variable:
    return variables[static_cast<int>(expr.var)];
  case ExprKind::Add:
    return a + b;
  case ExprKind::Sub:
    return a - b;
  case ExprKind::Mul:
    return a * b;
  case ExprKind::Div:
    return floorDivide(a, b);
  case ExprKind::Mod:
    return a - b * floorDivide(a, b);
  case ExprKind::Min:
    return std::min(a, b);
  case ExprKind::Max:
    return std::max(a, b);
  case ExprKind::Abs:
    return a < 0 ? -a : a;
  case ExprKind::Neg:
    return -a;
  case ExprKind::Lt:
    return a < b;
  case ExprKind::Le:
    return a <= b;
  case ExprKind::Gt:
    return a > b;
  case ExprKind::Ge:
    return a >= b;
  case ExprKind::Eq:
    return a == b;
  case ExprKind::Ne:
    return a != b;
  case ExprKind::And:
    return a && b;
  case ExprKind::Or:
    return a || b;
  case ExprKind::Not:
    return !a;
  case ExprKind::True:
    return 1;
  case ExprKind::False:
    return 0;
  default:
    ADD_FAILURE() << "expected integers and booleans without lookups";
    return 0;
  }
}

/// Every node of a program at a point; `wrapped` when one leaves 64 bits.
std::vector<Wide> evaluate(const GirihMapProgram &program, const Point &at, bool &wrapped) {
  const Wide variables[] = {at.b, at.h, at.q, at.k, at.nq, at.nk, at.end};
  std::vector<Wide> values;
  for (int32_t i = 0; i < program.num_nodes; ++i) {
    const GirihMapNode &n = program.nodes[i];
    Wide a = n.a < 0 ? 0 : values[n.a], b = n.b < 0 ? 0 : values[n.b], value = 0;
    switch (n.op) {
    case GIRIH_MAP_CONST:
      value = n.imm;
      break;
    case GIRIH_MAP_VAR:
      value = variables[n.imm];
      break;
    case GIRIH_MAP_ADD:
      value = a + b;
      break;
    case GIRIH_MAP_MUL:
      value = a * b;
      break;
    case GIRIH_MAP_FLOORDIV:
      value = floorDivide(a, n.imm);
      break;
    case GIRIH_MAP_MOD:
      value = a - n.imm * floorDivide(a, n.imm);
      break;
    case GIRIH_MAP_TRUE:
      value = 1;
      break;
    case GIRIH_MAP_GE0:
      value = a >= 0;
      break;
    case GIRIH_MAP_EQ0:
      value = a == 0;
      break;
    case GIRIH_MAP_AND:
      value = a && b;
      break;
    case GIRIH_MAP_OR:
      value = a || b;
      break;
    case GIRIH_MAP_NOT:
      value = !a;
      break;
    default:
      break;
    }
    wrapped |= value > INT64_MAX || value < INT64_MIN;
    values.push_back(value);
  }
  return values;
}

/// Whether a term's guards hold and its bounds include `solved`.
bool holds(const GirihMapProgram &program, const GirihMapTerm &term,
           const std::vector<Wide> &values, int64_t solved) {
  const int32_t *node = program.term_nodes + term.first;
  for (int32_t i = 0; i < term.num_guards; ++i)
    if (!values[*node++])
      return false;
  for (int32_t i = 0; i < term.num_lower; ++i)
    if (values[*node++] > solved)
      return false;
  for (int32_t i = 0; i < term.num_upper; ++i)
    if (values[*node++] < solved)
      return false;
  return true;
}

class IndexArithmetic : public testing::Test {
protected:
  IndexArithmetic() {
    mlir::DialectRegistry registry;
    registerDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    context.getDiagEngine().registerHandler(
        [&](mlir::Diagnostic &diagnostic) { message = diagnostic.str(); });
  }

  /// The map program of a predicate, or null when it was refused with a message.
  std::unique_ptr<MapProgram> compile(const std::string &text, Pattern &pattern) {
    message.clear();
    ParseResult parsed = parsePattern(text);
    if (!parsed) {
      message = parsed.error;
      return nullptr;
    }
    pattern = parsed.pattern;
    KernelSpec spec;
    spec.element = spec.output = mlir::Float32Type::get(&context);
    mlir::OwningOpRef<mlir::ModuleOp> module = emitKernel(&context, pattern, spec);
    mlir::PassManager passes(&context);
    buildBlocksPipeline(passes, PipelineOptions());
    if (mlir::failed(passes.run(*module)))
      return nullptr;
    std::unique_ptr<MapProgram> program;
    module->walk([&](BlockMapOp op) { program = buildMapProgram(op.getPattern()); });
    return program;
  }

  /// Compares the program with the predicate at corners of the positions and at
  /// points within. Empty, or what differs.
  std::string compare(const MapProgram &compiled, const Expr &expr, std::mt19937_64 &random) {
    const GirihMapProgram &program = compiled.get();
    Dice dice(random);
    auto within = [&](int64_t first, int64_t last) {
      return dice.between(0, 2)
                 ? dice.pick<int64_t>({first, last, std::clamp<int64_t>(0, first, last)})
                 : dice.between(first, last);
    };
    for (int i = 0; i < 200; ++i) {
      Point at{};
      at.b = dice.pick<int64_t>({0, 1, GIRIH_MAX_HEADS - 1});
      at.h = dice.pick<int64_t>({0, 1, 5, GIRIH_MAX_HEADS - 1});
      at.nq = dice.pick<int64_t>({1, 7, 200, 1 << 20, GIRIH_MAX_TOKENS});
      at.nk = dice.pick<int64_t>({1, 9, 200, 1 << 20, GIRIH_MAX_TOKENS});
      at.end = dice.pick<int64_t>({at.nq, at.nk}); // top-left and bottom-right
      at.q = within(at.end - at.nq, at.end - 1);
      at.k = within(0, at.nk - 1);
      bool wrapped = false;
      std::vector<Wide> values = evaluate(program, at, wrapped);
      std::string where = " at q = " + std::to_string(at.q) + ", k = " + std::to_string(at.k) +
                          ", h = " + std::to_string(at.h) + ", b = " + std::to_string(at.b) +
                          ", nq = " + std::to_string(at.nq) + ", nk = " + std::to_string(at.nk);
      if (wrapped)
        return "a node leaves 64 bits" + where;
      bool truth = valueOf(expr, at) != 0;
      if ((values[program.root] != 0) != truth)
        return "the root differs" + where;
      bool found = false;
      for (int32_t t = 0; t < program.num_forward; ++t)
        found |= holds(program, program.forward[t], values, at.k);
      if (program.num_forward && found != truth)
        return "the forward terms differ" + where;
      found = false;
      for (int32_t t = 0; t < program.num_reverse; ++t)
        found |= holds(program, program.reverse[t], values, at.q);
      if (program.num_reverse && found != truth)
        return "the reverse terms differ" + where;
    }
    return "";
  }

  mlir::MLIRContext context;
  std::string message;
};

/// Draws predicates whose numbers lie at the edges.
class Generator {
public:
  explicit Generator(uint64_t seed) : random(seed) {}

  int below(int bound) { return std::uniform_int_distribution<int>(0, bound - 1)(random); }

  std::string number() {
    static constexpr int powers[] = {0, 3, 7, 16, 26, 27, 30, 31, 32, 36, 37, 40, 52, 60, 61, 62};
    int64_t power = int64_t(1) << powers[below(std::size(powers))];
    switch (below(5)) {
    case 0:
      return std::to_string(power - 1);
    case 1:
      return std::to_string(power + 1);
    case 2:
      return std::to_string(below(200));
    case 3:
      return below(8) ? std::to_string(-power) : "9223372036854775807";
    default:
      return std::to_string(power);
    }
  }

  /// A divisor is positive.
  std::string divisor() {
    std::string text = number();
    return text[0] == '-' || text == "0" ? "3" : text;
  }

  std::string integer(int depth) {
    if (depth <= 0 || below(5) == 0) {
      static constexpr const char *leaves[] = {"q", "q", "q", "k", "k", "k", "h", "b", "nq", "nk"};
      return below(4) ? leaves[below(std::size(leaves))] : number();
    }
    std::string a = integer(depth - 1);
    switch (below(11)) {
    case 0:
    case 1:
      return "(" + a + " + " + integer(depth - 1) + ")";
    case 2:
    case 3:
      return "(" + a + " - " + integer(depth - 1) + ")";
    case 4:
      return "(" + a + " * " + integer(depth - 2) + ")";
    case 5:
      return "(" + a + " * " + number() + ")";
    case 6:
    case 7:
      return "(" + a + " / " + divisor() + ")";
    case 8:
      return "(" + a + " % " + divisor() + ")";
    case 9:
      return std::string(below(2) ? "min(" : "max(") + a + ", " + integer(depth - 1) + ")";
    default:
      return below(2) ? "abs(" + a + ")" : "(-" + a + ")";
    }
  }

  std::string condition(int depth) {
    static constexpr const char *signs[] = {" < ", " <= ", " > ", " >= ", " == ", " != "};
    if (depth <= 0 || below(3))
      return "(" + integer(3) + signs[below(std::size(signs))] + integer(2) + ")";
    if (below(4) == 0)
      return "!" + condition(depth - 1);
    return "(" + condition(depth - 1) + (below(2) ? " && " : " || ") + condition(depth - 1) + ")";
  }

  std::mt19937_64 random;
};

TEST_F(IndexArithmetic, IsRightOrRefused) {
  uint64_t seed = testSeed();
  const char *text = std::getenv("GIRIH_TEST_CASES");
  int64_t cases = text ? std::strtoll(text, nullptr, 10) : 1500, compiled = 0, closed = 0;
  for (int64_t i = 0; i < cases; ++i) {
    Generator generate(seed + static_cast<uint64_t>(i));
    std::string predicate = "{ " + generate.condition(2) + " }";
    Pattern pattern;
    std::unique_ptr<MapProgram> program = compile(predicate, pattern);
    if (!program) {
      ASSERT_FALSE(message.empty()) << predicate;
      continue;
    }
    ++compiled;
    closed += program->get().num_forward > 0;
    std::string difference = compare(*program, *pattern->expr, generate.random);
    ASSERT_EQ(difference, "") << predicate
                              << "\nGIRIH_TEST_SEED=" << seed + static_cast<uint64_t>(i)
                              << " GIRIH_TEST_CASES=1";
  }
  std::printf("%lld of %lld compiled, %lld in closed form\n", static_cast<long long>(compiled),
              static_cast<long long>(cases), static_cast<long long>(closed));
  if (!text) { // neither side of "right or refused" may be empty
    EXPECT_GT(compiled, cases / 4);
    EXPECT_LT(compiled, cases);
    EXPECT_GT(closed, cases / 20);
  }
}

/// The quotients are always 0, so that their products have no bounds to leave.
TEST_F(IndexArithmetic, FactorsOfZeroDoNotWrap) {
  std::mt19937_64 random(1);
  for (const char *predicate :
       {"{ (k / 1099511627776) * 1099511627776 * 1099511627776 + q >= 5 }",
        "{ (k / 67108865) * 4611686018427387904 >= q - k }",
        "{ q - 4611686018427387904 * (k / 134217728) - 4611686018427387904 * (k / 134217728) >= "
        "4611686018427387904 * (k / 134217728) }",
        "{ (h / 1048577) * 4611686018427387904 + k <= q }"}) {
    Pattern pattern;
    std::unique_ptr<MapProgram> program = compile(predicate, pattern);
    if (program)
      EXPECT_EQ(compare(*program, *pattern->expr, random), "") << predicate;
    else
      EXPECT_NE(message, "") << predicate;
  }
}

/// For h = 2^28 the bound 2^36 h would be 2^64.
TEST_F(IndexArithmetic, HeadsBeyondTheProofAreRefused) {
  Pattern pattern;
  std::unique_ptr<MapProgram> program = compile("{ k / 68719476736 >= h }", pattern);
  ASSERT_TRUE(program);
  GirihMapParams params{};
  params.batch = params.num_q = params.num_k = params.tile_q = params.tile_k = 1;
  params.heads = int64_t(1) << 28;
  GirihBlockMap *map = nullptr;
  GirihStatus status{};
  EXPECT_EQ(girihBlockMapBuild(&program->get(), &params, &map, &status), GIRIH_UNSUPPORTED);
  EXPECT_STREQ(status.message, "expected heads to be at most 1048576, but got 268435456");
}

} // namespace
