from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.rewrite.tokenizer import END, OTHER, RAW, START, TEXT, Tokenizer, attributes, script_end
from tests.rewrite.pages import cut, markup

KINDS = {START: "start", END: "end", TEXT: "text", RAW: "raw", OTHER: "other"}


def tokens(data: bytes, *, foreign: bool = False) -> list[tuple[str, bytes]]:
    tokenizer = Tokenizer()
    tokenizer.foreign = tokenizer.markup = foreign
    return [(KINDS[kind], data[start:end]) for kind, start, end, _ in tokenizer.tokens(data)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            b"a<b>c</b>d",
            [("text", b"a"), ("start", b"<b>"), ("text", b"c"), ("end", b"</b>"), ("text", b"d")],
        ),
        (b"a < b <3", [("text", b"a < b <3")]),
        (b'<a title="x>y">z', [("start", b'<a title="x>y">'), ("text", b"z")]),
        (b"<a title='\">'>z", [("start", b"<a title='\">'>"), ("text", b"z")]),
        # A quote counts only behind "=".
        (b'<a b"c>d"', [("start", b'<a b"c>'), ("text", b'd"')]),
        (b"<a href=x/>y", [("start", b"<a href=x/>"), ("text", b"y")]),
        (b"<a href= >y", [("start", b"<a href= >"), ("text", b"y")]),
        (b"<a =x>y", [("start", b"<a =x>"), ("text", b"y")]),
        (b"<br/ / >y", [("start", b"<br/ / >"), ("text", b"y")]),
        (b"<p\x0bclass=x>y", [("start", b"<p\x0bclass=x>"), ("text", b"y")]),
        (b'<a b="never closed> <p>x</p>', []),
        (b"<!-- > -->x", [("other", b"<!-- > -->"), ("text", b"x")]),
        (b"<!-->x", [("other", b"<!-->"), ("text", b"x")]),
        (b"<!--->x", [("other", b"<!--->"), ("text", b"x")]),
        (b"<!----!>x", [("other", b"<!----!>"), ("text", b"x")]),
        (b"<!-- a --!- -->x", [("other", b"<!-- a --!- -->"), ("text", b"x")]),
        (b"<!--<!-->x", [("other", b"<!--<!-->"), ("text", b"x")]),
        (b"<!-- never closed <p>", []),
        (b'<!DOCTYPE html PUBLIC "a>b">', [("other", b'<!DOCTYPE html PUBLIC "a>'), ("text", b'b">')]),
        (b"<![CDATA[<p>]]>x", [("other", b"<![CDATA[<p>"), ("text", b"]]>x")]),
        (b"<?php '>' ?>", [("other", b"<?php '>"), ("text", b"' ?>")]),
        (b"</>x", [("other", b"</>"), ("text", b"x")]),
        (b"</ p>x", [("other", b"</ p>"), ("text", b"x")]),
        (
            b"<style>a > b</STYLE >x",
            [("start", b"<style>"), ("raw", b"a > b"), ("end", b"</STYLE >"), ("text", b"x")],
        ),
        (b"<title></titles></title>", [("start", b"<title>"), ("raw", b"</titles>"), ("end", b"</title>")]),
        (b"<textarea>never closed <p>", [("start", b"<textarea>")]),
        (b"<plaintext></plaintext><p>", [("start", b"<plaintext>"), ("raw", b"</plaintext><p>")]),
        (b"x<", [("text", b"x")]),
    ],
)
def test_tokens(data: bytes, expected: list[tuple[str, bytes]]) -> None:
    assert tokens(data) == expected


def test_cdata_is_a_section_in_foreign_content() -> None:
    assert tokens(b"<![CDATA[<p>]]>x", foreign=True) == [("other", b"<![CDATA[<p>]]>"), ("text", b"x")]


def test_raw_text_is_markup_in_foreign_content() -> None:
    assert tokens(b"<style><b>", foreign=True) == [("start", b"<style>"), ("start", b"<b>")]


@pytest.mark.parametrize(
    ("script", "ends"),
    [
        (b"x</script>y", 1),
        (b"'<!--' </script>", 7),
        (b"<!-- </script> -->", 5),
        (b"<!-- <script> </script> --> </script>", 28),
        (b"<!--><script></script>", 13),
        (b"<!-- <script> --> </script>", 18),
        (b"<!-- <scripts> </script>", 15),
        (b"</scripts></script>", 10),
        (b"</SCRIPT\n>", 0),
        (b"<!-- <script> </script>", -1),
        (b"</script", -1),
    ],
)
def test_script_end(script: bytes, ends: int) -> None:
    assert script_end(script, 0) == ends


def test_attributes() -> None:
    tag = b"<a HREF='x' class = \"b c\" checked data-x=1/2 href=second =odd/>"
    assert attributes(tag) == {
        b"href": b"x",
        b"class": b"b c",
        b"checked": b"",
        b"data-x": b"1/2",
        b"=odd": b"",
    }


@given(markup | st.binary(max_size=200).map(lambda b: b.decode("latin-1")))
def test_tokens_tile_the_page(page: str) -> None:
    """Nothing is told twice, nothing is left out, and what is left over is one unfinished token."""
    data = page.encode()
    tokenizer, position = Tokenizer(), 0
    for _, start, end, _ in tokenizer.tokens(data):
        assert start == position
        assert end >= start
        position = end
    assert tokenizer.position == position


@given(markup, st.lists(st.integers(1, 9), min_size=1, max_size=9))
def test_a_growing_buffer_gives_the_same_tags(page: str, sizes: list[int]) -> None:
    data = page.encode()
    whole = [(k, s, e, n) for k, s, e, n in Tokenizer().tokens(data) if k != TEXT]
    tokenizer, grown, parts = Tokenizer(), b"", []
    for chunk in cut(data, sizes):
        grown += chunk
        parts += [token for token in tokenizer.tokens(grown) if token.kind != TEXT]
    if not any(name == b"plaintext" for *_, name in whole):
        assert [tuple(token) for token in parts] == whole


HOSTILE = {
    "open-angles": b"<",
    "open-tags": b"<a ",
    "attributes": b"a=a ",
    "unclosed-quote": b'<a b="',
    "comments": b"<!--",
    "dashes": b"-",
    "ends": b"</",
    "bogus": b"<!x",
    "scripts": b"<script><!--<script>",
    "cdata": b"<![CDATA[",
    "spaces-before-equals": b" a  =",
    "raw": b"<title></titl",
}


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("opening", [b"", b"<a ", b"<!--", b"<script>"])
def test_hostile_input_takes_linear_time(opening: bytes, unit: bytes) -> None:
    def seconds(size: int) -> float:
        data = opening + unit * (size // len(unit))
        best = float("inf")
        for _ in range(5):
            begin = time.perf_counter()
            for _ in Tokenizer().tokens(data):
                pass
            best = min(best, time.perf_counter() - begin)
        return best

    # Four times the input: a quadratic scan would take sixteen times as long.
    assert seconds(200_000) < 10 * seconds(50_000) + 0.005
