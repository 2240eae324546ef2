//===- DescribeKernel.cpp - The constants of a descriptor -----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Field by field as girih-c/ declares them; test/Tools/girih-compile links the result and
// compares it with what it was made of.
//
//===----------------------------------------------------------------------===//

#include "girih/AOT/StaticData.h"

using namespace girih;
using Kind = StaticValue::Kind;

static StaticValue i32(int32_t value) { return {Kind::Int32, value, {}, {}}; }
static StaticValue u32(uint32_t value) { return i32(static_cast<int32_t>(value)); }
static StaticValue i64(int64_t value) { return {Kind::Int64, value, {}, {}}; }
static StaticValue u64(uint64_t value) {
  return {Kind::UInt64, static_cast<int64_t>(value), {}, {}};
}
static StaticValue null() { return {Kind::Null, 0, {}, {}}; }
static StaticValue text(llvm::StringRef value) { return {Kind::Text, 0, value.str(), {}}; }
static StaticValue addressOf(llvm::StringRef symbol) { return {Kind::Symbol, 0, symbol.str(), {}}; }
static StaticValue fields(std::vector<StaticValue> values) {
  return {Kind::Struct, 0, {}, std::move(values)};
}

namespace {

class Describer {
public:
  explicit Describer(llvm::StringRef name) : name(name.str()) {}

  StaticValue kernel(const GirihKernelDesc &d, llvm::StringRef entry) {
    return fields({u32(d.magic), u32(d.abi_version), text(name), i32(d.dtype), i32(d.align),
                   i32(d.head_dim), i32(d.v_dim), i32(d.tile_q), i32(d.tile_k),
                   i64(d.scratch_bytes), program(*d.map), entry.empty() ? null() : addressOf(entry),
                   i32(d.o_dtype), i32(d.reserved), u64(d.cpu_features)});
  }

  void define(llvm::StringRef type, llvm::StringRef symbol, size_t bytes, StaticValue value) {
    objects.push_back({type.str(), symbol.str(), /*isArray=*/false, bytes, {std::move(value)}});
  }

  std::vector<StaticObject> objects;

private:
  /// Defines an array and returns its address; null when it is empty.
  template <typename T, typename Describe>
  StaticValue array(llvm::StringRef type, llvm::StringRef suffix, const T *values, int64_t count,
                    Describe describe) {
    if (count == 0)
      return null();
    StaticObject object{type.str(), name + suffix.str(), /*isArray=*/true, sizeof(T), {}};
    for (int64_t i = 0; i != count; ++i)
      object.elements.push_back(describe(values[i]));
    objects.push_back(std::move(object));
    return addressOf(objects.back().symbol);
  }

  StaticValue terms(llvm::StringRef suffix, const GirihMapTerm *values, int32_t count) {
    return array("GirihMapTerm", suffix, values, count, [](const GirihMapTerm &t) {
      return fields({i32(t.first), i32(t.num_guards), i32(t.num_lower), i32(t.num_upper)});
    });
  }

  StaticValue program(const GirihMapProgram &p) {
    int64_t numTermNodes = 0;
    for (auto [values, count] : {std::pair(p.forward, p.num_forward), {p.reverse, p.num_reverse}})
      for (int32_t i = 0; i != count; ++i)
        numTermNodes += int64_t{values[i].num_guards} + values[i].num_lower + values[i].num_upper;
    StaticValue nodes =
        array("GirihMapNode", "_nodes", p.nodes, p.num_nodes, [](const GirihMapNode &n) {
          return fields({i32(n.op), i32(n.a), i32(n.b), i32(n.reserved), i64(n.imm)});
        });
    StaticValue tables =
        array("GirihMapTable", "_tables", p.tables, p.num_tables, [](const GirihMapTable &t) {
          return fields({i32(t.kind), i32(t.operand), i64(t.unit), i64(t.count), u64(t.seed)});
        });
    StaticValue forward = terms("_forward", p.forward, p.num_forward);
    StaticValue reverse = terms("_reverse", p.reverse, p.num_reverse);
    StaticValue termNodes = array("int32_t", "_term_nodes", p.term_nodes, numTermNodes, i32);
    define("GirihMapProgram", name + "_map", sizeof(GirihMapProgram),
           fields({nodes, tables, forward, reverse, termNodes, i32(p.num_nodes), i32(p.num_tables),
                   i32(p.num_forward), i32(p.num_reverse), i32(p.num_operands), i32(p.root),
                   i32(p.uses_batch), i32(p.uses_head)}));
    return addressOf(name + "_map");
  }

  std::string name;
};

} // namespace

std::vector<StaticObject> girih::describeKernel(const GirihKernelDesc &desc, llvm::StringRef name,
                                                llvm::StringRef symbol, llvm::StringRef entry) {
  Describer describer(name);
  StaticValue value = describer.kernel(desc, entry);
  describer.define("GirihKernelDesc", symbol, sizeof(GirihKernelDesc), std::move(value));
  return std::move(describer.objects);
}

std::vector<StaticObject> girih::describeKernel(const GirihCudaKernelDesc &d, llvm::StringRef name,
                                                llvm::StringRef symbol) {
  Describer describer(name);
  StaticValue value =
      fields({describer.kernel(d.base, /*entry=*/""), text(d.function),
              d.merge_function ? text(d.merge_function) : null(), i32(d.threads),
              i32(d.shared_bytes), i32(d.box_q), i32(d.box_k), i32(d.box_cols),
              i32(d.blocks_per_multiprocessor), i32(d.uses_tensor_maps), i32(d.store_bytes),
              d.copy_function ? text(d.copy_function) : null()});
  describer.define("GirihCudaKernelDesc", symbol, sizeof(GirihCudaKernelDesc), std::move(value));
  return std::move(describer.objects);
}
