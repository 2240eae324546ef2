# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs a command with streams that no shell makes.

  streams.py nameless COMMAND...        a file without a name is {} in it, and printed after it
  streams.py unread STREAM COMMAND...   nobody reads its stdout or stderr; prints how it ended
"""

import os
import signal
import subprocess
import sys
import tempfile


def nameless(command):
    with tempfile.TemporaryFile() as file:
        words = [word.replace("{}", f"/dev/fd/{file.fileno()}") for word in command]
        subprocess.run(words, pass_fds=[file.fileno()], stdout=subprocess.DEVNULL, check=True)
        file.seek(0)
        sys.stdout.buffer.write(file.read())


def unread(stream, command):
    reader, writer = os.pipe()
    os.close(reader)
    code = subprocess.run(command, **{stream: writer}).returncode
    print(signal.Signals(-code).name if code < 0 else code)


if sys.argv[1] == "nameless":
    nameless(sys.argv[2:])
else:
    unread(sys.argv[2], sys.argv[3:])
