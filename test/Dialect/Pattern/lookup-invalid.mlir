// Each constraint of lookups and terms is checked and named.
// RUN: girih-opt %s --verify-diagnostics --split-input-file

// lookup [c1]
func.func @as_many_indices(%t: tensor<?x?xi32>, %i: index) {
  // expected-error @+1 {{'girih.lookup' op [c1] expected an index for each of 2 dimensions, but got 1}}
  %0 = girih.lookup %t[%i] : tensor<?x?xi32>
  return
}

// -----

func.func @array_types(%t: tensor<?xi64>, %i: index) {
  // expected-error @+1 {{'girih.lookup' op operand #0 must be array of 1 to 4 dimensions of 32-bit signless integer or 32-bit float values, but got 'tensor<?xi64>'}}
  %0 = girih.lookup %t[%i] : tensor<?xi64>
  return
}

// -----

func.func @array_ranks(%t: tensor<?x?x?x?x?xi32>, %i: index) {
  // expected-error @+1 {{'girih.lookup' op operand #0 must be array of 1 to 4 dimensions of 32-bit signless integer or 32-bit float values, but got 'tensor<?x?x?x?x?xi32>'}}
  %0 = girih.lookup %t[%i, %i, %i, %i, %i] : tensor<?x?x?x?x?xi32>
  return
}

// -----

// predicate [c1]
func.func @table_arguments(%t: tensor<?xi32>) {
  // expected-error @+1 {{'girih.predicate' op [c1] expected the region to take ('index', 'index', 'index', 'index', 'index', 'index', 'tensor<?xi32>'), but got ('index', 'index', 'index', 'index', 'index', 'index')}}
  %0 = "girih.predicate"(%t) ({
  ^bb0(%b: index, %h: index, %q: index, %k: index, %nq: index, %nk: index):
    %c = arith.cmpi eq, %b, %nk : index
    girih.yield %c : i1
  }) : (tensor<?xi32>) -> !girih.pattern
  return
}

// -----

func.func @floats_are_for_scores(%t: tensor<?xf32>) {
  // expected-error @+1 {{'girih.predicate' op operand #0 must be variadic of integer array of 1 to 4 dimensions of 32-bit signless integer values, but got 'tensor<?xf32>'}}
  %0 = girih.predicate (%b, %h, %q, %k, %nq, %nk) tables(%x = %t : tensor<?xf32>) {
    %c = arith.cmpi eq, %b, %nk : index
    girih.yield %c : i1
  }
  return
}

// -----

// term_lookup [c1]
func.func @lookup_symbols(%t: tensor<?xi32>) {
  // expected-error @+1 {{'girih.term_lookup' op [c1] expected a map of 0 dimensions and 7 symbols, but got 1 and 0}}
  %0 = girih.term_lookup %t at affine_map<(q) -> (q)> : tensor<?xi32>
  return
}

// -----

// term_lookup [c1]
func.func @lookup_terms(%t: tensor<?xi32>) {
  %x = girih.term_lookup %t at affine_map<()[b, h, q, k, nq, nk, n] -> (q)> : tensor<?xi32>
  // expected-error @+1 {{'girih.term_lookup' op [c1] expected a map of 0 dimensions and 8 symbols, but got 0 and 7}}
  %0 = girih.term_lookup %t at affine_map<()[b, h, q, k, nq, nk, n] -> (q)> terms(%x) : tensor<?xi32>
  return
}

// -----

// term_lookup [c1]
func.func @lookup_results(%t: tensor<?x?xi32>) {
  // expected-error @+1 {{'girih.term_lookup' op [c1] expected 2 results, but got 1}}
  %0 = girih.term_lookup %t at affine_map<()[b, h, q, k, nq, nk, n] -> (q)> : tensor<?x?xi32>
  return
}

// -----

// term_lookup [c2]
func.func @lookup_divisors(%t: tensor<?xi32>) {
  // expected-error @+1 {{'girih.term_lookup' op [c2] expected divisors to be positive constants, but got s1}}
  %0 = girih.term_lookup %t at affine_map<()[b, h, q, k, nq, nk, n] -> (q floordiv h)> : tensor<?xi32>
  return
}

// -----

// term_extremum [c1]
// expected-error @+1 {{'girih.term_extremum' op [c1] expected some results, but got 0}}
%0 = girih.term_extremum min affine_map<()[b, h, q, k, nq, nk, n] -> ()>

// -----

// term_extremum [c2]
// expected-error @+1 {{'girih.term_extremum' op [c2] expected divisors to be positive constants, but got s3}}
%0 = girih.term_extremum max affine_map<()[b, h, q, k, nq, nk, n] -> (q mod k)>

// -----

// where [c1]
func.func @set_terms(%t: tensor<?xi32>) {
  %x = girih.term_lookup %t at affine_map<()[b, h, q, k, nq, nk, n] -> (q)> : tensor<?xi32>
  // expected-error @+1 {{'girih.where' op [c1] expected a set of 4 dimensions and 3 symbols, or of 0 and 7, and a symbol for each of 1 terms, but got 4 and 3}}
  %0 = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q >= 0)> terms(%x)
  return
}
