"""The example news site over https in a thread of this process, with every verdict and every request written down."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn

from contentguard import ContentGuardMiddleware, Settings
from contentguard.model import Facts, Verdict
from examples.news.app import create_app
from examples.news.content import load
from examples.news.serve import CONTENT, SETTINGS_FILE
from tests.servers.archive import certificate
from tests.servers.harness import HOST, PATIENCE, free_port


@dataclass
class Gazette:
    """The site, and what was asked of it since somebody last asked it to ``forget``."""

    origin: str
    certificate: Path
    key: Path
    judged: list[tuple[Facts, Verdict]] = field(default_factory=list)
    answered: list[tuple[str, int]] = field(default_factory=list)
    """Method and path, and status."""

    def forget(self) -> None:
        """Begin a new page in the log."""
        self.judged.clear()
        self.answered.clear()

    def articles(self) -> list[tuple[str, float, set[str]]]:
        """Action, score and names of the signals for every article that was asked for."""
        return [
            (verdict.action.value, verdict.score, {signal.name for signal in verdict.signals})
            for facts, verdict in self.judged
            if facts.path.startswith("/news/")
        ]


@contextmanager
def gazette(folder: Path) -> Iterator[Gazette]:
    """The running site; gone afterwards. A fresh guard each time."""
    folder.mkdir(parents=True, exist_ok=True)
    proof, key = certificate(folder)
    port = free_port()
    made = Gazette(f"https://{HOST}:{port}", proof, key)
    options = {"log_level": "warning", "lifespan": "off", "ssl_certfile": str(proof), "ssl_keyfile": str(key)}
    server = uvicorn.Server(uvicorn.Config(_noting(made), host=HOST, port=port, **options))  # type: ignore[arg-type]
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + PATIENCE
    while not server.started:
        assert thread.is_alive(), "the server does not start"
        assert time.monotonic() < deadline, "the server does not start"
        time.sleep(0.02)
    yield made
    server.should_exit = True
    thread.join(PATIENCE)


def _noting(made: Gazette) -> Any:
    """The guarded site, each of whose answers is written down."""
    site = create_app(load(CONTENT), origin=made.origin, images=CONTENT / "images")
    hooks = (lambda facts, verdict: made.judged.append((facts, verdict)),)
    settings = Settings.load(SETTINGS_FILE, origin=made.origin, secret_key="a-secret-key-for-the-tests", hooks=hooks)
    guarded = ContentGuardMiddleware(site, settings=settings)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start":
                made.answered.append((f"{scope['method']} {scope['path']}", message["status"]))
            await send(message)

        await guarded(scope, receive, sent)

    return app
