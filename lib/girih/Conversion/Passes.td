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
                           "::mlir::tensor::TensorDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect"];
  let options = [
    Option<"tensorCores", "girih-tensor-cores", "bool", "false",
           "Multiply inputs as they are: scale when exponentials are taken instead of scaling queries, round probabilities to the type of values">,
    Option<"bf16Dots", "girih-bf16-dots", "bool", "false",
           "Multiply bf16 inputs as they are, on CPUs that multiply pairs of them: scale when exponentials are taken instead of scaling queries, round probabilities to bf16">];
}

def ConvertTileToCpu : Pass<"girih-convert-tile-to-cpu", "::mlir::ModuleOp"> {
  let summary = "Lower tile kernels to vector loops over scratch memory";
  let description = [{
    *Does*: rewrites every tile kernel to a function of (launch, task, scratch)
    pointers of the runtime's ABI. Tiles live in scratch memory, score tiles with
    queries along the lanes, so that row statistics are vertical and neither keys
    nor values need a transpose; row vectors live in registers. Products are
    register-tiled loops of vector.fma, or of AVX512-BF16's products of pairs or AMX's
    of tiles where both operands are bf16; elementwise chains are fused into the loop that
    consumes them, masks run on partial tiles only.

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
    Option<"vectorWidth", "girih-vector-width", "int64_t", "16", "f32 lanes of a vector: 16, 8 or 4">,
    Option<"bf16Dots", "girih-bf16-dots", "bool", "false",
           "Multiply bf16 tiles by AVX512-BF16, with 16 lanes; else they are widened">,
    Option<"amx", "girih-amx", "bool", "false",
           "Multiply them in AMX tiles where they fit; needs girih-bf16-dots">];
}

def ExpandVectorMath : Pass<"girih-expand-vector-math", "::mlir::func::FuncOp"> {
  let summary = "Approximate vector math functions by polynomials";
  let description = [{
    *Does*: expands math.exp2 on f32 vectors by polynomials of our own (relative
    error 2.7e-7, 1.5e-7 with AVX-512; upstream has none), math.sin and math.cos
    likewise (absolute error 9e-8 for every argument; upstream's are wrong for large
    ones), and applies upstream's approximations to the other math ops on vectors,
    which LLVM would otherwise split into calls of the scalar math library.

    *Needs*: nothing.

    *Leaves*: math ops that have an instruction (roundeven, fma, abs...), and those
    that upstream has no approximation for.

    *Declines*: scalar math ops.

    *Example*: test/Conversion/TileToCpu/expand-vector-math.mlir
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
  let options = [
    Option<"avx512", "girih-avx512", "bool", "false", "Reduce and scale by AVX-512's vreduce and vscalef where they fit">];
}

def ConvertTileToWs : Pass<"girih-convert-tile-to-ws", "::mlir::func::FuncOp"> {
  let summary = "Split tile kernels into a role that loads and one that computes";
  let description = [{
    *Does*: turns a tile kernel, which computes one task, into a warp-specialised
    program that computes every task of a block in one loop over items. Loads
    become a role with a channel for each tensor; carried values begin anew at the
    first item of a task; what stands behind the loop of the kernel runs at the
    last item.

    *Needs*: layouts on every tile (girih-assign-layouts); tiles of 64, 128 or 192
    rows.

    *Leaves*: two girih_ws.role, products as they were.

    *Declines*: functions without girih_tile.task.

    *Example*: test/Conversion/TileToWs/convert-tile-to-ws.mlir
  }];
  let dependentDialects = ["::girih::ws::GirihWsDialect", "::mlir::scf::SCFDialect"];
  let options = [
    Option<"queryStages", "girih-query-stages", "int64_t", "0",
           "Tiles of queries in shared memory: with 2, the next task's arrive early; 0: 2 where they fit">];
}

def ExpandScoreMath : Pass<"girih-expand-score-math", "::mlir::func::FuncOp"> {
  let summary = "Rewrite math in score functions to what a GPU has instructions for";
  let description = [{
    *Does*: expands math ops in regions of girih_tile.map, f32 and scalar: powers and
    logarithms of any base to those of 2, tanh to 1 - 2 / (2^(2x log2 e) + 1), powf
    and fpowi to 2^(y log2 |x|) or, where the exponent is a small constant, to
    products; sin and cos to arithmetic that is right for every argument (absolute
    error 7.5e-8); upstream's expansions and polynomials for the rest. f16 and bf16 are
    widened to f32. Errors are absolute near 0 (tanh: 2e-7), as an exponent needs.

    *Needs*: nothing.

    *Leaves*: in these regions arith ops and math.exp2, log2, fma, absf, sqrt,
    floor, ceil, copysign, roundeven and trunc, exp2 and log2 on f32 only. Divisions
    of ours carry afn: the hardware's fast one is good enough.

    *Declines*: math ops elsewhere. An op in a score function that has no expansion
    (ipowi, cttz, ctpop, f64 functions) is an error.

    *Example*: test/Conversion/ScoreMath/expand-score-math.mlir
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

def ConvertWsToHopper : Pass<"girih-convert-ws-to-hopper", "::mlir::ModuleOp"> {
  let summary = "Lower warp-specialised programs to LLVM for Hopper";
  let description = [{
    *Does*: rewrites every program to an LLVM function for sm_90a. Roles become
    branches of it, channels rings of tiles with barriers in shared memory that TMA
    fills, products in flight wgmma on registers, turns named barriers. Tiles become
    what each thread holds of them; masks run behind a uniform branch on partial
    tiles. A second function merges the parts of split lists.

    *Needs*: what girih-ws-verify accepts; bf16 or f16 inputs.

    *Leaves*: llvm, nvvm and arith ops. The function carries girih.shared_bytes,
    girih.threads and girih.blocks_per_multiprocessor.

    *Declines*: functions without roles; a tile op outside of the supported forms
    is an error.

    *Example*: test/Conversion/WsToHopper/convert-ws-to-hopper.mlir
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect",
                           "::mlir::arith::ArithDialect"];
}

def ConvertTileToAmpere : Pass<"girih-convert-tile-to-ampere", "::mlir::ModuleOp"> {
  let summary = "Lower tile kernels to mma.sync programs for sm_80, sm_86 and sm_89";
  let description = [{
    *Does*: rewrites every tile kernel to an LLVM function of one parameter, a
    GirihCudaArguments by value. A warp has 16 query rows from the scores to the
    output; it multiplies by mma.sync what ldmatrix reads from swizzled shared
    memory. All threads copy key and value tiles by cp.async into two stages each,
    one tile ahead. A block does its tasks one after another.

    *Needs*: what girih-convert-attention-to-tile with girih-tensor-cores leaves;
    bf16 or f16 inputs; tiles of 64 or 128 rows.

    *Leaves*: llvm, nvvm and arith ops. The function carries girih.shared_bytes and
    girih.threads.

    *Declines*: nothing; a tile op outside of the supported forms is an error.

    *Example*: test/Conversion/TileToAmpere/convert-tile-to-ampere.mlir
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect",
                           "::mlir::arith::ArithDialect"];
  let options = [
    Option<"chip", "girih-chip", "std::string", "\"sm_80\"",
           "What the kernel is for, and so how much shared memory it has: sm_80, sm_86 or sm_89">];
}

#endif // GIRIH_CONVERSION_PASSES_TD
