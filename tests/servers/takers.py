"""The tools that copy archives, each as it comes and each in a browser's clothes, from an address of its own.

A *taker* asks for every article of an ``Archive`` and gives back all that it brought home, as texts. ``dressed``: with
every header that Chrome sends and a jar for cookies. All of 127.0.0.0/8 leads to this machine, so ``address`` is simply
bound to before connecting: by the tool's own option, or below it where it has none.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any
from unittest.mock import patch

import aiohttp
import httpx
import requests
import urllib3.util.connection
from requests.adapters import HTTPAdapter

from tests.client import CHROME
from tests.servers.archive import Archive
from tests.servers.harness import ROOT, environment, need_module, need_program

CLOTHES = {**CHROME, "accept-encoding": "gzip, deflate", "priority": "u=0, i"}
"""Chrome's own offers brotli and zstd as well, which not every tool can read."""
Taker = Callable[[Archive, str, bool, Path], list[str]]
_FEWER = 40
"""How many articles slow tools ask for; those that go by links are stopped after a while instead."""


class From(HTTPAdapter):
    """An adapter of requests that connects from one address, and trusts the archive's certificate."""

    def __init__(self, archive: Archive, address: str) -> None:
        self._address, self._trusting = address, trusting(archive)
        super().__init__()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        """Make the pool."""
        options |= {"source_address": (self._address, 0), "ssl_context": self._trusting}
        super().init_poolmanager(connections, maxsize, block, **options)

    def cert_verify(self, *_how: object) -> None:
        """The context does."""


def session(archive: Archive, address: str, headers: Mapping[str, str] = CLOTHES) -> requests.Session:
    """A session of requests in these clothes, with a jar."""
    made = requests.Session()
    made.headers.clear()
    made.headers.update(headers)
    made.mount("https://", From(archive, address))
    return made


def with_requests(archive: Archive, address: str, dressed: bool, _folder: Path) -> list[str]:
    """A session; without clothes, one that keeps no cookies."""
    with session(archive, address, CLOTHES if dressed else requests.utils.default_headers()) as client:
        if not dressed:
            client.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        return [client.get(url, timeout=20).text for url in archive.urls]


def with_httpx(archive: Archive, address: str, dressed: bool, _folder: Path) -> list[str]:
    """A client."""
    transport = httpx.HTTPTransport(local_address=address, verify=trusting(archive))
    with httpx.Client(transport=transport, timeout=20, headers=CLOTHES if dressed else None) as client:
        return [client.get(url).text for url in archive.urls]


def with_aiohttp(archive: Archive, address: str, dressed: bool, _folder: Path) -> list[str]:
    """A session, eight at a time."""

    async def run() -> list[str]:
        connector = aiohttp.TCPConnector(local_addr=(address, 0), ssl=trusting(archive), limit=8)
        jar: aiohttp.abc.AbstractCookieJar = aiohttp.CookieJar() if dressed else aiohttp.DummyCookieJar()
        clothes = CLOTHES if dressed else None
        async with aiohttp.ClientSession(connector=connector, cookie_jar=jar, headers=clothes) as client:

            async def get(url: str) -> str:
                async with client.get(url) as answer:
                    return await answer.text()

            return await asyncio.gather(*map(get, archive.urls))

    return asyncio.run(run())


def with_curl(archive: Archive, address: str, dressed: bool, folder: Path) -> list[str]:
    """One run over all addresses, by its own counting."""
    options = ["-s", "-L", "--cacert", str(archive.certificate), "--interface", address, "-o", "#1.html"]
    if dressed:
        options += ["-b", "jar", "-c", "jar", "--compressed"]
        options += [part for name, value in CHROME.items() for part in ("-H", f"{name}: {value}")]
    _run([need_program("curl"), *options, f"{archive.origin}/news/{_numbered(archive)}"], folder)
    return _files(folder)


