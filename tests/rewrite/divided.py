"""What independent parsers say of a page that was divided: is the lead a part of its tree, and does the rest fit in?

Strategy: a tree is a flat list of events (``corpus/oracle.py``), so putting the rest where the lead has room for it,
and taking out what was put in, are walks over a list. Leaks are looked for by a plain search of its own that shares
nothing with the one under test.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from html import unescape
from urllib.parse import unquote

from contentguard.rewrite.article import Article
from contentguard.rewrite.cards import Cards
from contentguard.rewrite.deterrents import Copy
from contentguard.rewrite.lead import Lead
from contentguard.rewrite.page import Delivery, Field
from contentguard.rewrite.pages import Pages
from contentguard.rewrite.plan import Plan
from contentguard.rewrite.planner import Planner
from contentguard.rewrite.probes import NONE, Probes
from contentguard.rewrite.share import Share
from contentguard.rewrite.visible import Visible
from contentguard.turns import finished
from tests.rewrite.corpus.oracle import ORACLES, Event, decoded

UTF8 = "text/html; charset=utf-8"
VALUES = {field: field.value.encode() for field in Field} | {Field.NONCE: b""}
_SHINGLE = 8


def planner(lead: Lead | None = None, *, bare: bool = True) -> Planner:
    """A planner; ``bare``: nothing is inserted but what dividing needs."""
    quiet = (Cards(enabled=False), Copy(policy="off"), Share(enabled=False), Visible(print=False))
    cards, copying, share, visible = quiet if bare else (Cards(), Copy(), Share(), Visible())
    return Planner(
        "The Test",
        "https://news.example",
        cards,
        copying,
        share,
        visible,
        NONE if bare else Probes(),
        qr=lambda page: "",
        said=lambda path: (),
        lead=lead or Lead(),
    )


def plan_of(
    body: bytes,
    lead: Lead | None = None,
    *,
    article: Article | None = None,
    content_type: str = UTF8,
    bare: bool = True,
) -> Plan:
    """The plan of one page, by pages that know no other."""
    pages = Pages(article or Article(), planner(lead, bare=bare), 0)
    delivery = Delivery(path="/news/tide", routes="/.contentguard", content_type=content_type)
    return finished(pages.work(delivery, pages.shelf(delivery), body))


def problems(body: bytes, plan: Plan, *, content_type: str = UTF8, cleaned: bool = False) -> dict[str, list[str]]:
    """Parser → what is wrong with a division by the tree it makes. ``cleaned``: texts and values may be emptied."""
    lead, rest, search = plan.division.lead, plan.division.rest, plan.division.search
    assert lead is not None
    assert rest is not None
    assert search is not None
    found = {}
    for name, oracle in ORACLES.items():
        full, less, more, whole = (
            _plain(oracle(decoded(page, content_type, body), "").events)
            for page in (body, lead.fill(VALUES), _doctype(body) + b"<body>" + rest.fill(VALUES), search.fill(VALUES))
        )
        joined = list(_joined(_swapped(less, list(_pieces(more)))))
        said = []
        shape = _shape if cleaned else list
        if shape(joined) != shape(full):
            said.append(f"lead and rest: {difference(shape(full), shape(joined))}")
        unwrapped = list(_joined(_unwrapped(whole)))
        if unwrapped != full:
            said.append(f"search: {difference(full, unwrapped)}")
        found[name] = said
    return found


def _doctype(page: bytes) -> bytes:
    """What decides whether a page is read in quirks mode."""
    found = re.match(rb"(?i)(?:\xef\xbb\xbf)?\s*+<!doctype[^>]*+>", page)
    return found[0] if found else b""


def difference(one: list[Event], other: list[Event]) -> str:
    """The first place where two trees differ."""
    at = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return f"at event {at}: {one[at : at + 4]} became {other[at : at + 4]}"


def _plain(events: Iterable[Event]) -> list[Event]:
    """A tree less what we say in JSON-LD, in a script of our own or in one of the page's, and less white space."""
    left: list[Event] = []
    told = False
    for event in events:
        if isinstance(event, str):
            event = "".join(_OURS.sub("", event).split())
            told = told or bool(event)
            event = "" if left and _says(left[-1]) else _SAID.sub("", event)
        if event is None and left and left[-1] == _SCRIPT and not told:
            left.pop()
        elif event != "":
            left.append(event)
        told = told and isinstance(event, str)
    return left


def _says(event: Event) -> bool:
    return isinstance(event, tuple) and event[0] == "script" and event[1].get("type") == "application/ld+json"


