"""Content codings: what a body is wrapped in on its way to us, and in what a client takes it from us.

Strategy: every coding is a stage that turns bytes into blocks of bounded size; stacked codings are stages in a row,
through which a block goes to the end before the next one is made. What goes into each stage and what comes out at the
end is counted, so a decompression bomb, of any depth, costs one block more than the limit. A library that is not
installed, or that cannot be told to stop at a size, makes its coding an unknown one.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from enum import StrEnum
from functools import cache, lru_cache, partial
from importlib import import_module
from typing import Any, Protocol

_BLOCK = 1 << 15
"""Bytes that a stage gives at once. Brotli may give twice that."""
_STEP = 1 << 12
"""Bytes that a stage takes at once: what it leaves unread is copied each time."""
_SMALL_STEP = 32
"""The same for the package zstandard, which gives all at once: at most nine blocks of 128 KiB (RFC 8878 §3.1.1.2)."""
_PARTS = 256
"""Members or frames in one body."""
_ZSTD_WINDOW = 23
"""RFC 9659 §3: a content coding's window is at most 8 MiB, 2 to this power."""
_STACKED = 3
_MAX_CHARS = 1024
"""A longer Accept-Encoding is not read."""

_ALIASES = {b"x-gzip": b"gzip", b"x-compress": b"compress"}
"""RFC 9110 §8.4.1.1, §8.4.1.3."""
_ELEMENT = re.compile(
    rb"(?P<name>[!#$%&'*+.^_`|~0-9a-z-]++)(?:[ \t]*+;[ \t]*+q=(?P<weight>0(?:\.[0-9]{0,3}+)?+|1(?:\.0{0,3}+)?+))?+"
)
"""RFC 9110 §12.5.3 and §12.4.2, in lower case."""


class Trouble(StrEnum):
    """Why a body cannot be decoded."""

    UNKNOWN = "unknown-coding"
    """A coding nobody knows, one whose library is not installed, or more than three."""
    CORRUPT = "corrupt"
    TRUNCATED = "truncated"
    TOO_LARGE = "too-large"


class CodingError(Exception):
    """A body cannot be decoded, for the reason given as ``trouble``."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble


class Decoder:
    """Undoes the content codings of one body, chunk by chunk.

    ``values`` are the values of its Content-Encoding header, in order; ``limit`` is the most bytes that the body may
    have. Raises CodingError: UNKNOWN when made, CORRUPT and TOO_LARGE when fed, TRUNCATED at the end; after that it is
    of no further use.
    """

    __slots__ = ("_limits", "_stages", "_taken", "codings")

    codings: tuple[bytes, ...]
    """What the body went through, in order; empty for one that is not coded."""

    def __init__(self, values: Iterable[bytes], limit: int) -> None:
        self.codings = codings(values)
        self._stages = _stages(self.codings)
        # What is coded may be a little larger than what it says: by RFC 1951 §3.2.4, 5 bytes in 65,535.
        self._limits = [limit + limit // 8 + 4096] * len(self._stages) + [limit]
        self._taken = [0] * len(self._limits)

    def feed(self, chunk: bytes) -> bytes:
        """All that can be told from the chunks so far and was not told before."""
        return b"".join(self._through(chunk, 0))

    def finish(self) -> None:
        """To be called once all chunks are fed. An empty body is whole in any coding."""
        for stage, taken in zip(self._stages, self._taken, strict=False):
            if taken and not stage.whole:
                raise CodingError(Trouble.TRUNCATED)

    def _through(self, data: bytes, depth: int) -> Iterator[bytes]:
        self._taken[depth] += len(data)
        if self._taken[depth] > self._limits[depth]:
            raise CodingError(Trouble.TOO_LARGE)
        if depth == len(self._stages):
            yield data
            return
        stage = self._stages[depth]
        try:
            for start in range(0, len(data), stage.step):
                for block in stage.feed(data[start : start + stage.step]):
                    yield from self._through(block, depth + 1)
        except stage.errors:
            raise CodingError(Trouble.CORRUPT) from None


def codings(values: Iterable[bytes]) -> tuple[bytes, ...]:
    """The codings that Content-Encoding header values name, in the order they were applied (RFC 9110 §8.4).

    In lower case, under the names they are registered by; ``identity`` is none.
    """
    names = (name.strip(b" \t").lower() for value in values for name in value.split(b","))
    return tuple(_ALIASES.get(name, name) for name in names if name not in (b"", b"identity"))


def accepts(accept_encoding: bytes, coding: bytes) -> bool:
    """Whether a client takes ``coding``, e.g. ``gzip`` or ``identity``, by its Accept-Encoding (RFC 9110 §12.5.3).

    Several header instances are to be joined by commas; for a header that is not there, say empty: nothing is coded
    for who did not ask. An element that is malformed is passed over, of two for one coding the lower weight counts.
    """
    if len(accept_encoding) > _MAX_CHARS:
        return coding == b"identity"
    weights = _weights(accept_encoding)
    other = weights.get(b"*", coding == b"identity")
    return weights.get(_ALIASES.get(coding, coding), other)


@lru_cache(256)
def _weights(accept_encoding: bytes) -> Mapping[bytes, bool]:
    """Coding → whether its weight is above zero."""
    weights: dict[bytes, bool] = {}
    for element in accept_encoding.lower().split(b","):
        if match := _ELEMENT.fullmatch(element.strip(b" \t")):
            name = _ALIASES.get(match["name"], match["name"])
            weights[name] = weights.get(name, True) and (match["weight"] or b"1").strip(b"0.") != b""
    return weights


class _Stage(Protocol):
    """One coding being undone."""

    step: int
    """How many bytes it is to be fed at once."""
    errors: tuple[type[Exception], ...]
    """What corrupt data makes ``feed`` raise."""

    @property
    def whole(self) -> bool:
        """Whether what was fed can be the end."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What ``data`` adds, in blocks."""


