"""From a ticket to a pass: what to offer to whom, and what is granted to who comes back with it.

The order in which a ticket is redeemed, whatever goes wrong being a refusal: ``tickets.read`` (its MAC), ``check``
(here, now, this browser, this article), the store spends its id (atomically; already spent is a refusal), then
``proof.verify`` where it asks for work, and ``grant``.

Who is recognised already keeps their pass and gets the level on it. Otherwise the ticket's id becomes the pass's: a
ticket that is spent twice after all, for want of a store that is shared, then makes one pass twice and not two, with
one meter between them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from types import MappingProxyType
from typing import Any, ClassVar

from contentguard.admission.difficulty import NO_WORK, Algorithm, Difficulty
from contentguard.admission.maturity import Trust
from contentguard.admission.passes import Pass
from contentguard.admission.tickets import WAITER, Kind, Ticket, is_own_path, worth

LEVELS: Mapping[Algorithm, int] = MappingProxyType(
    {Algorithm.NONE: WAITER, Algorithm.PBKDF2: 2, Algorithm.SHA256: 2, Algorithm.SCRYPT: 3}
)
"""The level of a pass by what was done for it."""


@dataclass(frozen=True, slots=True)
class Tickets:
    """How tickets are offered. ValueError when the times make no sense."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    wait: float = 2.0
    """Seconds to wait for who does no work."""
    life: float = 1800.0
    """Seconds in which a ticket can be redeemed; the store remembers those that were for as long."""

    def __post_init__(self) -> None:
        """Refuse tickets that could never be redeemed, and those that would have to be remembered for ever."""
        if not 0.0 <= self.wait < self.life <= 86400.0:
            raise ValueError(f"a wait of {self.wait} s within a life of {self.life} s: 0 <= wait < life <= 86400")


def offer(
    now: float,
    name: str,
    asked: Difficulty,
    *,
    article: bytes,
    agent: bytes,
    prefix: bytes,
    path: str,
    options: Tickets,
) -> Ticket:
    """A ticket that asks for this work, or with ``NO_WORK`` to wait; ``tickets.write`` signs it.

    ``name``: 16 random hex digits; ``article``: ``tickets.article_tag``; the rest as a ``Ticket`` has it. A path that
    no ticket can hold loses its query; one that leads elsewhere becomes "/".
    """
    waits = asked == NO_WORK
    return Ticket(
        Kind.WAIT if waits else Kind.PROOF,
        LEVELS[asked.algorithm],
        asked,
        name,
        int((now + (options.wait if waits else 0.0)) * 1000),
        int((now + options.life) * 1000),
        article,
        agent,
        prefix,
        next((own for own in (path, path.partition("?")[0]) if is_own_path(own)), "/"),
    )


def seconds_left(ticket: Ticket, now: float) -> int:
    """Whole seconds after which a ticket is early no more: for Refresh and Retry-After."""
    return max(0, ceil(round(ticket.not_before / 1000 - now, 3)))


def grant(
    ticket: Ticket,
    now: float,
    *,
    proved: bool,
    prefix: bytes,
    visit: Pass | None = None,
    stands: Trust = Trust.STRANGER,
) -> Pass | None:
    """The pass for a ticket that was read, checked and spent; None where work was asked for and not ``proved``.

    ``prefix``: ``passes.short`` of the present address prefix. ``visit``: the valid pass that came along, if one did,
    and how it ``stands``; what it has earned already is never lost, nor is the time for which it has matured: who reads
    on is asked for a proof by each lead, and would otherwise never come of age.
    """
    if not ticket.not_before <= now * 1000 <= ticket.expires or (ticket.kind is Kind.PROOF and not proved):
        return None
    before = Pass(ticket.id) if visit is None else visit
    level = max(before.level, worth(ticket, prefix))
    issued = int(now) if stands is Trust.STRANGER else before.issued
    return before._replace(level=level, issued=issued, agent=ticket.agent, prefix=prefix)
