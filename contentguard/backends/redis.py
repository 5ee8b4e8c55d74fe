"""What several processes must know of each other, in Redis or Valkey: one round trip for every decision.

Every decision is one script (``lua``), run atomically by its SHA-1; where Redis does not know the script,
after a restart or SCRIPT FLUSH, all of them are loaded and those commands are sent again, which had not been carried
out. Nothing else is ever sent twice: a command whose answer is lost may have been carried out. Callers share one
connection and go out together (``batches``); redis-py's connection is used without its pool and its pipeline, which
cost more than the round trip. Keys are prefix, kind and a keyed hash; every key has a time to live.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from itertools import chain, islice
from math import floor, inf
from typing import Any

from redis import exceptions
from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from contentguard.backends import (
    Entry,
    Quota,
    StoreError,
    check_count,
    check_end,
    check_members,
    check_meter,
)
from contentguard.backends.batches import Batches, Command
from contentguard.backends.lua import COUNT, JOIN, METER, REVOKE, SCRIPTS, SPEND, TAKE, Script, ttl
from contentguard.backends.names import Names
from contentguard.limits import Decision, Limit, gcra

_LOAD: tuple[Command, ...] = tuple(("SCRIPT", "LOAD", script.text) for script in SCRIPTS)
_IDLE = 15
"""Seconds after which a connection is asked whether it still stands before it is used."""
_CHUNK = 128
"""Entries that are restored at once, so that others get their turn."""
_KINDS: tuple[tuple[type[Exception], str], ...] = (
    (exceptions.ReadOnlyError, "readonly"),
    (exceptions.OutOfMemoryError, "full"),
    (exceptions.BusyLoadingError, "loading"),
    (exceptions.AuthenticationError, "denied"),
    (exceptions.AuthorizationError, "denied"),
    (exceptions.NoPermissionError, "denied"),
    (exceptions.TimeoutError, "timeout"),
    (exceptions.ConnectionError, "connection"),
    (OSError, "connection"),
)
_SAID = (("READONLY", "readonly"), ("OOM", "full"), ("LOADING", "loading"), ("NOAUTH", "denied"), ("NOPERM", "denied"))
"""How it is said inside a script's error by servers that wrap it."""


