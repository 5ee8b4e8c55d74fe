"""The time a page takes grows with its size and no faster, however hostile it is, whole or in small chunks.

Only ratios are held to a bound. A page that the code gives up on is fine, as long as it leaves as it came.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import TypeVar

import pytest

from tests.rewrite.corpus.adapter import rewrite

pytestmark = pytest.mark.no_cover
"""Long, and what it runs is covered by others: traced it would take twice as long."""

SMALL, LARGE = 125_000, 500_000
CHUNK = 2048
GROWN = 6
"""Four times the input may take so many times as long. A search of the whole page at every tag that ends another, the
cheapest thing that is quadratic, makes it 7.1 times for paragraphs; the code as it is takes 4.0 to 4.5 times as long.
"""
SLACK = 0.01
"""Seconds: what a busy machine may add to a page that takes none."""
ATTEMPTS = 15

START = (
    b"<!doctype html><html><head><title>T</title></head><body><article><p>"
    + b"we go to sea " * 20
    + b"</p><p>so it is "
)

UNITS: dict[str, bytes] = {
    "angles": b"<",
    "open-tags": b"<a ",
    "empty-tags": b"<>",
    "attributes": b"a=a ",
    "slashes": b"/",
    "equals": b"a = ",
    "words": b"we go to sea ",
    "one-word": b"x",
    "spaces": b" ",
    "newlines": b"\r\n",
    "nulls": b"\0",
    "references": b"&amp;",
    "ampersands": b"&",
    "latin-1": b"\xe9",
    "comments-opened": b"<!--",
    "comments": b"<!---->",
    "dashes": b"-",
    "comment-ends": b"-- -->",
    "bogus": b"<!x>",
    "bogus-opened": b"<!x",
    "doctypes": b"<!doctype html>",
    "instructions": b"<?x?>",
    "odd-ends": b"</ x>",
    "ends-opened": b"</",
    "cdata-opened": b"<![CDATA[",
    "cdata": b"<![CDATA[ ]]>",
    "scripts": b"<script></script>",
    "scripts-opened": b"<script><!--<script>",
    "script-escapes": b"<!--<script></script>-->",
    "titles": b"<title></titl",
    "styles": b"<style>a{}</style>",
    "textareas": b"<textarea></textarea",
    "plaintext": b"<plaintext>",
    "svg": b"<svg>",
    "svg-titles": b"<svg><title>",
    "svg-desc-ends": b"<svg><desc></svg>",
    "svg-breakouts": b"<svg><p>",
    "math": b"<math><mi>",
    "foreign-ends": b"<svg><a></b>",
    "paragraphs": b"<p>x y",
    "paragraph-ends": b"</p>",
    "closed-paragraphs": b"<p>x y</p>",
    "bold": b"<b><i>",
    "bold-closed": b"<b>x</b>",
    "misnested": b"<b><p></b></p>",
    "bold-paragraphs": b"<b><p>",
    "links": b"<a href=x>y",
    "nobr": b"<nobr>",
    "font": b"<font color=red>",
    "items": b"<li>x",
    "lists": b"<ul><li>",
    "definitions": b"<dt>x<dd>y",
    "tables": b"<table><tr><td>",
    "cells": b"<td>x",
    "table-ends": b"</table>",
    "selects": b"<select><option>",
    "options": b"<option>x",
    "buttons": b"<button>",
    "forms": b"<form>",
    "headings": b"<h1><h2>",
    "divs": b"<div>",
    "div-ends": b"</div>",
    "unknown": b"<x-y>",
    "unknown-ends": b"</x-y>",
    "articles": b"<article>",
    "closed-articles": b"<article>x y z</article>",
    "article-ends": b"</article>",
    "paragraphs-and-articles": b"<p><article>",
    "articles-in-bold": b"<b><article></b>",
    "articles-and-divs": b"<article><div></article>",
    "templates": b"<template>",
    "template-ends": b"<template></template>",
    "body-ends": b"</body>",
    "html-ends": b"</html> ",
    "heads": b"<head></head>",
    "breaks": b"<br>x",
    "images": b"<img src=x alt='a>b'>",
    "editable": b"<p contenteditable>x",
}
OPENINGS: dict[str, bytes] = {
    "a tag": b"<a ",
    "a quoted value": b'<a b="',
    "a value": b"<a b=",
    "a comment": b"<!--",
    "a script": b"<script>",
    "an escaped script": b"<script><!--",
    "a title": b"<textarea>",
    "svg": b"<svg>",
    "cdata": b"<svg><![CDATA[",
    "a doctype": b"<!doctype ",
}
_IN_OPENINGS = (
    "angles",
    "attributes",
    "spaces",
    "dashes",
    "equals",
    "slashes",
    "words",
    "ends-opened",
    "script-escapes",
)
BARE = ("spaces", "newlines", "comments", "comments-opened", "doctypes", "heads", "templates", "articles", "angles")

PAGES = {
    **{name: (START, unit) for name, unit in UNITS.items()},
    **{f"{unit} in {name}": (START + begin, UNITS[unit]) for name, begin in OPENINGS.items() for unit in _IN_OPENINGS},
    **{f"{unit} at the start": (b"", UNITS[unit]) for unit in BARE},
}


def page(name: str, size: int) -> bytes:
    """The hostile page of that name, of about that many bytes."""
    start, unit = PAGES[name]
    return start + unit * ((size - len(start)) // len(unit))


T = TypeVar("T")


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds of the code's own, and what it gave: the collector of garbage looks at all that a process has."""
    gc.disable()
    try:
        begin = time.process_time()
        result = work()
        return time.process_time() - begin, result
    finally:
        gc.enable()


@pytest.mark.parametrize("name", PAGES)
def test_time_is_linear(name: str) -> None:
    small, large = page(name, SMALL), page(name, LARGE)
    cuts = range(CHUNK, len(small), CHUNK)
    short = chunked = long = float("inf")
    # The least of several times is the code's own; most pages need one attempt.
    for _ in range(ATTEMPTS):
        took, whole = timed(lambda: rewrite(small))
        short = min(short, took)
        took, cut = timed(lambda: rewrite(small, cuts))
        chunked = min(chunked, took)
        took, grown = timed(lambda: rewrite(large))
        long = min(long, took)
        assert cut.output == whole.output
        assert grown.insertions or grown.output == large
        # Whatever is scanned again for each of the 61 chunks takes some thirty times as long.
        if long < GROWN * short + SLACK and chunked < 4 * short + SLACK:
            return
    pytest.fail(f"{SMALL} bytes {short:.3f} s, in chunks {chunked:.3f} s, {LARGE} bytes {long:.3f} s")
