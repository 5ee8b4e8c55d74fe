from __future__ import annotations

import re

import pytest
from hypothesis import assume, given, settings
from selectolax.lexbor import LexborHTMLParser, LexborNode

from contentguard.rewrite.scan import Scan, Scanner, TooDeepError
from contentguard.rewrite.selector import Selector, parse
from tests.rewrite.pages import article_pages


def scan(page: bytes, *selectors: str) -> Scan:
    parsed = [parse(text) for text in selectors or ("article",)]
    return Scanner({i: s for i, s in enumerate(parsed) if isinstance(s, Selector)}).scan(page)


@pytest.mark.parametrize(
    "page",
    [
        # "|" marks where the last child of the head goes.
        b"<!doctype html><html><head><title>T</title>|</head><body><p>x",
        b"<head><meta charset=utf-8>|<p>x</p></head>",
        b"<title>T</title>|<p>x",
        b"<title>T</title>\n|text",
        b"|text",
        b"<!doctype html>|<body><p>x",
        b"<html><head>\n<script>'</head>'</script>\n|</head><body>",
        b"<head><!-- </head> --><style>a{}</style>|</head>",
        b"<head><noscript><link></noscript>|</head>",
        b"<head><template><p>x</p></template><link>|</head>",
        b"<meta charset=utf-8>|</body>",
        b"\xef\xbb\xbf<title>T</title>|<p>x",
        b"<title>T</title>|",
    ],
)
def test_where_the_head_ends(page: bytes) -> None:
    assert scan(page.replace(b"|", b"")).head_end == page.index(b"|")


@pytest.mark.parametrize("page", [b"<head><title>never closed", b"<head><!-- never closed", b"<head><template><p>x"])
def test_no_place_in_a_head_that_never_ends(page: bytes) -> None:
    assert scan(page).head_end == -1


@pytest.mark.parametrize(
    "page",
    [
        # "|" marks the last place in the article.
        b"<article><p>x</p>|</article>",
        b"<article><p>x<p>y|</article>",
        b"<article><p>x</p><b>y|</article></b>",
        b"<main><article><p>x</p>|</main>y",
        b"<article><p>x</p>|",
        b"<article><p>x</p>|</body></html>",
        b"<b><article><p>a</b>b</p>|</article>c",
        b"<article><table><tr><td><article>x</article></table>|</article>",
        b"<article><p>x</p>|<table><tr><td>y</article>z",
        b"<article><svg><article>x</article></svg><p>x</p>|</article>",
        b"<article><script>'</article>'</script>|</article>",
        b"<article><div><p>x|</article>",
        b"<article><ul><li>x</ul>|</article>",
        b"<p>a<article>b|</article>",
        b"<article><p>x</p>|<ul><li>y</article>",
        b"<article><template></article></template>|</article>",
        b"<article></span></div></p>|</article>",
        b"<article><p>x</p>|<!-- never closed </article>",
        b"<article><p>x</p>|<textarea></article>",
    ],
)
def test_where_the_article_ends(page: bytes) -> None:
    result = scan(b"<body>" + page.replace(b"|", b""))
    assert result.candidates[0].insert_at == page.index(b"|") + 6


def test_what_is_in_a_template_or_in_svg_is_no_article() -> None:
    page = b"<body><template><article>x</article></template><svg><article>y</article></svg><article>z</article>"
    found = [page[c.inner_start : c.inner_end] for c in scan(page).candidates]
    assert b"x" not in found
    assert b"z" in found


def test_words_outside_links_count() -> None:
    page = b"<article><h2>two words</h2><a href=x>no link text counts</a><p>one two three</p></article>"
    assert scan(page).candidates[0].words == 5


def test_head_metadata() -> None:
    page = (
        b"<html lang=en><head><title>T</title><meta name=a><link rel=b><template><meta></template></head><meta name=c>"
    )
    result = scan(page)
    assert result.title is not None
    assert page[slice(*result.title)] == b"T"
    assert [page[s:e] for s, e in result.metadata] == [b"<meta name=a>", b"<link rel=b>"]
    assert result.html_tag is not None
    assert page[slice(*result.html_tag)] == b"<html lang=en>"


def test_ancestors_are_those_of_the_tree() -> None:
    page = b"<body><main class=a><b><div></b><article>x</article></div></main><article>y</article>"
    result = scan(page, "main.a > div article")
    assert [page[c.inner_start : c.inner_end] for c in result.candidates] == [b"x"]


def test_too_deep_is_said() -> None:
    with pytest.raises(TooDeepError, match="deeper"):
        scan(b"<body>" + b"<div>" * 600)


MARK = b'<section id="cgmark"></section>'


@settings(max_examples=300)
@given(article_pages())
def test_an_independent_parser_finds_the_block_inside_the_article(page: bytes) -> None:
    """Lexbor, which knows nothing of our scanner, sees the inserted block as part of the article and nothing else."""
    # Lexbor reads noscript as a browser without scripts does.
    assume(b"noscript" not in page)
    result = scan(page)
    if not result.candidates:
        # Swallowed by something that never ends, or by a template: then no parser finds it either.
        found = LexborHTMLParser(page.decode()).css_first("article")
        assert found is None or _hidden(found), page
        return
    at = result.candidates[0].insert_at
    marked = page[:at] + MARK + page[at:]
    tree = LexborHTMLParser(marked.decode())
    block = tree.css_first("#cgmark")
    assert block is not None, marked
    parent = block.parent
    while parent is not None and parent.tag != "article":
        parent = parent.parent
    assert parent is not None, marked
    assert _normal(LexborHTMLParser(marked.decode())) == _normal(LexborHTMLParser(page.decode())), marked


def _hidden(node: LexborNode | None) -> bool:
    while node is not None:
        if node.tag in ("template", "svg", "math", "select"):
            return True
        node = node.parent
    return False


def _normal(tree: LexborHTMLParser) -> str:
    block = tree.css_first("#cgmark")
    if block is not None:
        block.decompose()
    return re.sub(r"\s+", " ", tree.html or "")
