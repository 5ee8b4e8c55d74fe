"""Fetching what a stranger names, without going where a stranger must not lead.

The host is resolved once, every address it has must be public, and the connection goes to the very address that was
checked, with the name kept for TLS and Host: a second look-up that answers otherwise (DNS rebinding) finds nobody
who asks it. No redirect is followed, no proxy or credential of the environment is used, and what comes back is
bounded in bytes and in time.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import httpx

from contentguard.backends.resolver import SystemResolver
from contentguard.crawlers.agents import AgentError, split_url

_NAT64 = IPv6Network("64:ff9b::/96")
_LOCAL = (IPv6Network("64:ff9b:1::/48"), IPv6Network("fec0::/10"))
"""Local by RFC 8215 and by RFC 3879, whatever the standard library says."""
_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15, "identity": 0, "": 0}
"""Content codings that are undone, by zlib's window bits."""
_ASKED = 4
"""Hosts that are looked up at once."""
_TRIED = 2
"""Addresses of a host that are tried before giving up."""

Resolve = Callable[[str], Awaitable[Sequence[str]]]


class FetchError(OSError):
    """Nothing was fetched; the message says why."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A response with status 200, read whole."""

    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def header(self, name: str) -> str:
        """The first value of the header ``name`` (lower case); empty when there is none."""
        return next((value.decode("latin-1") for key, value in self.headers if key.decode("latin-1") == name), "")


class PublicFetcher:
    """GETs of https addresses in the public internet.

    ``transport``: what carries the requests, for tests. ``resolve``: a host's addresses; OSError when there are none.
    """

    def __init__(
        self,
        *,
        max_bytes: int = 65_536,
        seconds: float = 2.0,
        resolve: Resolve | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        is_allowed: Callable[[str], bool] | None = None,
    ) -> None:
        self._max_bytes = max_bytes
        self._seconds = seconds
        # In few threads of its own: whoever names hosts whose name servers never answer must not fill the event loop's.
        self._resolver = SystemResolver(_ASKED)
        self._resolve = resolve or self._resolver.forward
        self._transport = transport
        self._is_allowed = is_allowed or is_public
        self._client: httpx.AsyncClient | None = None

    async def get(self, url: str, accept: str) -> Fetched:
        """The document at ``url``. FetchError when it is not to be had within the limits."""
        try:
            origin, path, query = split_url(url)
        except AgentError as error:
            raise FetchError(str(error)) from None
        host = origin.removeprefix("https://")
        try:
            async with asyncio.timeout(self._seconds):
                addresses = await self._addresses(host)
                return await self._first(addresses, host, f"{path or '/'}{query}", accept)
        except TimeoutError:
            raise FetchError(f"no answer within {self._seconds} s") from None

    async def aclose(self) -> None:
        """Close the connections."""
        self._resolver.close()
        if self._client is not None:
            await self._client.aclose()

    async def _addresses(self, host: str) -> list[str]:
        try:
            addresses = list(dict.fromkeys(await self._resolve(host)))
        except (OSError, UnicodeError) as error:
            raise FetchError(f"{host} has no address ({error})") from None
        hidden = [address for address in addresses if not self._is_allowed(address)]
        if hidden or not addresses:
            raise FetchError(f"{host} has {'an address that is not public' if hidden else 'no address'}")
        return addresses[:_TRIED]

    async def _first(self, addresses: Sequence[str], host: str, target: str, accept: str) -> Fetched:
        for address in addresses:
            try:
                return await self._from(address, host, target, accept)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                reason = str(error) or type(error).__name__
            except httpx.HTTPError as error:
                raise FetchError(str(error) or type(error).__name__) from None
        raise FetchError(reason)

    async def _from(self, address: str, host: str, target: str, accept: str) -> Fetched:
        client = await self._connected()
        literal = f"[{address}]" if ":" in address else address
        request = client.build_request(
            "GET",
            f"https://{literal}{target}",
            headers={"Host": host, "Accept": accept, "Accept-Encoding": "identity", "User-Agent": "contentguard"},
            extensions={"sni_hostname": host, "timeout": httpx.Timeout(self._seconds).as_dict()},
        )
        response = await client.send(request, stream=True)
        try:
            return Fetched(_headers(response), await self._body(response))
        finally:
            await response.aclose()

    async def _body(self, response: httpx.Response) -> bytes:
        if response.status_code != 200:
            raise FetchError(f"status {response.status_code}")
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise FetchError("compressed, though that was not asked for")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > self._max_bytes:
                raise FetchError(f"more than {self._max_bytes} bytes")
        return bytes(body)

    async def _connected(self) -> httpx.AsyncClient:
        if self._client is None:
            # Reading the certificates takes long enough to be felt by a reader: not in the event loop.
            verify: ssl.SSLContext | bool = self._transport is None and await asyncio.to_thread(secure_context)
            self._client = httpx.AsyncClient(
                transport=self._transport,
                verify=verify,
                trust_env=False,
                follow_redirects=False,
                # A kept connection was verified for one name, and another may have the same address.
                limits=httpx.Limits(max_connections=8, max_keepalive_connections=0),
            )
        return self._client


async def unpacked(response: httpx.Response, most: int) -> bytes:
    """A response's body, plain or as gzip or deflate has it, unpacked within ``most`` bytes. FetchError otherwise.

    httpx unpacks a chunk whole, however large that becomes.
    """
    coding = response.headers.get("content-encoding", "").strip().lower()
    if coding not in _WINDOWS:
        raise FetchError(f"compressed as {coding[:40]!r}, though that was not asked for")
    unpack = zlib.decompressobj(_WINDOWS[coding]) if _WINDOWS[coding] else None
    body = bytearray()
    async for chunk in response.aiter_raw():
        try:
            body += unpack.decompress(chunk, most + 1 - len(body)) if unpack else chunk
        except zlib.error:
            raise FetchError(f"no {coding}, though it says so") from None
        if len(body) > most:
            raise FetchError(f"more than {most:,} bytes")
    return bytes(body)


def secure_context() -> ssl.SSLContext:
    """By whose certificates servers are believed. Slow: not in the event loop."""
    return httpx.create_ssl_context(trust_env=False)


def _headers(response: httpx.Response) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name.lower(), value) for name, value in response.headers.raw)


async def system_resolve(host: str) -> Sequence[str]:
    """All addresses of a host, by the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, 443, type=1)
    return [str(entry[4][0]) for entry in found]


def is_public(text: str) -> bool:
    """Whether an address is of the public internet, also when it is IPv4 within IPv6."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        if address.teredo is not None or any(address in network for network in _LOCAL):
            return False
        address = _embedded(address) or address
    return address.is_global and not address.is_multicast and not address.is_reserved


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address within an IPv6 address: mapped (RFC 4291), 6to4 (RFC 3056) or NAT64 (RFC 6052)."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
