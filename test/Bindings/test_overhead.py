# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a repeated call costs beside the C launch; prints it, and keeps it below 15 us.

Also a program: python test/Bindings/test_overhead.py
"""

import time

import numpy as np

import girih
from girih._launch import Frame

LIMIT_US = 15


def best(function, calls=200, rounds=100):
    """Microseconds of a call, the best of many short rounds: others use the machine too."""
    for _ in range(100):
        function()
    shortest = float("inf")
    for _ in range(rounds):
        begin = time.perf_counter()
        for _ in range(calls):
            function()
        shortest = min(shortest, time.perf_counter() - begin)
    return shortest / calls * 1e6


def measure(q, pattern=girih.causal):
    """(C launch, girih.attention) of one query and one key: microseconds."""
    with girih.Session(cache_dir="") as session:
        def call():
            return girih.attention(q, q, q, pattern, threads=1, session=session)

        out = call()
        (plan,) = session.plans.values()
        frame = Frame(plan.kernel._handle, plan.layouts)
        for cell, array in zip(frame.addresses, (q, q, q, out)):
            cell[0] = array.ctypes.data if isinstance(array, np.ndarray) else array.data_ptr()
        frame.args.threads, frame.args.scale = 1, 0.125
        return best(frame.call), best(call)


def inputs():
    yield "numpy", np.ones((1, 1, 1, 64), np.float32)
    try:
        import torch
    except ImportError:
        return
    yield "torch", torch.ones(1, 1, 1, 64)


def test_overhead(capsys):
    for name, q in inputs():
        launch, call = measure(q)
        with capsys.disabled():
            print(f"\n{name}: C launch {launch:.1f} us, girih.attention {call:.1f} us", end="")
        assert call - launch < LIMIT_US


if __name__ == "__main__":
    for name, q in inputs():
        launch, call = measure(q)
        print(f"{name}: C launch {launch:.1f} us, girih.attention {call:.1f} us, over it {call - launch:.1f}")
