# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times the workload table next to the peers, and says which goals are met."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass

from . import workload

RECORDS = workload.rows("cuda")
HEADS = RECORDS[0]["heads"]


@dataclass(frozen=True)
class Row:
    """A problem, bf16; the goal: at least `floor` useful TFLOP/s and `ratio` times `peer`."""

    pattern: str
    dim: int
    n: int
    batch: int
    floor: float = 0
    peer: str = "flex"
    ratio: float = 0

    @property
    def key(self):
        return f"{self.pattern}/{self.dim}/{self.n}/{self.batch}"

    @property
    def name(self):
        extra = "" if self.n == 16384 else f" N={self.n} B={self.batch}"
        return f"{self.pattern} D={self.dim}{extra}"


def read_row(values):
    return Row(values["pattern"], values["dim"], values["n"], values["batch"], **values.get("goal", {}))


ROWS = tuple(read_row(record) for record in RECORDS)


class Peers:
    """peers_gpu.py in a process of its own: it imports PyTorch while girih is timed,
    and starts when told, so that never two programs use the device. It prints what
    it measures at once, and ends by itself `seconds` after it started to measure."""

    def __init__(self, script, out, seconds):
        self.out = out
        command = [sys.executable, "-u", script, "--wait", "--seconds", str(seconds), "--json", str(out)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)

    def collect(self):
        """Lets it run to its end; returns {row key: {peer: record}}."""
        try:
            self.process.communicate("go\n")
        except OSError:
            pass  # it ended before it was told to start, and said why
        finally:
            self.stop()
        found = {}
        for line in self.out.read_text().splitlines() if self.out.exists() else ():
            record = json.loads(line)
            found.setdefault(record["key"], {})[record["peer"]] = record
        return found

    def stop(self):
        self.process.terminate()  # it ends its own worker
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def compile_times(runner, folder):
    """Milliseconds from pattern to code: cold, and from the disk cache."""
    cache, times = folder / "cold", []
    for _ in range(2):
        report, trouble = runner.run("causal & window(left=1023)", "--q-len", 256, "--dim", 128, "--dtype", "bf16",
                                     "--heads", 1, cache=cache)  # fmt: skip
        if trouble:
            return {"trouble": trouble}
        times.append(report["compile_ms"])
    return {"cold_ms": times[0], "cached_ms": times[1]}


def run(runner, rows, folder, say):
    """girih's part: one record a row."""
    records = {}
    for row in rows:
        pattern = workload.pattern(row.pattern, row.n, HEADS)
        report, trouble = runner.run(pattern, "--q-len", row.n, "--dim", row.dim, "--batch", row.batch, "--heads", HEADS,
                                     "--dtype", "bf16", "--bench", cache=folder / "bench")  # fmt: skip
        records[row.key] = {"report": report, "trouble": trouble}
        if trouble:
            say(f"FAILED (benchmark): {row.name}: {trouble}")
        else:
            say(f"{row.name}: {report['time_ms']:.3f} ms, {report['useful_gflops'] / 1e3:.1f} TFLOP/s")
    return records


def verdict(row, tflops, peers):
    """Met or not, and by how much it falls short."""
    goals, short, unknown = [], [], False
    if row.floor:
        goals.append(f">= {row.floor:g}")
        if tflops < row.floor:
            short.append(f"{100 * (1 - tflops / row.floor):.1f} % under {row.floor:g}")
    if row.ratio:
        goals.append(f">= {row.ratio:g} x {row.peer}")
        if row.peer not in peers:
            unknown = True
        elif (ratio := tflops / peers[row.peer]["tflops"]) < row.ratio:
            short.append(f"{ratio:.2f} x, not {row.ratio:g} x {row.peer}")
    state = "; ".join(short) if short else "peer not measured" if unknown else "met" if goals else "-"
    return ", ".join(goals) or "-", state


def table(rows, records, peers):
    """The table's lines, and one machine-readable entry a row."""
    head = ("pattern", "ms", "useful", "computed", "tile eff", "cuDNN", "flash", "flex", "ratio", "goal", "state")
    lines, entries = [head], []
    for row in rows:
        record, beside = records.get(row.key, {}), peers.get(row.key, {})
        report = record.get("report")
        if not report or record["trouble"]:
            lines.append((row.name, *["-"] * 9, "FAILED"))
            entries.append({"row": row.name, "trouble": record.get("trouble", "not run")})
            continue
        tflops = report["useful_gflops"] / 1e3
        goal, state = verdict(row, tflops, beside)
        shown = [f"{beside[p]['tflops']:.1f}" if p in beside else "-" for p in ("cudnn", "flash", "flex")]
        ratio = f"{tflops / beside[row.peer]['tflops']:.2f}" if row.peer in beside else "-"
        lines.append((row.name, f"{report['time_ms']:.3f}", f"{tflops:.1f}", f"{report['computed_gflops'] / 1e3:.1f}",
                      f"{report['tile_efficiency']:.3f}", *shown, ratio, goal, state))  # fmt: skip
        entries.append({"row": row.name, "report": report, "peers": beside, "ratio": ratio, "goal": goal, "state": state})
        for peer in beside.values():
            pairs = report["useful_pairs"]
            if peer["pairs"] != pairs:
                lines.append((f"  {peer['peer']} keeps {peer['pairs']} pairs, girih {pairs}", *[""] * 10))
    widths = [max(len(line[i]) for line in lines if line[1] or i) for i in range(len(head))]
    text = []
    for line in lines:
        cells = [c.ljust(w) if i in (0, 9, 10) else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths))]
        text.append("  ".join(cells).rstrip())
    return text, entries


def driver_and_device():
    """What nvidia-smi says of the device, or ''."""
    query = ["nvidia-smi", "--query-gpu=name,driver_version,clocks.max.sm,power.limit", "--format=csv,noheader"]
    try:
        return subprocess.run(query, capture_output=True, text=True, timeout=30).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def today():
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
