// RUN: girih-opt %s --girih-expand-score-math --split-input-file --verify-diagnostics

func.func @no_expansion(%s: tensor<16x32xf32>, %i: index) -> tensor<16x32xf32> {
  %m = girih_tile.map %s at [%i, %i, %i, %i] {
  ^bb0(%x: f32, %b: index, %h: index, %q: index, %k: index):
    // expected-error @+1 {{'math.ctpop' op on 'index' is not supported in a score function on a GPU; supported: arith ops, and on f32, f16 and bf16 all math ops but ipowi, cttz and ctpop}}
    %0 = math.ctpop %q : index
    %1 = arith.index_cast %0 : index to i32
    %2 = arith.sitofp %1 : i32 to f32
    girih.yield %2 : f32
  } : tensor<16x32xf32>
  return %m : tensor<16x32xf32>
}

// -----

func.func @f64(%s: tensor<16x32xf32>, %i: index) -> tensor<16x32xf32> {
  %m = girih_tile.map %s at [%i, %i, %i, %i] {
  ^bb0(%x: f32, %b: index, %h: index, %q: index, %k: index):
    %0 = arith.extf %x : f32 to f64
    // expected-error @+1 {{'math.tanh' op on 'f64' is not supported in a score function on a GPU}}
    %1 = math.tanh %0 : f64
    // expected-error @+1 {{'math.exp2' op on 'f64' is not supported in a score function on a GPU}}
    %2 = math.exp2 %1 : f64
    %3 = arith.truncf %2 : f64 to f32
    girih.yield %3 : f32
  } : tensor<16x32xf32>
  return %m : tensor<16x32xf32>
}
