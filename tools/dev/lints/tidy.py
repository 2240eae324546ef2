# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""clang-tidy on the parts without LLVM headers: the runtime and the pattern
trees. Files that include MLIR take tens of seconds each, so they are left to
the compiler's own warnings."""

import concurrent.futures
import os
import re
import subprocess

from .tree import Finding, tool

NAME = "tidy"
ABOUT = "clang-tidy finds nothing in runtime/ and the LLVM-free front end"

FOLDERS = ("runtime", "lib/girih/Frontend", "lib/girih/Reference")
LLVM_HEADER = re.compile(r'#\s*include\s+["<](llvm|mlir)/')
FLAGS = ["-std=c++17", "-Wall", "-Wextra", "-Wno-unused-parameter"]


def uses_llvm(tree, path):
    """Whether the file, or a header of ours that it includes, includes LLVM."""
    seen, stack = set(), [path]
    while stack:
        current = stack.pop()
        if current in seen:
            continue
        seen.add(current)
        text = tree.text(current)
        if LLVM_HEADER.search(text):
            return True
        for name in re.findall(r'#\s*include\s+"([^"]+)"', text):
            for base in ("dialect", "lib", "runtime", current.parent):
                candidate = (tree.root / base / name).resolve()
                if candidate.is_file() and candidate.is_relative_to(tree.root):
                    stack.append(candidate.relative_to(tree.root))
                    break
                if name.endswith(".inc"):
                    return True
    return False


def tidy(tree, path):
    command = [tool("clang-tidy"), "--quiet", f"--config-file={tree.tool_root / '.clang-tidy'}"]
    command += [str(tree.root / path), "--", *FLAGS]
    command += [f"-I{tree.root / folder}" for folder in ("dialect", "lib", "runtime")]
    done = subprocess.run(command, capture_output=True, text=True)
    found = []
    for where, line, message in re.findall(r"^(.+?):(\d+):\d+: (?:error|warning): (.*)$", done.stdout, re.M):
        found.append((where.replace(f"{tree.root}/", ""), line, message))
    if done.returncode != 0 and not found:
        found.append((str(path), 1, (done.stdout + done.stderr).strip()[:400]))
    return found


def run(tree):
    # A file whose own flags matter (AVX-512 sources) sets them by pragma or attribute.
    paths = [p for p in tree.files((".cpp",), FOLDERS) if not uses_llvm(tree, p)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        results = pool.map(lambda p: tidy(tree, p), paths)
    return [Finding(*f) for f in sorted({f for result in results for f in result})]


SELF_TESTS = [
    (
        {
            "runtime/src/A.cpp": "#include <string>\n#include <vector>\n"
            "int count(const std::vector<std::string> &names) {\n  int n = 0;\n"
            "  for (auto name : names)\n    n += name.empty();\n  return n;\n}\n"
        },
        "performance-for-range-copy",
    ),
    ({"runtime/src/A.cpp": "int f(int a) { return a; }\n"}, None),
]