def with_wget(archive: Archive, address: str, dressed: bool, folder: Path) -> list[str]:
    """A mirror from the front page, whatever robots.txt says."""
    options = ["-q", "-r", "-l", "inf", "-e", "robots=off", "--tries=1", "--no-verbose", "-P", "mirror"]
    options += [f"--ca-certificate={archive.certificate}", f"--bind-address={address}", "-R", "png,svg"]
    if dressed:
        kept = {name: value for name, value in CHROME.items() if name not in ("connection", "user-agent")}
        options += [f"--user-agent={CHROME['user-agent']}", *(f"--header={n}: {v}" for n, v in kept.items())]
    else:
        options.append("--no-cookies")
    _run([need_program("wget"), *options, archive.origin + "/"], folder)
    return _files(folder / "mirror")


def with_httrack(archive: Archive, address: str, dressed: bool, folder: Path) -> list[str]:
    """A mirror from the front page, whatever robots.txt says."""
    options = [
        "-O",
        "mirror",
        "-q",
        "-s0",
        "-%b",
        address,
        "-c8",
        "--disable-security-limits",
        "-A0",
        "-%c0",
        "-R0",
        "-E6",
    ]
    if dressed:
        options += ["-b1", "-F", CHROME["user-agent"]]
        kept = {name: value for name, value in CHROME.items() if name not in ("connection", "user-agent", "accept")}
        options += [part for name, value in kept.items() for part in ("-%X", f"{name}: {value}")]
        options += ["-%a", CHROME["accept"]]
    else:
        options.append("-b0")
    _run([need_program("httrack"), archive.origin + "/", *options], folder)
    return _files(folder / "mirror")


