# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every pattern against the f64 reference, on outputs that girih-run poisons."""

import concurrent.futures
import filecmp
import random
import time
from dataclasses import dataclass, field

from . import draw
from . import workload

LENGTHS = (1, 63, 128, 129, 1000, 4097)
DIMS = (64, 80, 96, 128, 192, 256)
DTYPES = ("bf16", "f16")
GROUPS = (1, 4, 8)  # query heads of a key head
HEADS = 8


@dataclass
class Case:
    group: str
    pattern: str
    flags: list = field(default_factory=list)
    twice: bool = False  # run again, and want the same bits
    tool: str = ""  # of compute-sanitizer, to run under


def flags_for(n, turn, dim=None, heads=HEADS, group=None):
    """Flags of length n; `turn` walks dims, dtypes and groups so that each meets each."""
    dim = dim or DIMS[turn % len(DIMS)]
    dtype = DTYPES[turn // len(DIMS) % len(DTYPES)]
    group = group or GROUPS[(turn // len(DIMS) + turn) % len(GROUPS)]
    return ["--q-len", n, "--dim", dim, "--dtype", dtype, "--heads", heads, "--kv-heads", max(1, heads // group),
            "--seed", turn]  # fmt: skip


def table_cases(folder):
    turn = 0
    for index, name in enumerate(workload.TABLE):
        for n in LENGTHS:
            docs = folder / f"docs-{n}.txt"
            workload.write_offsets(docs, workload.document_offsets(n, 1500 if n > 4000 else 90))
            turn += 5  # coprime to 6, 2 and 3 in every window of six
            yield Case("table, lengths", workload.pattern(name, n, HEADS, docs, small=n < 4000), flags_for(n, turn + index))
        docs = folder / "docs-1000.txt"
        for i, dim in enumerate(DIMS):
            flags = flags_for(1000, index + i // 3 * 6, dim=dim, group=GROUPS[(index + i) % 3])
            yield Case("table, head dims", workload.pattern(name, 1000, HEADS, docs, small=True), flags)
        docs = folder / "docs-16384.txt"
        workload.write_offsets(docs, workload.document_offsets(16384))
        flags = flags_for(16384, index, dim=128, heads=2, group=1)
        yield Case("table, 16384", workload.pattern(name, 16384, 2, docs), flags)


def shape_cases():
    """Unequal lengths (empty rows where queries stand before all keys), batches,
    head dims that need padding, values narrower than keys, huge logits."""
    base = ["--heads", 8, "--dtype", "bf16"]
    for pattern in ("full", "causal", "causal & window(left=100)", "window(left=30, right=30) | global(first=7)"):
        for q, k in ((1, 1000), (3, 4097), (129, 1000), (1000, 129), (700, 1)):
            yield Case("shapes", pattern, [*base, "--q-len", q, "--k-len", k, "--dim", 128, "--kv-heads", 2])
        yield Case("shapes", pattern, [*base, "--q-len", 200, "--k-len", 333, "--dim", 64, "--align", "top_left"])
        yield Case("shapes", pattern, [*base, "--q-len", 333, "--dim", 128, "--batch", 3, "--kv-heads", 1])
        for dim, v_dim in ((192, 128), (64, 128), (256, 64), (8, 8), (40, 40), (72, 72), (248, 248)):
            yield Case("shapes", pattern, [*base, "--q-len", 500, "--dim", dim, "--v-dim", v_dim])
        for dim in (64, 128, 256):
            for scale in (0.001, 40, 3000):  # GPU kernels take positive scales only
                yield Case("huge logits", pattern, [*base, "--q-len", 777, "--dim", dim, "--scale", scale])


def drawn_cases(folder, count, seed):
    for turn, pattern in enumerate(draw.AWKWARD):
        yield Case("awkward", pattern, [*flags_for(1000, turn), "--batch", 1 + turn % 2])
    for turn, (size, heads) in enumerate(((64, 1), (64, 8), (100, 1), (128, 8), (192, 1))):
        path = folder / f"blocks-{size}-{heads}.json"
        workload.write_block_table(path, 1000, size, heads, seed=turn)
        for pattern in (f"block_table(@{path})", f"causal & block_table(@{path})"):
            yield Case("awkward", pattern, flags_for(1000, turn * 5))
    rng = random.Random(seed)
    for turn in range(count):
        n = rng.choice((63, 130, 257, 500, 1000))
        yield Case("random", draw.draw(rng, n), flags_for(n, rng.randrange(36)))


def twice_cases():
    for turn, pattern in enumerate(("causal", "window(left=37, right=37) | global(first=5)", "{ q * k % 7 == 3 }")):
        for dim in (64, 128, 256):
            flags = ["--q-len", 2049, "--dim", dim, "--heads", 8, "--kv-heads", 4, "--dtype", DTYPES[turn % 2]]
            yield Case("same bits twice", pattern, flags, twice=True)


def sanitized_cases():
    patterns = ("causal", "window(left=37, right=37) | global(first=5)", "{ q * k % 7 == 3 && q % 100 > 5 }")
    for tool in ("memcheck", "racecheck"):
        for pattern, dim, n in zip(patterns, (64, 128, 256), (333, 300, 257)):
            yield Case(tool, pattern, ["--q-len", n, "--dim", dim, "--heads", 2, "--dtype", "bf16"], tool=tool)


def all_cases(folder, random_count, seed, sanitize):
    cases = [*table_cases(folder), *shape_cases(), *drawn_cases(folder, random_count, seed), *twice_cases()]
    return [*cases, *sanitized_cases()] if sanitize else cases


def check_twice(runner, case, folder):
    files = []
    for i in range(2):
        names = [folder / f"twice-{id(case)}-{i}-{what}.npy" for what in ("out", "lse")]
        _, trouble = runner.run(case.pattern, *case.flags, "--out", names[0], "--lse", names[1])
        if trouble:
            return trouble
        files.append(names)
    same = all(filecmp.cmp(a, b, shallow=False) for a, b in zip(*files))
    for name in files[0] + files[1]:
        name.unlink()
    return "" if same else "expected the same bits from the same inputs, but got others"


def run(runner, cases, folder, jobs, most_failures, say):
    """Runs the cases; returns one record a case: group, command, trouble, error,
    seconds. After `most_failures` the rest is not run and counts as failed."""
    failures = []

    def one(case):
        start = time.monotonic()
        report = None
        if len(failures) >= most_failures:
            trouble = "not run: too many failures before"
        elif case.twice:
            trouble = check_twice(runner, case, folder)
        else:
            prefix = ["compute-sanitizer", "--tool", case.tool, "--error-exitcode", "9"] if case.tool else []
            report, trouble = runner.run(case.pattern, *case.flags, "--check", prefix=prefix)
        if trouble:
            failures.append(case)
        return {
            "group": case.group,
            "command": runner.reproducer(case.pattern, *case.flags, *([] if case.twice else ["--check"])),
            "trouble": trouble,
            "rel_error": report and report.get("rel_error"),
            "seconds": round(time.monotonic() - start, 2),
        }

    records = []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for record in pool.map(one, cases):
            records.append(record)
            if record["trouble"] and not record["trouble"].startswith("not run"):
                say(f"FAILED ({record['group']}): {record['command']}\n        {record['trouble']}")
    return records


def summary(records):
    """Lines of a table: group, passed, failed, largest relative error."""
    groups = {}
    for record in records:
        groups.setdefault(record["group"], []).append(record)
    lines = [f"{'correctness':<18} {'passed':>6} {'failed':>6}  largest error"]
    for group, members in groups.items():
        failed = sum(bool(m["trouble"]) for m in members)
        errors = [m["rel_error"] for m in members if m["rel_error"] is not None]
        worst = f"{max(errors):.1e}" if errors else "-"
        lines.append(f"{group:<18} {len(members) - failed:>6} {failed:>6}  {worst}")
    return lines
