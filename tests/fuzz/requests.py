"""Requests that no client should send, made from those that clients do send.

Strategy: noise is refused at the first look and teaches nothing, so every request begins as a real one (a captured
client, a name of the catalogue, a genuine signature) and is changed in a few places: a header dropped, doubled, made
huge, spliced into another, filled with bytes that no header may hold. Only some are noise altogether. Every request
follows from its dice alone, so one of a run can be made again from the seed and its number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from random import Random
from typing import Any, NamedTuple

from contentguard.admission.passes import Pass, short, write
from contentguard.data import crawlers
from contentguard.model import Cluster, Network, Session
from contentguard.tokens import Signer
from tests.calibrate.clients import OTHER_AGENT, Lines, browsers, drawn, programs
from tests.client import KEY
from tests.crawlers.signing import SIGNER, sign
from tests.fuzz.pieces import BITS, CLIENTS, FORWARDING, HOPS, METHODS, NAMES, PATHS, SCHEMES, TEXTS, VERSIONS

Pairs = list[tuple[bytes, bytes]]

NOW = 1_795_600_000.0
"""Seconds since the epoch: when all of this is asked."""
LARGEST = 65_536
"""Bytes of one value; of a whole head the servers take hardly more."""


class Asked(NamedTuple):
    """One request, and what else is taken to be known of its client."""

    scope: dict[str, Any]
    session: Session | None = None
    network: Network | None = None
    cluster: Cluster | None = None


def request(dice: Random) -> Asked:
    """One request."""
    pairs = _noise(dice) if dice.random() < 0.03 else list(dice.choice(dice.choice(seeds())))
    for _ in range(dice.choice((0, 1, 1, 2, 2, 3, 5))):
        dice.choice(MUTATIONS)(pairs, dice)
    _trim(pairs)
    # Half of them ask for the article, so that a signature that is left alone holds.
    plain = dice.random() < 0.5
    path = PATHS[0] if plain else dice.choice(PATHS) if dice.random() < 0.6 else _path(dice)
    client = dice.choice(CLIENTS) if dice.random() < 0.7 else f"192.0.2.{dice.randrange(256)}"
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": dice.choice(VERSIONS),
        "method": "GET" if plain else dice.choice(METHODS),
        "scheme": "https" if plain else dice.choice(SCHEMES),
        "path": path,
        "raw_path": path.encode("utf-8", "surrogatepass") if dice.random() < 0.9 else None,
        "query_string": b"b=1" if plain else dice.choice((b"", b"b=2", b"a=%00&&=" + b"x" * 2000)),
        "root_path": dice.choice(("", "", "", "/news", "/x/")),
        "headers": pairs,
        "client": None if client is None else (client, 4711),
        "server": ("127.0.0.1", 443),
    }
    return Asked(scope, *_known(dice))


@cache
def seeds() -> tuple[Sequence[Sequence[tuple[bytes, bytes]]], ...]:
    """Requests to start from, by where they come from: browsers, programs, a model of visitors, robots, signers."""
    captures = [browsers() + browsers(automated=True), programs()]
    real = [[_lower(r.headers) for c in some for r in c.requests if r.headers] for some in captures]
    modelled = [_lower([("Host", "news.example"), *lines]) for _, lines in drawn()]
    named = [_robot(crawler.token) for crawler in crawlers()]
    proven = [_robot(crawler.token) for crawler in crawlers() if crawler.complete]
    return (*real, modelled, named, proven, [_signed(number) for number in range(24)])


def _lower(lines: Lines) -> Pairs:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in lines]


def _robot(token: str) -> Pairs:
    bare = token.removeprefix("^").removesuffix("$").encode()
    agent = b"Mozilla/5.0 (compatible; " + bare + b"/2.1; +http://robots.example/" + bare + b".html)"
    return [(b"host", b"news.example"), (b"user-agent", agent), (b"accept", b"text/html,*/*;q=0.8")]


def _signed(number: int) -> Pairs:
    """A genuine signature of one of the wire forms, some of them out of date."""
    agent, cover = (
        (f'sig1="{SIGNER}"', ';key="sig1"'),
        (f'"{SIGNER}"', ""),
        (f'sig1="{SIGNER}/jwks?x=1";type=jwks_uri', ';key="sig1"'),
    )[number % 3]
    start = int(NOW) - (0, 0, 0, 5000)[number % 4]
    times, more = f"created={start};expires={start + 3600}", f';nonce="n{number}"' if number % 2 else ""
    asked = sign(agent, cover, path="/news/tide", times=times, more=more)
    signed = list(asked.headers)
    if number % 8 == 6:  # the same under as many labels as are read
        others = (b"sig2=", b"sig3=", b"sig4=")
        signed = [(n, b", ".join((v, *(v.replace(b"sig1=", other) for other in others)))) for n, v in signed]
    name = OTHER_AGENT.encode() if number % 8 > 3 else b"Agent/1.0"
    return [(b"host", b"news.example"), (b"user-agent", name), *signed]


def _noise(dice: Random) -> Pairs:
    return [(dice.choice(NAMES), dice.randbytes(dice.choice((0, 1, 8, 80, 800)))) for _ in range(dice.randint(0, 30))]


def _path(dice: Random) -> str:
    return "/" + "".join(dice.choices(BITS, k=dice.choice((1, 2, 5, 20, 100, 900))))


def _known(dice: Random) -> tuple[Session | None, Network | None, Cluster | None]:
    """What sessions, networks and clusters could say, most of which takes longer to come about than a run has time."""
    if dice.random() < 0.8:
        return None, None, None
    few, seconds = (0, 0, 1, 2, 3, 8, 40, 255), (0.0, 0.01, 0.7, 5.0, 1e9)
    gap, mean, variation = dice.choices(seconds, k=3)
    counts = (dice.choice(few), gap, mean, variation, dice.random() < 0.5, *dice.choices(few, k=10))
    session = Session._make((*counts, dice.random() < 0.5))
    ja4 = dice.choice(("", "t13d1516h2_8daaf6152771_02713d6af862", "t12d1516h1_8daaf6152771_02713d6af862", "x" * 999))
    asn = dice.choice((0, 16509, 4_294_967_295))
    network = Network(asn, dice.random() < 0.3, dice.random() < 0.1, "DE", "", ja4, *dice.choices(few, k=2))
    cluster = Cluster(dice.choice(few), dice.choice(few), -9.0, dice.choice((0.0, 7.5)), dice.random() < 0.2)
    return session, network if dice.random() < 0.5 else None, cluster if dice.random() < 0.5 else None


# -- changes, each in place ------------------------------------------------------------------------------------------


Mutation = Callable[[Pairs, Random], None]


def _drop(pairs: Pairs, dice: Random) -> None:
    if pairs:
        del pairs[dice.randrange(len(pairs))]


def _double(pairs: Pairs, dice: Random) -> None:
    if pairs:
        pairs.insert(dice.randint(0, len(pairs)), dice.choice(pairs))


def _swap(pairs: Pairs, dice: Random) -> None:
    if pairs:
        pairs.insert(dice.randrange(len(pairs)), pairs.pop(dice.randrange(len(pairs))))


def _add(pairs: Pairs, dice: Random) -> None:
    pairs.insert(dice.randint(0, len(pairs)), (dice.choice(NAMES), b"".join(dice.choices(TEXTS, k=dice.randint(0, 6)))))


def _borrow(pairs: Pairs, dice: Random) -> None:
    """A header of another client, in place of one's own of that name if there is one."""
    other = dice.choice(dice.choice(seeds()))
    name, value = dice.choice(other)
    at = next((n for n, (key, _) in enumerate(pairs) if key == name), len(pairs))
    pairs[at : at + 1] = [(name, value)]


