//===- ErrorsTest.cpp - Bad options and bad launches ----------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every message names the argument and both values.
//
//===----------------------------------------------------------------------===//

#include "JitTesting.h"

#include <functional>
#include <limits>

using namespace girih;
using namespace girih::testing;

//===----------------------------------------------------------------------===//
// Options
//===----------------------------------------------------------------------===//

namespace {

struct BadOptions {
  std::function<void(CompileOptions &)> change;
  int code;
  std::vector<const char *> parts; ///< of the message
};

} // namespace

TEST(CompileErrors, OptionsAreChecked) {
  auto session = makeSession();
  const BadOptions cases[] = {
      {[](CompileOptions &o) { o.headDim = 0; }, GIRIH_INVALID, {"dim 0", "at least 1"}},
      {[](CompileOptions &o) { o.headDim = -1; }, GIRIH_INVALID, {"dim -1"}},
      {[](CompileOptions &o) { o.vDim = -3; }, GIRIH_INVALID, {"v-dim -3"}},
      {[](CompileOptions &o) { o.headDim = 257; }, GIRIH_UNSUPPORTED, {"257", "1 to 256"}},
      {[](CompileOptions &o) { o.vDim = 300; }, GIRIH_UNSUPPORTED, {"300", "1 to 256"}},
      {[](CompileOptions &o) { o.tileQ = 24; }, GIRIH_UNSUPPORTED, {"24", "multiple of 16"}},
      {[](CompileOptions &o) { o.tileK = 12; }, GIRIH_UNSUPPORTED, {"12", "multiple of 8"}},
      {[](CompileOptions &o) { o.tileQ = -16; }, GIRIH_UNSUPPORTED, {"-16"}},
      {[](CompileOptions &o) { o.tileK = 2048; }, GIRIH_UNSUPPORTED, {"2048", "1024"}},
      {[](CompileOptions &o) { o.cpu = "z80"; }, GIRIH_INVALID, {"'z80'"}},
      // 3 is a value of the enumeration's type, and none of its names.
      {[](CompileOptions &o) { o.dtype = static_cast<GirihDType>(3); },
       GIRIH_INVALID,
       {"f32, bf16 or f16", "3"}},
      {[](CompileOptions &o) { o.oDtype = GIRIH_BF16; },
       GIRIH_INVALID,
       {"expected the dtype of o to be f32, but got bf16"}},
      {[](CompileOptions &o) {
         o.dtype = GIRIH_BF16;
         o.oDtype = GIRIH_F16;
       },
       GIRIH_INVALID,
       {"expected the dtype of o to be f32 or bf16, but got f16"}},
      {[](CompileOptions &o) { o.oDtype = static_cast<GirihDType>(3); },
       GIRIH_INVALID,
       {"expected the dtype of o to be f32, but got 3"}},
  };
  for (const BadOptions &bad : cases) {
    CompileOptions options;
    bad.change(options);
    int code = 0;
    std::string message = compileError(*session, causal(), options, &code);
    EXPECT_EQ(code, bad.code) << message;
    for (const char *part : bad.parts)
      EXPECT_NE(message.find(part), std::string::npos) << message << " has no " << part;
  }
  EXPECT_EQ(session->compilations(), 0);
}

TEST(CompileErrors, PatternsAreChecked) {
  auto session = makeSession();
  int code = 0;
  std::string message = compileError(*session, Pattern(), {}, &code);
  EXPECT_EQ(code, GIRIH_INVALID);
  EXPECT_NE(message.find("expected a pattern, but got none"), std::string::npos) << message;
  for (const Pattern &pattern :
       {window(-1), strided(0), chunk(-4), segments({1, 2}),
        predicate([](Index, Index, Index q, Index k) { return q / k == Index(0); })}) {
    message = compileError(*session, pattern, {}, &code);
    EXPECT_EQ(code, GIRIH_INVALID) << pattern.str() << ": " << message;
    EXPECT_NE(message.find("expected"), std::string::npos) << message;
  }
}

