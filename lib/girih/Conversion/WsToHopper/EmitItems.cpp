//===- EmitItems.cpp - The loop over items, on both sides of a channel ----===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The load role reads tasks and runs from memory and walks through them. Of each
// item it leaves a record beside the keys of the item, under the same barrier, so
// that compute roles neither read lists nor know how tasks are dealt out:
//
//   word   0       1      2       3     4      5     6        7
//          k_tile  flags  q_tile  slot  batch  head  kv_head
//
// Whether an item is the first of its task, and whether it exists at all, the
// record before it says (last, end): a product starts without waiting for a record.
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/WsToHopper/Emitter.h"

#include "girih-c/Cuda.h"

using namespace mlir;
using namespace girih;
using namespace girih::gpu;
using Part = ws::ForItemsOp;

namespace {

enum Flag { LastFlag = 1, PartialFlag = 2, EndFlag = 4 };

struct PartOfRecord {
  Part::Part part;
  int word;
};
constexpr PartOfRecord indexParts[] = {{Part::KTile, 0}, {Part::QTile, 2}, {Part::Slot, 3},
                                       {Part::Batch, 4}, {Part::Head, 5},  {Part::KvHead, 6}};
struct PartOfFlags {
  Part::Part part;
  int flag;
};
constexpr PartOfFlags flagParts[] = {{Part::Last, LastFlag}, {Part::Partial, PartialFlag}};

constexpr int64_t recordWords = 8;

} // namespace

static Value loadWords(FragmentEmitter &e, Value address) {
  return LLVM::LoadOp::create(e.b, e.loc, VectorType::get({4}, e.b.getI32Type()), address,
                              /*alignment=*/16);
}

static Value word(FragmentEmitter &e, Value vector, int64_t i) {
  return LLVM::ExtractElementOp::create(e.b, e.loc, vector, e.a.i32(i));
}

static Value hasFlag(FragmentEmitter &e, Value flags, int flag) {
  return e.a.compare(LLVM::ICmpPredicate::ne, e.a.bitAnd(flags, flag), e.a.i32(0));
}

//===----------------------------------------------------------------------===//
// Carried values
//===----------------------------------------------------------------------===//

void Emitter::flatten(ValueRange values, SmallVector<Value> &to) {
  for (Value value : values) {
    if (isa<RankedTensorType>(value.getType()))
      llvm::append_range(to, fragment(value));
    else
      to.push_back(scalar(value));
  }
}

void Emitter::unflatten(ValueRange values, ValueRange from) {
  for (Value value : values) {
    if (!isa<RankedTensorType>(value.getType())) {
      setScalar(value, from.front());
      from = from.drop_front();
      continue;
    }
    // Pairs of 16 bits are one register.
    bool isPacked = ws::placeOf(value.getType()) == ws::Place::Operand;
    size_t count = fragmentSize(value.getType()) / (isPacked ? 2 : 1);
    set(value, Fragment(from.take_front(count)));
    from = from.drop_front(count);
  }
}

SmallVector<Value> Emitter::counters() {
  return llvm::map_to_vector(rings, [](const Ring &ring) { return ring.counter; });
}

void Emitter::setCounters(ValueRange values) {
  for (auto [ring, value] : llvm::zip(rings, values))
    ring.counter = value;
}

