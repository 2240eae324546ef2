//===- Passes.td - Passes from one level to the next ----------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_CONVERSION_PASSES_TD
#define GIRIH_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertAttentionToTile : Pass<"girih-convert-attention-to-tile", "::mlir::func::FuncOp"> {
  let summary = "Expand attention to online softmax over tiles";
  let description = [{
    *Does*: turns a function that returns the results of one girih.attention into
    a kernel that computes one task: girih.for_blocks over the key tiles of a
    q-tile, with online softmax in the log2 domain on f32 statistics (Milakov and
    Gimelshein, arXiv 1805.02867). Results become memref arguments. A row that
    sees nothing gets output 0 and LSE -inf.

    *Needs*: a block map on the attention; arguments (q, k, v, scale, operands...).

    *Leaves*: girih_tile, arith and math ops on tiles; no girih.attention.

    *Declines*: functions without girih.attention.

    *Example*: test/Conversion/AttentionToTile/convert-attention-to-tile.mlir
  }];
  let dependentDialects = ["::girih::tile::GirihTileDialect", "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect", "::mlir::memref::MemRefDialect"];
  let options = [
    Option<"tensorCores", "girih-tensor-cores", "bool", "false",
           "Multiply inputs as they are: scale (by a positive number) when exponentials are taken instead of scaling queries, round probabilities to the type of values">];
}

def ConvertTileToCpu : Pass<"girih-convert-tile-to-cpu", "::mlir::ModuleOp"> {
  let summary = "Lower tile kernels to vector loops over scratch memory";
  let description = [{
    *Does*: rewrites every tile kernel to a function of (launch, task, scratch)
    pointers of the runtime's ABI. Tiles live in scratch memory, score tiles with
    queries along the lanes, so that row statistics are vertical and neither keys
    nor values need a transpose; row vectors live in registers. Products are
    register-tiled vector.fma loops, elementwise chains are fused into the loop
    that consumes them, masks run on partial tiles only.

    *Needs*: what girih-convert-attention-to-tile leaves; tile rows that are a
    multiple of the vector width.

    *Leaves*: arith, math, scf, vector and llvm ops. The function carries
    girih.scratch_bytes.

    *Declines*: nothing; a tile op outside of the supported forms is an error.

    *Example*: test/Conversion/TileToCpu/convert-tile-to-cpu.mlir
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect", "::mlir::math::MathDialect"];
  let options = [
    Option<"vectorWidth", "girih-vector-width", "int64_t", "16", "f32 lanes of a vector: 16, 8 or 4">];
}

def ExpandVectorMath : Pass<"girih-expand-vector-math", "::mlir::func::FuncOp"> {
  let summary = "Approximate vector math functions by polynomials";
  let description = [{
    *Does*: expands math.exp2 on f32 vectors by a polynomial of our own (relative
    error 2.7e-7; upstream has none), and applies upstream's approximations to the
    other math ops on vectors, which LLVM would otherwise split into calls of the
    scalar math library.

    *Needs*: nothing.

    *Leaves*: math ops that have an instruction (roundeven, fma, abs...), and those
    that upstream has no approximation for.

    *Declines*: scalar math ops.

    *Example*: test/Conversion/TileToCpu/expand-vector-math.mlir
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
                           "::mlir::vector::VectorDialect"];
  let options = [
    Option<"avx512", "girih-avx512", "bool", "false", "Scale by AVX-512's vscalef where it fits">];
}

def ConvertTileToHopper : Pass<"girih-convert-tile-to-hopper", "::mlir::ModuleOp"> {
  let summary = "Lower tile kernels to warp-specialised Hopper programs";
  let description = [{
    *Does*: rewrites every tile kernel to an LLVM function for sm_90a: one producer
    thread copies key and value tiles by TMA into a ring of two stages, warpgroups
    of 64 query rows each multiply by wgmma. The product of a tile's probabilities
    and values overlaps the softmax of the next tile, and warpgroups take turns at
    the tensor cores. Masks run behind a uniform branch on partial tiles.

    *Needs*: what girih-convert-attention-to-tile with girih-tensor-cores leaves;
    bf16 or f16 inputs; tiles of 64, 128 or 192 rows.

    *Leaves*: llvm and arith ops. The function carries girih.shared_bytes and
    girih.threads.

    *Declines*: nothing; a tile op outside of the supported forms is an error.

    *Example*: test/Conversion/TileToHopper/convert-tile-to-hopper.mlir
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect"];
}

#endif // GIRIH_CONVERSION_PASSES_TD
