"""Addresses of pictures in a page: which are signed, what stays, and that a browser's reading of a srcset is ours."""

from __future__ import annotations

import time
from html import unescape

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from contentguard.rewrite.pictures import Where, signed
from contentguard.rewrite.plan import full

ORIGIN = "https://news.example"
WHERE = Where(ORIGIN, "/news/tide")


def query(path: str) -> str:
    return "cgm=T" if path.startswith(("/i/", "/news/i/")) else ""


def done(html: str, where: Where = WHERE) -> str:
    body = html.encode()
    return full(body, signed(body, "utf-8", where, query)).fill({}).decode()


SIGNED = {
    '<img src="/i/a.jpg">': '<img src="/i/a.jpg?cgm=T">',
    "<img src='/i/a.jpg' alt=x>": "<img src='/i/a.jpg?cgm=T' alt=x>",
    "<IMG SRC=/i/a.jpg>": "<IMG SRC=/i/a.jpg?cgm=T>",
    "<img src=/i/a.jpg/>": "<img src=/i/a.jpg/?cgm=T>",
    '<img src=" /i/a.jpg ">': '<img src=" /i/a.jpg?cgm=T ">',
    '<img src="i/a.jpg">': '<img src="i/a.jpg?cgm=T">',
    '<img src="../i/a.jpg">': '<img src="../i/a.jpg?cgm=T">',
    '<img src="//news.example/i/a.jpg">': '<img src="//news.example/i/a.jpg?cgm=T">',
    '<img src="https://news.example/i/a.jpg">': '<img src="https://news.example/i/a.jpg?cgm=T">',
    '<img src="HTTPS://News.Example/i/a.jpg">': '<img src="HTTPS://News.Example/i/a.jpg?cgm=T">',
    '<img src="/i/a.jpg?w=3&amp;h=4">': '<img src="/i/a.jpg?w=3&amp;h=4&amp;cgm=T">',
    '<img src="/i/a.svg#icon">': '<img src="/i/a.svg?cgm=T#icon">',
    '<img src="/i/a.svg?x=1#i">': '<img src="/i/a.svg?x=1&amp;cgm=T#i">',
    '<img src="/i/a&#45;b.jpg">': '<img src="/i/a&#45;b.jpg?cgm=T">',
    '<img src="/i&#x2f;a.jpg">': '<img src="/i&#x2f;a.jpg?cgm=T">',
    '<img src="\\i\\a.jpg">': '<img src="\\i\\a.jpg?cgm=T">',
    '<img src="/i/k\u00fc.jpg">': '<img src="/i/k\u00fc.jpg?cgm=T">',
    '<img loading="lazy" data-src="/i/a.jpg" src="data:image/gif;base64,R0lG">': (
        '<img loading="lazy" data-src="/i/a.jpg?cgm=T" src="data:image/gif;base64,R0lG">'
    ),
    '<img srcset="/i/a.jpg 1x, /i/b.jpg 2x">': '<img srcset="/i/a.jpg?cgm=T 1x, /i/b.jpg?cgm=T 2x">',
    '<img srcset="/i/a.jpg, /i/b.jpg 2x">': '<img srcset="/i/a.jpg?cgm=T, /i/b.jpg?cgm=T 2x">',
    '<img srcset="/i/a,b.jpg 400w,/i/c.jpg 800w,">': '<img srcset="/i/a,b.jpg?cgm=T 400w,/i/c.jpg?cgm=T 800w,">',
    '<img srcset="/i/a.jpg (x,y) 2x, /i/b.jpg">': '<img srcset="/i/a.jpg?cgm=T (x,y) 2x, /i/b.jpg?cgm=T">',
    '<img srcset="/j/a.jpg 1x, /i/b.jpg 2x">': '<img srcset="/j/a.jpg 1x, /i/b.jpg?cgm=T 2x">',
    '<source srcset="/i/a.webp" type="image/webp">': '<source srcset="/i/a.webp?cgm=T" type="image/webp">',
    '<source data-srcset="/i/a.webp">': '<source data-srcset="/i/a.webp?cgm=T">',
    '<a href="/i/large.JPG">x</a>': '<a href="/i/large.JPG?cgm=T">x</a>',
    '<link rel=preload as=image href="/i/a.jpg" imagesrcset="/i/a.jpg 1x">': (
        '<link rel=preload as=image href="/i/a.jpg?cgm=T" imagesrcset="/i/a.jpg?cgm=T 1x">'
    ),
    '<noscript><img src="/i/a.jpg"></noscript>': '<noscript><img src="/i/a.jpg?cgm=T"></noscript>',
    '<base href="/i/"><base href="/j/"><img src="a.jpg">': '<base href="/i/"><base href="/j/"><img src="a.jpg?cgm=T">',
    '<base target=_blank><img src="/i/a.jpg">': '<base target=_blank><img src="/i/a.jpg?cgm=T">',
    '<!-- x --><img src="/i/a.jpg">': '<!-- x --><img src="/i/a.jpg?cgm=T">',
    '<script>"<img src=\'/i/a.jpg\'>"</script><img src="/i/a.jpg">': (
        '<script>"<img src=\'/i/a.jpg\'>"</script><img src="/i/a.jpg?cgm=T">'
    ),
}
LEFT = [
    *(
        '<meta property="og:image" content="/i/a.jpg">',
        '<meta name="twitter:image" content="https://news.example/i/a">',
    ),
    '<script type="application/ld+json">{"image": "https://news.example/i/a.jpg", "x": "<img src=/i/a.jpg>"}</script>',
    *("<style>a { background: url(/i/a.jpg) }</style>", '<!-- <img src="/i/a.jpg"> -->', '<img src="/j/a.jpg">'),
    *(
        '<img src="https://cdn.example/i/a.jpg">',
        '<img src="http://news.example/i/a.jpg">',
        '<img src="">',
        "<img src>",
    ),
    *('<img src="data:image/gif;base64,R0">', '<img src="#i">', '<img alt="/i/a.jpg">', '<imga src="/i/a.jpg">'),
    *(
        '<a href="/i/page">x</a>',
        '<a data-src="/i/a.jpg">x</a>',
        '<link rel=icon href="/i/a.png">',
        "<img src='/i/a.jpg",
    ),
    *(
        '<link rel=preload as=font href="/i/a.jpg">',
        '<img src="https://[/i/a.jpg">',
        "<textarea><img src=/i/a></textarea>",
    ),
    *("<!-- <img src=/i/a.jpg>", "<script <img src=/i/a.jpg", '<base href="https://[">', f"<img src=/i/{'a' * 5000}>"),
    *(
        '<img srcset="">',
        '<img srcset=" , ,">',
        f"<img src='/i/{'a' * 70000}'>",
        '<link rel=stylesheet href="/i/a.png">',
    ),
]


