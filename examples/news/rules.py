"""What editors may say about comments: how many links, which words, and who has to wait.

The words of WordPress's "Discussion" settings. One word, domain or phrase on a line; kept as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from contentguard.comments.options import MOST_LETTERS, MOST_WORDS, CommentOptions

RULES: Final = "rules"


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of this site, over those of the settings."""

    max_links: int = 2
    """Comments with this many links or more wait."""
    moderation_words: tuple[str, ...] = ()
    """Comments with one of these wait."""
    disallowed_words: tuple[str, ...] = ()
    """Comments with one of these are spam."""
    hold_all: bool = False
    """Every comment waits."""
    approved_before: bool = True
    """Who has no approved comment yet waits."""

    def over(self, options: CommentOptions) -> CommentOptions:
        """Return the settings with what editors have said instead."""
        return replace(
            options,
            moderation="all" if self.hold_all else "new" if self.approved_before else "none",
            max_links=self.max_links,
            moderation_words=self.moderation_words,
            disallowed_words=self.disallowed_words,
        )

    @classmethod
    def posted(cls, fields: Mapping[str, str]) -> tuple[Rules, dict[str, str]]:
        """Return the rules that a form holds, and what is wrong with it by field."""
        errors: dict[str, str] = {}
        links = fields.get("max_links", "").strip()
        if not (links.isascii() and links.isdigit() and 1 <= int(links[:9]) <= 100):
            errors["max_links"] = f"Expected a number from 1 to 100, found {links[:20]!r}."
        words = {name: _lines(fields.get(name, "")) for name in ("moderation_words", "disallowed_words")}
        for name, lines in words.items():
            if len(lines) > MOST_WORDS or any(len(line) > MOST_LETTERS for line in lines):
                errors[name] = f"At most {MOST_WORDS} lines of at most {MOST_LETTERS} characters."
        rules = cls(
            2 if "max_links" in errors else int(links),
            words["moderation_words"],
            words["disallowed_words"],
            bool(fields.get("hold_all")),
            bool(fields.get("approved_before")),
        )
        return rules, errors


def read(kept: str | None) -> Rules:
    """Return rules as they were kept; those to begin with where none were."""
    data: dict[str, Any] = json.loads(kept) if kept else {}
    words = {name: tuple(value) for name, value in data.items() if isinstance(value, list)}
    return Rules(**{**data, **words})


def written(rules: Rules) -> str:
    """Return rules as they are kept."""
    return json.dumps(asdict(rules))


def _lines(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line for one in text.splitlines() if (line := " ".join(one.split()))))
