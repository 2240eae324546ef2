// Math in score functions becomes arithmetic, powers of two and their logarithms.
// RUN: girih-opt %s --girih-expand-score-math | FileCheck %s
//
// Twice is once.
// RUN: girih-opt %s --girih-expand-score-math > %t.once
// RUN: girih-opt %t.once --girih-expand-score-math | diff %t.once -

// 1 - 2 / (2^(2x log2 e) + 1), by the fast reciprocal.
// CHECK-LABEL: func.func @soft_cap(
// CHECK: ^bb0(%[[X:.*]]: f32, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index):
// CHECK: %[[D:.*]] = arith.divf %[[X]], %{{.*}} : f32
// CHECK: %[[FACTOR:.*]] = arith.constant 2.88539
// CHECK: %[[M:.*]] = arith.mulf %[[D]], %[[FACTOR]] : f32
// CHECK: %[[P:.*]] = math.exp2 %[[M]] : f32
// CHECK: %[[S:.*]] = arith.addf %[[P]], %{{.*}} : f32
// CHECK: %[[Q:.*]] = arith.divf %{{.*}}, %[[S]] fastmath<afn> : f32
// CHECK: %[[T:.*]] = math.fma %[[Q]], %{{.*}}, %{{.*}} : f32
// CHECK: %[[Y:.*]] = arith.mulf %[[T]], %{{.*}} : f32
// CHECK: girih.yield %[[Y]] : f32
func.func @soft_cap(%s: tensor<16x32xf32>, %i: index) -> tensor<16x32xf32> {
  %m = girih_tile.map %s at [%i, %i, %i, %i] {
  ^bb0(%x: f32, %b: index, %h: index, %q: index, %k: index):
    %cap = arith.constant 30.0 : f32
    %0 = arith.divf %x, %cap : f32
    %1 = math.tanh %0 : f32
    %2 = arith.mulf %1, %cap : f32
    girih.yield %2 : f32
  } : tensor<16x32xf32>
  return %m : tensor<16x32xf32>
}

// CHECK-LABEL: func.func @bases(
// CHECK-NOT: math.{{exp |log |log10|expm1}}
// CHECK: math.exp2
// CHECK: math.log2
// CHECK: math.log2
// CHECK-NOT: math.{{exp |log |log10|expm1}}
// CHECK: return
func.func @bases(%s: tensor<16x32xf32>, %i: index) -> tensor<16x32xf32> {
  %m = girih_tile.map %s at [%i, %i, %i, %i] {
  ^bb0(%x: f32, %b: index, %h: index, %q: index, %k: index):
    %0 = math.exp %x : f32
    %1 = math.log %0 : f32
    %2 = math.log10 %1 : f32
    %3 = math.expm1 %2 : f32
    girih.yield %3 : f32
  } : tensor<16x32xf32>
  return %m : tensor<16x32xf32>
}

// Both reductions, and a choice: no branch in a score function of a GPU.
// CHECK-LABEL: func.func @circular(
// CHECK-NOT: math.{{sin|cos}}
// CHECK: %[[LARGE:.*]] = arith.cmpf ugt, %{{.*}}, %{{.*}} : f32
// CHECK-NOT: scf.if
// CHECK: arith.muli %{{.*}}, %{{.*}} : i64
// CHECK: arith.select %[[LARGE]], %{{.*}}, %{{.*}} : f32
// CHECK: arith.select %[[LARGE]], %{{.*}}, %{{.*}} : i32
// CHECK-NOT: math.{{sin|cos}}
// CHECK: return
func.func @circular(%s: tensor<16x32xf32>, %i: index) -> tensor<16x32xf32> {
  %m = girih_tile.map %s at [%i, %i, %i, %i] {
  ^bb0(%x: f32, %b: index, %h: index, %q: index, %k: index):
    %0, %1 = math.sincos %x : f32
    %2 = arith.addf %0, %1 : f32
    girih.yield %2 : f32
  } : tensor<16x32xf32>
  return %m : tensor<16x32xf32>
}

