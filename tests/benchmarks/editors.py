"""The rivals: parse the page, put the same things into the tree, write the whole page anew.

Strategy: the rivals get every advantage. They are handed the guard's own inserts as finished bytes for one fixed
reader, need no policy, no look at the response and no search for the article beyond one class name, and BeautifulSoup
takes the inserts as raw text, which spares it parsing them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from bs4 import BeautifulSoup
from bs4.element import PreformattedString

from tests.benchmarks.measure import MeasureError
from tests.benchmarks.pages import ARTICLE_END

Editor = Callable[[bytes], bytes]


class Inserts(NamedTuple):
    """What the guard put into a page."""

    head: bytes
    article: bytes


def inserts(plain: bytes, guarded: bytes) -> Inserts:
    """The inserts of a guarded page, found by comparing it with the plain one. Raises where anything else differs."""
    head_at, article_at = plain.index(b"</head>"), plain.index(ARTICLE_END)
    head = guarded[head_at : guarded.find(b"</head>", head_at)]
    start = article_at + len(head)
    article = guarded[start : start + len(guarded) - len(plain) - len(head)]
    again = plain[:head_at] + head + plain[head_at:article_at] + article + plain[article_at:]
    if not (head and article and again == guarded):
        raise MeasureError("the guarded page is not the plain one with inserts in its head and at its article's end")
    return Inserts(head, article)


class _Raw(PreformattedString):
    """Text that BeautifulSoup writes as it is."""


def bs4_editor(things: Inserts) -> Editor:
    """BeautifulSoup with html.parser, the parser it has on every machine."""
    head_text, article_text = things.head.decode(), things.article.decode()

    def edit(body: bytes) -> bytes:
        soup = BeautifulSoup(body, "html.parser", from_encoding="utf-8")
        article = soup.find(class_="entry-content")
        assert soup.head is not None
        assert article is not None
        soup.head.append(_Raw(head_text))
        article.append(_Raw(article_text))
        return soup.encode()

    return edit


def lexbor_editor(things: Inserts) -> Editor | None:
    """selectolax's Lexbor, a parser in C; None where it is not installed."""
    try:
        from selectolax.lexbor import LexborHTMLParser
    except ImportError:
        return None

    def edit(body: bytes) -> bytes:
        tree = LexborHTMLParser(body)
        article = tree.css_first(".entry-content")
        # Each must outlive the page's tree: a node of a freed document ends the process.
        sources = LexborHTMLParser(things.head), LexborHTMLParser(things.article)
        for source, place, into in zip(sources, (tree.head, article), ("head", "body"), strict=True):
            root = source.css_first(into)
            assert place is not None
            assert root is not None
            for node in root.iter():
                place.insert_child(node)
        return (tree.html or "").encode()

    return edit
