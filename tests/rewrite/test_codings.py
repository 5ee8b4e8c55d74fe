"""Content codings against the libraries that make them: every coding, every stack, cut anywhere, and what is none.

Where several libraries can undo a coding, each is tried. What a bomb costs is measured in bytes of memory.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib
import subprocess
import sys
import tracemalloc
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial, reduce
from itertools import product
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contentguard.rewrite import codings as room
from contentguard.rewrite.codings import CodingError, Decoder, Trouble, accepts, codings
from tests.benchmarks.pages import page

brotli = importlib.import_module("brotli")
zstandard = importlib.import_module("zstandard")

PAGE = page(60_000)
NOISE = hashlib.shake_256(b"noise").digest(30_000)
ROOT = Path(__file__).parents[2]
LIMIT = 1_000_000
STANDARD = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
ZSTD = [[STANDARD], ["zstandard"]]
"""The library of Python itself (or its copy for older ones), and the one that more sites have."""


def bare_deflate(body: bytes) -> bytes:
    deflate = zlib.compressobj(wbits=-15)
    return deflate.compress(body) + deflate.flush()


ENCODERS: dict[str, tuple[bytes, Callable[[bytes], bytes]]] = {
    "gzip": (b"gzip", gzip.compress),
    "zlib": (b"deflate", zlib.compress),
    "bare deflate": (b"deflate", bare_deflate),
    "br": (b"br", partial(brotli.compress, quality=5)),
    "zstd": (b"zstd", zstandard.compress),
}
every_coding = pytest.mark.parametrize("name", ENCODERS)
encoders = st.sampled_from(sorted(ENCODERS))
bodies = st.binary(max_size=300) | st.sampled_from([PAGE, NOISE, bytes(200_000)])


@pytest.fixture(params=ZSTD, ids=lambda names: names[0])
def zstd_library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the libraries that undo zstd, as if no other were there."""
    only = request.param
    found = room._module
    monkeypatch.setattr(room, "_module", lambda *names: found(*(name for name in names if name in (*only, "brotli"))))


def decoded(values: Iterable[bytes], chunks: Iterable[bytes], limit: int = LIMIT) -> bytes:
    decoder = Decoder(values, limit)
    out = b"".join([decoder.feed(chunk) for chunk in chunks])
    decoder.finish()
    return out


def outcome(values: Iterable[bytes], chunks: Iterable[bytes], limit: int = LIMIT) -> bytes | Trouble:
    try:
        return decoded(values, chunks, limit)
    except CodingError as error:
        return error.trouble


def encoded(names: Sequence[str], body: bytes) -> tuple[list[bytes], bytes]:
    """The codings' names and the body after all of them."""
    return [ENCODERS[name][0] for name in names], reduce(lambda data, name: ENCODERS[name][1](data), names, body)


def chopped(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


# -- what is told ----------------------------------------------------------------------------------------------


@given(st.lists(encoders, max_size=3), bodies, st.sampled_from([1, 2, 7, 1000, 4096, 10**6]))
def test_any_stack_in_any_chunks(names: list[str], body: bytes, size: int) -> None:
    values, data = encoded(names, body)
    assume(len(data) // size < 20_000)
    assert decoded([b", ".join(values)], chopped(data, size)) == body
    assert decoded(values, [b"", data, b""]) == body


@pytest.mark.usefixtures("zstd_library")
@pytest.mark.parametrize("size", [1, 31, 5000, 10**6])
def test_every_zstd_library(size: int) -> None:
    assert decoded([b"zstd"], chopped(zstandard.compress(PAGE), size)) == PAGE
    assert decoded([b"zstd"], chopped(zstandard.compress(NOISE) + zstandard.compress(b"!"), size)) == NOISE + b"!"


@every_coding
def test_nothing_is_held_back(name: str) -> None:
    """A body that is flushed arrives as it is fed; here all but the end of the coding."""
    value, encode = ENCODERS[name]
    data = encode(PAGE)
    decoder = Decoder([value], LIMIT)
    assert decoder.feed(data[:-1]) + decoder.feed(data[-1:]) == PAGE
    stream, decoder = zlib.compressobj(wbits=31), Decoder([b"gzip"], LIMIT)
    for paragraph in PAGE.split(b"\n")[:50]:
        assert decoder.feed(stream.compress(paragraph) + stream.flush(zlib.Z_SYNC_FLUSH)) == paragraph


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], ()),
        ([b""], ()),
        ([b"identity"], ()),
        ([b" GZip ,, \tBR"], (b"gzip", b"br")),
        ([b"gzip", b"identity", b"zstd, deflate"], (b"gzip", b"zstd", b"deflate")),
        ([b"X-GZIP, x-compress"], (b"gzip", b"compress")),
    ],
)
def test_names(values: list[bytes], expected: tuple[bytes, ...]) -> None:
    assert codings(values) == expected


