from __future__ import annotations

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser, LexborNode

from contentguard.rewrite.rules import Rules
from contentguard.rewrite.scan import Scan, Scanner, TooDeepError
from contentguard.rewrite.selector import parse
from tests.rewrite.pages import article_pages, cut


def rules(*selectors: str, enough: int = 0, sure: int = 200, exclude: tuple[str, ...] = ()) -> Rules:
    parsed = [(index, selector) for index, text in enumerate(selectors) if (selector := parse(text))]
    left_alone = [selector for text in exclude if (selector := parse(text))]
    return Rules(parsed, left_alone, enough=enough, sure=sure, texts=True)


def scan(page: bytes, *selectors: str, enough: int = 0, sure: int = 200, exclude: tuple[str, ...] = ()) -> Scan:
    return Scanner(rules(*selectors or ("article",), enough=enough, sure=sure, exclude=exclude)).scan(page)


def inner(page: bytes, result: Scan) -> bytes | None:
    return page[result.article.inner_start : result.article.end] if result.article else None


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
        b"<article><p>x</p>|</body>\n</html>\n<!-- c -->\n",
        b"<article><p>x</p></body>y|</html>",
        b"<article><p>x</p></body><p>y|",
        b"<article><p>x</p></body><script></script>|",
        b"<article><p>x</p></body><br>|</html>",
        b"<b><article><p>a</b>b</p>|</article>c",
        b"<article><table><tr><td><article>x</article></table>|</article>",
        b"<article><p>x</p><table><tr><td>y</article>z|",
        b"<article><svg><article>x</article></svg><p>x</p>|</article>",
        b"<article><script>'</article>'</script>|</article>",
        b"<article><div><p>x|</article>",
        b"<article><ul><li>x</ul>|</article>",
        b"<p>a<article>b|</article>",
        b"<article><p>x</p><ul><li>y|</article>",
        b"<article><template></article></template>|</article>",
        b"<article></span></div></p>|</article>",
        b"<article><math><mi><p>x</p></mi></math>|</article>",
        b"<article><svg><foreignObject><div>x</div></foreignObject></svg>|</article>",
        b"<article><math><annotation-xml encoding=text/html><b>x</b></annotation-xml></math>|</article>",
        b"<article><xmp></article></xmp>|</article>",
        b"<article><form><p>x</form>y</p>|</article>",
        b"<article><h1>x<h2>y</h2>|</article>",
        b"<article><a>x<a>y</a>|</article>",
    ],
)
def test_where_the_article_ends(page: bytes) -> None:
    article = scan(b"<body>" + page.replace(b"|", b"")).article
    assert article is not None
    assert article.place == page.index(b"|") + 6


@pytest.mark.parametrize(
    "page",
    [
        b"<article><p>x</p><!-- never closed </article>",
        b"<article><p>x</p><textarea></article>",
        b"<article><p>x</p><plaintext></article>",
        b"<article><p>x <a href='never closed </article>",
        b"<article><p>x</p><a>y</article>",
        b"<article><button>y</article>",
        b"<article><svg><title>y</article>",
    ],
)
def test_no_place_where_an_insert_would_become_something_else(page: bytes) -> None:
    article = scan(b"<body>" + page).article
    assert article is not None
    assert article.place == -1


def test_what_is_in_a_template_or_in_svg_is_no_article() -> None:
    page = b"<body><template><article>x x x</article></template><svg><article>y y</article></svg><article>z</article>"
    assert inner(page, scan(page)) == b"z"


def test_words_outside_links_count() -> None:
    page = b"<article><h2>two words</h2><a href=x>no link text counts</a><p>one two three</p></article>"
    article = scan(page).article
    assert article is not None
    assert article.words == 5


W = b"word " * 10


@pytest.mark.parametrize(
    ("page", "chosen"),
    [
        # "{" and "}" enclose the article; .best is preferred. Enough are 10 words, sure is one with 30.
        (b"<article>{%(w)s}</article>", 1),
        (b"<article>few</article><article>{%(w)s}</article>", 1),
        (b"<article>%(w)s</article><article>{%(w)s%(w)s}</article>", 1),
        (b"<article>%(w)s</article><article>{%(w)s%(w)s%(w)s}</article><article>%(w)s%(w)s%(w)s%(w)s</article>", 1),
        (b"<article>{%(w)s%(w)s%(w)s}</article><article>%(w)s%(w)s%(w)s%(w)s</article>", 1),
        (b"<article>{%(w)s<article>%(w)s</article>}</article>", 1),
        (b"<article>x<div class=best>{%(w)s}</div>y</article>", 0),
        (b"<article>%(w)sx<div class=best>{%(w)s%(w)s%(w)s}</div>y</article>", 0),
        (b"<article>{%(w)s%(w)s%(w)s%(w)s<div class=best>%(w)s%(w)s%(w)s</div>y}</article>", 1),
        (b"<article>{%(w)s%(w)s<div class=best>%(w)s</div>}</article>", 1),
        (b"<div class=best>{%(w)s<article>%(w)s</article>}</div>", 0),
        (b"<div class=best>few</div><article>{%(w)s}</article>", 1),
        (b"<article><div class=best>{%(w)s%(w)s<div class=best>%(w)s</div>}</div></article>", 0),
    ],
)
def test_which_of_several(page: bytes, chosen: int) -> None:
    marked = page % {b"w": W}
    plain = marked.replace(b"{", b"").replace(b"}", b"")
    result = scan(plain, ".best", "article", enough=10, sure=30)
    assert result.article is not None
    assert (inner(plain, result), result.article.selector) == (
        marked[marked.index(b"{") + 1 : marked.index(b"}")],
        chosen,
    )


