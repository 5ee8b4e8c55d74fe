"""Fetching what a stranger names: no way into the house, whatever the name, its DNS or its server says (SSRF)."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from contentguard.backends.fetching import Fetched, FetchError, PublicFetcher, is_public

URL = "https://agent.example/.well-known/keys?v=1"
PUBLIC = "93.184.215.14"


def answering(*addresses: str) -> Callable[[str], object]:
    async def resolve(host: str) -> Sequence[str]:
        return addresses

    return resolve


class Server:
    """A transport that answers everything alike and remembers what it was asked."""

    def __init__(
        self, response: Callable[[], httpx.Response] = lambda: httpx.Response(200, stream=httpx.ByteStream(b"ok"))
    ) -> None:
        self.requests: list[httpx.Request] = []
        self._response = response
        self.transport = httpx.MockTransport(self._handle)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self._response()


async def fetch(server: Server, url: str = URL, addresses: Sequence[str] = (PUBLIC,), **options: float) -> Fetched:
    fetcher = PublicFetcher(resolve=answering(*addresses), transport=server.transport, **options)  # type: ignore[arg-type]
    try:
        return await fetcher.get(url, "application/json")
    finally:
        await fetcher.aclose()


def test_the_connection_goes_to_the_checked_address_with_the_name_kept() -> None:
    server = Server()
    fetched = asyncio.run(fetch(server))
    assert fetched.body == b"ok"
    (request,) = server.requests
    assert str(request.url) == f"https://{PUBLIC}/.well-known/keys?v=1"
    assert request.headers["host"] == "agent.example"
    assert request.extensions["sni_hostname"] == "agent.example"
    assert request.headers["accept-encoding"] == "identity"
    assert "cookie" not in request.headers
    assert "authorization" not in request.headers


def test_dns_rebinding_finds_nobody_who_asks_again() -> None:
    """A name that is public when it is checked and private when it is connected to."""
    asked = []

    async def rebinding(host: str) -> Sequence[str]:
        asked.append(host)
        return [PUBLIC] if len(asked) == 1 else ["127.0.0.1"]

    server = Server()

    async def story() -> None:
        fetcher = PublicFetcher(resolve=rebinding, transport=server.transport)
        await fetcher.get(URL, "*/*")
        with pytest.raises(FetchError, match="not public"):
            await fetcher.get(URL, "*/*")
        await fetcher.aclose()

    asyncio.run(story())
    assert [request.url.host for request in server.requests] == [PUBLIC]


PRIVATE = [
    *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"),
    *(
        "255.255.255.255",
        "192.0.2.1",
        "198.18.0.1",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd12::1",
        "ff02::1",
    ),
    *(
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2001:db8::1",
    ),
    *("2001:0:4136:e378:8000:63bf:3fff:fdd2", "64:ff9b:1::1", "::127.0.0.1", "fec0::1", "garbage", ""),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_never_connected_to(address: str) -> None:
    assert not is_public(address)
    for addresses in ((address,), (PUBLIC, address), (address, PUBLIC)):
        server = Server()
        with pytest.raises(FetchError, match="not public"):
            asyncio.run(fetch(server, addresses=addresses))
        assert not server.requests


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are(address: str) -> None:
    server = Server()
    asyncio.run(fetch(server, addresses=(address,)))
    assert server.requests[0].url.host == address


@pytest.mark.parametrize(
    "url",
    [
        *("http://agent.example/", "ftp://agent.example/", "file:///etc/passwd", "gopher://agent.example/", "data:,x"),
        *("https://127.0.0.1/", "https://2130706433/", "https://0x7f.1/", "https://0177.0.0.1/", "https://[::1]/"),
        *(
            "https://[::ffff:127.0.0.1]/",
            "https://localhost/",
            "https://agent.example:8443/",
            "https://agent.example:22/",
        ),
        *("https://user@agent.example/", "https://agent.example@127.0.0.1/", "https://agent.example#@127.0.0.1/"),
        *("https://agent.example\\@127.0.0.1/", "https://agent.example%2f@x/", "https://agent.example/a b", "https://"),
        *("https://agent.example/\r\nHost: x", "https://agent..example/", "https://аgent.example/", "//agent.example/"),
        *("https://agent.example/" + "a" * 2000, "", "x", "https://.example/", "https://agent.example/../x"),
    ],
)
def test_addresses_that_name_no_public_host(url: str) -> None:
    server = Server()
    with pytest.raises(FetchError):
        asyncio.run(fetch(server, url))
    assert not server.requests


@pytest.mark.parametrize("status", [201, 204, 206, 301, 302, 303, 304, 307, 308, 404, 500])
def test_only_200_counts_and_no_redirect_is_followed(status: int) -> None:
    server = Server(lambda: httpx.Response(status, headers={"Location": "http://169.254.169.254/"}))
    with pytest.raises(FetchError, match=f"status {status}"):
        asyncio.run(fetch(server))
    assert len(server.requests) == 1


def test_a_body_is_bounded_before_it_is_read() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1024
            yield b"x" * 1024

    server = Server(lambda: httpx.Response(200, content=endless()))
    with pytest.raises(FetchError, match="more than 65536 bytes"):
        asyncio.run(fetch(server))
    assert sent <= 65_536 + 2048
    exact = Server(lambda: httpx.Response(200, stream=httpx.ByteStream(b"x" * 65_536)))
    assert len(asyncio.run(fetch(exact)).body) == 65_536


def test_a_compressed_bomb_is_not_opened() -> None:
    bomb = gzip.compress(b"0" * 10_000_000)
    server = Server(lambda: httpx.Response(200, content=bomb, headers={"Content-Encoding": "gzip"}))
    with pytest.raises(FetchError, match="compressed"):
        asyncio.run(fetch(server))


def test_a_server_that_never_answers_is_given_up() -> None:
    async def never(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        raise AssertionError

    async def drips() -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0.01)
            yield b"x"

    async def dripping(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=drips())

    async def slow_dns(host: str) -> Sequence[str]:
        await asyncio.sleep(60)
        return [PUBLIC]

    for handler, resolve in ((never, answering(PUBLIC)), (dripping, answering(PUBLIC)), (never, slow_dns)):
        server = Server()
        server.transport = httpx.MockTransport(handler)

        async def story(transport: httpx.AsyncBaseTransport = server.transport, resolve: object = resolve) -> None:
            fetcher = PublicFetcher(resolve=resolve, transport=transport, seconds=0.05)  # type: ignore[arg-type]
            with pytest.raises(FetchError, match="no answer within"):
                await fetcher.get(URL, "*/*")
            await fetcher.aclose()

        asyncio.run(story())


def test_the_next_address_is_tried_when_one_does_not_connect() -> None:
    def refuses() -> httpx.Response:
        if len(server.requests) == 1:
            raise httpx.ConnectError("refused")
        return httpx.Response(200, stream=httpx.ByteStream(b"ok"))

    server = Server(refuses)
    assert asyncio.run(fetch(server, addresses=(PUBLIC, "8.8.8.8", "9.9.9.9"))).body == b"ok"
    assert [request.url.host for request in server.requests] == [PUBLIC, "8.8.8.8"]


def test_hosts_that_are_never_found_take_no_thread_from_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look-up held a thread of the event loop's, long after it was given up."""
    found, waiting = threading.Event(), threading.Semaphore(0)

    def slow(*_: object, **more: object) -> list[object]:
        waiting.release()
        assert found.wait(30.0)
        return []

    monkeypatch.setattr("socket.getaddrinfo", slow)

    async def run() -> None:
        fetcher = PublicFetcher(seconds=0.2)
        asked = (fetcher.get(f"https://a{n}.example/", "*/*") for n in range(40))
        failed = await asyncio.gather(*asked, return_exceptions=True)
        assert all(isinstance(one, FetchError) for one in failed)
        assert sum("busy" in str(one) for one in failed) == 36
        async with asyncio.timeout(5.0):
            assert await asyncio.to_thread(sum, (1, 2)) == 3
        found.set()
        await fetcher.aclose()

    asyncio.run(run())
    assert sum(waiting.acquire(blocking=False) for _ in range(40)) == 4


