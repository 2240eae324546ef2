//===- AmxEmulator.h - AMX on processors without it -------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For tests: the numbers and the faults of AMX, at a thousandth of its speed.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TEST_JIT_AMXEMULATOR_H
#define GIRIH_TEST_JIT_AMXEMULATOR_H

#include <csignal>
#include <cstdint>

namespace girih::testing {

/// While one lives, AMX instructions that the processor refuses are computed in software,
/// for each thread with tiles of its own: ldtilecfg, sttilecfg, tilerelease, tilezero,
/// tileloadd, tileloaddt1, tilestored and tdpbf16ps, as Intel's manual has them. What would
/// be a fault there (a bad configuration, tiles whose shapes do not fit) is the SIGILL that
/// it was. x86-64 Linux; at most one at a time.
class AmxEmulator {
public:
  AmxEmulator();
  ~AmxEmulator();
  AmxEmulator(const AmxEmulator &) = delete;
  AmxEmulator &operator=(const AmxEmulator &) = delete;

  /// Whether there is an emulator for this host.
  static bool isSupported();
  /// Instructions of a kind since the emulator was made, in all threads.
  int64_t products() const;
  int64_t configurations() const;
  /// Configurations less releases: tasks that have not tidied up.
  int64_t unreleased() const;

private:
  struct sigaction before{};
};

} // namespace girih::testing

#endif // GIRIH_TEST_JIT_AMXEMULATOR_H
