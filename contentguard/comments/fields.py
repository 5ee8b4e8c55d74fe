"""What was typed into a comment form, cleaned, with what is wrong next to the field that it is wrong with.

Strategy: the fields' names, their lengths and most of the sentences are WordPress', so that themes, readers and editors
find what they know. Whatever comes is cut before it is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from typing import NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

from contentguard.comments.options import CommentOptions
from contentguard.comments.text import MOST_EMAIL, MOST_NAME, MOST_TEXT, MOST_URL, Cleaned, line, lines

MOST_FIELDS = 64
MOST_BODY = 2**20
"""Bytes of a posted form: the longest comment in any script, every byte of it percent-encoded, and the rest."""
COMMENT, AUTHOR, EMAIL, URL = "comment", "author", "email", "url"
_SPARE = 4
"""How many times as long as allowed a field may be for all of it to be looked at."""
_TOO_LONG = {
    COMMENT: (MOST_TEXT, "Your comment is too long."),
    AUTHOR: (MOST_NAME, "Your name is too long."),
    EMAIL: (MOST_EMAIL, "Your email address is too long."),
    URL: (MOST_URL, "Your URL is too long."),
}
_MISSING = {COMMENT: "Please type your comment text.", AUTHOR: "Please fill the required field (name)."}
_NO_EMAIL = "Please fill the required field (email)."
_BAD_EMAIL = "Please enter a valid email address."
_BAD_URL = "Please enter a website's address like https://example.org, or leave the field empty."
SECRET = re.compile(
    r"cookie|auth(?!or(?![a-z]))|token|secret|passw|session|csrf|xsrf|nonce|api-?key|signature", re.IGNORECASE
)
"""In the names of headers and fields that nobody else may be told; an author is none."""
_NAMED = re.compile(r"[A-Za-z0-9_.\[\]-]{1,60}")
_OTHER = 1000
"""Characters of a field that is none of a comment's."""
_LOCAL = frozenset("abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+/=?^_`{|}~.-")


def parsed(body: bytes) -> dict[str, str] | None:
    """The fields of ``application/x-www-form-urlencoded`` (URL Standard, 5.1); of one name, the first.

    None where there are more than ``MOST_FIELDS`` or the body is longer than ``MOST_BODY`` bytes: both are counted
    before anything is decoded (compare CVE-2026-54283).
    """
    if len(body) > MOST_BODY or body.count(b"&") >= MOST_FIELDS:
        return None
    found: dict[str, str] = {}
    for pair in body.split(b"&"):
        name, _, value = pair.partition(b"=")
        if pair:
            found.setdefault(_decoded(name), _decoded(value))
    return found


def _decoded(text: bytes) -> str:
    return unquote_to_bytes(text.replace(b"+", b" ")).decode("utf-8", "replace")


class Typed(NamedTuple):
    """The fields of a comment."""

    text: str
    author: str
    email: str
    url: str
    hidden: int
    """Characters in them that nobody sees."""
    errors: dict[str, str]
    """Field → what is wrong with it."""


def typed(fields: Mapping[str, object], options: CommentOptions) -> Typed:
    """What was typed. Of a field that is no text (an upload), and of one that is missing, it is as if it was empty."""
    found = {name: _cleaned(name, fields.get(name)) for name in (COMMENT, AUTHOR, EMAIL, URL)}
    text, author, email, url = (found[name].text for name in (COMMENT, AUTHOR, EMAIL, URL))
    url = _with_scheme(url)
    errors = {name: says for name, (most, says) in _TOO_LONG.items() if len(found[name].text) > most}
    if not text:
        errors[COMMENT] = _MISSING[COMMENT]
    if options.require_name_email and not author:
        errors[AUTHOR] = _MISSING[AUTHOR]
    if options.require_name_email and not email:
        errors[EMAIL] = _NO_EMAIL
    elif email and EMAIL not in errors and not is_email(email):
        errors[EMAIL] = _BAD_EMAIL
    if url and URL not in errors and not is_site(url):
        errors[URL] = _BAD_URL
    return Typed(text, author or "Anonymous", email, url, sum(one.hidden for one in found.values()), errors)


def untold(fields: Mapping[str, object], told: Typed, ours: Collection[str]) -> Iterator[tuple[str, str]]:
    """What came in a form and is not told by what was typed: fields of others, and text that had to be cleaned.

    ``ours``: names of fields that are seen to elsewhere. No secret is among them.
    """
    known = {told.text, told.author, told.email, told.url, ""}
    for name, value in islice(fields.items(), MOST_FIELDS):
        if not isinstance(value, str) or name in ours or not _NAMED.fullmatch(name) or SECRET.search(name):
            continue
        raw = value[: _TOO_LONG[name][0] if name in _TOO_LONG else _OTHER]
        if raw.replace("\r\n", "\n").strip() not in known:
            # A half of a character, which no form can send but an app may hand on, is none that can be stored.
            yield name, raw.encode("utf-8", "replace").decode("utf-8")


def _cleaned(name: str, value: object) -> Cleaned:
    text = value[: _TOO_LONG[name][0] * _SPARE] if isinstance(value, str) else ""
    return lines(text) if name == COMMENT else line(text)


def _with_scheme(url: str) -> str:
    """An address as it is meant: people leave the scheme out."""
    return (
        f"https://{url}" if url and "://" not in url and not url.lower().startswith(("javascript:", "data:")) else url
    )


def is_email(text: str) -> bool:
    """Whether this can be an e-mail address: a local part and a domain with a dot, as far as form goes."""
    local, at, domain = text.rpartition("@")
    labels = domain.split(".")
    return bool(
        at
        and 0 < len(local) <= 64
        and (_LOCAL.issuperset(local.lower()) or not local.isascii())
        and "@" not in local
        and " " not in text
        and len(labels) > 1
        and all(label and label.replace("-", "a").isalnum() and label[0] != "-" != label[-1] for label in labels)
    )


def is_site(url: str) -> bool:
    """Whether this is the address of a site: http or https, a host with a dot, nothing before it and no blanks."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    safe = not any(character in url for character in " <>\"'\\`{}|^")
    return safe and parts.scheme in ("http", "https") and "@" not in parts.netloc and "." in host.strip(".")
