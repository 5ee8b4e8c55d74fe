"""Comments of one site: their forms, what comes in by them, and what becomes of it.

    form ─▶ the app's page ─▶ receive: from here? form good? fields good? flood? duplicate? ─▶ judge ─▶ Decision
                                 │ no                                                            ▲
                                 └─▶ errors and a fresh form, all that was typed kept            └ learn ◀─ moderators

Strategy: whatever is refused is refused with a sentence and a fresh form, so that a person loses nothing and presses
once more; a program that does not look at answers is at its end there. What is accepted is never lost: where the store,
the lessons or a service give no answer, the comment waits for a moderator.

Longer than a module should be because a comment's whole way is told in it.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import replace
from secrets import token_bytes
from typing import Any, TypeGuard

from contentguard.backends import CommentClassifier, CommentPupil
from contentguard.backends.fallback import FallbackStore
from contentguard.backends.lessons import Lessons
from contentguard.backends.reports import Reports
from contentguard.comments import form as forms
from contentguard.comments import rules, signs
from contentguard.comments.decision import (
    CommentAction,
    Decision,
    Judgement,
    Opinion,
    Reason,
    asks_for_spam,
    decide,
)
from contentguard.comments.fields import MOST_FIELDS, typed
from contentguard.comments.form import Form, Token
from contentguard.comments.options import CommentOptions
from contentguard.comments.submission import Submission
from contentguard.comments.text import as_html
from contentguard.errors import SettingsError
from contentguard.guard.calls import Calls
from contentguard.guard.gates import DUPLICATE, FLOOD, USED, Gates, Passed, Remembering
from contentguard.guard.opened import opened, opened_akismet
from contentguard.guard.posts import MESSAGES, Post, Posted, Receive, read_form, standing
from contentguard.guard.reporting import Reporting
from contentguard.guard.senders import Sender, sender
from contentguard.guard.tuition import Tuition
from contentguard.settings import Settings, missing_key
from contentguard.tokens import Signer

FORM = "contentguard.comment-form"
"""Where in the scope the form stands that answers a post which was not accepted."""
TRUSTED = frozenset(("administrator", "editor", "author", "moderator"))
"""Roles whose comments nobody looks at."""
_STATUS = {USED: 403, FLOOD: 429, DUPLICATE: 409}
_OWN_NOTICE = "This site reduces spam by a filter of its own; your comment is sent to nobody else for that.", ""
_LEARNED = 0.8
"""By how much guesses count less where enough was learned: the filter has looked at the same things."""
_ARTICLE = 2048
"""Characters of a path."""

Note = Callable[[str, str], None]


class Comments:
    """Comments of one site. For one event loop."""

    def __init__(
        self,
        settings: Settings,
        signer: Signer,
        store: Remembering,
        clock: Callable[[], float],
        note: Note,
        *,
        mounted: bool = True,
    ) -> None:
        """``mounted``: whether the middleware is there to hear the service when it calls."""
        self._settings, self._options = settings, settings.comments
        self._store, self._clock, self._note = store, clock, note
        self._keys = signer.derived("comment-form")
        self._gates = Gates(self._options, store, signer.derived("comments")[-1])
        self._tuition = Tuition(Lessons(self._options.lessons), note)
        self.calls = Calls(settings, signer, mounted=mounted)
        """What the service says when it calls, for the middleware."""
        self.akismet = opened_akismet(settings, clock, lambda: self.calls.url)
        """The service, for its alerts and figures; None where there is no key."""
        own = (self.akismet,) if self.akismet is not None else ()
        self._classifiers: tuple[CommentClassifier, ...] = (*settings.classifiers, *own)
        file = self._options.lessons
        pupils = [one for one in self._classifiers if _learns(one)]
        self._reporting = Reporting(pupils, Reports(f"{file}.reports" if file else ""), clock)
        self._start: asyncio.Task[None] | None = None
        self._owns = False
        self.counts: Counter[str] = Counter()
        """What became of posts: actions, and why others were not accepted."""

    @classmethod
    def of(cls, settings: Settings, clock: Callable[[], float] = time.time) -> Comments:
        """Those of a site without the middleware; ``aclose`` ends them.

        ``SettingsError`` without a secret key: forms of a random one would be void.
        """
        keys, temporary = settings.keys_or_temporary()
        if temporary:
            raise SettingsError([missing_key("and forms that a random one signs are void")])
        signer = Signer(keys)
        made = cls(settings, signer, opened(settings, signer), clock, lambda what, message: None, mounted=False)
        made._owns = True
        return made

    @property
    def options(self) -> CommentOptions:
        """What the settings say."""
        return self._options

    def begin(self) -> None:
        """Have Akismet's key checked and what moderators said told, in the background: once, when the site starts."""
        if self._start is None and any(map(_learns, self._classifiers)):
            self._start = asyncio.get_running_loop().create_task(self._begun())

    async def _begun(self) -> None:
        self._reporting.begin()
        if self.akismet is not None:
            await self.akismet.start()

    async def aclose(self) -> None:
        """End what is under way, and the connection to a shared store of our own."""
        if self._start is not None:
            self._start.cancel()
            await asyncio.gather(self._start, return_exceptions=True)
        await self._reporting.aclose()
        await self._tuition.aclose()
        if self.akismet is not None:
            await self.akismet.aclose()
        if self._owns and isinstance(self._store, FallbackStore):
            await self._store.aclose()

    # -- the form ------------------------------------------------------------------------------------------------

    def form(self, scope: MutableMapping[str, Any], article: str) -> Form:
        """What goes inside the page's ``<form>`` for a comment on ``article`` (its path).

        In answer to a post that was not accepted, it is the form that may be sent at once.
        """
        made = scope.get(FORM)
        if made is not None and made[0] == article:
            return made[1]  # type: ignore[no-any-return]
        now = self._clock()
        return self._issued(sender(scope, self._settings, now), article[:_ARTICLE], now)

    def _issued(self, who: Sender, article: str, now: float) -> Form:
        options, chance = self._options, token_bytes(forms.CHANCE)
        life, wait = options.form_seconds, options.fastest
        return forms.markup(*forms.issue(self._keys[0], article, who.kind, who.prefix, now, life, wait, chance))

    # -- what comes in -------------------------------------------------------------------------------------------

    async def read(self, scope: Mapping[str, Any], receive: Receive) -> dict[str, str] | None:
        """The fields of a posted form (``application/x-www-form-urlencoded``), for ``receive``.

        None for what is no such form, or larger than any comment: at most ``fields.MOST_BODY`` bytes and
        ``fields.MOST_FIELDS`` fields are read, whatever the request's length is said to be.
        """
        return await read_form(scope, receive)

    async def receive(
        self,
        scope: MutableMapping[str, Any],
        article: str,
        fields: Mapping[str, object] | None,
        *,
        role: str = "",
        parent: str = "",
        approved: bool = False,
        options: CommentOptions | None = None,
        context: Sequence[str] = (),
        modified: float = 0.0,
    ) -> Posted:
        """Take in a comment on ``article``, from the fields of its form as they were posted.

        The fields' names are WordPress' (``comment``, ``author``, ``email``, ``url``) and ours; None for what could not
        be read as a form. ``role``: the author's on the site; ``parent``: the comment that is answered; ``approved``:
        whether the app knows of an approved comment by this author; ``context``, ``modified``: see ``Submission``;
        ``options``: what moderators have chosen of links, words and who has to wait, in the place of the settings. Long
        because every gate stands here in its order.
        """
        self.begin()
        now, chosen = self._clock(), options or self._options
        post = Post(scope, article[:_ARTICLE], sender(scope, self._settings, now), now)
        if fields is None or len(fields) > MOST_FIELDS:
            return self._refused(post, 400, "unreadable")
        if post.who.foreign:
            return self._refused(post, 403, "foreign")
        if (trouble := post.trouble(self._keys, fields)) is not None:
            return self._refused(post, 403, trouble, again=True)
        told = typed(fields, chosen)
        if told.errors:
            return replace(self._refused(post, 400, "invalid"), errors=told.errors)
        trusted = role in TRUSTED
        submission = post.submission(self._keys, told, fields, chosen, role, parent)
        if not trusted and self._must_press_again(post, submission):
            return self._refused(post, 403, "press", again=True)
        passed = await self._passed(post, submission, limited=not trusted)
        if passed.stopped:
            return self._refused(post, _STATUS[passed.stopped], passed.stopped, again=passed.stopped == USED)
        held = () if trusted else standing(chosen, approved=approved)
        known = (*submission.signs, *passed.signs, *held)
        complete = replace(submission, signs=known, context=tuple(context), modified=modified)
        return await self._accepted(complete, chosen)

    async def _accepted(self, submission: Submission, options: CommentOptions) -> Posted:
        decision = await self.judge(submission, options=options)
        self.counts[decision.action] += 1
        kept = replace(submission, guid=decision.guid, judged=decision.judged)
        return Posted(200, submission=kept, decision=decision)

    def _must_press_again(self, post: Post, submission: Submission) -> bool:
        """Whether it is still open that anybody reads the answer. What is spam anyway is told nothing."""
        if post.who.shows or post.genuine.presses or not self._options.second_press:
            return False
        return not asks_for_spam(submission.signs)

    async def _passed(self, post: Post, submission: Submission, *, limited: bool) -> Passed:
        try:
            return await self._gates.passed(post.genuine, submission, post.who.prefix, limited=limited)
        except Exception:
            self._note("comments-failed", "the store failed; comments wait for a moderator")
            return Passed(signs=(signs.UNCHECKED,))

    def _refused(self, post: Post, status: int, why: str, *, again: bool = False) -> Posted:
        """A post that is not accepted, with the form that may be sent instead."""
        self.counts[why] += 1
        if post.token is None:
            made = self._issued(post.who, post.article, post.now)
        else:
            made = self._issued_again(post, post.token)
        post.scope[FORM] = post.article, made
        return Posted(status, {"": MESSAGES.get(why, "")}, again=again, form=made)

    def _issued_again(self, post: Post, token: Token) -> Form:
        key, who, life, chance = self._keys[0], post.who, self._options.form_seconds, token_bytes(forms.CHANCE)
        own = token._replace(agent=forms.tag(key, who.kind), prefix=forms.tag(key, who.prefix))
        return forms.markup(*forms.again(key, own, post.article, post.now, life, chance))

    # -- what becomes of it --------------------------------------------------------------------------------------

    async def judge(
        self, submission: Submission, *, recheck: bool = False, options: CommentOptions | None = None
    ) -> Decision:
        """What becomes of a comment: what is known of it, what was learned, and what others think.

        ``options``: see ``receive``.
        """
        if submission.role in TRUSTED:
            return Decision(CommentAction.APPROVE, 0.0, ())
        reasons = [*submission.signs, *rules.noticed(submission, options or self._options)]
        if self._options.learn and (learned := await self._tuition.reason(submission)) is not None:
            guessed = 1.0 - _LEARNED * self._tuition.share
            reasons = [
                one._replace(points=one.points * guessed) if one.name in rules.GUESSES else one for one in reasons
            ]
            reasons.append(learned)
        if asks_for_spam(reasons):
            return decide(reasons, now=self._clock())
        asked = (self._opinion(classifier, submission, recheck) for classifier in self._classifiers)
        return decide(reasons, await asyncio.gather(*asked), now=self._clock())

    async def _opinion(self, classifier: CommentClassifier, submission: Submission, recheck: bool) -> Opinion:
        try:
            return await classifier.opinion(submission, recheck=recheck)
        except Exception:
            name = type(classifier).__name__
            self._note("classifier-failed", f"{name} failed; comments wait for a moderator")
            return Opinion(Judgement.UNKNOWN, (Reason("unasked", 0.0, f"{name} could not be asked."),))

    async def recheck(
        self, submission: Submission, decision: Decision, options: CommentOptions | None = None
    ) -> Decision:
        """Decide anew, for what ``decision`` left open: what an app's background task calls at ``recheck_at``.

        ``options``: see ``receive``.
        """
        named = replace(submission, guid=decision.guid or submission.guid)
        made = await self.judge(named, recheck=True, options=options)
        self._reporting.begin()
        return made if made.guid else replace(made, guid=decision.guid)

    def called(self) -> tuple[str, ...]:
        """Names (``Decision.guid``) of comments that a service has called about since this was last asked: it may
        think of them otherwise by now, and whoever keeps them has them rechecked, but for what a moderator decided.
        """
        return self.calls.take()

    async def learn(self, submission: Submission, spam: bool) -> None:
        """Learn what a moderator decided, and let those who want to hear of it know. It never waits for them."""
        if self._options.learn:
            await self._tuition.learn(submission, spam=spam)
        await self._reporting.say(submission, spam=spam)

    @staticmethod
    def html(text: str) -> str:
        """A comment's text as safe HTML: paragraphs, line breaks, links with ``rel="nofollow ugc"``."""
        return as_html(text)

    async def notice(self) -> tuple[str, str]:
        """The sentence on spam and privacy that is true now, and where it leads (or nowhere)."""
        told = [one.notice for one in self._classifiers if one.notice[0]]
        return (" ".join(text for text, _ in told), told[0][1]) if told else _OWN_NOTICE


def _learns(classifier: CommentClassifier) -> TypeGuard[CommentPupil]:
    return hasattr(classifier, "learn")
