# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Calls girih-gpu-api-test: graphs, threads, several devices, wrong pointers."""

import pathlib
import subprocess
import time

GROUP = "C API"
NAME = "girih-gpu-api-test"


def run(folder, timeout, say):
    """Runs the program beside girih-run; returns one record an outcome that it
    prints, like those of correctness.run, and one more if it does not end well."""
    program = str(pathlib.Path(folder) / NAME)
    start = time.monotonic()
    records = []

    def record(command, trouble):
        records.append({"group": GROUP, "command": command, "trouble": trouble, "rel_error": None,
                        "seconds": round(time.monotonic() - start, 2)})  # fmt: skip
        if trouble:
            say(f"FAILED ({GROUP}): {command}\n        {trouble}")

    try:
        done = subprocess.run([program], capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        record(program, f"hangs: no end after {timeout} s")
        return records
    except OSError as error:
        record(program, f"expected it beside girih-run, but got: {error}")
        return records
    for line in done.stdout.splitlines():
        outcome, _, what = line.partition(" ")
        if outcome in ("passed", "FAILED"):
            record(f"{program} # {what.split(': expected')[0]}", "" if outcome == "passed" else what)
    failed = any(r["trouble"] for r in records)
    if not records or done.returncode != (1 if failed else 0):
        said = " | ".join(done.stderr.strip().splitlines()[:4])
        record(program, f"exit code {done.returncode} after {len(records)} outcomes: {said}")
    return records
