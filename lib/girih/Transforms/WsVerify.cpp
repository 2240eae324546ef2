//===- WsVerify.cpp - Prove that a program neither hangs nor races --------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All roles visit the same items, and what waits stands in their loops without a
// condition of its own, so that counting an item's puts, gets and releases in each
// part of a loop says whether they match for every list of items. Whether they match
// in an order that ends is tried out on short lists.
//
//===----------------------------------------------------------------------===//

#include "girih/Transforms/Passes.h"
#include "girih/WarpSpec/WarpSpec.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/TypeSwitch.h"

#include <deque>

using namespace mlir;

namespace girih {
#define GEN_PASS_DEF_WSVERIFY
#include "girih/Transforms/Passes.h.inc"
} // namespace girih

using namespace girih;
using Part = ws::ForItemsOp;

namespace {

/// Where in a role an op runs.
enum Phase { FirstItem, EachItem, Behind, NumPhases };

/// Ops that wait or are waited for, in the order in which a role runs them.
struct Trace {
  SmallVector<Operation *> ops[NumPhases];
  bool isPeeled = false; ///< whether the first item has a region of its own
};

/// How often something happens: at an item, with or without a condition.
struct Count {
  unsigned always = 0, conditional = 0;
  bool operator==(const Count &other) const {
    return always == other.always && conditional == other.conditional;
  }
  Count operator+(const Count &other) const {
    return {always + other.always, conditional + other.conditional};
  }
};

using Traces = SmallVector<std::pair<ws::RoleOp, Trace>>;

struct Item {
  bool isFirst = false, isLast = false; ///< of its task
};

/// Runs what waits, and what is waited for, on one list of items. Every role goes on
/// for as long as it can: nothing that one does stops another, so where they end
/// does not depend on who goes first.
class Simulation {
public:
  explicit Simulation(Traces &traces) {
    for (auto &[role, ops] : traces)
      for (uint64_t i = 0, count = isLoad(role) ? 1 : role.getWarpgroups(); i != count; ++i)
        agents.emplace_back(ops, role, i);
  }

  /// An op that waits for ever, or null.
  Operation *run(ArrayRef<Item> items) {
    for (Agent &agent : agents)
      expand(agent, items);
    for (bool goesOn = true; goesOn;) {
      goesOn = false;
      for (Agent &agent : agents)
        for (; agent.at != agent.steps.size() && step(agent, agent.steps[agent.at]); ++agent.at)
          goesOn = true;
    }
    for (Agent &agent : agents)
      if (agent.at != agent.steps.size())
        return agent.steps[agent.at];
    return nullptr;
  }

private:
  /// A warpgroup of a role, or the thread that loads.
  struct Agent {
    Agent(const Trace &ops, ws::RoleOp role, uint64_t number)
        : ops(&ops), role(role), number(number) {}
    const Trace *ops;
    ws::RoleOp role;
    uint64_t number;
    SmallVector<Operation *> steps;
    size_t at = 0;
    int64_t turns = 0; ///< that it has ended
    llvm::DenseMap<Value, int64_t> gets, releases;
  };

  static bool isLoad(ws::RoleOp role) { return role.getKind() == ws::RoleKind::Load; }

  static bool happens(Operation *op, const Item &item) {
    Value when;
    llvm::TypeSwitch<Operation *>(op).Case<ws::PutOp, ws::GetOp, ws::ReleaseOp>(
        [&](auto typed) { when = typed.getWhen(); });
    if (!when)
      return true;
    return cast<BlockArgument>(when).getArgNumber() == Part::First ? item.isFirst : item.isLast;
  }

  static void expand(Agent &agent, ArrayRef<Item> items) {
    auto add = [&](Phase phase, const Item &item) {
      for (Operation *op : agent.ops->ops[phase])
        if (isa<ws::PutOp, ws::GetOp, ws::ReleaseOp, ws::TurnOp, YieldOp>(op) && happens(op, item))
          agent.steps.push_back(op);
    };
    for (auto [i, item] : llvm::enumerate(items))
      add(i == 0 && agent.ops->isPeeled ? FirstItem : EachItem, item);
    add(Behind, items.back());
  }

