# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check-manifest.py FILE: the files that a manifest names are beside it and are those it
was made for, and the code has the symbols, which have digits of the id."""

import hashlib
import json
import pathlib
import sys

manifest = pathlib.Path(sys.argv[1])
text = json.loads(manifest.read_text())
symbols = text["symbols"]
checked = [symbols[name] for name in symbols if name != "kernel"]
if len(text["id"]) != 64 or not all(name.endswith("_" + text["id"][:16]) for name in checked):
    sys.exit(f"expected symbols with digits of {text['id']}, but got {symbols}")
if len(text["files"]) != 2:
    sys.exit(f"expected two files, but got {text['files']}")
for file in text["files"]:
    data = (manifest.parent / file["name"]).read_bytes()
    if len(data) != file["bytes"] or hashlib.sha256(data).hexdigest() != file["sha256"]:
        sys.exit(f"{file['name']}: expected what the manifest says, but got another file")
    for name in checked:
        if name.encode() not in data:
            sys.exit(f"{file['name']}: expected it to have {name}, but it has not")
