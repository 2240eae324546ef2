// Each constraint of a neighbourhood is checked and named.
// RUN: girih-opt %s --verify-diagnostics --split-input-file

// expected-error @+1 {{[c1] expected a grid of 1 to 3 dimensions, but got 4}}
%0 = girih.neighborhood grid = [8, 8, 8, 8] kernel = [1, 1, 1, 1] dilation = [1, 1, 1, 1] stride = [1, 1, 1, 1] causal = [false, false, false, false]

// -----

// expected-error @+1 {{[c1] expected a grid of 1 to 3 dimensions, but got 0}}
%0 = girih.neighborhood grid = [] kernel = [] dilation = [] stride = [] causal = []

// -----

// expected-error @+1 {{[c2] expected kernel to be as long as grid, but got 1 and 2}}
%0 = girih.neighborhood grid = [8, 8] kernel = [3] dilation = [1, 1] stride = [1, 1] causal = [false, false]

// -----

// expected-error @+1 {{[c2] expected dilation to be as long as grid, but got 1 and 2}}
%0 = girih.neighborhood grid = [8, 8] kernel = [3, 3] dilation = [1] stride = [1, 1] causal = [false, false]

// -----

// expected-error @+1 {{[c2] expected stride to be as long as grid, but got 3 and 2}}
%0 = girih.neighborhood grid = [8, 8] kernel = [3, 3] dilation = [1, 1] stride = [1, 1, 1] causal = [false, false]

// -----

// expected-error @+1 {{[c2] expected causal to be as long as grid, but got 1 and 2}}
%0 = girih.neighborhood grid = [8, 8] kernel = [3, 3] dilation = [1, 1] stride = [1, 1] causal = [false]

// -----

// expected-error @+1 {{[c3] expected kernel >= 1, but got 0 in dimension 1}}
%0 = girih.neighborhood grid = [8, 8] kernel = [3, 0] dilation = [1, 1] stride = [1, 1] causal = [false, false]

// -----

// expected-error @+1 {{[c3] expected dilation >= 1, but got -2 in dimension 0}}
%0 = girih.neighborhood grid = [8] kernel = [3] dilation = [-2] stride = [1] causal = [false]

// -----

// expected-error @+1 {{[c4] expected kernel * dilation <= grid, but got kernel = 3, dilation = 3 and grid = 8 in dimension 0}}
%0 = girih.neighborhood grid = [8] kernel = [3] dilation = [3] stride = [1] causal = [false]

// -----

// The product of kernel and dilation is 0 in 64 bits.
// expected-error @+1 {{[c4] expected kernel * dilation <= grid, but got kernel = 4294967296, dilation = 4294967296 and grid = 8 in dimension 0}}
%0 = girih.neighborhood grid = [8] kernel = [4294967296] dilation = [4294967296] stride = [1] causal = [false]

// -----

// expected-error @+1 {{[c4] expected kernel * dilation <= grid, but got kernel = 1, dilation = 1 and grid = 0 in dimension 0}}
%0 = girih.neighborhood grid = [0] kernel = [1] dilation = [1] stride = [1] causal = [false]

// -----

// expected-error @+1 {{[c5] expected 1 <= stride <= kernel, but got stride = 4 and kernel = 3 in dimension 0}}
%0 = girih.neighborhood grid = [8] kernel = [3] dilation = [1] stride = [4] causal = [false]

// -----

// expected-error @+1 {{[c5] expected 1 <= stride <= kernel, but got stride = 0 and kernel = 3 in dimension 0}}
%0 = girih.neighborhood grid = [8] kernel = [3] dilation = [1] stride = [0] causal = [false]

// -----

// expected-error @+1 {{[c6] expected a grid of at most 1099511627776 tokens, but got more}}
%0 = girih.neighborhood grid = [4611686018427387904, 16] kernel = [3, 5] dilation = [1, 1] stride = [1, 1] causal = [false, false]

// -----

// expected-error @+1 {{[c6] expected a grid of at most 1099511627776 tokens, but got more}}
%0 = girih.neighborhood grid = [1048576, 1048577] kernel = [3, 5] dilation = [1, 1] stride = [1, 1] causal = [false, false]
