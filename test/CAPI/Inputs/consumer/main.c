//===- main.c - A program that has the runtime ----------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Draws blocks, which takes nothing but the runtime.
//
//===----------------------------------------------------------------------===//

#include <girih-c/Cuda.h>
#include <girih-c/Runtime.h>

#include <stdio.h>

int main(void) {
  int64_t blocks[4];
  int64_t drawn = girihRandomBlocks(1, 0, 0, 4, 4, blocks);
  printf("drew %d of 4 blocks, the last is %d\n", (int)drawn, (int)blocks[3]);
  return girihCpuThreads() < 1;
}
