"""Real servers as subprocesses of a test, and the plainest clients there are.

A server runs in a session of its own, so its process id names the whole family: whatever it started is known by that id
and goes with it. Nothing is ever ended by a name.
"""

from __future__ import annotations

import base64
import http.client
import importlib.util
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, TypeVar
from urllib.parse import urlsplit

import pytest

T = TypeVar("T")

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"
PATIENCE = 30.0
"""Seconds that a server may take to answer, on the slowest machine."""

COMMANDS: Mapping[str, Callable[[str, str], list[str]]] = {
    "uvicorn": lambda app, port: [app, "--host", HOST, "--port", port, "--log-level", "warning"],
    "hypercorn": lambda app, port: [app, "--bind", f"{HOST}:{port}"],
    "granian": lambda app, port: [app, "--host", HOST, "--port", port],
}


@dataclass(frozen=True)
class Server:
    """A server that answers at ``url``."""

    url: str
    process: subprocess.Popen[bytes] = field(repr=False)
    log: Path

    @property
    def port(self) -> int:
        """The port it listens on."""
        return urlsplit(self.url).port or 80

    def connect(self) -> http.client.HTTPConnection:
        """A connection of its own."""
        return http.client.HTTPConnection(HOST, self.port, timeout=20)


@dataclass(frozen=True)
class Answer:
    """One response, with lower-case header names."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


# -- what must be installed ------------------------------------------------------------------------------------


def missing(what: str) -> NoReturn:
    """Say that ``what`` is missing: a failure where tests must run, a skip on anybody's own machine."""
    reason = f"{what} is not installed"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def need_module(name: str) -> None:
    """Go on only with the Python package ``name``."""
    if importlib.util.find_spec(name) is None:
        missing(f"the Python package {name}")


def need_program(name: str) -> str:
    """Where the program ``name`` is."""
    return shutil.which(name) or missing(f"the program {name}")


# -- starting and stopping -------------------------------------------------------------------------------------


def environment(**extra: str) -> dict[str, str]:
    """This process's environment, fit for a child that talks to nobody but this machine."""
    kept = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy") and "CONTENTGUARD_" not in k}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "LC_ALL": "C.UTF-8", **extra}


def server_command(package: str, app: str, *options: str) -> Callable[[int], list[str]]:
    """How to start ``app`` with one of the servers on a given port."""
    need_module(package)
    return lambda port: [sys.executable, "-m", package, *COMMANDS[package](app, str(port)), *options]


@contextmanager
def serving(command: Callable[[int], Sequence[str]], log: Path, *, ready: str = "/", **extra: str) -> Iterator[Server]:
    """A running server that answers ``ready`` with 200; gone, with all it started, at the end."""
    for attempt in range(3):
        port = free_port()
        with family(command(port), log, **extra) as process:
            if answers(process, port, ready):
                yield Server(f"http://{HOST}:{port}", process, log)
                return
        # Between our look and its start somebody else may have taken the port: then try another.
        said = log.read_text("utf-8", "replace")
        if attempt == 2 or "in use" not in said.lower():
            raise AssertionError(f"the server does not answer; it said:\n{said}")


@contextmanager
def news(log: Path, *options: str) -> Iterator[Server]:
    """The example news server, at the address that its start-up line names."""
    command = [sys.executable, "-m", "examples.news", "--port", "0", "--database", f"{log}.sqlite3", *options]
    with family(command, log) as process:
        greeting = _until(lambda: re.search(rf" on (http://{HOST}:\d+) \(", log.read_text("utf-8")), process)
        assert greeting, f"no address in:\n{log.read_text('utf-8')}"
        server = Server(greeting[1], process, log)
        assert answers(process, server.port, "/")
        yield server


@contextmanager
def family(command: Sequence[str], log: Path, **extra: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process and all it starts; none of them outlives the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(**extra),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes], patience: float = 5.0) -> None:
    """End a process that leads its session, and then whoever of its family is left."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(patience)
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None or relatives(process.pid):
        assert time.monotonic() < deadline, f"these do not end: {relatives(process.pid)}"
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.05)


def relatives(leader: int) -> list[int]:
    """The processes of the group that ``leader`` leads or led; what is dead and not yet buried does not count."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,pgid=,stat="], capture_output=True, text=True, check=True)
    rows = (line.split() for line in listed.stdout.splitlines())
    return [int(pid) for pid, group, stat, *_ in rows if int(group) == leader and not stat.startswith("Z")]


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


def answers(process: subprocess.Popen[bytes], port: int, path: str, certificate: Path | None = None) -> bool:
    """Whether a server that is starting answers ``path`` with 200 before patience ends; by https with a certificate."""

    def ask_once() -> bool:
        if certificate is None:
            connection = http.client.HTTPConnection(HOST, port, timeout=5)
        else:
            trusted = ssl.create_default_context(cafile=certificate)
            connection = http.client.HTTPSConnection(HOST, port, timeout=5, context=trusted)
        try:
            return ask(connection, path).status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return bool(_until(ask_once, process))


def _until(found: Callable[[], T], process: subprocess.Popen[bytes]) -> T | None:
    """What ``found`` gives once it gives something; None when the process ends or patience does."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        if value := found():
            return value
        time.sleep(0.05)
    return None


# -- clients ---------------------------------------------------------------------------------------------------


def ask(
    connection: http.client.HTTPConnection, path: str, headers: Mapping[str, str] | None = None, method: str = "GET"
) -> Answer:
    """One request on a connection that stays open if the server lets it."""
    connection.request(method, path, headers={"accept-encoding": "identity", **(headers or {})})
    with connection.getresponse() as response:
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())


def fetch(server: Server, path: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> Answer:
    """One request on a connection of its own."""
    connection = server.connect()
    try:
        return ask(connection, path, headers, method)
    finally:
        connection.close()


def websocket_echo(server: Server, path: str, text: str, headers: Mapping[str, str] | None = None) -> str:
    """Open a websocket, say ``text`` (short) and return the answer: RFC 6455 by hand."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {HOST}:{server.port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
    ]
    with socket.create_connection((HOST, server.port), timeout=20) as line, line.makefile("rb") as incoming:
        line.sendall("\r\n".join([*lines, "", ""]).encode())
        status = incoming.readline().decode()
        assert " 101 " in status, status
        while incoming.readline().strip():
            pass
        said, mask = text.encode(), os.urandom(4)
        masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(said))
        line.sendall(bytes([0x81, 0x80 | len(said)]) + mask + masked)
        kind, length = incoming.read(2)
        assert (kind, length < 126) == (0x81, True)
        return incoming.read(length).decode()
