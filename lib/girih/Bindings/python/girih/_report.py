# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The report of a pattern: what it keeps, skips and costs."""

from __future__ import annotations

import html
import json
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional


class Report(Mapping[str, Any]):
    """What `Pattern.explain` found. A mapping (the fields of ``girih-explain --json``);
    `str()` is the text for a terminal, and notebooks show the picture.
    """

    def __init__(self, write: Callable[[str], str]) -> None:
        """write: gives the report as "json", "text" or "svg"."""
        self._write = write
        self._fields: Dict[str, Any] = json.loads(write("json"))
        self._written: Dict[str, str] = {}

    def _text(self, kind: str) -> str:
        text = self._written.get(kind)
        if text is None:
            text = self._written[kind] = self._write(kind)
        return text

    def __getitem__(self, key: str) -> Any:
        return self._fields[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __str__(self) -> str:
        return self._text("text")

    def __repr__(self) -> str:
        return str(self)

    def _ipython_key_completions_(self) -> List[str]:
        return list(self._fields)

    def json(self, indent: Optional[int] = None) -> str:
        """The fields as JSON."""
        return json.dumps(self._fields, indent=indent)

    def svg(self, path: Optional[str] = None) -> str:
        """The picture, which is also written to `path` where that is given."""
        text = self._text("svg")
        if path is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return text

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>\n{self.svg()}"


__all__ = ["Report"]
