//===- Trigonometry.cpp - Sine and cosine as arithmetic -------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// x = n pi / 2 + r with |r| a little above pi / 4 at most; polynomials of r, and n
// says which of them and with which sign. Upstream's polynomials reduce with one
// rounded product, which leaves nothing of r for large x.
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/ScoreMath/Trigonometry.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace girih;

namespace {

/// Of reduceSmall, inclusive; reduceLarge is for what is larger.
constexpr int32_t smallBits = 16;

/// x = n pi / 2 + rest. Of n (i32) only the two lowest bits count.
struct Reduced {
  Value rest, n;
};

struct CircularBuilder {
  ImplicitLocOpBuilder &b;
  Type type; ///< of x

  Type like(Type element) const {
    auto vector = dyn_cast<VectorType>(type);
    return vector ? Type(vector.clone(element)) : element;
  }
  Type i32() const { return like(b.getI32Type()); }
  Type i64() const { return like(b.getI64Type()); }

  Value constant(Type ofType, TypedAttr value) const {
    if (auto vector = dyn_cast<VectorType>(ofType))
      value = DenseElementsAttr::get(vector, Attribute(value));
    return arith::ConstantOp::create(b, value);
  }
  Value real(double value) const {
    return constant(type, b.getF32FloatAttr(static_cast<float>(value)));
  }
  Value integer(int32_t value) const { return constant(i32(), b.getI32IntegerAttr(value)); }
  Value wide(uint64_t value) const {
    return constant(i64(), b.getI64IntegerAttr(static_cast<int64_t>(value)));
  }
  template <typename Op> Value make(Value x, Value y) const { return Op::create(b, x, y); }
  template <typename Op> Value convert(Type to, Value x) const { return Op::create(b, to, x); }
  Value fma(Value x, Value y, Value z) const { return math::FmaOp::create(b, x, y, z); }
  Value select(Value condition, Value x, Value y) const {
    return arith::SelectOp::create(b, condition, x, y);
  }
  Value isAnyBitOf(Value x, int32_t bits) const {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ne, make<arith::AndIOp>(x, integer(bits)),
                                 integer(0));
  }

  /// |x| <= 2^16, thus |n| < 2^16: pi / 2 in pieces of 8 bits, whose products with n
  /// are exact with and without fused multiply-adds, and a last one of 24. What the
  /// four leave out is 6e-17 n.
  Reduced reduceSmall(Value x) const {
    // Adding 1.5 * 2^23 rounds, and leaves n in the low bits of the sum.
    Value magic = real(0x1.8p23);
    Value sum = fma(x, real(0x1.45f306p-1), magic);
    Value negative = make<arith::SubFOp>(magic, sum);
    Value rest = x;
    for (double piece : {0x1.92p+0, 0x1.fp-12, 0x1.6ap-17, 0x1.110b46p-26})
      rest = fma(negative, real(piece), rest);
    return {rest, convert<arith::BitcastOp>(i32(), sum)};
  }

