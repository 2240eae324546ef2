//===- AmxEmulator.cpp - AMX on processors without it ---------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A processor without AMX raises SIGILL at its instructions. The handler decodes the
// instruction, computes it on tiles in memory, and steps over it.
//
//===----------------------------------------------------------------------===//

#include "AmxEmulator.h"

#include <atomic>
#include <cstring>

namespace girih::testing {

static std::atomic<int64_t> numProducts, numConfigurations, numReleases;

int64_t AmxEmulator::products() const { return numProducts; }
int64_t AmxEmulator::configurations() const { return numConfigurations; }
int64_t AmxEmulator::unreleased() const { return numConfigurations - numReleases; }

} // namespace girih::testing

#if defined(__x86_64__) && defined(__linux__)

#include <immintrin.h>
#include <sys/ucontext.h>

using namespace girih::testing;

namespace {

constexpr int maxTiles = 8, maxRows = 16, maxBytes = 64;

/// The memory operand of ldtilecfg.
struct Configuration {
  uint8_t palette, startRow;
  uint8_t reserved[14];
  uint16_t rowBytes[16];
  uint8_t rows[16];
};
static_assert(sizeof(Configuration) == 64);

/// Tile registers of a thread. Palette 0: not configured.
struct TileState {
  Configuration shape;
  uint8_t data[maxTiles][maxRows][maxBytes];
};
thread_local TileState state;

/// A decoded instruction: C4, two bytes of VEX, opcode, ModRM.
struct Instruction {
  int prefix; ///< 0 none, 1 66, 2 F3, 3 F2
  int opcode;
  int reg, rm, third; ///< registers of ModRM and of VEX.vvvv
  bool hasMemory;
  bool hasSib;
  uint64_t address; ///< of the first byte of memory
  int64_t stride;   ///< index register times scale
  int64_t length;   ///< in bytes
};

} // namespace

static int64_t registerOf(const ucontext_t &context, int number) {
  static constexpr int places[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                     REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                     REG_R12, REG_R13, REG_R14, REG_R15};
  return context.uc_mcontext.gregs[places[number]];
}

static bool decode(const ucontext_t &context, Instruction &in) {
  const auto *code = reinterpret_cast<const uint8_t *>(context.uc_mcontext.gregs[REG_RIP]);
  constexpr int vex3 = 0xC4, map0F38 = 2;
  if (code[0] != vex3 || (code[1] & 31) != map0F38)
    return false;
  bool isWide = code[2] & 0x80, is256 = code[2] & 4;
  if (isWide || is256)
    return false;
  int highReg = code[1] & 0x80 ? 0 : 8, highIndex = code[1] & 0x40 ? 0 : 8,
      highBase = code[1] & 0x20 ? 0 : 8;
  in.prefix = code[2] & 3;
  in.third = ~(code[2] >> 3) & 15;
  in.opcode = code[3];
  const uint8_t *at = code + 4;
  int mode = *at >> 6;
  in.reg = (*at >> 3 & 7) + highReg;
  int low = *at & 7;
  in.rm = low + highBase;
  ++at;
  in.hasMemory = mode != 3;
  in.hasSib = in.hasMemory && low == 4;
  in.address = 0;
  in.stride = 0;
  bool isRelative = false;
  if (in.hasMemory) {
    bool hasBase = true;
    int base = in.rm;
    if (in.hasSib) {
      int index = (*at >> 3 & 7) + highIndex;
      if (index != 4) // no index
        in.stride = registerOf(context, index) * (int64_t{1} << (*at >> 6));
      base = (*at & 7) + highBase;
      hasBase = mode != 0 || (*at & 7) != 5;
      ++at;
    } else if (mode == 0 && low == 5) {
      hasBase = false;
      isRelative = true;
    }
    if (hasBase)
      in.address = static_cast<uint64_t>(registerOf(context, base));
    if (mode == 1) {
      int8_t offset = 0;
      std::memcpy(&offset, at, sizeof(offset));
      in.address += static_cast<uint64_t>(int64_t{offset});
      at += sizeof(offset);
    } else if (mode == 2 || !hasBase) {
      int32_t offset = 0;
      std::memcpy(&offset, at, sizeof(offset));
      in.address += static_cast<uint64_t>(int64_t{offset});
      at += sizeof(offset);
    }
  }
  in.length = at - code;
  if (isRelative)
    in.address += reinterpret_cast<uint64_t>(at);
  return true;
}

static bool isTile(int number) {
  return number < maxTiles && state.shape.palette == 1 && state.shape.rows[number] != 0;
}

static bool configure(const Instruction &in) {
  Configuration wanted;
  std::memcpy(&wanted, reinterpret_cast<const void *>(in.address), sizeof(wanted));
  if (wanted.palette > 1)
    return false;
  for (uint8_t byte : wanted.reserved)
    if (byte)
      return false;
  for (int tile = 0; tile != 16; ++tile) {
    int rows = wanted.rows[tile], bytes = wanted.rowBytes[tile];
    if (rows > maxRows || bytes > maxBytes || (rows == 0) != (bytes == 0) ||
        (tile >= maxTiles && rows))
      return false;
  }
  std::memset(&state, 0, sizeof(state));
  if (wanted.palette)
    state.shape = wanted;
  ++numConfigurations;
  return true;
}

