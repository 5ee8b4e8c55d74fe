"""Other addresses of the same stories: feeds, the print view, and a light page for slow telephones.

What every news site has beside its pages, and what whoever copies it asks for first. Each variant of a story names
the story's own address as the canonical one and asks not to be indexed, so that to search engines, to readers' share
links and to the guard's meter it is one and the same article.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final, Protocol
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import feeds, linked
from .content import Article
from .links import Links, article_path, placed
from .pages import Head
from .store import Store

_LENGTH: Final = 30
RSS: Final = "application/rss+xml"
_PATH_SAFE: Final = "/:@!$&'()*+,;=~-._"
_KINDS: Final = {
    "feed.xml": (feeds.rss, RSS),
    "atom.xml": (feeds.atom, "application/atom+xml"),
    "feed.json": (feeds.json_feed, "application/feed+json"),
}
_PRINT: Final = frozenset(("1", "print", "true", "yes", ""))
Write = Callable[[Sequence[Article], Links], bytes]
Handler = Callable[[Request], Awaitable[Response]]


class Respond(Protocol):
    """The site's way to answer with a template."""

    async def __call__(self, template: str, head: Head, status: int = 200, /, **values: object) -> Response:
        """Return the page."""
        ...


def routes(store: Store, links: Links, respond: Respond) -> list[Route]:
    """Return the feeds of the paper, of its sections and of single stories, and the stories' other views."""
    made: list[Route] = []
    for name, (write, kind) in _KINDS.items():
        made.append(Route(f"/{name}", _feed(store, links, write, kind)))
        made.append(Route(f"/section/{{name}}/{name}", _feed(store, links, write, kind)))

    async def story_of(request: Request) -> Article:
        found = await store.by_slug(request.path_params["slug"])
        if found is None:
            raise HTTPException(404)
        return found

    async def feed(request: Request) -> Response:
        return conditional(request, feeds.rss(_fed(request, [await story_of(request)], links), links), RSS)

    async def printed(request: Request) -> Response:
        return await print_view(await story_of(request), respond)

    async def light(request: Request) -> Response:
        story = await story_of(request)
        described = {**linked.article(story, links)[0], "articleBody": story.text}
        return await respond("light", _head(story, described), article=story)

    story = "/news/{slug}"
    return [*made, Route(f"{story}/feed", feed), Route(f"{story}/print", printed), Route(f"{story}/amp", light)]


def wants_print(request: Request) -> bool:
    """Whether a story's own address asks for the print view: `?print`, `?print=1`, `?output=print`, `?format=print`."""
    query = request.query_params
    return query.get("print") in _PRINT or "print" in (query.get("output"), query.get("format"))


async def print_view(story: Article, respond: Respond) -> Response:
    """A story as it goes on paper."""
    return await respond("print", _head(story), article=story)


def conditional(request: Request, body: bytes, kind: str) -> Response:
    """Return the body with its ETag, or 304 when the client has just that."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "public, max-age=300"}
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=f"{kind}; charset=utf-8", headers=headers)


def _feed(store: Store, links: Links, write: Write, kind: str) -> Handler:
    async def publication(request: Request) -> Response:
        section = request.path_params.get("name", "")
        stories = await store.stories(_LENGTH, section)
        if section and not stories:
            raise HTTPException(404)
        return conditional(request, write(_fed(request, stories, links), links), kind)

    return publication


def _fed(request: Request, stories: Sequence[Article], links: Links) -> list[Article]:
    """Return stories as feeds hold them: their pictures can be fetched from anywhere, for as long as the guard says."""
    media = request.scope.get("contentguard.media")

    def address(path: str) -> str:
        return links.to(quote(path, safe=_PATH_SAFE) if media is None else media.signed(path))

    return [replace(story, html=placed(story.html, address)) for story in stories]


def _head(story: Article, *described: linked.Linked) -> Head:
    return Head(story.title, story.summary, article_path(story), story, described, index=False)