@pytest.mark.parametrize("values", [[], [b"identity"], [b""]])
def test_a_body_that_is_not_coded(values: list[bytes]) -> None:
    assert Decoder(values, 10).codings == ()
    assert decoded(values, [b"12345", b"67890"], 10) == b"1234567890"
    assert outcome(values, [b"12345", b"678901"], 10) is Trouble.TOO_LARGE


@every_coding
def test_an_empty_body_is_whole(name: str) -> None:
    assert decoded([ENCODERS[name][0]], []) == b""
    assert decoded([ENCODERS[name][0]], [b""]) == b""


def test_parts_one_after_the_other() -> None:
    parts = [b"one ", b"", b"two", PAGE]
    for value, encode in ((b"gzip", gzip.compress), (b"zstd", zstandard.compress)):
        data = b"".join(map(encode, parts))
        for size in (1, 2, len(data)):
            assert decoded([value], chopped(data, size)) == b"".join(parts)
    skipped = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"stamp"
    assert decoded([b"zstd"], [skipped + zstandard.compress(PAGE) + skipped]) == PAGE


@pytest.mark.parametrize("tail", [b"\0" * 512, b"\n", b"\r\n<!-- cached -->", b"\x1f", b"\x1f\x8c\x08"])
def test_what_follows_a_gzip_is_ignored(tail: bytes) -> None:
    for value, encode in ((b"gzip", gzip.compress), (b"deflate", zlib.compress), (b"deflate", bare_deflate)):
        data = encode(PAGE) + tail
        for size in (1, len(data)):
            assert decoded([value], chopped(data, size)) == PAGE


@pytest.mark.parametrize("tail", [b"\0" * 512, b"<!-- cached -->"])
@pytest.mark.parametrize("name", ["br", "zstd"])
def test_and_after_the_others_is_an_error(name: str, tail: bytes) -> None:
    value, encode = ENCODERS[name]
    data = encode(PAGE)
    assert outcome([value], [data + tail]) is Trouble.CORRUPT
    assert outcome([value], [data, tail]) is Trouble.CORRUPT


@pytest.mark.parametrize("body", [b"", b"a", b"x" * 31, PAGE, NOISE])
def test_the_two_kinds_of_deflate(body: bytes) -> None:
    for level, bits in product(range(10), (15, 9, -15, -9)):
        deflate = zlib.compressobj(level, wbits=bits)
        data = deflate.compress(body) + deflate.flush()
        assert decoded([b"deflate"], [data]) == body
        assert decoded([b"deflate"], [data[:1], data[1:]]) == body


def test_bare_deflate_that_could_be_taken_for_zlib() -> None:
    """One in 31 begins with a number that 31 divides; and padding may hold anything (RFC 1951 §3.2.4)."""
    stories = [bytes(pair) for pair in product(b"abcdefghijklmnopqrstuvwxyz", repeat=2)]
    divided = [data for data in map(bare_deflate, stories) if int.from_bytes(data[:2]) % 31 == 0]
    assert divided
    for story in stories:
        assert decoded([b"deflate"], [bare_deflate(story)]) == story
    assert decoded([b"deflate"], [b"\x78\x05\0\xfa\xfftides\x03\0"]) == b"tides"


# -- what is not told ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        b"compress",
        b"exi",
        b"utf-8",
        b"none",
        b"*",
        b"gzip;q=1",
        b"gzip br",
        b"\xff",
        b"gzip,br,gzip,gzip",
        b"," * 99 + b"aws",
    ],
)
def test_unknown(value: bytes) -> None:
    with pytest.raises(CodingError, match="unknown-coding") as caught:
        Decoder([value], LIMIT)
    assert caught.value.trouble is Trouble.UNKNOWN


def test_unknown_without_a_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_module", lambda *names: None)
    for value in (b"br", b"zstd", b"gzip, br"):
        assert outcome([value], []) is Trouble.UNKNOWN
    assert decoded([b"gzip"], [gzip.compress(PAGE)]) == PAGE


