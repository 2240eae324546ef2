// Pairs of bf16 are for vectors of 16 lanes.
// RUN: girih-opt %s --girih-convert-tile-to-cpu='girih-bf16-dots girih-vector-width=8' --verify-diagnostics

// expected-error @+1 {{expected girih-vector-width to be 16 with girih-bf16-dots, but got 8}}
module {
}
