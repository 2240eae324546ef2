# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What documents and comments say of the tree: tables of files are whole, paths exist."""

import pathlib
import re

from .tree import Finding

NAME = "documents"
ABOUT = "tables of files name every source, and the paths that are named exist"

# A table of files: of the README's own folder, or (a column of them) of the folders in it.
FILES = re.compile(r"^\| file \|", re.MULTILINE)
FOLDERS = re.compile(r"^\|.*\| files \|", re.MULTILINE)
SOURCES = (".cpp", ".td")

TOP = r"(?:dialect|lib|tools|runtime|test|examples)/"
IN_TICKS = re.compile(rf"`({TOP}[\w./-]*\w)`")
LINK = re.compile(r"\]\(([^)#: ]+)(?:#[^)]*)?\)")
IN_COMMENT = re.compile(rf"(?<![\w/.\"<{{}}-])({TOP}[\w./-]*\w)")
COMMENTED = (".cpp", ".h", ".c", ".td", ".py", ".cmake", "CMakeLists.txt")


def missing_sources(tree, path, text):
    """Sources that a table of files leaves out."""
    own, below = FILES.search(text), FOLDERS.search(text)
    if not own and not below:
        return
    folder = tree.root / path.parent
    for source in sorted(folder.rglob("*") if below else folder.glob("*")):
        if source.name.endswith(SOURCES):
            if not re.search(rf"`{re.escape(source.stem)}(?:\.\w+)?`", text):
                line = text.count("\n", 0, (own or below).start()) + 1
                yield Finding(path, line, f"expected the table of files to name {source.name}")


def exists(tree, path, named):
    """From the root or from the file; suffixes of sources may be left out."""
    for base in (tree.root, tree.root / path.parent):
        place = base / named
        if place.exists() or any(place.with_name(place.name + suffix).exists() for suffix in SOURCES + (".h",)):
            return True
    return False


def named_paths(path, lines):
    """Line and path of what is said to be in the tree."""
    is_code = False
    for number, line in enumerate(lines, 1):
        if path.name.endswith(".md"):
            is_code ^= line.startswith("```")
            found = [] if is_code else IN_TICKS.findall(line) + LINK.findall(line)
        else:
            found = IN_COMMENT.findall(line) if line.lstrip().startswith(("//", "#")) else []
        for named in found:
            # WHAT in test/Fuzz/corpus/WHAT stands for a name.
            if not any(part.isupper() for part in pathlib.PurePath(named).parts):
                yield number, named


def run(tree):
    findings = []
    for path in tree.files((".md",) + COMMENTED):
        text = tree.text(path)
        if path.name == "README.md":
            findings += missing_sources(tree, path, text)
        for number, named in named_paths(path, text.splitlines()):
            if not exists(tree, path, named):
                findings.append(Finding(path, number, f"expected {named} to exist"))
    return findings


TABLE = "| file | question |\n|---|---|\n| `A`, `B` | what? |\n"
SELF_TESTS = [
    ({"lib/girih/X/README.md": TABLE, "lib/girih/X/A.cpp": "", "lib/girih/X/B.cpp": ""}, None),
    ({"lib/girih/X/README.md": TABLE, "lib/girih/X/C.cpp": ""}, "to name C.cpp"),
    ({"lib/girih/X/README.md": TABLE, "lib/girih/X/Y/C.cpp": ""}, None),
    ({"dialect/README.md": "| folder | files |\n", "dialect/X/C.td": ""}, "to name C.td"),
    ({"README.md": "see `lib/girih/A` and `test/Fuzz/WHAT`\n", "lib/girih/A.h": ""}, None),
    ({"README.md": "see `test/None`\n"}, "expected test/None to exist"),
    ({"README.md": "[see](lib/None.md#part) and [this](https://a.org/b)\n"}, "expected lib/None.md to exist"),
    ({"README.md": "```\n[=](Index b)(Index q)\n```\n"}, None),
    ({"lib/girih/X/A.cpp": "// test/" + "None checks it\n"}, "expected test/None to exist"),
    ({"lib/girih/X/A.cpp": 'open("test/' + 'None")\n'}, None),
]
