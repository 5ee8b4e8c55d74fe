"""One post while it is looked at, and what the reader is told of it.

Strategy: every sentence says what is the matter and what to do about it, and nothing that a program could learn from.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contentguard.comments import form as forms
from contentguard.comments import signs
from contentguard.comments.decision import Decision, Reason
from contentguard.comments.fields import MOST_BODY, Typed, parsed, untold
from contentguard.comments.form import FIELD, Form, Token, Trouble
from contentguard.comments.options import CommentOptions
from contentguard.comments.submission import Submission
from contentguard.comments.text import line
from contentguard.guard.gates import DUPLICATE, FLOOD, USED
from contentguard.guard.senders import Sender

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_PRESS = "Please press “Post Comment” once more."
MESSAGES: Mapping[str, str] = {
    "foreign": f"This comment was sent from another site's page, or your browser says so. {_PRESS}",
    "unreadable": "This form could not be read: it is too large, or none of ours.",
    "press": f"Nothing is lost: your comment is below. {_PRESS}",
    USED: f"This form was used already. If you want to post another comment: {_PRESS}",
    FLOOD: "You are posting comments too quickly. Slow down.",
    DUPLICATE: "Duplicate comment detected; it looks as though you've already said that!",
    Trouble.MISSING: f"This form came without its token. {_PRESS}",
    Trouble.FORGED: f"This form is not from this page, or from before the site was restarted. {_PRESS}",
    Trouble.BROWSER: f"This form was made for another browser. {_PRESS}",
    Trouble.LATE: f"This form was open for too long. {_PRESS}",
    Trouble.EARLY: f"This form could not be accepted. {_PRESS}",
}
"""Why a post is not accepted → what its reader is told."""
_NAME, _FILLED = 64, 1000
"""Characters of a role and an id, and of what was filled into the trap."""


async def read_form(scope: Mapping[str, Any], receive: Receive) -> dict[str, str] | None:
    """See ``Comments.read``."""
    kinds = [value for name, value in scope.get("headers", ()) if name == b"content-type"]
    if not kinds or kinds[0].partition(b";")[0].strip().lower() != b"application/x-www-form-urlencoded":
        return None
    body, more = bytearray(), True
    while more and len(body) <= MOST_BODY:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")[: MOST_BODY + 1]
        more = message.get("more_body", False)
    return parsed(bytes(body))


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of a post."""

    status: int
    """For the answer: 200, or 400, 403, 409, 429."""
    errors: dict[str, str] = field(default_factory=dict)
    """What the reader is told: field → sentence; under the empty name what is no single field's fault."""
    submission: Submission | None = None
    """The comment; None where it was not accepted."""
    decision: Decision | None = None
    again: bool = False
    """Whether pressing the button once more is all that it takes."""
    form: Form | None = None
    """For the page that shows the errors, with all that was typed; ``Comments.form`` gives the same one."""


@dataclass(slots=True)
class Post:
    """A post while it is looked at."""

    scope: MutableMapping[str, Any]
    article: str
    who: Sender
    now: float
    token: Token | None = None

    @property
    def genuine(self) -> Token:
        """The token, once it has been read."""
        assert self.token is not None
        return self.token

    def trouble(self, keys: Sequence[bytes], fields: Mapping[str, object]) -> Trouble | None:
        """Why a post's form is not accepted."""
        text = fields.get(FIELD)
        if not isinstance(text, str) or not text:
            return Trouble.MISSING
        self.token = forms.read(keys, text, self.article)
        if self.token is None:
            return Trouble.FORGED
        return forms.check(keys, self.token, self.who.kind, self.now)

    def submission(
        self,
        keys: Sequence[bytes],
        told: Typed,
        fields: Mapping[str, object],
        options: CommentOptions,
        role: str,
        parent: str,
    ) -> Submission:
        """The comment, with what can be said of it before anybody else is asked."""
        who, pot = self.who, self.genuine.honeypot
        filled = fields.get(pot) or ""
        return Submission(
            self.article.encode("utf-8", "replace").decode("utf-8"),
            told.text,
            told.author,
            told.email,
            told.url,
            line(parent[:_NAME]).text,
            client=who.client,
            agent=who.agent,
            referrer=who.referrer,
            now=self.now,
            role=line(role[:_NAME]).text,
            language=who.language,
            headers=who.headers,
            signs=self._noticed(keys, told, options, filled=bool(filled)),
            honeypot=(pot, line(filled[:_FILLED]).text if isinstance(filled, str) else ""),
            server=who.server,
            posted=tuple(untold(fields, told, (pot, FIELD))),
        )

    def _noticed(
        self, keys: Sequence[bytes], told: Typed, options: CommentOptions, *, filled: bool
    ) -> tuple[Reason, ...]:
        token, who = self.genuine, self.who
        seconds = forms.took(token, self.now)
        found = [
            signs.HONEYPOT if filled else None,
            signs.quick(seconds, options.fastest) if seconds < options.fast else None,
            signs.MOVED if forms.moved(keys, token, who.prefix) else None,
            signs.hidden(told.hidden) if told.hidden else None,
            signs.PASSED if who.passed else None,
            signs.client(who.score, who.noticed),
            None if who.shows else signs.BARE,
        ]
        return tuple(reason for reason in found if reason is not None)


def standing(options: CommentOptions, *, approved: bool) -> tuple[Reason, ...]:
    """What the author's standing comes to. ``approved``: they have an approved comment."""
    if options.moderation == "all":
        return (signs.ALL_HELD,)
    if approved:
        return (signs.APPROVED,)
    return (signs.NEW_AUTHOR,) if options.moderation == "new" else ()
