"""What the site's owner may say about comments."""

from __future__ import annotations

import difflib
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Literal

MOST_WORDS = 1000
"""Words of one list, of at most ``MOST_LETTERS`` characters each."""
MOST_LETTERS = 100


@dataclass(frozen=True, slots=True)
class CommentOptions:
    """How comments are received. ValueError when a number makes no sense."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    moderation: Literal["new", "all", "none"] = "new"
    """Which comments wait for a moderator though nothing speaks against them: those of authors who have no approved
    comment yet, all, or none."""
    require_name_email: bool = True
    """Whether a name and an e-mail address have to be given."""
    max_links: int = 2
    """From so many links on a comment is held; 0: links do not matter."""
    moderation_words: tuple[str, ...] = ()
    """A comment that holds one of these, in any of its fields, is held: words, phrases, domains, addresses."""
    disallowed_words: tuple[str, ...] = ()
    """One that holds one of these is spam."""
    scripts: tuple[str, ...] = ()
    """Scripts that comments are written in (``latin``, ``cyrillic``, ``cjk``, …); others are held. Empty: any."""
    flood_seconds: float = 15.0
    """Seconds between two comments from one address, or of one e-mail address; 0: no limit."""
    duplicate_days: float = 7.0
    """For how many days a comment is known again."""
    form_seconds: float = 86_400.0
    """How long a form can be used."""
    fastest: float = 1.0
    """What is sent sooner than so many seconds after its form was made is spam."""
    fast: float = 3.0
    """What is sent sooner than so many seconds is held."""
    second_press: bool = True
    """Ask who has shown nothing of a browser to press the button once more."""
    learn: bool = True
    """Learn from what moderators decide."""
    lessons: str = ""
    """The file in which that outlasts a restart (SQLite); empty: this process's memory."""

    def __post_init__(self) -> None:
        """Refuse what cannot be kept."""
        for script in self.scripts:
            if script not in _scripts():
                near = next(iter(difflib.get_close_matches(script, _scripts(), 1)), "latin")
                raise ValueError(f"comments.scripts: no letter is of {script!r}; did you mean {near!r}?")
        if not 0 <= self.max_links <= 1000:
            raise ValueError(f"comments.max_links: 0 to 1000, not {self.max_links}")
        if not 0.0 <= self.flood_seconds <= 3600.0 or not 0.0 < self.duplicate_days <= 60.0:
            raise ValueError(
                f"comments: a flood of {self.flood_seconds} seconds and duplicates of {self.duplicate_days} days: "
                "0 to 3600, and more than 0 to 60"
            )
        if not 60.0 <= self.form_seconds <= 604_800.0:
            raise ValueError(f"comments.form_seconds: 60 to 604800, not {self.form_seconds}")
        if not 0.0 <= self.fastest <= self.fast <= 60.0:
            raise ValueError(f"comments: 0 <= fastest <= fast <= 60, not {self.fastest} and {self.fast}")
        for name, words in (("moderation", self.moderation_words), ("disallowed", self.disallowed_words)):
            if len(words) > MOST_WORDS or any(not 0 < len(word.strip()) <= MOST_LETTERS for word in words):
                raise ValueError(
                    f"comments.{name}_words: up to {MOST_WORDS} words of 1 to {MOST_LETTERS} characters each"
                )


@cache
def _scripts() -> list[str]:
    """The first words of letters' names, which name their scripts."""
    letters = filter(str.isalpha, map(chr, range(0x20000)))
    return sorted({unicodedata.name(letter, "unknown").partition(" ")[0].lower() for letter in letters})
