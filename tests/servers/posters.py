"""Programs that post comments without running the page: real HTTP clients, and what scripts of that kind do.

A *client* gets and posts from an address of its own, as it comes or *dressed* with every header that Chrome sends and a
jar for cookies. An *attack* posts by one client and gives the names under which it did. Nobody of them looks at the
answer to a post.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Protocol
from urllib.parse import urlencode

import aiohttp
import httpx
import requests
from requests.adapters import HTTPAdapter

from tests.client import CHROME
from tests.servers.harness import ROOT, environment, need_module, need_program

OPENS = {**CHROME, "accept-encoding": "gzip, deflate"}
POSTS = {**OPENS, "sec-fetch-site": "same-origin", "cache-control": "max-age=0"}
PATIENT = 4.0
"""Seconds that a script waits where it has heard of time traps."""


class Client(Protocol):
    """Gets and posts."""

    def get(self, url: str) -> str:
        """The page."""
        ...

    def post(self, url: str, fields: Mapping[str, str]) -> None:
        """A form, posted; nobody looks at what comes back."""
        ...


class Requests:
    """requests."""

    def __init__(self, address: str, dressed: bool, _folder: Path) -> None:
        self._session, self._dressed = requests.Session(), dressed
        self._session.mount("http://", _From(address))
        self.close = self._session.close

    def get(self, url: str) -> str:
        """See ``Client``."""
        return self._session.get(url, headers=OPENS if self._dressed else None, timeout=20).text

    def post(self, url: str, fields: Mapping[str, str]) -> None:
        """See ``Client``."""
        self._session.post(url, data=dict(fields), headers=POSTS if self._dressed else None, timeout=20)


class _From(HTTPAdapter):
    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: object) -> None:
        super().init_poolmanager(connections, maxsize, block, source_address=(self._address, 0), **options)


class Httpx:
    """httpx."""

    def __init__(self, address: str, dressed: bool, _folder: Path) -> None:
        self._client = httpx.Client(transport=httpx.HTTPTransport(local_address=address), timeout=20)
        self._dressed, self.close = dressed, self._client.close

    def get(self, url: str) -> str:
        """See ``Client``."""
        return self._client.get(url, headers=OPENS if self._dressed else None).text

    def post(self, url: str, fields: Mapping[str, str]) -> None:
        """See ``Client``."""
        self._client.post(url, data=dict(fields), headers=POSTS if self._dressed else None)


class Aiohttp:
    """aiohttp, without a jar: each request by a session of its own."""

    def __init__(self, address: str, dressed: bool, _folder: Path) -> None:
        self._address, self._dressed = address, dressed

    def get(self, url: str) -> str:
        """See ``Client``."""
        return asyncio.run(self._ask("GET", url, OPENS, None))

    def post(self, url: str, fields: Mapping[str, str]) -> None:
        """See ``Client``."""
        asyncio.run(self._ask("POST", url, POSTS, dict(fields)))

    async def _ask(self, method: str, url: str, clothes: Mapping[str, str], data: dict[str, str] | None) -> str:
        connector = aiohttp.TCPConnector(local_addr=(self._address, 0))
        headers = clothes if self._dressed else None
        async with (
            aiohttp.ClientSession(connector=connector, headers=headers) as session,
            session.request(method, url, data=data, allow_redirects=False) as answer,
        ):
            return await answer.text()


class Curl:
    """curl."""

    def __init__(self, address: str, dressed: bool, folder: Path) -> None:
        self._folder = folder
        self._command = [need_program("curl"), "-s", "--interface", address]
        self._jar = ["-b", "jar", "-c", "jar", "--compressed"] if dressed else []
        self._dressed = dressed

    def get(self, url: str) -> str:
        """See ``Client``."""
        return self._run(OPENS, url)

    def post(self, url: str, fields: Mapping[str, str]) -> None:
        """See ``Client``."""
        self._run(POSTS, "--data-raw", urlencode(fields), url)

    def _run(self, clothes: Mapping[str, str], *rest: str) -> str:
        worn = [part for name, value in clothes.items() for part in ("-H", f"{name}: {value}")] if self._dressed else []
        command = [*self._command, *self._jar, *worn, *rest]
        done = subprocess.run(command, cwd=self._folder, env=environment(), capture_output=True, timeout=30, check=True)
        return done.stdout.decode()


CLIENTS: Mapping[str, Callable[[str, bool, Path], Client]] = {
    "requests": Requests,
    "httpx": Httpx,
    "aiohttp": Aiohttp,
    "curl": Curl,
}


# -- what they do --------------------------------------------------------------------------------------------------


class Inputs(HTMLParser):
    """The fields of a page's form, hidden ones apart."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}
        self.shown: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a field."""
        found = {name: value or "" for name, value in attrs}
        if tag in ("input", "textarea") and "name" in found:
            kind = self.hidden if found.get("type") == "hidden" else self.shown
            kind[found["name"]] = found.get("value", "")


def said(name: str, number: int = 0) -> dict[str, str]:
    """What one of them wants to say."""
    text = f"Wonderful article number {number}, I will tell all of my colleagues about it. {name} was here."
    return {"comment": text, "author": name, "email": f"{name}@example.org", "url": "https://shop.example"}


def blind(client: Client, url: str, name: str) -> list[str]:
    """Knows WordPress' fields and no page."""
    for number in range(5):
        client.post(
            url, {**said(name, number), "comment_post_ID": "1", "comment_parent": "0", "submit": "Post Comment"}
        )
    return [name] * 5


