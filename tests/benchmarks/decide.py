"""Deciding about one request, without HTTP: who asks, what is noticed, what the policy says.

*Returning*: a reader whose headers have been seen before. *New*: a User-Agent never seen, among headers that others
sent. *Visit*: a reader as new as readers are, whose address, User-Agent and languages nobody had, and whose visit is
looked up as the middleware does it. *Manner*: the same, with an Accept of its own, so that nobody was ever like it in
anything. *Refused over served*: a declared robot's refusal as a whole response against an article served to a reader,
both through the middleware. The last two are the same work with more to choose from: a policy of 1,000 rules against
one of 10, a catalogue of 2,000 robots against one of 100. How others decide is in ``rivals``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count, islice
from statistics import median

from contentguard.asgi.request import read_facts
from contentguard.crawlers import CATALOGUE
from contentguard.crawlers.catalogue import Catalogue
from contentguard.guard import Guard
from contentguard.model import Action, Crawler, Facts, Purpose, Verdict
from contentguard.policy import Policy, Rule, When
from tests.benchmarks.apps import APPS, PATH
from tests.benchmarks.inprocess import seconds_per_request
from tests.benchmarks.measure import Figure, Figures, MeasureError, Options, Series, alternated, progress, ratio
from tests.benchmarks.rivals import BROWSER, compared
from tests.client import CHROME, GPTBOT, http_scope, settings

DEVICE = "Mozilla/5.0 (Linux; Android 10; {}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
_LETTERS = str.maketrans("0123456789", "acefghijkl")


def run(options: Options) -> Figures:
    """All of them."""
    progress("decide: in process")
    budget = 0.02 if options.quick else 0.1
    taken = alternated(works(), options.rounds, budget)
    figures = {
        f"decide.{name}_us": Figure(median(taken[name]) * 1e6, "µs", told)
        for name, told in (
            ("returning", "facts, signals and verdict for a reader whose headers were seen before"),
            ("new", "the same for a User-Agent and headers never seen"),
            ("visit", "the same for an address, a User-Agent and languages never seen, and the look-up of its visit"),
            ("manner", "the same for who also accepts what nobody ever did"),
        )
    }
    figures["decide.rules_1000_over_10"] = Figure(
        ratio(taken, "rules_1000", "rules_10"), "×", "a verdict under a policy of 1,000 rules : of 10"
    )
    figures["decide.catalogue_2000_over_100"] = Figure(
        ratio(taken, "catalogue_2000", "catalogue_100"), "×", "a browser never seen among 2,000 robots : among 100"
    )
    return {**figures, **_refused(options), **compared(options)}


def works() -> dict[str, Callable[[], object]]:
    """Name → one decision."""
    guard = Guard(settings())
    returning, numbers = http_scope(PATH), count()
    at = [name for name, _ in returning["headers"]].index(b"user-agent")
    before, after = returning["headers"][:at], returning["headers"][at + 1 :]

    def new() -> object:
        agent = b"user-agent", BROWSER.format(f"140.0.{next(numbers)}.1").encode()
        return _judged(guard, {**returning, "headers": [*before, agent, *after]})

    return {
        "returning": lambda: _judged(guard, returning),
        "new": new,
        "visit": _first(),
        "manner": _first(b";n=%d"),
        "rules_10": _under(10),
        "rules_1000": _under(1000),
        "catalogue_100": _among(100),
        "catalogue_2000": _among(2000),
    }


def _first(accepted: bytes = b"") -> Callable[[], object]:
    """The first request of a reader, who accepts something more with a number of its own."""
    guard, numbers = Guard(settings()), count()
    scope = http_scope(
        PATH, {**CHROME, "accept-encoding": "gzip, deflate, br, zstd", "sec-ch-ua-platform": '"Windows"'}
    )
    usual = dict(scope["headers"])

    def first() -> object:
        number = next(numbers)
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        headers = {
            **usual,
            b"user-agent": BROWSER.format(f"148.0.{number}.1").encode(),
            b"accept-language": b"de,en;q=0.%d" % number,
        }
        if accepted:
            headers[b"accept"] += accepted % number
        return _visited(guard, {**scope, "headers": [*headers.items()], "client": (address, 4711)}, address)

    return first


def _visited(guard: Guard, scope: dict[str, object], address: str) -> tuple[Facts, Verdict]:
    facts = read_facts(scope, guard)
    caller = guard.caller(facts)
    guard.met(facts, caller, address)
    facts, verdict = guard.judged(facts, caller)
    if verdict.action is not Action.ALLOW or verdict.signals:
        raise MeasureError(f"decide: a reader gets {verdict.action.value} by {verdict.rule} for {verdict.signals}")
    return facts, verdict


def _judged(guard: Guard, scope: dict[str, object]) -> tuple[Facts, Verdict]:
    facts, verdict = guard.judged(read_facts(scope, guard))
    if verdict.action is not Action.ALLOW:
        raise MeasureError(f"decide: a reader gets {verdict.action.value} by {verdict.rule}")
    return facts, verdict


def _under(rules: int) -> Callable[[], object]:
    """A verdict on a request that none of so many rules is about, without what is kept from one to the next."""
    made = tuple(Rule(f"r{n}", Action.DENY, When(path=(f"/closed/{n}/",), purpose=("reader",))) for n in range(rules))
    guard = Guard(settings(policy=Policy(rules=made)))
    facts = read_facts(http_scope(PATH), guard)
    return lambda: guard.judged(facts)


def _among(robots: int) -> Callable[[], object]:
    """Telling that a User-Agent never seen, with a word never seen in it, names none of so many robots."""
    known = islice((crawler for crawler in CATALOGUE.crawlers if not crawler.control), robots)
    more = (Crawler(f"Invented{n}Bot", f"Invented{n}Bot", "Nobody", Purpose.SEO) for n in count())
    listed = [*known]
    catalogue = Catalogue([*listed, *islice(more, robots - len(listed))])
    numbers = count()
    return lambda: catalogue.match(DEVICE.format(str(next(numbers)).translate(_LETTERS)).encode())


def _refused(options: Options) -> Figures:
    app = APPS["guarded"]()

    async def rounds() -> Series:
        taken: dict[str, list[float]] = {"served": [], "refused": []}
        for _ in range(options.rounds):
            for name, headers in (("served", CHROME), ("refused", GPTBOT)):
                times = 100 if options.quick else 1000
                taken[name].append(await seconds_per_request(app, http_scope(PATH, headers), times))
        return taken

    value = ratio(asyncio.run(rounds()), "refused", "served")
    return {"decide.refused_over_served": Figure(value, "×", "time for refusing GPTBot : for serving a reader")}
