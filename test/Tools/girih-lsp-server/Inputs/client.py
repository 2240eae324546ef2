# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Speaks the Language Server Protocol with a server on its stdin and stdout, as an
editor does. Knows nothing of what is asked."""

import json
import queue
import subprocess
import threading

PATIENCE = 60  # seconds until a silent server counts as hung


class Client:
    """One server process. Every message that it sends is checked for its framing."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.messages = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.last_id = 0
        self.waiting = []  # notifications that came while an answer was waited for

    def _read(self):
        """Messages from the server, then what ended them: None for the end of the stream."""
        try:
            while True:
                headers = {}
                while (line := self.process.stdout.readline()) not in (b"\r\n", b""):
                    name, _, value = line.decode("ascii").partition(": ")
                    assert line.endswith(b"\r\n"), f"expected a header line, but got {line!r}"
                    headers[name.lower()] = value.strip()
                if not line and not headers:
                    break
                length = int(headers["content-length"])
                body = self.process.stdout.read(length)
                assert len(body) == length, f"expected {length} bytes, but got {len(body)}"
                self.messages.put(json.loads(body))
        except (AssertionError, KeyError, ValueError) as error:
            self.messages.put(error)
        self.messages.put(None)

    def _send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def _next(self, what):
        try:
            message = self.messages.get(timeout=PATIENCE)
        except queue.Empty:
            raise AssertionError(f"expected {what}, but got nothing for {PATIENCE} s") from None
        if message is None:
            raise AssertionError(f"expected {what}, but the server closed its output")
        if isinstance(message, Exception):
            raise AssertionError(f"expected {what}, but got: {message}")
        return message

    def notify(self, method, **params):
        self._send({"method": method, "params": params})

    def ask(self, method, **params):
        """Sends a request; returns the whole response."""
        self.last_id += 1
        self._send({"id": self.last_id, "method": method, "params": params})
        while True:
            message = self._next(f"an answer to {method}")
            if message.get("id") == self.last_id:
                return message
            self.waiting.append(message)

    def notification(self, method):
        """The parameters of the next notification `method`, which alone may come."""
        message = self.waiting.pop(0) if self.waiting else self._next(method)
        assert message.get("method") == method, f"expected {method}, but got {message}"
        return message["params"]

    def end(self):
        """Closes the server's input and returns its exit code."""
        self.process.stdin.close()
        return self.process.wait(PATIENCE)

    def kill(self):
        self.process.kill()
        self.process.wait()
