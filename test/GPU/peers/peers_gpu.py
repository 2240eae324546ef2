#!/usr/bin/env python3
# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times cuDNN, Flash and FlexAttention on the rows of suite/benchmark.py.

usage: peers_gpu.py [--seconds S] [--row-seconds S] [--match TEXT] [--json FILE]

worker.py measures, in a process of its own, one row and peer at a time: cuDNN
first, then FlexAttention in the order of the table, Flash last. A worker that
does not answer within a row's time says where it stands, is killed, and another
one takes the next row; at the end rows that got stuck are tried once more. Prints
each number at once and a table at the end; --json has one JSON line a number.
"""

import argparse
import collections
import json
import os
import pathlib
import signal
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from process import Worker  # noqa: E402
from suite import benchmark, workload  # noqa: E402

PEERS = ("cudnn", "flex", "flash")
DENSE = ("full", "causal")
IMPORT_SECONDS = 300  # PyTorch's first import on a fresh machine has taken minutes


def start_worker(offsets, folder):
    # No pool of compilers, which would import PyTorch once more: a kernel takes about
    # a second. A cache folder of this run's own: first calls are cold ones.
    env = dict(os.environ, TORCHINDUCTOR_COMPILE_THREADS="1", TORCHINDUCTOR_CACHE_DIR=str(folder / "inductor"),
               TRITON_CACHE_DIR=str(folder / "triton"))  # fmt: skip
    return Worker([sys.executable, "-u", str(HERE / "worker.py"), json.dumps(offsets)], env)


def jobs_of(rows):
    """One job a row and peer. FlexAttention stands beside every row of D=128 and
    N=16384; the dense rows have the others."""
    jobs = []
    for peer in PEERS:
        for row in rows:
            has = row.dim == 128 and row.n == 16384 if peer == "flex" else row.pattern in DENSE
            if has:
                jobs.append({"key": row.key, "name": row.name, "peer": peer, "pattern": row.pattern, "n": row.n,
                             "dim": row.dim, "batch": row.batch, "heads": benchmark.HEADS})  # fmt: skip
    return jobs


class Peers:
    """Asks workers for all jobs; `found` has the records."""

    def __init__(self, out, folder):
        self.offsets, self.folder = workload.document_offsets(16384), folder
        self.out, self.found = out, []
        self.start = time.monotonic()
        self.worker = start_worker(self.offsets, folder)
        self.ready = None

    def imported(self, until):
        """Waits for PyTorch; false when there is none."""
        if not self.ready:
            self.ready = self.worker.wait(until - time.monotonic()) or {"error": "PyTorch's import takes too long"}
            if "error" in self.ready:
                print(f"peers: not measured: {self.ready['error']}")
            else:
                print("peers: {version}, {device}, imported in {import_s:.0f} s".format(**self.ready))
        return "error" not in self.ready

    def restart(self, stuck):
        self.worker.stop(stuck)
        self.worker, self.ready = start_worker(self.offsets, self.folder), None

    def measure(self, jobs, seconds, row_seconds):
        """Measures until `seconds` are over; a job takes `row_seconds` at most."""
        if not self.imported(self.start + IMPORT_SECONDS):
            return
        end = time.monotonic() + seconds
        waiting = collections.deque((job, 1) for job in jobs)
        while waiting:
            job, attempt = waiting.popleft()
            label = f"{job['key']} {job['peer']}"
            if time.monotonic() >= end:
                print(f"{label}: not measured, {seconds:g} s are over")
                continue
            if not self.imported(end):
                return
            limit = min(row_seconds, end - time.monotonic())
            answer = self.worker.ask(job, limit)
            if answer is None or answer.get("ended"):
                print(f"{label}: {'the process ended' if answer else f'no number after {limit:.0f} s'}")
                self.restart(stuck=answer is None)
                if attempt == 1:
                    waiting.append((job, 2))
            elif "error" in answer:
                print(f"{label}: {answer['error']}")
            else:
                print("{}: {ms:.3f} ms, {tflops:.1f} TFLOP/s, first call {first_s:.1f} s".format(label, **answer))
                record = dict(key=job["key"], peer=job["peer"], **answer)
                self.found.append(record)
                self.out.write(json.dumps(record) + "\n")
                self.out.flush()


def table(rows, found):
    """Lines: milliseconds and useful TFLOP/s of each peer."""
    values = {(r["key"], r["peer"]): r for r in found}
    lines = [f"{'pattern':<24}" + "".join(f"{peer + ' ms':>11}{peer:>9}" for peer in PEERS) + f"{'pairs':>13}"]
    for row in rows:
        cells, pairs = "", ""
        for peer in PEERS:
            record = values.get((row.key, peer))
            cells += f"{record['ms']:>11.3f}{record['tflops']:>9.1f}" if record else f"{'-':>11}{'-':>9}"
            pairs = record["pairs"] if record else pairs
        lines.append(f"{row.name:<24}{cells}{pairs:>13}")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=200, metavar="S", help="for all rows, import not counted")
    parser.add_argument("--row-seconds", type=float, default=40, metavar="S", help="for one row and peer")
    parser.add_argument("--match", default="", metavar="TEXT", help="rows whose name has TEXT")
    parser.add_argument("--json", default=os.devnull, metavar="FILE", help="write every number here, a JSON line each")
    parser.add_argument("--wait", action="store_true", help="import, then wait for a line on standard input")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.stdout.reconfigure(line_buffering=True)
    rows = [row for row in benchmark.ROWS if options.match in row.name]
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="girih-peers-") as folder, open(options.json, "w") as out:
        peers = Peers(out, pathlib.Path(folder))
        try:
            if options.wait:
                sys.stdin.readline()
                start = time.monotonic()
            peers.measure(jobs_of(rows), options.seconds, options.row_seconds)
        finally:
            peers.worker.stop()
    if peers.found:
        print("\n".join(["", *table(rows, peers.found), f"in {time.monotonic() - start:.0f} s, import included"]))


if __name__ == "__main__":
    main()