def _splice(pairs: Pairs, dice: Random) -> None:
    """The beginning of one request, the end of another."""
    other = dice.choice(dice.choice(seeds()))
    pairs[dice.randint(0, len(pairs)) :] = other[dice.randint(0, len(other)) :]


def _change(pairs: Pairs, dice: Random) -> None:
    """One value, in one of the ways in which values go wrong."""
    if pairs:
        at = dice.randrange(len(pairs))
        pairs[at] = pairs[at][0], changed(pairs[at][1], dice)


def _agent(pairs: Pairs, dice: Random) -> None:
    """Another User-Agent, made of a real one and a name of the catalogue."""
    donor = next((v for k, v in dice.choice(dice.choice(seeds())) if k == b"user-agent"), b"")
    name = dice.choice(crawlers()).token.encode()
    ways = donor, name, donor + b" " + name, name + donor, donor.replace(b"(", b"(" + name + b"; ", 1)
    value = dice.choice(ways)
    for _ in range(dice.randint(0, 2)):
        value = changed(value, dice)
    _put(pairs, b"user-agent", value)


def _cookies(pairs: Pairs, dice: Random) -> None:
    """A bomb: many small ones, or a huge one, or ours with something in it."""
    ours = dice.choice((b"__Host-contentguard", b"contentguard", b"c")) + b"="
    given = dice.choice(_passes())
    token = dice.choice((_passes()[0], given, given, changed(given, dice), dice.randbytes(80)))
    bombs = b"a=b; " * 3000, ours + b"A" * 16_000, b"; " * 9000, b"=" * 999, (ours + token[:99] + b"; ") * 400
    value = dice.choice((ours + token, b"a=b; " + ours + token, *bombs))
    for _ in range(dice.choice((1, 1, 2, 50))):
        pairs.append((b"cookie", value))


