#!/usr/bin/env python3
# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times Girih, PyTorch's SDPA and FlexAttention on the CPU: one table, the same tensors.

usage: peers_cpu.py [--threads T] [--filter REGEX] [--rounds R] [--json FILE [--resume]]
                    [--seconds S] [--readme FILE] [--bin DIR]

Rows are those of tools/girih-bench/workload.json for the CPU. A row is measured in
rounds, each one sample of girih-run --bench, of SDPA (full and causal) and of
FlexAttention, on tensors drawn once; a time is the median of its samples. In the same
run girih's output is compared with each peer's. torch_worker.py runs the peers: a
row that they refuse or that takes longer than --row-seconds says so. --seconds stops
between rows, and --resume takes rows from FILE that an earlier run has measured, so
that a long measurement can be cut. --readme writes the table between the marks in FILE.
Exits 1 when outputs disagree.
"""

import argparse
import json
import math
import os
import pathlib
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "GPU"), str(HERE.parent / "GPU/peers")]

from process import Worker  # noqa: E402
from suite import workload  # noqa: E402
from suite.runner import Runner  # noqa: E402

DENSE = ("full", "causal")
IMPORT_SECONDS = 300
# Of girih against f64 (lib/girih/Reference), and as much again for the peer.
TOLERANCE = {"f32": 2e-5, "bf16": 1.2e-2, "f16": 2e-3}
GOALS = (("sdpa", "SDPA", 1.5), ("flex", "FlexAttention", 5.0))
MARKS = ("<!-- peers_cpu.py writes from here -->", "<!-- to here -->")


def say(text):
    print(text, flush=True)


def title(row):
    return "{pattern} {dtype} N={n} B={batch} H={heads} D={dim}".format(**row)


def cpu_name():
    names = re.findall(r"^model name\s*:\s*(.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    return names[0] if names else "unknown"


def busy_seconds():
    """Seconds that all processors have worked since the start of the machine."""
    ticks = [int(t) for t in pathlib.Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def own_seconds(worker):
    """Seconds of them that this program, what it started, and its worker have used."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    total = sum(u.ru_utime + u.ru_stime for u in used)
    try:
        fields = pathlib.Path(f"/proc/{worker.process.pid}/stat").read_text().rpartition(")")[2].split()
        total += sum(int(t) for t in fields[11:15]) / os.sysconf("SC_CLK_TCK")
    except OSError:
        pass  # it ended, and is among the children
    return total


class Bench:
    """Measures rows; starts another worker when one is stuck."""

    def __init__(self, options, folder, runner):
        self.options, self.folder, self.runner = options, folder, runner
        self.worker = self.versions = None
        self.start_worker()

    def start_worker(self):
        threads = str(self.options.threads)
        env = dict(os.environ, OMP_NUM_THREADS=threads, TORCHINDUCTOR_COMPILE_THREADS="1",
                   TORCHINDUCTOR_CACHE_DIR=str(self.folder / "inductor"))  # fmt: skip
        command = [sys.executable, "-u", str(HERE / "torch_worker.py"), threads, str(self.folder)]
        self.worker = Worker(command, env)
        ready = self.worker.wait(IMPORT_SECONDS) or {"error": f"no import of PyTorch after {IMPORT_SECONDS} s"}
        if "error" in ready:
            sys.exit(f"peers_cpu.py: error: {ready['error']}")
        self.versions = ready

    def ask(self, **job):
        """An answer of the worker; one that is an error when it gave none."""
        limit = self.options.row_seconds
        answer = self.worker.ask(job, limit)
        if answer is None or answer.get("ended"):
            self.worker.stop(stuck=answer is None)
            self.start_worker()
            answer = {"error": f"no end after {limit:g} s" if answer is None else "the process ended", "lost": True}
        return answer

    def girih(self, row, pattern):
        files = [f"{self.folder}/{name}.npy" for name in ("q", "k", "v", "out")]
        report, trouble = self.runner.run(
            pattern, "--q", files[0], "--k", files[1], "--v", files[2], "--out", files[3], "--dtype", row["dtype"],
            "--threads", self.options.threads, "--bench")  # fmt: skip
        if not trouble and not os.path.exists(files[3]):
            trouble = "no output"
        return report, trouble

    def prepare(self, row, peer, record):
        """Compiles the peer's call. A worker that was lost loses the calls of the row."""
        answer = self.ask(do="prepare", peer=peer, offsets=workload.document_offsets(row["n"]))
        record[peer] = {"trouble": answer["error"]} if "error" in answer else {**answer, "samples_ms": []}
        if answer.get("lost"):
            self.ask(do="draw", row=row)
            if peer != "sdpa" and "samples_ms" in record.get("sdpa", {}):
                self.ask(do="prepare", peer="sdpa", offsets=[])

    def measure(self, row):
        """All samples of a row: {"row", "girih", "flex", "sdpa" where it has one, "others"}."""
        pattern = workload.pattern(row["pattern"], row["n"], row["heads"])
        record = {"row": row, "girih": {"samples_ms": []}}
        drawn = self.ask(do="draw", row=row)
        if "error" in drawn:
            sys.exit(f"peers_cpu.py: error: drawing inputs: {drawn['error']}")
        for peer in ("sdpa", "flex") if row["pattern"] in DENSE else ("flex",):
            self.prepare(row, peer, record)
        others, start = busy_seconds() - own_seconds(self.worker), time.monotonic()
        for turn in range(self.options.rounds):
            report, trouble = self.girih(row, pattern)
            if trouble:
                record["girih"] = {"trouble": trouble}
                return record
            record["girih"]["samples_ms"].append(report["time_ms"])
            record["girih"]["report"] = report
            for peer in (p for p in ("sdpa", "flex") if "samples_ms" in record.get(p, {})):
                self.sample(peer, record[peer], compare=turn == 0)
        elapsed = time.monotonic() - start
        record["others"] = max(0.0, (busy_seconds() - own_seconds(self.worker) - others) / elapsed)
        for entry in record.values():
            if isinstance(entry, dict) and entry.get("samples_ms"):
                samples = entry["samples_ms"]
                entry["ms"] = statistics.median(samples)
                entry["spread"] = (max(samples) - min(samples)) / entry["ms"]
        return record

    def sample(self, peer, entry, compare):
        for job in ("compare", "time") if compare else ("time",):
            answer = self.ask(do=job, peer=peer, seconds=self.options.sample_seconds)
            if "error" in answer:
                entry.clear()
                entry["trouble"] = answer["error"]
                return
            if job == "compare":
                entry["difference"] = answer["difference"]
            else:
                entry["samples_ms"].append(answer["ms"])


