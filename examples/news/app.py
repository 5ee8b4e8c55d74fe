"""The site: routes, and what each of them answers.

A handler asks the store, names the head of the page and hands both to a template. The databases open with the
lifespan or, where no lifespan runs (httpx's ASGITransport), with the first request. The engine that judges comments is
the guard's own where one stands around the site, and one of the site's own where none does.
"""

from __future__ import annotations

import asyncio
import logging
import mimetypes
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from contentguard import Comments, Settings

from . import feeds, linked, variants
from .accounts import Cookies
from .content import Article
from .database import Database
from .desk import Desk
from .headers import SECURITY, SecurityHeaders
from .links import SITE, TAGLINE, Links, article_path, clean_origin, page_path, section_path
from .pages import Head, Pages
from .pictures import TYPES
from .replies import Replies
from .store import Page, Section, Store

LOG: Final = logging.getLogger("gazette")
_STATIC: Final = Path(__file__).with_name("static")
_TITLE_LENGTH: Final = 70
_ERRORS: Final = {
    400: ("That was not understood", "What was sent is no form of this site. Please go back and try again."),
    403: ("Not possible", "This is not open to you, or not any more."),
    404: ("Page not found", "There is nothing at this address. It may have moved, or never have been here."),
    405: ("Method not allowed", "This page can be read, but nothing can be sent to it."),
    413: ("Too long", "What was sent is longer than this site takes. Please go back and shorten it."),
    415: ("That was not understood", "What was sent is no form of this site. Please go back and try again."),
    500: ("Something broke", "The fault is on our side. Please try again in a moment."),
}
_FIXED: Final = {
    "privacy": ("Privacy", "What this site stores about you, for how long and why."),
    "contact": ("Contact", "How to reach the desk, send a correction or report a fault."),
    "licensing": ("Licensing", "Who to ask for a licence to reuse articles and pictures."),
}
Handler = Callable[[Request], Awaitable[Response]]
Publication = Callable[[Sequence[Article], Links], bytes]


