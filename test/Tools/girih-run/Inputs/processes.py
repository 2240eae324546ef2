# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""processes.py GIRIH_RUN GIRIH_CACHE FOLDER [KILLS]: many programs, one kernel cache."""

import json
import os
import random
import signal
import subprocess
import sys
import time

program, inspector, folder = sys.argv[1:4]
kills = int(sys.argv[4]) if len(sys.argv) > 4 else 12


def start(left, cache):
    command = [program, "--pattern", f"causal & window(left={left})", "--q-len", "64", "--dim", "16", "--check",
               "--threads", "1", "--json", "--cache-dir", os.path.join(folder, cache)]  # fmt: skip
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    """The report of a run, which must be good and quiet."""
    out, err = process.communicate()
    if process.returncode != 0 or err:
        sys.exit(f"expected a good run, but got exit code {process.returncode}: {err}")
    return json.loads(out)


for kernels in (1, 4):
    running = [start(i % kernels, f"at-once-{kernels}") for i in range(16)]
    compiled = sum(not finish(process)["cache_hit"] for process in running)
    print(f"compiled {compiled} of {len(running)}")

# From start to end of a cold run, so that moments are spread over all of it.
begin = time.monotonic()
finish(start(1, "timing"))
duration = time.monotonic() - begin
for number in range(kills):
    process = start(number, "killed")
    time.sleep(random.uniform(0.2, 1.1) * duration)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    finish(start(number, "killed"))
    if not finish(start(number, "killed"))["cache_hit"]:
        sys.exit("expected the kernel to be cached after a good run, but got a miss")
    verify = [inspector, "verify", "--cache-dir", os.path.join(folder, "killed")]
    subprocess.run(verify, stdout=subprocess.DEVNULL, check=True)
print(f"killed {kills}: cache good, next run good")