def test_a_host_without_addresses() -> None:
    async def fails(host: str) -> Sequence[str]:
        raise OSError("no such host")

    server = Server()
    for resolve in (answering(), fails):
        fetcher = PublicFetcher(resolve=resolve, transport=server.transport)  # type: ignore[arg-type]
        with pytest.raises(FetchError, match="no address"):
            asyncio.run(fetcher.get(URL, "*/*"))


def test_a_proxy_or_a_password_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine agent.example login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    server = Server()
    asyncio.run(fetch(server))
    assert "authorization" not in server.requests[0].headers


class _Local(httpx.AsyncBaseTransport):
    """Carries what goes to port 443 to a server on this machine."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        self._port = port
        self._inner = httpx.AsyncHTTPTransport(verify=context)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(port=self._port)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def _certificate(host: str, folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{host}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.mark.parametrize("host", ["agent.example", "other.example"])
def test_tls_is_verified_for_the_name_though_the_address_is_connected_to(host: str, tmp_path: Path) -> None:
    served = _certificate("agent.example", tmp_path)
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(served)
    client_side = ssl.create_default_context(cafile=str(served))
    seen: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        await writer.drain()
        writer.close()

    async def story() -> bytes:
        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=server_side)
        port = server.sockets[0].getsockname()[1]
        fetcher = PublicFetcher(
            resolve=answering("127.0.0.1"),  # type: ignore[arg-type]
            transport=_Local(port, client_side),
            is_allowed=lambda address: True,
        )
        try:
            return (await fetcher.get(f"https://{host}/keys", "*/*")).body
        finally:
            await fetcher.aclose()
            server.close()
            await server.wait_closed()

    if host == "agent.example":
        assert asyncio.run(story()) == b"ok"
        assert b"Host: agent.example\r\n" in seen[0]
    else:
        with pytest.raises(FetchError, match=r"(?i)certificate"):
            asyncio.run(story())
        assert not seen
