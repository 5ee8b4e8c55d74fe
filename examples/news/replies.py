"""A reader's comment: the form below a story, what becomes of what is sent, and what is said back.

Whether a comment is published is decided by contentguard's filters; here is what a reader sees of it. Whatever is
wrong, the form comes back with everything that was typed and each complaint beside its field, on a page that holds the
form alone: a story would come back whole there, past its guard.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from contentguard import CommentAction, Comments, Posted
from contentguard.comments.form import Form

from .accounts import Cookies, Details, Editor
from .content import Article
from .database import Database, New, Status
from .links import article_path
from .rules import RULES, read
from .threads import Comment, discussion, page_of, place_for

CONSENT: Final = "wp-comment-cookies-consent"
CLOSED: Final = "Sorry, comments are closed for this story."
STATUS_OF: Final = {
    CommentAction.APPROVE: Status.APPROVED,
    CommentAction.HOLD: Status.PENDING,
    CommentAction.SPAM: Status.SPAM,
    CommentAction.DISCARD: Status.SPAM,
}
_FIELDS: Final = ("comment", "author", "email", "url")
Engine = Callable[[Request], Comments]


@dataclass(frozen=True, slots=True)
class Draft:
    """A form as it is to be shown: what is in it, what is wrong with it, and whom it answers."""

    form: Form
    action: str
    values: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)
    parent: int = 0
    answered: str = ""
    """The author of the comment that this one answers."""
    remembered: bool = False
    editor: Editor | None = None


class Replies:
    """The comments of one site."""

    def __init__(
        self, database: Database, cookies: Callable[[], Any], engine: Engine, clock: Callable[[], float] = time.time
    ) -> None:
        self._database, self._engine, self._clock = database, engine, clock
        self._cookies = cookies
        """Awaited for the cookies of this site, whose secret is in the database."""

    async def below(self, request: Request, story: Article) -> dict[str, Any]:
        """Return what the comments below a story need: the threads, the form and what is true of it."""
        cookies: Cookies = await self._cookies()
        waiting = await self._waiting(request, story, cookies)
        comments = await self._database.of_article(story.slug, waiting)
        asked = number_of(request.query_params.get("cpage", ""))
        shown = discussion(comments, asked or (page_of(comments, waiting[-1]) if waiting else None))
        closed = story.slug in await self._database.closed()
        draft = None if closed else await self._draft(request, story, comments, cookies)
        return {
            "discussion": shown,
            "draft": draft,
            "closed": CLOSED if closed else "",
            "notice": await self._engine(request).notice(),
        }

    async def alone(self, request: Request, story: Article) -> dict[str, Any]:
        """Return what the page with the form alone needs."""
        cookies: Cookies = await self._cookies()
        comments = await self._database.of_article(story.slug)
        if story.slug in await self._database.closed():
            raise HTTPException(403, CLOSED)
        return {
            "draft": await self._draft(request, story, comments, cookies),
            "notice": await self._engine(request).notice(),
        }

    async def post(self, request: Request, story: Article) -> Response | tuple[int, dict[str, Any]]:
        """Take in what was sent: a redirect to where the comment stands, or status and values of the form's page."""
        engine = self._engine(request)
        posted = await engine.read(request.scope, request.receive)
        if posted is None:
            raise HTTPException(400)
        cookies: Cookies = await self._cookies()
        if story.slug in await self._database.closed():
            raise HTTPException(403, CLOSED)
        editor = cookies.editor(request)
        fields = self._signed(posted, editor)
        parent = place_for(await self._database.parents(story.slug), number_of(fields.get("comment_parent", "")))
        known = await self._database.approved_before(fields.get("author", "").strip(), fields.get("email", "").strip())
        received = await engine.receive(
            request.scope,
            article_path(story),
            fields,
            role="editor" if editor else "",
            parent=str(parent or ""),
            approved=known,
            context=(story.section,),
            modified=story.date.timestamp(),
            options=read(await self._database.kept(RULES)).over(engine.options),
        )
        if received.submission is None or received.decision is None:
            return received.status, await self._again(request, story, fields, received, parent, editor)
        id_ = await self._file(story, parent, received, editor)
        status = STATUS_OF[received.decision.action]
        response = RedirectResponse(await self._place(story, id_, status, cookies), 303)
        if editor is None:
            kept = Details(received.submission.author, received.submission.email, received.submission.url)
            cookies.remember(response, kept if fields.get(CONSENT) else None)
        return response

    async def _file(self, story: Article, parent: int, received: Posted, editor: Editor | None) -> int:
        submission, decision = received.submission, received.decision
        assert submission is not None  # the caller has looked
        assert decision is not None
        return await self._database.add(
            New(
                slug=story.slug,
                parent=parent,
                author=submission.author,
                email=submission.email,
                url=submission.url,
                text=submission.text,
                role="editor" if editor else "",
                created=self._clock(),
                status=STATUS_OF[decision.action],
                decision=json.dumps(decision.as_dict()),
                submission=submission.as_dict(),
                reasons=[tuple(reason) for reason in decision.reasons],
                score=decision.score,
                recheck_at=decision.recheck_at,
            )
        )

    async def _place(self, story: Article, id_: int, status: Status, cookies: Cookies) -> str:
        """Where a comment that was just written is seen: by everybody, or by its author alone."""
        query: dict[str, str | int] = {}
        if status is not Status.APPROVED:
            query = {"unapproved": id_, "moderation-hash": cookies.mark("waiting", str(id_))}
        comments = await self._database.of_article(story.slug, [id_])
        if (page := page_of(comments, id_)) < discussion(comments).pages:
            query["cpage"] = page
        return f"{article_path(story)}{'?' + urlencode(query) if query else ''}#comment-{id_}"

    async def _waiting(self, request: Request, story: Article, cookies: Cookies) -> list[int]:
        """Return the comments that wait for an editor and whose author asks.

        Known by the address that the author was sent to, or by the details that the author's browser keeps.
        """
        found: list[int] = []
        if (details := cookies.details(request)) is not None:
            found += await self._database.by_author(story.slug, details.author, details.email)
        id_, mark = request.query_params.get("unapproved", ""), request.query_params.get("moderation-hash", "")
        if number_of(id_) and cookies.is_marked("waiting", id_, mark):
            found.append(number_of(id_))
        return found

    async def _draft(self, request: Request, story: Article, comments: tuple[Comment, ...], cookies: Cookies) -> Draft:
        details, asked = cookies.details(request), number_of(request.query_params.get("replytocom", ""))
        answered = next((c for c in comments if c.id == asked and not c.pending), None)
        kept = details or Details()
        return Draft(
            self._engine(request).form(request.scope, article_path(story)),
            f"{article_path(story)}/reply",
            {"comment": "", "author": kept.author, "email": kept.email, "url": kept.url},
            parent=answered.id if answered else 0,
            answered=answered.author if answered else "",
            editor=cookies.editor(request),
        )

    async def _again(
        self,
        request: Request,
        story: Article,
        fields: Mapping[str, str],
        received: Posted,
        parent: int,
        editor: Editor | None,
    ) -> dict[str, Any]:
        """The form once more, with everything that was typed."""
        comments = await self._database.of_article(story.slug)
        draft = Draft(
            received.form or self._engine(request).form(request.scope, article_path(story)),
            f"{article_path(story)}/reply",
            {name: fields.get(name, "") for name in _FIELDS},
            received.errors,
            parent,
            next((comment.author for comment in comments if comment.id == parent), ""),
            bool(fields.get(CONSENT)),
            editor,
        )
        return {"draft": draft, "notice": await self._engine(request).notice()}

    def _signed(self, fields: Mapping[str, str], editor: Editor | None) -> Mapping[str, str]:
        """Fields as posted; an editor's name stands for itself."""
        if editor is None:
            return fields
        return {**fields, "author": editor.name, "email": f"{editor.name}@desk.invalid", "url": ""}


def number_of(written: str) -> int:
    """A comment's number in an address or a field; 0 for what is none."""
    return int(written) if written.isascii() and written.isdigit() and len(written) < 16 else 0
