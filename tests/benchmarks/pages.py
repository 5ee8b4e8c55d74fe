"""Pages to measure with: WordPress-like markup of any size, the same bytes on every run.

Strategy: a fixed seed and a small vocabulary. What surrounds an article on a real page (inline style and script,
JSON-LD, a menu, icons as SVG) is there in full on the smallest page and grows slowly; paragraphs with links and
emphasis, comments and related posts make up the rest, as on the 287 real pages that were measured before.

Every page holds a token where sites put one: in a meta element of the head, in a form below the article, and in an
inline script at the end. ``with_tokens`` is the page as it would come for the next request.
"""

from __future__ import annotations

import json
import string
from collections.abc import Iterable, Iterator
from random import Random

SIZES = {"10k": 10_000, "60k": 60_000, "200k": 200_000, "1000k": 1_000_000}
"""Name in the figures → bytes of the page, met to within one comment."""

ARTICLE_END = b"</div><!-- .entry-content -->"
"""Stands once in every page, where the article ends: what is inserted at its end goes before this."""

TOKENS = {
    "head": b"hT5mS0xkQ2vJ8bYw4LrN7cZp1DfGaE9u6WiKoXyR3sM",
    "form": b"fB7nC1zVq9XlP4kJt6HgR2yEw8UiOaSd5MxZ0vTjQ3L",
    "script": b"sK3dW8rTy5UoIe1PaLq7ZxNc2VbMj6HgF4XwQ9tRz0E",
}
"""Where a token stands → the one in ``page``: 32 bytes in base64, as most frameworks write them."""

_TEXT = (
    "harbour tide editor minute council lantern market ferry autumn letter window quarrel bridge salt paper signal "
    "ordinary remarkable before because without toward quietly again seldom often the the the a a of of and in to "
    "naïve café Überfahrt £40 “quoted” it’s —"
)
_WORDS = _TEXT.split()
_BASE64 = string.ascii_letters + string.digits + "-_"
_ICON = (
    '<svg class="icon icon-{0}" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false">'
    '<path d="M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm{0}.5 4.2l-3.1 7.9-6.4 2.3L7.6 9z"/></svg>'
)


