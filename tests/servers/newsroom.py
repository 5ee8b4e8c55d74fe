"""The example news site as several processes serve it, for ``test_outages``; settings come from the environment."""

from __future__ import annotations

import os
from typing import Any

from examples.news.serve import CONTENT, build

ORIGIN = "TESTS_ORIGIN"


def app() -> Any:
    """For ``uvicorn --factory``; says with each answer which process gave it."""
    site = build(CONTENT, origin=os.environ[ORIGIN])
    process = str(os.getpid()).encode()

    async def told(scope: Any, receive: Any, send: Any) -> None:
        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"x-process", process)]}
            await send(message)

        await site(scope, receive, sent if scope["type"] == "http" else send)

    return told
