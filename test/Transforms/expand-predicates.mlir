// Each op that a predicate may use is read exactly, whatever the sign of its operands.
// RUN: girih-opt %s --girih-expand-named-patterns | %python %S/Inputs/inline-sets.py | FileCheck %s
//
// Twice is once.
// RUN: girih-opt %s --girih-expand-named-patterns > %t.once
// RUN: girih-opt %t.once --girih-expand-named-patterns | diff %t.once -

// Arguments are positions: nq and nk are lengths of the launch.
// CHECK-LABEL: func.func @arguments(
// CHECK-NEXT: %[[P0:.*]] = girih.where {b + h + q - k + nq - nk >= 0}
// CHECK-NEXT: return %[[P0]] : !girih.pattern
func.func @arguments() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %1 = arith.addi %b, %h : index
    %2 = arith.addi %1, %q : index
    %3 = arith.subi %2, %k : index
    %4 = arith.addi %3, %nq : index
    %5 = arith.subi %4, %nk : index
    %zero = arith.constant 0 : index
    %6 = arith.cmpi sge, %5, %zero : index
    girih.yield %6 : i1
  }
  return %0 : !girih.pattern
}

// CHECK-LABEL: func.func @comparisons(
// CHECK-NEXT: %[[P0:.*]] = girih.where {q - k == 0}
// CHECK-NEXT: %[[P1:.*]] = girih.where {q - k == 0}
// CHECK-NEXT: %[[P2:.*]] = girih.complement %[[P1]]
// CHECK-NEXT: %[[P3:.*]] = girih.where {q - k >= 0}
// CHECK-NEXT: %[[P4:.*]] = girih.where {q - k - 1 >= 0}
// CHECK-NEXT: %[[P5:.*]] = girih.where {-(q - k) >= 0}
// CHECK-NEXT: %[[P6:.*]] = girih.where {-(q - k) - 1 >= 0}
// CHECK-NEXT: %[[P7:.*]] = girih.union %[[P0]], %[[P2]]
// CHECK-NEXT: %[[P8:.*]] = girih.union %[[P7]], %[[P3]]
// CHECK-NEXT: %[[P9:.*]] = girih.union %[[P8]], %[[P4]]
// CHECK-NEXT: %[[P10:.*]] = girih.union %[[P9]], %[[P5]]
// CHECK-NEXT: %[[P11:.*]] = girih.union %[[P10]], %[[P6]]
// CHECK-NEXT: return %[[P11]] : !girih.pattern
func.func @comparisons() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %1 = arith.cmpi eq, %q, %k : index
    %2 = arith.cmpi ne, %q, %k : index
    %3 = arith.cmpi sge, %q, %k : index
    %4 = arith.cmpi sgt, %q, %k : index
    %5 = arith.cmpi sle, %q, %k : index
    %6 = arith.cmpi slt, %q, %k : index
    %7 = arith.ori %1, %2 : i1
    %8 = arith.ori %7, %3 : i1
    %9 = arith.ori %8, %4 : i1
    %10 = arith.ori %9, %5 : i1
    %11 = arith.ori %10, %6 : i1
    girih.yield %11 : i1
  }
  return %0 : !girih.pattern
}

// CHECK-LABEL: func.func @booleans(
// CHECK-NEXT: %[[P0:.*]] = girih.where {q - k >= 0}
// CHECK-NEXT: %[[P1:.*]] = girih.where {h >= 0}
// CHECK-NEXT: %[[P2:.*]] = girih.intersect %[[P0]], %[[P1]]
// CHECK-NEXT: return %[[P2]] : !girih.pattern
func.func @booleans() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %zero = arith.constant 0 : index
    %1 = arith.cmpi sge, %q, %k : index
    %2 = arith.cmpi sge, %h, %zero : index
    %3 = arith.andi %1, %2 : i1
    girih.yield %3 : i1
  }
  return %0 : !girih.pattern
}

// CHECK-LABEL: func.func @exclusive_or(
// CHECK-NEXT: %[[P0:.*]] = girih.where {q - k >= 0}
// CHECK-NEXT: %[[P1:.*]] = girih.where {h - b >= 0}
// CHECK-NEXT: %[[P2:.*]] = girih.complement %[[P1]]
// CHECK-NEXT: %[[P3:.*]] = girih.intersect %[[P0]], %[[P2]]
// CHECK-NEXT: %[[P4:.*]] = girih.complement %[[P0]]
// CHECK-NEXT: %[[P5:.*]] = girih.intersect %[[P1]], %[[P4]]
// CHECK-NEXT: %[[P6:.*]] = girih.union %[[P3]], %[[P5]]
// CHECK-NEXT: return %[[P6]] : !girih.pattern
func.func @exclusive_or() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %1 = arith.cmpi sge, %q, %k : index
    %2 = arith.cmpi sge, %h, %b : index
    %3 = arith.xori %1, %2 : i1
    girih.yield %3 : i1
  }
  return %0 : !girih.pattern
}

