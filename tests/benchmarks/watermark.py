"""Marks: what it costs to put them in and to read them out, what survives an extractor, and whom they accuse wrongly.

Every extractor that is installed gets pages of made-up articles, each page another reader's. *Traced blind*: a frame
names the reader and belongs to the article. *Traced*: blind, or by bits enough for one among a million readers with a
chance of one in a million that it is somebody else. *Wrongly accused*: readers who never had the copy, scored against
whole copies, paragraphs and eight words of them.
"""

from __future__ import annotations

import gzip
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from statistics import median

from contentguard.cli.watermark import Way, extractors
from contentguard.rewrite.article import Article, Finder
from contentguard.rewrite.marking import Marking, Opening, marking
from contentguard.rewrite.template import MARKS
from contentguard.turns import Turns, finished
from contentguard.watermark import ranking
from contentguard.watermark.blind import frames
from contentguard.watermark.code import seed, stream
from contentguard.watermark.compiled import Channels, Compiled
from contentguard.watermark.frames import word
from contentguard.watermark.keys import keys_of
from contentguard.watermark.observed import observe
from contentguard.watermark.score import bits, needed
from contentguard.watermark.token import write
from tests.benchmarks import browsed, peers
from tests.benchmarks.measure import Figure, Figures, Options, alternated, least, progress
from tests.watermark.articles import article, read

_SECRET = b"a secret of the marks"
_KEYS = keys_of(_SECRET, 23)
_ENOUGH = needed(10**6, 1e-6)


def run(options: Options) -> Figures:
    """All of them."""
    return {**_costs(options), **_survival(options), **_peers(options), **_innocents(options)}


class Subject:
    """One article."""

    def __init__(self, number: int) -> None:
        self.paragraphs, self.name = article(number), f"/news/{number}".encode()
        self.made = Compiled(self.paragraphs, Channels())
        self.start = seed(_KEYS, self.name, self.made.revision)
        self.odds = self.made.odds(self.start)

    def page(self, texts: list[str]) -> str:
        """A page with these texts of the article."""
        rest = iter(texts)
        body = "\n".join(f"<p>{''.join(next(rest) for _ in one)}</p>" for one in self.paragraphs)
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>News</title></head><body>'
            '<nav><a href="/">Home</a> <a href="/news">News</a></nav>'
            f"<article><h1>Of the harbour</h1>\n{body}</article><footer>All rights reserved</footer></body></html>"
        )

    def marking(self) -> Marking:
        """The same page as the guard knows it: where its marks go, and a template with a hole for each."""
        finder = Finder(Article(), texts=True)
        body = self.page(self.made.texts).encode()
        article = finder.find(body, "utf-8", forced=True).article
        assert article is not None

        def marker(texts: Sequence[Sequence[str]], wide: bool, openings: Sequence[Opening]) -> Turns[Compiled]:
            return Compiled.in_turns(texts, Channels(), wide=wide, openings=openings)

        made = finished(marking(body, article, "utf-8", marker, ()))
        assert made is not None
        return made

    def is_blind(self, text: str, serial: int) -> bool:
        """Whether a text names this reader by itself."""
        return [one.serial for one in frames(text, [_SECRET], 23, [self.name]).genuine] == [serial]

    def bits(self, text: str, serial: int) -> float:
        """What speaks for a reader, by all channels."""
        own = word(23, write(_KEYS, serial, self.name))
        code = stream(self.start, serial, self.made.size)
        return bits(self.made, observe(self.made, text), code, self.odds, own).total


def _costs(options: Options) -> Figures:
    progress("watermark: costs")
    one = Subject(1)
    copy = read(one.made.copy(_KEYS, one.name, 7), one.paragraphs)
    page = one.marking()
    taken = alternated(
        {
            "compile": lambda: Compiled(one.paragraphs, Channels()),
            "blind": lambda: frames(copy, [_SECRET], 23, [one.name]),
            "observe": lambda: observe(one.made, copy),
        },
        options.rounds,
        0.02 if options.quick else 0.2,
    )
    plain, marked = (one.page(texts).encode() for texts in (one.made.texts, one.made.copy(_KEYS, one.name, 7)))
    more = len(gzip.compress(marked, 6)) - len(gzip.compress(plain, 6))
    told = f"an article of {len(one.made.words)} words"
    batches = 20 if options.quick else 400
    marks = least(lambda: one.made.marks(_KEYS, one.name, 7), batches)
    assert isinstance(page.article, Compiled)
    marked_by, whole = page.article.fills, page.full.fill
    filled = least(lambda: whole({MARKS: marked_by(_KEYS, one.name, 7)[0]}), batches)
    return {
        "watermark.embed_us": Figure(marks * 1e6, "µs", f"all marks of {told}; CPU time, the least of many batches"),
        "watermark.filled_us": Figure(filled * 1e6, "µs", "the same, and the page put together with them"),
        "watermark.compile_ms": Figure(median(taken["compile"]) * 1e3, "ms", "to find their places, once"),
        "watermark.blind_decode_ms": Figure(median(taken["blind"]) * 1e3, "ms", "read the frames of a whole copy"),
        "watermark.observe_ms": Figure(median(taken["observe"]) * 1e3, "ms", "lay a whole copy beside its article"),
        "watermark.gzip_bytes": Figure(float(more), "B", "more after gzip (level 6)"),
    }


