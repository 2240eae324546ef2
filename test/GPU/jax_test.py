#!/usr/bin/env python3
# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""girih.jax on NVIDIA GPUs: right numbers, then times next to cuDNN through JAX.

usage: PYTHONPATH=... jax_test.py [--no-times] [--n N] [--json FILE]

Needs the girih package, JAX with CUDA, and one GPU (with more, the last one is used as
well). Each case prints one line; exits 1 when one fails, 4 when JAX sees no GPU.
"""

import argparse
import json
import os
import pathlib
import statistics
import sys
import time
import traceback

sys.dont_write_bytecode = True
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # girih takes memory of its own
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "Bindings/jax")]

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy  # noqa: E402

import dense  # noqa: E402
import girih  # noqa: E402
import girih.jax  # noqa: E402

HEADS = 8
CASES = []


def case(function):
    CASES.append(function)
    return function


def causal_window(n, left=100):
    distance = numpy.arange(n)[:, None] - numpy.arange(n)
    return (distance >= 0) & (distance <= left)


WINDOW = girih.causal & girih.window(left=100)


@case
def workload():
    """Every pattern, both dtypes, both layouts, under jit."""
    for number, name in enumerate(dense.workload.TABLE):
        n, dtype = 1024, ("bfloat16", "float16")[number % 2]
        pattern = girih.parse(dense.workload.pattern(name, n, HEADS, small=True))
        q, k, v = dense.tensors(number, 2, HEADS, HEADS // 2, n, n, (64, 128)[number % 2], dtype=dtype)
        wanted, wanted_lse = dense.attention(q, k, v, pattern.mask(n, heads=HEADS))
        call = jax.jit(lambda q, k, v, p=pattern: girih.jax.attention(q, k, v, p, return_lse=True))
        o, lse = call(q, k, v)
        assert o.dtype == dtype
        dense.check(o, wanted, dtype)
        dense.check(lse, wanted_lse)
        swapped = [x.transpose(0, 2, 1, 3) for x in (q, k, v)]
        o, lse = girih.jax.attention(*swapped, pattern, layout="bnhd", return_lse=True)
        dense.check(o.transpose(0, 2, 1, 3), wanted, dtype)
        dense.check(lse, wanted_lse)


@case
def shapes():
    """Lengths and head dims that need padding or copies; one kernel for all lengths."""
    for dim, v_dim in ((64, 64), (40, 24), (33, 7), (256, 128)):
        compilations = []
        for lengths in ((1, 1000), (129, 77), (500, 500)):
            q, k, v = dense.tensors(dim, 1, 4, 2, *lengths, dim, v_dim, "bfloat16")
            o = girih.jax.attention(q, k, v, girih.causal)
            dense.check(o, dense.attention(q, k, v, dense.causal(*lengths))[0], "bfloat16")
            compilations.append(girih.default_session().compilations)
        assert len(set(compilations)) == 1, compilations


@case
def streams_and_order():
    """Calls between other operations of one program, many times: what a stream orders."""
    q, k, v = dense.tensors(3, 1, HEADS, HEADS, 777, 777, 64, dtype="bfloat16")

    @jax.jit
    def run(x):
        def step(x, _):
            x = girih.jax.attention(x * 2, k, v, WINDOW)
            return x + q, None
        return jax.lax.scan(step, x, length=20)[0]

    first, wanted = run(q), q
    for _ in range(20):  # one by one, with the host between them
        wanted = (girih.jax.attention(wanted * 2, k, v, WINDOW) + q).block_until_ready()
    dense.check(first, numpy.asarray(wanted.astype(jnp.float32), numpy.float64), "bfloat16")
    for _ in range(20):
        assert (run(q) == first).all()


@case
def vmap():
    q, k, v = (x.reshape(3, 2, HEADS, 300, 64) for x in dense.tensors(4, 6, HEADS, HEADS, 300, 300, 64, dtype="bfloat16"))
    got = jax.jit(jax.vmap(lambda q, k, v: girih.jax.attention(q, k, v, WINDOW)))(q, k, v)
    for i in range(3):
        dense.check(got[i], dense.attention(q[i], k[i], v[i], causal_window(300))[0], "bfloat16")


@case
def last_device():
    """Operands of another device than the first: its stream, its memory."""
    device = jax.devices()[-1]
    q, k, v = dense.tensors(5, 1, HEADS, HEADS, 500, 500, 64, dtype="bfloat16")
    moved = [jax.device_put(x, device) for x in (q, k, v)]
    o = girih.jax.attention(*moved, WINDOW)
    assert o.devices() == {device}
    dense.check(o, dense.attention(q, k, v, causal_window(500))[0], "bfloat16")


@case
def cpu_beside():
    """The same function on the CPU of this host."""
    q, k, v = (jax.device_put(x, jax.devices("cpu")[0]) for x in dense.tensors(6, 1, 2, 2, 100, 100, 64))
    dense.check(girih.jax.attention(q, k, v, WINDOW), dense.attention(q, k, v, causal_window(100))[0])


@case
def export_for_both():
    """One exported program with kernels for two platforms."""
    from jax import export

    operands = dense.tensors(7, 1, 2, 2, 100, 100, 64, dtype="float16")
    check = export.DisabledSafetyCheck.custom_call("girih_attention")
    call = jax.jit(lambda q, k, v: girih.jax.attention(q, k, v, WINDOW))
    exported = export.export(call, platforms=["cpu", "cuda"], disabled_checks=[check])(*operands)
    wanted = dense.attention(*operands, causal_window(100))[0]
    for device in (jax.devices()[0], jax.devices("cpu")[0]):
        dense.check(exported.call(*(jax.device_put(x, device) for x in operands)), wanted, "float16")


@case
def errors():
    x = jnp.zeros((1, 2, 8, 64), jnp.float32)
    try:
        girih.jax.attention(x, x, x, girih.causal)
        raise AssertionError("expected float32 to be refused on a GPU")
    except NotImplementedError:
        pass
    x = x.astype(jnp.bfloat16)
    try:
        girih.jax.attention(x, x, x, girih.segments([0, 5])).block_until_ready()
        raise AssertionError("expected offsets that end too early to be refused")
    except jax.errors.JaxRuntimeError as error:
        assert "to end at 8" in str(error), error
    assert not girih.jax.attention(x, x, x, girih.causal).any()


def milliseconds(call, *operands):
    """Median of single calls, back to back in groups so that dispatch overlaps."""
    jax.block_until_ready(call(*operands))
    samples = []
    for _ in range(7):
        start = time.perf_counter()
        for _ in range(10):
            o = call(*operands)
        jax.block_until_ready(o)
        samples.append((time.perf_counter() - start) * 100)
    return statistics.median(samples)


def times(n):
    """Rows of useful TFLOP/s, girih and cuDNN by jax.nn.dot_product_attention; [B, N, H, D]."""
    rows = []
    for name, dim in (("full", 64), ("full", 128), ("causal", 64), ("causal", 128), ("window", 128), ("longformer", 128)):
        pattern = girih.parse(dense.workload.pattern(name, n, 16))
        keys = jax.random.split(jax.random.PRNGKey(0), 3)
        operands = [jax.random.normal(key, (1, n, 16, dim), jnp.bfloat16) for key in keys]
        useful = int(pattern.explain(n)["useful_pairs"]) * 16 * 4 * dim / 1e9
        calls = {"girih": lambda q, k, v, p=pattern: girih.jax.attention(q, k, v, p, layout="bnhd")}
        if name in ("full", "causal"):
            calls["cudnn"] = lambda q, k, v, c=name == "causal": jax.nn.dot_product_attention(
                q, k, v, is_causal=c, implementation="cudnn")  # fmt: skip
        row = {"pattern": name, "dim": dim, "n": n}
        for peer, call in calls.items():
            try:
                row[peer] = useful / milliseconds(jax.jit(call), *operands)
            except Exception as error:  # cuDNN may be missing
                row[f"{peer}_error"] = " ".join(str(error).split())[:200]
        rows.append(row)
        print(" ".join(f"{k}={v:.1f}" if isinstance(v, float) else f"{k}={v}" for k, v in row.items()), flush=True)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--no-times", action="store_true", help="numbers only")
    parser.add_argument("--n", type=int, default=16384, help="tokens of what is timed (default: 16384)")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    if jax.default_backend() != "gpu":
        print(f"jax_test.py: error: expected JAX to have a GPU, but got {jax.default_backend()}", file=sys.stderr)
        return 4
    print(f"JAX {jax.__version__}, {[d.device_kind for d in jax.devices()]}, girih {girih.__version__}", flush=True)
    result = {"jax": jax.__version__, "device": jax.devices()[0].device_kind, "cases": {}}
    for function in CASES:
        start, trouble = time.monotonic(), ""
        try:
            function()
        except Exception as error:
            trouble = " ".join(str(error).split())[:500] or type(error).__name__
            traceback.print_exc()
        result["cases"][function.__name__] = trouble
        state = f"FAILED: {trouble}" if trouble else "passed"
        print(f"{function.__name__:20} {state} in {time.monotonic() - start:.1f} s", flush=True)
    failed = sum(map(bool, result["cases"].values()))
    if not options.no_times:
        result["tflops"] = times(options.n)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(result, indent=1))
    print(f"{len(CASES) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