// Equal booleans are those that do not differ.
// CHECK-LABEL: func.func @equal_booleans(
// CHECK-NEXT: %[[P0:.*]] = girih.where {q - k >= 0}
// CHECK-NEXT: %[[P1:.*]] = girih.where {h - b >= 0}
// CHECK-NEXT: %[[P2:.*]] = girih.complement %[[P1]]
// CHECK-NEXT: %[[P3:.*]] = girih.intersect %[[P0]], %[[P2]]
// CHECK-NEXT: %[[P4:.*]] = girih.complement %[[P0]]
// CHECK-NEXT: %[[P5:.*]] = girih.intersect %[[P1]], %[[P4]]
// CHECK-NEXT: %[[P6:.*]] = girih.union %[[P3]], %[[P5]]
// CHECK-NEXT: %[[P7:.*]] = girih.complement %[[P6]]
// CHECK-NEXT: return %[[P7]] : !girih.pattern
func.func @equal_booleans() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %1 = arith.cmpi sge, %q, %k : index
    %2 = arith.cmpi sge, %h, %b : index
    %3 = arith.cmpi eq, %1, %2 : i1
    girih.yield %3 : i1
  }
  return %0 : !girih.pattern
}

// xor with true is a complement.
// CHECK-LABEL: func.func @negation(
// CHECK-NEXT: %[[P0:.*]] = girih.where {q - k >= 0}
// CHECK-NEXT: %[[P1:.*]] = girih.complement %[[P0]]
// CHECK-NEXT: return %[[P1]] : !girih.pattern
func.func @negation() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %true = arith.constant true
    %1 = arith.cmpi sge, %q, %k : index
    %2 = arith.xori %1, %true : i1
    girih.yield %2 : i1
  }
  return %0 : !girih.pattern
}

// CHECK-LABEL: func.func @constant_condition(
// CHECK-NEXT: %[[P0:.*]] = girih.full
// CHECK-NEXT: return %[[P0]] : !girih.pattern
func.func @constant_condition() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %true = arith.constant true
    girih.yield %true : i1
  }
  return %0 : !girih.pattern
}

// A sum with min or max is the min or max of sums: k <= max(q, 4) is an or.
// CHECK-LABEL: func.func @maximum(
// CHECK-NEXT: %[[P0:.*]] = girih.where {-(-q + k) >= 0}
// CHECK-NEXT: %[[P1:.*]] = girih.where {-(k - 4) >= 0}
// CHECK-NEXT: %[[P2:.*]] = girih.union %[[P0]], %[[P1]]
// CHECK-NEXT: return %[[P2]] : !girih.pattern
func.func @maximum() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %four = arith.constant 4 : index
    %1 = arith.maxsi %q, %four : index
    %2 = arith.cmpi sle, %k, %1 : index
    girih.yield %2 : i1
  }
  return %0 : !girih.pattern
}

// A factor below zero turns min into max: k <= -min(q, -4) is k <= max(-q, 4).
// CHECK-LABEL: func.func @minimum_times_minus_one(
// CHECK-NEXT: %[[P0:.*]] = girih.where {-(q + k) >= 0}
// CHECK-NEXT: %[[P1:.*]] = girih.where {-(k - 4) >= 0}
// CHECK-NEXT: %[[P2:.*]] = girih.union %[[P0]], %[[P1]]
// CHECK-NEXT: return %[[P2]] : !girih.pattern
func.func @minimum_times_minus_one() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %minus_one = arith.constant -1 : index
    %minus_four = arith.constant -4 : index
    %1 = arith.minsi %q, %minus_four : index
    %2 = arith.muli %1, %minus_one : index
    %3 = arith.cmpi sle, %k, %2 : index
    girih.yield %3 : i1
  }
  return %0 : !girih.pattern
}

// |q - k| <= 3 as the front end says it: max(x, -x).
// CHECK-LABEL: func.func @absolute_value(
// CHECK-NEXT: %[[P0:.*]] = girih.where {-(q - k - 3) >= 0}
// CHECK-NEXT: %[[P1:.*]] = girih.where {-(-(q - k) - 3) >= 0}
// CHECK-NEXT: %[[P2:.*]] = girih.intersect %[[P0]], %[[P1]]
// CHECK-NEXT: return %[[P2]] : !girih.pattern
func.func @absolute_value() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %zero = arith.constant 0 : index
    %three = arith.constant 3 : index
    %1 = arith.subi %q, %k : index
    %2 = arith.subi %zero, %1 : index
    %3 = arith.maxsi %1, %2 : index
    %4 = arith.cmpi sle, %3, %three : index
    girih.yield %4 : i1
  }
  return %0 : !girih.pattern
}