TEST(CompileErrors, UnknownStage) {
  auto session = makeSession();
  auto text = session->emit(causal(), {}, "ptx");
  ASSERT_FALSE(bool(text));
  std::string message = llvm::toString(text.takeError());
  EXPECT_NE(message.find("'ptx'"), std::string::npos) << message;
  EXPECT_NE(message.find("supported: "), std::string::npos) << message;
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

namespace {

struct BadLaunch {
  std::function<void(Tensors &)> change;
  std::vector<const char *> parts;
};

class LaunchErrors : public ::testing::Test {
protected:
  void SetUp() override {
    session = makeSession();
    kernel = compile(*session, causal(), optionsFor(sizes));
    ASSERT_TRUE(kernel);
  }

  void expect(const BadLaunch &bad, llvm::ArrayRef<GirihOperand> operands = {}, int threads = 1) {
    Tensors t(sizes);
    bad.change(t);
    llvm::Error error =
        kernel->launch(t.q, t.k, t.v, t.o, t.lse.data(), t.scale, operands, threads);
    std::string message = llvm::toString(std::move(error));
    EXPECT_NE(message, "");
    for (const char *part : bad.parts)
      EXPECT_NE(message.find(part), std::string::npos) << "'" << message << "' has no " << part;
  }

  Sizes sizes{2, 4, 2, 40, 40, 16, 24};
  std::unique_ptr<Session> session;
  std::shared_ptr<CompiledKernel> kernel;
};

} // namespace

TEST_F(LaunchErrors, Dtypes) {
  expect({[](Tensors &t) { t.q.dtype = GIRIH_BF16; }, {" q ", "f32", "bf16"}});
  expect({[](Tensors &t) { t.k.dtype = GIRIH_F16; }, {" k ", "f32", "f16"}});
  expect({[](Tensors &t) { t.v.dtype = 9; }, {" v ", "f32", "9"}});
  expect({[](Tensors &t) { t.o.dtype = GIRIH_BF16; }, {" o ", "f32", "bf16"}});
}

TEST_F(LaunchErrors, Extents) {
  expect({[](Tensors &t) { t.q.shape[2] = 0; }, {" q ", "positive", "0"}});
  expect({[](Tensors &t) { t.k.shape[0] = -1; }, {" k ", "positive", "-1"}});
  expect({[](Tensors &t) { t.v.shape[2] = 39; }, {" v ", "40", "39"}});
  expect({[](Tensors &t) { t.o.shape[2] = 41; }, {" o ", "40", "41"}});
  expect({[](Tensors &t) { t.k.shape[0] = 1; }, {" k ", "2", "1"}});
  expect({[](Tensors &t) { t.q.shape[2] = t.o.shape[2] = int64_t(1) << 40; },
          {" q", "1099511627776"}});
}

TEST_F(LaunchErrors, Strides) {
  expect({[](Tensors &t) { t.q.stride[3] = 2; }, {" q ", "1", "2"}});
  expect({[](Tensors &t) { t.o.stride[3] = 0; }, {" o ", "1", "0"}});
  expect(
      {[](Tensors &t) { t.k.stride[0] = std::numeric_limits<int64_t>::max(); }, {" k ", "64-bit"}});
  expect(
      {[](Tensors &t) { t.k.stride[0] = std::numeric_limits<int64_t>::min(); }, {" k ", "64-bit"}});
}

TEST_F(LaunchErrors, Heads) {
  expect({[](Tensors &t) { t.k.shape[1] = t.v.shape[1] = 3; }, {" q ", " k", "4", "3"}});
  expect({[](Tensors &t) { t.v.shape[1] = 1; }, {" v ", "2", "1"}});
  expect({[](Tensors &t) { t.o.shape[1] = 2; }, {" o ", "4", "2"}});
}

TEST_F(LaunchErrors, HeadDims) {
  expect({[](Tensors &t) { t.q.shape[3] = 8; }, {" q ", "16", "8"}});
  expect({[](Tensors &t) { t.k.shape[3] = 15; }, {" k ", "16", "15"}});
  expect({[](Tensors &t) { t.v.shape[3] = 16; }, {" v ", "24", "16"}});
  expect({[](Tensors &t) { t.o.shape[3] = 23; }, {" o ", "24", "23"}});
}

TEST_F(LaunchErrors, Data) {
  expect({[](Tensors &t) { t.q.data = nullptr; }, {" q ", "null"}});
  expect({[](Tensors &t) { t.o.data = nullptr; }, {" o ", "null"}});
}

TEST_F(LaunchErrors, Scale) {
  expect({[](Tensors &t) { t.scale = std::numeric_limits<float>::infinity(); }, {"scale", "inf"}});
  expect({[](Tensors &t) { t.scale = std::numeric_limits<float>::quiet_NaN(); }, {"scale", "nan"}});
}

TEST_F(LaunchErrors, Threads) {
  expect({[](Tensors &) {}, {"threads", "-2"}}, {}, -2);
}

TEST_F(LaunchErrors, Operands) {
  int64_t offsets[] = {0, 40};
  GirihOperand extra{offsets, 2, nullptr, GIRIH_OPERAND_I64, 0, {}};
  expect({[](Tensors &) {}, {"operand", "0", "1"}}, {extra});

  Pattern pattern = segments({0, 10, 40});
  kernel = compile(*session, pattern, optionsFor(sizes));
  ASSERT_TRUE(kernel);
  expect({[](Tensors &) {}, {"operand", "1", "0"}});
  struct Bad {
    std::vector<int64_t> offsets;
    const char *part;
  };
  const Bad cases[] = {
      {{1, 40}, "1"}, {{0, 39}, "39"}, {{0, 41}, "41"}, {{0, 20, 10, 40}, "10"}, {{}, "offsets"}};
  for (const Bad &bad : cases) {
    GirihOperand operand{
        bad.offsets.data(), int64_t(bad.offsets.size()), nullptr, GIRIH_OPERAND_I64, 0, {}};
    expect({[](Tensors &) {}, {"offsets", bad.part}}, {operand});
  }
  GirihOperand null{nullptr, 3, nullptr, GIRIH_OPERAND_I64, 0, {}};
  expect({[](Tensors &) {}, {"operand"}}, {null});
}

/// A refused launch writes nothing.
TEST_F(LaunchErrors, OutputsStayUntouched) {
  Tensors t(sizes);
  t.scale = std::numeric_limits<float>::infinity();
  EXPECT_NE(launch(*kernel, t, causal()), "");
  for (float value : t.oData)
    ASSERT_TRUE(value != value);
}
