//===- StaticData.cpp - Descriptors as constants of C ---------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/AOT/StaticData.h"

#include "girih/Support/Error.h"

#include "llvm/IR/Constants.h"
#include "llvm/IR/DerivedTypes.h"
#include "llvm/IR/Module.h"

#include <map>

using namespace girih;
using Kind = StaticValue::Kind;

//===----------------------------------------------------------------------===//
// As C
//===----------------------------------------------------------------------===//

static void printValue(const StaticValue &value, const std::map<std::string, bool> &isArray,
                       llvm::raw_ostream &os) {
  switch (value.kind) {
  case Kind::Int32:
    os << value.integer;
    return;
  case Kind::Int64:
    if (value.integer == INT64_MIN) // its digits alone are no int64
      os << "(-INT64_C(" << INT64_MAX << ") - 1)";
    else
      os << "INT64_C(" << value.integer << ")";
    return;
  case Kind::UInt64:
    os << "UINT64_C(" << static_cast<uint64_t>(value.integer) << ")";
    return;
  case Kind::Null:
    os << "0";
    return;
  case Kind::Text:
    os << '"' << value.text << '"';
    return;
  case Kind::Symbol:
    // Arrays and functions decay to their address.
    os << (isArray.at(value.text) ? "" : "&") << value.text;
    return;
  case Kind::Struct:
    os << '{';
    for (size_t i = 0; i != value.fields.size(); ++i) {
      os << (i ? ", " : "");
      printValue(value.fields[i], isArray, os);
    }
    os << '}';
    return;
  }
}

void girih::printStatic(const std::vector<StaticObject> &objects, llvm::raw_ostream &os) {
  std::map<std::string, bool> isArray;
  for (const StaticObject &object : objects) {
    os << "static const " << object.type << ' ' << object.symbol;
    if (object.isArray)
      os << '[' << object.elements.size() << "] = {\n";
    else
      os << " =\n";
    for (const StaticValue &element : object.elements) {
      os << "    ";
      printValue(element, isArray, os);
      os << (object.isArray ? ",\n" : ";\n");
    }
    if (object.isArray)
      os << "};\n";
    isArray[object.symbol] = object.isArray;
  }
}

//===----------------------------------------------------------------------===//
// As globals
//===----------------------------------------------------------------------===//

static llvm::Constant *globalText(llvm::Module &module, llvm::StringRef text) {
  llvm::Constant *characters = llvm::ConstantDataArray::getString(module.getContext(), text);
  auto *global = new llvm::GlobalVariable(module, characters->getType(), /*isConstant=*/true,
                                          llvm::GlobalValue::PrivateLinkage, characters);
  global->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
  return global;
}

static llvm::Constant *constantOf(const StaticValue &value, llvm::Module &module) {
  llvm::LLVMContext &context = module.getContext();
  auto *pointer = llvm::PointerType::getUnqual(context);
  switch (value.kind) {
  case Kind::Int32:
    return llvm::ConstantInt::getSigned(llvm::Type::getInt32Ty(context), value.integer);
  case Kind::Int64:
  case Kind::UInt64:
    return llvm::ConstantInt::getSigned(llvm::Type::getInt64Ty(context), value.integer);
  case Kind::Null:
    return llvm::ConstantPointerNull::get(pointer);
  case Kind::Text:
    return globalText(module, value.text);
  case Kind::Symbol:
    return module.getNamedValue(value.text);
  case Kind::Struct:
    break;
  }
  std::vector<llvm::Constant *> fields;
  for (const StaticValue &field : value.fields)
    fields.push_back(constantOf(field, module));
  return llvm::ConstantStruct::getAnon(context, fields);
}

llvm::Error girih::addStatic(const std::vector<StaticObject> &objects, llvm::Module &module) {
  for (const StaticObject &object : objects) {
    std::vector<llvm::Constant *> elements;
    for (const StaticValue &element : object.elements)
      elements.push_back(constantOf(element, module));
    llvm::Type *type = elements.front()->getType();
    if (module.getDataLayout().getTypeAllocSize(type) != object.elementBytes)
      return internalError("a constant of type " + object.type + " is not laid out as in C");
    llvm::Constant *value = elements.front();
    if (object.isArray)
      value = llvm::ConstantArray::get(llvm::ArrayType::get(type, elements.size()), elements);
    bool isLast = &object == &objects.back();
    new llvm::GlobalVariable(module, value->getType(), /*isConstant=*/true,
                             isLast ? llvm::GlobalValue::ExternalLinkage
                                    : llvm::GlobalValue::InternalLinkage,
                             value, object.symbol);
  }
  return llvm::Error::success();
}
