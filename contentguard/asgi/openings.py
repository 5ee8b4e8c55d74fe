"""How responses begin, remembered: what their headers say, where the page's plan is kept, and what leaves instead.

Strategy: nearly every response on one path begins with the very same headers, so all that follows from them is worked
out once and found by one look-up. Bounded in entries and in bytes; what one reader alone was sent is not remembered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contentguard.asgi.headers import OPTION, Answer, Headers, derived, rewritten
from contentguard.asgi.request import delivery, is_queried
from contentguard.guard import Guard
from contentguard.rewrite.page import Delivery
from contentguard.rewrite.pages import Recent, Shelf

if TYPE_CHECKING:
    from starlette.types import Scope

_QUERIED = "?"
"""Stands behind a path at which a query may say which page is meant."""
_MOST = 4096
_MOST_BYTES = 2**21
"""Of the paths and headers that are remembered. With what is made of them 11 MiB at most (measured)."""
_LEAVING = 4
"""Lists of headers that are kept for one opening: with and without gzip, mostly."""


class Opening:
    """What follows from where a page was asked for and the headers with which the app began to answer."""

    __slots__ = ("_leaving", "answer", "delivery", "headers", "shelf", "terms")

    def __init__(self, headers: Headers, answer: Answer, delivered: Delivery, shelf: Shelf, terms: Headers) -> None:
        self.headers, self.answer = headers, answer
        """The app's headers, less its word to us, and what they say."""
        self.delivery, self.shelf = delivered, shelf
        """How the page was delivered, and where its plan is kept."""
        self.terms = terms
        """What the page's headers say to machines."""
        self._leaving: dict[tuple[int | None, bool, bool, bool], Headers] = {}

    def leaving(self, guard: Guard, length: int | None, personal: bool, gzipped: bool, full: bool) -> Headers:
        """The headers of the rewritten page, as a list of the caller's own.

        ``full``: whether it is the page itself, which alone has a validator. For the rest see ``rewritten``.
        """
        kind = (length, personal, gzipped, full)
        found = self._leaving.get(kind)
        if found is None:
            etag = derived(self.answer, guard.edition) if full else b""
            found = rewritten(self.headers, self.answer, length, personal, gzipped, guard.compression, etag, self.terms)
            found += guard.framing(self.answer.policies, self.answer.frame_options)
            # A page's length may be the client's choice, by its Host header.
            if len(self._leaving) >= _LEAVING:
                self._leaving.clear()
            self._leaving[kind] = found
        return found.copy()


class Openings:
    """Those of one guard."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self.forget()

    def forget(self) -> None:
        """Work everything out anew."""
        self._known: Recent[Opening] = Recent(_MOST, _MOST_BYTES)
        self._recall = self._known.get

    def find(self, scope: Scope, headers: Headers) -> Opening | None:
        """The opening of a page that began like this before."""
        try:
            if scope.get("query_string") and is_queried(scope):
                return self._recall((scope["path"], scope.get("root_path", ""), _QUERIED, *headers))
            return self._recall((scope["path"], scope.get("root_path", ""), *headers))
        except TypeError:
            # An app may write its headers' pairs as lists.
            return None

    def make(self, scope: Scope, headers: Headers, answer: Answer) -> Opening:
        """The opening of a page that begins with these headers, of which ``answer`` is what they say."""
        made = delivery(scope, answer.content_type, answer.policies, answer.option)
        own = [pair for pair in headers if pair[0].lower() != OPTION] if answer.option else headers.copy()
        return Opening(own, answer, made, self.guard.pages.shelf(made), self.guard.terms_at(made.path))

    def keep(self, scope: Scope, headers: Headers, opening: Opening) -> Opening:
        """Remember an opening by all that the app has said, if another may begin like it; returns it."""
        if opening.answer.left_alone:
            # Looked into for a robot; what a reader gets of it passes.
            return opening
        if any(type(pair) is not tuple or pair[0].lower() == b"set-cookie" for pair in headers):
            return opening
        path, root = scope["path"], scope.get("root_path", "")
        mark = (_QUERIED,) if opening.delivery.queried else ()
        return self._known.put((path, root, *mark, *headers), opening, len(path) + len(root) + sum(map(_size, headers)))


def _size(pair: tuple[bytes, bytes]) -> int:
    return len(pair[0]) + len(pair[1])
