"""Links that open one article to whoever a reader sends them to (shared ones, a subscriber's gifts), and one feed to
its subscriber.

A link is a text in the query of its article's own URL. The article stands in the MAC and not in the link, so moved to
another path a link is void, and it stays short. What is promised with a gift (days, devices) stands in it, so other
settings later break no promise. Whom a link may serve is counted by the store: each ``Budget`` is a set of at most so
many members, and who is in it already is let in again.

Formats: what ``sealed`` makes of these fields about the article's name, at most 72 characters; numbers are big-endian::

    MAC(18) version(1)=1 key id(1) issued(2) serial(8) net(0 to 24, ASCII)                     issued: day since 1970
    MAC(18) version(1)=1 key id(1) issued(4) giver(8) nonce(8) days(1) devices(1)              issued: seconds
    MAC(18) version(1)=1 key id(1) issued(4) serial(5)                                         issued: seconds

The purposes are "cg-link-shared", "cg-link-gift" and "cg-link-feed". The first 24 characters name the link in the
store.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from struct import Struct
from typing import Any, ClassVar, NamedTuple

from contentguard.sealed import SEAL, seal, unseal

_SHARED, _GIFT = Struct(">HQ"), Struct(">I8s8sBB")
_FOR_SHARED, _FOR_GIFT, _VERSION = b"cg-link-shared", b"cg-link-gift", 1
_FEED, _FOR_FEED, _SERIAL = Struct(">I5s"), b"cg-link-feed", 5
_NET = re.compile(r"[A-Za-z0-9_.-]{0,24}")
_DAY = 86400.0
_MOST = 64
"""Members of a set that a store keeps."""
_SKEW = 60.0
"""Seconds by which another machine's clock may be ahead of ours."""


@dataclass(frozen=True, slots=True)
class SharedLinks:
    """Links that readers share. ValueError when a number makes no sense."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    readings: int = 10
    """Readers to whom one link opens its article whole; 0: none, and a link is an address like any other."""
    days: int = 365
    """For how long."""

    def __post_init__(self) -> None:
        """Refuse what cannot be kept."""
        if not 0 <= self.readings <= _MOST or not 1 <= self.days <= 3650:
            raise ValueError(
                f"shared links with {self.readings} readings in {self.days} days: 0 to {_MOST}, and 1 to 3650"
            )


@dataclass(frozen=True, slots=True)
class GiftLinks:
    """Articles that subscribers give away. ValueError when a number makes no sense."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    monthly: int = 10
    """Articles that one account may give in a calendar month (UTC); to give one again is free. 0: nobody gives."""
    days: int = 14
    """For how long a gift can be read."""
    devices: int = 10
    """On how many devices."""

    def __post_init__(self) -> None:
        """Refuse what a link cannot hold."""
        if not 0 <= self.monthly <= _MOST or not 1 <= self.days <= 255 or not 1 <= self.devices <= _MOST:
            raise ValueError(
                f"{self.monthly} gifts a month for {self.days} days on {self.devices} devices: "
                f"0 to {_MOST}, 1 to 255, and 1 to {_MOST}"
            )


class Shared(NamedTuple):
    """What a genuine shared link says."""

    serial: int
    """Who shared it: the serial of a pass, or a pseudonym. Everybody who has the link can read it."""
    net: str = ""
    """Where it was shared to, as the share box names it."""
    issued: int = 0
    """Days since 1970: what a reader shares of an article in a day is one link, and has one budget."""


class Gift(NamedTuple):
    """What a genuine gift link says."""

    giver: bytes
    """``giver_tag`` of the account."""
    nonce: bytes
    """8 bytes drawn by chance: the article given once more is another link."""
    issued: int
    """Seconds since the epoch."""
    days: int
    devices: int


class Subscription(NamedTuple):
    """What a subscriber's address of a feed says."""

    serial: int
    """What the subscriber's copies are marked with: 40 bits."""
    issued: int
    """Seconds since the epoch."""


class Budget(NamedTuple):
    """A set that the store keeps, and how many may be in it."""

    key: str
    most: int
    until: float
    """Seconds since the epoch; after that it may be forgotten."""


def share(key: bytes, shared: Shared, article: str) -> str:
    """A shared link of the article so named, at most 72 characters. ``key``: 32 secret bytes for links alone.

    ValueError when a field makes no sense.
    """
    if _NET.fullmatch(shared.net) is None or not 0 <= shared.serial < 2**64 or not 0 <= shared.issued < 2**16:
        raise ValueError(f"no shared link can hold {shared}")
    body = _SHARED.pack(shared.issued, shared.serial) + shared.net.encode()
    return seal(key, _FOR_SHARED, _VERSION, body, _named(article))


