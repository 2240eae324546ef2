# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Plain text rules: length, licence lines, unfinished work, white space."""

import re

from .tree import Finding

NAME = "text"
ABOUT = "files within 600 lines, licence lines, nothing left to do, clean white space"

CODE = (".h", ".cpp", ".c", ".td", ".py")
ALL = CODE + (".mlir", ".test", ".girih", ".md", ".cmake", "CMakeLists.txt", ".in")
LIMIT = 600
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
# What lies in somebody's home or in a folder below /tmp. Fuzzed inputs carry the path of
# the file they were made of.
PRIVATE_PATH = re.compile(r"(?<![\w.~-])/(?:root|home/\w\w+|tmp/[\w.-]+)/[\w.-]+")
PLACEHOLDER = re.compile(r"@@\w+@@")
LICENCE = "SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception"


def run(tree):
    findings = []
    for path in tree.files(("",)):
        for number, line in enumerate(tree.lines(path), 1):
            if match := PRIVATE_PATH.search(line):
                findings.append(Finding(path, number, f"'{match.group()}': no other machine has that path"))
    for path in tree.files(ALL):
        text = tree.text(path)
        lines = text.splitlines()
        if len(lines) > LIMIT:
            findings.append(Finding(path, len(lines), f"expected at most {LIMIT} lines, but got {len(lines)}"))
        if path.name.endswith(CODE) and LICENCE not in "\n".join(lines[:12]):
            findings.append(Finding(path, 1, "expected the licence line at the head of the file"))
        if lines and not text.endswith("\n"):
            findings.append(Finding(path, len(lines), "expected a newline at the end of the file"))
        for number, line in enumerate(lines, 1):
            match = UNFINISHED.search(line)
            if match:
                findings.append(Finding(path, number, f"'{match.group(1)}': finish it, or say what does not exist"))
            if match := PLACEHOLDER.search(line):
                findings.append(Finding(path, number, f"'{match.group()}': put in what it stands for"))
            if line != line.rstrip() and not path.name.endswith(".md"):
                findings.append(Finding(path, number, "white space at the end of the line"))
            if "\t" in line and path.name.endswith(CODE):
                findings.append(Finding(path, number, "expected spaces, but got a tab"))
    return findings


HEAD = f"// {LICENCE}\n"
SELF_TESTS = [
    ({"lib/girih/Support/A.cpp": HEAD + "\n" * LIMIT}, "expected at most"),
    ({"lib/girih/Support/A.cpp": "int a;\n"}, "licence line"),
    ({"lib/girih/Support/A.cpp": HEAD + "// TO" + "DO: more\n"}, "finish it"),
    ({"test/Fuzz/corpus/text/a": "\x01/tmp" + "/fuzz/a"}, "no other machine"),
    ({"README.md": "see /home" + "/ada/girih\n"}, "no other machine"),
    ({"README.md": "https://example.org/home/ada/1, ~/root/x and /tmp/tiles.svg\n"}, None),
    ({"runtime/README.md": "@" + "@NUM@@\n"}, "put in what it stands for"),
    ({"lib/girih/Support/A.cpp": HEAD + "int a; \n"}, "white space"),
    ({"lib/girih/Support/A.cpp": HEAD + "\tint a;\n"}, "a tab"),
    ({"lib/girih/Support/A.cpp": HEAD + "int a;"}, "a newline"),
    ({"lib/girih/Support/A.cpp": HEAD + "int a;\n"}, None),
]
