"""The form guard against programs that do not run the page, on a real server; and a person in a text browser.

*Stopped* is what is neither published nor put before a moderator. The site's filter has learned nothing and holds no
comment by itself, so whatever is stopped is stopped by the form.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.servers import commented
from tests.servers.harness import HOST, Server, ask, environment, fetch, need_program, server_command, serving, stop
from tests.servers.posters import ATTACKS, CLIENTS, Inputs, client, said, with_scrapy

THROUGH = ("approve", "hold")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(
        server_command("uvicorn", "tests.servers.commented:app"), tmp_path_factory.mktemp("site") / "log"
    ) as server:
        yield server


def record(site: Server) -> list[dict[str, Any]]:
    """What became of all comments so far."""
    found: list[dict[str, Any]] = json.loads(fetch(site, "/record").text)
    return found


def test_scripts_do_not_get_through(site: Server, tmp_path: Path) -> None:
    """Each attack by each client, as it comes and in Chrome's clothes: at least 99 of 100 posts are stopped."""
    url = site.url + commented.ARTICLE
    work: list[Callable[[], list[str]]] = []
    for number, (kind, attack, dressed) in enumerate(product(CLIENTS, ATTACKS, (False, True))):
        name, address = f"{kind}-{attack}-{dressed}", f"127.0.1.{number + 1}"

        def run(
            kind: str = kind, attack: str = attack, dressed: bool = dressed, name: str = name, at: str = address
        ) -> list[str]:
            with client(kind, at, dressed, tmp_path / name) as made:
                return ATTACKS[attack](made, url, name)

        work.append(run)
    for number, (dressed, delay) in enumerate(product((False, True), (0.0, 4.0))):
        name = f"scrapy-{dressed}-{delay}"
        arguments = url, f"127.0.2.{number + 1}", dressed, name, tmp_path / name, delay
        work.append(lambda arguments=arguments: with_scrapy(*arguments))  # type: ignore[misc]
    with ThreadPoolExecutor(8) as pool:
        posted = [name for names in pool.map(lambda run: run(), work) for name in names]
    told = [one for one in record(site) if one["author"] in set(posted)]
    assert Counter(one["author"] for one in told) == Counter(posted), "every post arrived"
    assert len(posted) >= 100
    through = [(one["author"], one["why"]) for one in told if one["action"] in THROUGH]
    assert len(through) <= 0.01 * len(posted), through
    # And each was stopped by what it is there for.
    why = {one["author"]: one["action"] for one in told}
    assert why["requests-blind-False"] == why["curl-patient-True"] == why["aiohttp-patient-True"] == "refused"
    assert why["httpx-at-once-False"] == "spam"
    assert why["requests-everything-True"] == "spam"


def test_a_person_presses_twice_without_a_browser_s_ways(site: Server) -> None:
    """What lynx sends, with everything that it shows typed again: the second press goes through."""
    headers = {"user-agent": "Lynx/2.9.0 libwww-FM/2.14", "accept": "text/html"}
    posts = {**headers, "content-type": "application/x-www-form-urlencoded"}
    connection = http.client.HTTPConnection(HOST, site.port, timeout=20, source_address=("127.0.3.1", 0))
    typed = {**said("lynx-by-hand"), "comment": "My aunt worked on that ferry, and said the winters were the worst."}
    form = Inputs(ask(connection, commented.ARTICLE, headers).text)
    time.sleep(3.1)
    for wanted in (403, 303):
        connection.request("POST", commented.ARTICLE, urlencode({**form.hidden, **form.shown, **typed}), posts)
        with connection.getresponse() as response:
            assert response.status == wanted
            page = response.read().decode()
        if wanted == 403:
            assert "Please press “Post Comment” once more." in page
            form = Inputs(page)
            shown = {name: form.shown[name] for name in commented.FIELDS}
            assert shown == {name: typed[name] for name in commented.FIELDS}, "nothing has to be typed again"
    connection.close()
    assert record_of(site, "lynx-by-hand") == ["refused", "approve"]


def test_lynx(site: Server) -> None:
    """Real lynx in a terminal, by its own keys: the form is filled in and sent, and the button pressed once more."""
    lynx = need_program("lynx")
    url = site.url + commented.ARTICLE
    with Terminal([lynx, "-accept_all_cookies", "-nopause", url]) as terminal:
        # lynx knows no dialog, and shows what to do.
        assert terminal.shows("Leave this field empty"), terminal.screen
        time.sleep(3.1)
        for text in ("The mill turns at high tide.", "lynx", "lynx@example.org"):
            terminal.press(text + "\t")
        assert record_of(site, "lynx") == []
        terminal.go("submit button")
        terminal.press("\r")
        assert terminal.shows("Please press"), terminal.screen
        terminal.go("submit button")
        terminal.press("\r")
        assert terminal.shows("Thank you."), terminal.screen
    assert record_of(site, "lynx") == ["refused", "approve"]


def record_of(site: Server, author: str) -> list[str]:
    """What became of one author's posts."""
    return [one["action"] for one in record(site) if one["author"] == author]


class Terminal:
    """A program in a terminal of 100 by 150, so that a page is seen whole."""

    def __init__(self, command: list[str]) -> None:
        self._command, self.screen = command, ""

    def __enter__(self) -> Terminal:
        self._own, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 150, 100, 0, 0))
        # Workers of the tests say another size in their environment, which curses believes rather than the terminal.
        env = environment(TERM="vt100", LINES="150", COLUMNS="100")
        self._process = subprocess.Popen(
            self._command, stdin=other, stdout=other, stderr=other, env=env, start_new_session=True
        )
        os.close(other)
        return self

    def __exit__(self, *_why: object) -> None:
        stop(self._process)
        os.close(self._own)

    def press(self, keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            os.write(self._own, key.encode())
            self._read(0.02)

    def go(self, where: str) -> None:
        """Press Tab until the line at the bottom says that this is a field of such a kind."""
        for _ in range(20):
            self.screen = ""
            self.press("\t")
            self._read(0.2)
            if where in self.screen:
                return
        raise AssertionError(self.screen)

    def shows(self, text: str) -> bool:
        """Whether a text appears, now or before long."""
        deadline = time.monotonic() + 40.0
        while text not in self.screen and time.monotonic() < deadline:
            self._read(0.1)
        return text in self.screen

    def _read(self, seconds: float) -> None:
        while select.select([self._own], [], [], seconds)[0]:
            self.screen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", os.read(self._own, 65536).decode("utf-8", "replace"))
