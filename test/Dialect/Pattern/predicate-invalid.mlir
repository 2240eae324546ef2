// Each constraint of a predicate and of an affine set is checked and named.
// RUN: girih-opt %s --verify-diagnostics --split-input-file --allow-unregistered-dialect

// expected-error @+1 {{[c1] expected the region to take ('index', 'index', 'index', 'index', 'index', 'index'), but got ('index', 'index')}}
%0 = girih.predicate (%q, %k) {
  %c = arith.cmpi sge, %q, %k : index
  girih.yield %c : i1
}

// -----

// expected-error @+1 {{[c1] expected the region to take ('index', 'index', 'index', 'index', 'index', 'index'), but got ('index', 'index', 'index', 'index', 'index', 'i64')}}
%0 = girih.predicate {
^bb0(%b: index, %h: index, %q: index, %k: index, %nq: index, %nk: i64):
  %c = arith.cmpi sge, %q, %k : index
  girih.yield %c : i1
}

// -----

// expected-error @+1 {{[c2] expected the region to yield ('i1'), but got ('index')}}
%0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
  // expected-note @+1 {{yielded here}}
  girih.yield %q : index
}

// -----

// expected-error @+1 {{[c2] expected the region to end in 'girih.yield', but got 'other.end'}}
%0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
  %c = arith.cmpi sge, %q, %k : index
  // expected-note @+1 {{last op here}}
  "other.end"(%c) : (i1) -> ()
}

// -----

func.func private @oracle(index) -> i1

// expected-error @+1 {{[c3] expected ops of the region to have no memory effects, but got 'func.call'}}
%0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
  // expected-note @+1 {{op with effects here}}
  %c = func.call @oracle(%q) : (index) -> i1
  girih.yield %c : i1
}

// -----

// expected-error @+2 {{[c4] expected total ops, but got 'arith.divsi'}}
// expected-note @+1 {{supported: division by constants other than 0 and -1}}
%0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
  // expected-note @+1 {{op that may fail here}}
  %d = arith.divsi %q, %h : index
  %c = arith.cmpi eq, %d, %k : index
  girih.yield %c : i1
}

// -----

// expected-error @+2 {{[c4] expected total ops, but got 'arith.remsi'}}
// expected-note @+1 {{supported: division by constants other than 0 and -1}}
%0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
  %zero = arith.constant 0 : index
  // expected-note @+1 {{op that may fail here}}
  %d = arith.remsi %q, %zero : index
  %c = arith.cmpi eq, %d, %k : index
  girih.yield %c : i1
}

// -----

// expected-error @+1 {{[c5] expected values to be integers or index, but got 'f32'}}
%0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
  // expected-note @+1 {{value here}}
  %x = arith.constant 1.0 : f32
  %c = arith.cmpf oeq, %x, %x : f32
  girih.yield %c : i1
}

// -----

// expected-error @+1 {{'girih.where' op [c1] expected a set of 4 dimensions and 3 symbols, or of 0 and 7, but got 2 and 0}}
%0 = girih.where affine_set<(q, k) : (q - k >= 0)>

// -----

// expected-error @+1 {{'girih.where' op [c2] expected divisors to be positive constants, but got s1}}
%0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q mod nk >= 0)>

// -----

// expected-error @+1 {{'girih.where' op [c2] expected divisors to be positive constants, but got -3}}
%0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q floordiv -3 >= 0)>