def page(size: int) -> bytes:
    """A page of about ``size`` bytes: half of it article, the rest comments and related posts."""
    dice = Random(size)
    top, bottom = _top(dice), _bottom()
    frame = len((top + bottom).encode()) + len(ARTICLE_END)
    wanted = max(size - frame, 3000)
    article = _until(wanted * 6 // 10, _paragraphs(dice))
    rest = _until(wanted - len(article.encode()), _rest(dice))
    return f"{top}{article}{ARTICLE_END.decode()}\n</article>\n{rest}{bottom}".encode()


def with_tokens(body: bytes, dice: Random, places: Iterable[str], *, same_length: bool) -> bytes:
    """``body`` (a ``page``) with fresh tokens in ``places``, of the same length as its own or of 22 to 86 bytes."""
    for place in places:
        size = len(TOKENS[place]) if same_length else dice.randint(22, 86)
        body = body.replace(TOKENS[place], "".join(dice.choices(_BASE64, k=size)).encode(), 1)
    return body


def _until(size: int, pieces: Iterator[str]) -> str:
    chosen: list[str] = []
    while size > 0:
        chosen.append(next(pieces))
        size -= len(chosen[-1].encode())
    return "".join(chosen)


def _words(dice: Random, count: int) -> str:
    return " ".join(dice.choices(_WORDS, k=count))


def _top(dice: Random) -> str:
    title = "Tide &amp; time at the harbour"
    rules = "".join(f".wp-block-{word}>p{{margin:0 auto {n}px;color:#3{n}a}}\n" for n, word in enumerate(_WORDS[:14]))
    linked_data = {
        "@context": "https://schema.org",
        "@graph": [
            {"@type": "NewsArticle", "headline": title, "author": {"@type": "Person", "name": "A. Reporter"}},
            {
                "@type": "BreadcrumbList",
                "itemListElement": [{"position": n, "name": w} for n, w in enumerate("abc")],
            },
        ],
    }
    menu = "".join(
        f'<li id="menu-item-{n}" class="menu-item menu-item-type-taxonomy menu-item-{n}">'
        f'<a href="https://news.example/section/{word}/">{word.title()}</a></li>\n'
        for n, word in enumerate(_WORDS[:10])
    )
    return (
        '<!DOCTYPE html>\n<html lang="en-GB" class="no-js">\n<head>\n<meta charset="UTF-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="csrf-token" content="{TOKENS["head"].decode()}">\n'
        f"<title>{title} – The Daily Example</title>\n"
        f'<meta name="description" content="{_words(dice, 20).replace(chr(34), "")}">\n'
        '<link rel="canonical" href="https://news.example/news/tide">\n'
        '<meta property="og:type" content="article">\n<meta property="og:title" content="Tide &amp; time">\n'
        '<link rel="stylesheet" id="theme-css" href="https://news.example/wp-content/style.css?ver=6.9" media="all">\n'
        f'<style id="global-styles-inline-css">\n{rules}</style>\n'
        f'<script type="application/ld+json" class="seo-graph">{json.dumps(linked_data)}</script>\n'
        "<script>window.dataLayer=window.dataLayer||[];function gtag(){dataLayer.push(arguments)}"
        "if(1<2&&document.cookie){document.write('<p class=\"article\">'+'</p>')}</script>\n</head>\n"
        '<body class="post-template-default single single-post postid-4711 wp-custom-logo">\n'
        '<a class="skip-link screen-reader-text" href="#content">Skip to content</a>\n'
        f'<header id="masthead" class="site-header">\n<nav aria-label="Top">\n<ul id="menu">\n{menu}</ul>\n</nav>\n'
        + "".join(_ICON.format(n) for n in range(6))
        + '\n</header>\n<main id="content">\n<article id="post-4711" class="post type-post status-publish hentry">\n'
        f'<header class="entry-header"><h1 class="entry-title">{title}</h1>\n'
        '<p class="byline">By <a href="/author/a">A. Reporter</a> · <time datetime="2026-10-01">1 Oct</time></p>\n'
        '<figure class="wp-block-image size-large"><img src="/i/1.jpg" srcset="/i/1.jpg 1x, /i/2.jpg 2x" alt="Quay" '
        'width="1024" height="683" loading="eager"/><figcaption>The quay &amp; the ferry</figcaption></figure>\n'
        '</header>\n<div class="entry-content">\n'
    )


def _paragraphs(dice: Random) -> Iterator[str]:
    number = 0
    while True:
        number += 1
        yield (
            f"<p>{_words(dice, dice.randint(15, 40))} <em>{_words(dice, 2)}</em>, {_words(dice, dice.randint(5, 30))} "
            f'<a href="https://news.example/news/{number}" rel="noopener">{_words(dice, 3)}</a> '
            f"{_words(dice, dice.randint(5, 25))} <strong>{_words(dice, 2)}</strong>.</p>\n"
        )
        if number % 6 == 0:
            yield f'<h2 class="wp-block-heading" id="part-{number}">{_words(dice, 4)}</h2>\n'
        if number % 9 == 0:
            items = "".join(f"<li>{_words(dice, 6)}</li>\n" for _ in range(4))
            yield f'<ul class="wp-block-list">\n{items}</ul>\n<blockquote><p>{_words(dice, 20)}</p></blockquote>\n'


def _rest(dice: Random) -> Iterator[str]:
    number = 0
    while True:
        number += 1
        yield _comment(dice, number) if number % 3 else _related(dice, number)


def _comment(dice: Random, number: int) -> str:
    return (
        f'<div id="comment-{number}" class="comment even thread-even depth-1"><footer class="comment-meta">'
        f'<img alt="" src="/avatar/{number}?s=32&amp;d=mm" class="avatar" height="32" width="32"/>'
        f'<b class="fn">Reader {number}</b> <span class="says">says:</span>'
        f'<a href="/news/tide#comment-{number}"><time datetime="2026-10-02T09:00">2 Oct</time></a></footer>'
        f'<div class="comment-content"><p>{_words(dice, dice.randint(10, 60))}</p></div>'
        f'<div class="reply"><a rel="nofollow" href="/news/tide?replytocom={number}#respond">Reply</a></div></div>\n'
    )


def _related(dice: Random, number: int) -> str:
    return (
        f'<section class="related-post related-{number}"><a href="/news/related-{number}">'
        f'<img src="/i/r{number}.jpg" alt="" width="300" height="200" loading="lazy"/>'
        f"<h3>{_words(dice, 6)}</h3></a>{_ICON.format(number % 9)}<p>{_words(dice, 14)}</p></section>\n"
    )


def _bottom() -> str:
    return (
        '<form id="commentform" action="/comments" method="post"><textarea name="comment" rows="5"></textarea>'
        f'<input type="hidden" name="csrf" value="{TOKENS["form"].decode()}"><button>Post</button></form>\n'
        '</main>\n<footer id="colophon" class="site-footer"><p>© The Daily Example</p>'
        '<form role="search" method="get" action="/search"><label>Search <input type="search" name="q"></label>'
        "<button>Go</button></form></footer>\n"
        '<script id="theme-js" src="https://news.example/wp-content/theme.js?ver=6.9" defer></script>\n'
        f"<script>window.site={{ajax:'/wp-json/',nonce:'{TOKENS['script'].decode()}'}};"
        "document.documentElement.className='js'</script>\n</body>\n</html>\n"
    )
