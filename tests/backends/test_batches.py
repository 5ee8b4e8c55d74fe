"""Many callers on one line: who goes together, who fails, and how long anybody waits."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Sequence

import pytest

from contentguard.backends import StoreError
from contentguard.backends.batches import Batches, Command


class Line:
    """Answers each command with itself, once it is let go."""

    def __init__(self) -> None:
        self.sent: list[list[str]] = []
        self.free = asyncio.Event()
        self.free.set()

    async def send(self, commands: Sequence[Command]) -> Sequence[object]:
        self.sent.append([str(command[0]) for command in commands])
        await self.free.wait()
        return [KeyError(word) if word == "bad" else word for word in self.sent[-1]]


def test_what_is_asked_meanwhile_goes_together() -> None:
    async def story() -> None:
        line = Line()
        batches = Batches(line.send, 5)
        assert await batches.ask(("alone",)) == "alone"
        line.free.clear()
        asked = [asyncio.create_task(batches.ask((f"{n}",))) for n in range(3)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        asked += [asyncio.create_task(batches.ask((f"{n}",))) for n in range(3, 600)]
        await asyncio.sleep(0)
        line.free.set()
        assert await asyncio.gather(*asked) == [str(n) for n in range(600)]
        assert [len(batch) for batch in line.sent] == [1, 3, 256, 256, 85]

    asyncio.run(story())


def test_one_failure_is_one_callers() -> None:
    async def story() -> None:
        batches = Batches(Line().send, 5)
        answers = await asyncio.gather(*(batches.ask((word,)) for word in ("a", "bad", "b")), return_exceptions=True)
        assert answers[::2] == ["a", "b"]
        assert isinstance(answers[1], KeyError)

    asyncio.run(story())


def test_a_failure_of_the_line_is_everybodys_in_the_batch_and_nobody_elses() -> None:
    async def story() -> None:
        times = iter(range(9))

        async def send(commands: Sequence[Command]) -> Sequence[object]:
            if next(times) == 0:
                raise ConnectionResetError
            return [command[0] for command in commands]

        batches = Batches(send, 5)
        first = await asyncio.gather(batches.ask(("a",)), batches.ask(("b",)), return_exceptions=True)
        assert [type(answer) for answer in first] == [ConnectionResetError] * 2
        assert await batches.ask(("c",)) == "c"

    asyncio.run(story())


def test_nobody_waits_longer_than_told() -> None:
    async def story() -> None:
        line = Line()
        line.free.clear()
        batches = Batches(line.send, 0.05)
        start = time.monotonic()
        asked = [asyncio.create_task(batches.ask((f"{n}",))) for n in range(3)]
        await asyncio.sleep(0.02)
        asked.append(asyncio.create_task(batches.ask(("late",))))
        for answer in await asyncio.gather(*asked, return_exceptions=True):
            assert isinstance(answer, StoreError)
            assert answer.kind == "timeout"
        assert 0.05 <= time.monotonic() - start < 1.0
        line.free.set()
        assert await batches.ask(("after",)) == "after"

    asyncio.run(story())


def test_who_no_longer_waits_is_not_sent() -> None:
    async def story() -> None:
        line = Line()
        line.free.clear()
        batches = Batches(line.send, 5)
        asked = [asyncio.create_task(batches.ask((word,))) for word in ("first", "gone", "stays")]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        more = [asyncio.create_task(batches.ask((word,))) for word in ("gone too", "stays too")]
        await asyncio.sleep(0)
        asked[1].cancel()
        more[0].cancel()
        line.free.set()
        assert [await task for task in (asked[0], asked[2], more[1])] == ["first", "stays", "stays too"]
        assert line.sent == [["first", "gone", "stays"], ["stays too"]]

    asyncio.run(story())


def test_a_loop_that_was_held_up_does_not_blame_the_line() -> None:
    """The answer and the end of its time come due while the loop does something else."""

    async def story() -> None:
        here, there = socket.socketpair()
        here.setblocking(False)

        async def receive() -> bytes:
            return await asyncio.get_running_loop().sock_recv(here, 1)

        async def send(commands: Sequence[Command]) -> Sequence[object]:
            return [await asyncio.create_task(receive()) for _ in commands]

        with here, there:
            asked = asyncio.create_task(Batches(send, 0.05).ask(("a",)))
            await asyncio.sleep(0.01)
            there.send(b"x")
            time.sleep(0.2)  # noqa: ASYNC251 - this is what is to be survived
            assert await asked == b"x"
            asked = asyncio.create_task(Batches(send, 0.05).ask(("a",)))
            await asyncio.sleep(0.01)
            time.sleep(0.2)  # noqa: ASYNC251 - the same, and no answer
            with pytest.raises(StoreError, match="timeout"):
                await asked

    asyncio.run(story())


def test_who_waits_when_it_ends_is_told_so() -> None:
    async def story() -> None:
        line = Line()
        line.free.clear()
        batches = Batches(line.send, 5)
        await batches.aclose()
        asked = [asyncio.create_task(batches.ask((f"{n}",))) for n in range(2)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        asked.append(asyncio.create_task(batches.ask(("queued",))))
        await asyncio.sleep(0)
        await batches.aclose()
        for answer in await asyncio.gather(*asked, return_exceptions=True):
            assert isinstance(answer, StoreError)
            with pytest.raises(StoreError, match="closed"):
                raise answer

    asyncio.run(story())