_SCRIPT = ("script", {"type": "application/ld+json"})
_PART = '"hasPart":{"@type":"WebPageElement","isAccessibleForFree":false,"cssSelector":".cg-rest"}'
_OURS = re.compile(
    r'\{"@context":"https://schema.org","@type":"Article",("headline":"(?:[^"\\]|\\.)*",)?("url":"[^"]*",)?'
    rf'"isAccessibleForFree":false,{re.escape(_PART)}\}}'
)
_SAID = re.compile(rf'{re.escape(_PART)},?|"isAccessibleForFree":false,?')


def _is_place(event: Event) -> bool:
    return isinstance(event, tuple) and event[0] == "div" and event[1].get("class") == "cg-rest"


def _swapped(events: list[Event], pieces: list[list[Event]]) -> Iterator[Event]:
    """A tree with the nth place filled by the nth piece."""
    depth = 0
    places = iter(pieces)
    for event in events:
        if depth:
            depth += 1 if isinstance(event, tuple) else -1 if event is None else 0
        elif _is_place(event):
            depth = 1
            yield from next(places, [("-missing", {})])
        else:
            yield event
    yield from next(places, [])


def _pieces(events: list[Event]) -> Iterator[list[Event]]:
    depth, piece = 0, list[Event]()
    for event in events:
        if depth == 0 and _is_place(event):
            depth, piece = 1, []
            continue
        if not depth:
            continue
        depth += 1 if isinstance(event, tuple) else -1 if event is None else 0
        if depth:
            piece.append(event)
        else:
            yield piece


def _unwrapped(events: Iterable[Event]) -> Iterator[Event]:
    """A tree with what stands in the marked elements, less these."""
    ways: list[bool] = []
    for event in events:
        if isinstance(event, tuple):
            ways.append(_is_place(event))
            if not ways[-1]:
                yield event
        elif event is None:
            if not ways.pop():
                yield event
        else:
            yield event


def _joined(events: Iterable[Event]) -> Iterator[Event]:
    """A tree in which no two texts touch."""
    text = ""
    for event in events:
        if isinstance(event, str):
            text += event
            continue
        if text:
            yield text
            text = ""
        yield event
    if text:
        yield text


def _shape(events: Iterable[Event]) -> list[Event]:
    """Elements alone."""
    return [(event[0], {}) if isinstance(event, tuple) else event for event in events if not isinstance(event, str)]


# -- leaks -------------------------------------------------------------------------------------------------------


def leaks(plan: Plan, *, content_type: str = UTF8, free: str = "") -> set[str]:
    """Eight words in a row of the rest that stand in the lead in some spelling.

    ``free``: what may stand there, besides the lead's own text, the page's title and titles of links in the rest.
    """
    lead, rest = plan.division.lead, plan.division.rest
    assert lead is not None
    assert rest is not None
    sent = lead.fill(VALUES)
    withheld = decoded(rest.fill(VALUES), content_type, sent)
    page = decoded(sent, content_type)
    kept = page[: page.index('<div class="cg-rest" data-cg-rest')]
    told = [free, _text(re.sub(r"(?s)^.*<body", "<body", kept)), *re.findall("(?s)<title>(.*?)</title>", page)]
    told += [_text(link) for link in re.findall(r"(?s)<a\b[^>]*>(.*?)</a>", withheld)]
    secret = _shingles(re.sub(r"(?:https?://|www\.)\S+", "", _text(withheld)))
    for text in told:
        secret -= _shingles(text) | _shingles(unescape(text))
    # Most pages have one spelling: what is unescaped again and again stays as it is.
    return {shingle for spelling in set(_spellings(page)) for shingle in _shingles(spelling) & secret}


def _text(markup: str) -> str:
    markup = re.sub(
        r"(?s)<(script|style|template|noscript|button|select|nav|footer)\b.*?</\1\s*>|<!--.*?-->", " ", markup
    )
    return unescape(re.sub(r"<[^>]*>", " ", re.sub(r"</?(?:a|b|em|i|strong|span)\b[^>]*>", "", markup)))


def _spellings(page: str) -> Iterator[str]:
    for text in (page, re.sub(r"<[^>]*>", " ", page), _text(page)):
        for _ in range(3):
            yield text
            yield unescape(text)
            yield unquote(text)
            text = unquote(unescape(re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), text)))
            text = re.sub(r"\\([ntr])", " ", text).replace('\\"', '"').replace("\\/", "/").replace("\\\\", "\\")
            yield text
            yield re.sub(r"<[^>]*>", " ", text)


def _shingles(text: str) -> set[str]:
    words = re.findall(r"[^\W_]+", text.lower())
    return {" ".join(words[n : n + _SHINGLE]) for n in range(len(words) - _SHINGLE + 1)}


def json_scripts(page: bytes) -> list[object]:
    """What the scripts of JSON in a page say."""
    found = re.findall(rb"(?s)<script[^>]*json[^>]*>(.*?)</script>", page)
    return [json.loads(text) for text in found]
