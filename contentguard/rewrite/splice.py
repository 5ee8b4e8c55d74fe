"""The gzip of a page whose bytes differ from reader to reader in a few places, without deflating the page for each.

Strategy: a page is text with holes, each hole of a constant length. The text is deflated once, by one compressor that
sees a filler in place of each hole, so that later text still finds its repetitions in earlier text at the right
distance. What came out for the fillers is thrown away; a hole's value goes in as a stored block instead (RFC 1951
§3.2.4), and the empty stored block with which a sync flush ends becomes that block's header. No repetition can reach
into a hole, because the filler is a byte that the text does not have (any repetition of it would have to be in the
text); where the text has all 256, the compressor forgets at each hole what went before. The checksum is linear over
GF(2), so a reader's differs from the template's by a product of the holes' own checksums with a fixed matrix.

A by-product: no value takes part in compression, so the length of the answer tells nothing of any of them.

A stretch with marks is another for each reader at hundreds of places, and in length as well. It is deflated for each,
as fast as that goes, between a frame for what comes before it and one for what comes after. It may point back into the
first; the second begins anew, since nothing in it may point back over a stretch whose length is not known. Where what
comes after is short, that would cost more than it saves, and all of it is deflated for each reader.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from itertools import chain, islice
from struct import Struct
from sys import getsizeof
from typing import NamedTuple
from zlib import crc32

try:
    from isal import isal_zlib as fast

    FAST = 3
except ImportError:
    import zlib as fast  # type: ignore[no-redef]

    FAST = 2
"""The level for what is different for everybody. 35 KB of marked text take 1000 µs and 8.3 KB at level 6, 290 µs and
9.4 KB at this one, 110 µs and 9.4 KB with isal (measured)."""

_LEVEL = 6
"""Of zlib. Level 9 takes 25 to 75 % longer for a result 0.4 % smaller (measured, pages of 60 to 1000 KB)."""

_HEADER = b"\x1f\x8b\x08\0" + bytes(4) + b"\0\xff"
"""RFC 1952 §2.3.1: deflate, no flags, no time, neither fastest nor best, system unknown. The same for every page, so
nothing of the server shows."""
_LAST = b"\x03\0"
"""An empty last block (fixed codes)."""
_STORED = 0xFFFF
"""The most that a stored block can hold."""
_EMPTY = b"\0\0\0\xff\xff"
"""A stored block of nothing, as a sync flush ends; here with its three bits alone in a byte."""
_SIZES = 4
"""Bytes that say how long a stored block is: LEN, NLEN."""

_POLYNOMIAL = 0xEDB88320
_ONE = 0x80000000
"""The polynomial 1 in the bit order of CRC-32, whose highest power stands in the lowest bit."""

_BITS = tuple(1 << bit for bit in range(32))

_ALL = 0xFFFFFFFF

_trailer = Struct("<2I").pack
_sizes = Struct("<2H").pack


class _Cut(NamedTuple):
    """What goes into one hole of the frame: a stretch of the value of one hole of the page."""

    hole: int
    start: int
    end: int


class Spliced:
    """A page's gzip, ready but for its holes: ``pieces[0] hole[0] pieces[1] … hole[n-1] pieces[n]``.

    ``lengths`` are those of the holes, in bytes; any from 0 up. ValueError when they do not fit the pieces.
    """

    __slots__ = ("_checksum", "_frame", "_total", "size")

    size: int
    """Bytes held, for the cache's account."""

    def __init__(self, pieces: Sequence[bytes], lengths: Sequence[int]) -> None:
        self._frame = _Frame(pieces, lengths, begins=True, ends=True)
        self._total = (sum(map(len, pieces)) + sum(lengths)) & _ALL
        self._checksum = Checksum(pieces, lengths)
        self.size = self._frame.size + self._checksum.size

    def fill(self, values: Sequence[bytes]) -> bytes:
        """The gzip (RFC 1952) for one reader. ValueError if a value has another length than promised."""
        out = self._frame.around(values)
        out[-1] = _trailer(self._checksum.of(values), self._total)
        return b"".join(out)


Half = tuple[Sequence[bytes], Sequence[int]]
"""Pieces, and the lengths of the holes between them."""