def disagreements(record):
    """What is wrong with a row's numbers: outputs that differ, patterns that do."""
    row, found = record["row"], []
    report = record["girih"].get("report")
    if not report:
        return [f"{title(row)}: girih: {record['girih']['trouble']}"]
    for peer, name, _ in GOALS:
        entry = record.get(peer, {})
        limit = TOLERANCE[row["dtype"]]
        if not entry.get("difference", 0) <= limit:
            found.append(f"{title(row)}: expected outputs within {limit:g} of {name}'s, but got {entry['difference']:.2e}")
        if entry.get("pairs", report["useful_pairs"]) != report["useful_pairs"]:
            found.append(f"{title(row)}: {name} keeps {entry['pairs']} pairs, girih {report['useful_pairs']}")
    return found


def ratio(record, peer):
    """How many times faster girih is, or None."""
    theirs, ours = record.get(peer, {}).get("ms"), record["girih"].get("ms")
    return theirs / ours if theirs and ours else None


def mean_lines(records):
    """The geometric means that have a goal."""
    lines = []
    for peer, name, goal in GOALS:
        rows = [r for r in records if ratio(r, peer) and (peer == "flex" or r["row"]["dtype"] == "f32")]
        if rows:
            mean = math.exp(statistics.fmean(math.log(ratio(r, peer)) for r in rows))
            what = "full and causal f32" if peer == "sdpa" else "all patterns"
            count = f"{len(rows)} row" + "s" * (len(rows) != 1)
            lines.append(f"{mean:.2f} x {name} ({what}, geometric mean of {count}; goal {goal:g} x)")
    return lines


def milliseconds(value):
    """Three digits, and no exponent."""
    return f"{value:.3g}" if value < 999.5 else f"{value:.0f}"


def cells(record):
    """The columns of a row, as texts."""
    row = record["row"]
    texts = [row["pattern"], row["dtype"], str(row["n"]), str(row["dim"])]
    for peer in ("girih", "sdpa", "flex"):
        entry = record.get(peer)
        texts.append("" if entry is None else milliseconds(entry["ms"]) if "ms" in entry else "failed")
    texts += ["" if ratio(record, peer) is None else f"{ratio(record, peer):.2f}" for peer, _, _ in GOALS]
    entries = [record[p] for p in ("girih", "sdpa", "flex") if "ms" in record.get(p, {})]
    texts.append(f"{100 * max((e['spread'] for e in entries), default=0):.1f} %")
    texts.append(f"{max((e['difference'] for e in entries if 'difference' in e), default=0):.1e}")
    return texts


HEAD = ("pattern", "dtype", "N", "dim", "girih ms", "SDPA ms", "Flex ms", "x SDPA", "x Flex", "spread", "differ")


def text_table(records):
    lines = [HEAD, *map(cells, records)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    return ["  ".join(c.ljust(w) if i < 2 else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths))).rstrip()
            for line in lines]  # fmt: skip


def notes(result):
    """What a reader of the table has to know."""
    records, about = result["rows"], result["about"]
    others = max((r.get("others", 0) for r in records), default=0)
    lines = [
        "{cpu}, {threads} threads; PyTorch {torch} ({capability}), its kernels compiled by {compiler}; {date}".format(**about),
        "time: median of {rounds} samples, interleaved; spread: from the smallest to the largest, of the noisiest "
        "column; differ: |girih - peer| / |peer|".format(**about),
        f"other programs used {others:.2f} of {about['processors']} processors at most",
    ]
    lines += [f"{title(r['row'])}: {name}: {r[peer]['trouble']}"
              for r in records for peer, name, _ in GOALS if "trouble" in r.get(peer, {})]  # fmt: skip
    return lines


