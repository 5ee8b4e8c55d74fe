"""Which element is the article, and where in it (if anywhere) a block may be put."""

from __future__ import annotations

import pytest

from contentguard.rewrite.scan import Scan, Scanner
from tests.rewrite.test_scan import rules

W = b"word " * 20
CODE = ("code", "[data-off]")


def scanned(page: bytes, *selectors: str, exclude: tuple[str, ...] = CODE) -> Scan:
    return Scanner(rules(*selectors or ("article",), enough=5, sure=100, exclude=exclude)).scan(page)


def place(page: bytes) -> int:
    article = scanned(page).article
    assert article is not None
    return article.place


@pytest.mark.parametrize(
    "page",
    [
        # "|" marks the place; without one there is none.
        b"<article>%(w)s<p>x|</article>",
        b"<article>%(w)s<p><option>x|</article>",
        b"<article>%(w)s<p><object>x</article>",
        b"<article>%(w)s<audio>x</article>",
        b"<article>%(w)s<p>x<svg>",
        b"<button><article>%(w)s</article>",
        b"<button><table><td><article>%(w)s|</article>",
        b"<svg><foreignObject><article>%(w)s|</article></foreignObject></svg>",
        b"<div data-off><article>%(w)s</article></div>",
        b"<article data-off>%(w)s</article>",
        b"<html data-off><body><article>%(w)s</article>",
        b"<html><body data-off><article>%(w)s</article>",
        b"<html class=x><body class=y><article>%(w)s|</article>",
        b"<p><button></button><article>%(w)s|</article>",
        b"<button><p><table><td><article>%(w)s|</article>",
        b"<article>%(w)s<a>open</article>",
        b"<article>%(w)s<p><a>open</p></article>",
        b"<article>%(w)s<p><a>open</p></a>|</article>",
        b"<article>%(w)s<a><table><td>x</table></a>|</article>",
        b"<article>%(w)s<p>x</body>\n|",
        b"<article>%(w)s|</body>\n",
        b"<article>%(w)s<a>x</body></a>|",
        b"<table><td><article>%(w)s<i>|<td></article>",
    ],
)
def test_where_a_block_may_be_put(page: bytes) -> None:
    whole = b"<!doctype html>" + page % {b"w": W}
    assert place(whole.replace(b"|", b"")) == whole.find(b"|")


def test_an_element_that_was_taken_out_from_around_its_blocks_has_no_place() -> None:
    article = scanned(b"<b><span class=best><div>" + W + b"</b>more</div>", ".best").article
    assert article is not None
    assert article.place == -1


@pytest.mark.parametrize(
    ("page", "found"),
    [
        (b"<frameset><article>%(w)s</article>", False),
        (b"<article><frameset>%(w)s</article>", False),
        (b"<body><article><frameset>%(w)s</article>", True),
        (b"<article>%(w)s<frameset></article>", True),
    ],
)
def test_frames_take_the_place_of_a_body_that_holds_nothing(page: bytes, found: bool) -> None:
    assert (scanned(b"<head></head>" + page % {b"w": W}).article is not None) is found


@pytest.mark.parametrize(
    "content",
    [
        # "[" and "]" enclose the texts that are told.
        b"<p>[a]<code>b<p>c",
        b"<p>[a]<code>b</p>c</code><p>[d]",
        b"<p>[a]<code>b</p></code><p>[c]",
        b"<p>[a]<pre><code>b</pre>c<p>d</code>[e]",
        b"<p>[a]<code>b<table><td>c<p>d</table>",
        b"<p>[a]<b data-off>b</p>c<p>d</b>[e]",
        b"<p>[a]<svg><code>b</svg>c",
        b"<p>[a]<svg><p data-off>b<p>[c]",
        b"<strike><code></strike><code><strike></code><p>b</code>",
        b"<p>[a]<i>[b]<p>[c]</i>[d]",
        b"<p>[a]<button>b</button>[c]<select><option>d</select>[e]",
    ],
)
def test_what_is_left_alone(content: bytes) -> None:
    page = b"<!doctype html><article>" + W + content.replace(b"[", b"").replace(b"]", b"") + b"</article>"
    article = scanned(page, exclude=("code", "pre", "[data-off]")).article
    assert article is not None
    told = [page[start:end] for start, end in article.runs]
    assert told == [part.split(b"]")[0] for part in content.split(b"[")[1:]]


def test_html_and_body_are_ancestors_too() -> None:
    page = b"<html lang=en><body class=single><div class=x>" + W + b"</div>"
    for text, fits in [
        ("body.single > .x", True),
        (".single .x", True),
        ("html[lang] > body > div", True),
        (".x > .x", False),
        ("body.other .x", False),
    ]:
        assert (scanned(page, text).article is not None) is fits, text


def test_of_short_ones_the_best_liked_then_the_longest() -> None:
    page = b"<article>%s</article><article>%s %s</article><section>%s</section>" % (W, W, W, W)
    plain = scanned(page, "article", "section").article
    assert plain is not None
    assert (plain.selector, plain.words) == (0, 40)
    other = scanned(page, "section", "article").article
    assert other is not None
    assert (other.selector, other.words) == (0, 20)