@pytest.mark.parametrize(("html", "after"), SIGNED.items())
def test_what_a_page_shows_is_signed(html: str, after: str) -> None:
    assert done(html) == after


@pytest.mark.parametrize("html", LEFT)
def test_all_else_is_left_alone(html: str) -> None:
    assert done(html) == html


def test_without_an_origin_relative_addresses_are_signed_and_no_absolute_ones() -> None:
    html = '<img src="/i/a.jpg"><img src="https://news.example/i/a.jpg"><img src="//news.example/i/a.jpg">'
    assert done(html, Where("", "/news/tide")) == html.replace('"/i/a.jpg"', '"/i/a.jpg?cgm=T"')


def test_other_charsets() -> None:
    body = '<img alt="Küste" src="/i/Küste.jpg">'.encode("cp1252")
    points = signed(body, "cp1252", WHERE, query)
    assert full(body, points).fill({}) == body.replace(b".jpg", b".jpg?cgm=T")


PIECES = st.sampled_from(
    [
        *SIGNED,
        *LEFT,
        "<img ",
        "src=",
        '"',
        "'",
        ">",
        "/i/a.jpg",
        "<!--",
        "-->",
        "<script>",
        "</script>",
        " ",
        ",",
        "#",
        "&",
    ]
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_only_the_field_is_put_in_whatever_the_page(html: str) -> None:
    after = done(html)
    assert after.replace("&amp;cgm=T", "").replace("?cgm=T", "") == html
    # What holds no address for a parser that reads it as browsers do has none for us.
    before, later = (LexborHTMLParser(text).css("*") for text in (html, after))
    assert [tag.tag for tag in before] == [tag.tag for tag in later]
    for one, other in zip(before, later, strict=True):
        assert list(one.attributes) == list(other.attributes)
        assert one.tag != "meta" or one.attributes == other.attributes


@given(st.lists(st.text(alphabet="/i/a.jpg x12w,()\n\t\u00fc", max_size=20), max_size=6).map(", ".join))
def test_every_candidate_of_a_srcset_keeps_its_descriptor(value: str) -> None:
    tag = BeautifulSoup(done(f'<img srcset="{value}">'), "html.parser").img
    assert tag is not None
    assert str(tag["srcset"]).replace("?cgm=T", "").replace("&cgm=T", "") == unescape(value)


@pytest.mark.parametrize(
    "piece", ["<img ", "<a ", "<!--", "<script", "<img src='", "<img srcset=(", "<base href=/>", "&#"]
)
def test_hostile_pages_take_linear_time(piece: str) -> None:
    def seconds(times: int) -> float:
        body = (piece * times).encode()
        start = time.perf_counter()
        signed(body, "utf-8", WHERE, query)
        return time.perf_counter() - start

    seconds(100)
    short, long = min(seconds(5_000) for _ in range(3)), seconds(40_000)
    assert long < 8 * 4 * short + 0.05