@cache
def _passes() -> tuple[bytes, ...]:
    """Genuine passes, for some kinds of browser."""
    browser = "chromium windows", "chromium linux", "firefox linux", "chromium macos"
    kinds = (*(f"{one} False" for one in browser), "chromium android True", "webkit ios True")
    key = Signer((KEY.encode(),)).derived("pass")[0]
    made = (Pass(f"{n:016x}", n % 3, int(NOW) - 4000 * n, int(NOW) - n, short(k)) for n, k in enumerate(kinds))
    return tuple(write(key, one).encode() for one in made)


def _forward(pairs: Pairs, dice: Random) -> None:
    hops = dice.choices(HOPS, k=dice.choice((1, 2, 3, 40)))
    value = dice.choice((b", ", b",", b"\t, ")).join(hops)
    pairs.append((dice.choice(FORWARDING[:3]), changed(value, dice) if dice.random() < 0.3 else value))


def _crowd(pairs: Pairs, dice: Random) -> None:
    """As many headers as a server lets through."""
    name, many = dice.choice(NAMES), dice.choice((100, 1000))
    pairs += [(name, b"%d" % n) if dice.random() < 0.5 else (b"x-%d" % n, b"y") for n in range(many)]


def _trim(pairs: Pairs) -> None:
    """No server takes more than this."""
    left = 2 * LARGEST
    for at, (name, value) in enumerate(pairs):
        pairs[at] = (name, value[: max(left, 0)])
        left -= len(name) + len(value)


def _sort(pairs: Pairs, dice: Random) -> None:
    pairs.sort(key=lambda pair: pair[dice.randrange(2)])


def _put(pairs: Pairs, name: bytes, value: bytes) -> None:
    at = next((n for n, (key, _) in enumerate(pairs) if key == name), len(pairs))
    pairs[at : at + 1] = [(name, value)]


_USUAL = (_drop, _double, _swap, _add, _borrow, _change, _agent, _forward)
MUTATIONS: Sequence[Mutation] = (*_USUAL, *_USUAL, _borrow, _change, _agent, _splice, _cookies, _crowd, _sort)


def changed(value: bytes, dice: Random) -> bytes:
    """``value`` with one thing wrong; never longer than ``LARGEST``."""
    at = dice.randint(0, len(value))
    way = dice.randrange(8)
    if way == 0:
        return value[:at]
    if way == 1:
        return value[:at] + dice.choice(TEXTS) + value[at:]
    if way == 2:
        return value[:at] + dice.randbytes(dice.randint(1, 4)) + value[at + 1 :]
    if way == 3:
        return value.upper() if dice.random() < 0.5 else value.lower()
    if way == 4:
        part = value[at : at + dice.randint(1, 12)] or b"a"
        return (value[:at] + part * dice.choice((2, 30, LARGEST // len(part))) + value[at:])[:LARGEST]
    if way == 5:
        return (dice.choice(TEXTS) or b"(") * dice.choice((2, 300, 8000))
    if way == 6:
        return value.translate(bytes((n + 1) % 256 if n in b"0123456789" else n for n in range(256)))
    parts = value.split(b" ")
    dice.shuffle(parts)
    return b" ".join(parts)
