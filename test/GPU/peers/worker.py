# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times one peer at a time: cuDNN and Flash (both through PyTorch's SDPA), and
FlexAttention. peers_gpu.py starts it, and stops it when a row gets stuck.

usage: worker.py OFFSETS, where OFFSETS is a JSON list, the cuts of the documents.
Writes a JSON line when PyTorch is imported; then answers each job, a JSON line on
standard input, with one. Timed as girih-run times: 5 launches to warm up, then the
median of 30, by events, back to back.
"""

import faulthandler
import json
import os
import statistics
import sys
import time

WARMUP, REPEAT = 5, 30


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


def sdpa(job, q, k, v, torch):
    """The call of a dense row, and the kept pairs of a head."""
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.nn.functional import scaled_dot_product_attention

    backend = {"cudnn": SDPBackend.CUDNN_ATTENTION, "flash": SDPBackend.FLASH_ATTENTION}[job["peer"]]
    n, causal = job["n"], job["pattern"] == "causal"

    def call():
        with sdpa_kernel(backend):
            return scaled_dot_product_attention(q, k, v, is_causal=causal)

    return call, n * (n + 1) // 2 if causal else n * n


class Flex:
    """FlexAttention, compiled once; masks are made once a pattern."""

    def __init__(self, torch, offsets):
        from torch.nn.attention.flex_attention import flex_attention

        self.torch, self.offsets = torch, offsets
        self.compiled = torch.compile(flex_attention, dynamic=False)

    def call(self, job, q, k, v):
        """The call of a row, the kept pairs of a batch entry, milliseconds for the mask."""
        import patterns

        torch, n, heads = self.torch, job["n"], job["heads"]
        keeps = patterns.TABLE[job["pattern"]](n, heads=heads, offsets=self.offsets)
        torch._dynamo.reset()
        if keeps is None:
            return (lambda: self.compiled(q, k, v)), heads * n * n, 0.0
        torch.cuda.synchronize()
        start = time.monotonic()
        per_head = job["pattern"] in patterns.PER_HEAD
        mask, pairs = patterns.block_mask(keeps, n, heads if per_head else 1)
        torch.cuda.synchronize()
        ms = (time.monotonic() - start) * 1e3
        return (lambda: self.compiled(q, k, v, block_mask=mask)), pairs if per_head else pairs * heads, ms


def measure(job, flex, torch):
    torch.manual_seed(0)
    shape = (job["batch"], job["heads"], job["n"], job["dim"])
    q, k, v = (torch.randn(shape, device="cuda", dtype=torch.bfloat16) for _ in range(3))
    extra = {}
    with torch.no_grad():
        if job["peer"] == "flex":
            call, pairs, extra["mask_ms"] = flex.call(job, q, k, v)
        else:
            call, pairs = sdpa(job, q, k, v, torch)
            pairs *= job["heads"]
        torch.cuda.synchronize()
        first = time.monotonic()
        call()
        torch.cuda.synchronize()
        first = time.monotonic() - first
        ms = milliseconds(call, torch)
    pairs *= job["batch"]
    return dict(ms=ms, tflops=4 * job["dim"] * pairs / ms / 1e9, pairs=pairs, first_s=first, **extra)


def main():
    # Answers alone go to standard output; what libraries print goes to standard error.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    faulthandler.enable()  # SIGABRT from the parent says where a row is stuck

    def answer(record):
        answers.write(json.dumps(record) + "\n")
        answers.flush()

    start = time.monotonic()
    try:
        import torch

        if not torch.cuda.is_available():
            raise ImportError(f"PyTorch {torch.__version__} finds no CUDA device")
        flex = Flex(torch, json.loads(sys.argv[1]))
    except (ImportError, OSError) as error:
        return answer({"error": str(error)})
    sys.dont_write_bytecode = True  # of patterns.py; PyTorch's own helps the next process
    answer({
        "version": f"PyTorch {torch.__version__}, cuDNN {torch.backends.cudnn.version()}",
        "device": torch.cuda.get_device_name(),
        "import_s": time.monotonic() - start,
    })  # fmt: skip
    for line in sys.stdin:
        try:
            answer(measure(json.loads(line), flex, torch))
        except Exception as error:  # a peer may refuse a shape; the others go on
            answer({"error": " ".join(str(error).split())[:300] or type(error).__name__})


if __name__ == "__main__":
    main()
