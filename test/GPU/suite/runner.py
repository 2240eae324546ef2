# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Calls girih-run with a watchdog. Knows nothing of what is tested."""

import json
import shlex
import subprocess


class Runner:
    """One girih-run, one target, one kernel cache."""

    def __init__(self, program, target, cache, timeout, chip=None):
        self.program, self.target, self.cache, self.timeout = str(program), target, str(cache), timeout
        self.chip = ["--chip", chip] if chip else []

    def command(self, pattern, *flags, cache=None):
        return [self.program, "--pattern", pattern, "--target", self.target, *self.chip, "--json",
                "--cache-dir", str(cache or self.cache), *map(str, flags)]  # fmt: skip

    def run(self, pattern, *flags, cache=None, prefix=()):
        """Returns (report, trouble): the JSON object or None, and what went wrong or ''."""
        command = [*prefix, *self.command(pattern, *flags, cache=cache)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=self.timeout)
        except subprocess.TimeoutExpired:
            return None, f"hangs: no end after {self.timeout} s"
        report = None
        try:  # between what compute-sanitizer says
            text = "".join(l for l in done.stdout.splitlines() if not l.startswith("===="))
            report = json.loads(text)
        except ValueError:
            pass
        if done.returncode == 0 and report:
            return report, ""
        said = [*done.stderr.strip().splitlines(), *(l for l in done.stdout.splitlines() if l.startswith("===="))]
        error = "" if not report or report.get("rel_error") is None else f", relative error {report['rel_error']:.2e}"
        return report, f"exit code {done.returncode}{error}: {' | '.join(said[:4])}"

    def reproducer(self, pattern, *flags):
        """The command line of a run, for a person."""
        command = self.command(pattern, *flags)
        at = command.index("--cache-dir")
        return shlex.join(command[:at] + command[at + 2 :])
