"""Akismet, a service that is asked what it thinks of a comment. It is told what its author wrote, and who they are.

    Submission ─ comments.akismet ─▶ form ─ https ─▶ the service ─▶ answer ─ comments.answers ─▶ verdict

Strategy: no comment is lost by it. Whatever is no verdict lets the comment wait for a moderator or a better moment
(``comments.ladder``); how long a question may take stands in ``service``. Nothing is ever sent unencrypted, as
Akismet's own plugin does when https fails. The key is in forms, and for two calls in the URL, and nowhere else.
"""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import TypeVar
from urllib.parse import urlencode

import httpx

from contentguard.backends.service import Answered, Service, ServiceError
from contentguard.comments import ladder
from contentguard.comments.akismet import Pairs, Site, check_fields, report_fields
from contentguard.comments.akismet_options import AkismetOptions
from contentguard.comments.answers import (
    AkismetAnswer,
    AkismetVerdict,
    Alert,
    Headers,
    Receipt,
    Trouble,
    read_key_check,
    read_thanks,
    read_verdict,
    unanswered,
)
from contentguard.comments.decision import Judgement, Opinion, Reason
from contentguard.comments.figures import KeySites, Usage, asked, read_listed_sites, read_sites, read_usage
from contentguard.comments.submission import Submission
from contentguard.errors import ContentGuardError

T = TypeVar("T")
NOTICE = (
    "This site uses Akismet to reduce spam. Learn how your comment data is processed.",
    "https://akismet.com/privacy/",
)
"""What readers are told, as WordPress tells it, and where that leads."""
_LOG = logging.getLogger("contentguard.akismet")
_WORD, _LIST = 16_384, 4 * 2**20
"""Bytes of an answer: of one that is a word, and of a list of sites."""
_ALERTS = 16
_JUDGEMENTS = {
    AkismetVerdict.HAM: Judgement.HAM,
    AkismetVerdict.SPAM: Judgement.SPAM,
    AkismetVerdict.DISCARD: Judgement.DISCARD,
    AkismetVerdict.UNKNOWN: Judgement.UNKNOWN,
}
_SAID = {
    AkismetVerdict.HAM: "Akismet does not take it for spam",
    AkismetVerdict.SPAM: "Akismet takes it for spam",
    AkismetVerdict.DISCARD: "Akismet takes it for blatant spam",
}


class AkismetError(ContentGuardError):
    """The service gave no answer, or none that makes sense; the message says why, and never holds the key."""


