"""Questions to a service elsewhere that may be slow, broken or gone, by https.

Strategy: nobody waits long. A question has a few seconds, and once more as many after a failure; after five failures
nobody asks for about a minute, then one tries for all. The transport is used without a client around it: no redirect
is followed, no proxy, cookie or credential of the environment is used, and nobody logs an URL, which may hold a key.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import httpx

from contentguard.backends.circuit import Circuit
from contentguard.backends.fetching import secure_context
from contentguard.errors import ContentGuardError


class ServiceError(ContentGuardError):
    """There is no answer; the message says why, and holds nothing of what was asked."""


class Answered(NamedTuple):
    """An answer, read whole, whose status tells of no server's error."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class Service:
    """Asks one service; to be closed by ``aclose``.

    ``name``: for messages. ``secret``: what no header of an answer may repeat. ``seconds``: for one try. ``timer``:
    seconds on a clock that does not jump; ``chance``: between 0 and 1. ``transport``: what carries the requests, for
    tests.
    """

    def __init__(
        self,
        name: str,
        headers: Mapping[str, str],
        *,
        secret: bytes = b"",
        seconds: float = 3.0,
        transport: httpx.AsyncBaseTransport | None = None,
        timer: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._name, self._secret, self._seconds = name, secret, seconds
        self._headers = {"Accept-Encoding": "identity", **headers}
        self._transport, self._timer, self._chance = transport, timer, chance
        self._circuit = Circuit(5, 1.0, shortest=60.0, longest=60.0)
        self._until = 0.0
        self._opening = asyncio.Lock()
        self._log = logging.getLogger(f"contentguard.{name.lower()}")
        self.failures = 0

    async def ask(self, method: str, url: str, body: bytes = b"", *, most: int = 16_384) -> Answered:
        """An answer of at most ``most`` bytes; a body is a form. ServiceError where two tries bring none.

        Whether it makes sense its reader knows, and says so by ``succeeded`` or ``failed``.
        """
        now = self._timer()
        if self._circuit.is_open:
            if now < self._until:
                raise ServiceError(f"{self._name} has not answered several times and is left alone for a minute")
            self._wait(now)  # one tries, and until it is back the others wait on
        answer = await self._tried(method, url, body, most)
        if isinstance(answer, str) and not self._circuit.is_open:
            await asyncio.sleep(0.1 + 0.3 * self._chance())
            answer = await self._tried(method, url, body, most)
        if isinstance(answer, str):
            raise ServiceError(answer)
        return answer

    def succeeded(self) -> None:
        """It gave an answer that makes sense."""
        if self._circuit.is_open:
            self._log.warning("%s answers again", self._name)
            self._circuit.close()
        self._circuit.succeeded()

    def failed(self, why: str) -> None:
        """It gave no answer, or one that makes no sense."""
        self.failures += 1
        now = self._timer()
        if self._circuit.failed(now):
            self._log.warning("%s; %s is left alone for a minute", why, self._name)
        if self._circuit.is_open:
            self._wait(now)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._transport is not None:
            await self._transport.aclose()

    def _wait(self, now: float) -> None:
        self._until = now + self._circuit.pause(self._chance())

    async def _tried(self, method: str, url: str, body: bytes, most: int) -> Answered | str:
        """One request: its answer, or why there is none."""
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._once(method, url, body, most)
        except TimeoutError:
            why = f"{self._name} gave no answer within {self._seconds:g} seconds"
        except ServiceError as error:
            why = str(error)
        except (httpx.HTTPError, OSError, RuntimeError) as error:
            why = f"{self._name} is not to be reached ({type(error).__name__})"
        else:
            if answer.status < 500:
                return answer
            why = f"{self._name} answered with status {answer.status}"
        self.failed(why)
        return why

    async def _once(self, method: str, url: str, body: bytes, most: int) -> Answered:
        form = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"} if body else {}
        timeout = {"timeout": httpx.Timeout(self._seconds).as_dict()}
        request = httpx.Request(method, url, headers={**self._headers, **form}, content=body, extensions=timeout)
        response = await (await self._opened()).handle_async_request(request)
        try:
            whole = bytearray()
            async for chunk in response.aiter_raw():
                whole += chunk
                if len(whole) > most:
                    raise ServiceError(f"{self._name} answered with more than {most} bytes")
        finally:
            await response.aclose()
        return Answered(response.status_code, tuple(self._discreet(response)), bytes(whole))

    def _discreet(self, response: httpx.Response) -> list[tuple[bytes, bytes]]:
        raw = response.headers.raw
        return [(name, value.replace(self._secret, b"(key)")) for name, value in raw] if self._secret else raw

    async def _opened(self) -> httpx.AsyncBaseTransport:
        async with self._opening:
            if self._transport is None:
                # Reading the certificates takes long enough to be felt by a reader: not in the event loop.
                context = await asyncio.to_thread(secure_context)
                # Questions are minutes apart: a kept connection would be dead when it is needed, or another loop's.
                limits = httpx.Limits(max_connections=8, max_keepalive_connections=0)
                self._transport = httpx.AsyncHTTPTransport(verify=context, trust_env=False, limits=limits)
        return self._transport
