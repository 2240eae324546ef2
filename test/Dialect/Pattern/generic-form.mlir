// The generic form carries every attribute by the name that ODS gives it.
// RUN: girih-opt %s -mlir-print-op-generic | FileCheck %s

// CHECK: "girih.window"() <{left = 3 : i64, right = 4 : i64}> : () -> !girih.pattern
%0 = girih.window left = 3 right = 4
// CHECK: %[[CAUSAL:.*]] = "girih.causal"() : () -> !girih.pattern
%1 = girih.causal
// CHECK: "girih.blockwise"(%[[CAUSAL]]) <{size = 64 : i64}> : (!girih.pattern) -> !girih.pattern
%2 = girih.blockwise %1 size = 64
// CHECK: "girih.heads"(%[[CAUSAL]]) <{first = array<i64: 0>, last = array<i64: 7>}> : (!girih.pattern) -> !girih.pattern
%3 = girih.heads %1 first = [0] last = [7]
