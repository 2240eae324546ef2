# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A process that answers jobs in JSON lines, and can be stopped when one gets stuck."""

import json
import os
import queue
import signal
import subprocess
import threading


class Worker:
    """The process of `command`, and a thread that waits for its answers."""

    def __init__(self, command, env):
        self.answers = queue.Queue()
        # A session of its own: what it starts ends with it.
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env,
                                        start_new_session=True)  # fmt: skip
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            self.answers.put(json.loads(line))
        self.answers.put({"error": "the process ended", "ended": True})

    def wait(self, seconds):
        """The next answer, or None when there is none in time."""
        try:
            return self.answers.get(timeout=max(0.1, seconds))
        except queue.Empty:
            return None

    def ask(self, job, seconds):
        try:
            self.process.stdin.write(json.dumps(job) + "\n")
            self.process.stdin.flush()
        except OSError:
            pass  # it ended: the answer says so
        return self.wait(seconds)

    def stop(self, stuck=False):
        if stuck and self.process.poll() is None:
            self.process.send_signal(signal.SIGABRT)
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
