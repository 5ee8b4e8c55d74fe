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
from typing import TYPE_CHECKING, NamedTuple

from contentguard.cli.finding import Article, Bucket, Part, Reader, Trace
from contentguard.cli.passages import less_published, observed, quoted, within
from contentguard.cli.suspects import Suspect
from contentguard.watermark import html
from contentguard.watermark.blind import frames
from contentguard.watermark.buckets import MOST, bucket, bucket_of
from contentguard.watermark.buckets import sums as bucket_sums
from contentguard.watermark.code import seed, stream
from contentguard.watermark.compiled import Channels, Compiled
from contentguard.watermark.frames import payloads, symbols, word
from contentguard.watermark.keys import keys_of, latest
from contentguard.watermark.observed import Observed
from contentguard.watermark.ranking import frame_scores, mean, scores, summed
from contentguard.watermark.score import Bits, Sums, added, averaged, needed, sums
from contentguard.watermark.token import read, write
from contentguard.watermark.winnow import SHINGLE, Overlap, candidates, fingerprints, overlap
from contentguard.watermark.words import Word, split

if TYPE_CHECKING:
    from contentguard.backends.evidence import EvidenceLog

LEAST_READERS = 1000
"""Of how many readers one is told, however few the log knows: it may not know all."""
_FINALISTS = 20
_UNLOGGED = 4
"""Texts of an article that somebody is held against of whom the log knows nothing."""


class _Held(NamedTuple):
    """One text beside one state of an article, under one set of keys."""

    article: Compiled
    seen: Observed
    secret: bytes
    epoch: int


