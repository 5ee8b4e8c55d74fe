"""Pages damaged in the ways in which pages are damaged, and in some that only an attacker would think of.

Every page follows from its dice alone, so a page of a run can be made again from the seed and its number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from random import Random

SEEDS = Path(__file__).parents[1] / "rewrite" / "corpus" / "pages"

SNIPPETS = (
    *(b"<svg><title>", b"</svg>", b"<math><mi>", b"<svg><desc>", b"<svg><foreignObject><p>", b"<math><annotation-xml>"),
    *(
        b"<!--",
        b"-->",
        b"<!-->",
        b"--!>",
        b"<![CDATA[",
        b"]]>",
        b"<?",
        b"</ ",
        b"<!",
        b"</>",
        b"<",
        b">",
        b"<a b='",
        b'"',
    ),
    *(b"<script><!--<script>", b"</script>", b"<style>", b"</style>", b"<title>", b"<textarea>", b"</textarea>"),
    *(b"<noscript>", b"</noscript>", b"<plaintext>", b"<xmp>", b"<iframe>", b"<template>", b"</template>"),
    *(b"<table><tr>", b"<td>", b"</table>", b"<caption>", b"<select>", b"<option>", b"</select>", b"<button>"),
    *(b"</p>", b"<p>", b"<a>", b"<a href=x>", b"</a>", b"<b>", b"</b>", b"<i>", b"<nobr>", b"<form>", b"</form>"),
    *(b"<article>", b"</article>", b"<div>", b"</div>", b"<li>", b"<ul>", b"</ul>", b"<dd>", b"<h1>", b"<pre>"),
    *(b"</body>", b"</html>", b"<body>", b"<head>", b"</head>", b"<frameset>", b"<object>", b"<applet>", b"<br/>"),
    *(
        b"\0",
        b"\r",
        b"\r\n",
        b"\n",
        b"\t",
        b"\x0c",
        b"\xed\xa0\x80",
        b"\xe9",
        b"\xff",
        b"\x80",
        b"\xef\xbb\xbf",
        b"&",
        b"&amp",
    ),
    *(
        b"\xe2\x80",
        b"&#x3c",
        b"=",
        b"/",
        b"//>",
        b" contenteditable",
        b" data-cg-off",
        b"<p a=a a=a>",
        b"<!doctype html>",
    ),
)

_TOKEN = re.compile(rb"<[^<>]*+>?+|[^<]++")

Mutation = Callable[[bytes, Random], bytes]


@cache
def seeds() -> tuple[bytes, ...]:
    """The pages to start from."""
    return tuple(path.read_bytes() for path in sorted(SEEDS.glob("*.html")))


def mutated(dice: Random) -> bytes:
    """One page."""
    page = dice.choice(seeds())
    for _ in range(dice.choice((1, 1, 2, 3, 5))):
        page = dice.choice(_MUTATIONS)(page, dice)
    return page


def cuts(page: bytes, dice: Random) -> tuple[int, ...]:
    """Somewhere to cut ``page``: in few places, in many, or in equal chunks."""
    size = len(page)
    way = dice.randrange(4)
    if way == 0:
        return (dice.randint(0, size),)
    if way == 1:
        step = dice.choice((1, 7, 64, 1000))
        return tuple(range(step, size, step))
    return tuple(sorted(dice.randint(0, size) for _ in range(dice.randint(2, 12))))


def _flip(page: bytes, dice: Random) -> bytes:
    changed = bytearray(page)
    for _ in range(dice.randint(1, 4)):
        if changed:
            changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def _replace(page: bytes, dice: Random) -> bytes:
    at = dice.randint(0, len(page))
    return page[:at] + bytes((dice.choice(b"<>/!-\"'= \0\r\n&apst?["),)) + page[at + 1 :]


def _truncate(page: bytes, dice: Random) -> bytes:
    return page[: dice.randint(0, len(page))]


def _splice(page: bytes, dice: Random) -> bytes:
    other = dice.choice(seeds())
    return page[: dice.randint(0, len(page))] + other[dice.randint(0, len(other)) :]


def _insert(page: bytes, dice: Random) -> bytes:
    at = dice.randint(0, len(page))
    return page[:at] + b"".join(dice.choices(SNIPPETS, k=dice.randint(1, 3))) + page[at:]


def _insert_between(page: bytes, dice: Random) -> bytes:
    return _on_tokens(page, dice, lambda tokens, at: [*tokens[:at], dice.choice(SNIPPETS), *tokens[at:]])


def _delete(page: bytes, dice: Random) -> bytes:
    return _on_tokens(page, dice, lambda tokens, at: [*tokens[:at], *tokens[at + dice.randint(1, 3) :]])


def _double(page: bytes, dice: Random) -> bytes:
    return _on_tokens(page, dice, lambda tokens, at: [*tokens[: at + 1], *tokens[at:]])


def _swap(page: bytes, dice: Random) -> bytes:
    def swapped(tokens: list[bytes], at: int) -> list[bytes]:
        other = dice.randrange(len(tokens))
        tokens[at], tokens[other] = tokens[other], tokens[at]
        return tokens

    return _on_tokens(page, dice, swapped)


def _move(page: bytes, dice: Random) -> bytes:
    def moved(tokens: list[bytes], at: int) -> list[bytes]:
        token = tokens.pop(at)
        tokens.insert(dice.randint(0, len(tokens)), token)
        return tokens

    return _on_tokens(page, dice, moved)


def _on_tokens(page: bytes, dice: Random, change: Callable[[list[bytes], int], list[bytes]]) -> bytes:
    tokens = _TOKEN.findall(page)
    return b"".join(change(tokens, dice.randrange(len(tokens)))) if tokens else page


_MUTATIONS: Sequence[Mutation] = (
    *(_insert, _insert_between, _insert_between, _delete, _delete, _double, _swap, _move),
    *(_flip, _replace, _truncate, _splice),
)
