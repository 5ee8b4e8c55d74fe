"""What Akismet is told of a comment.

    Submission ─ check_fields ─▶ form fields ─▶ (backends.akismet, the service) ─▶ answers.py

Strategy: the fields are made of the submission and of the site's options alone, so a moderator's word, weeks later,
goes with the very fields that were sent at first. Names and values follow Akismet's published documentation and, for
what only they send (``callback``, ``POST_*``, ``comment_check_response``), its own plugin and library. A query, a
cookie or a credential is never among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import quote

from contentguard.comments.decision import Judgement
from contentguard.comments.fields import COMMENT, SECRET
from contentguard.comments.submission import Submission

Pairs = tuple[tuple[str, str], ...]

TEST_AUTHOR = "viagra-test-123"
"""A comment by who calls themselves so is always spam, to try the service with."""
TEST_EMAIL = "akismet-guaranteed-spam@example.com"
"""The same, by e-mail address."""
TEST_ROLE = "administrator"
"""A comment by who has this role is never spam; so a role comes from the app, never from who writes."""

_ANSWERED: Mapping[str, str] = MappingProxyType(
    {Judgement.HAM.value: "false", Judgement.SPAM.value: "true", Judgement.DISCARD.value: "true"}
)
"""What was thought of a comment → what the service had answered."""
_HEADER = re.compile(r"[A-Za-z0-9-]{1,60}")
_VARIABLE = re.compile(r"[A-Z_]{1,30}")
_MOST_HEADERS = 40
_CONTENT, _FIELD = 65_525, 1000
"""Characters: of a comment, of any other field."""
_NOWHERE = "127.0.0.1"
"""``user_ip`` is required; this stands for a client whose address nobody knows (a Unix socket)."""


class Site(NamedTuple):
    """What the service is told of the site."""

    blog: str
    """Its front page, with scheme."""
    origin: str = ""
    """What its articles' paths are appended to; empty: ``blog``."""
    is_test: bool = False
    """Whether the service is to learn nothing from what it is sent."""
    callback: str = ""
    """Where the service may call when it thinks of a comment otherwise than it said; empty: nowhere."""


def check_fields(submission: Submission, site: Site, *, recheck_reason: str = "") -> Pairs:
    """The fields of ``comment-check``, without the key. ``recheck_reason``: why it is asked again, e.g.
    ``retry`` after a failure."""
    return tuple(_fields(submission, site, (("recheck_reason", recheck_reason), ("callback", site.callback))))


def report_fields(submission: Submission, site: Site, *, reporter: str = "") -> Pairs:
    """The fields of ``submit-spam`` and ``submit-ham``: those that were sent at first, what was answered then, and who
    says otherwise."""
    answered = _ANSWERED.get(submission.judged, "")
    more = (("guid", submission.guid), ("comment_check_response", answered), ("reporter", reporter))
    return tuple(_fields(submission, site, more))


def _fields(submission: Submission, site: Site, more: Pairs) -> Iterator[tuple[str, str]]:
    """Every field that has a value, each cut to what a form may hold."""
    names = {"api_key", "key", "honeypot_field_name", "REMOTE_ADDR", "REQUEST_URI", "guid", "reporter", "callback"}
    for name, value in (*_documented(submission, site), *more):
        names.add(name)
        if value:
            yield name, value[: _CONTENT if name == "comment_content" else _FIELD]
    trap, caught = submission.honeypot
    if trap and trap not in names:
        yield "honeypot_field_name", trap[:_FIELD]
        yield trap[:_FIELD], caught[:_FIELD]
    yield from _environment(submission)


def _documented(submission: Submission, site: Site) -> Pairs:
    origin = (site.origin or site.blog).rstrip("/")
    return (
        ("blog", site.blog),
        ("user_ip", submission.client or _NOWHERE),
        ("user_agent", submission.agent),
        ("referrer", submission.referrer),
        ("permalink", origin + quote(submission.article, "/:@!$&'()*+,;=~-._?%", errors="replace")),
        ("comment_type", "reply" if submission.parent else "comment"),
        ("comment_author", submission.author),
        ("comment_author_email", submission.email),
        ("comment_author_url", submission.url),
        ("comment_content", submission.text),
        ("comment_date_gmt", _gmt(submission.now)),
        ("comment_post_modified_gmt", _gmt(submission.modified)),
        ("comment_parent", submission.parent),
        *(("comment_context[]", about) for about in submission.context[:_MOST_HEADERS]),
        ("blog_lang", submission.language),
        ("blog_charset", "UTF-8"),
        ("user_role", submission.role),
        ("is_test", "1" if site.is_test else ""),
    )


def _environment(submission: Submission) -> Iterator[tuple[str, str]]:
    """The request in the manner of CGI (RFC 3875 §4.1), and what else its form held; of secrets nothing."""
    yield "REMOTE_ADDR", submission.client or _NOWHERE
    variables = dict((("REQUEST_URI", submission.article), *submission.server[:_MOST_HEADERS]))
    for name, value in variables.items():
        if _VARIABLE.fullmatch(name) and name != "REMOTE_ADDR" and not name.startswith("HTTP_"):
            yield name, value[:_FIELD]
    for name, value in submission.headers[:_MOST_HEADERS]:
        if _HEADER.fullmatch(name) and not SECRET.search(name):
            yield f"HTTP_{name.upper().replace('-', '_')}", value[:_FIELD]
    for name, value in dict(submission.posted[:_MOST_HEADERS]).items():
        if not SECRET.search(name):
            yield f"POST_{name[:_FIELD]}", value[: _CONTENT if name == COMMENT else _FIELD]


def _gmt(moment: float) -> str:
    """A moment as ISO 8601 in UTC; empty for none."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if 0 < moment < 2**37 else ""
