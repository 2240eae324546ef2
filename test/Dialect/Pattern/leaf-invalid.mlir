// Each constraint of a named pattern is checked and named.
// RUN: girih-opt %s --verify-diagnostics --split-input-file

// window [c1]
// expected-error @+1 {{'girih.window' op attribute 'left' failed to satisfy constraint: 64-bit signless integer attribute whose value is non-negative}}
%0 = girih.window left = -1

// -----

// window [c2]
// expected-error @+1 {{attribute 'right' failed to satisfy constraint: 64-bit signless integer attribute whose value is non-negative}}
%0 = girih.window left = 1 right = -7

// -----

// dilated [c1]
// expected-error @+1 {{attribute 'left' failed to satisfy constraint}}
%0 = girih.dilated left = -1 right = 1 dilation = 1

// -----

// dilated [c2]
// expected-error @+1 {{attribute 'right' failed to satisfy constraint}}
%0 = girih.dilated left = 1 right = -1 dilation = 1

// -----

// dilated [c3]
// expected-error @+1 {{attribute 'dilation' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive}}
%0 = girih.dilated left = 1 right = 1 dilation = 0

// -----

// strided [c1]
// expected-error @+1 {{attribute 'stride' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive}}
%0 = girih.strided stride = 0

// -----

// chunk [c1]
// expected-error @+1 {{attribute 'size' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive}}
%0 = girih.chunk size = -64

// -----

// columns [c1]
// expected-error @+1 {{attribute 'period' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive}}
%0 = girih.columns period = 0 lo = 0 hi = 0

// -----

// columns [c2]: lo and hi in order
// expected-error @+1 {{[c2] expected lo <= hi, but got lo = 5 and hi = 4}}
%0 = girih.columns period = 8 lo = 5 hi = 4

// -----

// columns [c2]: hi within the period
// expected-error @+1 {{[c2] expected hi <= period, but got hi = 9 and period = 8}}
%0 = girih.columns period = 8 lo = 5 hi = 9

// -----

// columns [c2]: lo not negative
// expected-error @+1 {{attribute 'lo' failed to satisfy constraint: 64-bit signless integer attribute whose value is non-negative}}
%0 = girih.columns period = 8 lo = -1 hi = 4

// -----

// global_columns [c1]
// expected-error @+1 {{attribute 'first' failed to satisfy constraint}}
%0 = girih.global_columns first = -1

// -----

// global_columns [c2]
// expected-error @+1 {{attribute 'last' failed to satisfy constraint}}
%0 = girih.global_columns first = 0 last = -1

// -----

// global_rows [c1]
// expected-error @+1 {{attribute 'first' failed to satisfy constraint}}
%0 = girih.global_rows first = -1

// -----

// global_rows [c2]
// expected-error @+1 {{attribute 'last' failed to satisfy constraint}}
%0 = girih.global_rows first = 0 last = -1
