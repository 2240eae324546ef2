// Tiles are for products of pairs.
// RUN: girih-opt %s --girih-convert-tile-to-cpu=girih-amx --verify-diagnostics

// expected-error @+1 {{expected girih-bf16-dots with girih-amx, but got girih-amx alone}}
module {
}
