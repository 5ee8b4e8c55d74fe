"""Marked pictures over HTTP: whose bytes they are, how caches see them, and that all else passes as it came."""

from __future__ import annotations

import asyncio
import builtins
from typing import Any

import anyio
import pytest

from contentguard import ContentGuardMiddleware
from contentguard.asgi import marked as module
from contentguard.errors import SettingsError
from contentguard.guard.marks import PURPOSE, Marks, published
from contentguard.tokens import Signer
from contentguard.watermark import pictures
from contentguard.watermark.keys import epoch_at
from tests.client import CHROME, CURL, KEY, drive, get, http_scope, settings
from tests.watermark.pictures import file, opened, photograph

PHOTO = file(photograph(1, 300, 200))
DRAWING = file(photograph(1, 300, 200).quantize(8), "PNG")
MODIFIED = "Sat, 01 Aug 2026 10:00:00 GMT"
MARKED: dict[str, Any] = {"media": {"marked": ["/photos/"]}}
OWN = {
    **CHROME,
    "sec-fetch-site": "same-origin",
    "sec-fetch-dest": "image",
    "sec-fetch-mode": "no-cors",
    "accept": "*/*",
}


class App:
    """Pictures by path; keeps what it was asked for."""

    def __init__(self, data: bytes = PHOTO, kind: str = "image/jpeg", headers: dict[str, str] | None = None) -> None:
        self.data, self.kind, self.status = data, kind, 200
        self.headers = {"etag": '"app"', "last-modified": MODIFIED, "accept-ranges": "bytes", **(headers or {})}
        self.asked: list[dict[bytes, bytes]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        said = dict(scope["headers"])
        self.asked.append(said)
        assert "extensions" not in scope or not scope["path"].startswith("/photos/")
        held = said.get(b"if-none-match") == b'"app"'
        pairs = [(b"content-type", self.kind.encode()), (b"content-length", str(len(self.data)).encode())]
        pairs += [(name.encode(), value.encode()) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": 304 if held else self.status, "headers": pairs})
        body = b"" if scope["method"] == "HEAD" or held else self.data
        await send({"type": "http.response.body", "body": body[:100], "more_body": True})
        await send({"type": "http.response.body", "body": body[100:]})


def site(app: App | None = None, **chosen: Any) -> ContentGuardMiddleware:
    return ContentGuardMiddleware(app or App(), settings=settings(**{**MARKED, **chosen}))


def marks(app: ContentGuardMiddleware) -> Marks:
    assert app.guard.marks is not None
    return app.guard.marks


def test_a_picture_that_the_site_names_is_marked_and_no_other() -> None:
    app = site()
    answer = get(app, "/photos/tide.jpg", OWN)
    assert answer.status_code == 200
    assert opened(answer.content).size == (300, 200)
    key = Signer([KEY.encode()]).derive(PURPOSE)
    month = epoch_at(published(MODIFIED.encode(), 0.0))
    found = pictures.best(pictures.cells(answer.content), key, [month])
    assert found.score >= pictures.needed(2 * pictures.GROUPS, 1e-6)
    assert found.group == pictures.group_of("/photos/tide.jpg")
    assert get(app, "/other/tide.jpg", OWN).content == PHOTO


def test_its_headers_are_true_of_it() -> None:
    answer = get(site(), "/photos/tide.jpg", OWN)
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert answer.headers["etag"].startswith('"cgi-')
    assert answer.headers["last-modified"] == MODIFIED
    assert "accept-ranges" not in answer.headers
    assert get(site(), "/photos/tide.jpg", CURL).content == answer.content, "the same for everybody"


def test_it_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    whole = pictures.marked

    def counted(*args: Any) -> bytes | None:
        made.append(1)
        return whole(*args)

    monkeypatch.setattr(pictures, "marked", counted)
    app = site()

    async def both() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(drive, app, http_scope("/photos/tide.jpg", OWN))

    asyncio.run(both())
    assert made == [1]
    get(app, "/photos/other.jpg", OWN)
    assert made == [1, 1], "another path is another picture"


def test_what_is_remembered_is_bounded_and_the_longest_unused_goes() -> None:
    size = len(get(site(), "/photos/1.jpg", OWN).content)
    app = site(media={"marked": ["/photos/"], "cache_bytes": 2 * size + 2000})
    for path in ("/photos/1.jpg", "/photos/2.jpg", "/photos/1.jpg", "/photos/3.jpg"):
        get(app, path, OWN)
    assert len(marks(app)._kept) == 2
    assert marks(app)._bytes <= 2 * size + 2000
    none = site(media={"marked": ["/photos/"], "cache_bytes": 0})
    assert get(none, "/photos/1.jpg", OWN).content != PHOTO
    assert (len(marks(none)._kept), marks(none)._bytes) == (0, 0)


def test_who_holds_it_is_told_so_and_the_apps_tag_still_works() -> None:
    app = site(inner := App())
    tag = get(app, "/photos/tide.jpg", OWN).headers["etag"]
    answer = get(app, "/photos/tide.jpg", {**OWN, "if-none-match": tag, "if-modified-since": MODIFIED})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == tag
    assert "content-length" not in answer.headers
    assert b"if-modified-since" not in inner.asked[-1]
    assert get(app, "/photos/tide.jpg", {**OWN, "if-none-match": '"cgi-other"'}).status_code == 200
    assert get(app, "/photos/tide.jpg", {**OWN, "if-none-match": '"app"'}).status_code == 304


def test_parts_and_codings_are_not_asked_for() -> None:
    app = site(inner := App())
    answer = get(app, "/photos/tide.jpg", {**OWN, "range": "bytes=0-9", "if-range": '"x"', "accept-encoding": "gzip"})
    assert answer.status_code == 200
    assert not {b"range", b"if-range", b"accept-encoding"} & set(inner.asked[-1])
    asyncio.run(drive(app, http_scope("/photos/tide.jpg", OWN, extensions={"http.response.pathsend": {}})))


def test_head_says_nothing_that_it_does_not_know() -> None:
    answer = get(site(), "/photos/tide.jpg", OWN, method="HEAD")
    assert answer.status_code == 200
    assert not {"content-length", "etag"} & set(answer.headers)


@pytest.mark.parametrize(
    "app",
    [
        App(DRAWING, "image/png"),
        App(b"<svg/>", "image/svg+xml"),
        App(PHOTO, "application/octet-stream"),
        App(b"x" * 300, "image/jpeg"),
        App(headers={"content-encoding": "gzip"}),
    ],
    ids=["drawing", "svg", "no picture's type", "broken", "packed"],
)
def test_what_cannot_be_marked_leaves_as_it_came(app: App) -> None:
    guard = site(app)
    sent = asyncio.run(drive(guard, http_scope("/photos/tide.jpg", OWN)))
    assert b"".join(message.get("body", b"") for message in sent) == app.data
    assert (b"etag", b'"app"') in sent[0]["headers"]


def test_a_broken_picture_is_counted() -> None:
    app = site(App(b"x" * 300))
    assert get(app, "/photos/tide.jpg", OWN).content == b"x" * 300
    assert app.guard.counts["picture-failed"] == 1


def test_an_error_passes() -> None:
    app = App()
    app.status = 404
    assert get(site(app), "/photos/tide.jpg", OWN).status_code == 404


def test_a_file_too_large_passes_while_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 50)
    assert get(site(), "/photos/tide.jpg", OWN).content == PHOTO


def test_a_caption_names_the_site() -> None:
    plain = {"marked": ["/photos/"], "invisible": False}
    one = get(site(media={**plain, "caption": "© {site}"}), "/photos/tide.jpg", OWN).content
    assert one != get(site(media={**plain, "caption": "© {site}"}, site="Another"), "/photos/tide.jpg", OWN).content
    assert site(media=plain).guard.marks is None, "nothing to do"


def test_a_placeholder_stands_before_any_mark() -> None:
    cross = {**OWN, "sec-fetch-site": "cross-site"}
    app = site(media={"marked": ["/photos/"], "hotlinks": "placeholder"})
    assert get(app, "/photos/tide.jpg", cross).headers["content-type"] == "image/svg+xml"
    assert not marks(app)._kept


def test_one_guard_inside_another_marks_once() -> None:
    inner = site()
    outer = ContentGuardMiddleware(inner, settings=settings(**MARKED))
    assert get(outer, "/photos/tide.jpg", OWN).content == get(site(), "/photos/tide.jpg", OWN).content
    assert not marks(inner)._kept


def test_without_the_library_the_site_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = builtins.__import__

    def without(name: str, *args: Any, **more: Any) -> Any:
        if name == "contentguard.watermark" and args and args[2] == ("pictures",):
            raise ImportError("No module named 'PIL'")
        return whole(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SettingsError, match=r"contentguard\[images\]"):
        site()


@pytest.mark.parametrize("said", [None, b"", b"yesterday", b"Sat, 99 Aug 2026 10:00:00 GMT", b"\xff"])
def test_a_picture_without_a_date_is_published_now(said: bytes | None) -> None:
    assert published(said, 7.0) == 7.0


def test_one_with_a_date_is_published_then() -> None:
    assert published(MODIFIED.encode(), 7.0) == 1785578400.0
