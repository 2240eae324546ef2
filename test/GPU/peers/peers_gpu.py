# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times cuDNN and Flash (both through PyTorch's SDPA) and FlexAttention.

usage: peers_gpu.py TASK, where TASK is the JSON object that suite/benchmark.py
makes. Imports, waits for a line on standard input, then writes one JSON line a
row and peer. Timed as girih-run times: 5 launches to warm up, then the median of
30, by events, back to back.
"""

import json
import pathlib
import statistics
import sys
import time

WARMUP, REPEAT = 5, 30
# FlexAttention stands beside every row at D=128; the dense rows have cuDNN.
DENSE = ("full", "causal")


def milliseconds(call, torch):
    for _ in range(WARMUP):
        call()
    events = [torch.cuda.Event(enable_timing=True) for _ in range(REPEAT + 1)]
    torch.cuda.synchronize()
    events[0].record()
    for event in events[1:]:
        call()
        event.record()
    torch.cuda.synchronize()
    return statistics.median(a.elapsed_time(b) for a, b in zip(events, events[1:]))


def main():
    task = json.loads(sys.argv[1])
    start = time.monotonic()
    try:
        import torch
        import torch.nn.functional as functional
        from torch.nn.attention import SDPBackend, sdpa_kernel
        from torch.nn.attention.flex_attention import create_block_mask, flex_attention

        import patterns
    except ImportError as error:
        print(f"peers: not measured: {error}")
        return
    imported = time.monotonic() - start
    sys.stdin.readline()
    print(f"peers: PyTorch {torch.__version__}, cuDNN {torch.backends.cudnn.version()}, imported in {imported:.0f} s")
    offsets = [int(word) for word in pathlib.Path(task["docs"]).read_text().split()]
    flex = torch.compile(flex_attention, dynamic=False)
    out = open(task["out"], "w")
    heads = task["heads"]
    backends = {"cudnn": SDPBackend.CUDNN_ATTENTION, "flash": SDPBackend.FLASH_ATTENTION}

    def measure(row, peer, call, pairs, **extra):
        try:
            first = time.monotonic()
            call()
            torch.cuda.synchronize()
            first = time.monotonic() - first
            ms = milliseconds(call, torch)
        except Exception as error:  # a peer may refuse a shape; the others go on
            print(f"{row['key']} {peer}: {str(error)[:200]}")
            return
        tflops = 4 * row["dim"] * pairs * row["batch"] / ms / 1e9
        record = dict(key=row["key"], peer=peer, ms=ms, tflops=tflops, pairs=pairs * row["batch"], first_s=first, **extra)
        print(f"{row['key']} {peer}: {ms:.3f} ms, {tflops:.1f} TFLOP/s, first call {first:.1f} s")
        out.write(json.dumps(record) + "\n")
        out.flush()

    # The rows that lack flex are quick: first.
    for row in sorted(task["rows"], key=lambda r: r["pattern"] not in DENSE):
        if time.monotonic() - start > task["seconds"]:
            print(f"{row['key']}: not measured, {task['seconds']:g} s are over")
            continue
        torch.manual_seed(0)
        name, n = row["pattern"], row["n"]
        shape = (row["batch"], heads, n, row["dim"])
        q, k, v = (torch.randn(shape, device="cuda", dtype=torch.bfloat16) for _ in range(3))
        keeps = patterns.TABLE[name](n, heads=heads, offsets=offsets)
        per_head = name in patterns.PER_HEAD
        with torch.no_grad():
            pairs = patterns.pairs(keeps, n, heads, per_head)
            if name in DENSE:
                for peer, backend in backends.items():
                    with sdpa_kernel(backend):
                        causal = name == "causal"
                        call = lambda: functional.scaled_dot_product_attention(q, k, v, is_causal=causal)  # noqa: E731
                        measure(row, peer, call, pairs)
            if row["dim"] == 128 and n == 16384:
                try:
                    torch._dynamo.reset()
                    mask = None
                    if keeps is not None:
                        mask = create_block_mask(keeps, None, heads if per_head else None, n, n, "cuda", _compile=True)
                    measure(row, "flex", lambda: flex(q, k, v, block_mask=mask), pairs)
                except Exception as error:
                    print(f"{row['key']} flex: {str(error)[:200]}")


if __name__ == "__main__":
    main()