// A constant exponent is a product, x^5 = x (x^2)^2, others go by the logarithm of |x|.
// CHECK-LABEL: func.func @powers(
// CHECK: ^bb0(%[[X:.*]]: f32,
// CHECK: %[[X2:.*]] = arith.mulf %[[X]], %[[X]] : f32
// CHECK-NEXT: %[[X4:.*]] = arith.mulf %[[X2]], %[[X2]] : f32
// CHECK-NEXT: %[[X5:.*]] = arith.mulf %[[X]], %[[X4]] : f32
// CHECK: math.absf %[[X5]] : f32
// CHECK: math.log2
// CHECK: math.exp2
// CHECK-NOT: math.powf
// CHECK: return
func.func @powers(%s: tensor<16x32xf32>, %i: index) -> tensor<16x32xf32> {
  %m = girih_tile.map %s at [%i, %i, %i, %i] {
  ^bb0(%x: f32, %b: index, %h: index, %q: index, %k: index):
    %five = arith.constant 5.0 : f32
    %0 = math.powf %x, %five : f32
    %1 = math.powf %0, %x : f32
    girih.yield %1 : f32
  } : tensor<16x32xf32>
  return %m : tensor<16x32xf32>
}

// bf16 is widened, also for ops that have an instruction.
// CHECK-LABEL: func.func @narrow(
// CHECK: arith.truncf %{{.*}} : f32 to bf16
// CHECK: %[[WIDE:.*]] = arith.extf %{{.*}} : bf16 to f32
// CHECK: %[[ABS:.*]] = math.absf %[[WIDE]] : f32
// CHECK: arith.truncf %[[ABS]] : f32 to bf16
func.func @narrow(%s: tensor<16x32xf32>, %i: index) -> tensor<16x32xf32> {
  %m = girih_tile.map %s at [%i, %i, %i, %i] {
  ^bb0(%x: f32, %b: index, %h: index, %q: index, %k: index):
    %0 = arith.truncf %x : f32 to bf16
    %1 = math.absf %0 : bf16
    %2 = arith.extf %1 : bf16 to f32
    girih.yield %2 : f32
  } : tensor<16x32xf32>
  return %m : tensor<16x32xf32>
}

// CHECK-LABEL: func.func @leaves_instructions_alone(
// CHECK: ^bb0
// CHECK-NEXT: math.exp2
// CHECK-NEXT: math.absf
// CHECK-NEXT: math.log2
// CHECK-NEXT: math.sqrt
// CHECK-NEXT: math.fma
// CHECK-NEXT: math.floor
// CHECK-NEXT: math.ceil
// CHECK-NEXT: math.copysign
// CHECK-NEXT: math.roundeven
// CHECK-NEXT: math.trunc
// CHECK-NEXT: girih.yield
func.func @leaves_instructions_alone(%s: tensor<16x32xf32>, %i: index) -> tensor<16x32xf32> {
  %m = girih_tile.map %s at [%i, %i, %i, %i] {
  ^bb0(%x: f32, %b: index, %h: index, %q: index, %k: index):
    %0 = math.exp2 %x : f32
    %1 = math.absf %0 : f32
    %2 = math.log2 %1 : f32
    %3 = math.sqrt %2 : f32
    %4 = math.fma %3, %3, %3 : f32
    %5 = math.floor %4 : f32
    %6 = math.ceil %5 : f32
    %7 = math.copysign %6, %x : f32
    %8 = math.roundeven %7 : f32
    %9 = math.trunc %8 : f32
    girih.yield %9 : f32
  } : tensor<16x32xf32>
  return %m : tensor<16x32xf32>
}

// CHECK-LABEL: func.func @declines_math_elsewhere(
// CHECK-NEXT: math.tanh %{{.*}} : f32
// CHECK-NEXT: math.exp %{{.*}} : tensor<16x32xf32>
// CHECK-NEXT: return
func.func @declines_math_elsewhere(%x: f32, %s: tensor<16x32xf32>) -> (f32, tensor<16x32xf32>) {
  %0 = math.tanh %x : f32
  %1 = math.exp %s : tensor<16x32xf32>
  return %0, %1 : f32, tensor<16x32xf32>
}