def read_shared(keys: Sequence[bytes], text: bytes, article: str) -> Shared | None:
    """What a shared link says; None when none of ``keys`` wrote it for this article."""
    body = unseal(keys, _FOR_SHARED, _VERSION, text, _named(article))
    if body is None or len(body) < _SHARED.size:
        return None
    issued, serial = _SHARED.unpack_from(body)
    net = body[_SHARED.size :].decode("latin-1")
    return Shared(serial, net, issued) if _NET.fullmatch(net) else None


def give(key: bytes, gift: Gift, article: str) -> str:
    """A gift link of the article so named, 56 characters. ``key`` as for ``share``, and ValueError likewise."""
    if _gift_fault(gift):
        raise ValueError(f"no gift link can hold {gift}")
    body = _GIFT.pack(gift.issued, gift.giver, gift.nonce, gift.days, gift.devices)
    return seal(key, _FOR_GIFT, _VERSION, body, _named(article))


def read_gift(keys: Sequence[bytes], text: bytes, article: str) -> Gift | None:
    """What a gift link says; None when none of ``keys`` wrote it for this article."""
    body = unseal(keys, _FOR_GIFT, _VERSION, text, _named(article))
    if body is None or len(body) != _GIFT.size:
        return None
    issued, giver, nonce, days, devices = _GIFT.unpack(body)
    gift = Gift(giver, nonce, issued, days, devices)
    return None if _gift_fault(gift) else gift


def _gift_fault(gift: Gift) -> bool:
    numbers = 1 <= gift.days <= 255 and 1 <= gift.devices <= 255 and 0 <= gift.issued < 2**32
    return not numbers or (len(gift.giver), len(gift.nonce)) != (8, 8)


def subscribe(key: bytes, to: Subscription, feed: str) -> str:
    """A subscriber's address of the feed so named, 39 characters. ``key`` as for ``share``, and ValueError likewise."""
    if not 0 <= to.serial < 2 ** (8 * _SERIAL) or not 0 <= to.issued < 2**32:
        raise ValueError(f"no address of a feed can hold {to}")
    return seal(key, _FOR_FEED, _VERSION, _FEED.pack(to.issued, to.serial.to_bytes(_SERIAL, "big")), _named(feed))


def read_subscription(keys: Sequence[bytes], text: bytes, feed: str) -> Subscription | None:
    """What a subscriber's address says; None when none of ``keys`` wrote it for this feed."""
    body = unseal(keys, _FOR_FEED, _VERSION, text, _named(feed))
    if body is None or len(body) != _FEED.size:
        return None
    issued, serial = _FEED.unpack(body)
    return Subscription(int.from_bytes(serial, "big"), issued)


def is_subscription_open(to: Subscription, now: float, days: int) -> bool:
    """Whether it is good at ``now`` (seconds since the epoch), for ``days`` from when it was given out."""
    return -_SKEW <= now - to.issued <= days * _DAY


def fetchers(text: str, now: float, addresses: int) -> Budget:
    """From where a subscriber's feed may be fetched in the day (UTC) of ``now``; members are programs at addresses."""
    day = int(now // _DAY)
    return Budget(f"feed:{text[:SEAL]}:{day}", addresses, (day + 1) * _DAY)


def is_shared_open(shared: Shared, now: float, options: SharedLinks) -> bool:
    """Whether a shared link can still be read at ``now`` (seconds since the epoch), its budget aside."""
    return -1 <= now // _DAY - shared.issued < options.days


def is_gift_open(gift: Gift, now: float) -> bool:
    """Whether a gift can still be read at ``now`` (seconds since the epoch), its budget aside."""
    return -_SKEW <= now - gift.issued <= gift.days * _DAY


def readings(text: str, shared: Shared, options: SharedLinks) -> Budget:
    """Who may read a shared link whole; its members are visitors."""
    return Budget(f"shared:{text[:SEAL]}", options.readings, (shared.issued + options.days) * _DAY)


def devices(text: str, gift: Gift) -> Budget:
    """On what a gift may be read; its members are visitors (devices)."""
    return Budget(f"gift:{text[:SEAL]}", gift.devices, gift.issued + gift.days * _DAY)


def gifts(giver: bytes, now: float, options: GiftLinks) -> Budget:
    """What an account may give in the month (UTC) of ``now``; its members are articles."""
    day = datetime.fromtimestamp(now, UTC)
    following = datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=UTC)
    return Budget(f"given:{giver.hex()}:{day:%Y-%m}", options.monthly, following.timestamp())


def giver_tag(key: bytes, account: str) -> bytes:
    """8 bytes that stand for an account. With another key they are others: rotation begins a new month's quota."""
    return blake2b(account.encode("utf-8", "surrogatepass"), digest_size=8, key=key, person=b"cg-link-giver").digest()


def _named(article: str) -> bytes:
    return article.encode("utf-8", "surrogatepass")
