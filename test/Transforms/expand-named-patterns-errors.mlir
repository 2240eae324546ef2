// What girih-expand-named-patterns can't expand is an error at the op.
// RUN: girih-opt %s --girih-expand-named-patterns --verify-diagnostics --split-input-file

// expected-error @+1 {{expected patterns to be made in the function that uses them}}
func.func @pattern_argument(%p: !girih.pattern) -> !girih.pattern {
  return %p : !girih.pattern
}

// -----

// expected-error @+1 {{expected patterns to be made in the function that uses them}}
func.func @operand_is_an_argument(%p: !girih.pattern) -> !girih.pattern {
  %0 = girih.complement %p
  return %0 : !girih.pattern
}

// -----

func.func private @choose() -> !girih.pattern

func.func @pattern_of_a_call() -> !girih.pattern {
  // expected-error @+1 {{'func.call' op is not a pattern that can be expanded}}
  %0 = func.call @choose() : () -> !girih.pattern
  return %0 : !girih.pattern
}

// -----

func.func @blocks_beyond_2_61() -> !girih.pattern {
  %0 = girih.causal
  // expected-error @+1 {{'girih.blockwise' op expected nested block sizes to multiply to at most 2^61, but got 2 x 2305843009213693952}}
  %1 = girih.blockwise %0 size = 2305843009213693952
  %2 = girih.blockwise %1 size = 2
  return %2 : !girih.pattern
}

// -----

func.func @set_beyond_62_bits() -> !girih.pattern {
  // expected-error @+1 {{'girih.where' op expected index arithmetic to stay within 62 bits for lengths up to 2^26}}
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (k * 137438953472 >= 0)>
  return %0 : !girih.pattern
}

// -----

func.func @not_index_arithmetic() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    // expected-error @+2 {{'arith.shli' op is not index arithmetic that a predicate can use}}
    // expected-note @+1 {{supported: arith constants, addi, subi, muli, floordivsi, divsi, remsi, minsi, maxsi, cmpi, select, andi, ori, xori, affine.apply and girih.lookup}}
    %1 = arith.shli %q, %k : index
    %2 = arith.cmpi sge, %1, %k : index
    girih.yield %2 : i1
  }
  return %0 : !girih.pattern
}

// -----

func.func @constant_beyond_62_bits() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    // expected-error @+1 {{'arith.constant' op expected index arithmetic to stay within 62 bits for lengths up to 2^26}}
    %1 = arith.constant 9223372036854775807 : index
    %2 = arith.cmpi sge, %1, %k : index
    girih.yield %2 : i1
  }
  return %0 : !girih.pattern
}

// -----

// 2^26 times 2^37 is 2^63.
func.func @product_with_constant_beyond_62_bits() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %c = arith.constant 137438953472 : index
    // expected-error @+1 {{'arith.muli' op expected index arithmetic to stay within 62 bits for lengths up to 2^26}}
    %1 = arith.muli %k, %c : index
    %2 = arith.cmpi sge, %1, %q : index
    girih.yield %2 : i1
  }
  return %0 : !girih.pattern
}

// -----

// The product of constants is not folded before it is checked: it would wrap to 0.
func.func @product_of_constants_beyond_62_bits() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %c = arith.constant 1099511627776 : index
    // expected-error @+1 {{'arith.muli' op expected index arithmetic to stay within 62 bits for lengths up to 2^26}}
    %1 = arith.muli %c, %c : index
    %2 = arith.cmpi sge, %1, %q : index
    girih.yield %2 : i1
  }
  return %0 : !girih.pattern
}

// -----

func.func @product_of_variables_beyond_62_bits() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %1 = arith.muli %k, %q : index
    // expected-error @+1 {{'arith.muli' op expected index arithmetic to stay within 62 bits for lengths up to 2^26}}
    %2 = arith.muli %1, %nk : index
    %3 = arith.cmpi sge, %2, %q : index
    girih.yield %3 : i1
  }
  return %0 : !girih.pattern
}

