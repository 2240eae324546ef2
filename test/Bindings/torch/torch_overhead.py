# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a repeated call costs over the launch in C: microseconds of the calling thread, the
best of many rounds, so that other processes count little.

  python test/Bindings/torch/torch_overhead.py

The launch is a single row of keys, on one thread, so that calling is nearly all there is.
"""

import time

import torch

import girih
import girih.torch
from girih._launch import Frame

ROUNDS, CALLS = 60, 300


def microseconds(*functions):
    """Of a call of each function; rounds take turns, so that noise meets all of them."""
    best = [float("inf")] * len(functions)
    for _ in range(ROUNDS):
        for number, function in enumerate(functions):
            begin = time.thread_time_ns()
            for _ in range(CALLS):
                function()
            best[number] = min(best[number], (time.thread_time_ns() - begin) / CALLS / 1000)
    return best


def measure(with_compile=True):
    """Microseconds of the launch in C and of calls that end in it, by what they are."""
    q, k, v = (torch.randn(1, 1, n, 16) for n in (1, 8, 8))
    out, lse = torch.empty_like(q), torch.empty(1, 1, 1)
    pattern = girih.causal & girih.window(left=3)

    def mask_mod(b, h, q, k):
        return (q >= k) & (q - k <= 3)

    def attend():
        return girih.torch.attention(q, k, v, pattern)

    def flex():
        return girih.torch.flex_attention(q, k, v, mask_mod=mask_mod)

    attend()
    # The plan of that call, with the addresses of tensors that stay.
    plan = list(girih.default_session().plans.values())[-1]
    frame = Frame(plan.kernel._handle, plan.layouts)
    for slot, tensor in zip(frame.addresses, (q, k, v, out)):
        slot[0] = tensor.data_ptr()
    frame.args.scale, frame.args.threads = 0.25, 1

    operator = torch.ops.girih.attention.default
    functions = {
        "launch in C": frame.call,
        "girih::attention": lambda: operator(q, k, v, [], [], pattern.text, "", 0.25, "bottom_right", False),
        "girih.torch.attention": attend,
        "girih.torch.flex_attention": flex,
        "girih.attention": lambda: girih.attention(q, k, v, pattern),
        "scaled_dot_product_attention": lambda: torch.nn.functional.scaled_dot_product_attention(q, k, v),
    }
    if with_compile:
        compiled = torch.compile(lambda q, k, v: girih.torch.attention(q, k, v, pattern), fullgraph=True)
        functions["girih.torch.attention in torch.compile"] = lambda: compiled(q, k, v)
    return dict(zip(functions, microseconds(*functions.values())))


def main():
    torch.set_num_threads(1)
    with torch.no_grad():
        rows = measure()
    launch = rows["launch in C"]
    for what, time_us in rows.items():
        print(f"{what:40}{time_us:8.2f} us{time_us - launch:+8.2f}")


if __name__ == "__main__":
    main()