  /// |x| >= 2^16. x = m 2^e with an integer m of 24 bits: of the digits of 2 / pi those
  /// that make multiples of 4 with m 2^e fall out, and 64 of the following ones give
  /// m 2^e 2 / pi modulo 4 as a 64-bit integer, with an error of 2^-38.
  Reduced reduceLarge(Value x) const {
    // 9 zeros and the first 183 binary digits of 2 / pi.
    constexpr uint64_t digits[] = {0x00517cc1b727220a, 0x94fe13abe8fa9a6e, 0xe06db14acc9e21c8};
    Value bits = convert<arith::BitcastOp>(i32(), x);
    Value exponent = make<arith::AndIOp>(make<arith::ShRUIOp>(bits, integer(23)), integer(255));
    // An exponent of 2^16 begins at the first digit, one more at the next.
    Value start = make<arith::SubIOp>(exponent, integer(127 + smallBits));
    Value isSecond = isAnyBitOf(start, 64);
    Value high = select(isSecond, wide(digits[1]), wide(digits[0]));
    Value low = select(isSecond, wide(digits[2]), wide(digits[1]));
    Value shift = make<arith::AndIOp>(start, integer(63));
    Value left = convert<arith::ExtUIOp>(i64(), shift);
    // (low >> 1) >> (63 - shift): a shift by 64 would be poison.
    Value right = convert<arith::ExtUIOp>(i64(), make<arith::XOrIOp>(shift, integer(63)));
    Value window =
        make<arith::OrIOp>(make<arith::ShLIOp>(high, left),
                           make<arith::ShRUIOp>(make<arith::ShRUIOp>(low, wide(1)), right));
    Value mantissa =
        make<arith::OrIOp>(make<arith::AndIOp>(bits, integer(0x7fffff)), integer(0x800000));
    Value product = make<arith::MulIOp>(convert<arith::ExtUIOp>(i64(), mantissa), window);
    // The sign of x: (p ^ -1) + 1 where it is negative.
    Value sign = convert<arith::ExtSIOp>(i64(), make<arith::ShRSIOp>(bits, integer(31)));
    product = make<arith::SubIOp>(make<arith::XOrIOp>(product, sign), sign);
    // Two bits of n, rounded to the nearest, and a signed fraction.
    Value n = make<arith::ShRUIOp>(make<arith::AddIOp>(product, wide(uint64_t(1) << 61)), wide(62));
    Value fraction = convert<arith::TruncIOp>(i32(), make<arith::ShRUIOp>(product, wide(30)));
    Value rest =
        make<arith::MulFOp>(convert<arith::SIToFPOp>(type, fraction), real(0x1.921fb6p-32));
    // Infinities and NaN become NaN.
    rest = make<arith::AddFOp>(rest, make<arith::SubFOp>(x, x));
    return {rest, convert<arith::TruncIOp>(i32(), n)};
  }

  /// reduceLarge where |x| > 2^16 or x is NaN, else reduceSmall.
  Reduced reduce(Value x) const {
    Reduced small = reduceSmall(x);
    Value isLarge = arith::CmpFOp::create(b, arith::CmpFPredicate::UGT, math::AbsFOp::create(b, x),
                                          real(1 << smallBits));
    auto chosen = [&]() -> Reduced {
      Reduced large = reduceLarge(x);
      return {select(isLarge, large.rest, small.rest), select(isLarge, large.n, small.n)};
    };
    auto vector = dyn_cast<VectorType>(type);
    if (!vector || vector.getRank() != 1)
      return chosen();
    Value isAny = vector::ReductionOp::create(b, vector::CombiningKind::OR, isLarge);
    auto branch = scf::IfOp::create(b, TypeRange{type, i32()}, isAny, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    auto yield = [&](Block *block, llvm::function_ref<Reduced()> make) {
      b.setInsertionPointToStart(block);
      Reduced reduced = make();
      scf::YieldOp::create(b, ValueRange{reduced.rest, reduced.n});
    };
    yield(branch.thenBlock(), chosen);
    yield(branch.elseBlock(), [&] { return small; });
    return {branch.getResult(0), branch.getResult(1)};
  }

  /// c[0] + c[1] x + ... by Horner's rule.
  Value polynomial(Value x, ArrayRef<double> c) const {
    Value p = real(c.back());
    for (double coefficient : llvm::reverse(c.drop_back()))
      p = fma(p, x, real(coefficient));
    return p;
  }

  /// Least maximum of the relative error for |r| < 0.795: 4.2e-9 and 1.4e-10. The last
  /// sum of the cosine subtracts from 1, so that it stays within 1.
  Value ofReduced(Reduced reduced, Circular function) const {
    Value r = reduced.rest, square = make<arith::MulFOp>(r, r);
    Value sine = polynomial(square, {-1.6666653752e-01, 8.3321025595e-03, -1.9507274556e-04});
    sine = fma(sine, make<arith::MulFOp>(square, r), r);
    Value cosine =
        polynomial(square, {1, -0.5, 4.1666645557e-02, -1.3887237292e-03, 2.4424005460e-05});
    Value n = reduced.n;
    if (function == Circular::Cosine) // cos x = sin(x + pi / 2)
      n = make<arith::AddIOp>(n, integer(1));
    Value result = select(isAnyBitOf(n, 1), cosine, sine);
    return select(isAnyBitOf(n, 2), arith::NegFOp::create(b, result), result);
  }
};

} // namespace

Value girih::buildCircular(ImplicitLocOpBuilder &b, Value x, Circular function) {
  CircularBuilder builder{b, x.getType()};
  return builder.ofReduced(builder.reduce(x), function);
}
