"""Requests judged by guards of several kinds, the way the middleware does it: no exception, and none takes long.

Time is the thread's own, without what the machine did meanwhile. A verdict that takes long all the same (memory was
being collected, another thread had the caches) is asked for again, with everything forgotten that was remembered in
between, and its best time counts.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from statistics import median
from typing import Any, NamedTuple, cast

from contentguard import addresses, detect, proxies
from contentguard.asgi.request import read_facts, target
from contentguard.asgi.response import refusal
from contentguard.backends import identification
from contentguard.backends.directories import Directories
from contentguard.backends.identification import Identifier
from contentguard.backends.memory import MemoryStore
from contentguard.backends.ranges import RangesFile
from contentguard.crawlers import CATALOGUE
from contentguard.crawlers.fields import parse_dictionary
from contentguard.crawlers.signatures import SignatureRules
from contentguard.detect import accept, agent, hints
from contentguard.guard import VERDICTS, Guard
from contentguard.guard.callers import Callers
from contentguard.model import Action, Facts, Purpose, Verdict, told
from contentguard.policy import networks
from tests.client import settings
from tests.crawlers.signing import DIRECTORY, SIGNER
from tests.fuzz.requests import NOW, Asked, request

LIMIT = 0.001
"""Seconds that no verdict may take."""
_AGAIN = 20
_AT_A_TIME = 3
"""How often, at most, one that took longer is asked for again, and so often each time, because after a pause the
machine has forgotten the code itself: until once it takes no longer."""
_REPLAYED = 16
"""The facts of every so manieth verdict are written down and read back."""


class Finding(NamedTuple):
    """What is wrong with one request's verdict."""

    kind: str
    detail: str
    number: int = -1


@dataclass(slots=True)
class Tally:
    """What a run saw."""

    judged: int = 0
    slow: int = 0
    """Verdicts that took longer than ``LIMIT`` at first."""
    taken: array[float] = field(default_factory=lambda: array("d"))
    """Seconds of each."""
    worst: float = 0.0
    """Seconds of the slowest, at its best."""
    worst_number: int = -1
    actions: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    signals: Counter[str] = field(default_factory=Counter)
    identities: Counter[str] = field(default_factory=Counter)

    @property
    def median(self) -> float:
        """Seconds of the median verdict."""
        return median(self.taken) if self.taken else 0.0


class _Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


class _Keys:
    """A directory that has the one signer's keys at hand, for whatever address of its is asked."""

    async def keys(self, address: str, keyid: str, budget: float = 0.0) -> Mapping[str, Any] | None:
        return DIRECTORY if address.startswith(SIGNER) else None

    async def aclose(self) -> None:
        """Nothing is open."""


PATHS, NEAR = ("/closed/", "/*.pdf$", "/archive/*/08/", "/é"), ("192.0.2.128/25", "2001:db8::/32")
POLICY: Mapping[str, Any] = {
    "preset": "strict",
    "rules": [
        {"name": "closed", "action": "deny", "when": {"path": list(PATHS), "purpose": ["robot", "reader"]}},
        {"name": "token", "action": "allow", "when": {"header": [{"name": "X-Token", "equals": "t"}]}},
        {"name": "odd", "action": "head", "when": {"header": [{"name": "User-Agent", "contains": "android"}]}},
        {"name": "near", "action": "deny", "when": {"client": list(NEAR), "score": {"at_least": 2}}},
        {"name": "slow", "action": "throttle", "limit": "4/minute", "when": {"method": ["GET"]}},
        {"name": "pace", "action": "wait", "when": {"not": {"score": {"below": "suspicious"}}}},
        {"name": "try", "action": "charge", "shadow": True, "when": {"any": [{"path": "/news/"}, {"purpose": "tool"}]}},
    ],
}
GUARDS: Mapping[str, Mapping[str, Any]] = {
    "as it comes": {},
    "behind a proxy": {"proxies": {"trusted": ["10.0.0.0/8"], "unix": True}},
    "behind a proxy that writes Forwarded": {"proxies": {"trusted": ["10.0.0.0/8"], "header": "forwarded"}},
    "with rules and limits": {"policy": POLICY, "limits": {"requests": "60/minute", "articles": "20/minute"}},
}


