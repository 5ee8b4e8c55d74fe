"""Tickets and proofs: what it costs to offer one, to redeem one, and to turn a forgery away.

*Ticket*: to offer, sign, read, check and grant one, the proof aside. *Verify*: a right proof of the hardest work that
is asked for, as many of its answers as are looked at. *Forged*: a ticket and a proof that stop before any key is
derived; what a well-formed wrong proof costs beyond that is one derivation.
"""

from __future__ import annotations

from itertools import count
from statistics import median

from contentguard.admission import passes, proof, tickets
from contentguard.admission.difficulty import STEPS, Algorithm, Difficulty
from contentguard.admission.grants import Tickets, grant, offer
from contentguard.admission.tickets import Ticket
from tests.benchmarks.measure import Figure, Figures, MeasureError, Options, Work, alternated, progress

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
    }


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
