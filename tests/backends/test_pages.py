"""Fetching a suspected copy: no way into the house, and nothing without a bound (SSRF in ``trace URL``)."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

import httpx
import pytest

from contentguard.backends.fetching import FetchError
from contentguard.backends.pages import Page, PageFetcher

PUBLIC = "93.184.215.14"
Answer = Callable[[httpx.Request], httpx.Response]


def body(data: bytes, **headers: str) -> httpx.Response:
    names = {"content-type": "text/html; charset=UTF-8"} | {name.replace("_", "-"): v for name, v in headers.items()}
    return httpx.Response(200, headers=names, stream=httpx.ByteStream(data))


class Web:
    """Hosts with addresses, and what is asked of them."""

    def __init__(self, answer: Answer, hosts: Mapping[str, Sequence[str]] | None = None) -> None:
        self.answer, self.hosts = answer, hosts or {}
        self.asked: list[httpx.Request] = []
        self.resolved: list[str] = []

    async def resolve(self, host: str) -> Sequence[str]:
        self.resolved.append(host)
        return self.hosts.get(host, [PUBLIC])

    def get(self, url: str, **options: object) -> Page:
        def handle(request: httpx.Request) -> httpx.Response:
            self.asked.append(request)
            return self.answer(request)

        fetcher = PageFetcher(resolve=self.resolve, transport=lambda: httpx.MockTransport(handle), **options)  # type: ignore[arg-type]
        return asyncio.run(fetcher.get(url))


def test_the_checked_address_is_asked_with_the_name_kept() -> None:
    web = Web(lambda request: body(b"ok"))
    assert web.get("http://copy.example:8080/a?b=1#c") == Page(
        "http://copy.example:8080/a?b=1#c", "text/html", "utf-8", b"ok"
    )
    (request,) = web.asked
    assert str(request.url) == f"http://{PUBLIC}:8080/a?b=1"
    assert request.headers["host"] == "copy.example:8080"
    assert "cookie" not in request.headers
    web.get("https://bücher.example/ü")
    assert web.asked[-1].extensions["sni_hostname"] == "xn--bcher-kva.example"
    assert web.asked[-1].headers["host"] == "xn--bcher-kva.example"


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "::1", "fe80::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1",
     "2002:7f00:1::", "224.0.0.1", "0.0.0.0", "192.168.0.1", "fc00::1"],
)  # fmt: skip
def test_ghsa_mrvx_jmjw_vggc_private_addresses_are_refused(address: str) -> None:
    web = Web(lambda request: body(b"secret"), {"copy.example": [PUBLIC, address]})
    with pytest.raises(FetchError, match="not public"):
        web.get("http://copy.example/")
    assert web.asked == []


def test_ghsa_mrvx_jmjw_vggc_a_redirect_is_checked_too() -> None:
    web = Web(
        lambda request: httpx.Response(302, headers={"location": "http://inner.example/latest/meta-data"}),
        {"inner.example": ["169.254.169.254"]},
    )
    with pytest.raises(FetchError, match=r"inner\.example has an address that is not public"):
        web.get("http://copy.example/")
    assert len(web.asked) == 1


def test_dns_rebinding_finds_nobody_who_asks_twice() -> None:
    web = Web(lambda request: body(b"ok"))
    web.get("http://copy.example/")
    assert web.resolved == ["copy.example"]
    assert web.asked[0].url.host == PUBLIC


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f000001", "017700000001", "[::ffff:127.0.0.1]", "localhost", "127.1"]
)
def test_spellings_of_this_machine_by_the_real_resolver(host: str) -> None:
    fetcher = PageFetcher(transport=lambda: httpx.MockTransport(lambda request: pytest.fail("asked")))
    with pytest.raises(FetchError, match=r"not public|no address"):
        asyncio.run(fetcher.get(f"http://{host}/"))


def test_ones_own_network_where_that_is_wanted() -> None:
    web = Web(lambda request: body(b"ok"), {"here": ["127.0.0.1"]})
    assert web.get("http://here:9/", private=True).body == b"ok"


@pytest.mark.parametrize(
    "url",
    ["ftp://a.example/", "file:///etc/passwd", "//a.example/", "http://", "http://u:p@a.example/", "http://a.example:0/",
     "http://a.example:x/", "http://a.example/\n", "http://a.example\\@b.example/", "http://[::1/",
     "http://a.example/" + "x" * 2048],
)  # fmt: skip
def test_what_is_no_address_of_the_web(url: str) -> None:
    with pytest.raises(FetchError, match="expected an address like"):
        Web(lambda request: body(b"")).get(url)


@pytest.mark.parametrize(
    "there", ["http://[", "//[::1", "http://xn--/", "http://a:99999/", "http:a", "data:,x", "http://\xad/"]
)
def test_a_redirect_to_no_address_is_no_more_than_a_failure(there: str) -> None:
    """One page of many must not end the command."""
    web = Web(lambda request: httpx.Response(302, headers={b"location": there.encode("latin-1")}))
    with pytest.raises(FetchError):
        web.get("http://copy.example/")
    assert len(web.asked) == 1


def test_redirects_are_followed_and_counted() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        step = int(request.url.path[1:])
        return body(b"there") if step == 5 else httpx.Response(301, headers={"location": f"/{step + 1}"})

    assert Web(answer).get("http://copy.example/0").url == "http://copy.example/5"
    with pytest.raises(FetchError, match="more than 4 redirects"):
        Web(answer).get("http://copy.example/0", redirects=4)
    with pytest.raises(FetchError, match="status 302"):
        Web(lambda request: httpx.Response(302)).get("http://copy.example/")
    with pytest.raises(FetchError, match="status 404"):
        Web(lambda request: httpx.Response(404)).get("http://copy.example/")


def test_compressed_pages_are_unpacked_within_the_limit() -> None:
    text = b"words " * 1000
    assert Web(lambda request: body(gzip.compress(text), content_encoding="gzip")).get("http://a.example/").body == text
    assert (
        Web(lambda request: body(zlib.compress(text), content_encoding="deflate")).get("http://a.example/").body == text
    )
    bomb = gzip.compress(bytes(50_000_000))
    with pytest.raises(FetchError, match="more than 5,242,880 bytes"):
        Web(lambda request: body(bomb, content_encoding="gzip")).get("http://a.example/")
    with pytest.raises(FetchError, match="more than 10 bytes"):
        Web(lambda request: body(text)).get("http://a.example/", max_bytes=10)
    with pytest.raises(FetchError, match="no gzip, though it says so"):
        Web(lambda request: body(text, content_encoding="gzip")).get("http://a.example/")
    with pytest.raises(FetchError, match="compressed as 'br'"):
        Web(lambda request: body(text, content_encoding="br")).get("http://a.example/")


def test_what_is_no_text_is_not_read() -> None:
    with pytest.raises(FetchError, match=r"expected a text .*found 'image/png'"):
        Web(lambda request: body(b"", content_type="image/png")).get("http://a.example/")
    found = Web(lambda request: httpx.Response(200, stream=httpx.ByteStream(b"x"))).get("http://a.example/")
    assert (found.kind, found.charset) == ("", "")


def test_who_never_ends_is_left() -> None:
    class Slow(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                yield b"x"
                await asyncio.sleep(0.02)

    with pytest.raises(FetchError, match=r"no answer within 0.2 s"):
        Web(lambda request: httpx.Response(200, stream=Slow())).get("http://a.example/", seconds=0.2)


def test_who_does_not_answer() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    web = Web(refuse, {"a.example": [PUBLIC, "1.1.1.1", "8.8.8.8"]})
    with pytest.raises(FetchError, match="refused"):
        web.get("http://a.example/")
    assert len(web.asked) == 2

    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.RemoteProtocolError("nonsense")

    with pytest.raises(FetchError, match="nonsense"):
        Web(fail).get("http://a.example/")
    with pytest.raises(FetchError, match="no address"):
        Web(fail, {"a.example": []}).get("http://a.example/")


def test_a_host_that_nobody_knows() -> None:
    async def nowhere(host: str) -> Sequence[str]:
        raise OSError("not known")

    with pytest.raises(FetchError, match=r"a\.example has no address \(not known\)"):
        asyncio.run(PageFetcher(resolve=nowhere).get("http://a.example/"))


def test_real_connections_are_closed() -> None:
    """With httpx's own transport: nobody listens there."""
    with pytest.raises(FetchError):
        asyncio.run(PageFetcher(private=True).get("http://127.0.0.1:1/"))
