"""The example site behind the guard: every page, byte for byte and as text extractors see it."""

from __future__ import annotations

import asyncio
import gzip
import re
import sys
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import trafilatura
from readability import Document

from contentguard import ContentGuardMiddleware, watermark
from examples.news.content import Article, load
from examples.news.serve import CONTENT, SETTINGS_FILE, GuardError, build
from tests.client import CHROME, drive, http_scope, is_page_with_two_insertions, masked

ORIGIN = "http://127.0.0.1:8000"
SIGNED = re.compile(rb'(?<=\.jpg)\?cgm=[0-9a-f]+-[\w-]{16}(?=[" ])')
FURNITURE = (
    "Share your love",
    "Facebook",
    "WhatsApp",
    "LinkedIn",
    "Copy no.",
    "Printed from",
    "Unauthorized",
    "Copy link",
)


@pytest.fixture(scope="module")
def articles() -> list[Article]:
    return list(load(CONTENT))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's settings, with every article whole for everybody: what is put into pages is judged by these."""
    path = tmp_path_factory.mktemp("settings") / "contentguard.toml"
    path.write_text(SETTINGS_FILE.read_text("utf-8") + '\n[reading]\nmode = "off"\n')
    return path


@pytest.fixture(scope="module")
def pages(articles: list[Article], whole: Path) -> dict[str, tuple[bytes, bytes]]:
    """Path → the page without and with the guard."""
    paths = [f"/news/{a.slug}" for a in articles] + ["/", "/?page=2", "/section/science", "/search?q=tide", "/privacy"]
    plain, guarded = (
        build(CONTENT, origin=ORIGIN, settings_file=whole, unguarded=unguarded) for unguarded in (True, False)
    )

    async def fetch(app: object) -> list[bytes]:
        transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=CHROME) as client:
            return [(await client.get(path)).content for path in paths]

    return dict(zip(paths, zip(asyncio.run(fetch(plain)), asyncio.run(fetch(guarded)), strict=True), strict=True))


def test_removing_the_insertions_gives_back_the_page(pages: dict[str, tuple[bytes, bytes]]) -> None:
    for path, (plain, guarded) in pages.items():
        assert is_page_with_two_insertions(masked(plain), masked(SIGNED.sub(b"", guarded))), path
        assert (SIGNED.search(guarded) is not None) == (b"/images/photos/" in plain), path
        assert (masked(guarded) != masked(plain)) == path.startswith("/news/"), path


def test_every_article_is_found(pages: dict[str, tuple[bytes, bytes]], articles: list[Article]) -> None:
    assert len(articles) >= 24
    for article in articles:
        _, guarded = pages[f"/news/{article.slug}"]
        before, _, after = guarded.partition(b'<section class="cg-share"')
        assert after, article.slug
        assert b"entry-content" in before
        assert b'class="related' not in before


def test_extractors_see_the_article_and_nothing_of_ours(
    pages: dict[str, tuple[bytes, bytes]], articles: list[Article]
) -> None:
    for article in articles:
        plain, guarded = (page.decode() for page in pages[f"/news/{article.slug}"])
        for extract in (_trafilatura, _readability):
            text = extract(guarded)
            assert not [word for word in FURNITURE if word in text], (article.slug, extract)
            assert text.split() == extract(plain).split(), (article.slug, extract)


def _trafilatura(page: str) -> str:
    return trafilatura.extract(page, include_comments=True) or ""


def _readability(page: str) -> str:
    return str(trafilatura.html2txt(Document(page).summary()))


def test_the_guard_is_what_is_mounted(articles: list[Article]) -> None:
    assert isinstance(build(CONTENT, origin=ORIGIN), ContentGuardMiddleware)


def test_compressed_it_says_the_same_and_is_not_much_longer(articles: list[Article], whole: Path) -> None:
    """Every article, spliced from slices that were deflated once: at most a tenth longer than deflated as a whole."""
    app = build(CONTENT, origin=ORIGIN, settings_file=whole)
    sizes = []
    for article in articles:
        plain, packed = (_raw(app, f"/news/{article.slug}", coding) for coding in ("identity", "gzip"))
        assert packed.headers["content-encoding"] == "gzip"
        assert masked(gzip.decompress(packed.content)) == masked(plain.content)
        sizes.append(len(packed.content) / len(zlib.compress(plain.content, 6)))
    assert max(sizes) <= 1.1


def _raw(app: Any, path: str, coding: str) -> Reply:
    sent = asyncio.run(drive(app, http_scope(path, {**CHROME, "accept-encoding": coding})))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Reply(headers, b"".join(message.get("body", b"") for message in sent))


class Reply(NamedTuple):
    headers: dict[str, str]
    content: bytes


def test_photographs_in_a_feed_are_for_who_gets_the_articles_whole(tmp_path: Path) -> None:
    path = tmp_path / "contentguard.toml"
    path.write_text(
        'secret_key = "a-secret-key-for-the-tests"\nfeeds.mode = "full"\n' + SETTINGS_FILE.read_text("utf-8")
    )
    plain, guarded, cut = (
        build(CONTENT, origin=ORIGIN, settings_file=file, unguarded=file is None)
        for file in (None, path, SETTINGS_FILE)
    )

    async def fetched(app: object, path: str, agent: str = "SomeFeedReader/1.0") -> httpx.Response:
        transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            return await client.get(path, headers={"user-agent": agent})

    for feed in ("/feed.xml", "/atom.xml", "/feed.json", "/news/reading-the-fog/feed"):
        whole = asyncio.run(fetched(guarded, feed)).text
        signed = re.findall(rf"{ORIGIN}/images/photos/fog-bank(?:@2x)?\.jpg\?cgm=[\w-]+", whole)
        assert len(signed) == 3, "src and both of srcset"
        assert "/images/photos/" not in asyncio.run(fetched(cut, feed)).text
        bare = asyncio.run(fetched(plain, feed)).text
        assert f"{ORIGIN}/images/photos/fog-bank.jpg" in bare
        assert "cgm=" not in bare
        picture = asyncio.run(fetched(guarded, signed[0], CHROME["user-agent"]))
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg")
    assert asyncio.run(fetched(guarded, "/images/photos/fog-bank.jpg", CHROME["user-agent"])).status_code == 403


def test_without_pillow_pictures_leave_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "gazette")
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.delitem(sys.modules, "contentguard.watermark.pictures", raising=False)
    monkeypatch.delattr(watermark, "pictures", raising=False)
    app = build(CONTENT, origin=ORIGIN)
    assert isinstance(app, ContentGuardMiddleware)
    assert (app.guard.marks, app.guard.media.signs, app.guard.media.hotlinks) == (None, True, True)
    assert "Pillow is not installed" in caplog.text
    file = tmp_path / "own.toml"
    file.write_text('media.marked = ["/images/"]\n')
    with pytest.raises(GuardError, match="the extra images"):
        build(CONTENT, origin=ORIGIN, settings_file=file)
