"""What a browser posts, read with every limit that a public form needs.

Only `application/x-www-form-urlencoded`, which is what a form without files sends: nothing is parsed before the whole
body is known to be small, the number of fields is capped, and a body that is no form is an error and not half a form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

_MOST_BYTES: Final = 900_000
"""The longest comment WordPress takes (65,525 characters), each written as four escapes of three."""
_MOST_FIELDS: Final = 1024
"""A page of a queue has a field for each comment on it."""


async def posted(request: Request) -> list[tuple[str, str]]:
    """Return the fields of a form in their order, or raise HTTPException: 400, 413 or 415."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise HTTPException(415)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise HTTPException(413)
    try:
        return parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="replace",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        raise HTTPException(400) from None


def single(fields: list[tuple[str, str]]) -> Mapping[str, str]:
    """Return the fields by name; of several with one name the first."""
    return dict(reversed(fields))
