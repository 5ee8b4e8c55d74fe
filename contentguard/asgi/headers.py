"""Which headers of a rewritten page are true: one place for validators, caching and encoding.

Strategy: the app's headers are looked through once (``Answer``), and written anew once. The app's validators speak of
the app's bytes, so a guarded page gets one of its own, made of the app's and of all settings that shape the page
(RFC 9110 §8.8): weak, because two readers' pages differ in their marks and mean the same. Sent back in If-None-Match
it is turned into what the app knows before the app is asked.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import Message, Send

Headers = list[tuple[bytes, bytes]]

OPTION = b"x-contentguard"
"""The app's own word on a response: ``off`` or ``article``. Never leaves the server."""
# True of the app's bytes, not of ours.
STALE = frozenset(
    b"content-length content-encoding etag last-modified accept-ranges content-md5 digest repr-digest "
    b"content-digest".split()
)
_SHARED = (b"public", b"s-maxage", b"private")
_FOR_SHARED = (b"cdn-cache-control", b"surrogate-control")
"""What ends so speaks to shared caches alone (RFC 9213), and over the head of Cache-Control."""
_CONTROL = (b"-control", b"-Control", b"-CONTROL")
_PRIVATE = (b"cache-control", b"private")
_GZIP = (b"content-encoding", b"gzip")
_VARIES = {
    (False, False): b"",
    (False, True): b"Accept-Encoding",
    (True, False): b"Cookie",
    (True, True): b"Cookie, Accept-Encoding",
}
"""What a page varies by: made for one reader, compressed for who accepts it."""
_DISCREET = frozenset(
    b"no-referrer same-origin strict-origin strict-origin-when-cross-origin origin origin-when-cross-origin".split()
)
_REFERRER, _ORIGIN_ONLY = b"referrer-policy", (b"referrer-policy", b"strict-origin-when-cross-origin")
_TAG = re.compile(rb'(?:W/)?+"([\x21\x23-\x7e\x80-\xff]*+)"|\*')
_OWN = re.compile(rb"cg-([0-9a-f]{1,32}+)-([em])([A-Za-z0-9_-]*+)")
_LONGEST = 2048
"""Bytes of an app's validator that are carried in ours; with a longer one a page has none."""
_MAX_LIST = 8192


class Answer:
    """What the app says of its response, as far as it matters here. Most responses say little of it."""

    content_type: str = ""
    kind: str = ""
    """The media type alone, lower case."""
    length: int = -1
    option: str = ""
    codings: tuple[bytes, ...] = ()
    policies: tuple[str, ...] = ()
    frame_options: tuple[bytes, ...] = ()
    cache_control: bytes = b""
    disposition: bytes = b""
    etag: bytes = b""
    last_modified: bytes = b""
    vary: bytes = b""
    speaks: bool = False
    """The app says itself what machines may make of the page, or some of it."""
    mixed: bool = False
    """Header names are not all in lower case, as ASGI wants them."""

    @property
    def left_alone(self) -> bool:
        """Whether the page is a download, or must not be changed (RFC 9110 §7.7)."""
        if self.disposition and self.disposition.partition(b";")[0].strip().lower() == b"attachment":
            return True
        said = self.cache_control
        return b"no-transform" in said and b"no-transform" in [word.strip() for word in said.split(b",")]


def look(headers: Iterable[tuple[bytes, bytes]]) -> Answer:
    """One pass over a response's headers."""
    answer = Answer()
    for name, value in headers:
        # The two that nearly every response has.
        if name == b"content-type":
            answer.content_type, answer.kind = _typed(value)
            continue
        if name == b"content-length" and value.isdigit() and len(value) < 16:
            answer.length = int(value)
            continue
        note = _NOTES.get(name)
        if note is None and not name.islower():
            answer.mixed = True
            note = _NOTES.get(name.lower())
        if note is not None:
            note(answer, value)
    return answer


def _content_type(answer: Answer, value: bytes) -> None:
    answer.content_type, answer.kind = _typed(value)


@lru_cache(256)
def _typed(value: bytes) -> tuple[str, str]:
    text = value[:_LONGEST].decode("latin-1")
    return text, text.partition(";")[0].strip().lower()


def _length(answer: Answer, value: bytes) -> None:
    answer.length = int(value) if value.isdigit() and len(value) < 16 else -1


def _option(answer: Answer, value: bytes) -> None:
    answer.option = value.decode("latin-1").strip().lower()


def _coding(answer: Answer, value: bytes) -> None:
    answer.codings = (*answer.codings, value)


def _csp(answer: Answer, value: bytes) -> None:
    answer.policies = (*answer.policies, value.decode("latin-1"))


def _frame_options(answer: Answer, value: bytes) -> None:
    answer.frame_options = (*answer.frame_options, value)


def _cache_control(answer: Answer, value: bytes) -> None:
    answer.cache_control += b"," + value.lower()


def _disposition(answer: Answer, value: bytes) -> None:
    answer.disposition = value


def _etag(answer: Answer, value: bytes) -> None:
    answer.etag = value.strip()


def _last_modified(answer: Answer, value: bytes) -> None:
    answer.last_modified = value.strip()


def _vary(answer: Answer, value: bytes) -> None:
    answer.vary += b"," + value.lower()


def _terms(answer: Answer, value: bytes) -> None:
    answer.speaks = True


_NOTES = {
    b"x-robots-tag": _terms,
    b"content-signal": _terms,
    b"tdm-reservation": _terms,
    b"tdm-policy": _terms,
    b"content-type": _content_type,
    b"content-length": _length,
    OPTION: _option,
    b"content-encoding": _coding,
    b"content-security-policy": _csp,
    b"x-frame-options": _frame_options,
    b"cache-control": _cache_control,
    b"content-disposition": _disposition,
    b"etag": _etag,
    b"last-modified": _last_modified,
    b"vary": _vary,
}


