// girih-ws-async-dot needs layouts.
// RUN: girih-opt %s --girih-ws-async-dot --verify-diagnostics

func.func @without_layout(%p: tensor<64x64xbf16>, %v: tensor<64x64xbf16>, %o: tensor<64x64xf32>) {
  girih_ws.role compute warpgroups 1 registers 232 {
    // expected-error @+1 {{'girih_tile.dot' op expected a result with a layout; run girih-assign-layouts first}}
    %0 = girih_tile.dot %p, %v acc(%o) : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  }
  return
}
