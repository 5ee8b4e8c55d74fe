"""The system's resolver: definite answers, trouble, and threads that do not come back."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest

from contentguard.backends.resolver import SystemResolver


def test_this_machine_has_a_name_or_none_but_no_error() -> None:
    async def story() -> None:
        resolver = SystemResolver(1)
        assert "127.0.0.1" in await resolver.forward("localhost")
        resolver.close()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("error", "definite"),
    [
        (socket.herror(1, "Unknown host"), True),
        (socket.herror(4, "No address associated with name"), True),
        (socket.herror(2, "Host name lookup failure"), False),
        (socket.herror(3, "Unknown server error"), False),
        (OSError("network is down"), False),
    ],
)
def test_which_failures_are_answers(error: OSError, definite: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(address: str) -> tuple[str, list[str], list[str]]:
        raise error

    monkeypatch.setattr(socket, "gethostbyaddr", fails)

    async def story() -> None:
        resolver = SystemResolver(1)
        try:
            if definite:
                assert await resolver.reverse("192.0.2.1") == []
            else:
                with pytest.raises(OSError, match=str(error.args[-1])):
                    await resolver.reverse("192.0.2.1")
        finally:
            resolver.close()

    asyncio.run(story())


@pytest.mark.parametrize(("code", "definite"), [(socket.EAI_NONAME, True), (socket.EAI_AGAIN, False)])
def test_which_forward_failures_are_answers(code: int, definite: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(code, "so it is")

    async def story() -> None:
        resolver = SystemResolver(1)
        monkeypatch.setattr(socket, "getaddrinfo", fails)
        try:
            if definite:
                assert await resolver.forward("name.test") == []
            else:
                with pytest.raises(OSError, match="so it is"):
                    await resolver.forward("name.test")
        finally:
            resolver.close()

    asyncio.run(story())


def test_when_all_threads_wait_the_next_question_fails_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()

    def waits(address: str) -> tuple[str, list[str], list[str]]:
        gate.wait(10)
        return "host.test", ["alias.test"], []

    monkeypatch.setattr(socket, "gethostbyaddr", waits)

    async def story() -> None:
        resolver = SystemResolver(2)
        given_up = [asyncio.create_task(resolver.reverse("192.0.2.1")) for _ in range(2)]
        await asyncio.sleep(0)
        given_up[0].cancel()
        with pytest.raises(BlockingIOError):
            await resolver.reverse("192.0.2.2")
        gate.set()
        assert await given_up[1] == ["host.test", "alias.test"]
        for _ in range(100):
            if resolver._free == 2:
                break
            await asyncio.sleep(0.01)
        assert await resolver.reverse("192.0.2.3") == ["host.test", "alias.test"]
        resolver.close()

    asyncio.run(story())
