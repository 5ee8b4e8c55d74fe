"""A small paper in a temporary folder, and a client that speaks to the site in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.types import ASGIApp

from examples.news.app import create_app
from examples.news.content import load

ORIGIN = "https://gazette.example"
# The start of a real PNG file of 1200×630 pixels: enough for everything that reads sizes.
PNG = b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4) + b"IHDR" + (1200).to_bytes(4) + (630).to_bytes(4) + bytes(13)
SECTIONS = ("Harbour", "Town Hall", "Arts & Books")

Fetch = Callable[..., httpx.Response]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a content folder of twelve articles in three sections; every other one has a picture."""
    content = tmp_path / "content"
    (content / "images").mkdir(parents=True)
    (content / "images" / "pier.png").write_bytes(PNG)
    (content / "LICENCE.md").write_text("# Not an article\n")
    for number in range(12):
        picture = "image: images/pier.png\nimage_alt: The pier at dawn\n" if number % 2 == 0 else ""
        (content / f"{number:02}.md").write_text(
            f"---\ntitle: Story number {number}\nslug: story-{number}\n"
            f"date: 2026-03-{20 - number:02}T08:30:00Z\n"
            f"section: {SECTIONS[number % 3]}\nsummary: What happened in story {number}.\n"
            f"author: Ada Quayle\n{picture}---\n\n"
            f"The herring came early, paragraph one of {number}.\n\n"
            f"Nobody had nets, paragraph two of {number}.\n",
            encoding="utf-8",
        )
    return content


@pytest.fixture
def site(folder: Path) -> Starlette:
    """Return the unguarded site over the small paper."""
    return create_app(load(folder), origin=ORIGIN, page_size=5, images=folder / "images")


@pytest.fixture
def ask() -> Callable[..., httpx.Response]:
    """Return a function that sends one request to an application, without a lifespan."""
    return _ask


@pytest.fixture
def get(site: Starlette) -> Fetch:
    """Return a function that fetches a path of the small paper."""

    def fetch(path: str, method: str = "GET", **headers: str) -> httpx.Response:
        return _ask(site, path, method, **headers)

    return fetch


def _ask(app: ASGIApp, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://evil.example") as client:
            return await client.request(
                method, path, headers={name.replace("_", "-"): value for name, value in headers.items()}
            )

    return asyncio.run(send())
