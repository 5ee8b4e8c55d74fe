"""What Akismet's answers mean.

Strategy: every documented answer has status 200, and the body is the answer. Whatever is not exactly one of the
documented words is no verdict, and the comment waits. What stands in the headers is for the editor; it is cut and
cleaned before anybody sees it. Any bytes mean something, and nothing here raises but for ``read_usage`` and
``read_sites``, which have nothing to say without figures.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from types import MappingProxyType
from typing import Any, NamedTuple

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
_ALERT = ("api-calls", "usage-limit", "upgrade-url", "upgrade-plan", "upgrade-type", "recommended-plan-name")
"""What may come with an alert."""
_COUNTED = ("api_calls", "spam", "ham", "missed_spam", "false_positives")
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


class Usage(NamedTuple):
    """How much of a plan is used this month."""

    limit: int | None
    """Calls that the plan allows in a month; None for any number."""
    usage: int
    percentage: float
    throttled: bool
    """Whether calls are slowed down because the plan has been exceeded for long."""


class SiteUsage(NamedTuple):
    """What one site did with a key in one month."""

    site: str
    api_calls: int
    spam: int
    ham: int
    missed_spam: int
    false_positives: int
    is_revoked: bool


def unanswered(why: str) -> AkismetAnswer:
    """The answer of a service that gave none."""
    return AkismetAnswer(why=why, trouble=Trouble.SERVICE)


def read_verdict(status: int, headers: Headers, body: bytes) -> AkismetAnswer:
    """What an answer to ``comment-check`` means. Any bytes mean something; nothing is raised."""
    told = _told(headers)
    word = body.strip() if status == 200 else b""
    verdict, why, trouble = AkismetVerdict.UNKNOWN, "", Trouble.NONE
    if told.get("error"):
        why, trouble = f"Akismet reports an error: {told['error']}", Trouble.KEY
    elif word == b"true":
        verdict = AkismetVerdict.DISCARD if told.get("pro-tip") == "discard" else AkismetVerdict.SPAM
    elif word == b"false":
        verdict = AkismetVerdict.HAM
    else:
        why, trouble = _refusal(status, word, told)
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


def read_usage(status: int, headers: Headers, body: bytes) -> Usage:
    """The answer to ``usage-limit``. ValueError, which says why, where it is none."""
    data = _document(status, headers, body)
    try:
        limit = None if data["limit"] == "none" else int(data["limit"])
        percentage = float(data["percentage"])
        if not isfinite(percentage):
            raise ValueError("a percentage that is no number")
        return Usage(limit, int(data["usage"]), percentage, _is_true(data["throttled"]))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"figures that make no sense ({type(error).__name__})") from None


def read_sites(status: int, headers: Headers, body: bytes) -> tuple[SiteUsage, ...]:
    """The answer to ``key-sites`` in JSON, which has the sites by month. ValueError, which says why, if it is none."""
    data = _document(status, headers, body)
    try:
        months = [value for name, value in data.items() if re.fullmatch(r"\d{4}-\d{2}", name)]
        # The published example has one site as an object, the service itself lists them.
        rows = [row for month in months for row in (month if isinstance(month, list) else [month])]
        return tuple(_site(row) for row in rows)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"figures that make no sense ({type(error).__name__})") from None


def _site(row: Mapping[str, Any]) -> SiteUsage:
    calls, spam, ham, missed, false = (int(row[name]) for name in _COUNTED)
    return SiteUsage(_clean(str(row["site"])), calls, spam, ham, missed, false, _is_true(row.get("is_revoked")))


def _is_true(value: object) -> bool:
    return value in (True, "true", 1)


def _document(status: int, headers: Headers, body: bytes) -> dict[str, Any]:
    told = _told(headers)
    try:
        data = json.loads(body) if status == 200 else None
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise ValueError(_refusal(status, body.strip(), told)[0])
    return data


def _receipt(status: int, headers: Headers, body: bytes, wanted: bytes) -> Receipt:
    told, word = _told(headers), body.strip()
    if told.get("error"):
        return Receipt(False, f"Akismet reports an error: {told['error']}", Trouble.KEY, _alert(told))
    if status == 200 and word == wanted:
        return Receipt(True, alert=_alert(told))
    return Receipt(False, *_refusal(status, word, told), _alert(told))


def _refusal(status: int, word: bytes, told: Mapping[str, str]) -> tuple[str, Trouble]:
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


def _told(headers: Headers) -> dict[str, str]:
    """The service's own headers by the rest of their name, the first of each."""
    told: dict[str, str] = {}
    for raw, value in headers:
        name = raw[:64].decode("latin-1").lower()
        if name.startswith(_PREFIX):
            told.setdefault(name.removeprefix(_PREFIX), _clean(value[: 4 * _SHOWN].decode("utf-8", "replace")))
    return told


def _alert(told: Mapping[str, str]) -> Alert | None:
    code = told.get("alert-code", "")
    message = told.get("alert-msg", "") or ALERTS.get(code, "")
    if not code and not message:
        return None
    details = tuple((name, told[name]) for name in _ALERT if told.get(name) and _may_be_shown(name, told[name]))
    return Alert(code, message, details)


def _may_be_shown(name: str, value: str) -> bool:
    """An address where a plan is sold is a link in the editor's page."""
    return not name.endswith("-url") or value.startswith("https://")


def _seconds(text: str) -> float | None:
    return min(max(float(text), _SOONEST), _LATEST) if _NUMBER.fullmatch(text) else None


def _clean(text: str) -> str:
    """What somebody else's text looks like in ours: one line, and short."""
    return _CONTROLS.sub(" ", text).strip()[:_SHOWN]