// Floor division moves inside of min.
// CHECK-LABEL: func.func @floor_of_minimum(
// CHECK-NEXT: %[[P0:.*]] = girih.where {q floordiv 3 - k >= 0}
// CHECK-NEXT: %[[P1:.*]] = girih.where {-k + nk floordiv 3 >= 0}
// CHECK-NEXT: %[[P2:.*]] = girih.intersect %[[P0]], %[[P1]]
// CHECK-NEXT: return %[[P2]] : !girih.pattern
func.func @floor_of_minimum() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %three = arith.constant 3 : index
    %1 = arith.minsi %q, %nk : index
    %2 = arith.floordivsi %1, %three : index
    %3 = arith.cmpi sge, %2, %k : index
    girih.yield %3 : i1
  }
  return %0 : !girih.pattern
}

// mod is not monotone: the minimum becomes two cases.
// CHECK-LABEL: func.func @remainder_of_minimum(
// CHECK-NEXT: %[[P0:.*]] = girih.where {-q + nk >= 0}
// CHECK-NEXT: %[[P1:.*]] = girih.where {q - nk - 1 >= 0}
// CHECK-NEXT: %[[P2:.*]] = girih.where {q mod 3 == 0}
// CHECK-NEXT: %[[P3:.*]] = girih.intersect %[[P0]], %[[P2]]
// CHECK-NEXT: %[[P4:.*]] = girih.where {nk mod 3 == 0}
// CHECK-NEXT: %[[P5:.*]] = girih.intersect %[[P1]], %[[P4]]
// CHECK-NEXT: %[[P6:.*]] = girih.union %[[P3]], %[[P5]]
// CHECK-NEXT: return %[[P6]] : !girih.pattern
func.func @remainder_of_minimum() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %zero = arith.constant 0 : index
    %1 = arith.minsi %q, %nk : index
    %2 = affine.apply affine_map<(d0) -> (d0 mod 3)> (%1)
    %3 = arith.cmpi eq, %2, %zero : index
    girih.yield %3 : i1
  }
  return %0 : !girih.pattern
}

// CHECK-LABEL: func.func @select(
// CHECK-NEXT: %[[P0:.*]] = girih.where {h == 0}
// CHECK-NEXT: %[[P1:.*]] = girih.complement %[[P0]]
// CHECK-NEXT: %[[P2:.*]] = girih.where {-(k - q) >= 0}
// CHECK-NEXT: %[[P3:.*]] = girih.intersect %[[P0]], %[[P2]]
// CHECK-NEXT: %[[P4:.*]] = girih.where {-(k - 8) >= 0}
// CHECK-NEXT: %[[P5:.*]] = girih.intersect %[[P1]], %[[P4]]
// CHECK-NEXT: %[[P6:.*]] = girih.union %[[P3]], %[[P5]]
// CHECK-NEXT: return %[[P6]] : !girih.pattern
func.func @select() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %zero = arith.constant 0 : index
    %eight = arith.constant 8 : index
    %1 = arith.cmpi eq, %h, %zero : index
    %2 = arith.select %1, %q, %eight : index
    %3 = arith.cmpi sle, %k, %2 : index
    girih.yield %3 : i1
  }
  return %0 : !girih.pattern
}

// CHECK-LABEL: func.func @select_boolean(
// CHECK-NEXT: %[[P0:.*]] = girih.where {h == 0}
// CHECK-NEXT: %[[P1:.*]] = girih.where {-(k - q) >= 0}
// CHECK-NEXT: %[[P2:.*]] = girih.complement %[[P0]]
// CHECK-NEXT: %[[P3:.*]] = girih.intersect %[[P0]], %[[P1]]
// CHECK-NEXT: %[[P4:.*]] = girih.union %[[P3]], %[[P2]]
// CHECK-NEXT: return %[[P4]] : !girih.pattern
func.func @select_boolean() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %zero = arith.constant 0 : index
    %true = arith.constant true
    %1 = arith.cmpi eq, %h, %zero : index
    %2 = arith.cmpi sle, %k, %q : index
    %3 = arith.select %1, %2, %true : i1
    girih.yield %3 : i1
  }
  return %0 : !girih.pattern
}

// CHECK-LABEL: func.func @floor_division(
// CHECK-NEXT: %[[P0:.*]] = girih.where {q floordiv 5 - k >= 0}
// CHECK-NEXT: return %[[P0]] : !girih.pattern
func.func @floor_division() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %five = arith.constant 5 : index
    %1 = arith.floordivsi %q, %five : index
    %2 = arith.cmpi sge, %1, %k : index
    girih.yield %2 : i1
  }
  return %0 : !girih.pattern
}

