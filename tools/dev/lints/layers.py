# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Who may include whom. A layer may include itself and what its row lists."""

import re

from .tree import Finding

NAME = "layers"
ABOUT = "includes follow the dependency direction"

DIALECT = {"Pattern", "Attention", "Tile", "WarpSpec"}
# Pattern and Attention are one MLIR dialect, registered in Pattern/, so these two
# include each other; the families above build on them.
MAY = {
    "Pattern": {"Attention"},
    "Attention": {"Pattern"},
    "Tile": {"Pattern", "Attention"},
    "WarpSpec": {"Pattern", "Attention", "Tile"},
    "Support": set(),
    "Frontend": DIALECT | {"Support"},
    "Reference": DIALECT | {"Support", "Frontend"},
    "Analysis": DIALECT | {"Support", "Frontend"},
    "Transforms": DIALECT | {"Support", "Frontend", "Analysis"},
    "Conversion": DIALECT | {"Support", "Frontend", "Analysis", "Transforms"},
    "Pipelines": DIALECT | {"Support", "Frontend", "Analysis", "Transforms", "Conversion"},
    "Target": DIALECT | {"Support", "Frontend", "Analysis", "Transforms", "Conversion"},
    "JIT": DIALECT
    | {"Support", "Frontend", "Analysis", "Transforms", "Conversion", "Pipelines", "Target"},
    "Explain": {"Support", "Frontend", "Analysis", "JIT"},
    "AOT": DIALECT | {"Support", "Frontend", "Analysis", "Target", "JIT"},
    "CAPI": {"Support", "Frontend", "Reference", "Explain", "JIT"},
    "Bindings": {"CAPI"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]')
SUFFIXES = (".h", ".cpp", ".c", ".td")


def layer_of(path):
    """'runtime', or the folder under dialect/girih or lib/girih; None elsewhere."""
    parts = path.parts
    if parts[0] == "runtime":
        return "runtime"
    if parts[0] in ("dialect", "lib") and len(parts) > 3 and parts[1] == "girih":
        return parts[2]
    return None


def problem(layer, include):
    """Why `layer` must not include `include`, or None."""
    head = include.split("/")[0]
    if layer == "runtime":
        if head in ("llvm", "llvm-c", "mlir", "mlir-c", "cuda", "cuda.h"):
            return f"the runtime has no LLVM and no CUDA headers, but includes {include}"
        if head == "girih" and not include.startswith("girih/Runtime/"):
            return f"the runtime includes nothing of dialect/ or lib/, but includes {include}"
        return None
    if layer == "Support" and head in ("mlir", "mlir-c"):
        return f"Support is a leaf without MLIR, but includes {include}"
    if head == "girih-c":
        if layer in DIALECT:
            return f"the dialect knows nothing of the runtime, but includes {include}"
        return None
    if include.startswith("girih/Runtime/"):
        return f"the compiler includes only the runtime's C headers (girih-c/), but includes {include}"
    if head == "girih":
        target = include.split("/")[1]
        if target != layer and target not in MAY[layer]:
            allowed = ", ".join(sorted(MAY[layer])) or "nothing"
            return f"{layer} may include {allowed}, but includes {include}"
    return None


def run(tree):
    findings = []
    for path in tree.files(SUFFIXES, ("dialect", "lib", "runtime")):
        layer = layer_of(path)
        if layer is None:
            continue
        if layer != "runtime" and layer not in MAY:
            findings.append(Finding(path, 1, f"expected a layer of the design, but got '{layer}'"))
            continue
        for number, line in enumerate(tree.lines(path), 1):
            match = INCLUDE.match(line) or re.match(r'^\s*include\s+"([^"]+)"', line)
            why = problem(layer, match.group(1)) if match else None
            if why:
                findings.append(Finding(path, number, why))
    return findings


SELF_TESTS = [
    ({"runtime/src/A.cpp": '#include "llvm/ADT/ArrayRef.h"\n'}, "no LLVM"),
    ({"runtime/src/A.cpp": '#include "girih/Support/Error.h"\n'}, "nothing of dialect/ or lib/"),
    ({"lib/girih/Support/A.h": '#include "girih/Frontend/Pattern.h"\n'}, "may include nothing"),
    ({"lib/girih/Support/A.h": '#include "mlir/IR/Value.h"\n'}, "without MLIR"),
    ({"lib/girih/Analysis/A.h": '#include "girih/Transforms/Passes.h"\n'}, "Analysis may include"),
    ({"lib/girih/JIT/A.cpp": '#include "girih/Runtime/Pool.h"\n'}, "only the runtime's C headers"),
    ({"dialect/girih/Pattern/A.td": 'include "girih/Tile/TileOps.td"\n'}, "Pattern may include"),
    ({"dialect/girih/Tile/A.cpp": '#include "girih-c/Runtime.h"\n'}, "nothing of the runtime"),
    ({"lib/girih/Odd/A.cpp": "\n"}, "expected a layer"),
    (
        {
            "lib/girih/JIT/A.cpp": '#include "girih-c/Runtime.h"\n#include "girih/Target/CPU.h"\n',
            "runtime/src/A.cpp": '#include "girih-c/Runtime.h"\n#include <vector>\n',
        },
        None,
    ),
]
