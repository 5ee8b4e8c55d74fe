"""What can be said of a comment by looking at it: links, words, names, scripts, shouting.

Strategy: one rule is one function that gives at most one reason; ``RULES`` holds them. What the site's owner has
listed (links, words) asks for an action by itself, as in WordPress; what is only unusual gives points. Everything is
linear in the text, whatever it holds.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from functools import lru_cache

from contentguard.comments.decision import Reason
from contentguard.comments.options import CommentOptions
from contentguard.comments.submission import Submission
from contentguard.comments.text import folded

Rule = Callable[[Submission, CommentOptions], Reason | None]

LINK = re.compile(r"https?://|www\.", re.IGNORECASE)
MARKUP = re.compile(r"<a\s|\[(?:url|link)[=\]]|<(?:script|iframe|img|style)\b", re.IGNORECASE)
_NAMED = re.compile(r"https?:|www\.|\.(?:com|net|org|info|biz|ru|cn|xyz|top|site|online|shop|io|co)\b", re.IGNORECASE)
_TRADE = re.compile(
    r"\b(?:casino|bet|betting|slots?|poker|loans?|seo|backlinks?|viagra|cialis|escorts?|crypto|bitcoin|forex|"
    r"essay|replica|outlet|cheap|discount|buy|sale|download|hack(?:er)?|porn|sex|dating)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]++")
_LOOKED_AT = 2000
"""Characters that are looked at one by one."""
_SHOUTED, _SAID = 0.7, 25
_REPEATED, _ALIKE = 12, 40
_ONE = re.compile(r"(\S)\1{11}")


def noticed(submission: Submission, options: CommentOptions) -> list[Reason]:
    """What the rules notice."""
    return [reason for rule in RULES if (reason := rule(submission, options)) is not None]


def _links(submission: Submission, options: CommentOptions) -> Reason | None:
    count = len(LINK.findall(submission.text))
    if not options.max_links or count < options.max_links:
        return None
    points = min(0.5 * count, 2.5)
    return Reason("links", points, f"It holds {count} links; from {options.max_links} on comments are held.")


def _markup(submission: Submission, options: CommentOptions) -> Reason | None:
    found = MARKUP.search(submission.text)
    return (
        Reason("markup", 1.5, f"It holds markup ({found[0].strip()}…), which readers do not type.") if found else None
    )


def _moderation_word(submission: Submission, options: CommentOptions) -> Reason | None:
    return _listed("moderation-word", 0.5, submission, options.moderation_words)


def _disallowed_word(submission: Submission, options: CommentOptions) -> Reason | None:
    return _listed("disallowed-word", 3.0, submission, options.disallowed_words)


def _listed(name: str, points: float, submission: Submission, listed: tuple[str, ...]) -> Reason | None:
    if not listed:
        return None
    fields = (submission.author, submission.email, submission.url, submission.client or "", submission.agent)
    text = folded("\n".join((submission.text, *fields)))
    words = set(_WORD.findall(text))
    # A word is looked up among words; only a phrase or a domain has to be searched for.
    found = next(
        (one for one in _folded_words(listed) if one in words or (not one.isalnum() and _holds(text, one))), None
    )
    return None if found is None else Reason(name, points, f"It holds “{found}”, which is on the list.")


@lru_cache(maxsize=64)
def _folded_words(listed: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(folded(word.strip()) for word in listed)


def _holds(text: str, word: str) -> bool:
    """Whether a text holds a word as such: not inside another one."""
    at = text.find(word)
    while at >= 0:
        end = at + len(word)
        before, after = text[at - 1 : at], text[end : end + 1]
        if not (word[0].isalnum() and before.isalnum()) and not (word[-1].isalnum() and after.isalnum()):
            return True
        at = text.find(word, at + 1)
    return False


def _name(submission: Submission, options: CommentOptions) -> Reason | None:
    name = submission.author
    if _NAMED.search(name):
        return Reason("name-link", 2.0, "The author's name is an address.")
    if _TRADE.search(name):
        return Reason("name-trade", 1.5, "The author's name is what somebody sells.")
    return None


def _script(submission: Submission, options: CommentOptions) -> Reason | None:
    if not options.scripts:
        return None
    found = _scripts(submission.text).most_common(1)
    if not found or found[0][0] in options.scripts:
        return None
    return Reason("script", 1.0, f"It is written in {found[0][0]}; comments here are in {', '.join(options.scripts)}.")


def _mixed(submission: Submission, options: CommentOptions) -> Reason | None:
    for word in submission.text[:_LOOKED_AT].split():
        found = _scripts(word)
        if len({"latin", "cyrillic", "greek"} & set(found)) > 1 and min(found.values()) < len(word) / 2:
            return Reason("mixed-letters", 1.5, f"“{word[:40]}” mixes letters of different alphabets.")
    return None


def _scripts(text: str) -> Counter[str]:
    """The scripts of a text's letters."""
    return Counter(_script_of(letter) for letter in text[:_LOOKED_AT] if letter.isalpha())


@lru_cache(maxsize=4096)
def _script_of(letter: str) -> str:
    return unicodedata.name(letter, "unknown").partition(" ")[0].lower()


def _shouting(submission: Submission, options: CommentOptions) -> Reason | None:
    letters = [letter for letter in submission.text[:_LOOKED_AT] if letter.isupper() or letter.islower()]
    upper = sum(map(str.isupper, letters))
    if len(letters) < _SAID or upper < _SHOUTED * len(letters):
        return None
    return Reason("shouting", 0.5, "It is written in capitals.")


def _repeated(submission: Submission, options: CommentOptions) -> Reason | None:
    words = folded(submission.text[:_LOOKED_AT]).split()
    often = len(words) >= _ALIKE and len(set(words)) * 4 < len(words)
    if not often and _ONE.search(submission.text[:_LOOKED_AT]) is None:
        return None
    return Reason("repeated", 0.5, "It says the same over and over.")


RULES: tuple[Rule, ...] = (
    _disallowed_word,
    _moderation_word,
    _links,
    _script,
    _markup,
    _name,
    _mixed,
    _shouting,
    _repeated,
)
"""All of them. What some ask for by themselves stands in ``decision.ASKED``."""
GUESSES = frozenset(("links", "markup", "name-link", "name-trade", "mixed-letters", "shouting", "repeated"))
"""Reasons that are guesses: what they rest on can be learned about."""
