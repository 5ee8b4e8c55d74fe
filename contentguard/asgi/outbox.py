"""What goes out to the client: the app's start message while it is held, and whatever has to follow it.

Strategy: messages keep the app's order. As long as the start is held, what came after it waits; HEAD gets no body.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contentguard.asgi.headers import OPTION, Answer, Headers, look

if TYPE_CHECKING:
    from starlette.types import Message, Send

BODY = "http.response.body"


class Outbox:
    """One response's way out."""

    # One is made for every response, so nothing is set that need not be.
    send: Send
    start: Message | None = None
    """The app's start message, while it is held."""
    answer: Answer
    """What the app's headers say."""
    headers: Headers
    """The app's headers, less its word to us."""
    waiting: list[Message] | tuple[()] = ()
    """What came after the start while it is held, and is no body."""
    finished = False
    """The last message of the body has been sent, or will never be."""

    def hold(self, message: Message, headers: Headers) -> int:
        """Hold a start message with these headers, and look through them; returns its status."""
        self.headers = headers
        self.answer = answer = look(headers)
        if answer.option:
            self.headers = [pair for pair in headers if pair[0].lower() != OPTION]
        self.start = message
        status: int = message["status"]
        return status

    def drop(self) -> None:
        """Forget the held start and what waits for it."""
        self.start = None
        self.waiting = ()

    def close(self) -> None:
        """Let nothing out any more: another response than the app's has left, and is whole."""
        self.send = _nowhere

    async def begin(self, headers: Headers) -> None:
        """Send the held start with these headers, and what was to follow it."""
        start, self.start = self.start, None
        assert start is not None
        await self.send({**start, "headers": headers})
        if self.waiting:
            await self.catch_up()

    async def catch_up(self) -> None:
        """Send what waited for the start."""
        for message in self.waiting:
            await self.send(message)
        self.waiting = ()

    async def body(self, data: bytes, *, more: bool = False) -> None:
        """Send some of the body."""
        self.finished = not more
        await self.send({"type": BODY, "body": data, "more_body": more})

    async def other(self, message: Message) -> None:
        """A message that is neither start nor body."""
        if self.start is not None:
            self.waiting = [*self.waiting, message]
        else:
            await self.send(message)


async def _nowhere(message: Message) -> None:
    pass


def without_body(send: Send) -> Send:
    """``send`` for the answer to HEAD."""

    async def bodiless(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == BODY else message)

    return bodiless
