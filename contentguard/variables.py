"""What variables of the environment say, as the tables of a settings file would.

``CONTENTGUARD_METER__ARTICLES_PER_HOUR=40`` is ``[meter]`` with ``articles_per_hour = 40``. A setting that is a text is
taken as it stands; a list or a table is written in JSON.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from typing import Any

from contentguard.errors import Fault


def read_variables(
    environment: Mapping[str, str], prefix: str, defaults: Mapping[str, object], unnamed: Collection[str] = ()
) -> tuple[dict[str, Any], list[Fault]]:
    """Setting → what the variables that begin with ``prefix`` say, in tables, and what is wrong with their names.

    ``defaults``: setting → its default, which tells lists and tables from texts, and sections (dataclasses) from both.
    ``unnamed``: settings that no variable can name. A section's own variables hold before the JSON of the whole.
    """
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    known = {name: f"{prefix}{name.upper()}" for name in defaults if name not in unnamed}
    for variable, text in sorted(_of(environment, prefix), key=lambda item: item[0].upper()):
        path = variable[len(prefix) :].lower().split("__")
        fault = _misnamed(variable, path, known, defaults)
        if fault is not None:
            faults.append(fault)
        elif len(path) > 1:
            _put(values, path, _value(text, getattr(defaults[path[0]], path[1], "")))
        elif not is_dataclass(defaults[path[0]]):
            values[path[0]] = _value(text, defaults[path[0]])
        elif isinstance(table := _json(text), dict):
            values[path[0]] = table
        else:
            wanted = f"a table in JSON, or {variable}__… for each name"
            faults.append(Fault(variable, "what is none (not shown)", wanted))
    return values, faults


def nearest(found: str, names: Iterable[str]) -> str:
    """The name that ``found`` was probably meant to be; empty where none is near."""
    return next(iter(difflib.get_close_matches(found, list(names), 1, 0.6)), "")


def _of(environment: Mapping[str, str], prefix: str) -> Iterator[tuple[str, str]]:
    return ((name, text) for name, text in environment.items() if name.upper().startswith(prefix))


def _misnamed(variable: str, path: list[str], known: Mapping[str, str], defaults: Mapping[str, object]) -> Fault | None:
    name = path[0]
    if name not in known:
        near = nearest(variable.split("__")[0].upper(), known.values())
        return Fault(variable, "an unknown environment variable", "a setting's name", near)
    if len(path) > 1 and not is_dataclass(defaults[name]):
        return Fault(variable, f"a name below {name}, which has none", known[name])
    return None


def _value(text: str, default: object) -> object:
    """Numbers, and yes and no, are texts that whoever checks them can read."""
    read = _json(text) if isinstance(default, tuple | Mapping) else None
    return read if isinstance(read, list if isinstance(default, tuple) else dict) else text


def _json(text: str) -> object:
    """What stands there in JSON; None where that is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _put(values: dict[str, Any], path: list[str], value: object) -> None:
    for name in path[:-1]:
        if not isinstance(values.get(name), dict):
            values[name] = {}
        values = values[name]
    values[path[-1]] = value