def markdown(result):
    lines = ["", "| " + " | ".join(HEAD) + " |", "|---|---|" + "--:|" * (len(HEAD) - 2)]
    lines += ["| " + " | ".join(cells(record)) + " |" for record in result["rows"]]
    lines += ["", "; ".join(mean_lines(result["rows"])) + ".", "", ". ".join(notes(result)) + ".", ""]
    return "\n".join(lines)


def write_readme(path, result):
    text = pathlib.Path(path).read_text()
    if not all(text.count(mark) == 1 for mark in MARKS):
        sys.exit(f"peers_cpu.py: error: --readme: expected the lines '{MARKS[0]}' and '{MARKS[1]}' once in {path}")
    head, rest = text.split(MARKS[0])
    tail = rest.split(MARKS[1])[1]
    pathlib.Path(path).write_text(f"{head}{MARKS[0]}\n{markdown(result)}\n{MARKS[1]}{tail}")


def parse():
    threads = len(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--threads", type=int, default=threads, metavar="T", help=f"of all (default: {threads})")
    parser.add_argument("--filter", default="", metavar="REGEX", help="rows whose title matches")
    parser.add_argument("--rounds", type=int, default=5, metavar="R", help="samples of a row (default: 5)")
    parser.add_argument("--sample-seconds", type=float, default=1, metavar="S", help="of a peer (default: 1, as girih)")
    parser.add_argument("--row-seconds", type=float, default=120, metavar="S",
                        help="for one answer of a peer, compiling included (default: 120)")  # fmt: skip
    parser.add_argument("--seconds", type=float, default=math.inf, metavar="S", help="then begin no row")
    parser.add_argument("--json", metavar="FILE", help="write every number here, after each row")
    parser.add_argument("--resume", action="store_true", help="keep the rows that FILE has")
    parser.add_argument("--readme", metavar="FILE", help="write the table into it")
    parser.add_argument("--bin", metavar="DIR", help="folder of girih-run (default: build/release/bin)")
    options = parser.parse_args()
    if options.threads < 1 or options.rounds < 1:
        parser.error(f"expected --threads and --rounds of at least 1, but got {options.threads} and {options.rounds}")
    if options.resume and not options.json:
        parser.error("expected --json with --resume, but got none")
    try:
        options.filter = re.compile(options.filter)
    except re.error as error:
        parser.error(f"--filter: expected a regular expression, but got: {error}")
    return options


def measure_all(options, rows, result):
    """Adds to `result` what it has not, until the time is over."""
    program = pathlib.Path(options.bin or HERE.parents[1] / "build/release/bin") / "girih-run"
    if not program.is_file():
        sys.exit(f"peers_cpu.py: error: expected {program}, but there is none (see --bin)")
    start, folder = time.monotonic(), pathlib.Path(tempfile.mkdtemp(prefix="girih-peers-"))
    bench = Bench(options, folder, Runner(program, "cpu", folder / "cache", options.row_seconds))
    about = dict(bench.versions, cpu=cpu_name(), processors=os.cpu_count(), rounds=options.rounds,
                 threads=options.threads, date=time.strftime("%Y-%m-%d", time.gmtime()))  # fmt: skip
    try:
        if result["rows"] and result["about"] != about:
            sys.exit(f"peers_cpu.py: error: --resume: expected rows measured with {about}, but got {result['about']}")
        result["about"] = about
        for row in rows:
            if time.monotonic() - start > options.seconds:
                say(f"{len(rows) - rows.index(row)} rows left, {options.seconds:g} s are over: --resume goes on")
                break
            record = bench.measure(row)
            result["rows"].append(record)
            say(" ".join(filter(None, cells(record))))
            if options.json:
                pathlib.Path(options.json).write_text(json.dumps(result, indent=1))
    finally:
        bench.worker.stop()
        shutil.rmtree(folder, ignore_errors=True)


def main():
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("peers_cpu.py: error: terminated"))
    result = {"about": {}, "rows": []}
    if options.resume and os.path.exists(options.json):
        result = json.loads(pathlib.Path(options.json).read_text())
    wanted = [row for row in workload.rows("cpu") if options.filter.search(title(row))]
    if not wanted:
        sys.exit("peers_cpu.py: error: --filter: expected to match a row, but it matches none")
    measured = {title(record["row"]) for record in result["rows"]}
    rows = [row for row in wanted if title(row) not in measured]
    if rows:
        measure_all(options, rows, result)
    order = {title(row): i for i, row in enumerate(workload.rows("cpu"))}
    result["rows"].sort(key=lambda record: order[title(record["row"])])
    say("\n".join(["", *text_table(result["rows"]), "", *mean_lines(result["rows"]), *notes(result)]))
    if options.readme:
        write_readme(options.readme, result)
    wrong = [line for record in result["rows"] for line in disagreements(record)]
    say("\n".join(wrong) if wrong else "outputs agree")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