class RedisStore:
    """A ``Remote`` in the Redis or Valkey at ``url`` (redis://, rediss:// or unix://). For one event loop.

    ``secret`` keys the hashes and is the same for all who share the store. Keys begin with ``prefix``, and with a
    ``tag`` they all go to one slot of a cluster (``{tag}``). No method but ``restore`` takes longer than ``timeout``
    seconds; to connect may take longer, up to ``connect_timeout``, and goes on in the background. Connects when first
    asked; ValueError when ``url`` is none.
    """

    def __init__(
        self,
        url: str,
        *,
        secret: bytes,
        prefix: str = "contentguard:",
        tag: str = "",
        timeout: float = 0.05,
        connect_timeout: float = 2.0,
    ) -> None:
        self._names = Names(secret)
        self._prefix = f"{prefix}{{{tag}}}:" if tag else prefix
        self._pool: Any = ConnectionPool.from_url(url, retry=Retry(NoBackoff(), 0), socket_timeout=None, protocol=2)
        self._connection: AbstractConnection | None = None
        self._used = 0.0
        self._connecting: asyncio.Task[AbstractConnection] | None = None
        self._connect_timeout = connect_timeout
        self._batches = Batches(self._send, timeout)

    async def take(self, key: str, limit: Limit, now: float, cost: int = 1) -> Decision:
        """See ``Store.take``."""
        gcra(now, limit, now, cost)  # for its ValueError
        arguments = _numbers(now, limit.capacity, cost * limit.interval, limit.slack)
        old = await self._ask(TAKE, "bucket", key, *arguments, ttl(limit.capacity))
        return gcra(now if old is None else _float(old), limit, now, cost)

    async def peek(self, key: str, limit: Limit, now: float) -> Decision:
        """See ``Store.peek``."""
        old = await self._get("bucket", key)
        return gcra(now if old is None else _float(old), limit, now)

    async def spend(self, key: str, until: float, now: float) -> bool:
        """See ``Spent.spend``."""
        check_end(until)
        return until > now and await self._ask(SPEND, "spent", key, *_numbers(until, now), ttl(until - now)) == 1

    async def meter(self, key: str, article: int, quota: Quota, now: float) -> float:
        """See ``Meters.meter``."""
        check_meter(article, quota)
        name, numbers = self._names(key), (str(article), str(floor(now)), str(quota.hour), str(quota.day), repr(now))
        keys = self._key("meter", name), self._key("revoked", name)
        opens = _float(await self._answer(("EVALSHA", METER.name, "2", *keys, *numbers)))
        return inf if opens < 0.0 else opens - now if opens else 0.0

    async def count(self, key: str, amount: int, limit: int, until: float, now: float) -> bool:
        """See ``Counters.count``."""
        check_count(amount, limit, until)
        arguments = (*_numbers(until, now), str(amount), str(limit), ttl(until - now))
        return await self._ask(COUNT, "counter", key, *arguments) == 1

    async def join(self, key: str, member: str, most: int, until: float, now: float) -> bool:
        """See ``Counters.join``."""
        check_members(most, until)
        arguments = (*_numbers(until, now), str(most), ttl(until - now))
        return await self._ask(JOIN, "set", key, self._names(member)[:8], *arguments) == 1

    async def revoke(self, name: str, until: float, now: float) -> None:
        """See ``Revocations.revoke``."""
        check_end(until)
        if until > now:
            await self._ask(REVOKE, "revoked", name, *_numbers(until), ttl(until - now))

    async def revoked(self, name: str, now: float) -> bool:
        """See ``Revocations.revoked``."""
        until = await self._get("revoked", name)
        return until is not None and _float(until) > now

    async def restore(self, spent: Iterable[Entry], revoked: Iterable[Entry], now: float) -> None:
        """See ``Remote.restore``."""
        commands = chain(
            (self._command(SPEND, "spent", name, *_numbers(end, now), ttl(end - now)) for name, end in spent),
            (self._command(REVOKE, "revoked", name, *_numbers(end), ttl(end - now)) for name, end in revoked),
        )
        while chunk := list(islice(commands, _CHUNK)):
            await asyncio.gather(*map(self._answer, chunk))

    async def aclose(self) -> None:
        """Fail who is waiting, and hang up."""
        await self._batches.aclose()
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        await self._hang_up()

    def _key(self, kind: str, name: bytes) -> str:
        return f"{self._prefix}{kind}:{name.hex()}"

    def _command(self, script: Script, kind: str, name: bytes, *arguments: str | bytes) -> Command:
        return ("EVALSHA", script.name, "1", self._key(kind, name), *arguments)

    async def _ask(self, script: Script, kind: str, key: str, *arguments: str | bytes) -> object:
        return await self._answer(self._command(script, kind, self._names(key), *arguments))

    async def _get(self, kind: str, key: str) -> object:
        return await self._answer(("GET", self._key(kind, self._names(key))))

    async def _answer(self, command: Command) -> object:
        try:
            return await self._batches.ask(command)
        except StoreError:
            raise
        except Exception as error:
            raise StoreError(_kind(error), str(error)) from error

    async def _send(self, commands: Sequence[Command]) -> Sequence[object]:
        """The answers. Whatever fails, the connection is given up: answers may still be on their way in it."""
        try:
            connection = await self._connected()
            answers = await _exchange(connection, commands)
            missed = [i for i, answer in enumerate(answers) if isinstance(answer, exceptions.NoScriptError)]
            if missed:
                loaded = await _exchange(connection, _LOAD)
                again = await _exchange(connection, [commands[i] for i in missed])
                # Who may not load scripts is told that, and not that there are none.
                refused = next((answer for answer in loaded if isinstance(answer, Exception)), None)
                for i, answer in zip(missed, again, strict=True):
                    answers[i] = refused or answer
            self._used = asyncio.get_running_loop().time()
            if any(isinstance(answer, Exception) and _kind(answer) == "readonly" for answer in answers):
                # A primary that became a replica keeps its connections, while its name leads to another by now.
                await self._hang_up()
            return answers
        except BaseException:
            await self._hang_up()
            raise

    async def _connected(self) -> AbstractConnection:
        """The connection. One that takes long to be made outlives who waits for it: the next ones find it made."""
        if self._connection is not None and (self._is_fresh() or await self._still_stands()):
            return self._connection
        if self._connecting is None:
            self._connecting = asyncio.get_running_loop().create_task(self._connect())
            self._connecting.add_done_callback(_looked_at)
        return await asyncio.shield(self._connecting)

    def _is_fresh(self) -> bool:
        return asyncio.get_running_loop().time() - self._used < _IDLE

    async def _still_stands(self) -> bool:
        """Whether a connection that was idle for long has not been closed meanwhile, by the server or on the way."""
        assert self._connection is not None
        try:
            await _exchange(self._connection, [("PING",)])
        except exceptions.ConnectionError:
            await self._hang_up()
            return False
        return True

    async def _connect(self) -> AbstractConnection:
        connection: Any = self._pool.make_connection()
        try:
            async with asyncio.timeout(self._connect_timeout):
                await connection.connect()
                await _exchange(connection, _LOAD)
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        finally:
            self._connecting = None
        self._connection = connection
        self._used = asyncio.get_running_loop().time()
        return self._connection

    async def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)


async def _exchange(connection: AbstractConnection, commands: Sequence[Command]) -> list[object]:
    await connection.send_packed_command(connection.pack_commands(commands))
    answers: list[object] = []
    for _ in commands:
        try:
            answers.append(await connection.read_response())
        except exceptions.ResponseError as error:
            answers.append(error)
    return answers


def _looked_at(task: asyncio.Task[AbstractConnection]) -> None:
    """Nobody may be left who waits for it, and that is no error of its own."""
    if not task.cancelled():
        task.exception()


def _kind(error: Exception) -> str:
    for kind, word in _KINDS:
        if isinstance(error, kind):
            return word
    return next((word for said, word in _SAID if said in str(error)), "other")


def _numbers(*values: float) -> tuple[str, ...]:
    """As texts that are read as the same doubles again."""
    return tuple(map(repr, map(float, values)))


def _float(answer: Any) -> float:
    try:
        return float(answer)
    except (TypeError, ValueError):
        raise StoreError("other", f"an answer that is no number: {answer!r:.80}") from None