class Banded:
    """The same with a stretch that is deflated for each reader, between what stands before it and what after."""

    __slots__ = ("_after", "_before", "_checksums", "_number", "_total", "_window", "size")

    size: int
    """Bytes held, for the cache's account."""

    def __init__(self, before: Half, after: Half) -> None:
        self._before = _Frame(*before, begins=True, ends=False)
        self._after = _Frame(*after, begins=False, ends=True)
        self._number = len(before[1])
        self._window = before[0][-1][-(1 << fast.MAX_WBITS) :]
        self._total = sum(len(piece) for half in (before, after) for piece in half[0]) + sum((*before[1], *after[1]))
        # All before the end is to its checksum as the value of one more hole, of which only the checksum is known.
        self._checksums = Checksum(*before), Checksum((b"", *after[0]), (0, *after[1]))
        parts = self._before, self._after, *self._checksums
        self.size = getsizeof(self._window) + sum(part.size for part in parts)

    def fill(self, values: Sequence[bytes], band: bytes) -> bytes:
        """The gzip (RFC 1952) for one reader: the values of the holes, and the stretch. ValueError if a value has
        another length than promised."""
        before, after = values[: self._number], values[self._number :]
        out, end = self._before.around(before), self._after.around(after)
        so_far = crc32(band, self._checksums[0].of(before))
        checksum = self._checksums[1].joined((so_far, *map(crc32, after)))
        out[-1] = _fast(band, self._window)
        end[-1] = _trailer(checksum, self._total + len(band) & _ALL)
        return b"".join(out + end)


class _Frame:
    """What stands around the holes of a gzip, or of its beginning or end."""

    __slots__ = ("_cuts", "_frame", "_lengths", "size")

    def __init__(self, pieces: Sequence[bytes], lengths: Sequence[int], *, begins: bool, ends: bool) -> None:
        if len(pieces) != len(lengths) + 1 or min(lengths, default=0) < 0:
            raise ValueError(f"{len(pieces)} pieces with {len(lengths)} holes between them are no page")
        self._lengths = list(lengths)
        texts, cuts = _regular(pieces, lengths)
        frame = _frame(texts, [cut.end - cut.start for cut in cuts], ends=ends)
        if begins:
            frame[0] = _HEADER + frame[0]
        # What is filled in stands between the parts of the frame, and the checksum at its end.
        self._frame = [b""] * (2 * len(frame))
        self._frame[::2] = frame
        self._cuts = None if len(cuts) == len(lengths) and 0 not in lengths else tuple(cuts)
        self.size = sum(map(getsizeof, (*frame, self._frame, self._lengths, self._cuts)))

    def around(self, values: Sequence[bytes]) -> list[bytes]:
        """The frame with values in it, and a last place for what follows."""
        if list(map(len, values)) != self._lengths:
            raise ValueError(f"{len(values)} values do not fit the {len(self._lengths)} holes")
        out = self._frame.copy()
        out[1:-1:2] = values if self._cuts is None else [values[hole][start:end] for hole, start, end in self._cuts]
        return out


class Checksum:
    """The CRC-32 of a page with holes, from the CRC-32 of what fills them.

    Strategy: the CRC-32 of a whole is the sum (exclusive or) of its parts' own, each multiplied by x to the power of
    the bits that follow it, modulo a polynomial: a linear map of bits (zlib's ``crc32_combine`` does it one part at a
    time). Here the parts that never change are added up beforehand, and for all holes together each bit of the result
    is the parity of some bits of their checksums, chosen by a mask.
    """

    __slots__ = ("_constant", "_pack", "_rows", "size")

    size: int
    """Bytes held."""

    def __init__(self, pieces: Sequence[bytes], lengths: Sequence[int]) -> None:
        self._pack = Struct(f"<{len(lengths)}I").pack
        self._constant = 0
        self._rows = _rows(_powers(pieces, lengths)) if lengths else ()
        self.size = sum(map(getsizeof, self._rows)) + getsizeof(self._rows)
        zeros = [bytes(length) for length in lengths]
        self._constant = _crc(chain(*zip(pieces, [*zeros, b""], strict=True))) ^ self.of(zeros)

    def of(self, values: Iterable[bytes]) -> int:
        """The CRC-32 of the page with ``values`` in its holes."""
        return self.joined(map(crc32, values))

    def joined(self, checksums: Iterable[int]) -> int:
        """The same, by the CRC-32 of each value."""
        bits = int.from_bytes(self._pack(*checksums), "little")
        crc = self._constant
        for mask, bit in zip(self._rows, _BITS, strict=False):  # no rows where there are no holes
            if (bits & mask).bit_count() & 1:
                crc ^= bit
        return crc


class Streamed:
    """A gzip whose beginning leaves before its end is known; nothing that was fed is held back."""

    __slots__ = ("_deflate",)

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(_LEVEL, wbits=31)

    def feed(self, chunk: bytes) -> bytes:
        """What the receiver needs to see all of ``chunk``."""
        if not chunk:
            return b""
        return self._deflate.compress(chunk) + self._deflate.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        """The end. Nothing can be fed after it."""
        return self._deflate.flush()


# -- deflating the text ----------------------------------------------------------------------------------------


def _regular(pieces: Sequence[bytes], lengths: Sequence[int]) -> tuple[list[bytes], list[_Cut]]:
    """The page again, with holes that each fit one stored block: an empty one vanishes, a longer one is cut up."""
    texts = [[pieces[0]]]
    cuts: list[_Cut] = []
    for hole, (length, piece) in enumerate(zip(lengths, pieces[1:], strict=True)):
        for start in range(0, length, _STORED):
            cuts.append(_Cut(hole, start, min(start + _STORED, length)))
            texts.append([])
        texts[-1].append(piece)
    return [b"".join(text) for text in texts], cuts