static bool transfer(const Instruction &in, bool isStore) {
  if (!in.hasMemory || !in.hasSib || !isTile(in.reg))
    return false;
  auto &tile = state.data[in.reg];
  int rows = state.shape.rows[in.reg];
  size_t bytes = state.shape.rowBytes[in.reg];
  if (!isStore)
    std::memset(tile, 0, sizeof(tile));
  for (int row = state.shape.startRow; row < rows; ++row) {
    auto *memory = reinterpret_cast<uint8_t *>(in.address + static_cast<uint64_t>(row * in.stride));
    if (isStore)
      std::memcpy(memory, tile[row], bytes);
    else
      std::memcpy(tile[row], memory, bytes);
  }
  state.shape.startRow = 0;
  return true;
}

static float upperHalf(uint16_t bits) {
  uint32_t word = uint32_t{bits} << 16;
  float value = 0;
  std::memcpy(&value, &word, sizeof(value));
  return value;
}

/// Sums of even and of odd elements apart, by fused multiply-adds from 0, then their sum,
/// then the sum with what was there: each to nearest even, denormals read as and rounded
/// to 0.
__attribute__((target("fma"))) static bool multiply(const Instruction &in) {
  int to = in.reg, left = in.rm, right = in.third;
  if (!isTile(to) || !isTile(left) || !isTile(right) || to == left || to == right || left == right)
    return false;
  int rows = state.shape.rows[to], columns = state.shape.rowBytes[to] / 4,
      pairs = state.shape.rowBytes[left] / 4;
  if (state.shape.rowBytes[to] % 4 || state.shape.rowBytes[left] % 4 ||
      rows != state.shape.rows[left] || pairs != state.shape.rows[right] ||
      state.shape.rowBytes[to] != state.shape.rowBytes[right])
    return false;
  constexpr unsigned masked = 0x1f80, flush = 0x8040;
  unsigned saved = _mm_getcsr();
  _mm_setcsr(masked | flush);
  float factors[maxRows][2 * maxRows];
  for (int pair = 0; pair != pairs; ++pair)
    for (int i = 0; i != 2 * columns; ++i) {
      uint16_t bits = 0;
      std::memcpy(&bits, &state.data[right][pair][2 * i], sizeof(bits));
      factors[pair][i] = upperHalf(bits);
    }
  for (int row = 0; row != rows; ++row) {
    float sums[2 * maxRows] = {};
    for (int pair = 0; pair != pairs; ++pair) {
      uint16_t bits[2];
      std::memcpy(bits, &state.data[left][row][4 * pair], sizeof(bits));
      float even = upperHalf(bits[0]), odd = upperHalf(bits[1]);
      for (int i = 0; i != columns; ++i) {
        sums[2 * i] = __builtin_fmaf(even, factors[pair][2 * i], sums[2 * i]);
        sums[2 * i + 1] = __builtin_fmaf(odd, factors[pair][2 * i + 1], sums[2 * i + 1]);
      }
    }
    for (int i = 0; i != columns; ++i) {
      float value = 0;
      std::memcpy(&value, &state.data[to][row][4 * i], sizeof(value));
      value += sums[2 * i] + sums[2 * i + 1];
      std::memcpy(&state.data[to][row][4 * i], &value, sizeof(value));
    }
    std::memset(&state.data[to][row][4 * columns], 0, static_cast<size_t>(maxBytes - 4 * columns));
  }
  for (int row = rows; row != maxRows; ++row)
    std::memset(state.data[to][row], 0, maxBytes);
  state.shape.startRow = 0;
  _mm_setcsr(saved);
  ++numProducts;
  return true;
}

/// Opcode 49: configuration, release and zeroing.
static bool executeSetup(const Instruction &in) {
  if (in.hasMemory && in.reg == 0 && in.prefix == 0)
    return configure(in);
  if (in.hasMemory && in.reg == 0 && in.prefix == 1) {
    std::memcpy(reinterpret_cast<void *>(in.address), &state.shape, sizeof(state.shape));
    return true;
  }
  if (!in.hasMemory && in.prefix == 0 && in.reg == 0 && in.rm == 0) {
    std::memset(&state, 0, sizeof(state));
    ++numReleases;
    return true;
  }
  if (!in.hasMemory && in.prefix == 3 && in.rm == 0 && isTile(in.reg)) {
    std::memset(state.data[in.reg], 0, sizeof(state.data[in.reg]));
    return true;
  }
  return false;
}

static bool execute(const Instruction &in) {
  constexpr int setup = 0x49, memory = 0x4B, bf16 = 0x5C;
  if (in.opcode == bf16)
    return !in.hasMemory && in.prefix == 2 && multiply(in);
  if (in.third != 0)
    return false;
  if (in.opcode == memory) // F2: tileloadd, 66: tileloaddt1, F3: tilestored
    return in.prefix != 0 && transfer(in, /*isStore=*/in.prefix == 2);
  return in.opcode == setup && executeSetup(in);
}

static void handle(int, siginfo_t *, void *context) {
  auto &machine = *static_cast<ucontext_t *>(context);
  Instruction instruction;
  if (decode(machine, instruction) && execute(instruction)) {
    machine.uc_mcontext.gregs[REG_RIP] += instruction.length;
    return;
  }
  // Nothing of ours: raised again, it ends the process.
  signal(SIGILL, SIG_DFL);
}

namespace girih::testing {

AmxEmulator::AmxEmulator() {
  numProducts = numConfigurations = numReleases = 0;
  struct sigaction action{};
  action.sa_sigaction = handle;
  action.sa_flags = SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  sigaction(SIGILL, &action, &before);
}

AmxEmulator::~AmxEmulator() { sigaction(SIGILL, &before, nullptr); }

bool AmxEmulator::isSupported() { return true; }

} // namespace girih::testing

#else

namespace girih::testing {

AmxEmulator::AmxEmulator() = default;
AmxEmulator::~AmxEmulator() = default;
bool AmxEmulator::isSupported() { return false; }

} // namespace girih::testing

#endif
