"""The guard on real servers: what leaves through a socket is what left in process."""

from __future__ import annotations

import importlib
import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.client import CHROME, CURL, FACEBOOK, GPTBOT
from tests.servers.apps import ARTICLE, FRONT, PARAGRAPHS
from tests.servers.harness import (
    COMMANDS,
    HOST,
    Server,
    ask,
    environment,
    family,
    fetch,
    relatives,
    server_command,
    serving,
    stop,
    websocket_echo,
)

STORY = ARTICLE.split("<article>")[1].split("</article>")[0]


def holds_no_paragraph(text: str) -> bool:
    return not any(f"Paragraph {number}" in text for number in range(1, len(PARAGRAPHS) + 1))


def is_guarded(server: Server, path: str = "/article", *, streamed: bool = False) -> None:
    """A reader gets the whole article with the box, curl none of it."""
    page = fetch(server, path, CHROME)
    assert page.status == 200
    assert STORY in page.text
    assert "Share your love" in page.text
    if streamed:
        assert "content-length" not in page.headers
    else:
        assert int(page.headers["content-length"]) == len(page.body)
    refused = fetch(server, path, CURL)
    assert refused.status == 403
    assert holds_no_paragraph(refused.text)


# -- articles --------------------------------------------------------------------------------------------------


def test_an_article_is_guarded(server: Server) -> None:
    is_guarded(server)


def test_a_refusal_is_a_problem_document(server: Server) -> None:
    refused = fetch(server, "/article", CURL)
    assert refused.status == 403
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["cache-control"] == "no-store"
    assert int(refused.headers["content-length"]) == len(refused.body)
    assert json.loads(refused.body)["status"] == 403


def test_a_person_is_refused_with_a_page(server: Server) -> None:
    refused = fetch(server, "/article", {**CHROME, "user-agent": "Scrapy/2.12 (+https://scrapy.org)"})
    assert refused.status == 403
    assert refused.headers["content-type"] == "text/html; charset=utf-8"
    assert "Unauthorized Content Copy Is Not Allowed" in refused.text


def test_a_robot_denied_everywhere_and_one_that_gets_the_head(server: Server) -> None:
    assert fetch(server, "/", GPTBOT).status == 403
    preview = fetch(server, "/article", FACEBOOK)
    assert preview.status == 200
    assert 'property="og:title" content="Tide and time"' in preview.text
    assert holds_no_paragraph(preview.text)
    assert int(preview.headers["content-length"]) == len(preview.body)


def test_an_article_in_pieces_is_guarded_as_one(server: Server) -> None:
    is_guarded(server, "/streamed", streamed=True)


def test_header_names_in_capitals_change_nothing(server: Server) -> None:
    is_guarded(server, "/shouting")
    page = fetch(server, "/shouting", CHROME)
    assert page.headers["etag"].startswith('W/"cg-')
    assert "x-contentguard" not in page.headers


