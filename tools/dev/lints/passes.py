# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The pass order table of lib/README.md: generated from the pipelines that
girih-opt has, so that the document can't disagree with the compiler."""

import json
import pathlib
import re
import subprocess

from .tree import Finding, tool

NAME = "passes"
ABOUT = "lib/README.md lists the passes in the order of the pipelines"

README = pathlib.Path("lib/README.md")
BEGIN, END = "<!-- passes: begin, made by tools/dev/lint --fix passes -->", "<!-- passes: end -->"
# A pipeline, what it goes on from, and the levels between.
STAGES = (
    ("girih-to-blocks", None, "L0 to L1"),
    ("girih-to-tile", "girih-to-blocks", "L1 to L2"),
    ("girih-to-cpu", "girih-to-tile", "L2 to L3"),
    ("girih-to-llvm", "girih-to-cpu", "L3 to LLVM"),
    ("girih-to-ws", "girih-to-tile", "L2 to L4"),
    ("girih-to-hopper", "girih-to-ws", "L4 to LLVM"),
    ("girih-to-ampere", "girih-to-tile", "L2 to LLVM"),
)
OURS = ("lib/girih/Transforms/Passes.td", "lib/girih/Conversion/Passes.td")
LLVM = pathlib.Path("/usr/lib/llvm-22/include")
UPSTREAM = ("mlir/Transforms/Passes.td", "mlir/Conversion/Passes.td")


def girih_opt(tree):
    """The tool of the build folder, else the newest of those under build/."""
    if tree.build:
        built = [tree.build / "bin" / "girih-opt"]
    else:
        built = sorted(tree.root.glob("build/*/bin/girih-opt"), key=lambda p: -p.stat().st_mtime)
    return next((path for path in built if path.is_file()), None)


def order(program, pipeline):
    """[(pass, op it runs on)] of a pipeline, in order."""
    command = [str(program), f"--pass-pipeline=builtin.module({pipeline})", "--dump-pass-pipeline"]
    done = subprocess.run(command, input="", capture_output=True, text=True, check=True)
    passes, nest = [], []
    for line in (done.stderr + done.stdout).splitlines():
        text = line.strip().rstrip(",")
        if re.fullmatch(r"[\w.]+\(", text):
            nest.append(text[:-1])
        elif text == ")":
            nest.pop()
        elif nest and (match := re.match(r"[\w-]+", text)):
            passes.append((match.group(), nest[-1]))
    return passes


def summaries(tree):
    """The summary of each pass by its flag, from the .td files."""
    found = {}
    for root, names in ((LLVM, UPSTREAM), (tree.root, OURS)):
        for name in names:
            command = [tool("llvm-tblgen"), "--dump-json", f"-I{LLVM}", str(root / name)]
            data = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            for record in data["!instanceof"].get("PassBase", []):
                found[data[record]["argument"]] = data[record]["summary"]
    return found


def table(tree, program):
    about = summaries(tree)
    lines = ["| | pass | runs on | level | does |", "|---|---|---|---|---|"]
    done = {None: []}
    for pipeline, before, level in STAGES:
        passes = done[pipeline] = order(program, pipeline)
        for name, op in passes[len(done[before]):]:
            lines.append(f"| {len(lines) - 1} | `{name}` | `{op}` | {level} | {about.get(name, '')} |")
    return "\n".join(lines)


def split(tree):
    """What stands before, between and after the markers; None without them."""
    if not (tree.root / README).is_file():
        return None
    head, begin, rest = tree.text(README).partition(BEGIN)
    body, end, tail = rest.partition(END)
    return (head + begin, body, end + tail) if begin and end else None


def run(tree):
    if not (tree.root / README).is_file():
        return []
    parts = split(tree)
    if parts is None:
        return [Finding(README, 1, f"expected a pass table between '{BEGIN}' and '{END}'")]
    program = girih_opt(tree)
    if program is None:
        return [Finding(README, 1, "expected a build with girih-opt to compare the pass table with; run tools/dev/build")]
    if parts[1].strip() == table(tree, program):
        return []
    line = parts[0].count("\n") + 1
    return [Finding(README, line, "the pass table is not the pipelines' order; run tools/dev/lint --fix passes")]


def fix(tree):
    head, _, tail = split(tree)
    (tree.root / README).write_text(f"{head}\n{table(tree, girih_opt(tree))}\n{tail}")


SELF_TESTS = [
    ({"lib/README.md": "# lib\n"}, "expected a pass table"),
    ({"lib/README.md": f"{BEGIN}\n{END}\n"}, "expected a build with girih-opt"),
    ({"README.md": "\n"}, None),
]
