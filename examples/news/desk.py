"""The editors' desk: sign-in, the queues of comments, what the filters go by, and which stories take comments.

Plain forms that work with the keyboard alone and without scripts; a script adds WordPress's letters (j, k, x, a, s, d).
Every decision is kept with the editor's name and teaches the filters, and every form carries a token of its session.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from hmac import compare_digest
from typing import Any, Final
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from contentguard import Comments, Decision, Judgement, Submission

from .accounts import Attempts, Cookies, Editor, hashed, matches
from .content import Article
from .database import Database, Filed, Status
from .forms import posted, single
from .pages import Head, Pages
from .replies import STATUS_OF, Engine, number_of
from .rules import RULES, Rules, read, written

LOG: Final = logging.getLogger("gazette.desk")
_PAGE: Final = 20
_SPAM_DAYS: Final = 15
_ACTIONS: Final[Mapping[str, Mapping[Status, str]]] = {
    "approve": {Status.PENDING: "Approve", Status.SPAM: "Not spam: approve"},
    "hold": {Status.APPROVED: "Unapprove", Status.SPAM: "Not spam: hold"},
    "spam": {Status.PENDING: "Mark as spam", Status.APPROVED: "Mark as spam"},
    "trash": {Status.PENDING: "Move to trash", Status.APPROVED: "Move to trash", Status.SPAM: "Move to trash"},
    "restore": {Status.TRASH: "Restore"},
    "delete": {Status.SPAM: "Delete permanently", Status.TRASH: "Delete permanently"},
}
"""What can be done with a comment, by the queue it is in, and what the button says."""
_MOVES: Final = {"approve": Status.APPROVED, "hold": Status.PENDING, "spam": Status.SPAM, "trash": Status.TRASH}
_TITLES: Final = {
    Status.PENDING: "Pending",
    Status.APPROVED: "Approved",
    Status.SPAM: "Spam",
    Status.TRASH: "Trash",
}
_SAFE_TO_SHOW: Final = {"X-ContentGuard": "off", "Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow"}
_WRONG: Final = "The name or the password is not right."
_TOO_OFTEN: Final = "Too many attempts. Please wait a quarter of an hour."
_STALE: Final = "This form is too old, or was not sent from here. Nothing was changed: please press the button again."
Stories = Callable[[], Awaitable[Sequence[Article]]]
Shown = Callable[[Request, Editor], Awaitable[Response]]


class Desk:
    """The pages of the editors."""

    def __init__(
        self,
        database: Database,
        cookies: Callable[[], Awaitable[Cookies]],
        engine: Engine,
        pages: Pages,
        stories: Stories,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database, self._cookies, self._engine, self._pages = database, cookies, engine, pages
        self._stories, self._clock = stories, clock
        self._attempts = Attempts()

    def routes(self) -> list[BaseRoute]:
        """Return the map of the desk."""
        return [
            Route("/desk", self._for_editors(self._front)),
            Route("/desk/sign-in", self.sign_in, methods=["GET", "POST"]),
            Route("/desk/sign-out", self._for_editors(self._sign_out), methods=["POST"]),
            Route("/desk/comments", self._for_editors(self._queue), methods=["GET"]),
            Route("/desk/comments", self._for_editors(self._act), methods=["POST"]),
            Route("/desk/stories", self._for_editors(self._list_stories), methods=["GET"]),
            Route("/desk/stories", self._for_editors(self._close), methods=["POST"]),
            Route("/desk/rules", self._for_editors(self._show_rules), methods=["GET"]),
            Route("/desk/rules", self._for_editors(self._keep_rules), methods=["POST"]),
        ]

    # -- in and out ----------------------------------------------------------------------------------------------

    async def sign_in(self, request: Request) -> Response:
        """The form to sign in, and what comes of it."""
        cookies = await self._cookies()
        if request.method != "POST":
            if cookies.editor(request) is not None:
                return RedirectResponse("/desk/comments", 303)
            return self._respond("desk_sign_in", "Sign in", name="", wrong="")
        fields = single(await posted(request))
        name, password = fields.get("name", "").strip()[:100], fields.get("password", "")
        wrong, status = await self._refused(request, name, password)
        if wrong:
            return self._respond("desk_sign_in", "Sign in", status, name=name, wrong=wrong)
        response = RedirectResponse("/desk/comments", 303)
        cookies.sign_in(response, name)
        return response

    async def _refused(self, request: Request, name: str, password: str) -> tuple[str, int]:
        """Why somebody may not come in, with a status; nothing for an editor."""
        # By address and by name: neither one guesser at many names nor many guessers at one name goes on for long.
        who = [request.client.host if request.client else "", f"name {name}"]
        now = self._clock()
        if not all(self._attempts.may_try(one, now) for one in who):
            return _TOO_OFTEN, 429
        for one in who:
            self._attempts.tried(one, now)
        kept = await self._database.password(name)
        # Somebody who is no editor costs as much time as one who is.
        right = await asyncio.to_thread(matches, password, kept or _NOBODY)
        if not right or kept is None:
            return _WRONG, 403
        for one in who:
            self._attempts.succeeded(one, now)
        return "", 200

    async def _sign_out(self, request: Request, editor: Editor) -> Response:
        await self._checked(request, editor)
        response = RedirectResponse("/desk/sign-in", 303)
        (await self._cookies()).sign_out(response)
        return response

    def _for_editors(self, shown: Shown) -> Callable[[Request], Awaitable[Response]]:
        """A handler that only who is signed in reaches; others are sent to sign in."""

        async def guarded(request: Request) -> Response:
            editor = (await self._cookies()).editor(request)
            if editor is None:
                return RedirectResponse("/desk/sign-in", 303, _SAFE_TO_SHOW)
            return await shown(request, editor)

        return guarded

    async def _checked(self, request: Request, editor: Editor) -> list[tuple[str, str]]:
        """The fields of a form of the desk, if it was sent from there."""
        fields = await posted(request)
        if not compare_digest(single(fields).get("token", "").encode("utf-8", "replace"), editor.token.encode()):
            raise HTTPException(403, _STALE)
        return fields

    # -- the queues ----------------------------------------------------------------------------------------------

    async def _front(self, _request: Request, _editor: Editor) -> Response:
        return RedirectResponse("/desk/comments", 303)

    async def _queue(self, request: Request, editor: Editor) -> Response:
        status = _status(request.query_params.get("queue", ""))
        counts = await self._database.counts()
        pages = max(1, -(-counts[status] // _PAGE))
        number = min(max(number_of(request.query_params.get("page", "")), 1), pages)
        comments = await self._database.queue(status, number, _PAGE)
        titles = {article.slug: article.title for article in await self._stories()}
        return self._respond(
            "desk_queue",
            f"{_TITLES[status]} comments",
            editor=editor,
            here="comments",
            queue=status,
            queues=[(one, _TITLES[one], counts[one]) for one in Status],
            comments=comments,
            titles=titles,
            number=number,
            pages=pages,
            actions=[(name, labels[status]) for name, labels in _ACTIONS.items() if status in labels],
            done=request.query_params.get("done", "")[:100],
            alerts=_alerts(self._engine(request)),
        )

    async def _act(self, request: Request, editor: Editor) -> Response:
        fields = await self._checked(request, editor)
        asked = single(fields)
        action, status = asked.get("action", ""), _status(asked.get("queue", ""))
        ids = [number for name, value in fields if name == "comment" and (number := number_of(value))]
        if (only := asked.get("only", "")) and ":" in only:  # a button of one comment: "approve:17"
            action, _, one = only.partition(":")
            ids = [number_of(one)]
        done = await self._done(request, editor, action, ids)
        query = {"queue": status.value, "page": asked.get("page", "1"), "done": done}
        return RedirectResponse(f"/desk/comments?{urlencode(query)}", 303)

    async def _done(self, request: Request, editor: Editor, action: str, ids: Sequence[int]) -> str:
        """Do something with some comments; what the editor is told."""
        if action not in _ACTIONS:
            return "Nothing was changed: choose what is to be done."
        changed = 0
        for comment in await self._database.filed(ids):
            if comment.status in _ACTIONS[action]:  # another editor may have been faster
                await self._moved(request, editor, action, comment)
                changed += 1
        return "1 comment changed." if changed == 1 else f"{changed} comments changed."

    async def _moved(self, request: Request, editor: Editor, action: str, comment: Filed) -> None:
        if action == "delete":
            await self._database.delete(comment.id)
            return
        back = Status(comment.before) if comment.before else Status.PENDING
        status = _MOVES.get(action, back)
        await self._database.move(comment.id, status, editor.name, self._clock())
        lesson = _lesson(action, comment)
        if lesson and lesson != comment.learned:
            # After the move: what an editor has decided stands, whoever cannot be told of it.
            await self._database.learned(comment.id, lesson)
            await self._engine(request).learn(Submission.from_dict(comment.submission), spam=lesson == "spam")

    # -- stories and rules -----------------------------------------------------------------------------------------

    async def _list_stories(self, _request: Request, editor: Editor) -> Response:
        stories, closed = await self._stories(), await self._database.closed()
        return self._respond("desk_stories", "Stories", editor=editor, here="stories", stories=stories, shut=closed)

    async def _close(self, request: Request, editor: Editor) -> Response:
        fields = single(await self._checked(request, editor))
        slug = fields.get("slug", "")
        if slug not in {story.slug for story in await self._stories()}:
            raise HTTPException(404)
        if fields.get("action") == "close":
            await self._database.close_comments(slug, editor.name, self._clock())
        else:
            await self._database.open_comments(slug)
        return RedirectResponse("/desk/stories", 303)

    async def _show_rules(self, request: Request, editor: Editor) -> Response:
        rules = read(await self._database.kept(RULES))
        done = request.query_params.get("done", "")
        return self._respond(
            "desk_rules", "Rules", editor=editor, here="rules", rules=rules, errors={}, done=bool(done)
        )

    async def _keep_rules(self, request: Request, editor: Editor) -> Response:
        rules, errors = Rules.posted(single(await self._checked(request, editor)))
        if errors:
            return self._respond(
                "desk_rules", "Rules", 400, editor=editor, here="rules", rules=rules, errors=errors, done=False
            )
        await self._database.keep(RULES, written(rules))
        return RedirectResponse("/desk/rules?done=1", 303)

    # -- what happens by itself ------------------------------------------------------------------------------------

    async def recheck(self, engine: Comments) -> int:
        """Ask again about every comment that a service has still to be asked about; how many were asked about.

        What the service cannot say now is asked about later; the first failure ends the round, so that a service that
        is down is asked once.
        """
        await self._database.called(engine.called(), self._clock())
        asked, rules = 0, read(await self._database.kept(RULES))
        for comment in await self._database.due(self._clock()):
            submission = Submission.from_dict(comment.submission)
            before = Decision.from_dict(json.loads(comment.decision))
            after = await engine.recheck(submission, before, rules.over(engine.options))
            kept = replace(submission, guid=submission.guid or after.guid, judged=after.judged or submission.judged)
            await self._database.decided(
                comment.id,
                _status_after(comment, after),
                {
                    "decision": json.dumps(after.as_dict()),
                    "reasons": [tuple(reason) for reason in after.reasons],
                    "score": after.score,
                    "recheck_at": after.recheck_at,
                    "submission": kept.as_dict(),
                },
            )
            asked += 1
            if after.recheck_at is not None:
                break
        return asked

    async def tidy(self) -> None:
        """Let go of spam and trash after fifteen days."""
        await self._database.forget_spam(self._clock() - _SPAM_DAYS * 86400.0)

    def _respond(self, template: str, title: str, status: int = 200, /, **values: Any) -> Response:
        head = Head(f"{title} | Desk", title, index=False)
        response = self._pages.respond(template, head, status, **{"sections": (), "here": "", **values})
        response.headers.update(_SAFE_TO_SHOW)
        return response


def _alerts(engine: Comments) -> list[str]:
    """What the service that judges comments wants its customer to know."""
    return [] if engine.akismet is None else [f"Akismet: {one.message}" for one in engine.akismet.alerts.values()]


def _status_after(comment: Filed, after: Decision) -> Status:
    """Where a comment is after it was asked about again.

    What was published stays so unless a service calls it spam, and what was found to be spam unless one does not.
    """
    if comment.status is Status.APPROVED and after.judged not in (Judgement.SPAM, Judgement.DISCARD):
        return comment.status
    if comment.status is Status.SPAM and not after.judged:
        return comment.status
    return STATUS_OF[after.action]


def _lesson(action: str, comment: Filed) -> str:
    """What an editor's decision teaches: that a comment is spam, or that it is none."""
    if action == "spam":
        return "spam"
    spared = comment.status is Status.SPAM and action == "hold"
    return "ham" if action == "approve" or spared else ""


def _status(written: str) -> Status:
    try:
        return Status(written)
    except ValueError:
        return Status.PENDING


_NOBODY: Final = hashed("")
"""The hash that the passwords of unknown names are held against."""
