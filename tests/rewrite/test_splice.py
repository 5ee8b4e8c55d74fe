"""The spliced gzip says what the filled page says, to decoders that are not ours, whatever the page and the values.

That no repetition reaches into a hole is proved by filling it twice, with bytes that differ everywhere: a byte copied
from a hole could not be right both times.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Sequence
from itertools import chain

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contentguard.rewrite import splice
from contentguard.rewrite.splice import Banded, Checksum, Spliced, Streamed
from tests.benchmarks.pages import SIZES, page

MARK = 12
"""Bytes of a mark: four characters of three bytes."""
EVERY_BYTE = bytes(range(256))

words = st.sampled_from(
    [b"<p>", b"</p>\n", b"the harbour ", b"tide", b"\xff\xff\xff\xff\xff", b"\0\0\0\0", b", ", EVERY_BYTE]
)
texts = st.lists(words | st.binary(max_size=40), max_size=8).map(b"".join)
holes = st.integers(0, 20) | st.sampled_from([300, 65_535, 65_536, 131_071])
pages = st.lists(holes, max_size=8).flatmap(
    lambda lengths: st.tuples(st.lists(texts, min_size=len(lengths) + 1, max_size=len(lengths) + 1), st.just(lengths))
)
Page = tuple[list[bytes], list[int]]


def filled(pieces: Sequence[bytes], values: Sequence[bytes]) -> bytes:
    return b"".join(chain(*zip(pieces, [*values, b""], strict=True)))


def values_for(lengths: Sequence[int], seed: bytes) -> list[bytes]:
    """Values that look like the text and like each other as far as they go."""
    return [(seed * (length // len(seed) + 1))[:length] for length in lengths]


def inverted(values: Sequence[bytes]) -> list[bytes]:
    """Values that differ from these in every byte."""
    return [value.translate(EVERY_BYTE[::-1]) for value in values]


def byte_by_byte(data: bytes) -> bytes:
    inflate = zlib.decompressobj(31)
    out = b"".join(inflate.decompress(data[at : at + 1]) for at in range(len(data)))
    assert inflate.eof
    assert inflate.unused_data == b""
    return out


def cut(body: bytes, wanted: int) -> Page:
    """The page with marks at the ends of so many paragraphs, spread evenly."""
    ends = [found.start() for found in re.finditer(rb"</p>", body)]
    ends = [ends[number * len(ends) // wanted] for number in range(wanted)]
    return [body[start:end] for start, end in zip([0, *ends], [*ends, len(body)], strict=True)], [MARK] * wanted


# -- what it says ----------------------------------------------------------------------------------------------


@given(pages, st.binary(min_size=1, max_size=50) | words)
def test_the_gzip_holds_the_filled_page(page: Page, seed: bytes) -> None:
    pieces, lengths = page
    spliced = Spliced(pieces, lengths)
    values = values_for(lengths, seed)
    for filling in (values, inverted(values), values):
        assert gzip.decompress(spliced.fill(filling)) == filled(pieces, filling)


@given(pages.filter(lambda page: sum(page[1]) < 1000), st.binary(min_size=1, max_size=50))
def test_and_gives_it_away_byte_by_byte(page: Page, seed: bytes) -> None:
    pieces, lengths = page
    values = values_for(lengths, seed)
    assert byte_by_byte(Spliced(pieces, lengths).fill(values)) == filled(pieces, values)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("marks", [1, 4, 11])
def test_no_repetition_reaches_into_a_hole(size: str, marks: int) -> None:
    pieces, lengths = cut(page(SIZES[size]), marks)
    spliced = Spliced(pieces, lengths)
    for values in (values_for(lengths, b"</p>\n<p>the "), inverted(values_for(lengths, b"</p>\n<p>the "))):
        assert gzip.decompress(spliced.fill(values)) == filled(pieces, values)


@pytest.mark.parametrize(
    "letters",
    [
        pytest.param("ÿ".encode("latin-1") * 30, id="the first filler is a letter"),
        pytest.param(EVERY_BYTE[::-1], id="no byte is left to fill with"),
    ],
)
def test_any_charset(letters: bytes) -> None:
    story = page(20_000).decode().encode("cp1252", "replace")
    pieces, lengths = cut(letters + story + letters + story, 8)
    spliced = Spliced(pieces, lengths)
    for seed in (letters[:12], b"\xff", b"\0", b"</p>\n<p>"):
        values = values_for(lengths, seed)
        for filling in (values, inverted(values)):
            assert gzip.decompress(spliced.fill(filling)) == filled(pieces, filling)


def test_a_page_without_holes() -> None:
    for body in (b"", b"x", page(10_000)):
        assert gzip.decompress(Spliced([body], []).fill([])) == body


def test_a_value_longer_than_a_block() -> None:
    pieces, lengths = [b"<pre>", b"</pre><pre>", b"</pre>"], [200_000, 65_535]
    values = [bytes(range(256)) * 782, b"y" * 65_535]
    values[0] = values[0][:200_000]
    assert gzip.decompress(Spliced(pieces, lengths).fill(values)) == filled(pieces, values)


@pytest.mark.parametrize("values", [[], [b"abc"], [b"abc", b"defg", b""], [b"abcd", b"efg"], [b"abc", b"def"]])
def test_a_value_of_another_length_is_refused(values: list[bytes]) -> None:
    with pytest.raises(ValueError, match="2 holes"):
        Spliced([b"<", b"|", b">"], [3, 4]).fill(values)


@pytest.mark.parametrize(("pieces", "lengths"), [([b""], [1]), ([], []), ([b"", b"", b""], [1]), ([b"", b""], [-1])])
def test_what_is_no_page_is_refused(pieces: list[bytes], lengths: list[int]) -> None:
    with pytest.raises(ValueError, match="no page"):
        Spliced(pieces, lengths)


# -- what it tells and costs -----------------------------------------------------------------------------------


def test_the_header_tells_nothing() -> None:
    head = Spliced([b"a", b"b"], [1]).fill([b"-"])[:10]
    assert head == bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255])


@given(st.lists(st.binary(min_size=MARK, max_size=MARK), min_size=6, max_size=6))
def test_the_length_tells_nothing_of_the_values(values: list[bytes]) -> None:
    pieces, lengths = cut(page(10_000), 6)
    spliced = Spliced(pieces, lengths)
    assert len(spliced.fill(values)) == len(spliced.fill([bytes(MARK)] * 6))


def test_a_little_text_between_holes_costs_no_block_of_its_own() -> None:
    before, after = page(10_000), b"<footer>" + page(10_000)
    one = Spliced([before, after], [10]).fill([b"ab, cd, ef"])
    several = Spliced([before, b", ", b", ", after], [2, 2, 2]).fill([b"ab", b"cd", b"ef"])
    assert gzip.decompress(several) == gzip.decompress(one)
    assert len(several) == len(one)
    at_the_end = Spliced([before, b", ", b"."], [2, 2]).fill([b"ab", b"cd"])
    assert at_the_end.endswith(b"ab, cd.\x03\0" + at_the_end[-8:])


@pytest.mark.parametrize(("size", "marks"), [("10k", 2), ("10k", 5), ("60k", 2), ("60k", 26), ("200k", 26)])
def test_little_larger_than_a_gzip_of_the_whole(size: str, marks: int) -> None:
    pieces, lengths = cut(page(SIZES[size]), marks)
    values = values_for(lengths, "\u200b\u200c\u200d\u2060\u200c".encode())
    spliced = Spliced(pieces, lengths).fill(values)
    assert len(spliced) <= 1.1 * len(gzip.compress(filled(pieces, values), 6))


@pytest.mark.parametrize(("size", "marks"), [("60k", 2), ("60k", 26), ("200k", 26)])
def test_what_it_holds(size: str, marks: int) -> None:
    body = page(SIZES[size])
    pieces, lengths = cut(body, marks)
    spliced = Spliced(pieces, lengths)
    sent = spliced.fill(values_for(lengths, b"-"))
    assert len(sent) - sum(lengths) < spliced.size <= 0.35 * len(body)


# -- the checksum ----------------------------------------------------------------------------------------------


@given(pages, st.binary(min_size=1, max_size=50))
def test_the_checksum_is_that_of_the_whole(page: Page, seed: bytes) -> None:
    pieces, lengths = page
    checksum = Checksum(pieces, lengths)
    for values in (values_for(lengths, seed), inverted(values_for(lengths, seed))):
        assert checksum.of(values) == zlib.crc32(filled(pieces, values))


# -- streams ---------------------------------------------------------------------------------------------------


@given(st.lists(texts, max_size=10))
def test_a_stream_holds_nothing_back(chunks: list[bytes]) -> None:
    stream, inflate = Streamed(), zlib.decompressobj(31)
    for chunk in chunks:
        assert inflate.decompress(stream.feed(chunk)) == chunk
    assert inflate.decompress(stream.finish()) == b""
    assert inflate.eof


def test_a_stream_compresses() -> None:
    body = page(60_000)
    stream = Streamed()
    sent = b"".join(stream.feed(body[start : start + 4096]) for start in range(0, len(body), 4096)) + stream.finish()
    assert len(sent) < 1.1 * len(gzip.compress(body, 6))


# -- with a stretch that is each reader's own ------------------------------------------------------------------


@pytest.fixture(params=["as installed", "zlib"])
def deflating(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the library that deflates fastest, and without it."""
    if request.param == "zlib":
        monkeypatch.setattr(splice, "fast", zlib)