Excerpt = Callable[[str, random.Random], str]


def _part(share: float) -> Excerpt:
    def cut(text: str, drawn: random.Random) -> str:
        words = text.split()
        number = max(1, round(share * len(words)))
        first = drawn.randrange(len(words) - number + 1)
        return " ".join(words[first : first + number])

    return cut


def _paragraph(text: str, drawn: random.Random) -> str:
    """Three whole sentences, as many as a paragraph has: not every way keeps paragraphs apart."""
    words = text.split()
    ends = [at for at, one in enumerate(words) if "." in one]
    first = drawn.randrange(max(1, len(ends) - 3))
    return " ".join(words[ends[first] + 1 : ends[first + 3] + 1]) if len(ends) > 3 else text


def _sentence(text: str, drawn: random.Random) -> str:
    ends = [at for at, one in enumerate(text.split()) if "." in one]
    last = drawn.choice([at for at in ends if at >= 12] or [len(text.split()) - 1])
    return " ".join(text.split()[max(0, last - 14) : last + 1])


def _twenty(text: str, drawn: random.Random) -> str:
    words = text.split()
    first = drawn.randrange(max(1, len(words) - 20))
    return " ".join(words[first : first + 20])


EXCERPTS: dict[str, Excerpt] = {
    "full": lambda text, drawn: text,
    "half": _part(0.5),
    "quarter": _part(0.25),
    "paragraph": _paragraph,
    "sentence": _sentence,
    "twenty_words": _twenty,
}


LIGHT = ("contentguard", "bs4", "bs4 stripped", "trafilatura", "readability", "justext", "lxml", "lynx", "w3m")
"""Ways that a short run takes, where they are installed."""


def _survival(options: Options) -> Figures:
    if options.quick:
        known = extractors()
        return _survived({name: known[name] for name in LIGHT}, 2, 2)
    with browsed.ways() as browsers:
        return _survived({**extractors(), **browsers}, 20, 50)


def _survived(every: Mapping[str, Way | None], articles: int, readers: int) -> Figures:
    ways = {name: way for name, way in every.items() if way is not None}
    absent = [name for name, way in every.items() if way is None]
    progress(f"watermark: {articles * readers} copies through {len(ways)} ways; absent: {', '.join(absent) or 'none'}")
    blind: Counter[tuple[str, str]] = Counter()
    informed: Counter[str] = Counter()
    drawn = random.Random(1)
    for number in range(articles):
        one = Subject(number)
        for _ in range(readers):
            serial = drawn.randrange(2**40)
            page = one.page(one.made.copy(_KEYS, one.name, serial))
            for name, way in ways.items():
                text = way(page)
                for excerpt, cut in EXCERPTS.items():
                    part = cut(text, drawn)
                    named = one.is_blind(part, serial)
                    blind[name, excerpt] += named
                    if excerpt == "twenty_words":
                        informed[name] += named or one.bits(part, serial) >= _ENOUGH
    copies = articles * readers
    for name in ways:
        shares = [f"{excerpt} {blind[name, excerpt] / copies:.2%}" for excerpt in EXCERPTS]
        progress(f"{name:15} blind: {', '.join(shares)}; by the log: twenty_words {informed[name] / copies:.2%}")
    told = f"of {copies * len(ways)} copies out of {len(ways)} ways"
    figures = {}
    for excerpt in EXCERPTS:
        found = {name: informed[name] if excerpt == "twenty_words" else blind[name, excerpt] for name in ways}
        by, worst = "by the log" if excerpt == "twenty_words" else "blind", min(found, key=lambda name: found[name])
        figures[f"watermark.{excerpt}_traced"] = Figure(
            sum(found.values()) / copies / len(ways),
            "",
            f"{excerpt.replace('_', ' ')}: share traced {by}, {told}; {found[worst] / copies:.2%} out of {worst}",
        )
    return figures


def _peers(options: Options) -> Figures:
    """Other packages beside ours; not in a short run."""
    if options.quick:
        return {}
    progress("watermark: peers")
    plain = [Subject(number) for number in range(20)]
    texts = [read([*one.made.texts], one.paragraphs) for one in plain]
    known = extractors()
    return peers.survived(texts, {name: way for name in LIGHT if (way := known[name]) is not None}, EXCERPTS)


def _innocents(options: Options) -> Figures:
    number = 20_000 if options.quick else 10_000_000
    progress(f"watermark: {number:,} innocents")
    drawn = random.Random(2)
    found = list(_suspects(drawn))
    each = number // len(found)
    reached, most = 0, 0.0
    for one, text in found:
        first = drawn.randrange(2**39)
        for score in ranking.scores(one.made, observe(one.made, text), _KEYS, one.name, range(first, first + each)):
            most = max(most, score)
            reached += score >= _ENOUGH
    total = each * len(found)
    return {
        "watermark.false_accusations": Figure(float(reached), "", f"of {total:,} innocents with {_ENOUGH:.1f} bits"),
        "watermark.most_innocent_bits": Figure(most, "", "bits: the most that any of them has"),
    }


def _suspects(drawn: random.Random) -> Iterator[tuple[Subject, str]]:
    for number, cut in product(range(4), ("full", "paragraph", "twenty_words")):
        one = Subject(number)
        yield one, EXCERPTS[cut](read(one.made.copy(_KEYS, one.name, 2**40 - 1), one.paragraphs), drawn)