// Division that truncates rounds up below zero.
// CHECK-LABEL: func.func @truncating_division(
// CHECK-NEXT: %[[P0:.*]] = girih.where {q >= 0}
// CHECK-NEXT: %[[P1:.*]] = girih.complement %[[P0]]
// CHECK-NEXT: %[[P2:.*]] = girih.where {q floordiv 5 - k >= 0}
// CHECK-NEXT: %[[P3:.*]] = girih.intersect %[[P0]], %[[P2]]
// CHECK-NEXT: %[[P4:.*]] = girih.where {-((-q) floordiv 5) - k >= 0}
// CHECK-NEXT: %[[P5:.*]] = girih.intersect %[[P1]], %[[P4]]
// CHECK-NEXT: %[[P6:.*]] = girih.union %[[P3]], %[[P5]]
// CHECK-NEXT: return %[[P6]] : !girih.pattern
func.func @truncating_division() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %five = arith.constant 5 : index
    %1 = arith.divsi %q, %five : index
    %2 = arith.cmpi sge, %1, %k : index
    girih.yield %2 : i1
  }
  return %0 : !girih.pattern
}

// Its remainder has the sign of the dividend.
// CHECK-LABEL: func.func @truncating_remainder(
// CHECK-NEXT: %[[P0:.*]] = girih.where {q >= 0}
// CHECK-NEXT: %[[P1:.*]] = girih.complement %[[P0]]
// CHECK-NEXT: %[[P2:.*]] = girih.where {q mod 5 - k >= 0}
// CHECK-NEXT: %[[P3:.*]] = girih.intersect %[[P0]], %[[P2]]
// CHECK-NEXT: %[[P4:.*]] = girih.where {q + ((-q) floordiv 5) * 5 - k >= 0}
// CHECK-NEXT: %[[P5:.*]] = girih.intersect %[[P1]], %[[P4]]
// CHECK-NEXT: %[[P6:.*]] = girih.union %[[P3]], %[[P5]]
// CHECK-NEXT: return %[[P6]] : !girih.pattern
func.func @truncating_remainder() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %five = arith.constant 5 : index
    %1 = arith.remsi %q, %five : index
    %2 = arith.cmpi sge, %1, %k : index
    girih.yield %2 : i1
  }
  return %0 : !girih.pattern
}

// CHECK-LABEL: func.func @affine_apply(
// CHECK-NEXT: %[[P0:.*]] = girih.where {q * 2 - (k + 3) floordiv 4 + (k floordiv 8) mod 3 + nk + 1 >= 0}
// CHECK-NEXT: return %[[P0]] : !girih.pattern
func.func @affine_apply() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %zero = arith.constant 0 : index
    %1 = affine.apply affine_map<(d0, d1)[s0] -> (d0 * 2 - d1 ceildiv 4 + (d1 floordiv 8) mod 3 + s0 + 1)> (%q, %k)[%nk]
    %2 = arith.cmpi sge, %1, %zero : index
    girih.yield %2 : i1
  }
  return %0 : !girih.pattern
}

// A product of variables needs seven symbols; the other constraint keeps its dimensions.
// CHECK-LABEL: func.func @product_of_variables(
// CHECK-NEXT: %[[P0:.*]] = girih.where symbols {-(h * k - q) >= 0}
// CHECK-NEXT: %[[P1:.*]] = girih.where {-(k - q) >= 0}
// CHECK-NEXT: %[[P2:.*]] = girih.intersect %[[P0]], %[[P1]]
// CHECK-NEXT: return %[[P2]] : !girih.pattern
func.func @product_of_variables() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %1 = arith.muli %h, %k : index
    %2 = arith.cmpi sle, %1, %q : index
    %3 = arith.cmpi sle, %k, %q : index
    %4 = arith.andi %2, %3 : i1
    girih.yield %4 : i1
  }
  return %0 : !girih.pattern
}

// CHECK-LABEL: func.func @in_blocks(
// CHECK-NEXT: %[[P0:.*]] = girih.where {q floordiv 64 - (-(k floordiv 64) + (nk + 63) floordiv 64) >= 0}
// CHECK-NEXT: return %[[P0]] : !girih.pattern
func.func @in_blocks() -> !girih.pattern {
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
    %1 = arith.subi %nk, %k : index
    %2 = arith.cmpi sge, %q, %1 : index
    girih.yield %2 : i1
  }
  %1 = girih.blockwise %0 size = 64
  return %1 : !girih.pattern
}
