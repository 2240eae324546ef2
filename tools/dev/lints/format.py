# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""clang-format with the tree's .clang-format; tools/dev/format repairs."""

import re
import subprocess

from .tree import Finding, tool

NAME = "format"
ABOUT = "clang-format changes nothing"


def run(tree):
    paths = tree.files((".h", ".cpp", ".c"))
    if not paths:
        return []
    command = [tool("clang-format"), "--dry-run", f"--style=file:{tree.tool_root / '.clang-format'}"]
    done = subprocess.run(
        command + [str(tree.root / p) for p in paths], capture_output=True, text=True
    )
    findings = {}
    for path, line in re.findall(r"^(.+?):(\d+):\d+: warning:", done.stderr, re.M):
        relative = path.replace(f"{tree.root}/", "")
        findings.setdefault(relative, Finding(relative, line, "clang-format changes this; run tools/dev/format"))
    if done.returncode != 0 and not findings:
        return [Finding(".clang-format", 1, done.stderr.strip()[:400])]
    return list(findings.values())


SELF_TESTS = [
    ({"lib/girih/Support/A.cpp": "int   a ;\n"}, "clang-format changes this"),
    ({"lib/girih/Support/A.cpp": "int a;\n"}, None),
]
