"""Whose copy a page is: the marks that it carries, by the pass of the reader that it is for.

Strategy: a page's marks are worked out once; a copy is a look-up for each. A payload names a pass (a visit, where there
is none yet), an account where the app knows one, or a robot that is let have articles; never a person. Search engines
get the article as its author wrote it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from contentguard.addresses import neighbourhood
from contentguard.backends import Issued, Revision
from contentguard.backends.recording import Recorder, hashed
from contentguard.errors import Fault, SettingsError
from contentguard.guard.buckets import Buckets, Kept
from contentguard.guard.once import Once
from contentguard.guard.visits import Visit
from contentguard.model import Facts, Purpose, Verdict
from contentguard.policy.rules import READER
from contentguard.rewrite.marking import Marking, Opening
from contentguard.rewrite.page import Field
from contentguard.rewrite.pages import Pages, Shelf
from contentguard.rewrite.plan import Plan
from contentguard.rewrite.template import MARKS, Values
from contentguard.settings import Settings
from contentguard.tokens import Signer
from contentguard.turns import Turns
from contentguard.watermark.buckets import serial_of_bucket
from contentguard.watermark.compiled import Compiled
from contentguard.watermark.keys import epoch_at, keys_of
from contentguard.watermark.token import serial_of


class Whom(NamedTuple):
    """For whom a copy is made, and why they get it."""

    visit: Visit
    facts: Facts
    verdict: Verdict


class Subscriber(NamedTuple):
    """For whom a copy of a feed is made."""

    serial: int
    """What their copies of pages are marked with, too."""
    facts: Facts
    verdict: Verdict
    address: str
    """What names their address of the feed."""

    @property
    def epoch(self) -> int:
        """When the keys of the marks were last changed."""
        return epoch_at(self.facts.now)


class Copies:
    """The marks of one site's articles."""

    def __init__(self, settings: Settings, signer: Signer, note: Callable[..., None]) -> None:
        """``note`` counts a failure by its name."""
        self._note = note
        self.evidence = _opened(settings, signer)
        """Where it is written down who was given which copy; None where that is not wanted."""
        self._hashes, self._kind_of = signer.derive("evidence"), settings.policy.compiled.kind_of
        self._channels = settings.watermark
        self._once = Once()
        self.secrets = signer.derived("marks")
        """The keys of the marks: the first makes them, all read them."""
        self._serials = signer.derive("serials")
        number = settings.watermark.buckets
        self.buckets = Buckets(number, self.secrets) if number else None
        """Which copies shared caches may keep; None where they may keep none."""

    def compile(self, paragraphs: Sequence[Sequence[str]], wide: bool) -> Compiled:
        """A text as its marks see it. ``wide``: whether it may hold all of Unicode."""
        return Compiled(paragraphs, self._channels, wide=wide)

    def compiling(
        self, paragraphs: Sequence[Sequence[str]], wide: bool, openings: Sequence[Opening]
    ) -> Turns[Compiled]:
        """The same of a page's article, in turns; it has start tags."""
        return Compiled.in_turns(paragraphs, self._channels, wide=wide, openings=openings)

    def name(self, visit: Visit, facts: Facts) -> str:
        """Whom a copy is for; empty where that is nobody in particular."""
        crawler = facts.crawler
        if crawler is not None and self._kind_of(crawler) != READER:
            return "" if crawler.purpose is Purpose.SEARCH else f"crawler {crawler.name}"
        if visit.account:
            return f"account {visit.account}"
        given = visit.new or visit.given
        return visit.key if given is None else given.id

    def serial(self, name: str) -> int:
        """The serial of whom a copy is for."""
        return serial_of(self._serials, name)

    async def values(self, pages: Pages, shelf: Shelf, plan: Plan, whom: Whom | None, now: float) -> Values:
        """What a copy has in the places of its marks; where these are is worked out once.

        ``whom``: None for nobody in particular.
        """
        article = plan.url or str(shelf.key[0])
        marking = await self.marked(pages, shelf, plan)
        if marking is None:
            return {}
        try:
            if self.evidence is not None:
                # Whoever divided the page may have found its places first: what is known already costs a look-up.
                self.evidence.learn(_revision(marking, article, now))
            name = "" if whom is None else self.name(whom.visit, whom.facts)
            if whom is None or not name:
                return marking.plain
            serial = self.serial(name)
            if self.evidence is not None:
                self.evidence.record(self._issued(marking, article, serial, whom))
            return self._marks(marking, article, serial, now)
        except Exception:
            self._note("marks-failed", "a copy could not be marked", failed=True)
            return marking.plain

    def of_text(self, made: Compiled, article: str, subscriber: Subscriber) -> Sequence[bytes]:
        """The marks of one text of a subscriber's feed; ``article`` is what names the page that it is the text of."""
        serial, facts, verdict, address = subscriber
        try:
            if self.evidence is not None:
                self.evidence.learn(Revision(article, made.revision, made.paragraphs, made.channels, facts.now))
                self.evidence.record(self._given(article, made.revision, serial, facts, verdict, address))
            return made.marks(keys_of(self.secrets[0], epoch_at(facts.now)), article.encode(), serial)
        except Exception:
            self._note("marks-failed", "a copy could not be marked", failed=True)
            return made.plain

    async def marked(self, pages: Pages, shelf: Shelf, plan: Plan) -> Marking | None:
        """Where a page's marks go; None where there are none. Worked out once, in turns with whatever else there is."""
        try:
            while plan.mark is not None:
                if await self._once.done(id(plan), plan.being_marked):
                    pages.reweigh(shelf)
        except Exception:
            self._note("marks-failed", "an article could not be marked", failed=True)
        return plan.marking

    async def shared(self, pages: Pages, shelf: Shelf, plan: Plan, whom: Whom) -> tuple[int, Values]:
        """The bucket whose copy a cache asks for, and what that has in the places of its marks; -1 where the reader
        gets a copy of their own."""
        if self.buckets is None or (marking := await self.marked(pages, shelf, plan)) is None:
            return -1, {}
        try:
            return self._shared(self.buckets, marking, str(shelf.key[0]), plan, whom)
        except Exception:
            self._note("marks-failed", "a copy could not be marked", failed=True)
            return -1, {}

    def _shared(self, buckets: Buckets, marking: Marking, path: str, plan: Plan, whom: Whom) -> tuple[int, Values]:
        (visit, facts, _), made, article = whom, marking.article, plan.url or path
        assert isinstance(made, Compiled)
        buckets.keep(path, Kept(article, made.revision, plan.name or path))
        name = self.name(visit, facts)
        number = buckets.asked(visit, facts, self.serial(name), article) if name else -1
        if number < 0:
            return -1, {}
        serial = serial_of_bucket(article.encode("utf-8", "surrogatepass"), number)
        if self.evidence is not None:
            self.evidence.learn(_revision(marking, article, facts.now))
            self.evidence.record(_of_bucket(article, made.revision, serial, number, facts))
        return number, {**self._marks(marking, article, serial, facts.now), Field.COPY_NUMBER: b"B%d" % number}

    def opened(self, article: Kept, serial: int, whom: Whom) -> None:
        """A reader was told his bucket of an article."""
        if self.evidence is not None:
            self.evidence.record(self._row(article.name, article.revision, serial, whom))

    def _issued(self, marking: Marking, article: str, serial: int, whom: Whom) -> Issued:
        """What is written down of a copy."""
        made = marking.article
        assert isinstance(made, Compiled)
        return self._row(article, made.revision, serial, whom)

    def _row(self, article: str, revision: bytes, serial: int, whom: Whom) -> Issued:
        given = whom.visit.new or whom.visit.given
        whose = whom.visit.key if given is None else given.id
        return self._given(article, revision, serial, whom.facts, whom.verdict, whose)

    def _given(self, article: str, revision: bytes, serial: int, facts: Facts, verdict: Verdict, whose: str) -> Issued:
        """What is written down. No address: a keyed hash of it."""
        return Issued(
            serial,
            epoch_at(facts.now),
            article,
            revision,
            facts.now,
            facts.policy_version,
            hashed(self._hashes, facts.client or ""),
            hashed(self._hashes, neighbourhood(facts.client)),
            (facts.header(b"user-agent") or b"").decode("latin-1"),
            verdict.action.value,
            verdict.rule,
            verdict.score,
            whose,
        )

    def _marks(self, marking: Marking, article: str, serial: int, now: float) -> Values:
        made = marking.article
        assert isinstance(made, Compiled)
        keys = keys_of(self.secrets[0], epoch_at(now))
        marks, suffix = made.fills(keys, article.encode("utf-8", "surrogatepass"), serial)
        return {MARKS: marks, Field.MARK: suffix}


