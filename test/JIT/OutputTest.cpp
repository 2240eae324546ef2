//===- OutputTest.cpp - Outputs of the inputs' dtype ----------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves that a kernel which rounds its output writes, bit by bit, what rounding the
// output of the f32 kernel gives, and nothing else: for head dims that end inside a
// vector, any layout of o, rows that see nothing, numbers that are not finite, and tasks
// that several threads share, whose parts stay f32 until they are merged.
//
//===----------------------------------------------------------------------===//

#include "JitTesting.h"

#include "girih/Reference/Rounding.h"

#include <cmath>
#include <limits>

using namespace girih;
using namespace girih::testing;

namespace {

constexpr uint16_t untouched = 0x7ABC; ///< NaN or huge: nothing that a kernel writes here

/// 16-bit copies of the inputs, and room for the output.
class NarrowTensors {
public:
  NarrowTensors(const Sizes &sizes, GirihDType dtype) : wide(sizes), dtype(dtype) {
    wide.roundInputs(dtype);
  }

  /// Launches into o of `dtype` or, without `rounds`, f32. `tokenMajor`: o lies as [B, N,
  /// H, D] with `gap` elements behind each row.
  std::string launch(CompiledKernel &kernel, const Pattern &pattern, bool rounds, int threads,
                     bool tokenMajor = false, int64_t gap = 0) {
    NarrowCopy q(wide.q, dtype), k(wide.k, dtype), v(wide.v, dtype);
    o = wide.o;
    if (rounds) {
      o.dtype = dtype;
      int64_t row = o.shape[3] + gap;
      o.stride[2] = tokenMajor ? row * o.shape[1] : row;
      o.stride[1] = tokenMajor ? row : row * o.shape[2];
      o.stride[0] = row * o.shape[1] * o.shape[2];
      narrow.assign(static_cast<size_t>(o.shape[0] * o.stride[0]), untouched);
      o.data = narrow.data();
    }
    if (llvm::Error error = kernel.launch(q.view, k.view, v.view, o, wide.lse.data(), wide.scale,
                                          patternOperands(pattern), threads))
      return llvm::toString(std::move(error));
    return "";
  }

  /// Whether the rounded output is that of the f32 one, and nothing between its rows is
  /// written.
  void expectRounded() const {
    std::vector<uint16_t> expected(narrow.size(), untouched);
    const int64_t *shape = o.shape;
    for (int64_t b = 0, i = 0; b != shape[0]; ++b)
      for (int64_t h = 0; h != shape[1]; ++h)
        for (int64_t n = 0; n != shape[2]; ++n)
          for (int64_t d = 0; d != shape[3]; ++d, ++i) {
            int64_t at = b * o.stride[0] + h * o.stride[1] + n * o.stride[2] + d;
            float value = wide.oData[i];
            expected[at] = dtype == GIRIH_BF16 ? toBf16(value) : toF16(value);
            // Any NaN will do.
            if (std::isnan(value) &&
                std::isnan(dtype == GIRIH_BF16 ? fromBf16(narrow[at]) : fromF16(narrow[at])))
              expected[at] = narrow[at];
          }
    EXPECT_EQ(narrow, expected);
  }

  Tensors wide; ///< f32 of the same values, and the f32 output

private:
  GirihDType dtype;
  std::vector<uint16_t> narrow;
  GirihView o{};
};

struct Form {
  GirihDType dtype;
  const char *cpu;
};

class Output : public ::testing::TestWithParam<Form> {
protected:
  /// Compiles for o in f32, and in the dtype of the inputs.
  bool compileBoth(const Pattern &pattern, const Sizes &sizes) {
    CompileOptions options = optionsFor(sizes);
    options.dtype = GetParam().dtype;
    options.cpu = GetParam().cpu;
    wide = compile(*session, pattern, options);
    options.oDtype = options.dtype;
    narrow = compile(*session, pattern, options);
    return wide && narrow;
  }
  std::unique_ptr<Session> session = makeSession();
  std::shared_ptr<CompiledKernel> wide, narrow;
};

} // namespace

TEST_P(Output, IsRoundedOnce) {
  for (int64_t vDim : {64, 1, 7, 33}) {
    Sizes sizes{2, 4, 2, 131, 93, 24, vDim}; // bottom right: the first rows see nothing
    ASSERT_TRUE(compileBoth(causal(), sizes));
    EXPECT_EQ(wide->desc().o_dtype, GIRIH_F32);
    EXPECT_EQ(narrow->desc().o_dtype, GetParam().dtype);
    NarrowTensors tensors(sizes, GetParam().dtype);
    ASSERT_EQ(tensors.launch(*wide, causal(), /*rounds=*/false, 1), "");
    for (bool tokenMajor : {false, true})
      for (int64_t gap : {0, 3}) {
        ASSERT_EQ(tensors.launch(*narrow, causal(), /*rounds=*/true, 1, tokenMajor, gap), "");
        tensors.expectRounded();
      }
  }
}

TEST_P(Output, OfPartsIsRoundedOnceMerged) {
  Sizes sizes{1, 2, 1, 70, 3000, 16, 20};
  ASSERT_TRUE(compileBoth(full(), sizes));
  NarrowTensors tensors(sizes, GetParam().dtype);
  for (int threads : {2, 8}) {
    ASSERT_EQ(tensors.launch(*wide, full(), /*rounds=*/false, threads), "");
    ASSERT_EQ(tensors.launch(*narrow, full(), /*rounds=*/true, threads, true, 5), "");
    tensors.expectRounded();
  }
}

TEST_P(Output, KeepsWhatIsNotFinite) {
  Sizes sizes{1, 1, 1, 100, 100, 16, 16};
  ASSERT_TRUE(compileBoth(causal(), sizes));
  NarrowTensors tensors(sizes, GetParam().dtype);
  constexpr float infinity = std::numeric_limits<float>::infinity();
  tensors.wide.qData[7 * 16 + 5] = std::numeric_limits<float>::quiet_NaN();
  tensors.wide.vData[90 * 16 + 2] = infinity;
  tensors.wide.vData[91 * 16 + 3] = -infinity;
  ASSERT_EQ(tensors.launch(*wide, causal(), /*rounds=*/false, 1), "");
  EXPECT_TRUE(std::isnan(tensors.wide.oData[7 * 16]));
  EXPECT_EQ(tensors.wide.oData[95 * 16 + 2], infinity);
  EXPECT_EQ(tensors.wide.oData[95 * 16 + 3], -infinity);
  ASSERT_EQ(tensors.launch(*narrow, causal(), /*rounds=*/true, 1), "");
  tensors.expectRounded();
}

INSTANTIATE_TEST_SUITE_P(Forms, Output,
                         ::testing::Values(Form{GIRIH_BF16, ""}, Form{GIRIH_BF16, "x86-64-v3"},
                                           Form{GIRIH_BF16, "x86-64"}, Form{GIRIH_F16, ""},
                                           Form{GIRIH_F16, "x86-64-v3"},
                                           Form{GIRIH_F16, "x86-64"}));
