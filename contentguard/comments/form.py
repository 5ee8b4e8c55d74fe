"""The form's token: a signed leave to post one comment under one article, from one kind of browser, once.

Everything that decides stands inside the MAC (the article only there, so that a token moved to another page is void),
and so does the name of the field that nobody may fill: it differs from form to form, and cannot be learned. Two times
count: when the form was first shown, which later forms of the same visit inherit (who corrects a typing error need not
wait again), and when it ends. Its nonce is to be spent in a store.

Format: what ``sealed`` makes of these fields about the article's path, 88 characters; numbers are big-endian::

    MAC(18) version(1)=1 key id(1)
    shown(8) opens(8) ends(8)              milliseconds since the epoch
    nonce(8) trap(4) presses(2)            the trap's name follows from these four bytes
    agent(4) prefix(4)                     keyed hashes

The purpose is "cg-comment-form".
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from hashlib import blake2b
from hmac import compare_digest
from html import escape
from struct import Struct
from typing import NamedTuple

from contentguard.sealed import seal, unseal

FIELD = "contentguard-form"
"""The field that holds the token."""
CHANCE = 12
"""Random bytes that a token needs."""
LONGEST_TOKEN = 128
_FIELDS = Struct(">QQQ8s4sH4s4s")
_PURPOSE, _VERSION = b"cg-comment-form", 1
_SKEW = 60.0
"""Seconds by which another machine's clock may be ahead of ours."""
_MOST_TIME = 2**63
_BAITS = ("subject", "topic", "homepage", "message", "summary", "headline", "remarks", "website")
"""What the trap is called, more or less: nothing that a browser fills in by itself."""
_LABEL = "Leave this field empty"


class Token(NamedTuple):
    """What a genuine token says."""

    shown: int
    """Milliseconds since the epoch: when the first form of this visit to the article was made."""
    opens: int
    """Before that it cannot have been filled in by hand."""
    ends: int
    nonce: bytes
    """8 bytes drawn by chance; what the store spends."""
    trap: bytes
    """4 bytes drawn by chance."""
    presses: int
    """How often the button had been pressed before this form was shown, as far as forms can tell."""
    agent: bytes
    """``tag`` of the kind of browser. Another kind may not use it."""
    prefix: bytes
    """``tag`` of the address prefix. Another one is a sign."""

    @property
    def honeypot(self) -> str:
        """The name of the field that stays empty."""
        return f"{_BAITS[self.trap[0] % len(_BAITS)]}-{self.trap[1:].hex()}"


class Trouble(StrEnum):
    """Why a form is not accepted."""

    MISSING = "missing"
    FORGED = "forged"
    """Not written here, or for another article."""
    BROWSER = "other-browser"
    LATE = "late"
    EARLY = "early"
    """From a future that no clock explains."""


class Form(NamedTuple):
    """What an app puts inside its ``<form>``."""

    html: str
    """Safe markup: the token, and a field that people do not see."""
    token: str
    honeypot: str
    """The name of that field."""


def issue(
    key: bytes, article: str, agent: str, prefix: str, now: float, life: float, wait: float, chance: bytes
) -> tuple[Token, str]:
    """A token for a form that is shown at ``now``, and its text. Times in seconds; ``chance``: 12 random bytes."""
    shown = int(now * 1000)
    token = Token(
        shown,
        shown + int(wait * 1000),
        shown + int(life * 1000),
        chance[:8],
        chance[8:CHANCE],
        0,
        tag(key, agent),
        tag(key, prefix),
    )
    return token, write(key, token, article)


def again(key: bytes, before: Token, article: str, now: float, life: float, chance: bytes) -> tuple[Token, str]:
    """A token for the form that answers a post which was not accepted: nobody has to wait a second time."""
    ends = int((now + life) * 1000)
    token = before._replace(
        opens=before.shown, ends=ends, nonce=chance[:8], trap=chance[8:CHANCE], presses=min(before.presses + 1, 255)
    )
    return token, write(key, token, article)


def write(key: bytes, token: Token, article: str) -> str:
    """A token as text. ``key``: 32 secret bytes for this purpose alone. ValueError when a field makes no sense."""
    times = token.shown, token.opens, token.ends
    widths = len(token.nonce), len(token.trap), len(token.agent), len(token.prefix)
    if not all(0 <= time < _MOST_TIME for time in times) or widths != (8, 4, 4, 4) or not 0 <= token.presses <= 255:
        raise ValueError(f"no token can hold {token}")
    return seal(key, _PURPOSE, _VERSION, _FIELDS.pack(*token), _named(article))


def read(keys: Sequence[bytes], text: str, article: str) -> Token | None:
    """What a token says; None when none of ``keys`` wrote it for this article."""
    if len(text) > LONGEST_TOKEN:
        return None
    body = unseal(keys, _PURPOSE, _VERSION, text.encode("utf-8", "replace"), _named(article))
    return None if body is None or len(body) != _FIELDS.size else Token(*_FIELDS.unpack(body))


def check(keys: Sequence[bytes], token: Token, agent: str, now: float) -> Trouble | None:
    """Why a genuine token is not good at ``now`` (seconds since the epoch) for this kind of browser; None if it is."""
    if not any(compare_digest(tag(key, agent), token.agent) for key in keys):
        return Trouble.BROWSER
    if now * 1000.0 > token.ends:
        return Trouble.LATE
    return Trouble.EARLY if token.shown / 1000.0 - now > _SKEW else None


def moved(keys: Sequence[bytes], token: Token, prefix: str) -> bool:
    """Whether a token was given to another address prefix: readers move, and so do tokens that are passed on."""
    return not any(compare_digest(tag(key, prefix), token.prefix) for key in keys)


def took(token: Token, now: float) -> float:
    """Seconds between the first form of a visit and this post."""
    return max(0.0, now - token.shown / 1000.0)


def tag(key: bytes, text: str) -> bytes:
    """Four bytes that stand for a kind of browser or an address prefix inside a token."""
    raw = text.encode("utf-8", "surrogatepass")
    return blake2b(raw, digest_size=4, key=key, person=b"cg-comment-tag").digest()


def markup(token: Token, text: str) -> Form:
    """The form's part of ours.

    The trap stands in a ``<dialog>`` that is never opened: browsers show nothing of it, tell screen readers nothing of
    it and fill nothing into it, without a style sheet, a ``hidden`` or a ``style`` that would say so to a program.
    Where a dialog is unknown (lynx, w3m) its label says what to do.
    """
    name = escape(token.honeypot)
    html = (
        f'<input type="hidden" name="{FIELD}" value="{escape(text)}">'
        f'<dialog><label for="{name}">{_LABEL}</label> '
        f'<input type="text" id="{name}" name="{name}" value="" tabindex="-1" autocomplete="off"></dialog>'
    )
    return Form(html, text, token.honeypot)


def _named(article: str) -> bytes:
    return article.encode("utf-8", "surrogatepass")
