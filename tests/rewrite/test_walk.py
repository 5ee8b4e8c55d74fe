"""The walk says what the scanner sees: the same tokens, the same open elements."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contentguard.rewrite.rules import Rules
from contentguard.rewrite.scan import Scanner, TooDeepError
from contentguard.rewrite.tree import MAX_DEPTH, OpenElements
from contentguard.rewrite.walk import Kind, walk
from tests.rewrite.corpus.inputs import inputs
from tests.rewrite.pages import article_pages

MARKUP = sorted(data for data in inputs().values() if b"<" in data)


def agrees(page: bytes) -> int:
    """How many of the walk's states were the scanner's."""
    opened, scanner, at, same = OpenElements(), Scanner(Rules(())), 0, 0
    for token in walk(page, opened):
        assert token.begin == at, "tokens touch"
        assert token.end > token.begin
        at = token.end
        if opened.quirks != scanner.opened.quirks:
            opened.quirks = scanner.opened.quirks
        scanner.feed(page, 0, until=token.end)
        if scanner.position == token.end and token.kind is not Kind.TEXT:
            assert opened.names == scanner.opened.names, (page[: token.end], token)
            assert opened.pending == scanner.opened.pending
            same += 1
    assert at == len(page)
    return same


@settings(max_examples=150)
@given(article_pages())
def test_generated_pages(page: bytes) -> None:
    # Doctypes decide nothing here but quirks mode, which is the scanner's to find.
    page = page.replace(b"<table", b"<tablet")
    agrees(page)


@pytest.mark.parametrize("part", range(8))
def test_html5lib(part: int) -> None:
    seen = sum(agrees(b"<!doctype html><body>" + page) for page in MARKUP[part::8] if b"<table" not in page.lower())
    assert seen > 500


@given(st.binary(max_size=80))
def test_every_byte_belongs_to_one_token(page: bytes) -> None:
    assert b"".join(page[token.begin : token.end] for token in walk(page, OpenElements())) == page


def test_kinds() -> None:
    page = b"<!doctype html>a<p class=x>b</P><script>c</script><style></style><br><!-- d --><p"
    kinds = [(token.kind, page[token.begin : token.end], token.name) for token in walk(page, OpenElements())]
    assert kinds == [
        (Kind.OTHER, b"<!doctype html>", b""),
        (Kind.TEXT, b"a", b""),
        (Kind.START, b"<p class=x>", b"p"),
        (Kind.TEXT, b"b", b""),
        (Kind.END, b"</P>", b"p"),
        (Kind.RAW_START, b"<script>", b"script"),
        (Kind.RAW, b"c", b"script"),
        (Kind.RAW_END, b"</script>", b"script"),
        (Kind.RAW_START, b"<style>", b"style"),
        (Kind.RAW_END, b"</style>", b"style"),
        (Kind.START, b"<br>", b"br"),
        (Kind.OTHER, b"<!-- d -->", b""),
        (Kind.UNFINISHED, b"<p", b""),
    ]


def test_raw_text_that_does_not_end() -> None:
    for page in (b"<xmp><p>a", b"<plaintext></plaintext>", b"<textarea></textarea", b"<noscript><p>"):
        assert [token.kind for token in walk(page, OpenElements())][:2] == [Kind.RAW_START, Kind.RAW]


def test_too_deep() -> None:
    with pytest.raises(TooDeepError):
        list(walk(b"<div>" * (MAX_DEPTH + 2), OpenElements()))
