// The width of vectors is checked.
// RUN: girih-opt %s --girih-convert-tile-to-cpu=girih-vector-width=5 --verify-diagnostics

// expected-error @+1 {{expected girih-vector-width to be 16, 8 or 4, but got 5}}
module {
}