  /// Does a step if it need not wait.
  bool step(Agent &agent, Operation *op) {
    if (auto put = dyn_cast<ws::PutOp>(op)) {
      ws::ChannelType type = put.getChannel().getType();
      for (Agent &other : agents)
        if (reads(other, put.getChannel()) &&
            puts[put.getChannel()] - other.releases[put.getChannel()] >= type.getStages())
          return false;
      ++puts[put.getChannel()];
    } else if (auto get = dyn_cast<ws::GetOp>(op)) {
      if (agent.gets[get.getChannel()] == puts[get.getChannel()])
        return false;
      ++agent.gets[get.getChannel()];
    } else if (auto release = dyn_cast<ws::ReleaseOp>(op)) {
      ++agent.releases[release.getChannel()];
    } else if (isa<ws::TurnOp>(op)) {
      // The first warpgroup begins; each follows the one before.
      uint64_t count = agent.role.getWarpgroups();
      for (Agent &other : agents)
        if (other.role == agent.role && other.number == (agent.number + count - 1) % count &&
            other.turns < agent.turns + (agent.number != 0))
          return false;
    } else {
      ++agent.turns;
    }
    return true;
  }

  static bool reads(const Agent &agent, Value channel) {
    return llvm::any_of(agent.ops->ops, [&](const SmallVector<Operation *> &ops) {
      return llvm::any_of(
          ops, [&](Operation *op) { return isa<ws::GetOp>(op) && op->getOperand(0) == channel; });
    });
  }

  SmallVector<Agent> agents;
  llvm::DenseMap<Value, int64_t> puts;
};

class ProgramVerifier {
public:
  explicit ProgramVerifier(func::FuncOp func) : func(func) {}

  LogicalResult run() {
    for (auto role : func.getOps<ws::RoleOp>())
      if (failed(trace(role)))
        return failure();
    for (auto channel : func.getOps<ws::MakeChannelOp>())
      if (failed(checkChannel(channel)))
        return failure();
    for (auto &[role, ops] : traces)
      if (failed(checkProducts(ops)))
        return failure();
    return failure(failed(checkProgress()) || failed(checkResources()));
  }

private:
  LogicalResult trace(ws::RoleOp role) {
    Trace ops;
    SmallVector<ws::ForItemsOp> loops(role.getOps<ws::ForItemsOp>());
    if (loops.size() != 1)
      return role.emitOpError("expected one girih_ws.for_items in a role, but got ")
             << loops.size();
    for (Operation &op : role.getBody().front()) {
      if (auto loop = dyn_cast<ws::ForItemsOp>(op)) {
        ops.isPeeled = !loop.getFirst().empty();
        for (auto [region, phase] :
             {std::pair(&loop.getFirst(), FirstItem), std::pair(&loop.getRest(), EachItem)})
          if (!region->empty() && failed(trace(region->front(), ops.ops[phase])))
            return failure();
      } else if (failed(trace(op, ops.ops[Behind]))) {
        return failure();
      }
    }
    traces.push_back({role, ops});
    return success();
  }

  LogicalResult trace(Block &block, SmallVector<Operation *> &ops) {
    for (Operation &op : block)
      if (failed(trace(op, ops)))
        return failure();
    return success();
  }

  LogicalResult trace(Operation &op, SmallVector<Operation *> &ops) {
    if (isa<ws::PutOp, ws::GetOp, ws::ReleaseOp, ws::DotAsyncOp, ws::WaitOp>(op)) {
      bool hasChannel = isa<ws::PutOp, ws::GetOp, ws::ReleaseOp>(op);
      if (hasChannel && !op.getOperand(0).getDefiningOp<ws::MakeChannelOp>())
        return op.emitOpError("[v3] expected a channel that is made in this function");
      ops.push_back(&op);
      return success();
    }
    if (auto turn = dyn_cast<ws::TurnOp>(op)) {
      ops.push_back(turn);
      LogicalResult inner = trace(turn.getBody().front(), ops);
      ops.push_back(turn.getBody().front().getTerminator()); // where it ends
      return inner;
    }
    auto found = op.walk([&](Operation *inner) {
      if (isa<ws::WaitOp>(inner))
        ops.push_back(inner);
      if (inner != &op &&
          isa<ws::PutOp, ws::GetOp, ws::ReleaseOp, ws::DotAsyncOp, ws::TurnOp>(inner)) {
        inner->emitOpError("[v1] expected to run at every item, but is behind a condition of its "
                           "own, where the other side can't follow");
        return WalkResult::interrupt();
      }
      return WalkResult::advance();
    });
    return success(!found.wasInterrupted());
  }

  /// Counts ops of one kind on a channel; conditions must be those of the item.
  template <typename OpTy>
  LogicalResult count(const Trace &ops, Value channel, unsigned part, Count (&counts)[NumPhases]) {
    for (unsigned phase = 0; phase != NumPhases; ++phase)
      for (Operation *op : ops.ops[phase]) {
        auto typed = dyn_cast<OpTy>(op);
        if (!typed || typed.getChannel() != channel)
          continue;
        if (!typed.getWhen()) {
          ++counts[phase].always;
          continue;
        }
        auto argument = dyn_cast<BlockArgument>(typed.getWhen());
        if (!argument || !isa<ws::ForItemsOp>(argument.getOwner()->getParentOp()) ||
            argument.getArgNumber() != part)
          return op->emitOpError("[v2] expected the condition to be that the item is the ")
                 << (part == Part::First ? "first" : "last") << " of its task";
        ++counts[phase].conditional;
      }
    return success();
  }