def with_scrapy(archive: Archive, address: str, dressed: bool, folder: Path) -> list[str]:
    """A spider that follows every link from the front page, whatever robots.txt says."""
    need_module("scrapy")
    settings = {"DOWNLOAD_BIND_ADDRESS": address, "COOKIES_ENABLED": str(dressed), "CLOSESPIDER_TIMEOUT": "6"}
    if dressed:
        headers = {name: value for name, value in CLOTHES.items() if name not in ("connection", "user-agent")}
        settings |= {"USER_AGENT": CLOTHES["user-agent"], "DEFAULT_REQUEST_HEADERS": json.dumps(headers)}
    spider = [str(ROOT / "tests" / "servers" / "spider.py"), "-a", f"site={archive.origin}/", "-O", "taken.jsonl"]
    command = [sys.executable, "-m", "scrapy", "runspider", *spider]
    _run([*command, *(part for pair in settings.items() for part in ("-s", "=".join(pair)))], folder)
    lines = (folder / "taken.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


def with_trafilatura(archive: Archive, address: str, dressed: bool, _folder: Path) -> list[str]:
    """Its own downloader, and what it makes of the pages."""
    need_module("trafilatura")
    from trafilatura import downloads, extract
    from trafilatura.settings import use_config

    config = use_config()
    config.set("DEFAULT", "SSRF_PROTECTION", "False")  # this machine's own addresses are what it protects
    headers = {k: v for k, v in CLOTHES.items() if k != "connection"} if dressed else downloads.DEFAULT_HEADERS
    found = []
    with (
        bound(address),
        patch.object(downloads, "DEFAULT_HEADERS", headers),
        patch.object(downloads, "NO_CERT_POOL", None),  # it keeps connections
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # that nobody verifies a certificate
        for url in archive.urls[:_FEWER]:
            page = downloads.fetch_url(url, no_ssl=True, config=config)
            found.append(page or "")
    return [*found, *(str(extract(page)) for page in found[:5] if page)]


def with_newspaper(archive: Archive, address: str, dressed: bool, _folder: Path) -> list[str]:
    """Its own downloader, which asks with HEAD and for ranges as well."""
    need_module("newspaper")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it misses what it needs for other ends
        from newspaper import Article, Config, network

        config = Config()
        config.requests_params = {**config.requests_params, "verify": str(archive.certificate), "timeout": 20}
        config.fetch_images = False
        if dressed:
            config.headers = CLOTHES
        network.reset_session()
        found = []
        with bound(address):
            for url in archive.urls[:_FEWER]:
                article = Article(url, config=config)
                article.download()
                found.append(str(article.html))
    return found


def with_curl_cffi(archive: Archive, address: str, dressed: bool, _folder: Path) -> list[str]:
    """As Chrome down to the handshake; ``dressed``: with a jar."""
    need_module("curl_cffi")
    from curl_cffi import requests as impersonating

    options: dict[str, Any] = {
        "impersonate": "chrome",
        "verify": str(archive.certificate),
        "interface": address,
        "timeout": 20,
    }
    if dressed:
        with impersonating.Session(**options) as client:
            return [client.get(url).text for url in archive.urls]
    found = []
    with impersonating.Session(**options) as client:
        for url in archive.urls:
            found.append(client.get(url).text)
            client.cookies.clear()
    return found


_NODE = """
const [origin, address, ca, clothes, ...urls] = process.argv.slice(1);
const fs = require('fs');
const zlib = require('zlib');
const options = { keepAlive: true, localAddress: address, ca: fs.readFileSync(ca), family: 4 };
const agent = new (require('https').Agent)(options);
const headers = JSON.parse(clothes);
const get = (url) => new Promise((done, fail) => require('https').get(url, { agent, headers }, (answer) => {
  const cookie = answer.headers['set-cookie'];
  if (cookie && headers.accept) headers.cookie = cookie[0].split(';')[0];
  const text = answer.headers['content-encoding'] ? answer.pipe(zlib.createUnzip()) : answer;
  let page = '';
  text.setEncoding('utf8').on('data', (piece) => { page += piece; }).on('end', () => done(page)).on('error', fail);
}).on('error', fail));
(async () => {
  const pages = [];
  for (const url of urls) pages.push(await get(origin + url));
  fs.writeFileSync('pages.json', JSON.stringify(pages));
  agent.destroy();
})();
"""


def with_node(archive: Archive, address: str, dressed: bool, folder: Path) -> list[str]:
    """Node's own client, on one connection that it keeps."""
    clothes = {name: value for name, value in CLOTHES.items() if name != "connection"} if dressed else {}
    paths = [f"/news/{slug}" for slug in archive.slugs]
    told = [archive.origin, address, str(archive.certificate), json.dumps(clothes), *paths]
    _run([need_program("node"), "-e", _NODE, *told], folder)
    pages: list[str] = json.loads((folder / "pages.json").read_text("utf-8"))
    return pages


TAKERS: Mapping[str, Taker] = {
    "requests": with_requests,
    "httpx": with_httpx,
    "aiohttp": with_aiohttp,
    "curl": with_curl,
    "wget -r": with_wget,
    "Scrapy": with_scrapy,
    "HTTrack": with_httrack,
    "trafilatura": with_trafilatura,
    "newspaper4k": with_newspaper,
    "curl_cffi": with_curl_cffi,
    "Node": with_node,
}


@contextmanager
def bound(address: str) -> Iterator[None]:
    """Whatever connects by urllib3 meanwhile connects from this address."""
    connect = urllib3.util.connection.create_connection

    def connected(where: tuple[str, int], timeout: Any, source_address: object = None, **options: Any) -> Any:
        return connect(where, timeout, (address, 0), **options)

    with patch.object(urllib3.util.connection, "create_connection", connected):
        yield


def trusting(archive: Archive) -> ssl.SSLContext:
    """What verifies the archive's certificate."""
    return ssl.create_default_context(cafile=archive.certificate)


def _numbered(archive: Archive) -> str:
    """All slugs, as curl counts."""
    last = f"{len(archive.slugs) - 1:04}"
    return archive.slugs[0].replace("0000", f"[0000-{last}]")


def _run(command: list[str], folder: Path) -> None:
    env = {**environment(HOME=str(folder)), "PATH": os.environ["PATH"]}
    subprocess.run(command, cwd=folder, env=env, capture_output=True, timeout=80, check=False)


def _files(folder: Path) -> list[str]:
    return [path.read_text("utf-8", "replace") for path in sorted(folder.rglob("*")) if path.is_file()]
