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

  /// The high 32 bits of the product of x and y, both extended by `Extend`.
  template <typename Extend> Value highProduct(Value x, Value y) const {
    Value product = make<arith::MulIOp>(convert<Extend>(i64(), x), convert<Extend>(i64(), y));
    return convert<arith::TruncIOp>(
        i32(), make<arith::ShRUIOp>(product, constant(i64(), b.getI64IntegerAttr(32))));
  }

  /// The high half of (high, low) << shift, for a shift below 32.
  Value funnel(Value high, Value low, Value shift) const {
    // A shift by 32 would be poison.
    Value right = make<arith::XOrIOp>(shift, integer(31));
    return make<arith::OrIOp>(make<arith::ShLIOp>(high, shift),
                              make<arith::ShRUIOp>(make<arith::ShRUIOp>(low, integer(1)), right));
  }

  /// |x| >= 2^16. |x| = m 2^e with an integer m of 24 bits: of the digits of 2 / pi
  /// those that make multiples of 4 with m 2^e fall out, and 64 of the following ones
  /// give m 2^e 2 / pi modulo 4 as a 64-bit integer, with an error of 2^-38. The sign of
  /// x comes last, so that a sine is odd. In words of 32 bits: a GPU has no others.
  Reduced reduceLarge(Value x) const {
    // 9 zeros and the first 183 binary digits of 2 / pi.
    constexpr uint32_t digits[] = {0x00517cc1, 0xb727220a, 0x94fe13ab,
                                   0xe8fa9a6e, 0xe06db14a, 0xcc9e21c8};
    Value bits = convert<arith::BitcastOp>(i32(), x);
    Value exponent = make<arith::AndIOp>(make<arith::ShRUIOp>(bits, integer(23)), integer(255));
    // An exponent of 2^16 begins at the first digit, one more at the next.
    Value start = make<arith::SubIOp>(exponent, integer(127 + smallBits));
    SmallVector<Value> words;
    for (uint32_t word : digits)
      words.push_back(integer(static_cast<int32_t>(word)));
    for (unsigned count : {2, 1}) {
      Value isBehind = isAnyBitOf(start, static_cast<int32_t>(32 * count));
      for (size_t i = 0; i + count != words.size(); ++i)
        words[i] = select(isBehind, words[i + count], words[i]);
      words.pop_back_n(count);
    }
    Value shift = make<arith::AndIOp>(start, integer(31));
    Value high = funnel(words[0], words[1], shift), low = funnel(words[1], words[2], shift);
    Value m = make<arith::OrIOp>(make<arith::AndIOp>(bits, integer(0x7fffff)), integer(0x800000));
    high = make<arith::AddIOp>(make<arith::MulIOp>(m, high), highProduct<arith::ExtUIOp>(m, low));
    low = make<arith::MulIOp>(m, low);
    // Two bits of n, rounded to the nearest, and a signed fraction, in units of 2^-32.
    Value n = make<arith::ShRUIOp>(make<arith::AddIOp>(high, integer(1 << 29)), integer(30));
    Value fraction = funnel(high, low, integer(2));
    // |rest| 2^31 is fraction pi / 4 = fraction - fraction 921707870 / 2^32, as an integer:
    // of all that is done here the conversion alone rounds. The one stands for what the
    // fraction and the product lose by rounding down.
    Value scaled =
        make<arith::AddIOp>(fraction, highProduct<arith::ExtSIOp>(fraction, integer(-921707870)));
    scaled = make<arith::AddIOp>(scaled, integer(1));
    Value unit = math::CopySignOp::create(b, real(0x1p-31), x);
    Value rest = make<arith::MulFOp>(convert<arith::SIToFPOp>(type, scaled), unit);
    // Infinities and NaN become NaN.
    rest = make<arith::AddFOp>(rest, make<arith::SubFOp>(x, x));
    // (n ^ -1) + 1 where x is negative.
    Value sign = make<arith::ShRSIOp>(bits, integer(31));
    return {rest, make<arith::SubIOp>(make<arith::XOrIOp>(n, sign), sign)};
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
  Value build(Value x, Circular function) const {
    Reduced reduced = reduce(x);
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
  return CircularBuilder{b, x.getType()}.build(x, function);
}
