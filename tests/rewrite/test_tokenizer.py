from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.rewrite.tokenizer import RAW_TEXT, TOKEN, RawText, attributes, other_end
from tests.rewrite.pages import cut, markup


def tokens(data: bytes, *, foreign: bool = False) -> list[tuple[str, bytes]]:
    """All finished tokens: what the scanner's loop makes of the tokenizer's parts."""
    found, at, raw = [], 0, None
    while at < len(data):
        if raw is not None:
            end, ended = raw.end(data, at)
            if not ended:
                return found if raw.name != b"plaintext" else [*found, ("raw", data[at:])]
            found.append(("raw", data[at:end]))
            at, raw = end, None
        match = TOKEN.search(data, at)
        begin = match.start() if match else len(data) - data.endswith(b"<")
        if begin > at:
            found.append(("text", data[at:begin]))
        if match is None:
            return found
        end = match.end() if match.lastindex else other_end(data, begin, 0, foreign=foreign)[0]
        if match.lastindex == 2:
            end = match.start(2)
        if end < 0:
            return found
        found.append(({1: "start", 2: "start", 3: "end"}.get(match.lastindex or 0, "other"), data[begin:end]))
        name = (match[1] or b"").lower()
        raw = RawText(name) if not foreign and (name in RAW_TEXT or name == b"plaintext") else None
        if match.lastindex == 2 and raw is None:
            found += [("text", match[2])] * bool(match[2])
            found.append(("end", data[match.end(2) : match.end()]))
            end = match.end()
        at = end
    return found


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
    end, ended = RawText(b"script").end(script, 0)
    assert end == ends if ended else ends == -1


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8])
def test_a_script_that_comes_in_pieces(size: int) -> None:
    script = b"x<!-- <script> </script> --> '<!-->' <!-- y </script z>"
    raw, held, base = RawText(b"script"), b"", 0
    for chunk in cut(script, [size]):
        held += chunk
        at, ended = raw.end(held, 0)
        if ended:
            assert base + at == script.rindex(b"</script")
            return
        held, base = held[at:], base + at
    pytest.fail("the end was not seen")


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
    assert data.startswith(b"".join(piece for _, piece in tokens(data)))


OTHERS = [b"<!-- a -- b --!>", b"<!-->", b"<!--->", b"<!---->", b"<!doctype html>", b"<?php x ?>", b"</ p>", b"<!-x>"]


@given(st.sampled_from(OTHERS), st.integers(1, 16), st.integers(0, 16))
def test_a_comment_that_comes_in_pieces(whole: bytes, first: int, second: int) -> None:
    looked = 0
    for size in sorted({min(first, len(whole)), min(first + second, len(whole)), len(whole)}):
        end, looked = other_end(whole[:size], 0, looked, foreign=False)
        assert end == (len(whole) if size == len(whole) else -1)
