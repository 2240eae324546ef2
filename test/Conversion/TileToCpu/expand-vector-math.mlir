// Math on vectors becomes arithmetic; scalars and what has an instruction stay.
// RUN: girih-opt %s --girih-expand-vector-math | FileCheck %s --check-prefixes=CHECK,ADD
// RUN: girih-opt %s --girih-expand-vector-math=girih-avx512 | FileCheck %s --check-prefixes=CHECK,SCALE
//
// Twice is once.
// RUN: girih-opt %s --girih-expand-vector-math > %t.once
// RUN: girih-opt %t.once --girih-expand-vector-math | diff %t.once -

// 2^n * 2^f: n goes into the exponent by an addition, or by vscalef, which knows
// infinities, so that nothing is clamped.
// CHECK-LABEL: func.func @exp2(
// CHECK-NOT: math.exp2
// ADD: arith.addf
// ADD: arith.subf
// SCALE-NOT: arith.cmpf
// SCALE: llvm.call_intrinsic "llvm.x86.avx512.mask.reduce.ps.512"
// CHECK-COUNT-5: vector.fma
// ADD: arith.shli
// ADD: arith.bitcast %{{.*}} : vector<16xi32> to vector<16xf32>
// ADD: arith.mulf
// SCALE: llvm.call_intrinsic "llvm.x86.avx512.mask.scalef.ps.512"
func.func @exp2(%x: vector<16xf32>) -> vector<16xf32> {
  %0 = math.exp2 %x : vector<16xf32>
  return %0 : vector<16xf32>
}

// vscalef is for 16 lanes.
// CHECK-LABEL: func.func @exp2_of_eight(
// CHECK: arith.shli
func.func @exp2_of_eight(%x: vector<8xf32>) -> vector<8xf32> {
  %0 = math.exp2 %x : vector<8xf32>
  return %0 : vector<8xf32>
}

// CHECK-LABEL: func.func @upstream(
// CHECK-NOT: math.{{tanh|log2|exp }}
// CHECK: return
func.func @upstream(%x: vector<16xf32>) -> (vector<16xf32>, vector<16xf32>, vector<16xf32>) {
  %0 = math.tanh %x : vector<16xf32>
  %1 = math.log2 %x : vector<16xf32>
  %2 = math.exp %x : vector<16xf32>
  return %0, %1, %2 : vector<16xf32>, vector<16xf32>, vector<16xf32>
}

// The digits of 2 / pi are read only when a lane is beyond 2^16.
// CHECK-LABEL: func.func @sine_of_a_vector(
// CHECK-NOT: math.sin
// CHECK-COUNT-5: math.fma
// CHECK: %[[LARGE:.*]] = arith.cmpf ugt, %{{.*}}, %{{.*}} : vector<8xf32>
// CHECK: %[[ANY:.*]] = vector.reduction <or>, %[[LARGE]] : vector<8xi1> into i1
// CHECK: scf.if %[[ANY]] -> (vector<8xf32>, vector<8xi32>)
// CHECK: arith.muli %{{.*}} : vector<8xi64>
// CHECK: arith.select %[[LARGE]]
// CHECK: } else {
// CHECK-NEXT: scf.yield
func.func @sine_of_a_vector(%x: vector<8xf32>) -> vector<8xf32> {
  %0 = math.sin %x : vector<8xf32>
  return %0 : vector<8xf32>
}

// CHECK-LABEL: func.func @cosine_of_rows(
// CHECK-NOT: math.cos
// CHECK-NOT: scf.if
// CHECK: arith.select %{{.*}} : vector<2x4xi1>, vector<2x4xf32>
func.func @cosine_of_rows(%x: vector<2x4xf32>) -> vector<2x4xf32> {
  %0 = math.cos %x : vector<2x4xf32>
  return %0 : vector<2x4xf32>
}

// CHECK-LABEL: func.func @leaves_instructions_alone(
// CHECK-NEXT: math.roundeven
// CHECK-NEXT: math.fma
// CHECK-NEXT: math.absf
// CHECK-NEXT: math.sqrt
// CHECK-NEXT: return
func.func @leaves_instructions_alone(%x: vector<16xf32>) -> vector<16xf32> {
  %0 = math.roundeven %x : vector<16xf32>
  %1 = math.fma %0, %0, %0 : vector<16xf32>
  %2 = math.absf %1 : vector<16xf32>
  %3 = math.sqrt %2 : vector<16xf32>
  return %3 : vector<16xf32>
}

// CHECK-LABEL: func.func @leaves_scalars_alone(
// CHECK-NEXT: math.exp2 %{{.*}} : f32
// CHECK-NEXT: math.tanh %{{.*}} : f32
// CHECK-NEXT: return
func.func @leaves_scalars_alone(%x: f32) -> f32 {
  %0 = math.exp2 %x : f32
  %1 = math.tanh %0 : f32
  return %1 : f32
}
