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

LENGTHS = (1, 63, 128, 129, 1000, 4097, 16384)
DIMS = (64, 96, 128, 192, 256)
PADDED = ((40, 40), (72, 72), (80, 80), (112, 112), (192, 128))  # of queries and keys, of values
UNEVEN = ((1, 1), (7, 7), (20, 20), (33, 33), (100, 100), (129, 129), (250, 250),
          (64, 36), (36, 128), (20, 1), (3, 255), (100, 8), (256, 33))  # fmt: skip  # rows of no whole 16 bytes
DTYPES = ("bf16", "f16")
GROUPS = (1, 4, 8)  # query heads of a key head
HEADS = 8
MIXES = len(DIMS) * len(DTYPES) * len(GROUPS)


@dataclass
class Case:
    group: str
    pattern: str
    flags: list = field(default_factory=list)
    twice: bool = False  # run again, and want the same bits
    tool: str = ""  # of compute-sanitizer, to run under


def flags_for(n, dim, dtype, group, seed, heads=HEADS):
    return ["--q-len", n, "--dim", dim, "--dtype", dtype, "--heads", heads, "--kv-heads", max(1, heads // group),
            "--seed", seed]  # fmt: skip


def mix(n, turn):
    """Flags of length n: MIXES turns meet every head dim, type and group with each other."""
    return flags_for(n, DIMS[turn % 5], DTYPES[turn // 5 % 2], GROUPS[turn // 10 % 3], turn)


def table_cases():
    """Every pattern at every length and every head dim. Down the table and along the
    lengths any two of pattern, length, head dim, type and group meet; at 1000 tokens
    every pattern meets every head dim once more."""
    for i, name in enumerate(workload.TABLE):
        for j, n in enumerate(LENGTHS):
            pattern = workload.pattern(name, n, HEADS, small=n < 4000)
            flags = flags_for(n, DIMS[(i + j) % 5], DTYPES[(i + j // 2) % 2], GROUPS[(i // 5 + j) % 3], i)
            yield Case("table, lengths", pattern, flags)
        pattern = workload.pattern(name, 1000, HEADS, small=True)
        for j, dim in enumerate(DIMS):
            yield Case("table, head dims", pattern, flags_for(1000, dim, DTYPES[(i + j) % 2], GROUPS[(i + j) % 3], j))


def shape_cases():
    """Unequal lengths (empty rows where queries stand before all keys), batches,
    head dims that need padding, values narrower than keys, huge logits."""
    base = ["--heads", 8, "--dtype", "bf16"]
    for pattern in ("full", "causal", "causal & window(left=100)", "window(left=30, right=30) | global(first=7)"):
        for q, k in ((1, 1000), (3, 4097), (129, 1000), (1000, 129), (700, 1)):
            yield Case("shapes", pattern, [*base, "--q-len", q, "--k-len", k, "--dim", 128, "--kv-heads", 2])
        yield Case("shapes", pattern, [*base, "--q-len", 200, "--k-len", 333, "--dim", 64, "--align", "top_left"])
        yield Case("shapes", pattern, [*base, "--q-len", 333, "--dim", 128, "--batch", 3, "--kv-heads", 1])
        for dim, v_dim in (*PADDED, (64, 128), (256, 64), (8, 8), (248, 248)):
            for dtype in DTYPES:
                flags = flags_for(500, dim, dtype, 4, dim)
                yield Case("padded head dims", pattern, [*flags, "--v-dim", v_dim])
        for turn, (dim, v_dim) in enumerate(UNEVEN):
            for n, k_len in ((500, 500), (129, 1000)):
                flags = [*flags_for(n, dim, DTYPES[turn % 2], GROUPS[turn % 3], dim), "--v-dim", v_dim]
                yield Case("uneven head dims", pattern, [*flags, "--k-len", k_len, "--batch", 1 + turn % 2])
        for dim in (64, 128, 256):
            for scale in (0, -3, 0.001, 40, round(3000 / dim**0.5, 3)):
                yield Case("scales, huge logits", pattern, [*base, "--q-len", 777, "--dim", dim, f"--scale={scale}"])
    # As many heads as multiprocessors: one block goes through all 65,536 keys, and what is a little
    # wrong at each tile adds up.
    for dim in (64, 128, 256):
        for scale in (dim**-0.5, 3000 / dim**0.5):
            flags = ["--heads", 132, "--kv-heads", 1, "--q-len", 8, "--k-len", 65536, "--dim", dim]
            yield Case("long rows", "full", [*flags, "--dtype", "bf16", f"--scale={round(scale, 3)}"])


def strided_cases():
    """Tokens outside of heads, which a kernel reads as they are if rows are whole 16 bytes,
    and tokens inside of columns, which are copied always. On a GPU only."""
    for pattern in ("full", "causal & window(left=100)"):
        for turn, (dim, v_dim) in enumerate(((64, 64), (128, 128), (20, 20), (33, 7), (250, 100))):
            flags = [*flags_for(500, dim, DTYPES[turn % 2], 4, dim), "--v-dim", v_dim, "--batch", 2]
            for layout in ("bnhd", "bhdn"):
                yield Case("strided tensors", pattern, [*flags, "--layout", layout])


# Few heads, long rows: what a runtime cuts along the keys and merges.
SPLIT = (
    ("window(left=256, right=256) | global(first=16)", 16384),
    ("full", 8192),
    ("causal", 1000),
    ("blockwise(window(left=1, right=1) | global(first=1, last=1), size=64) | random_blocks(size=64, count=3, seed=0)",
     16384),
    ("global_rows(first=3)", 4097),  # all other rows are empty
    ("causal & { k % 64 == 0 || k > 8000 }", 8192),
)  # fmt: skip


def split_cases():
    for turn, (pattern, n) in enumerate(SPLIT):
        for i, dim in enumerate((64, 128, 256)):
            yield Case("split rows", pattern, flags_for(n, dim, DTYPES[(turn + i) % 2], 1, turn, heads=1))
        yield Case("split rows", pattern, flags_for(n, 128, "bf16", 2, turn, heads=2))
        yield Case("split rows", pattern, [*flags_for(n, 72, "bf16", 1, turn, heads=1), "--scale=-3", "--v-dim", 40])
        for dim, v_dim in ((20, 36), (100, 33)):
            yield Case("split rows", pattern, [*flags_for(n, dim, "f16", 1, turn, heads=1), "--v-dim", v_dim])
        yield Case("same bits twice", pattern, flags_for(n, 128, DTYPES[turn % 2], 1, turn, heads=1), twice=True)


def drawn_cases(folder, count, seed):
    for turn, pattern in enumerate(draw.AWKWARD):
        yield Case("awkward", pattern, [*mix(1000, turn), "--batch", 1 + turn % 2])
    for turn, (size, heads) in enumerate(((64, 1), (64, 8), (100, 1), (128, 8), (192, 1))):
        path = folder / f"blocks-{size}-{heads}.json"
        workload.write_block_table(path, 1000, size, heads, seed=turn)
        for pattern in (f"block_table(@{path})", f"causal & block_table(@{path})"):
            yield Case("awkward", pattern, mix(1000, turn * 6))
    rng = random.Random(seed)
    for turn in range(count):
        n = rng.choice((1, 63, 128, 129, 257, 500, 1000, 1000, 1000, 4097))
        yield Case("random", draw.draw(rng, n), mix(n, rng.randrange(MIXES)))


def lookup_patterns(folder, n):
    """Tables that masks look up: ids of documents for each batch, sorted or not, blocks chosen for
    each head, a limit for each query, and one that a clamped distance and another table index."""
    rng = random.Random(n)
    docs, blocks = max(1, n // 150), (n + 63) // 64
    ids = workload.write_array(folder / f"ids-{n}.npy", (2, n), [(i % n) * docs // n for i in range(2 * n)])
    mixed = workload.write_array(folder / f"mixed-{n}.npy", (n,), [rng.randrange(3) for _ in range(n)])
    chosen = workload.write_array(folder / f"chosen-{n}.npy", (HEADS, blocks, blocks),
                                  [rng.random() < 0.3 for _ in range(HEADS * blocks * blocks)])  # fmt: skip
    limit = workload.write_array(folder / f"limit-{n}.npy", (n,), [rng.randrange(-5, n + 5) for _ in range(n)])
    return (
        f"{{ q >= k && @{ids}[b, q] == @{ids}[b, k] }}",
        f"{{ @{mixed}[q] == @{mixed}[k] }}",
        f"{{ @{chosen}[h, q / 64, k / 64] != 0 }}",
        f"{{ k <= @{limit}[q] }}",
        f"{{ @{mixed}[min(max(q - k, 0), {n - 1})] > @{mixed}[@{mixed}[k]] }}",
        f"causal & ({{ @{limit}[k] % 7 == 2 }} | window(left=20)) | segments(offsets=[0, {n}]) & {{ @{mixed}[k] == 1 }}",
    )


def lookup_cases(folder):
    for n in (1, 129, 1000, 4097):
        for turn, pattern in enumerate(lookup_patterns(folder, n)):
            for i in range(3):
                yield Case("lookups", pattern, [*mix(n, 7 * turn + 5 * i + n), "--batch", 1 + i % 2])


def twice_cases():
    for turn, pattern in enumerate(("causal", "window(left=37, right=37) | global(first=5)", "{ q * k % 7 == 3 }")):
        for dim in (64, 128, 256):
            flags = ["--q-len", 2049, "--dim", dim, "--heads", 8, "--kv-heads", 4, "--dtype", DTYPES[turn % 2]]
            yield Case("same bits twice", pattern, flags, twice=True)


def sanitized_cases(folder):
    patterns = ("causal", "window(left=37, right=37) | global(first=5)", "{ q * k % 7 == 3 && q % 100 > 5 }")
    for tool in ("memcheck", "racecheck"):
        for pattern, dim, n in zip(patterns, (64, 128, 256), (333, 300, 257)):
            yield Case(tool, pattern, ["--q-len", n, "--dim", dim, "--heads", 2, "--dtype", "bf16"], tool=tool)
        yield Case(tool, "causal", flags_for(1000, 128, "bf16", 1, 0, heads=1), tool=tool)  # split rows
        yield Case(tool, "causal", [*flags_for(300, 33, "bf16", 1, 0, heads=2), "--v-dim", 20], tool=tool)  # copies
        for pattern in lookup_patterns(folder, 300):  # columns behind the last key
            yield Case(tool, pattern, flags_for(300, 128, "bf16", 1, 0), tool=tool)


def all_cases(folder, random_count, seed, sanitize, on_gpu):
    cases = [*table_cases(), *shape_cases(), *split_cases(), *drawn_cases(folder, random_count, seed),
             *lookup_cases(folder), *twice_cases()]  # fmt: skip
    if on_gpu:
        cases += strided_cases()
    return [*cases, *sanitized_cases(folder)] if sanitize else cases


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
    lines = [f"{'correctness':<20} {'passed':>6} {'failed':>6}  largest error"]
    for group, members in groups.items():
        failed = sum(bool(m["trouble"]) for m in members)
        errors = [m["rel_error"] for m in members if m["rel_error"] is not None]
        worst = f"{max(errors):.1e}" if errors else "-"
        lines.append(f"{group:<20} {len(members) - failed:>6} {failed:>6}  {worst}")
    return lines
