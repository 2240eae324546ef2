# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tests whose checks nothing reads: they pass whatever the compiler does."""

import re

from .tree import Finding

NAME = "checks"
ABOUT = "no CHECK line that nothing reads, no RUN without colon, no function twice"

SUFFIXES = (".mlir", ".test", ".girih", ".td")
RUN = re.compile(r"\bRUN:(.*)")
RUN_NO_COLON = re.compile(r"^\s*(//|#|;)\s*RUN\s+\S")
DIRECTIVE = re.compile(
    r"^\s*(?://|#|;)\s*([A-Z][A-Z0-9_-]*?)(-NEXT|-SAME|-NOT|-DAG|-LABEL|-EMPTY|-COUNT-\d+)?:(?:\s|$)"
)
NO_COLON = re.compile(r"^\s*(?://|#|;)\s*CHECK(-NEXT|-SAME|-NOT|-DAG|-LABEL|-EMPTY)?\s+\S")
FUNCTION = re.compile(r"^\s*(?:func\.func|llvm\.func)\s+(?:private\s+)?@([\w.$-]+)")
KEYWORDS = {"RUN", "REQUIRES", "UNSUPPORTED", "XFAIL", "DEFINE", "REDEFINE", "END", "COM", "NOTE"}


def used_prefixes(runs):
    prefixes = set()
    for command in re.split(r"\||&&|;", runs):
        if not re.search(r"\b[Ff]ile[Cc]heck\b|%\{?filecheck", command):
            continue
        named = re.findall(r"--?check-prefix(?:es)?[= ]([\w,-]+)", command)
        prefixes.update(p for group in named for p in group.split(",")) if named else prefixes.add("CHECK")
    return prefixes


def check_file(path, lines):
    findings = []
    runs, prefixes_seen = "", {}
    for number, line in enumerate(lines, 1):
        match = RUN.search(line)
        if match:
            runs = runs[:-1] + match.group(1) if runs.endswith("\\") else f"{runs};{match.group(1)}"
            runs = runs.rstrip()
            continue
        if re.search(r"\b(RE)?DEFINE:", line):
            runs += ";" + line
        if RUN_NO_COLON.match(line):
            findings.append(Finding(path, number, "expected 'RUN:', but got RUN without a colon"))
        if NO_COLON.match(line):
            findings.append(Finding(path, number, "expected a colon after CHECK, but got none"))
        match = DIRECTIVE.match(line)
        if match and match.group(1) not in KEYWORDS:
            prefixes_seen.setdefault(match.group(1), []).append((number, match.group(2)))

    used = used_prefixes(runs)
    for prefix, places in prefixes_seen.items():
        # Prose such as "NOTE:" is no directive; a suffix or CHECK in it makes one.
        looks = prefix.startswith("CHECK") or any(suffix for _, suffix in places) or prefix in used
        if looks and prefix not in used:
            findings.append(Finding(path, places[0][0], f"'{prefix}' lines are read by no FileCheck of a RUN line"))
    for prefix in sorted(used - set(prefixes_seen)):
        findings.append(Finding(path, 1, f"a RUN line reads '{prefix}' lines, but the file has none"))

    text = "\n".join(lines)
    verify = "verify-diagnostics" in runs
    if re.search(r"expected-(error|warning|note|remark)", text) and not verify:
        findings.append(Finding(path, 1, "'expected-...' lines need -verify-diagnostics in a RUN line"))
    if path.suffix == ".mlir":
        if not runs and path.parts[0] in ("test", "examples") and "Inputs" not in path.parts:
            findings.append(Finding(path, 1, "expected a RUN line, but got none"))
        if re.search(r"^// -----", text, re.M) and "split-input-file" not in runs:
            findings.append(Finding(path, 1, "'// -----' needs -split-input-file in a RUN line"))
        findings += duplicates(path, lines)
    return findings


def duplicates(path, lines):
    findings, seen = [], {}
    for number, line in enumerate(lines, 1):
        if line.startswith("// -----"):
            seen = {}
        match = FUNCTION.match(line)
        if match and match.group(1) in seen:
            findings.append(Finding(path, number, f"@{match.group(1)} is at line {seen[match.group(1)]} too"))
        elif match:
            seen[match.group(1)] = number
    return findings


def run(tree):
    findings = []
    for path in tree.files(SUFFIXES, ("test", "examples")):
        findings += check_file(path, tree.lines(path))
    return findings


GOOD = """// RUN: girih-opt %s -split-input-file -verify-diagnostics | FileCheck %s
// RUN: girih-opt %s \\
// RUN:   | FileCheck %s --check-prefixes=A,B
// CHECK-LABEL: @f
// A-NEXT: x
// B: y
func.func @f() { return }
// -----
func.func @f() { return } // expected-error {{bad}}
"""
SELF_TESTS = [
    ({"test/a.mlir": "// RUN: girih-opt %s\n// CHECK: x\n"}, "'CHECK' lines are read by no"),
    ({"test/a.mlir": "// RUN: t %s | FileCheck %s --check-prefix=A\n// CHECK: x\n// A: y\n"}, "'CHECK' lines"),
    ({"test/a.mlir": "// RUN: t %s | FileCheck %s\n"}, "the file has none"),
    ({"test/a.mlir": "// RUN girih-opt %s\n"}, "RUN without a colon"),
    ({"test/a.test": "# RUN: t %s | FileCheck %s\n# CHECK: x\n# CHECK-NEXT y\n"}, "a colon after CHECK"),
    ({"test/a.mlir": "// RUN: t\nfunc.func @f() {\n}\nfunc.func @f() {\n}\n"}, "is at line 2 too"),
    ({"test/a.mlir": "// RUN: t\n// expected-error {{x}}\n"}, "-verify-diagnostics"),
    ({"test/a.mlir": "// RUN: t\n// -----\n"}, "-split-input-file"),
    ({"test/a.mlir": "func.func @f()\n"}, "expected a RUN line"),
    ({"test/a.mlir": GOOD}, None),
]
