"""A comment as features: what a filter can learn from, each as a text that a moderator can read.

Strategy: words and pairs of words, next to each other and with one between them, say what a comment is about;
beginnings of words let *subscribers* speak for *subscribe*; and a few measures say how it is written. A link is one
word in the text, and its host and its ending besides. (Lists of words by what they are for, "a call", "money", and runs
of letters helped where topics were known, and did harm where they were new.) The text is folded first (character
references, case, compatibility forms), so that 𝐟𝐚𝐧𝐜𝐲 letters are plain ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import unescape

from contentguard.comments.submission import Submission
from contentguard.comments.text import folded

MOST_CHARACTERS = 4000
MOST_FEATURES = 600
"""Of a longer comment, only so much is read: what it wants stands at its beginning."""
_WORD = re.compile(r"\x01|[^\W_]++(?:['’][^\W_]++)*+|[!?$€£@#%]++")
_URL = re.compile(
    r"(?:https?://|www\.)[^\s<>\"\]]++|[a-z0-9-]{2,63}+\.(?:com|net|org|co|tv|info|ru|me|be|ly|io|biz|xyz|top|online|site|"
    r"shop|club|store|link|win)\b(?:/[^\s<>\"\]]*+)?+"
)
_BREAK = re.compile(r"<br ?/?>", re.IGNORECASE)
_LINK = "\x01"
_LONGEST, _BEGINNING = 30, 4
_SIGNS = "!?$€£@#%"


def features(submission: Submission) -> list[str]:
    """The features of a comment, each once, the most telling kinds first: at most ``MOST_FEATURES``."""
    text = folded(_BREAK.sub("\n", unescape(submission.text[:MOST_CHARACTERS])))
    links = _URL.findall(text)
    words = [_word(word) for word in _WORD.findall(_URL.sub(f" {_LINK} ", text))]
    found = dict.fromkeys(_measures(submission.text[:MOST_CHARACTERS], text, words, len(links)))
    found.update(dict.fromkeys(_places(links)))
    found.update(dict.fromkeys(_sender(submission)))
    found.update(dict.fromkeys(f"“{_shown(word)}”" for word in words))
    pairs = zip(("^", *words), (*words, "$"), strict=True)
    found.update(dict.fromkeys(f"“{_shown(one)} {_shown(other)}”" for one, other in pairs))
    found.update(dict.fromkeys(f"“{word[:_BEGINNING]}…”" for word in words if len(word) > _BEGINNING))
    apart = zip(words, words[2:], strict=False)
    found.update(dict.fromkeys(f"“{_shown(one)} … {_shown(other)}”" for one, other in apart))
    return list(found)[:MOST_FEATURES]


def _word(word: str) -> str:
    if word[0] in _SIGNS:
        return word[0] if len(word) == 1 else word[0] + "+"
    return "0" * min(len(word), 6) if word.isdigit() else word[:_LONGEST]


def _shown(word: str) -> str:
    return "a link" if word == _LINK else word


def _measures(raw: str, text: str, words: list[str], links: int) -> Iterator[str]:
    letters = [letter for letter in raw if letter.isalpha()]
    upper = sum(map(str.isupper, letters)) * 5 // (len(letters) + 1)
    yield f"{_number(links, 4)} links"
    yield f"a length of {_number(len(words).bit_length(), 8)} bits of words"
    yield f"{upper} fifths in capitals"
    yield f"{_number(text.count('!'), 4)} exclamation marks"
    yield f"{_number(sum(map(str.isdigit, text)), 4)} digits"
    if "<" in text or "[url" in text:
        yield "markup"


def _places(links: Iterable[str]) -> Iterator[str]:
    for link in links:
        host = link.removeprefix("https://").removeprefix("http://").removeprefix("www.").partition("/")[0]
        yield f"a link to {host[:60]}"
        yield f"a link to .{host.rpartition('.')[2][:20]}"
        if "?" in link:
            yield "a link with a query"


def _sender(submission: Submission) -> Iterator[str]:
    """Of the author's own fields, only what is there: a name says little, and should."""
    if submission.url:
        yield "a site of the author's"
        yield from (f"the author's site: {part}" for part in _places([folded(submission.url)]))
    if submission.email:
        yield f"mail at {folded(submission.email).rpartition('@')[2][:60]}"
    yield from (f"the name “{word[:_LONGEST]}”" for word in folded(submission.author)[:245].split())


def _number(count: int, most: int) -> str:
    return str(count) if count < most else f"{most}+"
