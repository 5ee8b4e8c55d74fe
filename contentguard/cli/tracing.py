"""Whose copy it is: from texts to articles, from articles to readers, with what speaks for each in bits.

    text ─▶ article? (frames that say whose, or words in common) ─▶ marks seen ─▶ each reader's code ─▶ bits, summed

Strategy: frames name a serial at once. Where they are gone, everybody whom the log knows to have opened the article is
scored. Whose code is drawn independently is what may be summed: different articles. Several texts of one article, its
several states and keys are averaged instead, which holds the bound on a false accusation whatever they have in common.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import inf
from typing import NamedTuple

from contentguard.backends import Issued
from contentguard.backends.evidence import Copies, EvidenceLog
from contentguard.cli.suspects import Suspect
from contentguard.watermark.blind import frames
from contentguard.watermark.code import seed, stream
from contentguard.watermark.compiled import Channels, Compiled
from contentguard.watermark.frames import payloads, symbols, word
from contentguard.watermark.keys import keys_of, latest
from contentguard.watermark.observed import Observed, observe
from contentguard.watermark.ranking import frame_scores, scores, summed
from contentguard.watermark.score import Bits, averaged, bits, needed
from contentguard.watermark.token import read, write
from contentguard.watermark.winnow import Overlap, candidates, fingerprints, overlap
from contentguard.watermark.words import Word, split

LEAST_READERS = 1000
"""Of how many readers one is told, however few the log knows: it may not know all."""
_FINALISTS = 20
_UNLOGGED = 4
"""Texts of an article that somebody is held against of whom the log knows nothing."""


class Article(NamedTuple):
    """An article that a text has parts of."""

    name: str
    suspect: str
    overlap: Overlap | None
    """None where only frames tell: its text is not in the index."""
    quotes: tuple[tuple[str, str], ...]
    """Passages: as they stand in the text, and as in the article."""
    genuine: int
    """Frames that name one of its copies."""
    foreign: int
    """Frames that belong to no article found: moved, made up, or of other keys."""
    spans: tuple[tuple[int, int], ...]
    """Where the passages stand in the text, in characters."""


class Part(NamedTuple):
    """What one article says of a reader."""

    article: str
    bits: Bits
    epoch: int
    framed: bool
    """Whether a frame names him."""


class Reader(NamedTuple):
    """Somebody whose copy it may be."""

    serial: int
    bits: float
    parts: tuple[Part, ...]
    rows: tuple[Issued, ...]
    """When and to whom it was given; empty where the log does not know it, or no more."""


class Trace(NamedTuple):
    """What came of it."""

    suspects: tuple[Suspect, ...]
    articles: tuple[Article, ...]
    named: tuple[Reader, ...]
    """Those with enough bits, the surest first."""
    others: tuple[Reader, ...]
    """The likeliest of those without: none of them is accused of anything."""
    readers: int
    epsilon: float
    needed: float
    scored: int
    """Readers that were compared."""


class _Held(NamedTuple):
    """One text beside one state of an article, under one set of keys."""

    article: Compiled
    seen: Observed
    secret: bytes
    epoch: int


@dataclass(slots=True)
class _Case:
    """All that is known of one article."""

    texts: list[tuple[str, Overlap | None]] = field(default_factory=list)
    framed: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Serial → epochs of frames that name it."""
    held: list[tuple[_Held, list[int]]] = field(default_factory=list)
    """With the serials that were given this."""