def test_the_libraries_are_optional() -> None:
    """In a Python where none of them can be imported, which is said before ours is."""
    script = """
import gzip, sys
sys.modules.update(dict.fromkeys(["brotli", "zstandard", "backports", "backports.zstd", "compression.zstd"]))
from contentguard.rewrite.codings import CodingError, Decoder
print(Decoder([b"gzip"], 100).feed(gzip.compress(b"tide")).decode())
for coding in (b"br", b"zstd"):
    try:
        Decoder([coding], 100)
    except CodingError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["tide", "unknown-coding", "unknown-coding"]


def test_a_library_that_knows_no_limit_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    class Old:
        class Decompressor:
            def process(self, data: bytes) -> bytes:
                raise AssertionError

    monkeypatch.setattr(room, "_module", lambda *names: Old)
    assert outcome([b"br"], []) is Trouble.UNKNOWN


def test_a_missing_library_is_not_looked_for_twice() -> None:
    assert room._module("there_is_no_such_module") is None
    assert room._module("there_is_no_such_module", "zlib") is zlib


@every_coding
@given(data=st.data())
def test_truncated(name: str, data: st.DataObject) -> None:
    value, encode = ENCODERS[name]
    whole = encode(data.draw(st.sampled_from([b"", b"x", b"tide " * 9, PAGE])))
    assume(len(whole) > 1)
    part = whole[: data.draw(st.integers(1, len(whole) - 1))]
    assert outcome([value], [part]) is Trouble.TRUNCATED
    assert outcome([value, b"gzip"], [gzip.compress(part)]) is Trouble.TRUNCATED


@every_coding
@given(garbage=st.binary(min_size=1), at=st.integers(0, 3000))
def test_garbage_is_told_from_a_body(name: str, garbage: bytes, at: int) -> None:
    """Whatever comes is a body or a trouble, and the same in one piece as byte by byte."""
    value, encode = ENCODERS[name]
    whole = encode(PAGE[:6000])
    for data in (garbage, whole[:at] + garbage + whole[at + len(garbage) :]):
        assert outcome([value], [data]) == outcome([value], chopped(data, 1))


def test_a_wrong_checksum_is_corrupt() -> None:
    for value, encode in ((b"gzip", gzip.compress), (b"deflate", zlib.compress)):
        data = encode(PAGE)
        assert outcome([value], [data[:-6] + bytes([data[-6] ^ 1]) + data[-5:]]) is Trouble.CORRUPT


@pytest.mark.usefixtures("zstd_library")
def test_a_zstd_window_beyond_what_is_allowed() -> None:
    def frame(window: int) -> bytes:
        parameters = zstandard.ZstdCompressionParameters(window_log=window, write_content_size=False)
        compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
        return bytes(compressor.compress(PAGE) + compressor.flush())

    assert decoded([b"zstd"], [frame(23)]) == PAGE
    assert outcome([b"zstd"], [frame(24)]) is Trouble.CORRUPT


# -- bombs -----------------------------------------------------------------------------------------------------


@every_coding
@pytest.mark.parametrize("body", [PAGE, NOISE, b"", bytes(100_000)])
def test_the_limit_is_met_to_the_byte(name: str, body: bytes) -> None:
    value, encode = ENCODERS[name]
    data = encode(body)
    for chunks in ([data], [*chopped(data, 100)]):
        assert decoded([value], chunks, len(body)) == body
        if body:
            assert outcome([value], chunks, len(body) - 1) is Trouble.TOO_LARGE


def peak(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.usefixtures("zstd_library")
@pytest.mark.parametrize(
    "names", [["gzip"], ["zlib"], ["bare deflate"], ["br"], ["zstd"], ["gzip", "br"], ["zstd"] * 3]
)
def test_a_bomb_costs_one_block(names: list[str]) -> None:
    values, data = encoded(names, bytes(30_000_000))
    found: list[bytes | Trouble] = []
    used = peak(lambda: found.append(outcome(values, [data], 100_000)))
    assert found == [Trouble.TOO_LARGE]
    # A block of each coding, or what the package zstandard makes of its smallest step.
    assert used < 100_000 + 2_000_000


@pytest.mark.parametrize("inner", [gzip.compress(b"", mtime=0), b"\0\0\0\xff\xff", b"\0"])
def test_a_bomb_of_nothing(inner: bytes) -> None:
    """A stage in the middle swells and nothing comes out at the end."""
    start = b"" if inner[0] else gzip.compress(b"", mtime=0)[:10]
    data = brotli.compress(start + inner * (10_000_000 // len(inner)), quality=5)
    assert len(data) < 10_000
    assert outcome([b"gzip, br"], [data], 100_000) in (Trouble.TOO_LARGE, Trouble.CORRUPT)


@pytest.mark.usefixtures("zstd_library")
@pytest.mark.parametrize(
    ("value", "part"), [(b"gzip", gzip.compress(b"", mtime=0)), (b"zstd", zstandard.compress(b""))]
)
def test_parts_are_counted(value: bytes, part: bytes) -> None:
    assert decoded([value], [part * 200]) == b""
    assert outcome([value], [part * 300]) is Trouble.TOO_LARGE
    assert outcome([value], chopped(part * 300, 7)) is Trouble.TOO_LARGE


# -- Accept-Encoding -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "gzip_too", "identity_too"),
    [
        (b"", False, True),
        (b"gzip, deflate, br, zstd", True, True),
        (b"GZIP", True, True),
        (b"x-gzip", True, True),
        (b"br", False, True),
        (b"identity", False, True),
        (b"gzip;q=0", False, True),
        (b"gzip;q=0.0", False, True),
        (b"gzip;q=0.", False, True),
        (b"gzip;q=0.000", False, True),
        (b"gzip;q=0.001", True, True),
        (b"gzip;q=1.000", True, True),
        (b"gzip ; \t Q=0.5", True, True),
        (b"*", True, True),
        (b"*;q=0", False, False),
        (b"gzip, *;q=0", True, False),
        (b"*;q=0, gzip;q=0.1", True, False),
        (b"identity, *;q=0", False, True),
        (b"identity;q=0", False, False),
        (b"identity;q=0, *", True, False),
        (b"identity;q=0.0, gzip", True, False),
        (b"br;q=1.0, gzip;q=0.8, *;q=0.1", True, True),
        (b"gzip;q=0, *", False, True),
        (b"gzip, gzip;q=0", False, True),
        (b"x-gzip;q=0, gzip", False, True),
        (b"br,, ,\tgzip ,", True, True),
        # What is malformed counts for nothing.
        (b"gzip;q=2", False, True),
        (b"gzip;q=-0", False, True),
        (b"gzip;q=0.0001", False, True),
        (b"gzip;q=.5", False, True),
        (b"gzip;q=1.001", False, True),
        (b"gzip;q", False, True),
        (b"gzip;level=9", False, True),
        (b"gzip;q=1;level=9", False, True),
        (b"gzip br", False, True),
        (b"identity;q=nil, *;q=no", False, True),
        (b'"gzip"', False, True),
        (b"gzip\0", False, True),
        (b"\xff\xfe", False, True),
        (b"gzip, " * 1000, False, True),
    ],
)
def test_accepts(header: bytes, gzip_too: bool, identity_too: bool) -> None:
    assert accepts(header, b"gzip") is gzip_too
    assert accepts(header, b"x-gzip") is gzip_too
    assert accepts(header, b"identity") is identity_too


weights = st.none() | st.integers(0, 1000)
elements = st.tuples(st.sampled_from(["gzip", "x-gzip", "br", "identity", "*", "zstd"]), weights)


@given(
    st.lists(elements, max_size=8), st.sampled_from([",", ", ", "\t,  "]), st.sampled_from([";q=", "; Q=", " ;\tq="])
)
def test_accepts_by_the_book(listed: list[tuple[str, int | None]], comma: str, semicolon: str) -> None:
    header = comma.join(
        name if weight is None else f"{name}{semicolon}{weight // 1000}.{weight % 1000:03}" for name, weight in listed
    ).encode()

    def lowest(*names: str) -> int | None:
        return min((1000 if weight is None else weight for name, weight in listed if name in names), default=None)

    for coding, names in ((b"gzip", ("gzip", "x-gzip")), (b"br", ("br",)), (b"identity", ("identity",))):
        own, others = lowest(*names), lowest("*")
        unless_said = 1 if coding == b"identity" else 0
        assert accepts(header, coding) is bool(
            own if own is not None else others if others is not None else unless_said
        )


@given(st.binary(max_size=1200) | st.text(alphabet="gziped,;q=01.* \t-x", max_size=60).map(str.encode))
def test_accepts_never_raises(header: bytes) -> None:
    assert isinstance(accepts(header, b"gzip"), bool)
    assert accepts(header, b"identity") or b"0" in header


def test_what_is_remembered_is_bounded() -> None:
    for number in range(1000):
        accepts(b"gzip;q=0.%03d" % number, b"gzip")
    info = room._weights.cache_info()
    assert info.maxsize is not None
    assert info.currsize <= info.maxsize < 1000
    before = info.misses
    accepts(b"gzip," * 1000, b"gzip")
    assert room._weights.cache_info().misses == before
