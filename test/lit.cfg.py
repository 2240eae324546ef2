# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# How lit runs Girih's tests. Paths come from lit.site.cfg.py, which CMake writes
# into the build tree.

import os
import sys

import lit.formats

config.name = "Girih"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test", ".girih"]
config.excludes = ["Inputs"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.girih_obj_root, "test", "lit")

# A tool's name in a RUN line means the one just built, never one on PATH.
# Dashes count as part of a name: "girih-opt-x" is another tool.
def tool(name, folder):
    path = os.path.join(folder, name)
    config.substitutions.append((r"(?<![\w./%-])" + name + r"(?![\w./=-])", path))

for name in ("girih-opt", "girih-run", "girih-explain", "girih-compile", "girih-cache", "girih-bench", "girih-lsp-server"):
    tool(name, config.girih_bin_dir)
for name in ("FileCheck", "not", "count", "llvm-objdump", "llvm-nm", "llvm-readelf", "split-file"):
    tool(name, config.llvm_tools_dir)
config.substitutions.append(("%python", sys.executable))
config.substitutions.append(("%girih_src", config.girih_src_root))
# Programs that have the runtime and no compiler, in C and C++.
runtime_folder = os.path.join(config.girih_obj_root, "runtime")
config.substitutions.append(("%cc", config.girih_cc))
config.substitutions.append(("%cxx", config.girih_cxx))
config.substitutions.append(
    ("%runtime_include", "-I" + os.path.join(config.girih_src_root, "runtime"))
)
config.substitutions.append(
    (
        "%runtime_link",
        "-L" + runtime_folder + " -lgirih_runtime -ltbb -lstdc++ -lpthread -ldl -lm",
    )
)

# The compiler as a library, and what an install takes.
config.substitutions.append(
    ("%girih_library", os.path.join(config.girih_obj_root, "lib", "libgirih.so"))
)
config.substitutions.append(("%girih_obj", config.girih_obj_root))
config.substitutions.append(("%cmake_consumer", config.girih_cmake))

# A library of a sanitizer's build runs only in programs of it, which Python is not.
if "-fsanitize=" in config.girih_cxx:
    config.available_features.add("sanitizer")

# A variable of one function must not match in the next, and a prefix that no RUN
# line uses is a typing error.
config.environment["FILECHECK_OPTS"] = "--enable-var-scope --allow-unused-prefixes=false"

# Random tests draw a seed, print it, and take one.
if "GIRIH_TEST_SEED" in os.environ:
    config.environment["GIRIH_TEST_SEED"] = os.environ["GIRIH_TEST_SEED"]

# Kernels that tests cache belong to the build, not to the user.
config.environment["GIRIH_CACHE_DIR"] = os.path.join(config.girih_obj_root, "test", "cache")