class Tracer:
    """Traces copies by one evidence log. ``secrets``: of the marks, the present one first; ``key``: of fingerprints."""

    def __init__(self, log: EvidenceLog, secrets: Sequence[bytes], key: bytes, epoch: int) -> None:
        self._log, self._secrets, self._key, self._epoch = log, tuple(secrets), key, epoch
        self._compiled = lru_cache(maxsize=64)(self._states)
        self._cases: dict[str, _Case] = defaultdict(_Case)
        self._suspects: list[Suspect] = []
        self._articles: list[Article] = []

    # -- which article -----------------------------------------------------------------------------------------

    def add(self, suspect: Suspect) -> None:
        """Look which articles a text has parts of. Raises ``EvidenceError``."""
        self._suspects.append(suspect)
        words = split(suspect.text)
        overlaps = dict(self._similar([word.plain for word in words]))
        names = sorted({*overlaps, *self._framed(suspect.text)})
        found = frames(
            suspect.text, self._secrets, self._epoch, [name.encode("utf-8", "surrogatepass") for name in names]
        )
        for name in names:
            genuine = [one for one in found.genuine if one.article == name.encode("utf-8", "surrogatepass")]
            if name not in overlaps and not genuine:
                continue
            case = self._cases[name]
            case.texts.append((suspect.text, overlaps.get(name)))
            for one in genuine:
                case.framed[one.serial].add(one.epoch)
            self._articles.append(self._told(suspect, words, name, overlaps.get(name), len(genuine), found.foreign))

    def _similar(self, words: Sequence[str]) -> Iterator[tuple[str, Overlap]]:
        prints = sorted(fingerprints(words, self._key))
        for name in candidates(self._log.owners(prints), len(prints)):
            states = self._compiled(name)
            found = overlap([word.plain for word in states[0].words], words) if states else None
            if found is not None and found.copied:
                yield name, found

    def _framed(self, text: str) -> set[str]:
        """The articles that were given to whoever frames say, whether that is true or not."""
        serials = {
            read(keys_of(secret, own), token)[0]
            for short, token in payloads(text)
            for own in (latest(short, self._epoch),)
            for secret in self._secrets
            if own >= 0
        }
        return self._log.articles_of(sorted(serials)) if serials else set()

    def _states(self, name: str) -> list[Compiled]:
        return [Compiled(one.paragraphs, one.channels) for one in self._log.revisions(name)]

    def _told(
        self, suspect: Suspect, words: Sequence[Word], name: str, found: Overlap | None, genuine: int, foreign: int
    ) -> Article:
        passages = found.passages if found else ()
        original = self._compiled(name)[0].words if found else []
        spans = tuple(_span(words, one.suspect, one.length) for one in passages)
        quotes = tuple(
            (
                suspect.text[start:end],
                " ".join(f"{one.lead} {one.raw}".strip() for one in original[at.article : at.article + at.length]),
            )
            for (start, end), at in zip(spans, passages, strict=True)
        )
        return Article(name, suspect.name, found, quotes, genuine, foreign, spans)

    # -- whose copy --------------------------------------------------------------------------------------------

    def result(self, readers: int | None = None, epsilon: float = 1e-6) -> Trace:
        """What all texts together say. ``readers``: of how many one is told; else as the log knows, at least 1,000.

        Raises ``EvidenceError``, and ValueError where ``epsilon`` is no probability.
        """
        names = list(self._cases)
        if readers is None:
            readers = max(LEAST_READERS, self._log.readers(names) if names else 0)
        enough = needed(readers, epsilon)
        for name, case in self._cases.items():
            case.held = list(self._held(name, case))
        totals = self._totals()
        best = sorted(totals, key=lambda serial: (-totals[serial], serial))[:_FINALISTS]
        framed = {serial for case in self._cases.values() for serial in case.framed}
        finalists = [self._reader(serial) for serial in dict.fromkeys([*best, *sorted(framed)])]
        finalists.sort(key=lambda one: (-one.bits, one.serial))
        return Trace(
            tuple(self._suspects),
            tuple(self._articles),
            tuple(one for one in finalists if one.bits >= enough),
            tuple(one for one in finalists if 0.0 < one.bits < enough)[:5],
            readers,
            epsilon,
            enough,
            len(totals),
        )

    def _held(self, name: str, case: _Case) -> Iterator[tuple[_Held, list[int]]]:
        """Each text beside each state of an article of which copies left, and who was given those."""
        states = {state.revision: state for state in self._compiled(name)}
        for copies in self._copies(name, case):
            article = states.get(copies.revision)
            if article is None:
                continue
            # Where frames name somebody, he is held against the marks, and nobody else.
            known = self._log.serials(name, copies.revision, copies.epoch)
            serials = [serial for serial in known if serial in case.framed] if case.framed else known
            for text, found in case.texts:
                seen = observe(article, text) if found else Observed((), (), (), symbols(text), ())
                yield from ((_Held(article, seen, secret, copies.epoch), serials) for secret in self._secrets)

    def _copies(self, name: str, case: _Case) -> Iterable[Copies]:
        return self._log.copies(name)

    def _totals(self) -> dict[int, float]:
        """For each reader what gaps and variants say of him, in bits."""
        by_article: defaultdict[int, list[float]] = defaultdict(list)
        for name, case in self._cases.items():
            own: defaultdict[int, list[float]] = defaultdict(list)
            encoded = name.encode("utf-8", "surrogatepass")
            for held, serials in case.held:
                keys = keys_of(held.secret, held.epoch)
                alone = held.seen.symbols and not (held.seen.bytes_at or held.seen.bits_at or held.seen.chosen)
                found = (
                    frame_scores(held.seen, keys, encoded, serials)
                    if alone and not case.framed
                    else scores(held.article, held.seen, keys, encoded, serials)
                )
                for serial, told in zip(serials, found, strict=True):
                    own[serial].append(told)
            for serial, several in own.items():
                by_article[serial].append(several[0] if len(several) == 1 else averaged(several))
        return {serial: summed(several) for serial, several in by_article.items()}

    def _reader(self, serial: int) -> Reader:
        parts = [part for name, case in self._cases.items() if (part := self._part(name, case, serial)) is not None]
        total = summed([part.bits.total for part in parts]) if parts else -inf
        return Reader(serial, total, tuple(parts), tuple(self._log.rows(serial=serial)))

    def _part(self, name: str, case: _Case, serial: int) -> Part | None:
        """What one article says of a reader, by all its channels."""
        held = [one for one, serials in case.held if serial in serials]
        if not held and serial in case.framed:
            held = list(self._unlogged(name, case, case.framed[serial]))
        if not held:
            return None
        encoded = name.encode("utf-8", "surrogatepass")
        every = [self._exact(one, encoded, serial) for one in held]
        means = [averaged([getattr(one, which) for one in every]) for which in Bits._fields]
        return Part(name, Bits(*means), held[0].epoch, serial in case.framed)

    def _unlogged(self, name: str, case: _Case, epochs: Iterable[int]) -> Iterator[_Held]:
        """As what a text may be held against somebody whom only a frame names."""
        states = self._compiled(name)[:_UNLOGGED] or [Compiled((), Channels())]
        for epoch in sorted(epochs):
            for text, found in case.texts:
                for article in states:
                    seen = observe(article, text) if found else Observed((), (), (), symbols(text), ())
                    yield from (_Held(article, seen, secret, epoch) for secret in self._secrets)

    def _exact(self, held: _Held, name: bytes, serial: int) -> Bits:
        keys = keys_of(held.secret, held.epoch)
        start = seed(keys, name, held.article.revision)
        code, own = stream(start, serial, held.article.size), word(keys.epoch, write(keys, serial, name))
        return bits(held.article, held.seen, code, held.article.odds(start), own)


def _span(words: Sequence[Word], first: int, length: int) -> tuple[int, int]:
    last = words[first + length - 1]
    return words[first].start, last.start + len(last.raw)
