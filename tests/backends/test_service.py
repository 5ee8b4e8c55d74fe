"""Questions to a service that may be slow, broken or gone: asked twice at most, then left alone for a while."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from contentguard.backends.service import Service, ServiceError

URL = "https://service.example/check?key=s3cret"
Answer = Callable[[httpx.Request], httpx.Response]


class Elsewhere:
    """A transport that does what it is told, and a clock of one's own."""

    def __init__(self, *answers: int | Exception | httpx.Response) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.now = 1000.0
        self.service = Service(
            "Testing",
            {"User-Agent": "tests"},
            secret=b"s3cret",
            transport=httpx.MockTransport(self._handle),
            timer=lambda: self.now,
            chance=lambda: 0.5,
        )

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else whole(answer, b"ok")

    def ask(self, most: int = 100) -> str:
        """The body or the reason why there is none, and how many requests that took."""
        before = len(self.requests)
        try:
            said = asyncio.run(self.service.ask("GET", URL, most=most)).body.decode()
            self.service.succeeded()
        except ServiceError as error:
            said = str(error)
        return f"{len(self.requests) - before}: {said}"


def whole(status: int, body: bytes, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ((200,), "1: ok"),
        ((404,), "1: ok"),
        ((500, 200), "2: ok"),
        ((500, 503), "2: Testing answered with status 503"),
        ((httpx.ConnectError("refused"), 200), "2: ok"),
        ((httpx.ConnectError("refused"),), "2: Testing is not to be reached (ConnectError)"),
        ((httpx.ReadTimeout("slow"),), "2: Testing is not to be reached (ReadTimeout)"),
        ((httpx.RemoteProtocolError("what"),), "2: Testing is not to be reached (RemoteProtocolError)"),
        ((OSError("no route"),), "2: Testing is not to be reached (OSError)"),
        ((RuntimeError("closed"),), "2: Testing is not to be reached (RuntimeError)"),
        ((whole(200, b"x" * 101), whole(200, b"x" * 101)), "2: Testing answered with more than 100 bytes"),
        ((whole(200, b"x" * 100),), "1: " + "x" * 100),
        ((whole(302, b"moved", location="https://elsewhere.example"),), "1: moved"),
    ],
)
def test_a_failure_is_tried_once_more(answers: tuple[int | Exception | httpx.Response, ...], said: str) -> None:
    assert Elsewhere(*answers).ask() == said


def test_after_five_failures_it_is_left_alone_for_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    elsewhere = Elsewhere(500)
    alone = "0: Testing has not answered several times and is left alone for a minute"
    assert [elsewhere.ask()[:2] for _ in range(3)] == ["2:", "2:", "1:"]
    assert elsewhere.ask() == alone
    elsewhere.now += 59
    assert elsewhere.ask() == alone
    elsewhere.now += 2
    assert elsewhere.ask() == "1: Testing answered with status 500"
    assert elsewhere.ask() == alone
    elsewhere.now += 61
    elsewhere.answers = [200]
    assert [elsewhere.ask() for _ in range(3)] == ["1: ok"] * 3
    assert elsewhere.service.failures == 6
    assert [record.getMessage() for record in caplog.records if record.name == "contentguard.testing"] == [
        "Testing answered with status 500; Testing is left alone for a minute",
        "Testing answers again",
    ]


def test_one_tries_for_all_once_the_minute_is_over() -> None:
    elsewhere = Elsewhere(500)
    for _ in range(3):
        elsewhere.ask()
    elsewhere.now += 61
    before = len(elsewhere.requests)

    async def many() -> list[object]:
        return await asyncio.gather(*(elsewhere.service.ask("GET", URL) for _ in range(20)), return_exceptions=True)

    answers = asyncio.run(many())
    assert all(isinstance(answer, ServiceError) for answer in answers)
    assert len(elsewhere.requests) == before + 1


def test_a_success_between_failures_starts_the_count_anew() -> None:
    elsewhere = Elsewhere(500, 500, 200, 500, 500, 200, 500, 500, 200)
    for _ in range(3):
        elsewhere.now += 10
        assert elsewhere.ask().startswith("2:")
        elsewhere.now += 10
        assert elsewhere.ask() == "1: ok"


def test_an_answer_that_trickles_is_too_slow() -> None:
    class Trickle(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                await asyncio.sleep(0.02)
                yield b"x"

    transport = httpx.MockTransport(lambda request: httpx.Response(200, stream=Trickle()))
    service = Service("Testing", {}, transport=transport, seconds=0.1, chance=lambda: 0.0)
    with pytest.raises(ServiceError, match=r"no answer within 0\.1 seconds"):
        asyncio.run(service.ask("GET", URL))


def test_what_was_asked_is_in_no_message_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    told = whole(200, b"ok", **{"x-help": "no plan for s3cret"})
    answer = asyncio.run(Elsewhere(told).service.ask("GET", URL))
    assert (b"x-help", b"no plan for (key)") in answer.headers
    assert "s3cret" not in Elsewhere(httpx.ConnectError(f"no way to {URL}")).ask()
    assert "s3cret" not in caplog.text


def test_it_is_closed_whether_it_was_used_or_not() -> None:
    async def unused() -> None:
        await Service("Testing", {}).aclose()

    asyncio.run(unused())
    elsewhere = Elsewhere(200)
    assert elsewhere.ask() == "1: ok"
    asyncio.run(elsewhere.service.aclose())


def test_without_a_secret_headers_stay_as_they_are() -> None:
    transport = httpx.MockTransport(lambda request: whole(200, b"ok", a="b"))
    answer = asyncio.run(Service("Testing", {}, transport=transport).ask("POST", URL, b"form=1"))
    assert (b"a", b"b") in answer.headers
