"""A policy as it is written (a table of TOML, JSON or keyword arguments) → ``Policy``.

Strategy: every reader takes what it can, notes what it cannot in one list with its place and the nearest right name,
and goes on, so that all faults of a policy are told at once. A single value may stand for a list of one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from contentguard.errors import Fault
from contentguard.model import Action, Purpose, Right
from contentguard.policy.faults import PolicyError, shown, unknown
from contentguard.policy.policy import Policy, policy_faults
from contentguard.policy.rules import Header, Rule, Score, When

Faults = list[Fault]

_DEPTH = 8
"""How deep conditions may lie inside each other."""


def read_policy(written: Mapping[str, Any], crawlers: Iterable[str] | None = None) -> Policy:
    """The policy that ``written`` holds. Raises ``PolicyError`` with every fault at once.

    ``crawlers`` are the names of the catalogue; where they are given, a rule that names another is a fault too.
    """
    faults: Faults = []
    made_of = {name: part for name, part in _read(_PARTS, written, "", faults).items() if part is not None}
    faults += policy_faults(made_of, crawlers)
    if faults:
        raise PolicyError(faults)
    return Policy(**made_of)


def _table(value: object, where: str, names: Iterable[str], faults: Faults) -> dict[str, Any]:
    """The known entries of a table."""
    if not isinstance(value, Mapping):
        faults.append(Fault(where, shown(value), "a table"))
        return {}
    names = tuple(names)
    for key in value:
        if key not in names:
            faults.append(unknown(f"{where}.{key}".lstrip("."), key, "one of", names))
    return {key: value[key] for key in value if key in names}


def _text(value: object, where: str, faults: Faults) -> str | None:
    if isinstance(value, str):
        return str(value)
    faults.append(Fault(where, shown(value), "a text"))
    return None


def _number(value: object, where: str, faults: Faults) -> float | None:
    # What comes from the environment is text.
    try:
        if isinstance(value, int | float | str) and not isinstance(value, bool):
            return float(value)
    except (ValueError, OverflowError):
        pass
    faults.append(Fault(where, shown(value), "a number"))
    return None


def _whole(value: object, where: str, faults: Faults) -> int | None:
    found = _number(value, where, faults)
    if found is None or found.is_integer():
        return None if found is None else int(found)
    faults.append(Fault(where, shown(value), "a whole number"))
    return None


def _yes(value: object, where: str, faults: Faults) -> bool | None:
    if isinstance(value, bool):
        return value
    faults.append(Fault(where, shown(value), "true or false"))
    return None


def _many(value: object, where: str, faults: Faults) -> list[Any]:
    """One value or several. An empty list is a fault: it would hold always, the contrary of what it says."""
    values = list(value) if isinstance(value, list | tuple) else [value]
    if not values:
        faults.append(Fault(where, "an empty list", "at least one value, or leave it out"))
    return values


def _texts(value: object, where: str, faults: Faults) -> tuple[str, ...]:
    found = (_text(one, where, faults) for one in _many(value, where, faults))
    return tuple(text for text in found if text is not None)


def _names(value: object, where: str, faults: Faults) -> tuple[str, ...]:
    return () if value in ([], ()) else _texts(value, where, faults)


def _word(value: object, where: str, faults: Faults, words: type[Action | Right | Purpose]) -> Any:
    try:
        return words(str(value))
    except ValueError:
        faults.append(unknown(where, value, "one of", words))
        return None


def _right(value: object, where: str, faults: Faults) -> Right | None:
    found: Right | None = _word(value, where, faults, Right)
    return found


def _by_purpose(value: object, where: str, faults: Faults) -> dict[Purpose, Right]:
    if not isinstance(value, Mapping):
        faults.append(Fault(where, shown(value), "a table"))
        return {}
    pairs = [
        (_word(key, f"{where}.{key}", faults, Purpose), _right(right, f"{where}.{key}", faults))
        for key, right in value.items()
    ]
    return {purpose: right for purpose, right in pairs if purpose is not None and right is not None}


def _rights_by_name(value: object, where: str, faults: Faults) -> dict[str, Right]:
    pairs = {name: _right(right, f"{where}.{name}", faults) for name, right in _entries(value, where, faults)}
    return {name: right for name, right in pairs.items() if right is not None}


def _numbers_by_name(value: object, where: str, faults: Faults) -> dict[str, float]:
    pairs = {name: _number(found, f"{where}.{name}", faults) for name, found in _entries(value, where, faults)}
    return {name: found for name, found in pairs.items() if found is not None}


def _entries(value: object, where: str, faults: Faults) -> list[tuple[str, object]]:
    if isinstance(value, Mapping):
        return [(str(key), found) for key, found in value.items()]
    faults.append(Fault(where, shown(value), "a table"))
    return []


def _rules(value: object, where: str, faults: Faults) -> tuple[Rule | None, ...]:
    values = list(value) if isinstance(value, list | tuple) else [value]
    return tuple(_rule(one, f"{where}.{place}", faults) for place, one in enumerate(values))


def _rule(value: object, where: str, faults: Faults) -> Rule | None:
    if isinstance(value, Rule):
        return value
    known = len(faults)
    made_of = _read(_RULE, value, where, faults)
    missing = [name for name in ("name", "action") if isinstance(value, Mapping) and name not in value]
    faults += [Fault(f"{where}.{name}", "nothing", "what every rule has") for name in missing]
    return Rule(**made_of) if len(faults) == known else None


def _when(value: object, where: str, faults: Faults) -> When:
    # What is still deeper is read by nobody; it would only exhaust the stack.
    if where.count(".") > 2 + 2 * _DEPTH:
        faults.append(Fault(where, "conditions inside conditions", f"at most {_DEPTH} levels"))
        return When()
    made_of = _read(_WHEN, value, where, faults)
    return When(**{"not_" if name == "not" else name: found for name, found in made_of.items()})


def _whens(value: object, where: str, faults: Faults) -> tuple[When, ...]:
    return tuple(_when(one, f"{where}.{place}", faults) for place, one in enumerate(_many(value, where, faults)))


def _score(value: object, where: str, faults: Faults) -> Score:
    if not isinstance(value, Mapping):
        return Score(_bound(value, where, faults))
    return Score(**_read(dict.fromkeys(("at_least", "below"), _bound), value, where, faults))


def _bound(value: object, where: str, faults: Faults) -> float | str | None:
    return str(value) if isinstance(value, str) else _number(value, where, faults)


def _headers(value: object, where: str, faults: Faults) -> tuple[Header, ...]:
    found = [_header(one, where, faults) for one in _many(value, where, faults)]
    return tuple(header for header in found if header is not None)


def _header(value: object, where: str, faults: Faults) -> Header | None:
    if isinstance(value, str):
        return Header(value)
    made_of = _read(dict.fromkeys(("name", "equals", "contains"), _text), value, where, faults)
    if made_of.get("name") is None:
        faults.append(Fault(f"{where}.name", "nothing", "the header's name"))
        return None
    return Header(**made_of)


def _action(value: object, where: str, faults: Faults) -> Action | None:
    found: Action | None = _word(value, where, faults, Action)
    return found


Reader = Callable[[object, str, Faults], Any]


def _read(readers: Mapping[str, Reader], value: object, where: str, faults: Faults) -> dict[str, Any]:
    """The entries of a table, each by its own reader."""
    parts = _table(value, where, readers, faults)
    return {name: readers[name](part, f"{where}.{name}".lstrip("."), faults) for name, part in parts.items()}


_PARTS: Mapping[str, Reader] = {
    "rights": _by_purpose,
    "crawlers": _rights_by_name,
    "preset": _text,
    "unverified": _by_purpose,
    "thresholds": _numbers_by_name,
    "rules": _rules,
    "shadow": _names,
    "max_snippet": _whole,
}
_RULE: Mapping[str, Reader] = {
    "name": _text,
    "action": _action,
    "when": _when,
    "limit": _text,
    "counts": _text,
    "shadow": _yes,
}
_WHEN: Mapping[str, Reader] = {
    **dict.fromkeys(("path", "purpose", "crawler", "identity", "client", "method"), _texts),
    "score": _score,
    "header": _headers,
    "all": _whens,
    "any": _whens,
    "not": _when,
}
