"""Requests as they were written down: Facts as JSON, and verdict records of our own log.

A record may be partial, and a person may have written it: what is missing has a plain default, what is wrong is told
with its name. Whatever cannot be read raises ``UnreadableError``.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from contentguard.crawlers import CATALOGUE
from contentguard.model import Action, Facts, Rendition, Signal, Standing

_DEFAULTS: Mapping[str, Any] = {"method": "GET", "path": "/", "headers": (), "client": None}
_NUMBERS = ("now", "wait")


class UnreadableError(ValueError):
    """A record that cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request that was written down."""

    facts: Facts
    signals: tuple[Signal, ...] = ()
    """Signals that were noted then; they stand where the facts are too few to notice them again."""
    complete: bool = True
    """Whether the facts have all that the request had, so that detectors can be asked."""
    outcome: str | None = None
    """What became of it, as far as it was written down: a word of ``policy.words.outcome``, or ``served``."""
    status: int | None = None
    timed: bool = True
    """Whether it was written down when it came: without that, no limit can be replayed."""
    key: str = ""
    """Who asked, where the address itself was not written down."""


def read_record(data: object) -> Recorded:
    """A request from JSON: Facts as ``Facts.as_dict`` gives them, one of our verdict records, or both together."""
    if not isinstance(data, Mapping):
        raise UnreadableError("a JSON object was expected")
    verdict = data.get("verdict")
    if isinstance(data.get("facts"), Mapping):
        record = verdict if isinstance(verdict, Mapping) else {}
        return _of_facts(data["facts"], data.get("signals", record.get("signals", ())), _outcome(record))
    if isinstance(verdict, Mapping):
        return _of_verdict(verdict)
    if "action" in data and "rule" in data:
        return _of_verdict(data)
    return _of_facts({name: value for name, value in data.items() if name != "signals"}, data.get("signals", ()), None)


def _of_facts(data: Mapping[str, Any], signals: object, outcome: str | None) -> Recorded:
    facts = read_facts(data)
    return Recorded(facts, _signals(signals), outcome=outcome, timed=facts.now > 0)


def read_facts(data: Mapping[str, Any]) -> Facts:
    """Facts, complete or partial."""
    names = [part.name for part in fields(Facts)]
    for name in data:
        if name not in names:
            near = difflib.get_close_matches(str(name), names, 1, 0.6)
            raise UnreadableError(f"facts have no {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    told = {**_DEFAULTS, **data, "headers": _headers(data.get("headers", ()))}
    for name in ("method", "path"):
        if not isinstance(told[name], str):
            raise UnreadableError(f"{name} has to be a text")
    if not (told["client"] is None or isinstance(told["client"], str)):
        raise UnreadableError("client has to be an address or null")
    if isinstance(told.get("crawler"), str):
        told["crawler"] = _crawler(told["crawler"])
    try:
        numbers = {name: float(told[name]) for name in _NUMBERS if name in told}
        return Facts.from_dict({**told, **numbers})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableError(f"no facts: {error}") from None


def _headers(headers: object) -> list[tuple[str, str]]:
    """Headers as pairs or as an object; characters beyond Latin-1 as the bytes of UTF-8."""
    pairs = list(headers.items()) if isinstance(headers, Mapping) else headers
    if not isinstance(pairs, list | tuple) or not all(_is_pair(pair) for pair in pairs):
        raise UnreadableError("headers have to be pairs of texts")
    return [(_latin(name), _latin(value)) for name, value in pairs]


def _is_pair(pair: object) -> bool:
    return isinstance(pair, list | tuple) and len(pair) == 2 and all(isinstance(text, str) for text in pair)


def _latin(text: str) -> str:
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode("latin-1")
    return text


def _crawler(name: str) -> dict[str, Any]:
    found = next((crawler for crawler in CATALOGUE.crawlers if crawler.name.lower() == name.lower()), None)
    if found is None:
        raise UnreadableError(f"no robot of the catalogue is named {name!r}")
    return {part.name: getattr(found, part.name) for part in fields(found)}


def _of_verdict(record: Mapping[str, Any]) -> Recorded:
    """A request from the record of its verdict: it names no header but the User-Agent, and no address."""
    agent = record.get("agent") or ""
    facts = read_facts(
        {
            "method": record.get("method", "GET"),
            "path": record.get("path", "/"),
            "headers": [("user-agent", str(agent))] if agent else [],
            "identity": record.get("identity") or Standing.UNKNOWN,
            "now": record.get("time") or 0.0,
        }
    )
    return Recorded(
        facts,
        _signals(record.get("signals", ())),
        complete=False,
        outcome=_outcome(record),
        timed="time" in record,
        key=str(record.get("client", "")),
    )


def _signals(found: object) -> tuple[Signal, ...]:
    try:
        return tuple(Signal(str(name), float(weight), str(group)) for name, weight, group in found)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        raise UnreadableError("signals have to be triples of name, weight and group") from None


def _outcome(record: Mapping[str, Any]) -> str | None:
    if not record:
        return None
    try:
        action, rendition = Action(record.get("action", "")), Rendition(record.get("rendition", "full"))
    except ValueError:
        raise UnreadableError("the verdict names no action and rendition that there are") from None
    return rendition.value if action is Action.ALLOW else action.value
