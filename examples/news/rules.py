"""What editors may say about comments: how many links, which words, and who has to wait.

The words of WordPress's "Discussion" settings. One word, domain or phrase on a line; kept as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

RULES: Final = "rules"
_MOST_LINES: Final = 500
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of this site, over those of the settings."""

    links: int = 2
    """Comments with this many links or more wait."""
    hold_words: tuple[str, ...] = ()
    """Comments with one of these wait."""
    spam_words: tuple[str, ...] = ()
    """Comments with one of these are spam."""
    hold_all: bool = False
    """Every comment waits."""
    approved_before: bool = True
    """Who has no approved comment yet waits."""

    @classmethod
    def posted(cls, fields: Mapping[str, str]) -> tuple[Rules, dict[str, str]]:
        """Return the rules that a form holds, and what is wrong with it by field."""
        errors: dict[str, str] = {}
        links = fields.get("links", "").strip()
        if not (links.isascii() and links.isdigit() and 1 <= int(links[:9]) <= 100):
            errors["links"] = f"Expected a number from 1 to 100, found {links[:20]!r}."
        words = {name: _lines(fields.get(name, "")) for name in ("hold_words", "spam_words")}
        for name, lines in words.items():
            if len(lines) > _MOST_LINES or any(len(line) > _LONGEST for line in lines):
                errors[name] = f"At most {_MOST_LINES} lines of at most {_LONGEST} characters."
        rules = cls(
            2 if "links" in errors else int(links),
            words["hold_words"],
            words["spam_words"],
            bool(fields.get("hold_all")),
            bool(fields.get("approved_before")),
        )
        return rules, errors


def read(kept: str | None) -> Rules:
    """Return rules as they were kept; those to begin with where none were."""
    data: dict[str, Any] = json.loads(kept) if kept else {}
    return Rules(**{name: tuple(value) if isinstance(value, list) else value for name, value in data.items()})


def written(rules: Rules) -> str:
    """Return rules as they are kept."""
    return json.dumps(asdict(rules))


def _lines(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line for one in text.splitlines() if (line := " ".join(one.split()))))
