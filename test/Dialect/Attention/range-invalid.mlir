// Each constraint of a key range is checked and named.
// RUN: girih-opt %s --verify-diagnostics --split-input-file

// expected-error @+1 {{[c1] expected lower to have 3 dimensions, but got 1}}
#r = #girih.range<lower = affine_map<(q)[nq, nk, n] -> (0)>, upper = affine_map<(b, h, q)[nq, nk, n] -> (q)>>

// -----

// expected-error @+1 {{[c1] expected upper to have 3 dimensions, but got 4}}
#r = #girih.range<lower = affine_map<(b, h, q)[nq, nk, n] -> (0)>, upper = affine_map<(b, h, q, k)[nq, nk, n] -> (q)>>

// -----

#g = affine_set<(b, h, q, k)[nq, nk, n] : (q >= 0)>
// expected-error @+1 {{[c1] expected guard to have 3 dimensions, but got 4}}
#r = #girih.range<lower = affine_map<(b, h, q)[nq, nk, n] -> (0)>, upper = affine_map<(b, h, q)[nq, nk, n] -> (q)>, guard = #g>

// -----

// expected-error @+1 {{[c2] expected lower to have 3 symbols and 2 for each segment table, but got 4}}
#r = #girih.range<lower = affine_map<(b, h, q)[nq, nk, n, begin] -> (0)>, upper = affine_map<(b, h, q)[nq, nk, n, begin] -> (q)>>

// -----

// expected-error @+1 {{[c2] expected lower to have 3 symbols and 2 for each segment table, but got 1}}
#r = #girih.range<lower = affine_map<(b, h, q)[nk] -> (0)>, upper = affine_map<(b, h, q)[nk] -> (q)>>

// -----

// expected-error @+1 {{[c2] expected upper to have the 5 symbols of lower, but got 3}}
#r = #girih.range<lower = affine_map<(b, h, q)[nq, nk, n, begin, end] -> (begin)>, upper = affine_map<(b, h, q)[nq, nk, n] -> (q)>>

// -----

// expected-error @+1 {{[c2] expected guard to have the 3 symbols of lower, but got 0}}
#r = #girih.range<lower = affine_map<(b, h, q)[nq, nk, n] -> (0)>, upper = affine_map<(b, h, q)[nq, nk, n] -> (q)>, guard = "(b, h, q) : (q >= 0)">
