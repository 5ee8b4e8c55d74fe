"""Links that quotations name as their source: each leads to one page of this site, and is counted.

Strategy: a link carries its page's path, signed, and nothing of the reader who quoted, so it is the same for all and
nothing is remembered. Where it leads stands in it alone; a browser keeps the passage (``#:~:text=…``) by itself, as a
redirection that names no fragment leaves the old one (RFC 9110 §10.2.2).
"""

from __future__ import annotations

from collections import Counter
from urllib.parse import quote

from contentguard.admission.tickets import is_own_path
from contentguard.rewrite.page import Page
from contentguard.tokens import Signer

_PURPOSE = "quote"
_SAFE = "/:@!$&'()*+,;=~-._?%[]"
LONGEST = 2048
"""Characters of a token: what is longer was not signed here."""


class Quotes:
    """Those of one site."""

    def __init__(self, origin: str, signer: Signer) -> None:
        self._origin, self._signer = origin, signer
        self.counts: Counter[str] = Counter()
        """How often one was followed (``followed``), and how often it was none of ours (``void``)."""

    def link(self, page: Page) -> str:
        """The link for quotations of ``page``; empty where its path cannot be led to.

        A page is led to by its canonical address where that is one of this site's, else by the path that it was asked
        for. Without a configured origin the link is a path.
        """
        origin, named = self._origin, page.canonical
        path = named[len(origin) :] if origin and named.startswith(origin + "/") else page.path
        path = quote(path.partition("#")[0], safe=_SAFE)
        token = self._signer.sign(_PURPOSE, path) if is_own_path(path) else ""
        return f"{origin}{page.routes}/q/{token}" if 0 < len(token) <= LONGEST else ""

    def followed(self, token: str) -> str | None:
        """The path that a link leads to, as written in a URL; None where it is none of ours."""
        path = self._signer.read(_PURPOSE, token) if len(token) <= LONGEST else None
        # Signed here, and still not believed: an older version may have signed what this one would not.
        if path is None or not is_own_path(path):
            self.counts["void"] += 1
            return None
        self.counts["followed"] += 1
        return path