class Akismet:
    """One site's access to the service: a ``CommentPupil``, to be closed by ``aclose``.

    ``origin``: the site's, for its articles' addresses and where ``options.blog`` is empty. ``callback``: says where
    the service may call, asked each time; nothing for nowhere. ``clock``: seconds since the epoch; ``timer``: seconds
    on a clock that does not jump; ``chance``: between 0 and 1. ``transport``: what carries the requests, for tests.
    ValueError without a key or a front page.
    """

    notice = NOTICE

    def __init__(
        self,
        options: AkismetOptions,
        origin: str = "",
        *,
        callback: Callable[[], str] = str,
        transport: httpx.AsyncBaseTransport | None = None,
        seconds: float = 3.0,
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        if not options.key or not (options.blog or origin):
            raise ValueError("Akismet needs a key and the site's front page: akismet.key, and akismet.blog or origin")
        self._key, self._base, self._discards = options.key, options.url.rstrip("/"), options.discard
        self._site = Site(options.blog or origin, origin, options.test)
        self._callback = callback
        self._clock = clock
        self._service = Service(
            "Akismet",
            {"User-Agent": f"{options.application} | contentguard/{_version()}"},
            secret=self._key.encode(),
            seconds=seconds,
            transport=transport,
            timer=timer,
            chance=chance,
        )
        self.key_is_valid: bool | None = None
        """What the service thought of the key when it last said so."""
        self.fault = ""
        """Why the service last refused what it was sent; empty while all is well."""
        self.alerts: dict[str, Alert] = {}
        """What the service wants the editor to know, by code, the latest last."""
        self.counts: Counter[str] = Counter()
        """Verdicts by name."""

    def __repr__(self) -> str:
        return f"<Akismet for {self._site.blog}, key valid: {self.key_is_valid}>"

    # -- as a classifier -----------------------------------------------------------------------------------------

    async def opinion(self, submission: Submission, *, recheck: bool = False) -> Opinion:
        """See ``CommentClassifier``."""
        # A comment that the service has a name for was judged, provisionally; else there was no answer.
        reason = ("recheck" if submission.guid else "retry") if recheck else ""
        answer = await self.comment_check(submission, recheck_reason=reason)
        verdict = answer.verdict
        if verdict is AkismetVerdict.DISCARD and not self._discards:
            verdict = AkismetVerdict.SPAM
        said = Reason("akismet", 0.0, _SAID.get(answer.verdict, answer.why))
        return Opinion(_JUDGEMENTS[verdict], (said,), answer.guid, self._again(submission, answer))

    async def learn(self, submission: Submission, *, spam: bool) -> bool:
        """See ``CommentPupil``."""
        receipt = await (self.submit_spam(submission) if spam else self.submit_ham(submission))
        return receipt.done

    def _again(self, submission: Submission, answer: AkismetAnswer) -> float | None:
        """When the comment is asked about again, in seconds from now; None for never."""
        if answer.verdict in (AkismetVerdict.SPAM, AkismetVerdict.DISCARD):
            return None
        pause = ladder.pause(submission.now, self._clock(), bad_key=answer.trouble is Trouble.KEY)
        if answer.verdict is AkismetVerdict.HAM or answer.recheck_after is not None:
            # A provisional verdict; but who is told to come back for ever comes no more after a while.
            return answer.recheck_after if pause is not None else None
        return pause

    # -- the six calls -------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Have the key checked, at the start of a site. Never raises: what is wrong is logged and kept."""
        receipt = await self.verify_key()
        if receipt.trouble is Trouble.SERVICE:
            _LOG.warning("Akismet's key could not be checked (%s)", receipt.why)

    async def verify_key(self) -> Receipt:
        """Whether the key is valid for this site."""
        # Its name is ``key`` in one half of the documentation, and ``api_key`` in the other.
        form = (("api_key", self._key), ("key", self._key), ("blog", self._site.blog))
        return await self._receipt("verify-key", form, read_key_check)

    async def comment_check(self, submission: Submission, *, recheck_reason: str = "") -> AkismetAnswer:
        """The service's verdict. Never raises: no answer is an answer that says so."""
        fields = check_fields(submission, self._site._replace(callback=self._callback()), recheck_reason=recheck_reason)
        try:
            answer = read_verdict(*await self._post("comment-check", (("api_key", self._key), *fields)))
        except ServiceError as error:
            answer = unanswered(str(error))
        else:
            self._noted(answer.trouble, answer.why, answer.alert)
        self.counts[answer.verdict] += 1
        return answer

    async def submit_spam(self, submission: Submission, *, reporter: str = "") -> Receipt:
        """Report spam that the service did not find. ``submission``: as it was checked. Never raises."""
        return await self._report("submit-spam", submission, reporter)

    async def submit_ham(self, submission: Submission, *, reporter: str = "") -> Receipt:
        """Report that something was no spam. ``submission``: as it was checked. Never raises."""
        return await self._report("submit-ham", submission, reporter)

    async def usage_limit(self) -> Usage:
        """How much of the plan is used this month. AkismetError where the service does not say."""
        return await self._figures("usage-limit", (), _WORD, read_usage)

    async def key_sites(
        self,
        *,
        month: str = "",
        name: str = "",
        order: str = "total",
        limit: int = 500,
        offset: int = 0,
        csv: bool = False,
    ) -> KeySites:
        """The sites that use the key, and what they do with it. AkismetError where the service does not say.

        ``month``: as ``2026-12``, default this one. ``name``: a part of their URL. ``order``: one of
        ``figures.ORDERS``. ``csv``: have the service send the list as CSV, which is smaller; what is returned is the
        same. ValueError for what the service does not document.
        """
        question = (("format", "csv" if csv else "json"), *asked(month, name, order, limit, offset))
        return await self._figures("key-sites", question, _LIST, read_listed_sites if csv else read_sites)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._service.aclose()

    # -- what they have in common --------------------------------------------------------------------------------

    async def _report(self, call: str, submission: Submission, reporter: str) -> Receipt:
        fields = report_fields(submission, self._site, reporter=reporter)
        return await self._receipt(call, (("api_key", self._key), *fields), read_thanks)

    async def _receipt(self, call: str, form: Pairs, read: Callable[[int, Headers, bytes], Receipt]) -> Receipt:
        try:
            receipt = read(*await self._post(call, form))
        except ServiceError as error:
            return Receipt(False, str(error), Trouble.SERVICE)
        self._noted(receipt.trouble, receipt.why, receipt.alert)
        return receipt

    async def _figures(self, call: str, query: Pairs, most: int, read: Callable[[int, Headers, bytes], T]) -> T:
        url = f"{self._base}/1.2/{call}?{urlencode((('api_key', self._key), *query))}"
        try:
            figures = read(*await self._service.ask("GET", url, most=most))
        except (ServiceError, ValueError) as error:
            raise AkismetError(str(error)) from None
        self._service.succeeded()
        return figures

    async def _post(self, call: str, form: Pairs) -> Answered:
        body = urlencode(form, encoding="utf-8", errors="replace").encode()
        return await self._service.ask("POST", f"{self._base}/1.1/{call}", body, most=_WORD)

    # -- how it is doing -----------------------------------------------------------------------------------------

    def _noted(self, trouble: Trouble, why: str, alert: Alert | None) -> None:
        """What an answer says about the service and the key."""
        if trouble is Trouble.SERVICE:
            self._service.failed(why)
        else:
            self._service.succeeded()
            self._key_is(trouble is Trouble.NONE, why)
        if alert is not None:
            self.alerts.pop(alert.code, None)
            self.alerts[alert.code] = alert
            while len(self.alerts) > _ALERTS:
                del self.alerts[next(iter(self.alerts))]

    def _key_is(self, valid: bool, why: str) -> None:
        if not valid and self.key_is_valid is not False:
            _LOG.error("Akismet does not accept this site's key; comments wait for a moderator. %s", why)
        self.key_is_valid, self.fault = valid, why


def _version() -> str:
    try:
        return version("contentguard")
    except PackageNotFoundError:
        return "0"