def _of_bucket(article: str, revision: bytes, serial: int, number: int, facts: Facts) -> Issued:
    """What is written down of a copy that is nobody's in particular."""
    epoch, visit = epoch_at(facts.now), f"bucket {number}"
    return Issued(
        serial, epoch, article, revision, facts.now, facts.policy_version, "", "", "", "allow", "", 0.0, visit
    )


def _revision(marking: Marking, article: str, now: float) -> Revision:
    """What is remembered of an article's text."""
    made = marking.article
    assert isinstance(made, Compiled)
    return Revision(article, made.revision, made.paragraphs, made.channels, now, made.tags)


def _opened(settings: Settings, signer: Signer) -> Recorder | None:
    chosen = settings.evidence
    if not chosen.url:
        return None
    try:
        from contentguard.backends.evidence import EvidenceLog
    except ImportError as error:
        wanted = "the extra evidence: pip install 'contentguard[evidence]'"
        raise SettingsError([Fault("evidence.url", f"no SQLAlchemy ({error})", wanted)]) from None
    key = signer.derive("fingerprints")
    try:
        EvidenceLog(chosen.url, key).close()
    except ValueError as error:
        raise SettingsError([Fault("evidence.url", str(error), "a database that can be opened")]) from None
    return Recorder(lambda: EvidenceLog(chosen.url, key), days=chosen.days)
