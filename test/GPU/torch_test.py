#!/usr/bin/env python3
# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tries girih.torch on a CUDA device, and times it beside PyTorch's attention.

  PYTHONPATH=... GIRIH_LIBRARY=.../libgirih.so python test/GPU/torch_test.py
      [--match TEXT] [--no-timings] [--device cuda|cpu] [--json FILE]

Needs PyTorch 2.6 or later with CUDA and the package girih (PYTHONPATH: where the package
lies; GIRIH_LIBRARY unless it is a wheel). --device cpu runs what needs no GPU, to try the
script itself. Exits 1 when a check fails.
"""

import argparse
import gc
import json
import pathlib
import sys
import threading
import time
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import torch  # noqa: E402
import torch._dynamo  # noqa: E402
from peers import patterns as peers  # noqa: E402
from suite import workload  # noqa: E402
from torch.nn.attention import flex_attention as flex  # noqa: E402

import girih  # noqa: E402
import girih.torch  # noqa: E402

#: Largest relative error in the 2-norm.
TOLERANCE = {torch.float32: 1e-5, torch.bfloat16: 6e-3, torch.float16: 1e-3}
#: What is timed beside FlexAttention, at 16384 tokens, 16 heads and head dim 128.
TIMED = ("causal", "window", "longformer", "bigbird", "document")
CHECKS = []


def check(function):
    """Registers a check: it takes the device, and raises what is wrong."""
    CHECKS.append(function)
    return function


def tensors(device, batch, heads, kv_heads, num_q, num_k, dim, dtype=torch.bfloat16, seed=0):
    """q, k and v from N(0, 1)."""
    generator = torch.Generator().manual_seed(seed)
    shapes = (batch, heads, num_q, dim), (batch, kv_heads, num_k, dim), (batch, kv_heads, num_k, dim)
    return [torch.randn(shape, generator=generator).to(device, dtype) for shape in shapes]


def dense(q, k, v, mask, score_mod=None):
    """(out, lse) in float64 on the host; mask [B, H, Nq, Nk] or broadcast to it."""
    groups = q.shape[1] // k.shape[1]
    q, k, v = (x.cpu().double() for x in (q, k, v))
    k, v = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
    scores = q @ k.transpose(2, 3) * q.shape[3] ** -0.5
    if score_mod is not None:
        scores = score_mod(scores, *indices(*scores.shape))
    scores = scores.masked_fill(~mask.cpu(), float("-inf"))
    lse = torch.logsumexp(scores, 3)
    return torch.exp(scores - lse.masked_fill(lse.isinf(), 0)[..., None]) @ v, lse


def indices(batch, heads, num_q, num_k):
    sizes = (batch, heads, num_q, num_k)
    return [torch.arange(n).view([-1 if i == d else 1 for i in range(4)]) for d, n in enumerate(sizes)]


def error(actual, expected):
    actual, expected = actual.cpu().double(), expected.cpu().double()
    return float((actual - expected).norm() / expected.norm().clamp_min(1e-30))


def expect_close(actual, expected, dtype):
    """Compares (out, lse) with the reference."""
    (out, lse), (out_, lse_) = actual, expected
    assert out.dtype == dtype and out.is_contiguous(), (out.dtype, out.stride())
    assert not out.isnan().any() and torch.equal(lse.isinf().cpu(), lse_.isinf())
    seen = ~lse_.isinf()
    errors = error(out, out_), error(lse.cpu()[seen], lse_[seen])
    assert max(errors) <= TOLERANCE[dtype], f"errors {errors[0]:.2e} and {errors[1]:.2e} (lse)"


def expect_error(kind, words, function):
    try:
        function()
    except kind as problem:
        assert words in str(problem), f"expected {words!r} in the message, but got: {problem}"
    else:
        raise AssertionError(f"expected {kind.__name__}, but nothing was raised")


def dtypes(device):
    return [torch.bfloat16, torch.float16] + [torch.float32] * (device.type == "cpu")


# ---------------------------------------------------------------------------
# Numbers
# ---------------------------------------------------------------------------


@check
def workload_table(device):
    """Every pattern of the workload table, lengths that are no multiple of a tile."""
    for name in workload.TABLE:
        for n, heads, dim, dtype in ((391, 4, 64, torch.bfloat16), (1000, 4, 128, torch.float16)):
            pattern = girih.parse(workload.pattern(name, n, heads, small=True))
            q, k, v = tensors(device, 1, heads, heads, n, n, dim, dtype)
            mask = torch.as_tensor(pattern.mask(n, heads=heads))[None]
            result = girih.torch.attention(q, k, v, pattern, return_lse=True)
            try:
                expect_close(result, dense(q, k, v, mask), dtype)
            except AssertionError as problem:
                raise AssertionError(f"{name}, {n} tokens, head dim {dim}, {dtype}: {problem}") from None


@check
def shapes(device):
    """Batches, grouped heads, unequal lengths, head dims, both alignments."""
    pattern = girih.causal & girih.window(left=200)
    for batch, heads, kv_heads, num_q, num_k, dim in (
        (2, 8, 2, 300, 300, 64), (1, 4, 1, 1, 777, 128), (3, 2, 2, 129, 600, 80), (1, 2, 1, 500, 200, 256),
        (1, 2, 2, 65, 65, 33),
    ):  # fmt: skip
        for dtype in dtypes(device):
            for align, first in (("bottom_right", num_k - num_q), ("top_left", 0)):
                q, k, v = tensors(device, batch, heads, kv_heads, num_q, num_k, dim, dtype)
                distance = indices(1, 1, num_q, num_k)[2] + first - indices(1, 1, num_q, num_k)[3]
                mask = (distance >= 0) & (distance <= 200)
                result = girih.torch.attention(q, k, v, pattern, align=align, return_lse=True)
                expect_close(result, dense(q, k, v, mask), dtype)


@check
def strided_inputs(device):
    """Views of [B, N, H, D] and of wider tensors give the same bits."""
    q, k, v = tensors(device, 2, 4, 2, 300, 300, 64)
    expected = girih.torch.attention(q, k, v, girih.causal)

    def bnhd(x):
        return x.transpose(1, 2).contiguous().transpose(1, 2)

    def wide(x):
        memory = torch.full((*x.shape[:2], 2 * x.shape[2], x.shape[3] + 16), float("nan"), dtype=x.dtype, device=device)
        memory[:, :, ::2, 8:-8] = x
        return memory[:, :, ::2, 8:-8]

    for view in (bnhd, wide):
        out = girih.torch.attention(view(q), view(k), view(v), girih.causal)
        assert out.is_contiguous() and torch.equal(out, expected), view.__name__


@check
def masks_and_scores(device):
    """flex_attention with captured tensors, a score_mod with a table, and BlockMasks."""
    n, heads = 500, 4
    ids = (torch.arange(n, device=device) * 7 // n).to(torch.int32)
    slopes = torch.tensor([0.5, 0.25, 0.125, 0.0625], device=device)

    def mask_mod(b, h, q, k):
        return (q >= k) & (ids[q] == ids[k])

    def score_mod(score, b, h, q, k):
        return score - slopes[h] * (q - k)

    q, k, v = tensors(device, 2, heads, 2, n, n, 64)
    i = torch.arange(n, device=device)
    mask = mask_mod(None, None, i[:, None], i[None, :])
    expected = dense(q, k, v, mask, lambda s, b, h, q, k: s - slopes.cpu()[h] * (q - k))
    block_mask = flex.create_block_mask(mask_mod, None, None, n, n, device=device)
    for options in (dict(mask_mod=mask_mod), dict(block_mask=block_mask)):
        result = girih.torch.flex_attention(q, k, v, score_mod, enable_gqa=True, return_lse=True, **options)
        expect_close(result, expected, q.dtype)

    ids.zero_()  # one document now
    result = girih.torch.flex_attention(q, k, v, score_mod, mask_mod=mask_mod, enable_gqa=True, return_lse=True)
    mask = mask_mod(None, None, i[:, None], i[None, :])
    expect_close(result, dense(q, k, v, mask, lambda s, b, h, q, k: s - slopes.cpu()[h] * (q - k)), q.dtype)


# ---------------------------------------------------------------------------
# Manners
# ---------------------------------------------------------------------------


@check
def compiled(device):
    """torch.compile keeps one graph, for new lengths as well."""
    pattern = girih.causal & girih.window(left=100)

    def model(x):
        q, k, v = x.chunk(3, -1)
        return girih.torch.attention(q, k, v, pattern).sin() + girih.torch.flex_attention(q, k, v, mask_mod=near)

    def near(b, h, q, k):
        return (q - k).abs() <= 50

    torch._dynamo.reset()
    run = torch.compile(model, fullgraph=True, dynamic=True)
    for n in (256, 300, 1111):
        x = torch.randn(2, 4, n, 192, device=device, dtype=torch.bfloat16)
        assert error(run(x), model(x)) < 1e-2, n


@check
def current_stream(device):
    """Work is ordered among other work of the current stream, and outputs belong to it."""
    if device.type == "cpu":
        return
    q, k, v = tensors(device, 1, 4, 4, 1000, 1000, 64)
    expected = girih.torch.attention(q, k, v, girih.causal)
    torch.cuda.synchronize()
    late = torch.full_like(q, float("nan"))
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        torch.cuda._sleep(200_000_000)  # a tenth of a second
        late.copy_(q)
        out = girih.torch.attention(late, k, v, girih.causal)
        later = out.clone()
        out.fill_(float("nan"))
    assert not stream.query(), "expected the call to return before its work is done"
    stream.synchronize()
    assert torch.equal(later, expected)


@check
def streams_of_threads(device):
    """Threads launch on streams of their own, with shapes of their own."""
    failures = []

    def work(seed):
        try:
            with torch.no_grad():
                stream = torch.cuda.Stream() if device.type == "cuda" else None
                for n in (200 + seed, 400 + 3 * seed, 200 + seed):
                    with torch.cuda.stream(stream):
                        q, k, v = tensors(device, 1, 2, 1, n, n, 64, seed=seed)
                        result = girih.torch.attention(q, k, v, girih.causal, return_lse=True)
                    if stream is not None:
                        stream.synchronize()
                    mask = torch.ones(n, n, dtype=torch.bool).tril()
                    expect_close(result, dense(q, k, v, mask), q.dtype)
        except BaseException:
            failures.append(traceback.format_exc())

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]


@check
def cuda_graph(device):
    """A captured launch computes with what its inputs hold at each replay, also when nobody
    else remembers the pattern, whose table the graph reads."""
    if device.type == "cpu":
        return
    q, k, v = tensors(device, 2, 4, 2, 1000, 1000, 64)

    def make():
        return girih.causal & girih.segments(torch.tensor([0, 123, 600, 1000]))

    pattern = make()
    warm = torch.cuda.Stream()
    warm.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(warm):  # compiles, and derives the block map
        for _ in range(2):
            girih.torch.attention(q, k, v, pattern)
    torch.cuda.current_stream().wait_stream(warm)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        out = girih.torch.attention(q, k, v, pattern)
    del pattern
    girih.default_session().plans.clear()
    for count in range(100):  # other tables, until caches have forgotten ours
        girih.torch.attention(q, k, v, girih.segments(torch.tensor([0, count, 1000])))
    gc.collect()
    for seed in (1, 2):
        for tensor, fresh in zip((q, k, v), tensors(device, 2, 4, 2, 1000, 1000, 64, seed=seed)):
            tensor.copy_(fresh)
        out.fill_(float("nan"))
        graph.replay()
        torch.cuda.synchronize()
        assert torch.equal(out, girih.torch.attention(q, k, v, make())), seed


@check
def every_device(device):
    """Tensors decide where a launch runs, whatever device is current."""
    for index in range(torch.cuda.device_count() if device.type == "cuda" else 0):
        there = torch.device("cuda", index)
        q, k, v = tensors(there, 1, 2, 2, 300, 300, 64)
        result = girih.torch.attention(q, k, v, girih.causal, return_lse=True)
        assert result[0].device == there
        expect_close(result, dense(q, k, v, torch.ones(300, 300, dtype=torch.bool).tril()), q.dtype)


@check
def bad_input(device):
    """Exceptions, after which the next call is right."""
    q, k, v = tensors(device, 1, 2, 2, 100, 100, 64)
    expected = girih.torch.attention(q, k, v, girih.causal)

    def attend(*inputs, **options):
        return girih.torch.attention(*inputs, options.pop("pattern", girih.causal), **options)

    expect_error(girih.InvalidError, "one dtype", lambda: attend(q, k.half(), v))
    expect_error(girih.InvalidError, "4 dimensions", lambda: attend(q[0], k, v))
    expect_error(girih.UnsupportedError, "float64", lambda: attend(*(x.double() for x in (q, k, v))))
    with torch.enable_grad():
        expect_error(RuntimeError, "no backward pass yet", lambda: attend(q.clone().requires_grad_(), k, v))
    if device.type == "cuda":
        expect_error(girih.InvalidError, "on one device", lambda: attend(q, k.cpu(), v))
        expect_error(girih.InvalidError, "on one device", lambda: attend(q.cpu(), k, v))
        expect_error(girih.UnsupportedError, "32", lambda: attend(*(x.float() for x in (q, k, v))))
        if torch.cuda.device_count() > 1:
            other = k.to("cuda:1")
            expect_error(girih.InvalidError, "on one device", lambda: attend(q, other, v))
    assert torch.equal(attend(q, k, v), expected)


# ---------------------------------------------------------------------------
# Times
# ---------------------------------------------------------------------------


def milliseconds(function, warm=5, calls=30):
    """Median of calls back to back, by events."""
    for _ in range(warm):
        function()
    events = [torch.cuda.Event(enable_timing=True) for _ in range(calls + 1)]
    events[0].record()
    for event in events[1:]:
        function()
        event.record()
    torch.cuda.synchronize()
    times = sorted(a.elapsed_time(b) for a, b in zip(events, events[1:]))
    return times[len(times) // 2]


def host_microseconds(function, calls=200):
    """How long the host is busy with a call, the best of ten rounds."""
    best = float("inf")
    for _ in range(10):
        torch.cuda.synchronize()
        begin = time.perf_counter_ns()
        for _ in range(calls):
            function()
        best = min(best, (time.perf_counter_ns() - begin) / calls / 1000)
    torch.cuda.synchronize()
    return best


def timings(device, match):
    """Rows of (pattern, peer, girih ms, peer ms)."""
    n, heads, dim = 16384, 16, 128
    q, k, v = tensors(device, 1, heads, heads, n, n, dim)
    rows = []
    attend = torch.compile(flex.flex_attention, dynamic=False)
    for name in ("full", *TIMED):
        if match and match not in name:
            continue
        pattern = girih.parse(workload.pattern(name, n, heads))
        ours = milliseconds(lambda: girih.torch.attention(q, k, v, pattern))
        if name in ("full", "causal"):
            theirs = milliseconds(
                lambda: torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=name == "causal")
            )
            rows.append((name, "sdpa", ours, theirs))
        if name in TIMED:
            mask_mod = peers.TABLE[name](n=n, heads=heads, offsets=workload.document_offsets(n))
            block_mask, _ = peers.block_mask(mask_mod, n, heads if name in peers.PER_HEAD else 1, device)
            theirs = milliseconds(lambda: attend(q, k, v, block_mask=block_mask))
            rows.append((name, "flex", ours, theirs))
        for row in rows[-2:]:
            if row[0] == name:
                print(f"  {row[0]:12}{row[2]:9.3f} ms  {row[1]:6}{row[3]:9.3f} ms  {row[3] / row[2]:6.2f} x", flush=True)
    small = tensors(device, 1, 1, 1, 64, 64, 64)
    for what, function in (
        ("girih.torch.attention", lambda: girih.torch.attention(*small, girih.causal)),
        ("girih.attention", lambda: girih.attention(*small, girih.causal)),
        ("scaled_dot_product_attention", lambda: torch.nn.functional.scaled_dot_product_attention(*small)),
    ):
        print(f"  host, {what:34}{host_microseconds(function):8.2f} us a call", flush=True)
    return rows


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--match", default="", help="checks and timed patterns whose name contains this")
    parser.add_argument("--no-timings", action="store_true")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--json", help="file for the timings")
    options = parser.parse_args()
    device = torch.device(options.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        print("torch_test.py: error: PyTorch finds no CUDA device", file=sys.stderr)
        return 4
    name = torch.cuda.get_device_name() if device.type == "cuda" else "the CPU"
    if device.type == "cuda":
        device = torch.device("cuda", torch.cuda.current_device())
    print(f"PyTorch {torch.__version__}, {name}")
    passed = failed = 0
    for function in CHECKS:
        if options.match not in function.__name__:
            continue
        begin = time.monotonic()
        try:
            function(device)
            passed, verdict = passed + 1, "passed"
        except Exception:
            failed, verdict = failed + 1, "FAILED"
            traceback.print_exc()
        print(f"  {verdict}  {function.__name__} ({time.monotonic() - begin:.1f} s)", flush=True)
    if device.type == "cuda" and not options.no_timings:
        rows = timings(device, options.match)
        if options.json:
            pathlib.Path(options.json).write_text(json.dumps(rows, indent=1))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
