"""The outer world, behind protocols of one to four methods; any object that fits may stand in.

Strategy of the stores: each question that must be answered once for all callers is one atomic method, so that no
caller ever reads, thinks and then writes. Every method is given the time (seconds since the epoch) and, where something
has an end, that end; what has ended is as if it had never been. Keys are texts of any length; no store keeps them, only
keyed hashes of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import NamedTuple, Protocol

from contentguard.comments.decision import Opinion
from contentguard.comments.submission import Submission
from contentguard.errors import ContentGuardError
from contentguard.limits import Decision, Limit
from contentguard.watermark.compiled import Channels
from contentguard.watermark.html import Tag

MOST_ARTICLES = 1000
"""Articles of one meter, and the largest quota for a day that a meter can hold."""
MOST_MEMBERS = 64
"""Members that a set can have."""
MOST_COUNTED = 2**52
"""How far a counter counts: a double adds two such numbers exactly."""


class Store(Protocol):
    """What is remembered of clients between requests."""

    async def take(self, key: str, limit: Limit, now: float, cost: int = 1) -> Decision:
        """Take ``cost`` requests out of the bucket ``key`` at ``now`` (seconds), or say how long to wait.

        Atomic: of two callers at once, each sees the other's step. A refused request costs nothing. Buckets
        of different limits need different keys. ValueError when ``cost`` can never fit ``limit``.
        """
        ...

    async def peek(self, key: str, limit: Limit, now: float) -> Decision:
        """What ``take`` would answer at ``now``, without taking anything."""
        ...


class Spent(Protocol):
    """What may be used once: tickets, and the nonces of signatures."""

    async def spend(self, key: str, until: float, now: float) -> bool:
        """Spend ``key``: True for exactly one caller before ``until``; False for all others, and after it.

        A store whose memory is full of ids that may not be forgotten yet answers False, so that nothing is ever spent
        twice: whoever gives ids out must give out fewer than fit within their life. ValueError when ``until`` is not
        finite.
        """
        ...


class Quota(Protocol):
    """How many different articles one reader may have."""

    @property
    def hour(self) -> int:
        """Within any hour."""
        ...

    @property
    def day(self) -> int:
        """Within any day of 86,400 seconds."""
        ...


class Meters(Protocol):
    """Who has read how many different articles."""

    async def meter(self, key: str, article: int, quota: Quota, now: float) -> float:
        """Seconds to wait before ``key`` may have ``article``; 0.0 when it may, and then the article is counted.

        Exact sliding windows over whole seconds: never more than ``quota.hour`` different articles counted within 3,600
        seconds, nor ``quota.day`` within 86,400. An article counted within the last day is free. A clock that jumps
        back takes what was counted in its future as counted now. What is revoked under the name ``key`` may have
        nothing, not even what was counted: ``inf``. ValueError when ``article`` is not within 64 bits, or
        the quota not between 1 and ``MOST_ARTICLES``.
        """
        ...


class Counters(Protocol):
    """Budgets: of a link, of a month's gifts, of a subscriber's devices."""

    async def count(self, key: str, amount: int, limit: int, until: float, now: float) -> bool:
        """Add ``amount`` to the counter ``key`` unless it would pass ``limit``; whether it was added.

        A counter ends when the ``until`` of its first amount says so, and then begins anew. ValueError when ``amount``
        is below 1, a number is over ``MOST_COUNTED``, or ``until`` not finite.
        """
        ...

    async def join(self, key: str, member: str, most: int, until: float, now: float) -> bool:
        """Whether ``member`` is, or hereby becomes, one of at most ``most`` members of ``key``.

        A member leaves at the latest ``until`` with which it joined. ValueError when ``most`` is not between 1 and
        ``MOST_MEMBERS``, or ``until`` not finite.
        """
        ...


class Revocations(Protocol):
    """What was given out and holds no more."""

    async def revoke(self, name: str, until: float, now: float) -> None:
        """Revoke ``name`` until ``until``, or longer if it already is. ValueError when ``until`` is not finite."""
        ...

    async def revoked(self, name: str, now: float) -> bool:
        """Whether ``name`` is revoked."""
        ...


class Admitting(Spent, Meters, Protocol):
    """What progressive reading has to remember."""


class Ledger(Store, Spent, Meters, Counters, Revocations, Protocol):
    """All of it in one object."""


class Remote(Ledger, Protocol):
    """A ledger that other processes share. Every method raises ``StoreError`` when there is no answer in time."""

    async def restore(self, spent: Iterable[Entry], revoked: Iterable[Entry], now: float) -> None:
        """Write back what this process knows to be spent or revoked."""
        ...

    async def aclose(self) -> None:
        """End what is under way."""
        ...


class Issued(NamedTuple):
    """One copy that left: whose, of what, and why it was let go. It names nobody."""

    serial: int
    """What its marks say: ``token.serial_of`` the pass."""
    epoch: int
    """Whose keys they were made with."""
    article: str
    """What names it, whatever its revision."""
    revision: bytes
    """``Compiled.revision``."""
    at: float
    """Seconds since the epoch."""
    policy: str
    """The version of the policy that was in force."""
    address: str
    """``recording.hashed`` of the client's address."""
    prefix: str
    """The same of the network around it."""
    agent: str
    """The User-Agent header; 200 characters of it are kept."""
    action: str
    rule: str
    score: float
    visit: str
    """The pass's id, or the visit's where there was none."""