def at_once(client: Client, url: str, name: str) -> list[str]:
    """Takes the form, and posts."""
    form = Inputs(client.get(url))
    client.post(url, {**form.hidden, **form.shown, **said(name)})
    return [name]


def everything(client: Client, url: str, name: str) -> list[str]:
    """Fills in all there is that is not said to be hidden."""
    form = Inputs(client.get(url))
    time.sleep(PATIENT)
    client.post(url, {**form.hidden, **dict.fromkeys(form.shown, "https://shop.example"), **said(name)})
    return [name]


def patient(client: Client, url: str, name: str) -> list[str]:
    """Fills in what people fill in, after a while."""
    form = Inputs(client.get(url))
    time.sleep(PATIENT)
    client.post(url, {**form.hidden, **form.shown, **said(name)})
    return [name]


def replay(client: Client, url: str, name: str) -> list[str]:
    """Posts by one form again and again."""
    form = Inputs(client.get(url))
    time.sleep(PATIENT)
    for number in range(5):
        client.post(url, {**form.hidden, **form.shown, **said(name, number)})
    return [name] * 5


ATTACKS: Mapping[str, Callable[[Client, str, str], list[str]]] = {
    "blind": blind,
    "at-once": at_once,
    "everything": everything,
    "patient": patient,
    "replay": replay,
}


def with_scrapy(url: str, address: str, dressed: bool, name: str, folder: Path, delay: float) -> list[str]:
    """Scrapy's own ``FormRequest.from_response``, ``delay`` seconds after the page."""
    need_module("scrapy")
    folder.mkdir()
    options = {"DOWNLOAD_BIND_ADDRESS": address, "COOKIES_ENABLED": str(dressed), "DOWNLOAD_DELAY": str(delay)}
    if dressed:
        headers = {key: value for key, value in POSTS.items() if key not in ("connection", "user-agent")}
        options |= {"USER_AGENT": POSTS["user-agent"], "DEFAULT_REQUEST_HEADERS": json.dumps(headers)}
    spider = [str(ROOT / "tests" / "servers" / "poster.py"), "-a", f"site={url}", "-a", f"author={name}"]
    settings = [part for pair in options.items() for part in ("-s", "=".join(pair))]
    command = [sys.executable, "-m", "scrapy", "runspider", *spider, *settings]
    env = environment(HOME=str(folder))
    subprocess.run(command, cwd=folder, env=env, capture_output=True, timeout=60, check=True)
    return [name]


@contextmanager
def client(kind: str, address: str, dressed: bool, folder: Path) -> Iterator[Client]:
    """One of ``CLIENTS``."""
    folder.mkdir()
    made = CLIENTS[kind](address, dressed, folder)
    yield made
    getattr(made, "close", lambda: None)()
