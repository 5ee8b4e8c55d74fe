"""Tickets and proofs: what it costs to offer one, to redeem one, and to turn a forgery away.

*Ticket*: to offer, sign, read, check and grant one, the proof aside. *Verify*: a right proof of the hardest work that
is asked for, as many of its answers as are looked at. *Forged*: a ticket and a proof that stop before any key is
derived; what a well-formed wrong proof costs beyond that is one derivation. *Over page*: the whole request with such a
forgery, and one that is refused for its name, held against a returning reader's page in the same process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from itertools import count
from statistics import median
from typing import Any, cast

from starlette.types import ASGIApp, Message

from contentguard.admission import passes, proof, tickets
from contentguard.admission.difficulty import STEPS, Algorithm, Difficulty
from contentguard.admission.grants import Tickets, grant, offer
from contentguard.admission.tickets import Ticket
from tests.benchmarks.apps import APPS, PATH
from tests.benchmarks.inprocess import SUBJECTS, warm
from tests.benchmarks.measure import Figure, Figures, MeasureError, Options, Work, alternated, progress
from tests.client import CHROME, GPTBOT, http_scope

_KEY = bytes(range(32))
_KEYS = (_KEY, bytes(32))
_NOW = 1_800_000_000.0
_ARTICLE = "/news/the-tide-comes-in"
_AGENT, _PREFIX = passes.short("chrome linux"), passes.short("192.0.2.0/24")
_HARDEST = STEPS[Algorithm.PBKDF2][-1]
_TICKETS = Tickets()


def run(options: Options) -> Figures:
    """All of them."""
    progress("admission: tickets and proofs")
    taken = alternated(works(), options.rounds, 0.02 if options.quick else 0.2)
    return {
        f"admission.{name}_us": Figure(median(taken[name]) * 1e6, "µs", told)
        for name, told in (
            ("ticket", "offer, sign, read, check and grant a ticket, the proof aside"),
            ("verify", "verify a right proof of the hardest work (PBKDF2), of which 3 answers are looked at"),
            ("verify_sha256", "the same of plain hashes, of which all 64 answers are looked at"),
            ("verify_scrypt", "the same of scrypt, of which 4 answers are looked at"),
            ("forged", "turn away a bogus ticket and a bogus proof"),
            ("forged_worst", "turn away a proof that looks right, by the first derivation"),
        )
    } | _over_page(options)


def _over_page(options: Options) -> Figures:
    """What a forged answer and a refusal cost, as parts of a page."""
    progress("admission: requests that get nothing")
    taken = alternated(requests(), options.rounds, 0.02 if options.quick else 0.2)
    page = median(taken["page"])
    return {
        f"admission.{name}_over_page": Figure(median(taken[name]) / page, "×", told)
        for name, told in (
            ("bogus", "a request with a forged ticket and proof : a returning reader's page"),
            ("refused", "a request that is refused for its sender's name : a returning reader's page"),
        )
    }


def requests() -> dict[str, Work]:
    """Name → one request to the guarded app, called as a server calls it."""
    app = APPS["guarded"]()
    page = asyncio.run(warm(app, SUBJECTS["guard"]))[2]
    text = _offered(_HARDEST)
    forged = text[:-2] + (b"AA" if text[-2:] != b"AA" else b"BB") + b" " + b".".join([b"7"] * _HARDEST.puzzles)
    return {
        "page": _asked(app, page, 200),
        "bogus": _asked(app, http_scope("/.contentguard/rest", CHROME, method="POST"), 403, forged),
        "refused": _asked(app, http_scope(PATH, GPTBOT), 403),
    }


def _asked(app: ASGIApp, scope: Mapping[str, Any], status: int, body: bytes = b"") -> Work:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message.get("status", status) != status:
            raise MeasureError(f"admission: {scope['path']} answers {message['status']} instead of {status}")

    def once() -> object:
        # Nothing here waits for anything, so it needs no event loop, which would cost as much as the rest.
        running = app({**scope, "headers": scope["headers"].copy()}, receive, send)
        try:
            cast(Coroutine[Any, Any, None], running).send(None)
        except StopIteration:
            return None
        raise MeasureError(f"admission: {scope['path']} waits")

    return once


def works() -> dict[str, Work]:
    """Name → one piece of work."""
    text = _offered(_HARDEST)
    genuine = _known(text)
    forged = text[:-2] + (b"AA" if text[-2:] != b"AA" else b"BB")
    bogus = b".".join([b"7"] * 63 + [b"122.5"])
    chances = count(1, 2**61 // 1000)

    def redeemed() -> object:
        ticket = _known(_offered(_HARDEST))
        if tickets.check(_KEYS, ticket, _NOW, _AGENT, _ARTICLE) is not None:
            raise MeasureError("admission: a ticket is not good")
        return grant(ticket, _NOW, proved=True, prefix=_PREFIX)

    def turned_away() -> object:
        if tickets.read(_KEYS, forged) is not None or proof.verify(text, genuine.difficulty, bogus, next(chances)):
            raise MeasureError("admission: a forgery is accepted")
        return None

    def worst() -> object:
        if proof.verify(text, genuine.difficulty, wrong, next(chances)):
            raise MeasureError("admission: a wrong proof is accepted")
        return None

    wrong = _wrong(text)
    return {
        "ticket": redeemed,
        "verify": _verifying(_HARDEST, chances),
        "verify_sha256": _verifying(Difficulty(Algorithm.SHA256, 1, 64, 8), chances),
        "verify_scrypt": _verifying(Difficulty(Algorithm.SCRYPT, 1024, 8, 1), chances),
        "forged": turned_away,
        "forged_worst": worst,
    }


def _offered(asked: Difficulty) -> bytes:
    article = tickets.article_tag(_KEY, _ARTICLE)
    made = offer(
        *(_NOW, "0123456789abcdef", asked),
        article=article,
        agent=_AGENT,
        prefix=_PREFIX,
        path=_ARTICLE,
        options=_TICKETS,
    )
    return tickets.write(_KEY, made).encode()


def _known(text: bytes) -> Ticket:
    ticket = tickets.read(_KEYS, text)
    if ticket is None:
        raise MeasureError("admission: a ticket is not read back")
    return ticket


def _verifying(asked: Difficulty, chances: count[int]) -> Work:
    """Verifying a proof of this work, which costs as much whatever the bits."""
    text = _offered(asked)
    answers = proof.solve(text, asked).encode()

    def verified() -> object:
        if not proof.verify(text, asked, answers, next(chances)):
            raise MeasureError("admission: a right proof is refused")
        return None

    return verified


def _wrong(text: bytes) -> bytes:
    """A proof of which no answer is right."""
    missed = (
        next(n for n in count() if not proof.solves(text, _HARDEST, index, n)) for index in range(_HARDEST.puzzles)
    )
    return b".".join(b"%d" % n for n in missed)
