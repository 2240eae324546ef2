//===- Outcomes.h - What came of the cases ----------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TEST_GPU_API_OUTCOMES_H
#define GIRIH_TEST_GPU_API_OUTCOMES_H

#include <cstdio>
#include <string>

namespace girih::gputest {

/// Counts and prints.
class Outcomes {
public:
  void record(const std::string &name, const std::string &trouble) {
    ++(trouble.empty() ? passed : failed);
    printf("%s %s%s%s\n", trouble.empty() ? "passed" : "FAILED", name.c_str(),
           trouble.empty() ? "" : ": ", trouble.c_str());
    fflush(stdout);
  }
  int finish() const {
    printf("%d passed, %d failed\n", passed, failed);
    return failed ? 1 : 0;
  }

private:
  int passed = 0, failed = 0;
};

} // namespace girih::gputest

#endif // GIRIH_TEST_GPU_API_OUTCOMES_H