// -----

// The difference of a comparison counts too.
func.func @comparison_beyond_62_bits() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %c = arith.constant 4611686018427387904 : index
    // expected-error @+1 {{'arith.cmpi' op expected index arithmetic to stay within 62 bits for lengths up to 2^26}}
    %1 = arith.cmpi sge, %q, %c : index
    girih.yield %1 : i1
  }
  return %0 : !girih.pattern
}

// -----

// Verified: a constant, and not zero. Refused: below zero.
func.func @negative_divisor() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %c = arith.constant -2 : index
    // expected-error @+1 {{'arith.floordivsi' op expected the divisor to be a positive constant}}
    %1 = arith.floordivsi %q, %c : index
    %2 = arith.cmpi sge, %1, %k : index
    girih.yield %2 : i1
  }
  return %0 : !girih.pattern
}

// -----

func.func @apply_with_variable_divisor() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    // expected-error @+1 {{'affine.apply' op expected divisors to be positive constants}}
    %1 = affine.apply affine_map<(d0)[s0] -> (d0 floordiv s0)> (%q)[%nk]
    %2 = arith.cmpi sge, %1, %k : index
    girih.yield %2 : i1
  }
  return %0 : !girih.pattern
}

// -----

func.func @order_of_booleans() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %1 = arith.cmpi sge, %q, %k : index
    %2 = arith.cmpi sge, %h, %b : index
    // expected-error @+1 {{'arith.cmpi' op expected eq or ne between booleans}}
    %3 = arith.cmpi slt, %1, %2 : i1
    girih.yield %3 : i1
  }
  return %0 : !girih.pattern
}

// -----

func.func @unsigned_comparison() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    // expected-error @+1 {{'arith.cmpi' op expected a signed comparison in a predicate}}
    %1 = arith.cmpi uge, %q, %k : index
    girih.yield %1 : i1
  }
  return %0 : !girih.pattern
}

// -----

func.func @bitwise_and() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    // expected-error @+1 {{'arith.andi' op expected i1 operands in a predicate, but got 'index'}}
    %1 = arith.andi %q, %k : index
    %2 = arith.cmpi sge, %1, %k : index
    girih.yield %2 : i1
  }
  return %0 : !girih.pattern
}

// -----

// Ten sums of two minima each: 2^10 cases.
func.func @sum_of_minima() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %1 = arith.minsi %q, %nk : index
    %2 = arith.addi %1, %1 : index
    %3 = arith.addi %2, %2 : index
    %4 = arith.addi %3, %3 : index
    // expected-error @+1 {{'arith.addi' op expected a predicate with at most 512 cases of min, max and select in one expression, but got 65536}}
    %5 = arith.addi %4, %4 : index
    %6 = arith.cmpi sge, %5, %k : index
    girih.yield %6 : i1
  }
  return %0 : !girih.pattern
}

// -----

func.func @comparison_of_minima() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %1 = arith.minsi %q, %nk : index
    %2 = arith.addi %1, %1 : index
    %3 = arith.addi %2, %2 : index
    %4 = arith.addi %3, %3 : index
    // expected-error @+1 {{'arith.cmpi' op expected a predicate with at most 512 cases of min, max and select in one comparison, but got 65536}}
    %5 = arith.cmpi sge, %4, %4 : index
    girih.yield %5 : i1
  }
  return %0 : !girih.pattern
}

// -----

// A product takes both factors apart into cases.
func.func @product_of_minima() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %1 = arith.minsi %b, %h : index
    %2 = arith.addi %1, %1 : index
    %3 = arith.addi %2, %2 : index
    %4 = arith.minsi %3, %b : index
    %5 = arith.addi %3, %1 : index
    // expected-error @+1 {{'arith.muli' op expected a predicate with at most 512 cases of min, max and select in one expression, but got}}
    %6 = arith.muli %5, %5 : index
    %7 = arith.cmpi sge, %6, %k : index
    girih.yield %7 : i1
  }
  return %0 : !girih.pattern
}
