"""``/.contentguard/oembed``: the card of an article, for whoever wants to show where it is to be read.

Strategy: the page is asked of the app inside this process, as nobody: with no cookie and no header of who asks, so
nothing but what everybody may see can get into a card. No request leaves the process, so an URL of another site is only
a text that is compared. Never more is told than a lead tells.
"""

from __future__ import annotations

from html import unescape
from math import ceil
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote

from contentguard.admission.tickets import is_own_path
from contentguard.asgi.openings import Openings
from contentguard.asgi.replay import fetch
from contentguard.asgi.request import read_facts
from contentguard.asgi.response import Plain, refusal
from contentguard.model import Action, Purpose, changed
from contentguard.policy import decide_article
from contentguard.policy.media import is_guest
from contentguard.rewrite.head import encoding_of
from contentguard.rewrite.oembed import Room, as_json, as_xml, card, excerpt
from contentguard.rewrite.page import Field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from contentguard.asgi.replay import Found
    from contentguard.model import Facts, Verdict
    from contentguard.rewrite.oembed import Value
    from contentguard.rewrite.plan import Plan

_TEXT = (b"content-type", b"text/plain; charset=utf-8")
_NO_STORE = (b"cache-control", b"no-store")
_NOSNIFF = (b"x-content-type-options", b"nosniff")
_NOINDEX = (b"x-robots-tag", b"noindex")
_FORMATS = {"json": (as_json, b"application/json"), "xml": (as_xml, b"text/xml; charset=utf-8")}
_KEPT = ("type", "asgi", "http_version", "scheme", "server", "root_path", "app", "state")
"""What of a request's scope says nothing of who asks."""
_MOST = 8192
"""Bytes of a query that are read."""


class OEmbedResponder:
    """One request for a card."""

    def __init__(self, app: ASGIApp, openings: Openings) -> None:
        self._app, self._openings, self._guard = app, openings, openings.guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer it."""
        await (await self._answer(scope))(scope, receive, send)

    async def _answer(self, scope: Scope) -> Plain:
        guard = self._guard
        facts = read_facts(scope, guard)
        facts, verdict = await guard.judge(facts)
        verdict = self._verdict(facts, verdict)
        if verdict.action is not Action.ALLOW:
            return refusal(guard, facts, verdict)
        asked = _asked(scope)
        if not asked.get("url"):
            return _refused(400, b"Expected the URL of an article in the field url.\n")
        kind = _FORMATS.get(asked.get("format", "json"))
        if kind is None:
            return _refused(501, b"Expected json or xml as format.\n")
        target = self._target(asked["url"])
        if not target:
            return _refused(404, b"Not Found\n")
        # What the policy says of the article itself stands before what it says of its card.
        about, verdict = guard.judged(changed(facts, path=unquote(target.partition("?")[0])))
        if verdict.action is not Action.ALLOW:
            return refusal(guard, about, verdict)
        wait = await guard.wait_for_card(facts)
        if wait:
            return Plain(429, [_TEXT, _NO_STORE, (b"retry-after", b"%d" % max(1, ceil(wait)))], b"Too Many Requests\n")
        found = await self._found(scope, target)
        made = None if found is None else await self._card(found, facts, asked)
        if found is None or made is None:
            return _refused(404, b"Not Found\n")
        kept = b"public, max-age=%d" % guard.settings.oembed.cache_age
        said = found.opening.answer.cache_control
        control = (b"cache-control", b"private, no-store" if b"private" in said or b"no-store" in said else kept)
        write, named = kind
        return Plain(200, [(b"content-type", named), control, _NOSNIFF, _NOINDEX], write(made))

    def _verdict(self, facts: Facts, verdict: Verdict) -> Verdict:
        """What becomes of who asks: a robot that may have nothing of articles may have no card either.

        Who shows cards is a program, and mostly one that says no more than in what it is written.
        """
        robot = facts.crawler
        shows = robot is None or robot.purpose is Purpose.TOOL or is_guest(facts)
        return verdict if shows else decide_article(facts, verdict)

    def _target(self, url: str) -> str:
        """Path and query of a page of this site; empty for anything else."""
        origin = self._guard.settings.origin
        path = url[len(origin) :].partition("#")[0] if origin and url.startswith(origin + "/") else ""
        return path if is_own_path(path) and path.isascii() and " " not in path else ""

    async def _found(self, scope: Scope, target: str) -> Found | None:
        nobody = {name: scope[name] for name in _KEPT if name in scope}
        nobody["headers"] = [pair for pair in scope["headers"] if pair[0] == b"host"]
        nobody["client"] = None
        try:
            return await fetch(self._app, self._openings, nobody, target)
        except Exception:
            self._guard.note("oembed-failed", "the app failed when it was asked for an article's card", failed=True)
            return None

    async def _card(self, found: Found, facts: Facts, asked: dict[str, str]) -> Mapping[str, Value] | None:
        opening, guard = found.opening, self._guard
        plan = await guard.plan_in_turns(found.body, opening.delivery, opening.shelf)
        page, options = plan.page, guard.settings.oembed
        if not plan.is_article or page is None or not page.url.startswith(guard.settings.origin + "/"):
            return None
        await guard.divided(plan, opening.shelf, opening.delivery)
        said = excerpt(page, options.words)
        if said and not _tells(plan, said, found.body, opening.delivery.content_type):
            said = ""
        room = Room(asked.get("maxwidth", ""), asked.get("maxheight", ""))
        return card(page, options, provider=guard.settings.site, said=said, room=room)


def _asked(scope: Scope) -> dict[str, str]:
    """The fields of the query; of several of one name the first counts."""
    query: bytes = scope.get("query_string") or b""
    try:
        fields = parse_qs(query[:_MOST].decode("latin-1"), max_num_fields=32)
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items()}


def _tells(plan: Plan, said: str, body: bytes, content_type: str) -> bool:
    """Whether a lead tells what stands in an excerpt; where there is none, the page does."""
    lead = plan.division.lead
    if lead is None:
        return True
    plain = plan.marking.plain if plan.marking else {}
    sent = lead.fill({**dict.fromkeys(Field, b""), **plain}).decode(encoding_of(body, content_type), "replace")
    return said.removesuffix("…") in " ".join(unescape(sent).split())


def _refused(status: int, why: bytes) -> Plain:
    return Plain(status, [_TEXT, _NO_STORE, _NOSNIFF, _NOINDEX], why)
