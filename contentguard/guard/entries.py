"""What becomes of who wants an article, and of a ticket: the answers of ``admissions``."""

from __future__ import annotations

from typing import NamedTuple

from contentguard.admission.passes import Pass
from contentguard.admission.tickets import Ticket

CROWDED = "too-many"


class Entry(NamedTuple):
    """What a client gets of an article."""

    whole: bool
    wait: float = 0.0
    """Seconds until it may be opened whole, where that is only a matter of time."""


class Redeemed(NamedTuple):
    """What became of a ticket."""

    ticket: Ticket | None = None
    given: Pass | None = None
    """The pass that it has earned."""
    wait: float = 0.0
    """Seconds after which to come again; the ticket is as good as before only where it was early."""
    trouble: str = ""
    """Why it was not accepted; empty where it was."""

    @property
    def crowded(self) -> bool:
        """Whether it was as good as any, and only no pass is given out at the moment."""
        return self.trouble == CROWDED


WHOLE, LEAD = Entry(whole=True), Entry(whole=False)
