"""A spliced gzip in the hands of decoders that are not ours: every page of the example, to the byte.

Clients decode for themselves; the caches in front keep the gzip, hand it on as it is, and unpack it for who cannot.
What a page says is known from its seal (see ``tests.servers.spliced``), which passes through everything.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

from examples.news.content import load
from tests.browser.conftest import ARGS, find_browser
from tests.client import CHROME
from tests.servers.harness import HOST, ROOT, Answer, Server, ask, environment, need_program, server_command, serving
from tests.servers.spliced import MARKS, SEAL

APP = "tests.servers.spliced:app"
PACKED = {**CHROME, "accept-encoding": "gzip, deflate, br, zstd"}
PLAIN = {**CHROME, "accept-encoding": "identity"}
NO_PAGE = "/static/favicon.svg"
"""To be asked for when no page is to be in the cache yet."""
LINK = re.compile(r'href="(/[^"#?]*)"')

Headers = Mapping[str, str]


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The site with spliced pages."""
    with serving(server_command("uvicorn", APP), tmp_path_factory.mktemp("origin") / "log") as server:
        yield server


@contextmanager
def asking(server: Server, headers: Headers) -> Iterator[Callable[[str], Answer]]:
    """Asks on one connection."""
    connection = server.connect()
    try:
        yield lambda path: ask(connection, path, headers)
    finally:
        connection.close()


@pytest.fixture(scope="module")
def pages(origin: Server) -> dict[str, Answer]:
    """Path → the answer with the gzip, for every page that can be reached from the front page."""
    found: dict[str, Answer] = {}
    wanted = ["/"]
    with asking(origin, PACKED) as get:
        for path in wanted:
            answer = get(path)
            if answer.status != 200 or not answer.headers["content-type"].startswith("text/html"):
                continue
            packed = answer.headers.get("content-encoding") == "gzip"
            if packed:
                found[path] = answer
            links = LINK.findall((gzip.decompress(answer.body) if packed else answer.body).decode())
            wanted += [link for link in dict.fromkeys(links) if link not in wanted]
    assert len([path for path in found if path.startswith("/news/")]) == len(load(ROOT / "examples/news/content"))
    return found


def seal(body: bytes) -> str:
    return sha256(body).hexdigest()


def wrong(told: Mapping[str, tuple[str, str]], pages: Mapping[str, Answer]) -> list[str]:
    """The pages whose two hashes, told and found, are not the same, and those that are missing."""
    return [path for path in pages if path not in told or len(set(told[path])) != 1]


# -- clients ---------------------------------------------------------------------------------------------------


def test_python(origin: Server, pages: dict[str, Answer]) -> None:
    for path, page in pages.items():
        inflate = zlib.decompressobj(31)
        slowly = b"".join(inflate.decompress(page.body[at : at + 1]) for at in range(len(page.body)))
        assert seal(slowly) == page.headers[SEAL], path
        assert inflate.eof
        assert inflate.unused_data == b""


def test_there_were_holes_and_it_was_worth_the_while(pages: dict[str, Answer]) -> None:
    assert {len(gzip.decompress(page.body)) % 2 for page in pages.values()} == {0, 1}, "not both kinds of splicing"
    for path, page in pages.items():
        plain = gzip.decompress(page.body)
        assert any(mark.encode() in page.body for mark in MARKS), path
        assert len(page.body) < len(plain) * 0.6, path


def test_httpx(origin: Server, pages: dict[str, Answer]) -> None:
    with httpx.Client(base_url=origin.url, headers=PACKED, trust_env=False) as client:
        told = {path: client.get(path) for path in pages}
    assert wrong({path: (answer.headers[SEAL], seal(answer.content)) for path, answer in told.items()}, pages) == []


def test_curl(origin: Server, pages: dict[str, Answer], tmp_path: Path) -> None:
    curl = need_program("curl")
    files = {path: tmp_path / f"{number}.html" for number, path in enumerate(pages)}
    lines = [f'url = "{origin.url}{path}"\noutput = "{file}"' for path, file in files.items()]
    options = [f'user-agent = "{CHROME["user-agent"]}"', 'header = "Accept: text/html"', "compressed", "silent", "fail"]
    (tmp_path / "config").write_text("\n".join([*options, f'write-out = "%header{{{SEAL}}}\\n"', *lines]))
    done = subprocess.run(
        [curl, "--config", tmp_path / "config"], env=environment(), capture_output=True, text=True, check=True
    )
    seals = done.stdout.split()
    told = {path: (told, seal(file.read_bytes())) for (path, file), told in zip(files.items(), seals, strict=True)}
    assert wrong(told, pages) == []


