# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs PyTorch's SDPA and FlexAttention on the CPU, one job at a time. peers_cpu.py
starts it, and stops it when a row gets stuck.

usage: torch_worker.py THREADS FOLDER
Writes a JSON line when PyTorch is imported; then answers each job, a JSON line on
standard input, with one:
  {"do": "draw", "row": ROW}                    q.npy, k.npy, v.npy in FOLDER, f32 values of the row's dtype
  {"do": "prepare", "peer": NAME, "offsets": L} mask and first call, which compiles
  {"do": "time", "peer": NAME, "seconds": S}    the median of calls for S seconds, 5 at least
  {"do": "compare", "peer": NAME}               how far out.npy in FOLDER is from the peer's output
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "GPU/peers"))

DTYPES = {"f32": "float32", "bf16": "bfloat16", "f16": "float16"}
LEAST_CALLS = 5


class Peers:
    """The calls of one row; SDPA's `is_causal`, FlexAttention with its block mask."""

    def __init__(self, threads, folder):
        import torch

        torch.set_num_threads(threads)
        self.torch, self.folder = torch, pathlib.Path(folder)
        self.row, self.qkv, self.calls = None, None, {}

    def versions(self):
        from torch._inductor.cpp_builder import get_cpp_compiler

        compiler = get_cpp_compiler()
        said = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout.splitlines()
        return {
            "torch": self.torch.__version__,
            "capability": self.torch.backends.cpu.get_cpu_capability(),
            "threads": self.torch.get_num_threads(),
            "compiler": said[0] if said else compiler,
        }

    def draw(self, job):
        import numpy

        torch, row = self.torch, job["row"]
        torch.manual_seed(0)
        shape = (row["batch"], row["heads"], row["n"], row["dim"])
        dtype = getattr(torch, DTYPES[row["dtype"]])
        self.row, self.calls = row, {}
        self.qkv = [torch.randn(shape).to(dtype) for _ in range(3)]
        for name, tensor in zip("qkv", self.qkv):
            numpy.save(self.folder / f"{name}.npy", tensor.float().numpy())
        return {}

    def prepare(self, job):
        start = time.perf_counter()
        if job["peer"] == "sdpa":
            call, extra = self.sdpa(), {}
        else:
            call, extra = self.flex(job["offsets"])
        before = time.perf_counter()
        call()
        self.calls[job["peer"]] = call
        return {"first_s": time.perf_counter() - before, "mask_ms": (before - start) * 1e3, **extra}

    def sdpa(self):
        from torch.nn.functional import scaled_dot_product_attention

        q, k, v = self.qkv
        causal = self.row["pattern"] == "causal"
        return lambda: scaled_dot_product_attention(q, k, v, is_causal=causal)

    def flex(self, offsets):
        import patterns
        from torch.nn.attention.flex_attention import flex_attention

        (q, k, v), row = self.qkv, self.row
        self.torch._dynamo.reset()
        compiled = self.torch.compile(flex_attention, dynamic=False)
        keeps = patterns.TABLE[row["pattern"]](row["n"], heads=row["heads"], offsets=offsets, device="cpu")
        heads = row["heads"] if row["pattern"] in patterns.PER_HEAD else 1
        mask, pairs = None, row["n"] ** 2
        if keeps:
            mask, pairs = patterns.block_mask(keeps, row["n"], heads, device="cpu")
        return lambda: compiled(q, k, v, block_mask=mask), {"pairs": pairs * row["heads"] // heads * row["batch"]}

    def time(self, job):
        call, samples = self.calls[job["peer"]], []
        call()
        end = time.perf_counter() + job["seconds"]
        while len(samples) < LEAST_CALLS or time.perf_counter() < end:
            start = time.perf_counter()
            call()
            samples.append((time.perf_counter() - start) * 1e3)
        return {"ms": statistics.median(samples), "calls": len(samples)}

    def compare(self, job):
        import numpy

        ours = self.torch.from_numpy(numpy.load(self.folder / "out.npy")).double()
        theirs = self.calls[job["peer"]]().double()
        return {"difference": float((ours - theirs).norm() / theirs.norm())}


def main():
    # Answers alone go to standard output; what libraries print goes to standard error.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(record):
        answers.write(json.dumps(record) + "\n")
        answers.flush()

    try:
        peers = Peers(int(sys.argv[1]), sys.argv[2])
        answer(peers.versions())
    except (ImportError, OSError) as error:
        return answer({"error": str(error)})
    with peers.torch.no_grad():
        for line in sys.stdin:
            job = json.loads(line)
            try:
                answer(getattr(peers, job["do"])(job))
            except Exception as error:  # a peer may refuse a row; the others go on
                answer({"error": " ".join(str(error).split())[:300] or type(error).__name__})


if __name__ == "__main__":
    main()