class _Parts:
    """Several parts one after the other are one body: members of gzip (RFC 1952 §2.2), frames of zstd (RFC 8878 §3.1).

    ``new`` makes what undoes one part, ``bounded`` is whether that can be told the size of a block. What follows a part
    and does not begin with ``magic`` is ignored.
    """

    def __init__(
        self, new: Callable[[], Any], error: type[Exception], magic: bytes = b"", bounded: bool = True
    ) -> None:
        self.step = _STEP if bounded else _SMALL_STEP
        self.errors: tuple[type[Exception], ...] = (error,)
        self._new, self._magic, self._limit = new, magic, (_BLOCK,) if bounded else ()
        self._part, self._left = new(), _PARTS
        self._after = b""
        """As much of what follows a part as its magic is long."""

    @property
    def whole(self) -> bool:
        return bool(self._part.eof)

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._part.eof:
                wanted = len(self._magic) - len(self._after)
                self._after, data = self._after + data[:wanted], data[wanted:]
                if self._after != self._magic:
                    return
                self._next()
                self._after, data = b"", self._magic + data
            yield from _blocks(self._part, data, self._limit)
            data = self._part.unused_data

    def _next(self) -> None:
        """Each part takes a while, even if it holds nothing."""
        self._left -= 1
        if not self._left:
            raise CodingError(Trouble.TOO_LARGE)
        self._part = self._new()


class _Deflate:
    """The zlib format by the book (RFC 9110 §8.4.1.2), and bare deflate, which some send; browsers take both.

    What follows the end is ignored.
    """

    step = _STEP
    errors: tuple[type[Exception], ...] = (zlib.error,)

    def __init__(self) -> None:
        self._begun = b""
        self._inflate: zlib._Decompress | None = None

    @property
    def whole(self) -> bool:
        return self._inflate is not None and self._inflate.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._inflate is None:
            data = self._begun = self._begun + data
            if len(data) < 2:
                return
            self._inflate = zlib.decompressobj(zlib.MAX_WBITS if _is_zlib(data) else -zlib.MAX_WBITS)
        if not self._inflate.eof:
            yield from _blocks(self._inflate, data, (_BLOCK,))


class _Brotli:
    """RFC 7932. Nothing may follow the end."""

    step = _STEP

    def __init__(self, brotli: Any) -> None:
        self.errors: tuple[type[Exception], ...] = (brotli.error,)
        self._decompressor = brotli.Decompressor()

    @property
    def whole(self) -> bool:
        return bool(self._decompressor.is_finished())

    def feed(self, data: bytes) -> Iterator[bytes]:
        block = self._decompressor.process(data, output_buffer_limit=_BLOCK // 2)
        while block or not self._decompressor.can_accept_more_data():
            yield block
            block = self._decompressor.process(b"", output_buffer_limit=_BLOCK // 2)


def _is_zlib(start: bytes) -> bool:
    """Whether this is the header of RFC 1950 §2.2. Bare deflate could only begin so with bits set that mean nothing."""
    return start[0] & 0x0F == 8 and start[0] >> 4 <= 7 and int.from_bytes(start[:2]) % 31 == 0


def _blocks(part: Any, data: bytes, limit: tuple[int, ...]) -> Iterator[bytes]:
    block = part.decompress(data, *limit)
    while block:
        yield block
        # Something may be left even if nothing is left to read: the end of a repetition.
        block = b"" if part.eof else part.decompress(getattr(part, "unconsumed_tail", b""), *limit)


def _gzip() -> _Stage:
    """What follows and is no member is ignored, as browsers do: some servers pad."""
    return _Parts(lambda: zlib.decompressobj(zlib.MAX_WBITS + 16), zlib.error, magic=b"\x1f\x8b")


def _brotli() -> _Stage | None:
    """Before its version 1.2 the package had no limit to the size of what it gives."""
    module = _module("brotli")
    return _Brotli(module) if module and hasattr(module.Decompressor, "can_accept_more_data") else None


def _zstd() -> _Stage | None:
    if module := _module("compression.zstd", "backports.zstd"):
        options = {module.DecompressionParameter.window_log_max: _ZSTD_WINDOW}
        return _Parts(partial(module.ZstdDecompressor, options=options), module.ZstdError)
    if module := _module("zstandard"):
        frames = module.ZstdDecompressor(max_window_size=1 << _ZSTD_WINDOW)
        return _Parts(partial(frames.decompressobj, write_size=_BLOCK), module.ZstdError, bounded=False)
    return None


@cache
def _module(*names: str) -> Any:
    """The first of these that is installed, or None."""
    for name in names:
        with suppress(ImportError):
            return import_module(name)
    return None


_CODINGS: Mapping[bytes, Callable[[], _Stage | None]] = {
    b"gzip": _gzip,
    b"deflate": _Deflate,
    b"br": _brotli,
    b"zstd": _zstd,
}


def _stages(names: tuple[bytes, ...]) -> list[_Stage]:
    """What undoes these, the last one first."""
    stages = [_CODINGS[name]() if name in _CODINGS else None for name in names[: -_STACKED - 1 : -1]]
    known = [stage for stage in stages if stage is not None]
    if len(known) < len(names):
        raise CodingError(Trouble.UNKNOWN)
    return known