def rewritten(
    headers: Headers,
    answer: Answer,
    length: int | None,
    personal: bool,
    gzipped: bool,
    may_gzip: bool,
    etag: bytes,
    terms: Sequence[tuple[bytes, bytes]] = (),
) -> Headers:
    """The app's headers made true of the rewritten page.

    ``length`` in bytes, None where it is not known yet; ``personal``: made for one reader, so that no shared cache may
    keep it; ``gzipped``, ``may_gzip``: whether it is compressed, or would be for another client; ``terms``: what the
    site's policy says to machines, unless the app says it itself.
    """
    kept = [pair for pair in headers if pair[0] not in STALE]
    if answer.mixed:
        kept = [pair for pair in kept if pair[0].lower() not in STALE]
    if personal:
        kept = _made_private(kept, said=bool(answer.cache_control))
    varies = _VARIES[personal, may_gzip]
    if answer.vary and varies:
        named = [word.strip() for word in answer.vary.split(b",")]
        wanted = [word for word in varies.split(b", ") if word.lower() not in named]
        varies = b"" if b"*" in named else b", ".join(wanted)
    if varies:
        kept.append((b"vary", varies))
    if gzipped:
        kept.append(_GZIP)
    if etag:
        kept.append((b"etag", etag))
    if answer.speaks:
        said = {name.lower() for name, _ in kept}
        kept += [pair for pair in terms if pair[0] not in said]
    else:
        kept += terms
    if length is not None:
        kept.append((b"content-length", b"%d" % length))
    return kept


def derived(answer: Answer, edition: str) -> bytes:
    """The weak entity tag of a guarded page, from the app's tag or date; empty where the app gave neither."""
    kind, own = (b"e", answer.etag) if answer.etag else (b"m", answer.last_modified)
    if not own or len(own) > _LONGEST:
        return b""
    return b'W/"cg-%s-%s%s"' % (edition.encode("ascii"), kind, urlsafe_b64encode(own).rstrip(b"="))


def for_the_app(headers: Headers, *editions: str) -> tuple[Headers, bytes]:
    """A request's headers with our tags in If-None-Match turned into what the app knows, and one of those tags.

    ``editions``: those of what this client may hold. A tag of another edition is taken out, and the date with it: the
    app shall answer with a page. Tags that are none of ours stay. Where none is ours, the headers are the same object
    and the tag is empty.
    """
    known: list[bytes] = []
    date, ours, held = b"", False, b""
    for tag in _tags(headers):
        match = _OWN.fullmatch(tag[1]) if tag[1] else None
        own = None if match is None else _decoded(match[3])
        if match is None or own is None:
            known.append(tag[0])
            continue
        ours = True
        if match[1].decode() in editions:
            held = held or tag[0]
            known += [own] if match[2] == b"e" else []
            date = own if match[2] == b"m" else date
    if not ours:
        return headers, b""
    changed = [pair for pair in headers if pair[0] not in (b"if-none-match", b"if-modified-since")]
    if known:
        changed.append((b"if-none-match", b", ".join(known)))
    elif date:
        changed.append((b"if-modified-since", date))
    return changed, held


def edition_of(tag: bytes) -> str:
    """The edition that one of our tags is of."""
    match = _TAG.fullmatch(tag)
    own = _OWN.fullmatch(match[1]) if match is not None and match[1] else None
    return own[1].decode() if own is not None else ""


def not_modified(headers: Headers, answer: Answer, held: bytes, *, personal: bool, gzips: bool) -> Headers:
    """A 304 of the app, for a client that holds our page: what it says replaces what a cache holds (RFC 9111 §3.2)."""
    edition = edition_of(held)
    etag = derived(answer, edition) if answer.etag else held
    return rewritten(headers, answer, length=None, personal=personal, gzipped=False, may_gzip=gzips, etag=etag)


def _made_private(headers: Headers, *, said: bool) -> Headers:
    kept = [pair for pair in headers if not pair[0].endswith(_CONTROL) or not pair[0].lower().endswith(_FOR_SHARED)]
    if not said:
        kept.append(_PRIVATE)
        return kept
    return [(n, _private(v) if n.lower() == b"cache-control" else v) for n, v in kept]


def _tags(headers: Headers) -> list[re.Match[bytes]]:
    joined = b",".join(value for name, value in headers if name == b"if-none-match")
    return list(_TAG.finditer(joined)) if len(joined) <= _MAX_LIST else []


def _decoded(text: bytes) -> bytes | None:
    try:
        own = urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except (Error, ValueError):
        return None
    # What a client hands back goes into a request header again.
    return own if own and all(32 <= byte != 127 for byte in own) else None


def _private(value: bytes) -> bytes:
    directives = [d.strip() for d in value.split(b",")]
    kept = [d for d in directives if d and d.partition(b"=")[0].strip().lower() not in _SHARED]
    return b", ".join([b"private", *kept])


def discreet(send: Send) -> Send:
    """``send`` for the answer at an address that holds a token, which other sites are not to learn (Referer)."""

    async def without_referrer(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message["headers"])
            said = [value.strip().lower() for name, value in headers if name.lower() == _REFERRER]
            if not said or not _DISCREET.issuperset(said):
                kept = [pair for pair in headers if pair[0].lower() != _REFERRER]
                message = {**message, "headers": [*kept, _ORIGIN_ONLY]}
        await send(message)

    return without_referrer
