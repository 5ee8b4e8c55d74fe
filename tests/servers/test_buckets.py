"""Copies for shared caches behind the nginx and the Varnish of ``examples/caches``, which differ in addresses only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.client import CHROME
from tests.servers.harness import HOST, ROOT, Answer, Server, ask, need_program, server_command, serving

EXAMPLES = ROOT / "examples" / "caches"
NO_PAGE = "/.contentguard/none"
NGINX = """
{user} worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  {site}
}}
"""
SAID = "x-contentguard-bucket"


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The site itself."""
    command = server_command("uvicorn", "tests.servers.bucketed:app")
    with serving(command, tmp_path_factory.mktemp("origin") / "log", ready="/news/ready") as server:
        yield server


@contextmanager
def nginx(folder: Path, origin: Server) -> Iterator[Server]:
    program, config = need_program("nginx"), folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""

    def command(port: int) -> list[str]:
        site = (EXAMPLES / "nginx.conf").read_text().replace("/var/cache/nginx", str(folder))
        site = site.replace("127.0.0.1:8000", f"{HOST}:{origin.port}").replace("127.0.0.1:8080", f"{HOST}:{port}")
        config.write_text(NGINX.format(user=user, folder=folder, site=site))
        return [program, "-p", str(folder), "-c", str(config), "-e", str(folder / "log"), "-g", "daemon off;"]

    with serving(command, folder / "log", ready="/news/ready") as server:
        yield server


@contextmanager
def varnish(folder: Path, origin: Server) -> Iterator[Server]:
    program, config = need_program("varnishd"), folder / "site.vcl"
    site = (EXAMPLES / "site.vcl").read_text()
    config.write_text(site.replace('"127.0.0.1"; .port = "8000"', f'"{HOST}"; .port = "{origin.port}"'))

    def command(port: int) -> list[str]:
        listen = ["-a", f"{HOST}:{port}", "-T", "none", "-f", str(config)]
        return [program, "-F", "-j", "none", "-n", str(folder / "work"), "-s", "malloc,32m", *listen]

    with serving(command, folder / "log", ready="/news/ready") as server:
        yield server


@pytest.fixture(scope="module", params=[nginx, varnish], ids=["nginx", "varnish"])
def cache(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, origin: Server) -> Iterator[Server]:
    """One of the two in front of it."""
    with request.param(tmp_path_factory.mktemp("cache"), origin) as server:
        yield server


def get(server: Server, path: str, **headers: str) -> Answer:
    connection = server.connect()
    try:
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        return ask(connection, path, {**CHROME, "accept-encoding": "identity", **told})
    finally:
        connection.close()


def reader(server: Server, path: str) -> str:
    """The cookie of somebody who has opened a page."""
    answer = get(server, path)
    assert answer.status == 200
    assert SAID not in answer.headers
    assert answer.headers["x-cache"] != "HIT"
    return answer.headers["set-cookie"].partition(";")[0]


def test_readers_get_their_bucket_s_copy_out_of_the_cache(cache: Server) -> None:
    bodies: dict[str, bytes] = {}
    for _ in range(12):
        cookie = reader(cache, "/news/tide")
        first = get(cache, "/news/tide", cookie=cookie)
        own = first.headers[SAID]
        # Whoever else is in this bucket has filled the cache for all of them.
        assert first.headers["x-cache"] == ("HIT" if own in bodies else "MISS")
        again = get(cache, "/news/tide", cookie=cookie)
        assert (again.headers["x-cache"], again.headers[SAID]) == ("HIT", own)
        assert first.body == again.body == bodies.setdefault(own, again.body)
        assert "set-cookie" not in again.headers
    assert 2 < len(bodies) == len(set(bodies.values()))


def test_a_reader_s_buckets_differ_from_article_to_article(cache: Server) -> None:
    paths = [f"/news/{number}" for number in range(8)]
    cookies = [reader(cache, path) for path in paths]
    told = {get(cache, path, cookie=cookies[0]).headers[SAID] for path in paths}
    assert len(told) > 2


def test_a_number_that_a_client_sends_is_not_believed(cache: Server) -> None:
    cookie = reader(cache, "/news/lamp")
    own = get(cache, "/news/lamp", cookie=cookie).headers[SAID]
    wrong = str((int(own) + 1) % 16)
    assert get(cache, "/news/lamp", cookie=cookie, x_contentguard_bucket=wrong).headers[SAID] == own
    assert SAID not in get(cache, "/news/lamp", x_contentguard_bucket=own).headers
    forged = "contentguard=" + "A" * 60
    assert SAID not in get(cache, "/news/lamp", cookie=forged, x_contentguard_bucket=own).headers


def test_nobody_s_own_copy_is_kept(cache: Server) -> None:
    copies = [get(cache, "/news/quay") for _ in range(4)]
    assert len({copy.body for copy in copies}) == 4
    assert len({copy.headers["set-cookie"] for copy in copies}) == 4
    assert "private" in copies[0].headers["cache-control"]


def test_other_requests_pass(cache: Server) -> None:
    assert get(cache, NO_PAGE).status == 404
    cookie = reader(cache, "/news/rope")
    assert get(cache, NO_PAGE, cookie=cookie).status == 404
