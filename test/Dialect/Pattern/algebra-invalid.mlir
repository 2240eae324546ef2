// Each constraint of a combinator is checked and named.
// RUN: girih-opt %s --verify-diagnostics --split-input-file

// expected-error @+1 {{'girih.union' op [c1] expected at least one pattern, but got 0}}
%0 = "girih.union"() : () -> !girih.pattern

// -----

// expected-error @+1 {{'girih.intersect' op [c1] expected at least one pattern, but got 0}}
%0 = "girih.intersect"() : () -> !girih.pattern

// -----

// blockwise [c1]
%p = girih.causal
// expected-error @+1 {{attribute 'size' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive}}
%0 = girih.blockwise %p size = 0

// -----

%p = girih.causal
// expected-error @+1 {{'girih.heads' op [c1] expected as many patterns, first and last, but got 1, 2 and 1}}
%0 = girih.heads %p first = [0, 1] last = [7]

// -----

%p = girih.causal
// expected-error @+1 {{'girih.heads' op [c2] expected first >= 0, but got -1 in range 0}}
%0 = girih.heads %p first = [-1] last = [7]

// -----

%p = girih.causal
// expected-error @+1 {{'girih.heads' op [c3] expected first <= last, but got 8 and 7 in range 1}}
%0 = girih.heads %p, %p first = [0, 8] last = [3, 7]

// -----

// expected-note @+1 {{pattern of heads 0..8}}
%p = girih.causal
// expected-note @+1 {{pattern of heads 8..15}}
%q = girih.full
// expected-error @+1 {{'girih.heads' op [c4] expected ascending, disjoint ranges, but got 0..8 and 8..15}}
%0 = girih.heads %p, %q first = [0, 8] last = [8, 15]

// -----

// expected-note @+1 {{pattern of heads 8..15}}
%p = girih.causal
// expected-note @+1 {{pattern of heads 0..7}}
%q = girih.full
// expected-error @+1 {{'girih.heads' op [c4] expected ascending, disjoint ranges, but got 8..15 and 0..7}}
%0 = girih.heads %p, %q first = [8, 0] last = [15, 7]
