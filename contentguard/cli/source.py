"""Lines of logs, one at a time and never more of one than is looked at."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from contentguard.cli.logs import LONGEST

_EVERY = 256
"""Lines between two looks at how far we are."""


class Source:
    """Lines of one or several files; a compressed one is read as it is."""

    def __init__(self, names: list[str]) -> None:
        self._names = names
        self.size = sum(Path(name).stat().st_size for name in names if name != "-" and Path(name).is_file())
        self.done = 0

    def lines(self) -> Iterator[tuple[str, str]]:
        """Where each line stands, and the line. Raises OSError."""
        for name in self._names:
            if name == "-":
                yield from self._read("stdin", sys.stdin.buffer, sys.stdin.buffer)
                continue
            with Path(name).open("rb") as raw:
                packed = raw.peek(2)[:2] == b"\x1f\x8b"
                file = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if packed else raw
                yield from self._read(name, file, raw)

    def _read(self, name: str, file: BinaryIO, raw: BinaryIO) -> Iterator[tuple[str, str]]:
        before, number = self.done, 0
        while line := file.readline(LONGEST + 2):
            number += 1
            if not line.endswith(b"\n") and len(line) > LONGEST:
                _skip(file)
            if number % _EVERY == 0 and raw.seekable():
                self.done = before + raw.tell()
            if not line.isspace():
                yield f"{name}, line {number}", line.decode("utf-8", "replace")


def _skip(file: BinaryIO) -> None:
    """The rest of a line that is too long."""
    while (more := file.readline(LONGEST)) and not more.endswith(b"\n"):
        pass