class Court:
    """One guard of each kind. For one event loop."""

    def __init__(self, *, patient: bool = True) -> None:
        """``patient``: a verdict that took long is judged again until it does not, or too often."""
        self.clock, self._patient = _Clock(), patient
        self.guards = [self._guard(options) for options in GUARDS.values()]

    def _guard(self, options: Mapping[str, Any]) -> Guard:
        # Nothing here may ask a name server or fetch a directory: what is measured is what we do ourselves.
        guard = Guard(settings(identification={"dns": False, "signatures": False}, **options), clock=self.clock)
        spent = MemoryStore(4096, secret=b"of these tests only, nowhere else")
        rules, agents = SignatureRules(test_keys=True), {SIGNER: Purpose.USER_FETCH}
        keys = cast("Directories", _Keys())
        guard._who = Identifier(CATALOGUE.crawlers, RangesFile(""), None, keys, spent, agents=agents, rules=rules)
        return guard

    async def judged(self, guard: Guard, asked: Asked) -> tuple[Facts, Verdict, float]:
        """Facts, verdict once an article turned out to be the answer, and the seconds that it all took."""
        scope, client = asked.scope, asked.scope["client"]
        start = time.thread_time()
        facts = read_facts(scope, guard)
        caller = guard.caller(facts)
        visit = guard.met(facts, caller, client[0] if client else None)
        if asked.session is not None:
            told(facts, asked.session, asked.network, asked.cluster, facts.passed)
        if caller.may_wait:
            facts, verdict = await guard.judge(facts, target(scope), caller)
        else:
            facts, verdict = guard.judged(facts, caller)
        if verdict.action is Action.ALLOW and asked.session is None:
            if visit is not None:
                facts, verdict = guard.arrived(visit, facts, verdict, facts.path, shows=True)
            facts, verdict = guard.admitted(facts, verdict) or await guard.admit(facts, verdict)
        return facts, verdict, time.thread_time() - start

    async def try_one(self, number: int, asked: Asked, tally: Tally) -> Finding | None:
        """What is wrong with the verdict on this request, if anything is."""
        guard = self.guards[number % len(self.guards)]
        self.clock.now = NOW + number % 4000 * 0.05
        tally.judged += 1
        try:
            facts, verdict, took = await self.judged(guard, asked)
            if took > LIMIT:
                tally.slow += 1
                took = await self._at_best(guard, asked, took) if self._patient else took
            if verdict.action is not Action.ALLOW:
                _check(verdict.status >= 400 and refusal(guard, facts, verdict).status >= 400, "a refusal is none")
            if number % _REPLAYED == 0:
                _replay(facts)
            _check(not (failed := [what for what in guard.counts if "failed" in what]), f"something failed: {failed}")
        except Exception as error:
            return Finding(f"{type(error).__name__} in {_where(error)}", repr(error)[:300], number)
        _count(tally, facts, verdict)
        tally.taken.append(took)
        if took > tally.worst:
            tally.worst, tally.worst_number = took, number
        return Finding("slow", f"{took * 1e3:.2f} ms", number) if took > LIMIT else None

    async def _at_best(self, guard: Guard, asked: Asked, took: float) -> float:
        for again in range(_AGAIN * _AT_A_TIME):
            if again % _AT_A_TIME == 0:
                await asyncio.sleep(0.005 * (again // _AT_A_TIME))
            forget(guard)
            took = min(took, (await self.judged(guard, asked))[2])
            if took <= LIMIT:
                break
        return took


def forget(guard: Guard) -> None:
    """Empty what is remembered of headers, so that nothing is answered from memory."""
    detect._shapes.clear()
    callers = cast("Callers", guard.caller.__self__)  # type: ignore[attr-defined]
    for table in (callers._known, callers._known_before, callers._manners, callers._manners_before):
        table.clear()
    CATALOGUE._catalogue._recall.cache_clear()
    CATALOGUE._catalogue._forget()
    read = (agent._parse, agent._usual, hints._wrong, accept._codings)
    for remembered in (*read, proxies._short_node, proxies._known, addresses.address_of):
        remembered.cache_clear()
    networks.number.cache_clear()
    parse_dictionary.cache_clear()
    identification._is_public.cache_clear()


def _replay(facts: Facts) -> None:
    """Facts that were written down and read back are the same."""
    read = Facts.from_dict(json.loads(json.dumps(facts.as_dict())))
    lowered = tuple((name.decode("latin-1").lower().encode("latin-1"), value) for name, value in facts.headers)
    _check(read == replace(facts, headers=lowered), "facts do not come back as they were written down")


def _check(right: bool, fault: str) -> None:
    if not right:
        raise AssertionError(fault)


def _where(error: Exception) -> str:
    """The last place of ours that an exception came through."""
    place, trace = "?", error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if "contentguard" in code.co_filename:
            place = f"{code.co_filename.rpartition('contentguard/')[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _count(tally: Tally, facts: Facts, verdict: Verdict) -> None:
    tally.actions[verdict.action] += 1
    tally.rules[verdict.rule] += 1
    tally.identities[facts.identity] += 1
    for signal in verdict.signals:
        tally.signals[signal.name] += 1


def hunt(seed: int, requests: int, *, first: int = 0, tally: Tally, patient: bool = True) -> Iterator[Finding]:
    """Judge so many requests, and tell what is found. ``patient``: see ``Court``."""
    log_level, propagates = VERDICTS.level, VERDICTS.propagate
    VERDICTS.setLevel(logging.INFO)
    VERDICTS.propagate = False
    try:
        yield from asyncio.run(_hunted(seed, range(first, first + requests), tally, patient))
    finally:
        VERDICTS.setLevel(log_level)
        VERDICTS.propagate = propagates


async def _hunted(seed: int, numbers: range, tally: Tally, patient: bool) -> list[Finding]:
    court = Court(patient=patient)
    tried = [await court.try_one(number, request(Random(f"{seed}:{number}")), tally) for number in numbers]
    return [finding for finding in tried if finding is not None]


def report(tally: Tally, kinds: Counter[str]) -> Iterator[str]:
    """What a run came to, one fact a line."""
    yield f"{tally.judged:,} requests judged, {kinds.total()} findings"
    yield f"slowest verdict, at its best: {tally.worst * 1e3:.2f} ms (request {tally.worst_number})"
    yield f"{tally.slow:,} took longer than {LIMIT * 1e3:g} ms at first; judged again, {kinds['slow']} did"
    yield f"median {tally.median * 1e6:.0f} µs"
    for name in ("actions", "identities", "rules", "signals"):
        counted: Counter[str] = getattr(tally, name)
        yield f"{name}: " + ", ".join(f"{what} {count:,}" for what, count in counted.most_common())
    for kind, count in kinds.most_common():
        yield f"  {count} × {kind}"