class Revision(NamedTuple):
    """One state of an article's text, complete enough to find its copies and to read their marks."""

    article: str
    revision: bytes
    paragraphs: tuple[tuple[str, ...], ...]
    """See ``Compiled``."""
    channels: Channels
    at: float
    """When it was first seen, in seconds since the epoch."""
    tags: tuple[Tag, ...] = ()
    """The start tags whose attributes change places."""


class Evidence(Protocol):
    """Who was given which copy. Losing it costs evidence and never a page: both methods return at once, and neither
    raises."""

    def record(self, row: Issued) -> None:
        """Remember a copy."""
        ...

    def learn(self, revision: Revision) -> None:
        """Remember an article's text."""
        ...


class EvidenceError(ContentGuardError):
    """The evidence log gives no answer. ``refused``: it is there, and will never take these rows."""

    def __init__(self, why: str, *, refused: bool = False) -> None:
        self.refused = refused
        super().__init__(why)


class CommentClassifier(Protocol):
    """Somebody else's opinion of comments: a service, or a model of the site's own."""

    @property
    def notice(self) -> tuple[str, str]:
        """The sentence that readers are owed where it is asked, and where it leads; two empty texts for none."""
        ...

    async def opinion(self, submission: Submission, *, recheck: bool = False) -> Opinion:
        """What it thinks of a comment. ``recheck``: it has been asked before and gave no answer.

        Never raises: where there is no answer in time, that is ``Judgement.UNKNOWN``, with ``recheck_after`` where it
        makes sense to ask again.
        """
        ...


class CommentPupil(CommentClassifier, Protocol):
    """One that wants to hear what became of comments."""

    async def learn(self, submission: Submission, *, spam: bool) -> bool:
        """Tell it what a moderator said; whether that has arrived, or never will. False: tell it again later."""
        ...


Entry = tuple[bytes, float]
"""What ``names.Names`` makes of a key, and its end."""


class StoreError(ContentGuardError):
    """A remote store gives no answer. ``kind`` is a word for metrics: timeout, connection, readonly, full, …"""

    def __init__(self, kind: str, detail: str = "") -> None:
        self.kind = kind
        super().__init__(f"{kind}: {detail}" if detail else kind)


def check_end(until: float) -> None:
    """ValueError for an end that no store can keep."""
    if not isfinite(until):
        raise ValueError(f"an end must be a time, not {until}")


def check_meter(article: int, quota: Quota) -> None:
    """ValueError for what no meter can hold."""
    if not 0 <= article < 2**64:
        raise ValueError(f"an article's number has 64 bits, not {article}")
    if not (1 <= quota.hour <= MOST_ARTICLES and 1 <= quota.day <= MOST_ARTICLES):
        raise ValueError(f"a quota is between 1 and {MOST_ARTICLES}, not {quota.hour} an hour and {quota.day} a day")


def check_count(amount: int, limit: int, until: float) -> None:
    """ValueError for what no counter can hold."""
    if not (1 <= amount <= MOST_COUNTED and limit <= MOST_COUNTED):
        raise ValueError(f"a counter counts from 1 to {MOST_COUNTED}, not {amount} of {limit}")
    check_end(until)


def check_members(most: int, until: float) -> None:
    """ValueError for what no set can hold."""
    if not 1 <= most <= MOST_MEMBERS:
        raise ValueError(f"a set has 1 to {MOST_MEMBERS} members, not {most}")
    check_end(until)
