"""A real redis-server of a test's own, which can be stopped, continued, killed and started again on the same port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.harness import HOST, PATIENCE, ROOT, environment, free_port, need_module, need_program, stop


class RedisServer:
    """A redis-server that keeps nothing on disk, in ``folder``."""

    def __init__(self, folder: Path, *options: str) -> None:
        need_module("redis")
        self._program = need_program("redis-server")
        self._folder, self._options = folder, options
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.url = f"redis://{HOST}:{self.port}/0"

    def start(self, *more: str, wait: bool = True) -> None:
        """Start it, empty; return when it answers."""
        for attempt in range(3):
            self._launch(more)
            if not wait or self._answers():
                return
            # Between our look and its start somebody else may have taken the port.
            assert attempt < 2, f"redis-server does not answer; it said:\n{self.said}"
            self.end()

    def end(self) -> None:
        """End it, whatever it is doing."""
        if self._process is not None:
            self.resume()
            stop(self._process)
            self._process = None

    def kill(self) -> None:
        """What the machine's lack of memory would do to it."""
        self._signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait(PATIENCE)
        self._process = None

    def pause(self) -> None:
        """Let it hang: connections stand, and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def say(self, *words: str) -> bytes:
        """Its answer to one command, as it stands on the wire."""
        with socket.create_connection((HOST, self.port), timeout=5) as line:
            parts = [word.encode() for word in words]
            line.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
            return line.recv(65536)

    @property
    def said(self) -> str:
        """Its log."""
        return (self._folder / "log").read_text("utf-8", "replace")

    def _launch(self, more: tuple[str, ...]) -> None:
        fixed = [
            "--port",
            str(self.port),
            "--bind",
            HOST,
            "--dir",
            str(self._folder),
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, *fixed, *self._options, *more],
                cwd=ROOT,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _answers(self) -> bool:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._process is not None and self._process.poll() is None:
            try:
                if self.say("PING").startswith((b"+PONG", b"-NOAUTH")):
                    return True
            except OSError:
                pass
            time.sleep(0.02)
        return False

    def _signal(self, number: int) -> None:
        if self._process is not None and self._process.poll() is None:
            os.kill(self._process.pid, number)


@contextmanager
def redis_server(folder: Path, *options: str) -> Iterator[RedisServer]:
    """A running one; gone at the end."""
    server = RedisServer(folder, *options)
    try:
        server.start()
        yield server
    finally:
        server.end()
