from __future__ import annotations

import pytest

from contentguard import Article
from contentguard.rewrite.article import Finder
from contentguard.rewrite.head import (
    ascii_superset,
    encoding_of,
    is_wide,
    late_charset,
    meta_policies,
    read_page,
)
from contentguard.rewrite.page import Page

HTML = "text/html"


@pytest.mark.parametrize(
    ("body", "content_type", "encoding"),
    [
        (b"x", "text/html; charset=UTF-8", "utf-8"),
        (b"x", 'text/html; charset="iso-8859-1"', "cp1252"),
        (b"x", "text/html; charset=us-ascii", "cp1252"),
        (b"\xef\xbb\xbfx", "text/html; charset=iso-8859-1", "utf-8"),
        (b"<meta charset=shift_jis>", HTML, "shift_jis"),
        (b'<meta http-equiv=content-type content="text/html; charset=koi8-r">', HTML, "koi8-r"),
        (b"<meta charset=utf-16>", HTML, "utf-8"),
        (b"<meta charset=nonsense>", HTML, "utf-8"),
        ("é".encode(), HTML, "utf-8"),
        (b"\xe9", HTML, "cp1252"),
        (b" " * 1024 + b"<meta charset=koi8-r>", HTML, "utf-8"),
    ],
)
def test_encoding(body: bytes, content_type: str, encoding: str) -> None:
    assert encoding_of(body, content_type) == encoding


@pytest.mark.parametrize("charset", ["utf-16", "UTF-16LE", "utf-32", "utf-7", "iso-2022-jp", "hz-gb-2312"])
def test_what_is_no_superset_of_ascii(charset: str) -> None:
    assert not ascii_superset(f"text/html; charset={charset}")
    assert ascii_superset("text/html")
    assert ascii_superset("text/html; charset=gb18030")
    assert is_wide("x".encode("utf-16"))


def test_a_charset_that_would_be_pushed_out_of_sight() -> None:
    body = b"<p>x</p><meta charset=utf-8>"
    assert late_charset(body, 0)
    assert not late_charset(b"<meta charset=utf-8><p>x", 20)


def page(head: str, content: str = "", **more: str) -> Page:
    body = f"<html lang=fr><head>{head}</head><body><article>{content}</article>".encode("cp1252")
    found = Finder(Article(min_words=0)).find(body, "cp1252")
    where = {"origin": "https://news.example", "path": "/a", "routes": "/.contentguard", **more}
    return read_page(found, "cp1252", **where)


def test_the_head_is_read() -> None:
    read = page(
        "<title> Café\n&amp; more </title><meta name=Description content='caf&eacute; &copy=1'>"
        "<meta property=og:title content=first><meta property=og:title content=second>"
        "<link rel='x canonical' href='https://news.example/c?a=1&amp;copy=2'>"
    )
    assert read.title == "Café & more"
    assert read.description == "café &copy=1"
    assert read.metas["og:title"] == "first"
    assert read.canonical == "https://news.example/c?a=1&copy=2"
    assert read.url == read.canonical
    assert (read.lang, read.article) == ("fr", "article")


@pytest.mark.parametrize(
    ("href", "url"),
    [
        ("/x", "https://news.example/x"),
        ("//cdn.example/x", "https://cdn.example/x"),
        ("http://[broken", "https://news.example/a"),
        ("javascript:alert(1)", "https://news.example/a"),
    ],
)
def test_a_relative_canonical_is_the_site_s(href: str, url: str) -> None:
    assert page(f"<link rel=canonical href='{href}'>").url == url
    assert page("<link rel=canonical href=/x>", origin="").url == ""


def test_the_card_picture() -> None:
    picture = "<p>x</p><img src=one.png alt='the first'><img src=two.png>"
    assert (page("", picture).image, page("", picture).image_alt) == ("one.png", "the first")
    card = "<meta property=og:image content=/card.png><meta property=og:image:alt content=card>"
    assert (page(card, picture).image, page(card, picture).image_alt) == ("/card.png", "card")


def test_policies_in_the_page() -> None:
    body = b"<meta http-equiv=content-security-policy content=\"script-src 'self'\"><meta http-equiv=refresh content=3>"
    found = Finder(Article()).find(body, "utf-8")
    assert meta_policies(found.scan, "utf-8") == ["script-src 'self'"]
