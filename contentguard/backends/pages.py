"""Fetching the page that is suspected to be a copy: whatever its address, it leads only into the public internet.

Strategy: as ``fetching``, and what readers' browsers do besides: plain http, ports, up to five redirects, gzip. Every
address is resolved once and checked before anything connects to that very address, after each redirect anew; bytes are
counted as they are unpacked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import SplitResult, urljoin, urlsplit

import httpx

from contentguard.backends.fetching import FetchError, Resolve, is_public, secure_context, system_resolve, unpacked

_TRIED = 2
TYPES = (
    "text/html",
    "text/plain",
    "text/markdown",
    "application/xhtml+xml",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
)
"""What a text can come as."""
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_PORTS = {"http": 80, "https": 443}


class Page(NamedTuple):
    """What was at an address in the end."""

    url: str
    kind: str
    """Its media type, without parameters; empty where it named none."""
    charset: str
    body: bytes


@dataclass(frozen=True, slots=True)
class PageFetcher:
    """GETs of what strangers published. ``private``: whether addresses of one's own network are allowed, for tests."""

    private: bool = False
    max_bytes: int = 5 * 2**20
    seconds: float = 10.0
    """For all of it."""
    redirects: int = 5
    types: tuple[str, ...] = TYPES
    resolve: Resolve = system_resolve
    transport: Callable[[], httpx.AsyncBaseTransport] | None = None

    async def get(self, url: str) -> Page:
        """The page at ``url``. FetchError where it is not to be had within the limits."""
        try:
            async with asyncio.timeout(self.seconds), await self._client() as client:
                for _ in range(self.redirects + 1):
                    found = await self._step(client, url)
                    if isinstance(found, Page):
                        return found
                    url = found
        except TimeoutError:
            raise FetchError(f"no answer within {self.seconds:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            # ValueError: of an address that a redirect names, where the standard library or IDNA cannot read it.
            raise FetchError(str(error) or type(error).__name__) from None
        raise FetchError(f"more than {self.redirects} redirects")

    async def _client(self) -> httpx.AsyncClient:
        transport = None if self.transport is None else self.transport()
        verify = await asyncio.to_thread(secure_context) if transport is None else True
        return httpx.AsyncClient(
            transport=transport,
            verify=verify,
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=2, max_keepalive_connections=0),
        )

    async def _step(self, client: httpx.AsyncClient, url: str) -> Page | str:
        """The page, or where it is said to be."""
        parts = _checked(url)
        host = parts.hostname or ""
        reason = ""
        for address in await self._addresses(host):
            try:
                response = await client.send(self._request(client, parts, address), stream=True)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                reason = str(error) or type(error).__name__
                continue
            try:
                return await self._answer(response, url)
            finally:
                await response.aclose()
        raise FetchError(reason)

    async def _addresses(self, host: str) -> list[str]:
        try:
            addresses = list(dict.fromkeys(await self.resolve(host)))
        except (OSError, UnicodeError) as error:
            raise FetchError(f"{host} has no address ({error})") from None
        if not addresses:
            raise FetchError(f"{host} has no address")
        if not self.private and not all(map(is_public, addresses)):
            raise FetchError(f"{host} has an address that is not public (--allow-private, for one's own tests)")
        return addresses[:_TRIED]

    def _request(self, client: httpx.AsyncClient, parts: SplitResult, address: str) -> httpx.Request:
        named = httpx.URL(parts.geturl())
        port = parts.port or _PORTS[parts.scheme]
        literal = f"[{address}]" if ":" in address else address
        return client.build_request(
            "GET",
            parts._replace(netloc=f"{literal}:{port}", fragment="").geturl(),
            headers={
                "Host": named.netloc.decode("ascii"),
                "Accept": ", ".join(self.types),
                "Accept-Encoding": "gzip",
                "User-Agent": "contentguard",
            },
            extensions={"sni_hostname": named.raw_host.decode("ascii"), "timeout": _timeout(self.seconds)},
        )

    async def _answer(self, response: httpx.Response, url: str) -> Page | str:
        if response.status_code in _REDIRECTS and (location := response.headers.get("location")):
            return urljoin(url, str(location))
        if response.status_code != 200:
            raise FetchError(f"status {response.status_code}")
        kind, _, parameters = response.headers.get("content-type", "").lower().partition(";")
        if kind.strip() and kind.strip() not in self.types:
            raise FetchError(f"expected a text ({', '.join(TYPES[:3])}), found {kind.strip()[:80]!r}")
        charset = parameters.partition("charset=")[2].partition(";")[0].strip("\"' ")
        return Page(url, kind.strip(), charset, await unpacked(response, self.max_bytes))


def _timeout(seconds: float) -> dict[str, float | None]:
    return httpx.Timeout(seconds).as_dict()


def _checked(url: str) -> SplitResult:
    """An address of the web, with nothing in it that is read differently by different programs."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _PORTS and parts.hostname and parts.port != 0 and parts.username is None
    except ValueError:
        usable = False
    if not usable or any(character <= " " or character in "\\\x7f" for character in url) or len(url) > 2048:
        raise FetchError(f"expected an address like https://example.org/page, found {url[:100]!r}")
    return parts