NODE = """
const http = require('http'), zlib = require('zlib'), {createHash} = require('crypto');
const {base, paths, headers, name} = JSON.parse(require('fs').readFileSync(0));
const hash = (data) => createHash('sha256').update(data).digest('hex');
const raw = (path) => new Promise((done, fail) => http.get(base + path, {headers}, (answer) => {
  const packed = [], plain = [], gunzip = answer.pipe(zlib.createGunzip());
  answer.on('data', (chunk) => packed.push(chunk));
  gunzip.on('data', (chunk) => plain.push(chunk)).on('error', fail);
  gunzip.on('end', () => done([answer.headers[name], hash(zlib.gunzipSync(Buffer.concat(packed))),
    hash(Buffer.concat(plain))]));
}).on('error', fail));
(async () => {
  const told = {};
  for (const path of paths) {
    const answer = await fetch(base + path, {headers});
    told[path] = [answer.headers.get(name), hash(Buffer.from(await answer.arrayBuffer())), ...await raw(path)];
  }
  console.log(JSON.stringify(told));
})();
"""


def test_node(origin: Server, pages: dict[str, Answer]) -> None:
    """Its zlib in one go and as a stream, and its fetch."""
    asked = {"base": origin.url, "paths": [*pages], "headers": PACKED, "name": SEAL}
    done = subprocess.run(
        [need_program("node"), "-e", NODE],
        input=json.dumps(asked),
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout)
    assert wrong({path: (one, two) for path, (one, two, *_) in told.items()}, pages) == []
    assert wrong({path: (three, four) for path, (_, _, three, four, _) in told.items()}, pages) == []
    assert wrong({path: (three, five) for path, (_, _, three, _, five) in told.items()}, pages) == []


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = find_browser()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGS)
        yield browser
        browser.close()


def test_chromium(chromium: Browser, origin: Server, pages: dict[str, Answer]) -> None:
    """What its network stack decodes, and what its parser gets to see."""
    context = chromium.new_context(bypass_csp=True, user_agent=CHROME["user-agent"])
    page = context.new_page()
    for path in [*pages][:3]:
        answer = page.goto(origin.url + path)
        assert answer is not None
        assert answer.headers["content-encoding"] == "gzip"
        assert seal(answer.body()) == answer.headers[SEAL]
        assert page.locator("footer").last.is_visible()
    told = page.evaluate(
        """async ([paths, name]) => {
          const told = {}, hex = (byte) => byte.toString(16).padStart(2, '0');
          for (const path of paths) {
            const answer = await fetch(path, {cache: 'no-store'});
            const hash = await crypto.subtle.digest('SHA-256', await answer.arrayBuffer());
            told[path] = [answer.headers.get(name), [...new Uint8Array(hash)].map(hex).join('')];
          }
          return told;
        }""",
        [[*pages], SEAL],
    )
    context.close()
    assert wrong({path: tuple(pair) for path, pair in told.items()}, pages) == []


# -- caches in front -------------------------------------------------------------------------------------------


NGINX = """
{user} worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  proxy_cache_path {folder}/cache keys_zone=pages:1m;
  server {{
    listen {host}:{port};
    location / {{
      proxy_pass {origin};
      proxy_http_version 1.1;
      proxy_cache pages;
      proxy_cache_valid 200 10m;
      proxy_ignore_headers Cache-Control Expires Set-Cookie;
      add_header X-Cache $upstream_cache_status;
      {more}
    }}
  }}
}}
"""
GUNZIP = "gunzip on; proxy_set_header Accept-Encoding gzip; proxy_ignore_headers Cache-Control Expires Set-Cookie Vary;"

VARNISH = """
vcl 4.1;
backend origin {{ .host = "{host}"; .port = "{port}"; }}
sub vcl_recv {{ unset req.http.cookie; return (hash); }}
sub vcl_hash {{ hash_data(req.url); hash_data(req.http.x-unpacked); return (lookup); }}
sub vcl_backend_response {{
  unset beresp.http.set-cookie;
  set beresp.ttl = 10m;
  set beresp.uncacheable = false;
  set beresp.do_gunzip = bereq.http.x-unpacked == "yes";
  return (deliver);
}}
sub vcl_deliver {{ if (obj.hits > 0) {{ set resp.http.x-cache = "HIT"; }} else {{ set resp.http.x-cache = "MISS"; }} }}
"""


