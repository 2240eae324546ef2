/*===- SanitizerOptions.c - How the asan preset's programs check ------------===*
 *
 * Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Built into every program of the asan preset, so that they check alike however they
 * are started; ASAN_OPTIONS of the environment come on top. LLVM's and MLIR's shared
 * libraries are not instrumented: containers and arenas that they and instrumented
 * code share would look overrun.
 *
 *===----------------------------------------------------------------------===*/

const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

const char *__asan_default_options(void) {
  return "detect_container_overflow=0:allow_user_poisoning=0";
}

const char *__ubsan_default_options(void) { return "print_stacktrace=1:halt_on_error=1"; }