@pytest.mark.parametrize("name", ["user-agent", "User-Agent", "USER-AGENT", "uSER-aGENT"])
def test_the_user_agent_is_found_however_it_is_written(server: Server, name: str) -> None:
    # Spoken by hand: client libraries have their own opinion of the case of names.
    request = f"GET /article HTTP/1.1\r\nhost: {HOST}\r\n{name}: curl/8.5.0\r\nConnection: close\r\n\r\n"
    with socket.create_connection((HOST, server.port), timeout=20) as line:
        line.sendall(request.encode())
        answer = b"".join(iter(lambda: line.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 403")
    assert holds_no_paragraph(answer.decode())


# -- own routes ------------------------------------------------------------------------------------------------


def test_the_page_names_its_own_files_and_they_are_served(server: Server) -> None:
    page = fetch(server, "/article", CHROME)
    named = re.findall(r'(?:href|src)="(/\.contentguard/[^"]+)"', page.text)
    files = {file for file in named if "/more/" not in file}
    assert {Path(file).suffix for file in files} == {".js", ".css"}
    for file in files:
        plain = fetch(server, file, CHROME)
        packed = fetch(server, file, {**CHROME, "accept-encoding": "gzip"})
        assert plain.status == packed.status == 200
        assert ("immutable" in plain.headers["cache-control"]) is ("print" not in file)
        assert plain.headers["content-type"].startswith(("text/javascript", "text/css"))
        assert packed.headers["content-encoding"] == "gzip"
        assert len(packed.body) < len(plain.body)
        assert int(packed.headers["content-length"]) == len(packed.body)
    assert fetch(server, "/.contentguard/nothing", CHROME).status == 404


def test_robots_txt_is_served_to_everybody(server: Server) -> None:
    for who in (CHROME, CURL, GPTBOT):
        robots = fetch(server, "/robots.txt", who)
        assert robots.status == 200
        assert robots.headers["content-type"].startswith("text/plain")
        assert "User-agent: GPTBot" in robots.text


# -- what passes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", [CHROME, CURL])
def test_a_page_without_an_article_is_untouched(server: Server, who: dict[str, str]) -> None:
    assert fetch(server, "/", who).body == FRONT.encode()


@pytest.mark.parametrize("who", [CHROME, CURL])
def test_a_large_download_is_untouched(server: Server, download: Path, who: dict[str, str]) -> None:
    whole = download.read_bytes()
    answer = fetch(server, "/download", who)
    assert answer.status == 200
    assert answer.body == whole
    assert int(answer.headers["content-length"]) == len(whole)
    assert answer.headers["etag"]
    part = fetch(server, "/download", {**who, "range": "bytes=1000000-1999999"})
    assert part.status == 206
    assert part.body == whole[1_000_000:2_000_000]


def test_a_websocket_passes(server: Server) -> None:
    assert websocket_echo(server, "/echo", "ahoy – Zoë") == "echo: ahoy – Zoë"
    assert websocket_echo(server, "/echo", "ahoy", {"User-Agent": "curl/8.5.0"}) == "echo: ahoy"


def test_an_event_is_not_held_back(server: Server) -> None:
    connection = server.connect()
    try:
        # The app waits until the gate is opened: what is read before cannot have waited for what comes after.
        connection.request("GET", f"/events?gate={server.port}", headers=CHROME)
        with connection.getresponse() as response:
            assert response.status == 200
            assert response.readline() == b"data: first\n"
            assert fetch(server, f"/open?gate={server.port}", CHROME).status == 204
            assert response.read() == b"\ndata: second\n\n"
    finally:
        connection.close()


# -- connections -----------------------------------------------------------------------------------------------


def test_head_answers_without_a_body(server: Server) -> None:
    connection = server.connect()
    try:
        head = ask(connection, "/article", CHROME, "HEAD")
        assert (head.status, head.body) == (200, b"")
        assert head.headers["content-type"] == "text/html; charset=utf-8"
        page = ask(connection, "/article", CHROME)  # a stray body would be read as this answer
        assert STORY in page.text
        refused = ask(connection, "/article", GPTBOT, "HEAD")
        assert (refused.status, refused.body) == (403, b"")
        assert ask(connection, "/robots.txt", GPTBOT, "HEAD").status == 200
        assert ask(connection, "/robots.txt", GPTBOT).body
    finally:
        connection.close()


def test_head_tells_no_length_but_the_pages_own(server: Server) -> None:
    length = str(len(fetch(server, "/article", CHROME).body))
    assert fetch(server, "/article", CHROME, "HEAD").headers.get("content-length", length) == length


def test_a_connection_carries_many_requests(server: Server) -> None:
    connection = server.connect()
    try:
        assert STORY in ask(connection, "/article", CHROME).text
        line = connection.sock
        assert ask(connection, "/article", CURL).status == 403
        assert STORY in ask(connection, "/streamed", CHROME).text
        assert ask(connection, "/", GPTBOT).status == 403
        assert ask(connection, "/", CHROME).body == FRONT.encode()
        assert connection.sock is line, "the server hung up"
    finally:
        connection.close()


# -- lifespan --------------------------------------------------------------------------------------------------


def test_the_apps_lifespan_runs_through_the_guard(server: Server) -> None:
    assert json.loads(fetch(server, "/state", CURL).body) == {"started": True}


def test_all_works_without_a_lifespan(lifeless: Server) -> None:
    assert json.loads(fetch(lifeless, "/state", CURL).body) == {"started": False}
    is_guarded(lifeless)
    assert websocket_echo(lifeless, "/echo", "ahoy") == "echo: ahoy"


# -- the examples ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "story"),
    [("minimal", "/"), ("fastapi_app", "/news/lighthouse"), ("django_app", "/news/library")],
)
def test_an_example_runs_as_its_docstring_says(module: str, story: str, tmp_path: Path) -> None:
    doc = importlib.import_module(f"examples.{module}").__doc__ or ""
    told = re.search(r"^    uvicorn (\S+)$", doc, re.MULTILINE)
    assert told, doc
    with serving(server_command("uvicorn", told[1]), tmp_path / "log", ready="/robots.txt") as server:
        page = fetch(server, story, CHROME)
        assert page.status == 200
        assert "Share your love" in page.text
        assert fetch(server, story, CURL).status == 403
        assert "no secret_key is configured" in server.log.read_text()


# -- the harness itself ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("package", COMMANDS)
def test_a_server_leaves_no_process_behind(package: str, tmp_path: Path) -> None:
    options = ("--interface", "asgi") if package == "granian" else ()
    with serving(server_command(package, "tests.servers.apps:app", *options), tmp_path / "log") as server:
        leader = server.process.pid
        assert leader in relatives(leader)
        if package == "granian":
            assert len(relatives(leader)) > 1, "granian works in a child"
    assert relatives(leader) == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, server.port), timeout=5)


def test_a_family_that_will_not_go_is_ended(tmp_path: Path) -> None:
    deaf = "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); "
    child = [sys.executable, "-c", deaf + "time.sleep(600)"]
    parent = deaf + f"import subprocess; subprocess.run({child!r})"
    with family([sys.executable, "-c", parent], tmp_path / "log") as process:
        while (tmp_path / "log").read_text().count("up") < 2:
            assert process.poll() is None
        assert len(relatives(process.pid)) == 2
        stop(process, patience=0.1)
        assert process.returncode == -signal.SIGKILL
        assert relatives(process.pid) == []


def test_an_orphan_is_ended_too(tmp_path: Path) -> None:
    child = [sys.executable, "-c", "import time; time.sleep(600)"]
    parent = f"import subprocess; subprocess.Popen({child!r})"
    with family([sys.executable, "-c", parent], tmp_path / "log") as process:
        assert process.wait(20) == 0
        assert len(relatives(process.pid)) == 1
    assert relatives(process.pid) == []


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    command = server_command("uvicorn", "tests.servers.apps:nothing")
    with (
        pytest.raises(AssertionError, match='Attribute "nothing" not found'),
        serving(command, tmp_path / "log"),
    ):
        pass


def test_a_child_hears_of_no_proxy_and_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("CONTENTGUARD_SITE", "Another")
    names = subprocess.run(
        [sys.executable, "-c", "import os; print(*os.environ)"],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "PROXY" not in names
    assert "CONTENTGUARD_" not in names
