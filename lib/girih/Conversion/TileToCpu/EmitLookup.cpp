//===- EmitLookup.cpp - Entries of arrays ---------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lookups of masks and of score functions: a scalar load, or a gather. Launches
// prove the indices of pairs that exist, and a tile has lanes and columns beyond
// them.
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/TileToCpu/Emitter.h"

#include "girih-c/Runtime.h"
#include "girih/Analysis/ClosedForm.h"

#include <limits>

using namespace mlir;
using namespace girih;
using namespace girih::cpu;

Array Emitter::loadArray(Value table) {
  Array array;
  std::optional<unsigned> index = lookupTableIndex(table);
  if (!index)
    return array;
  auto type = cast<RankedTensorType>(table.getType());
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  Value tables = launchField(offsetof(GirihLaunch, tables), pointer);
  size_t place = *index * sizeof(GirihBoundTable);
  array.base = field(tables, place + offsetof(GirihBoundTable, ids), pointer);
  for (int64_t d = 0; d != type.getRank(); ++d)
    array.extents.push_back(field(
        tables, place + offsetof(GirihBoundTable, extent) + d * sizeof(int64_t), b.getI64Type()));
  array.element = type.getElementType();
  return array;
}

static bool isVector(Value value) { return isa<VectorType>(value.getType()); }

Value Emitter::lookUp(const Array &array, ArrayRef<Value> indices) {
  Type i32 = b.getI32Type(), i64Type = b.getI64Type();
  auto clamped = [&](Value index, Value extent) -> Value {
    Value last = add(extent, -1), zero = i64(0);
    if (getElementTypeOrSelf(index.getType()).isInteger(32)) {
      Value limit = i64(std::numeric_limits<int32_t>::max());
      last = arith::TruncIOp::create(b, loc, i32, arith::MinSIOp::create(b, loc, last, limit));
      zero = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(0));
    }
    if (isVector(index)) {
      last = splat(last);
      zero = splat(zero);
    }
    return arith::MaxSIOp::create(b, loc, arith::MinSIOp::create(b, loc, index, last), zero);
  };
  auto widened = [&](Value index) -> Value {
    if (getElementTypeOrSelf(index.getType()).isInteger(64))
      return index;
    return arith::ExtSIOp::create(b, loc, isVector(index) ? Type(lanes(i64Type)) : i64Type, index);
  };
  Value base = array.base, place;
  for (auto [d, index] : llvm::enumerate(indices)) {
    Value here = clamped(index, array.extents[d]);
    bool isLast = d + 1 == indices.size();
    if (isLast && isVector(here) && !(place && isVector(place))) {
      // The row is the same for all lanes, which are offsets in it.
      if (place)
        base = LLVM::GEPOp::create(
            b, loc, base.getType(), array.element, base,
            ArrayRef<LLVM::GEPArg>{Value(arith::MulIOp::create(b, loc, place, array.extents[d]))});
      place = here;
      break;
    }
    here = widened(here);
    if (!place) {
      place = here;
      continue;
    }
    Value extent = array.extents[d];
    if (isVector(place) || isVector(here)) {
      extent = splat(extent);
      place = isVector(place) ? place : splat(place);
      here = isVector(here) ? here : splat(here);
    }
    place = arith::AddIOp::create(b, loc, arith::MulIOp::create(b, loc, place, extent), here);
  }
  unsigned alignment = 4;
  if (!isVector(place)) {
    Value address = LLVM::GEPOp::create(b, loc, base.getType(), array.element, base,
                                        ArrayRef<LLVM::GEPArg>{place});
    return LLVM::LoadOp::create(b, loc, array.element, address, alignment);
  }
  VectorType type = lanes(array.element);
  Value addresses = LLVM::GEPOp::create(b, loc, LLVM::getVectorType(base.getType(), width),
                                        array.element, base, ArrayRef<LLVM::GEPArg>{place});
  Value all = arith::ConstantOp::create(b, loc, DenseElementsAttr::get(lanes(b.getI1Type()), true));
  Value none = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  return LLVM::masked_gather::create(b, loc, type, addresses, all, ValueRange{none}, alignment);
}
