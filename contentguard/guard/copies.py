"""Whose copy a page is: the marks that it carries, by the pass of the reader that it is for.

Strategy: a page's marks are worked out once; a copy is a look-up for each. A payload names a pass (a visit, where there
is none yet), an account where the app knows one, or a robot that is let have articles; never a person. Search engines
get the article as its author wrote it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import anyio

from contentguard.guard.visits import Visit
from contentguard.model import Facts, Purpose
from contentguard.rewrite.marking import Marking
from contentguard.rewrite.pages import Pages, Shelf
from contentguard.rewrite.plan import Plan, Values
from contentguard.settings import Settings
from contentguard.tokens import Signer
from contentguard.watermark.compiled import Compiled
from contentguard.watermark.keys import epoch_at, keys_of
from contentguard.watermark.token import serial_of


class Copies:
    """The marks of one site's articles."""

    def __init__(self, settings: Settings, signer: Signer, note: Callable[..., None]) -> None:
        """``note`` counts a failure by its name."""
        self._note = note
        self._channels = settings.watermark
        self.secrets = signer.derived("marks")
        """The keys of the marks: the first makes them, all read them."""
        self._serials = signer.derive("serials")

    def compile(self, paragraphs: Sequence[Sequence[str]], wide: bool) -> Compiled:
        """An article as its marks see it. ``wide``: whether any character may be put in, or only ASCII."""
        return Compiled(paragraphs, self._channels, wide=wide)

    def name(self, visit: Visit, facts: Facts) -> str:
        """Whom a copy is for; empty where that is nobody in particular."""
        crawler = facts.crawler
        if crawler is not None and crawler.purpose is Purpose.SEARCH:
            return ""
        if crawler is not None:
            return f"crawler {crawler.name}"
        if visit.account:
            return f"account {visit.account}"
        given = visit.new or visit.given
        return visit.key if given is None else given.id

    def serial(self, name: str) -> int:
        """The serial of whom a copy is for."""
        return serial_of(self._serials, name)

    async def values(self, pages: Pages, shelf: Shelf, plan: Plan, visit: Visit | None, facts: Facts) -> Values:
        """What a copy has in the places of its marks; where these are is worked out once, off the event loop.

        ``visit``: of whom it is for; None for nobody in particular.
        """
        try:
            marking = await anyio.to_thread.run_sync(pages.marked, shelf, plan) if plan.mark else plan.marking
        except Exception:
            self._note("marks-failed", "an article could not be marked", failed=True)
            return {}
        if marking is None:
            return {}
        try:
            name = "" if visit is None else self.name(visit, facts)
            return self.marks(marking, plan.url or str(shelf.key[0]), name, facts.now) if name else marking.plain
        except Exception:
            self._note("marks-failed", "a copy could not be marked", failed=True)
            return marking.plain

    def marks(self, marking: Marking, article: str, name: str, now: float) -> Values:
        """The same for who is called ``name``. ``article`` names the page."""
        made = marking.article
        assert isinstance(made, Compiled)
        keys = keys_of(self.secrets[0], epoch_at(now))
        return dict(enumerate(made.marks(keys, article.encode("utf-8", "surrogatepass"), self.serial(name))))