  LogicalResult checkChannel(ws::MakeChannelOp channel) {
    Value value = channel.getChannel();
    const Trace *putter = nullptr, *getter = nullptr;
    for (auto &[role, ops] : traces)
      for (auto &phase : ops.ops)
        for (Operation *op : phase) {
          bool puts = isa<ws::PutOp>(op), gets = isa<ws::GetOp, ws::ReleaseOp>(op);
          if ((!puts && !gets) || op->getOperand(0) != value)
            continue;
          const Trace *&side = puts ? putter : getter;
          if (side && side != &ops)
            return op->emitOpError("[v3] expected one role on each side of a channel");
          side = &ops;
        }
    if (!putter || !getter || putter == getter)
      return channel.emitOpError("[v3] expected one role that puts and another that gets");
    Count puts[NumPhases], gets[NumPhases], releases[NumPhases];
    if (failed(count<ws::PutOp>(*putter, value, Part::First, puts)) ||
        failed(count<ws::GetOp>(*getter, value, Part::First, gets)) ||
        failed(count<ws::ReleaseOp>(*getter, value, Part::Last, releases)))
      return failure();
    auto mismatch = [&](StringRef what, const Count &have, const Count &want) {
      return channel.emitOpError("[v4] expected as many ")
             << what << " as puts an item, " << want.always + want.conditional << " ("
             << want.conditional << " of them for one item of a task), but got "
             << have.always + have.conditional << " (" << have.conditional << ")";
    };
    for (auto [name, counts] : {std::pair("gets", &gets), std::pair("releases", &releases)}) {
      if (!((*counts)[EachItem] == puts[EachItem]))
        return mismatch(name, (*counts)[EachItem], puts[EachItem]);
      // A loop without a first region runs `rest` for the first item, too.
      Count once = (*counts)[FirstItem] + (*counts)[Behind], none;
      Count want = getter->isPeeled ? puts[EachItem] : none;
      if (!(once == want))
        return mismatch(name, once, want);
    }
    if (!(puts[FirstItem] + puts[Behind] == Count()))
      return channel.emitOpError("[v4] expected puts in the loop over items alone");
    return checkOrder(*getter, value);
  }

  /// Gets and releases take turns: a tile goes back before the next one is got.
  LogicalResult checkOrder(const Trace &ops, Value channel) {
    bool isHeld = false;
    for (unsigned phase : {FirstItem, EachItem, EachItem, Behind})
      for (Operation *op : ops.ops[phase]) {
        if (!isa<ws::GetOp, ws::ReleaseOp>(op) || op->getOperand(0) != channel)
          continue;
        if (isa<ws::GetOp>(op) == isHeld)
          return op->emitOpError("[v5] expected a tile to be got, then released, before the next");
        isHeld = !isHeld;
      }
    return success();
  }

  /// What a turn yields as `value`, or `value` itself.
  static Value throughTurn(Value value) {
    auto turn = value.getDefiningOp<ws::TurnOp>();
    return turn ? turn.getBody().front().getTerminator()->getOperand(
                      cast<OpResult>(value).getResultNumber())
                : value;
  }

  /// The channel that a tile in shared memory comes from; null for others.
  static Value channelOf(Value tile) {
    auto get = throughTurn(tile).getDefiningOp<ws::GetOp>();
    return get ? get.getChannel() : Value();
  }

  static bool isShared(Value tile) {
    std::optional<ws::Place> place = ws::placeOf(tile.getType());
    return place == ws::Place::SharedK || place == ws::Place::SharedMN;
  }

