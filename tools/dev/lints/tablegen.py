# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Undocumented ops, arguments and passes, read from the records themselves:
llvm-tblgen prints every .td file as JSON."""

import json
import re
import subprocess

from .tree import Finding, tool

NAME = "tablegen"
ABOUT = "ops, arguments and passes are documented; pass flags are prefixed"

HEADS = ("Does", "Needs", "Leaves", "Declines", "Example")


def records(tree, path):
    """The records of one .td file, or a finding when it does not parse."""
    command = [tool("llvm-tblgen"), "--dump-json", f"-I{tree.root / 'dialect'}", f"-I{tree.root / 'lib'}"]
    command += ["-I/usr/lib/llvm-22/include", str(tree.root / path)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        return None, Finding(path, 1, f"llvm-tblgen failed: {done.stderr.strip()[:400]}")
    return json.loads(done.stdout), None


def place(path, record):
    """The file and line where a record stands, or None when it is included."""
    name, _, line = record["!locs"][0].rpartition(":")
    return int(line) if name.endswith(path.name) else None


def check_arguments(path, line, data, record):
    findings = []
    text = record["description"] or ""
    for group in ("arguments", "results"):
        for value, name in (record.get(group) or {}).get("args", []):
            if not name:
                findings.append(Finding(path, line, f"'{record['opName']}': one of its {group} has no name"))
                continue
            # Arg<Type, "text"> and Res<Type, "text"> carry their own sentence.
            variable = data.get(value.get("def"), {}) if isinstance(value, dict) else {}
            own = "OpVariable" in variable.get("!superclasses", []) and variable.get("summary")
            if not own and not re.search(rf"`[^`\n]*\b{re.escape(name)}\b[^`\n]*`", text):
                what = group[:-1]
                findings.append(
                    Finding(path, line, f"'{record['opName']}': {what} '{name}' is not in its description (in backticks)")
                )
    return findings


def check_op(path, line, data, record):
    findings = []
    if not record["summary"]:
        findings.append(Finding(path, line, f"'{record['opName']}' has no summary"))
    elif record["summary"].endswith("."):
        findings.append(Finding(path, line, f"'{record['opName']}': the summary ends in a full stop"))
    if not (record["description"] or "").strip():
        findings.append(Finding(path, line, f"'{record['opName']}' has no description"))
        return findings
    return findings + check_arguments(path, line, data, record)


def check_pass(tree, path, line, record):
    findings = []
    flag, text = record["argument"], record["description"] or ""
    if not re.match(r"(test-)?girih-", flag):
        findings.append(Finding(path, line, f"pass flag: expected the prefix 'girih-', but got '{flag}'"))
    if not record["summary"]:
        findings.append(Finding(path, line, f"pass '{flag}' has no summary"))
    for head in HEADS:
        if not re.search(rf"^\s*\*{head}\*\s*:?\s*\S", text, re.M):
            findings.append(Finding(path, line, f"pass '{flag}' has no '*{head}*' line"))
    match = re.search(r"\*Example\*(.*)", text, re.S)
    for example in re.findall(r"test/[\w./-]+\w", match.group(1)) if match else []:
        if not (tree.root / example).is_file():
            findings.append(Finding(path, line, f"pass '{flag}': its example '{example}' does not exist"))
    if match and not re.search(r"test/[\w./-]+", match.group(1)):
        findings.append(Finding(path, line, f"pass '{flag}': its example names no file under test/"))
    return findings


def run(tree):
    findings = []
    for path in tree.files((".td",), ("dialect", "lib")):
        data, broken = records(tree, path)
        if broken:
            findings.append(broken)
            continue
        kinds = data["!instanceof"]
        for name in kinds.get("Op", []):
            line = place(path, data[name])
            if line:
                findings += check_op(path, line, data, data[name])
        for name in kinds.get("PassBase", []):
            line = place(path, data[name])
            if line:
                findings += check_pass(tree, path, line, data[name])
        for kind in ("TypeDef", "AttrDef"):
            for name in kinds.get(kind, []):
                line = place(path, data[name])
                if line and not data[name]["summary"]:
                    findings.append(Finding(path, line, f"'{name}' has no summary"))
    return findings


OPS = """include "mlir/IR/OpBase.td"
def D : Dialect { let name = "d"; let cppNamespace = "d"; }
def AOp : Op<D, "a"> {
  let summary = "Do it";
  let arguments = (ins I64Attr:$left, Arg<I64, "How much">:$right);
%s
}
"""
PASS = """include "mlir/Pass/PassBase.td"
def P : Pass<"%s"> {
  let summary = "Do it";
  let description = [{
    *Does* x.
    *Needs* x.
    *Leaves* x.
    %s
    *Example* `test/a.mlir`.
  }];
}
"""
SELF_TESTS = [
    ({"dialect/girih/Pattern/A.td": OPS % ""}, "has no description"),
    ({"dialect/girih/Pattern/A.td": OPS % '  let description = "Prose";'}, "'left' is not in its description"),
    ({"dialect/girih/Pattern/A.td": "def X : Nothing;\n"}, "llvm-tblgen failed"),
    ({"dialect/girih/Pattern/A.td": OPS % '  let description = "Keeps `left` of it";'}, None),
    ({"lib/girih/Transforms/Passes.td": PASS % ("girih-x", "")}, "no '*Declines*' line"),
    ({"lib/girih/Transforms/Passes.td": PASS % ("x", "*Declines* x.")}, "prefix 'girih-'"),
    ({"lib/girih/Transforms/Passes.td": PASS % ("girih-x", "*Declines* x.")}, "does not exist"),
    ({"lib/girih/Transforms/Passes.td": PASS % ("girih-x", "*Declines* x."), "test/a.mlir": "\n"}, None),
]