LogicalResult Emitter::emitBody(Block &region) {
  for (Operation &op : region.without_terminator())
    if (failed(emit(&op)))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// Load role
//===----------------------------------------------------------------------===//

void Emitter::writeRecord(ws::ForItemsOp loop, Value address) {
  Type vector = VectorType::get({4}, b.getI32Type());
  SmallVector<Value> words(recordWords, a.i32(0));
  for (PartOfRecord part : indexParts)
    words[part.word] = scalar(loop.getPart(part.part));
  for (PartOfFlags part : flagParts) {
    Value flag = a.select(scalar(loop.getPart(part.part)), a.i32(part.flag), a.i32(0));
    words[1] = LLVM::OrOp::create(b, loc, words[1], flag);
  }
  words[1] =
      LLVM::OrOp::create(b, loc, words[1], a.select(isLastOfBlock, a.i32(EndFlag), a.i32(0)));
  for (int64_t half = 0; half != 2; ++half) {
    Value value = LLVM::PoisonOp::create(b, loc, vector);
    for (int64_t i = 0; i != 4; ++i)
      value = LLVM::InsertElementOp::create(b, loc, value, words[4 * half + i], a.i32(i));
    LLVM::StoreOp::create(b, loc, value, a.element(address, a.i32(16 * half), b.getI8Type()),
                          /*alignment=*/16);
  }
}

LogicalResult Emitter::emitLoadItems(ws::ForItemsOp loop) {
  Type i32 = b.getI32Type(), pointer = LLVM::LLVMPointerType::get(b.getContext());
  if (!loop.getFirst().empty() || loop.getNumResults())
    return loop.emitOpError("expected a load role to carry nothing from item to item");
  Value tasks = argument(offsetof(GirihCudaArguments, tasks), pointer);
  Value runs = argument(offsetof(GirihCudaArguments, runs), pointer);
  Value ranges = argument(offsetof(GirihCudaArguments, block_begin), pointer);
  Value block = a.element(ranges, a.widen(a.special("ctaid.x")), i32);
  Value firstTask = a.load(block, 0, i32), endTask = a.load(block, sizeof(int32_t), i32);

  // Block arguments: task, counters; and of an item: run, tile, end of the run,
  // whether partial, tiles left, whether first, counters.
  SmallVector<Type> numbers(rings.size(), i32);
  SmallVector<Type> taskTypes{i32}, itemTypes(6, i32);
  llvm::append_range(taskTypes, numbers);
  llvm::append_range(itemTypes, numbers);
  Block *task = addBlock(taskTypes), *item = addBlock(itemTypes), *step = addBlock(),
        *finished = addBlock(), *end = addBlock();
  auto jump = [&](Block *to, ArrayRef<Value> values) {
    SmallVector<Value> operands(values);
    llvm::append_range(operands, counters());
    branch(to, operands);
  };
  // One 16-byte load: begin, end, state, view.
  static_assert(sizeof(GirihRun) == 16 && offsetof(GirihRun, end) == 4 &&
                offsetof(GirihRun, state) == 8);
  auto loadRun = [&](Value run) {
    Value fields =
        loadWords(*this, a.element(runs, a.mul(a.widen(run), sizeof(GirihRun)), b.getI8Type()));
    Value isPartial =
        a.compare(LLVM::ICmpPredicate::eq, word(*this, fields, 2), a.i32(GIRIH_TILE_PARTIAL));
    return std::array<Value, 3>{word(*this, fields, 0), word(*this, fields, 1),
                                LLVM::ZExtOp::create(b, loc, i32, isPartial)};
  };
  jump(task, {firstTask});

  b.setInsertionPointToEnd(task);
  Value number = task->getArgument(0);
  setCounters(task->getArguments().drop_front(1));
  static_assert(sizeof(GirihCudaTask) == 32 && offsetof(GirihCudaTask, first_run) == 16);
  Value at = a.element(tasks, a.mul(a.widen(number), sizeof(GirihCudaTask)), b.getI8Type());
  Value where = loadWords(*this, at),
        what = loadWords(*this, a.element(at, a.i32(16), b.getI8Type()));
  Part::Part coordinates[] = {Part::Batch, Part::Head, Part::KvHead, Part::QTile};
  for (auto [i, part] : llvm::enumerate(coordinates))
    setScalar(loop.getPart(part), word(*this, where, i));
  setScalar(loop.getPart(Part::Slot), word(*this, what, 2));
  Value firstRun = word(*this, what, 0);
  std::array<Value, 3> run = loadRun(firstRun);
  jump(item, {firstRun, run[0], run[1], run[2], word(*this, what, 1), a.i32(1)});

  b.setInsertionPointToEnd(item);
  auto fields = item->getArguments();
  setCounters(fields.drop_front(6));
  Value left = fields[4];
  Value isLast = a.compare(LLVM::ICmpPredicate::eq, left, a.i32(1));
  setScalar(loop.getPart(Part::KTile), fields[1]);
  setScalar(loop.getPart(Part::Partial), a.compare(LLVM::ICmpPredicate::ne, fields[3], a.i32(0)));
  setScalar(loop.getPart(Part::First), a.compare(LLVM::ICmpPredicate::ne, fields[5], a.i32(0)));
  setScalar(loop.getPart(Part::Last), isLast);
  Value isLastTask = a.compare(LLVM::ICmpPredicate::eq, a.add(number, 1), endTask);
  isLastOfBlock = LLVM::AndOp::create(b, loc, isLast, isLastTask);
  if (failed(emitBody(loop.getRest().front())))
    return failure();
  branch(isLast, finished, step);

  // Without a branch: the run is read again every time, from the L1 cache. Behind
  // the last tile that would be the entry that closes every run list.
  b.setInsertionPointToEnd(step);
  Value next = a.add(fields[1], 1);
  Value isOver = a.compare(LLVM::ICmpPredicate::sge, next, fields[2]);
  Value nextRun = a.add(fields[0], LLVM::ZExtOp::create(b, loc, i32, isOver));
  run = loadRun(nextRun);
  jump(item, {nextRun, a.select(isOver, run[0], next), run[1], run[2], a.add(left, -1), a.i32(0)});

  b.setInsertionPointToEnd(finished);
  Block *again = addBlock();
  branch(isLastTask, end, again);
  b.setInsertionPointToEnd(again);
  jump(task, {a.add(number, 1)});
  b.setInsertionPointToEnd(end);
  return success();
}

//===----------------------------------------------------------------------===//
// Compute role
//===----------------------------------------------------------------------===//

/// Waits for the next item, and reads it as the first arguments of `region`; returns
/// its flags. `before` are the flags of the item before.
Value Emitter::readRecord(Block &region, Value before) {
  Ring &ring = ringOf(itemChannel);
  h.barrierWait(barrier(ring, ring.counter, /*empty=*/false), phaseOf(ring, ring.counter));
  Value address = recordAddress(ring);
  Value halves[] = {loadWords(*this, address),
                    loadWords(*this, a.element(address, a.i32(16), b.getI8Type()))};
  Value flags = word(*this, halves[0], 1);
  for (PartOfRecord part : indexParts)
    setScalar(region.getArgument(part.part), word(*this, halves[part.word / 4], part.word % 4));
  for (PartOfFlags part : flagParts)
    setScalar(region.getArgument(part.part), hasFlag(*this, flags, part.flag));
  setScalar(region.getArgument(Part::First), hasFlag(*this, before, LastFlag));
  return flags;
}

LogicalResult Emitter::emitComputeItems(ws::ForItemsOp loop) {
  SmallVector<Value> carried;
  Value flags = a.i32(LastFlag); // of a task before the first
  if (loop.getFirst().empty()) {
    flatten(loop.getInits(), carried);
  } else {
    Block &first = loop.getFirst().front();
    flags = readRecord(first, flags);
    if (failed(emitBody(first)))
      return failure();
    flatten(first.getTerminator()->getOperands(), carried);
  }
  carried.push_back(flags);
  SmallVector<Type> types = llvm::map_to_vector(carried, [](Value v) { return v.getType(); });
  types.append(rings.size(), b.getI32Type());
  Block *head = addBlock(types), *body = addBlock(), *done = addBlock();
  auto jump = [&] {
    llvm::append_range(carried, counters());
    branch(head, carried);
  };
  size_t numCarried = carried.size();
  jump();

  b.setInsertionPointToEnd(head);
  auto values = head->getArguments();
  setCounters(values.drop_front(numCarried));
  Block &rest = loop.getRest().front();
  Value before = values[numCarried - 1];
  branch(hasFlag(*this, before, EndFlag), done, body);

  b.setInsertionPointToEnd(body);
  flags = readRecord(rest, before);
  unflatten(loop.getCarried(), values.take_front(numCarried));
  if (failed(emitBody(rest)))
    return failure();
  carried.clear();
  flatten(rest.getTerminator()->getOperands(), carried);
  carried.push_back(flags);
  jump();

  b.setInsertionPointToEnd(done);
  setCounters(values.drop_front(numCarried));
  unflatten(loop.getResults(), values.take_front(numCarried));
  return success();
}