@dataclass(slots=True)
class _Case:
    """All that is known of one article."""

    texts: list[tuple[Suspect, bool]] = field(default_factory=list)
    """Each with whether it has words of the article."""
    bare: bool = False
    """Whether one of them has no frame that names anybody."""
    framed: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Serial → epochs of frames that name it."""
    held: list[tuple[_Held, list[int]]] = field(default_factory=list)
    """With the serials that were given this."""
    buckets: list[Bucket] = field(default_factory=list)
    """Of which copies for shared caches its texts are."""


class Tracer:
    """Traces copies by one evidence log. ``secrets``: of the marks, the present one first; ``key``: of fingerprints."""

    def __init__(self, log: EvidenceLog, secrets: Sequence[bytes], keys: Sequence[bytes], epoch: int) -> None:
        self._log, self._secrets, self._keys, self._epoch = log, tuple(secrets), tuple(keys), epoch
        self._compiled = lru_cache(maxsize=64)(self._states)
        self._cases: dict[str, _Case] = defaultdict(_Case)
        self._suspects: list[Suspect] = []
        self._articles: list[Article] = []

    # -- which article -----------------------------------------------------------------------------------------

    def add(self, suspect: Suspect) -> None:
        """Look which articles a text has parts of. Raises ``EvidenceError``."""
        words = split(suspect.text)
        similar = {name: (state, found) for name, state, found in self._similar([word.plain for word in words])}
        suspect, published = less_published(suspect, (state for name in similar for state in self._compiled(name)))
        words = split(suspect.text) if published else words
        self._suspects.append(suspect)
        names = sorted({*similar, *self._framed(suspect.text)})
        told = frames(suspect.text, self._secrets, self._epoch, map(_encoded, names))
        names = [name for name in names if name in similar or self._stands(name, words)]
        foreign = told.foreign + sum(one.article not in set(map(_encoded, names)) for one in told.genuine)
        for name in names:
            genuine = [one for one in told.genuine if one.article == _encoded(name)]
            if name not in similar and not genuine:
                continue
            case = self._cases[name]
            case.texts.append((suspect, name in similar))
            case.bare = case.bare or not genuine
            for one in genuine:
                case.framed[one.serial].add(one.epoch)
            state, found = similar.get(name, (None, None))
            quotes, spans = quoted(suspect.text, words, state, found)
            self._articles.append(Article(name, suspect.name, found, quotes, len(genuine), foreign, spans, published))

    def _similar(self, words: Sequence[str]) -> Iterator[tuple[str, Compiled, Overlap]]:
        """The articles whose words a text has, each in the state of which it has most."""
        names: dict[str, None] = {}
        for key in self._keys:
            prints = sorted(fingerprints(words, key))
            names |= dict.fromkeys(candidates(self._log.owners(prints), len(prints)))
        for name in names:
            every = [(overlap([word.plain for word in state.words], words), state) for state in self._compiled(name)]
            if every and (best := max(every, key=lambda one: one[0].words))[0].copied:
                yield name, best[1], best[0]

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

    def _stands(self, name: str, words: Sequence[Word]) -> bool:
        """Whether a frame in a text stands after words that its article has: else somebody put it there."""
        states = self._compiled(name)
        tails = [
            [one.plain for one in words[max(0, at + 1 - SHINGLE) : at + 1]]
            for at, word in enumerate(words)
            if symbols(word.raw)
        ]
        return not states or any(within(tail, state) for tail in tails for state in states)

    def _states(self, name: str) -> list[Compiled]:
        return [Compiled(one.paragraphs, one.channels, tags=one.tags) for one in self._log.revisions(name)]

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
        wanted = dict.fromkeys([*best, *sorted(framed)])
        buckets = self._bucketed({*totals, *framed}, epsilon)
        if buckets:
            wanted |= dict.fromkeys(self._in_buckets())
        finalists = [self._reader(serial) for serial in wanted if bucket_of(serial) < 0]
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
            tuple(buckets),
        )

    def _bucketed(self, serials: Iterable[int], epsilon: float) -> list[Bucket]:
        """Of which copies for shared caches the texts are; each is told of the few that its article has."""
        enough = needed(MOST, epsilon)
        own = [serial for serial in serials if bucket_of(serial) >= 0]
        for name, case in self._cases.items():
            number = max((state.channels.buckets for state in self._compiled(name)), default=0)
            parts = [(serial, self._part(name, case, serial)) for serial in own if number]
            case.buckets = [
                Bucket(name, part.epoch, bucket_of(serial), number, part.bits.total)
                for serial, part in parts
                if part is not None and part.bits.total >= enough
            ]
        return [one for case in self._cases.values() for one in case.buckets]

    def _in_buckets(self) -> list[int]:
        """The passes for which most speaks by the buckets that copies are of."""
        known = {
            serial
            for name, case in self._cases.items()
            for copies in (self._log.copies(name) if case.buckets else ())
            for serial in self._log.serials(name, copies.revision, copies.epoch)
            if bucket_of(serial) < 0
        }
        cases = [(name, case) for name, case in self._cases.items() if case.buckets]

        def total(serial: int) -> float:
            return averaged(added(self._by_bucket(name, case, serial) for name, case in cases))

        return sorted(known, key=lambda serial: (-total(serial), serial))[:_FINALISTS]

    def _by_bucket(self, name: str, case: _Case, serial: int) -> Sums:
        """What the copies of one article's buckets say of a reader: each of several may be his, under any key."""
        every = [
            bucket_sums(one.number, bucket(keys_of(secret, one.epoch), _encoded(name), serial, one.number) == one.which)
            for one in case.buckets
            for secret in self._secrets
        ]
        return [mean(several) for several in zip(*every, strict=True)]

    def _held(self, name: str, case: _Case) -> Iterator[tuple[_Held, list[int]]]:
        """Each text beside each state of an article of which copies left, and who was given those."""
        states = {state.revision: state for state in self._compiled(name)}
        for copies in self._log.copies(name):
            article = states.get(copies.revision)
            if article is None:
                continue
            # Where frames name somebody, he is held against the marks, and nobody else.
            known = self._log.serials(name, copies.revision, copies.epoch)
            serials = known if case.bare else [serial for serial in known if serial in case.framed]
            for suspect, found in case.texts:
                seen = observed(article, suspect, found)
                yield from ((_Held(article, seen, secret, copies.epoch), serials) for secret in self._secrets)

    def _totals(self) -> dict[int, float]:
        """For each reader what gaps and variants say of him, in bits."""
        by_article: defaultdict[int, list[float]] = defaultdict(list)
        for name, case in self._cases.items():
            own: defaultdict[int, list[float]] = defaultdict(list)
            encoded = _encoded(name)
            for held, serials in case.held:
                keys = keys_of(held.secret, held.epoch)
                other = held.seen.bytes_at or held.seen.bits_at or held.seen.chosen or held.seen.orders
                alone = held.seen.symbols and not other
                found = (
                    frame_scores(held.seen, keys, encoded, serials)
                    if alone and not case.framed
                    else scores(held.article, held.seen, keys, encoded, serials)
                )
                for serial, told in zip(serials, found, strict=True):
                    own[serial].append(told)
            for serial, several in own.items():
                by_article[serial].append(mean(several))
        return {serial: summed(several) for serial, several in by_article.items()}

    def _reader(self, serial: int) -> Reader:
        parts = [part for name, case in self._cases.items() if (part := self._part(name, case, serial)) is not None]
        total = -inf
        if parts:
            # Two ways of adding up: each article may be another's, or all were mixed alike. Their mean holds the bound.
            alike = averaged(added(part.sums for part in parts))
            total = mean([summed([part.bits.total for part in parts]), alike])
        return Reader(serial, total, tuple(parts), tuple(self._log.rows(serial=serial)))

    def _part(self, name: str, case: _Case, serial: int) -> Part | None:
        """What one article says of a reader, by all its channels; or by its buckets, where it is a copy of one."""
        if case.buckets and bucket_of(serial) < 0 and all(bucket_of(one) >= 0 for one in case.framed):
            by = self._by_bucket(name, case, serial)
            total = averaged(by)
            return Part(name, Bits(total, 0.0, 0.0, 0.0, buckets=total), case.buckets[0].epoch, False, by)
        held = [one for one, serials in case.held if serial in serials]
        if not held and serial in case.framed:
            held = list(self._unlogged(name, case, case.framed[serial]))
        if not held:
            return None
        encoded = _encoded(name)
        every = [self._exact(one, encoded, serial) for one in held]
        channels = [[mean(several) for several in zip(*same, strict=True)] for same in zip(*every, strict=True)]
        whole = [mean(several) for several in zip(*map(added, every), strict=True)]
        return Part(name, Bits(averaged(whole), *map(averaged, channels)), held[0].epoch, serial in case.framed, whole)

    def _unlogged(self, name: str, case: _Case, epochs: Iterable[int]) -> Iterator[_Held]:
        """As what a text may be held against somebody whom only a frame names."""
        states = self._compiled(name)[:_UNLOGGED] or [Compiled((), Channels())]
        for epoch in sorted(epochs):
            for suspect, found in case.texts:
                for article in states:
                    seen = observed(article, suspect, found)
                    yield from (_Held(article, seen, secret, epoch) for secret in self._secrets)

    def _exact(self, held: _Held, name: bytes, serial: int) -> tuple[Sums, Sums, Sums, Sums]:
        keys = keys_of(held.secret, held.epoch)
        start = seed(keys, name, held.article.revision)
        code, own = stream(start, serial, held.article.size), word(keys.epoch, write(keys, serial, name))
        tags = html.code(start, serial) if held.seen.orders else ()
        return sums(held.article, held.seen, code, held.article.odds(start), own, tags)


def _encoded(name: str) -> bytes:
    """What names an article in its marks."""
    return name.encode("utf-8", "surrogatepass")
