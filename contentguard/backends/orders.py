"""Carrying an operator's order to a running server."""

from __future__ import annotations

import httpx

from contentguard.errors import ContentGuardError

_MOST = 1 << 20


class OrderError(ContentGuardError):
    """An order was not carried out; the message says why."""


async def carry(
    url: str, order: str, body: bytes | None = None, *, transport: httpx.AsyncBaseTransport | None = None
) -> bytes:
    """What is answered at ``url``: to a GET, or with a ``body`` to a POST. ``order``: the header Authorization.

    No redirect is followed: an order is for one server. OrderError where the answer is none.
    """
    try:
        async with httpx.AsyncClient(transport=transport, timeout=10.0, follow_redirects=False) as client:
            method = "GET" if body is None else "POST"
            answer = await client.request(method, url, content=body, headers={"authorization": order})
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise OrderError(f"{url} gives no answer: {error or type(error).__name__}") from None
    if answer.status_code == 404:
        raise OrderError(f"{url} knows nothing of it: another secret key, another clock, or no contentguard there")
    if answer.status_code != 200 or len(answer.content) > _MOST:
        raise OrderError(f"{url} answers with status {answer.status_code}")
    return answer.content