  /// Follows products through the first items of a role.
  LogicalResult checkProducts(const Trace &ops) {
    std::deque<ws::DotAsyncOp> flying;
    llvm::SmallDenseSet<Value> held;
    for (unsigned phase : {FirstItem, EachItem, EachItem, Behind})
      for (Operation *op : ops.ops[phase]) {
        if (auto get = dyn_cast<ws::GetOp>(op)) {
          held.insert(get.getChannel());
        } else if (auto dot = dyn_cast<ws::DotAsyncOp>(op)) {
          if (Value acc = dot.getAcc(); acc && !acc.hasOneUse())
            return dot.emitOpError("[v6] expected the accumulator to have no other use: its "
                                   "registers are those of the result");
          for (Value tile : {Value(dot.getLhs()), Value(dot.getRhs())})
            if (isShared(tile) && !held.contains(channelOf(tile)))
              return dot.emitOpError(
                  "[v8] expected to read tiles that were got and not given back");
          flying.push_back(dot);
        } else if (auto wait = dyn_cast<ws::WaitOp>(op)) {
          auto pending = static_cast<int64_t>(wait.getPending());
          if (pending < 0)
            return wait.emitOpError("[v7] expected pending not to be negative, but got ")
                   << pending;
          auto dot = throughTurn(wait.getToken()).getDefiningOp<ws::DotAsyncOp>();
          if (!dot)
            return wait.emitOpError("[v7] expected a token of a product, but got one that was "
                                    "carried");
          auto count = static_cast<int64_t>(flying.size());
          auto left = llvm::make_range(flying.begin() + std::max<int64_t>(count - pending, 0),
                                       flying.end());
          if (llvm::is_contained(left, dot))
            return wait.emitOpError("[v7] expected the product to be over, but with pending ")
                   << pending << " it may be in flight";
          // Behind a condition it says nothing about what comes later.
          if (isa<ws::ForItemsOp, ws::RoleOp, ws::TurnOp>(wait->getParentOp()))
            flying.erase(flying.begin(), left.begin());
        } else if (auto release = dyn_cast<ws::ReleaseOp>(op)) {
          held.erase(release.getChannel());
          for (ws::DotAsyncOp dot : flying)
            if (channelOf(dot.getLhs()) == release.getChannel() ||
                channelOf(dot.getRhs()) == release.getChannel()) {
              InFlightDiagnostic diagnostic = release.emitOpError(
                  "[v8] expected no product in flight to read the tile that is given back");
              diagnostic.attachNote(dot.getLoc()) << "this one may";
              return diagnostic;
            }
        }
      }
    return success();
  }

  /// Runs short lists of items through all roles. Once its rings are full a program
  /// repeats itself, so a few items more than stages show every way to hang.
  LogicalResult checkProgress() {
    int64_t mostStages = 1;
    for (auto channel : func.getOps<ws::MakeChannelOp>())
      mostStages = std::max(mostStages, channel.getChannel().getType().getStages());
    int64_t mostItems = std::min<int64_t>(mostStages + 3, 8);
    for (int64_t count = 1; count <= mostItems; ++count)
      for (unsigned begins = 0; begins != 1u << (count - 1); ++begins) {
        SmallVector<Item> items(count);
        for (auto [i, item] : llvm::enumerate(items)) {
          item.isFirst = i == 0 || (begins >> (i - 1) & 1);
          item.isLast = static_cast<int64_t>(i) + 1 == count || (begins >> i & 1);
        }
        if (Operation *stuck = Simulation(traces).run(items)) {
          InFlightDiagnostic diagnostic =
              stuck->emitOpError("[v9] expected to go on, but waits for ever when tasks have ");
          int64_t length = 0;
          for (const Item &item : items) {
            ++length;
            if (!item.isLast)
              continue;
            diagnostic << length << (&item == &items.back() ? " items" : ", ");
            length = 0;
          }
          return diagnostic;
        }
      }
    return success();
  }

  LogicalResult checkResources() {
    constexpr int64_t mostRegisters = 65536, mostThreads = 1024, mostBarriers = 16;
    constexpr int64_t mostShared = 227 * 1024, recordBytes = 32, barrierBytes = 16;
    int64_t registers = 0, threads = 0, barriers = 1, shared = 0;
    for (auto role : func.getOps<ws::RoleOp>()) {
      threads += 128 * role.getWarpgroups();
      registers += 128 * role.getWarpgroups() * role.getRegisters();
      barriers += role.getWarpgroups();
    }
    for (auto channel : func.getOps<ws::MakeChannelOp>()) {
      ws::ChannelType type = channel.getChannel().getType();
      shared += type.getStages() * (ws::sharedBytes(type.getTile()) + recordBytes + barrierBytes);
    }
    struct {
      StringRef what;
      int64_t have, most;
    } limits[] = {{"threads", threads, mostThreads},
                  {"registers", registers, mostRegisters},
                  {"named barriers", barriers, mostBarriers},
                  {"bytes of shared memory", shared, mostShared}};
    for (auto &limit : limits)
      if (limit.have > limit.most)
        return func.emitOpError("[v10] expected at most ")
               << limit.most << " " << limit.what << " a block, but got " << limit.have;
    return success();
  }

  func::FuncOp func;
  Traces traces;
};

struct WsVerify : girih::impl::WsVerifyBase<WsVerify> {
  void runOnOperation() override {
    func::FuncOp func = getOperation();
    if (!func.getOps<ws::RoleOp>().empty() && failed(ProgramVerifier(func).run()))
      signalPassFailure();
    markAllAnalysesPreserved();
  }
};

} // namespace
