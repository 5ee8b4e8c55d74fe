"""What Akismet's answers mean.

Strategy: every documented answer has status 200, and the body is the answer. Whatever is not exactly one of the
documented words is no verdict, and the comment waits. What stands in the headers is for the editor; it is cut and
cleaned before anybody sees it. Any bytes mean something, and nothing here raises. Figures are in ``figures``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

Headers = Iterable[tuple[bytes, bytes]]

THANKS = b"Thanks for making the web a better place."
"""What the service says to a report."""
ALERTS: Mapping[str, str] = MappingProxyType(
    {
        "10001": "The key came with a hosting plan that has ended",
        "10003": "A personal plan is not enough for this site",
        "10005": "The key is in somebody else's hands and has to be replaced",
        "10006": "The key is suspended: improper use",
        "10009": "The key is suspended: used more than the plan allows",
        "10010": "The key is suspended: the plan is not for this kind of site",
        "10011": "The site needs a larger plan",
        "10402": "The key is suspended: the plan has not been paid for",
        "10403": "The key's owner has withdrawn it from this site",
        "10404": "The key is not for this site",
        "10501": "Over the plan's limit, for the first month",
        "10502": "Over the plan's limit, for the second month",
        "10504": "Approaching the plan's limit, in the third month",
        "10508": "Over the plan's limit, for the third month",
        "10516": "Over the plan's limit, for the fourth month or longer",
        "30001": "A commercial site needs a commercial plan",
    }
)
"""What the service wants its customers to know, by ``X-akismet-alert-code``, where it sends no words of its own."""

_PREFIX = "x-akismet-"
_ALERT = (
    *("api-calls", "usage-limit", "upgrade-url", "upgrade-plan", "upgrade-type", "upgrade-via-support"),
    "recommended-plan-name",
)
"""What may come with an alert, each in a header ``X-akismet-alert-…`` of its own."""
_SHOWN = 300
"""Characters of what the service says."""
_SOONEST, _LATEST = 10.0, 86_400.0
"""Bounds on when the service may want to be asked again, in seconds."""
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
_NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,6})?")


class AkismetVerdict(StrEnum):
    """What the service thinks of a comment."""

    HAM = "ham"
    SPAM = "spam"
    DISCARD = "discard"
    """Spam so blatant that nobody has to look at it."""
    UNKNOWN = "unknown"
    """It gave no verdict."""


class Trouble(StrEnum):
    """Why there is no verdict."""

    NONE = ""
    SERVICE = "service"
    """It does not answer, or answers nonsense: better luck later."""
    KEY = "key"
    """It does not accept what it was sent: a key that is wrong, suspended or another site's."""


class Alert(NamedTuple):
    """What the service wants its customer to know. It says nothing against a verdict that it came with."""

    code: str
    message: str
    details: tuple[tuple[str, str], ...] = ()
    """``api-calls``, ``usage-limit``, ``upgrade-url``, … as far as they were sent."""


@dataclass(frozen=True, slots=True)
class AkismetAnswer:
    """One answer of the service, all texts cut and without control characters."""

    verdict: AkismetVerdict = AkismetVerdict.UNKNOWN
    why: str = ""
    """Why there is no verdict, in plain English; empty where there is one."""
    trouble: Trouble = Trouble.NONE
    guid: str = ""
    """The service's own name for the comment."""
    recheck_after: float | None = None
    """Seconds after which it wants to be asked again."""
    alert: Alert | None = None
    debug_help: str = ""
    error: str = ""


class Receipt(NamedTuple):
    """What became of a report, or of the question whether a key is valid."""

    done: bool
    why: str = ""
    """Why not, in plain English."""
    trouble: Trouble = Trouble.NONE
    alert: Alert | None = None


def unanswered(why: str) -> AkismetAnswer:
    """The answer of a service that gave none."""
    return AkismetAnswer(why=why, trouble=Trouble.SERVICE)


def read_verdict(status: int, headers: Headers, body: bytes) -> AkismetAnswer:
    """What an answer to ``comment-check`` means. Any bytes mean something; nothing is raised."""
    told = told_by(headers)
    word = body.strip() if status == 200 else b""
    verdict, why, trouble = AkismetVerdict.UNKNOWN, "", Trouble.NONE
    if told.get("error"):
        why, trouble = f"Akismet reports an error: {told['error']}", Trouble.KEY
    elif word == b"true":
        verdict = AkismetVerdict.DISCARD if told.get("pro-tip") == "discard" else AkismetVerdict.SPAM
    elif word == b"false":
        verdict = AkismetVerdict.HAM
    else:
        why, trouble = refusal(status, word, told)
    return AkismetAnswer(
        verdict,
        why,
        trouble,
        told.get("guid", ""),
        _seconds(told.get("recheck-after", "")),
        _alert(told),
        told.get("debug-help", ""),
        told.get("error", ""),
    )


def read_key_check(status: int, headers: Headers, body: bytes) -> Receipt:
    """What an answer to ``verify-key`` means: ``done`` where the key is valid."""
    return _receipt(status, headers, body, b"valid")


def read_thanks(status: int, headers: Headers, body: bytes) -> Receipt:
    """What an answer to ``submit-spam`` and ``submit-ham`` means."""
    return _receipt(status, headers, body, THANKS)


def _receipt(status: int, headers: Headers, body: bytes, wanted: bytes) -> Receipt:
    told, word = told_by(headers), body.strip()
    if told.get("error"):
        return Receipt(False, f"Akismet reports an error: {told['error']}", Trouble.KEY, _alert(told))
    if status == 200 and word == wanted:
        return Receipt(True, alert=_alert(told))
    return Receipt(False, *refusal(status, word, told), _alert(told))


def refusal(status: int, word: bytes, told: Mapping[str, str]) -> tuple[str, Trouble]:
    """Why a body is no answer that was asked for, and whose fault that is."""
    if status != 200:
        return f"Akismet answered with status {status}", Trouble.SERVICE
    if word == b"invalid":
        helped = told.get("debug-help", "")
        return "Akismet calls the request invalid" + (f": {helped}" if helped else ""), Trouble.KEY
    if not word:
        return "Akismet gave an empty answer", Trouble.SERVICE
    kind = "a web page" if word.startswith(b"<") else f"{len(word)} bytes that mean nothing"
    return f"Akismet answered with {kind}", Trouble.SERVICE


def told_by(headers: Headers) -> dict[str, str]:
    """The service's own headers by the rest of their name, the first of each."""
    told: dict[str, str] = {}
    for raw, value in headers:
        name = raw[:64].decode("latin-1").lower()
        if name.startswith(_PREFIX):
            told.setdefault(name.removeprefix(_PREFIX), clean(value[: 4 * _SHOWN].decode("utf-8", "replace")))
    return told


def _alert(told: Mapping[str, str]) -> Alert | None:
    code = told.get("alert-code", "")
    message = told.get("alert-msg", "") or ALERTS.get(code, "")
    if not code and not message:
        return None
    details = ((name, told.get(f"alert-{name}", "")) for name in _ALERT)
    return Alert(code, message, tuple((name, value) for name, value in details if value and _may_be_shown(name, value)))


def _may_be_shown(name: str, value: str) -> bool:
    """An address where a plan is sold is a link in the editor's page."""
    return not name.endswith("-url") or value.startswith("https://")


def _seconds(text: str) -> float | None:
    return min(max(float(text), _SOONEST), _LATEST) if _NUMBER.fullmatch(text) else None


def clean(text: str) -> str:
    """What somebody else's text looks like in ours: one line, and short."""
    return _CONTROLS.sub(" ", text).strip()[:_SHOWN]