@pytest.mark.usefixtures("deflating")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pages, pages, st.lists(texts | st.binary(max_size=300), min_size=1, max_size=4), st.binary(min_size=1) | words)
def test_the_gzip_holds_any_stretch_between_two_frames(
    before: Page, after: Page, bands: list[bytes], seed: bytes
) -> None:
    banded = Banded(before, after)
    lengths = [*before[1], *after[1]]
    for band in bands:
        for values in (values_for(lengths, seed), inverted(values_for(lengths, seed))):
            head, tail = values[: len(before[1])], values[len(before[1]) :]
            page = filled(before[0], head) + band + filled(after[0], tail)
            gz = banded.fill(values, band)
            assert gzip.decompress(gz) == page
            if len(page) < 500:
                assert byte_by_byte(gz) == page


@pytest.mark.usefixtures("deflating")
def test_a_stretch_points_back_into_what_stands_before_it() -> None:
    text = page(SIZES["10k"])
    banded = Banded(([text], []), ([b"</html>"], []))
    assert gzip.decompress(banded.fill([], text)) == text + text + b"</html>"
    assert len(banded.fill([], text)) < 1.2 * len(banded.fill([], b""))


def test_a_value_of_another_length_is_refused_beside_a_stretch() -> None:
    banded = Banded(([b"a", b"b"], [3]), ([b"c"], []))
    with pytest.raises(ValueError, match="1 values do not fit the 1 holes"):
        banded.fill([b"four"], b"x")
    assert banded.size > 0
