"""What the store remembers of comments: which forms are used up, who posts too quickly, and what was said before.

Strategy: everything is a counter or a bucket, each asked in one atomic step. A form is a counter to one and not a spent
id: a flood of comments may make old forms be forgotten, but must not leave readers' tickets without room. A store that
fails lets everything through, and says so: the comment then waits for a moderator.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple, Protocol

from contentguard.backends import Counters, Store
from contentguard.comments import fingerprint, signs
from contentguard.comments.decision import Reason
from contentguard.comments.form import Token
from contentguard.comments.options import CommentOptions
from contentguard.comments.submission import Submission
from contentguard.limits import Limit

_DAY = 86_400.0


class Remembering(Store, Counters, Protocol):
    """What comments need of a store."""


USED, FLOOD, DUPLICATE = "used", "flood", "duplicate"
"""Where a comment may be stopped."""


class Passed(NamedTuple):
    """How a comment came through."""

    stopped: str = ""
    """At which gate it was stopped; empty where it came through."""
    signs: tuple[Reason, ...] = ()


class Gates:
    """Those of one site. ``secret`` keys what is derived from e-mail addresses and texts."""

    def __init__(self, options: CommentOptions, store: Remembering, secret: bytes) -> None:
        self._store, self._secret = store, secret
        self._flood = Limit(1, options.flood_seconds) if options.flood_seconds else None
        self._known = options.duplicate_days * _DAY

    async def passed(self, token: Token, submission: Submission, prefix: str, *, limited: bool = True) -> Passed:
        """Count a well-formed comment at each gate until one stops it. ``limited``: not only its form."""
        now = submission.now
        if not await self._first(f"comment-form:{token.nonce.hex()}", token.ends / 1000.0 + 1.0, now):
            return Passed(USED)
        if not limited:
            return Passed()
        if self._flood is not None:
            for key in self._senders(submission, prefix):
                if not (await self._store.take(key, self._flood, now)).allowed:
                    return Passed(FLOOD)
        until = now + self._known
        who = submission.email or submission.author or prefix
        same = fingerprint.exact(submission.text)
        where = self._hidden(f"{submission.article}\n{submission.parent}\n{who.casefold()}\n{same}")
        if not await self._first(f"comment-said:{where}", until, now):
            return Passed(DUPLICATE)
        return Passed(signs=await self._before(submission.text, same, until, now))

    def _senders(self, submission: Submission, prefix: str) -> Iterable[str]:
        if submission.client is not None:
            yield f"comment-from:{prefix}"
        if submission.email:
            yield f"comment-by:{self._hidden(submission.email.casefold())}"

    async def _before(self, text: str, same: str, until: float, now: float) -> tuple[Reason, ...]:
        """Whether somebody, anywhere on this site, has sent this text, or nearly this."""
        near = fingerprint.near(text)
        if not near:
            return ()  # too short to be anybody's own
        if not await self._first(f"comment-text:{same}", until, now):
            return (signs.REPEATED,)
        # Each key has to be counted, whatever the others say.
        first = [await self._first(f"comment-near:{key}", until, now) for key in near]
        return () if all(first) else (signs.SIMILAR,)

    async def _first(self, key: str, until: float, now: float) -> bool:
        return await self._store.count(key, 1, 1, until, now)

    def _hidden(self, text: str) -> str:
        raw = text.encode("utf-8", "replace")
        return blake2b(raw, digest_size=16, key=self._secret, person=b"cg-comment-gate").hexdigest()
