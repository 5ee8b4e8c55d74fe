"""A progress bar for long files: on a terminal only, on stderr, and gone when the work is done."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

_WIDTH = 30
_EVERY = 0.1
"""Seconds between two drawings."""


class Progress:
    """How far a file of ``size`` bytes has been read; without a size, only how much."""

    def __init__(
        self, size: int, stream: TextIO, clock: Callable[[], float] = time.monotonic, *, what: str = "lines"
    ) -> None:
        """``what`` is counted besides."""
        self._what = what
        self._size, self._stream, self._clock = size, stream, clock
        self._shown = stream.isatty()
        self._start = self._last = clock()

    def at(self, done: int, lines: int) -> None:
        """Say that ``done`` bytes and ``lines`` lines have been read."""
        if self._shown and (now := self._clock()) - self._last >= _EVERY:
            self._last = now
            self._stream.write("\r" + self._bar(done, lines, now - self._start) + "\x1b[K")
            self._stream.flush()

    def done(self) -> None:
        """Take the bar away."""
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def _bar(self, done: int, lines: int, seconds: float) -> str:
        told = f"{lines:,} {self._what}, {seconds:.0f} s"
        if not self._size:
            return told
        part = min(1.0, done / self._size)
        filled = round(part * _WIDTH)
        left = f", {seconds / part - seconds:.0f} s left" if part > 0.02 else ""
        return f"[{'#' * filled}{'.' * (_WIDTH - filled)}] {part:4.0%}  {told}{left}"
