"""Calls of the service that judges comments, when it thinks of one otherwise than it said.

Strategy: an address that nobody else is told, with a MAC of the site in it, and the service's key in what is sent
there: who has both may have us ask the service again, over https and as ever. What a call claims decides nothing, so
one that is forged approves nothing. What is remembered is bounded, and forgotten with the process; the comments that
wait are asked about in any case.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from hmac import compare_digest

from contentguard.comments.akismet_options import AkismetOptions
from contentguard.comments.calls import CHECKED, read_call
from contentguard.settings import Settings
from contentguard.tokens import Signer

ROUTE = "/.contentguard/akismet/"
_PURPOSE = "akismet-callback"
_LONGEST = 1024
_KEPT = 1000
"""Comments that are remembered until an app asks for them; the oldest are forgotten."""


class Calls:
    """Those of one site."""

    def __init__(self, settings: Settings, signer: Signer, *, mounted: bool = True) -> None:
        """``mounted``: whether anybody would hear a call."""
        options, self._signer = settings.akismet, signer
        self._key, self._site = options.key.lower(), options.blog or settings.origin
        self.is_on = mounted and _may_call(options, settings.origin)
        self._named: OrderedDict[str, None] = OrderedDict()
        self._origin, self._mount = settings.origin, ""
        self._token = signer.sign(_PURPOSE, self._site) if self.is_on else ""
        self.counts: Counter[str] = Counter()
        """Calls that were ``heard``, and that were ``refused``."""

    @property
    def url(self) -> str:
        """Where the service may call; empty where it may not."""
        return f"{self._origin}{self._mount}{ROUTE}{self._token}" if self.is_on else ""

    def mounted_at(self, prefix: str) -> None:
        """Calls come in under this path, as it is written in a URL, without a trailing slash."""
        self._mount = prefix

    def is_ours(self, token: str) -> bool:
        """Whether an address below ``ROUTE`` was made here, for this site."""
        if not self.is_on or len(token) > _LONGEST:
            return False
        site = self._signer.read(_PURPOSE, token)
        return site is not None and site == self._site

    def heard(self, body: bytes) -> tuple[str, ...] | None:
        """Take in a call: the names of the comments that it is about; None for one that is not the service's."""
        called = read_call(body)
        # The service's own plugin compares keys without regard to case.
        if called is None or not compare_digest(called.key.lower().encode("utf-8", "replace"), self._key.encode()):
            self.counts["refused"] += 1
            return None
        self.counts["heard"] += 1
        guids = called.guids if called.endpoint == CHECKED else ()
        for guid in guids:
            self._named.pop(guid, None)
            self._named[guid] = None
            if len(self._named) > _KEPT:
                self._named.popitem(last=False)
        return guids

    def take(self) -> tuple[str, ...]:
        """The names of all comments that the service has called about since this was last asked."""
        named = tuple(self._named)
        self._named.clear()
        return named


def _may_call(options: AkismetOptions, origin: str) -> bool:
    """Whether a call can come: the service has to know an address of ours, which holds a secret."""
    return bool(options.key) and options.callback and origin.startswith("https://")