@contextmanager
def nginx(folder: Path, origin: Server, more: str) -> Iterator[Server]:
    """An nginx with a cache in front of the site."""
    program = need_program("nginx")
    config = folder / "nginx.conf"
    # Started by root it would give its workers to somebody who may not enter the folder.
    user = "user root;" if os.geteuid() == 0 else ""

    def command(port: int) -> list[str]:
        told = {"folder": folder, "host": HOST, "port": port, "origin": origin.url, "more": more, "user": user}
        config.write_text(NGINX.format(**told))
        return [program, "-p", str(folder), "-c", str(config), "-e", str(folder / "log"), "-g", "daemon off;"]

    with serving(command, folder / "log", ready=NO_PAGE) as server:
        yield server


@pytest.fixture(scope="module")
def nginx_plain(tmp_path_factory: pytest.TempPathFactory, origin: Server) -> Iterator[Server]:
    """An nginx that knows of no gunzip."""
    with nginx(tmp_path_factory.mktemp("nginx"), origin, "") as server:
        yield server


@pytest.fixture(scope="module")
def nginx_gunzip(tmp_path_factory: pytest.TempPathFactory, origin: Server) -> Iterator[Server]:
    """An nginx that keeps the gzip alone and unpacks it for who cannot."""
    with nginx(tmp_path_factory.mktemp("nginx"), origin, GUNZIP) as server:
        yield server


@pytest.fixture(scope="module")
def varnish(tmp_path_factory: pytest.TempPathFactory, origin: Server) -> Iterator[Server]:
    """A Varnish in front of the site. It keeps the gzip, and with ``X-Unpacked: yes`` what is in it."""
    program = need_program("varnishd")
    folder = tmp_path_factory.mktemp("varnish")
    config = folder / "site.vcl"
    config.write_text(VARNISH.format(host=HOST, port=origin.port))

    def command(port: int) -> list[str]:
        listen = ["-a", f"{HOST}:{port}", "-T", "none", "-f", str(config)]
        return [program, "-F", "-j", "none", "-n", str(folder / "work"), "-s", "malloc,32m", *listen]

    with serving(command, folder / "log", ready=NO_PAGE) as server:
        yield server


def through(server: Server, pages: Mapping[str, Answer], headers: Headers, *, coding: str, cache: str) -> None:
    """Every page through a cache: found in it or not as told, coded as told, and the same to the byte."""
    with asking(server, headers) as get:
        for path in pages:
            answer = get(path)
            assert answer.status == 200, path
            assert answer.headers["x-cache"] == cache, path
            assert answer.headers.get("content-encoding", "") == coding, path
            plain = gzip.decompress(answer.body) if coding else answer.body
            assert seal(plain) == answer.headers[SEAL], path


def test_nginx(nginx_plain: Server, pages: dict[str, Answer]) -> None:
    through(nginx_plain, pages, PACKED, coding="gzip", cache="MISS")
    through(nginx_plain, pages, PACKED, coding="gzip", cache="HIT")
    through(nginx_plain, pages, PLAIN, coding="", cache="MISS")
    through(nginx_plain, pages, PLAIN, coding="", cache="HIT")


def test_nginx_gunzip(nginx_gunzip: Server, pages: dict[str, Answer]) -> None:
    through(nginx_gunzip, pages, PLAIN, coding="", cache="MISS")
    through(nginx_gunzip, pages, PLAIN, coding="", cache="HIT")
    through(nginx_gunzip, pages, PACKED, coding="gzip", cache="HIT")


def test_varnish(varnish: Server, pages: dict[str, Answer]) -> None:
    through(varnish, pages, PACKED, coding="gzip", cache="MISS")
    through(varnish, pages, PACKED, coding="gzip", cache="HIT")
    through(varnish, pages, PLAIN, coding="", cache="HIT")


def test_varnish_that_unpacks_before_it_keeps(varnish: Server, pages: dict[str, Answer]) -> None:
    unpacked = {"x-unpacked": "yes"}
    through(varnish, pages, {**PACKED, **unpacked}, coding="", cache="MISS")
    through(varnish, pages, {**PLAIN, **unpacked}, coding="", cache="HIT")