def test_nothing_behind_the_article_is_read() -> None:
    scanner = Scanner(rules("article", sure=10))
    scanner.scan(b"<article>" + W + b"</article>" + b"<div>" * 1000)
    assert scanner.done


def test_head_metadata() -> None:
    page = (
        b"<html lang=en><head><title>T</title><meta name=a><link rel=b><template><meta></template></head><meta name=c>"
    )
    result = scan(page)
    assert result.title == b"T"
    assert result.metadata == [b"<meta name=a>", b"<link rel=b>"]
    assert result.html_tag == b"<html lang=en>"


def test_ancestors_are_those_of_the_tree() -> None:
    page = b"<body><main class=a><b><div></b><article>x</article></div></main><article>y y</article>"
    assert inner(page, scan(page, "main.a > div article")) == b"x"


RUNS = [
    (b"<p>[one]</p> two <p> </p><p>[a] <b>[b]</b></p>", ()),
    (b"<p>[a]<code>x</code>[b]<pre>y</pre>z", ("code", "pre")),
    (b"<p>[a]<span class=off>x<i>y</i></span>[b]</p>", (".off",)),
    (b"<p>[a]<span contentEditable=true>x</span>[b]</p>", ("[contenteditable]",)),
    (b"<div class=off><p>x</p></div><p>[a]</p>", (".off",)),
    (b"<p>[a]<!-- c -->[b]<script>x</script>[c]<br>[d]", ()),
    (b"<ul><li>x</li></ul><blockquote><p>[y]</p></blockquote>", ()),
    (b"<p>[a < b]</p>", ()),
]


@pytest.mark.parametrize(("content", "exclude"), RUNS)
def test_the_texts_of_paragraphs(content: bytes, exclude: tuple[str, ...]) -> None:
    """ "[" and "]" enclose each text node that is told, but for white space at its ends."""
    page = b"<body><p>no</p><article>" + content + b"</article><p>no</p>"
    plain = page.replace(b"[", b"").replace(b"]", b"")
    article = scan(plain, exclude=exclude).article
    assert article is not None
    wanted = re.findall(rb"\[(.*?)\]", content)
    assert [plain[start:end].strip() for start, end in article.runs] == wanted


@given(article_pages(), st.lists(st.integers(1, 60), min_size=1, max_size=9))
def test_it_does_not_matter_how_a_page_is_cut(page: bytes, sizes: list[int]) -> None:
    whole, scanner = scan(page), Scanner(rules("article"))
    held, base = b"", 0
    for chunk in cut(page, sizes):
        held += chunk
        scanner.feed(held, base)
        held, base = held[scanner.position - base :], scanner.position
    scanner.feed(held, base, final=True)
    assert scanner.told() == whole


@given(article_pages(), st.integers(1, 200))
def test_a_page_can_be_read_in_slices(page: bytes, step: int) -> None:
    scanner, until = Scanner(rules("article")), 0
    while until < len(page):
        until += step
        scanner.feed(page, 0, until=until)
    scanner.feed(page, 0, final=True)
    assert scanner.told() == scan(page)


@pytest.mark.parametrize(
    "page",
    [
        b"<div>" * 600,
        b"<div>" * 512 + b"<p>x</p>",
        b"<div>" * 512 + b"<table>",
        b"<div>" * 510 + b"<p><b><i></p><p><br>",
        b"<div>" * 510 + b"<p><b><i></p><p>text",
        b"<div>" * 510 + b"<p><b><i></p>text",
    ],
)
def test_too_deep_is_said(page: bytes) -> None:
    with pytest.raises(TooDeepError, match="deeper"):
        scan(b"<body>" + page)
    assert scan(b"<body>" + page.replace(b"<div>", b"", 120)).head_end == 0


ICON = b'<svg viewBox="0 0 9 9"><path d="M0 0"/><g> <circle r=1></g></svg>'


@pytest.mark.parametrize(
    "icon", [ICON, ICON.replace(b"</g>", b""), b"<svg/>", b"<svg x='/'></SVG>", b"<svg x=/></svg>"]
)
@pytest.mark.parametrize("around", [b"<p>a%sb</p>", b"<p><b>a</p>%sb<p>c", b"<table><colgroup>%s<tr><td>b</table><p>c"])
def test_an_icon_is_skipped_as_if_it_had_been_read(icon: bytes, around: bytes) -> None:
    page = b"<article><p>" + W + b"</p>" + around % icon + b"<p>" + W + b"</p></article>"
    read = scan(page.replace(b"</svg>", b"<x></svg>").replace(b"</SVG>", b"<x></SVG>"), enough=5, sure=12)
    skipped = scan(page, enough=5, sure=12)
    assert read.article is not None
    assert skipped.article is not None
    extra = 3 * (b"</svg>" in icon.lower())
    assert (skipped.article.words, skipped.article.end) == (read.article.words, read.article.end - extra)
    assert len(skipped.article.runs) == len(read.article.runs)


MARK = b'<section id="cgmark"></section>'


@settings(max_examples=300)
@given(article_pages())
def test_an_independent_parser_finds_the_block_inside_the_article(page: bytes) -> None:
    """Lexbor, which knows nothing of our scanner, sees the inserted block as part of the article and nothing else."""
    # Lexbor reads noscript as a browser without scripts does.
    assume(b"noscript" not in page)
    result = scan(page)
    if result.article is None:
        # Swallowed by something that never ends, or by a template: then no parser finds it either.
        found = LexborHTMLParser(page.decode()).css_first("article")
        assert found is None or _hidden(found), page
        return
    at = result.article.place
    assume(at >= 0)
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
