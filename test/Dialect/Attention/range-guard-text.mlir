// A quoted guard that is no integer set is an error at the guard.
// RUN: not girih-opt %s 2>&1 | FileCheck %s

// CHECK: range-guard-text.mlir:[[@LINE+1]]:{{[0-9]+}}: error: expected an integer set, but got "(b, h, q) : (q)"
#r = #girih.range<lower = affine_map<(b, h, q)[nq, nk, n] -> (0)>, upper = affine_map<(b, h, q)[nq, nk, n] -> (q)>, guard = "(b, h, q) : (q)">