def _frame(texts: Sequence[bytes], lengths: Sequence[int], *, ends: bool) -> list[bytes]:
    """What stands around the holes: deflated text, ending with the header of the stored block that follows.

    Text between two holes that deflating would not shorten stays as it is, in one stored block with both. ``ends``:
    whether nothing follows.
    """
    packed = _deflated(texts, lengths, zlib.Z_FINISH if ends else zlib.Z_SYNC_FLUSH)
    last = _LAST if ends else b""
    frame = [packed[0]]
    if not lengths:
        return frame
    opened, stored = 0, lengths[0]
    for number, text in enumerate(texts[1:-1], 1):
        joined = stored + len(text) + lengths[number]
        if len(text) <= len(packed[number]) + _SIZES and joined <= _STORED:
            frame.append(text)
            stored = joined
        else:
            frame[opened] += _sizes(stored, stored ^ _STORED)
            frame.append(packed[number])
            opened, stored = number, lengths[number]
    if len(texts[-1]) + len(last) <= len(packed[-1]) and stored + len(texts[-1]) <= _STORED:
        frame.append(texts[-1] + last)
        stored += len(texts[-1])
    else:
        frame.append(packed[-1])
    frame[opened] += _sizes(stored, stored ^ _STORED)
    return frame


def _deflated(texts: Sequence[bytes], lengths: Sequence[int], end: int) -> list[bytes]:
    """Each text deflated with all before it in the window; each but the last ends where a stored block's sizes go.

    ``end``: how the last is flushed.
    """
    deflate = zlib.compressobj(_LEVEL, wbits=-zlib.MAX_WBITS)
    filler = _absent(texts)
    forget = zlib.Z_SYNC_FLUSH if filler else zlib.Z_FULL_FLUSH
    packed: list[bytes] = []
    for text, length in zip(texts[:-1], lengths, strict=True):
        flushed = deflate.compress(text) + deflate.flush(zlib.Z_SYNC_FLUSH) if text else _EMPTY
        packed.append(flushed[:-_SIZES])
        deflate.compress((filler or b"\0") * length)
        deflate.flush(forget)
    packed.append(deflate.compress(texts[-1]) + deflate.flush(end))
    return packed


def _fast(band: bytes, before: bytes) -> bytes:
    """A stretch, up to where another block may follow. ``before``: what stands right before it."""
    deflate = fast.compressobj(
        FAST, fast.DEFLATED, -fast.MAX_WBITS, fast.DEF_MEM_LEVEL, fast.Z_DEFAULT_STRATEGY, before
    )
    return deflate.compress(band) + deflate.flush(fast.Z_SYNC_FLUSH)


def _absent(texts: Sequence[bytes]) -> bytes:
    """A byte that no text has, or nothing. In UTF-8 that is the first one tried."""
    found = (byte for byte in range(255, -1, -1) if not any(byte in text for text in texts))
    return bytes([*islice(found, 1)])


# -- the checksum ----------------------------------------------------------------------------------------------


def _crc(parts: Iterable[bytes]) -> int:
    crc = 0
    for part in parts:
        crc = crc32(part, crc)
    return crc


def _times(crc: int, part: bytes) -> int:
    """``crc`` multiplied by x to the power of the bits of ``part``.

    A checksum continued from ``crc`` and one begun anew differ by just this product: two readings of the part in C, and
    no arithmetic in Python.
    """
    return crc32(part, crc) ^ crc32(part)


def _powers(pieces: Sequence[bytes], lengths: Sequence[int]) -> list[int]:
    """For each hole, x to the power of the bits that follow it."""
    powers: list[int] = []
    power = _ONE
    for piece, length in zip(pieces[:0:-1], reversed(lengths), strict=True):
        power = _times(power, piece)
        powers.append(power)
        power = _times(power, bytes(length))
    return powers[::-1]


def _rows(powers: Sequence[int]) -> tuple[int, ...]:
    """The matrix of ``Checksum``: for each bit of the result, which bits of the holes' checksums go into it."""
    columns = [column for power in powers for column in _columns(power)]
    width = 32 * len(columns)
    packed = int.from_bytes(Struct(f"<{len(columns)}I").pack(*columns), "little")
    # The highest bit comes first: every 32nd from the end is bit 0 of a column, the last column first.
    bits = f"{packed:0{width}b}"
    return tuple(int(bits[31 - bit :: 32], 2) for bit in range(32))


def _columns(power: int) -> list[int]:
    """What each bit of a checksum, the lowest first, becomes by multiplication with ``power``."""
    columns: list[int] = []
    for _ in range(32):
        columns.append(power)
        power = power >> 1 ^ (_POLYNOMIAL if power & 1 else 0)
    return columns[::-1]
