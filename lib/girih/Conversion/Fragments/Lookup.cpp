//===- Lookup.cpp - Entries of arrays -------------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lookups of masks and of score functions, by loads that nothing orders: no kernel
// writes what it looks up.
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/Fragments/Fragments.h"

#include "girih-c/Cuda.h"
#include "girih/Analysis/ClosedForm.h"

#include <limits>

using namespace mlir;
using namespace girih;
using namespace girih::gpu;

Array FragmentEmitter::loadArray(Value table) {
  Array array;
  std::optional<unsigned> index = lookupTableIndex(table);
  if (!index)
    return array;
  auto type = cast<RankedTensorType>(table.getType());
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  Value tables = argument(offsetof(GirihCudaArguments, tables), pointer);
  auto field = [&](size_t offset, Type fieldType) {
    auto at = static_cast<int64_t>(*index * sizeof(GirihBoundTable) + offset);
    return a.load(tables, at, fieldType, /*isInvariant=*/true);
  };
  array.base = field(offsetof(GirihBoundTable, ids), pointer);
  for (int64_t d = 0; d != type.getRank(); ++d)
    array.extents.push_back(
        field(offsetof(GirihBoundTable, extent) + d * sizeof(int64_t), b.getI64Type()));
  array.element = type.getElementType();
  return array;
}

Value FragmentEmitter::lookUp(const Array &array, ArrayRef<Value> indices) {
  Value place;
  for (auto [index, extent] : llvm::zip(indices, array.extents)) {
    Value last = a.add(extent, -1), zero = a.i64(0), here = index;
    if (here.getType().isInteger(32)) {
      // Indices are below 2^31, whatever the extent.
      last = LLVM::SMinOp::create(b, loc, last, a.i64(std::numeric_limits<int32_t>::max()));
      last = LLVM::TruncOp::create(b, loc, b.getI32Type(), last);
      zero = a.i32(0);
    }
    here = LLVM::SMaxOp::create(b, loc, LLVM::SMinOp::create(b, loc, here, last), zero);
    if (here.getType().isInteger(32))
      here = a.widen(here);
    place = place ? a.add(a.mul(place, extent), here) : here;
  }
  return a.load(a.element(array.base, place, array.element), 0, array.element,
                /*isInvariant=*/true);
}
