# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The source tree as the lints see it: files by suffix, and findings."""

import os
import pathlib
import shutil

FOLDERS = ("dialect", "lib", "runtime", "tools", "test", "examples")
SKIPPED = {"build", "dist", "__pycache__", "Output"}


class Finding:
    """One problem at a line of a file."""

    def __init__(self, path, line, message):
        self.path, self.line, self.message = path, line, message

    def __str__(self):
        return f"{self.path}:{self.line}: error: {self.message}"


class Tree:
    def __init__(self, root, build=None, tool_root=None):
        self.root = pathlib.Path(root).resolve()
        self.build = pathlib.Path(build).resolve() if build else None
        # Where .clang-format and .clang-tidy come from; a self-test's tree has none.
        self.tool_root = pathlib.Path(tool_root or root).resolve()

    def files(self, suffixes, folders=FOLDERS):
        """Paths relative to the root, sorted, of files with these suffixes: those beside the
        folders, then those in them."""
        found = sorted(
            pathlib.Path(entry.name)
            for entry in os.scandir(self.root)
            if entry.is_file() and not entry.name.startswith(".") and entry.name.endswith(tuple(suffixes))
        )
        for folder in folders:
            for where, dirs, names in os.walk(self.root / folder):
                dirs[:] = sorted(d for d in dirs if d not in SKIPPED and not d.startswith("."))
                for name in sorted(names):
                    if name.endswith(tuple(suffixes)):
                        found.append((pathlib.Path(where) / name).relative_to(self.root))
        return found

    def text(self, path):
        return (self.root / path).read_text(errors="replace")

    def lines(self, path):
        return self.text(path).splitlines()


def tool(name):
    """An LLVM 22 tool by its Debian name or from the packaged folder."""
    path = shutil.which(f"{name}-22") or shutil.which(f"/usr/lib/llvm-22/bin/{name}")
    if not path:
        raise SystemExit(f"lint: error: expected {name}-22 to be installed; run tools/dev/setup")
    return path