def create_app(
    articles: Sequence[Article],
    *,
    origin: str = "http://127.0.0.1:8000",
    page_size: int = 8,
    images: Path | None = None,
    database: Path | None = None,
) -> Starlette:
    """Return the news site over some articles. `images` is the folder that /images/ serves, `database` the file that
    keeps comments; without one they end with the process."""
    for suffix, kind in TYPES.items():
        mimetypes.add_type(kind, suffix)  # Python 3.11 does not know WebP everywhere
    site = Site(articles, Links(clean_origin(origin)), page_size, Database(database))

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await site.store.open()
        await site.database.open()
        later = asyncio.create_task(site.by_itself())
        yield
        later.cancel()
        with suppress(asyncio.CancelledError):
            await later
        await site.database.close()
        await site.store.close()

    app = Starlette(
        routes=site.routes(images),
        middleware=[Middleware(SecurityHeaders)],
        exception_handlers={HTTPException: site.refused, 500: site.broken},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # its redirects are built from the Host header
    app.state.store, app.state.site = site.store, site
    return app


class Site:
    """The handlers, over one store and one origin."""

    def __init__(self, articles: Sequence[Article], links: Links, page_size: int, database: Database) -> None:
        self.store = Store(articles, page_size=page_size)
        self.database = database
        self.comments: Comments | None = None
        """What judges comments where a request does not bring it."""
        self._links = links
        self._pages = Pages(links)
        self._known: Cookies | None = None
        self.replies = Replies(database, self._cookies, self._engine)
        self.desk = Desk(database, self._cookies, self._engine, self._pages, self.store.cards)

    def routes(self, images: Path | None) -> list[BaseRoute]:
        """Return the map of the site. /robots.txt is missing on purpose: the guard writes it."""
        routes: list[BaseRoute] = [
            Route("/", self.front),
            Route("/section/{name}", self.section),
            Route("/news/{slug}", self.article),
            Route("/news/{slug}/reply", self.reply, methods=["GET", "POST"]),
            *self.desk.routes(),
            Route("/search", self.search),
            *variants.routes(self.store, self._links, self._respond),
            Route("/sitemap.xml", self._published(feeds.sitemap, "application/xml")),
            Route("/news-sitemap.xml", self._published(feeds.news_sitemap, "application/xml")),
            *(Route(f"/{name}", self._fixed(name)) for name in _FIXED),
            Mount("/static", StaticFiles(directory=_STATIC)),
        ]
        if images is not None and images.is_dir():
            routes.append(Mount("/images", StaticFiles(directory=images)))
        return routes

    async def front(self, request: Request) -> Response:
        """The front page: the lead story, the latest, and on the first page the head of every section."""
        page = _found(await self.store.latest(_number(request)))
        path = page_path("/", page.number)
        title = f"{SITE}: {TAGLINE}" if page.number == 1 else _title(f"Latest news, page {page.number}")
        described = tuple(linked.front(self._links)) if page.number == 1 else ()
        head = Head(title, f"{SITE}. {TAGLINE}.", path, linked=described)
        strips = _strips(await self.store.cards()) if page.number == 1 else []
        return await self._respond("front", head, page=page, here="/", strips=strips)

    async def section(self, request: Request) -> Response:
        """One section, newest first."""
        page = _found(await self.store.by_section(request.path_params["name"], _number(request)))
        name = page.articles[0].section
        path = section_path(name)
        number = "" if page.number == 1 else f", page {page.number}"
        head = Head(_title(name + number), f"{name}: the latest from {SITE}.", page_path(path, page.number))
        return await self._respond("section", head, page=page, name=name, here=path)

    async def article(self, request: Request) -> Response:
        """One story, with others to read next."""
        story = await self._story(request)
        if variants.wants_print(request):
            return await variants.print_view(story, self._respond)
        below = await self.replies.below(request, story)
        described = tuple(linked.article(story, self._links, below["discussion"].total))
        head = Head(_title(story.title), story.summary, article_path(story), story, described)
        values = {"related": await self.store.related(story), "here": section_path(story.section), **below}
        return await self._respond("article", head, article=story, **values)

    async def reply(self, request: Request) -> Response:
        """The form for a comment alone, and what comes of what it sends."""
        story = await self._story(request)
        if request.method != "POST":
            return await self._form(story, await self.replies.alone(request, story))
        done = await self.replies.post(request, story)
        return done if isinstance(done, Response) else await self._form(story, done[1], done[0])

    async def _form(self, story: Article, values: dict[str, object], status: int = 200) -> Response:
        head = Head(_title(f"Leave a Reply: {story.title}"), story.summary, index=False)
        page = await self._respond("reply", head, status, article=story, here=section_path(story.section), **values)
        page.headers["Cache-Control"] = "no-store"
        return page

    async def by_itself(self, every: float = 30.0) -> None:
        """Do what no request asks for, for ever: ask again about comments, and let go of old spam."""
        while True:
            await asyncio.sleep(every)
            try:
                if self.comments is not None:
                    await self.desk.recheck(self.comments)
                await self.desk.tidy()
            except Exception:
                LOG.exception("what is done from time to time failed; it will be tried again")

    async def _story(self, request: Request) -> Article:
        story = await self.store.by_slug(request.path_params["slug"])
        if story is None:
            raise HTTPException(404)
        return story

    async def _cookies(self) -> Cookies:
        """The site's cookies, under a secret that its database keeps."""
        if self._known is None:
            secure = self._links.origin.startswith("https://")
            self._known = Cookies(await self.database.secret("cookies"), secure=secure)
        return self._known

    def _engine(self, request: Request) -> Comments:
        """What judges comments: the guard's, or the site's own where no guard is."""
        found: Comments | None = request.scope.get("contentguard.comments") or self.comments
        if found is None:
            found = Comments.of(Settings(secret_key=secrets.token_urlsafe(32), site=SITE, origin=self._links.origin))
        self.comments = found
        return found

    async def search(self, request: Request) -> Response:
        """The search form, and what it found."""
        query = request.query_params.get("q", "").strip()[:200]
        hits = await self.store.search(query)
        title = _title(f"Search: {query}" if query else "Search")
        head = Head(title, f"Search the archive of {SITE}.", index=False)
        return await self._respond("search", head, query=query, hits=hits, here="/search")

    async def refused(self, _request: Request, fault: Exception) -> Response:
        """An error that the site knows about, in the site's design."""
        assert isinstance(fault, HTTPException)  # Starlette calls by type; its signature does not say so
        latest = await self.store.cards(3)
        told = fault.detail if fault.status_code == 403 else ""
        response = self._error(fault.status_code, told, sections=await self.store.sections(), latest=latest)
        response.headers.update(fault.headers or {})
        return response

    async def broken(self, _request: Request, _fault: Exception) -> Response:
        """The page for a fault of our own. It asks nothing of the database, which may be what broke."""
        response = self._error(500, sections=(), latest=())
        response.headers.update(SECURITY)  # this answer leaves outside of the middleware that adds them
        return response

    async def _respond(self, template: str, head: Head, status: int = 200, /, **values: object) -> Response:
        return self._pages.respond(template, head, status, sections=await self.store.sections(), **values)

    def _error(
        self, status: int, told: str = "", *, sections: Sequence[Section], latest: Sequence[Article]
    ) -> Response:
        title, summary = _ERRORS.get(status, ("That did not work", "The request could not be answered."))
        summary = told or summary
        head = Head(_title(title), summary, index=False)
        values = {"sections": sections, "latest": latest, "here": "", "title": title, "code": status}
        response = self._pages.respond("error", head, status, **values)
        response.headers["Cache-Control"] = "no-store"
        return response

    def _fixed(self, name: str) -> Handler:
        """Privacy, contact and licensing: the same page with another text."""
        title, summary = _FIXED[name]
        head = Head(_title(title), summary, f"/{name}")

        async def fixed(_request: Request) -> Response:
            return await self._respond("page", head, kind=name, title=title, summary=summary, here=f"/{name}")

        return fixed

    def _published(self, write: Publication, kind: str) -> Handler:
        async def publication(request: Request) -> Response:
            return variants.conditional(request, write(await self.store.cards(), self._links), kind)

        return publication


def _number(request: Request) -> int:
    """Return the page that was asked for; what is no positive number means the first."""
    asked = request.query_params.get("page", "1")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 0
    return max(number, 1)


def _found(page: Page | None) -> Page:
    if page is None:
        raise HTTPException(404)
    return page


def _strips(cards: Sequence[Article], most: int = 3) -> list[list[Article]]:
    """Return the newest stories of every section, in the order of the section strip."""
    strips: dict[str, list[Article]] = {}
    for card in cards:
        strips.setdefault(section_path(card.section), []).append(card)
    return [strips[path][:most] for path in sorted(strips)]


def _title(name: str) -> str:
    """Return a page title: with the name of the paper where a result list would not cut it off."""
    full = f"{name} | {SITE}"
    return full if len(full) <= _TITLE_LENGTH else name
