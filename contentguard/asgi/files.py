"""Pages that the app leaves to the server to read (ASGI extensions ``pathsend`` and ``zerocopysend``).

Strategy: only a message that belongs to a held page is looked at, and only as far as a page may be long; every other
file goes its usual short way.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import Message

PATHSEND, ZEROCOPY = "http.response.pathsend", "http.response.zerocopysend"


def read(message: Message, limit: int) -> bytes | None:
    """The bytes that ``message`` stands for; None when there are more than ``limit``. Blocks; raises OSError."""
    if message["type"] == PATHSEND:
        with open(message["path"], "rb") as file:
            data = file.read(limit + 1)
        return data if len(data) <= limit else None
    return _from_descriptor(message, limit)


def _from_descriptor(message: Message, limit: int) -> bytes | None:
    file: Any = message["file"]
    descriptor = file if isinstance(file, int) else file.fileno()
    offset, count = message.get("offset"), message.get("count")
    start = os.lseek(descriptor, 0, os.SEEK_CUR) if offset is None else offset
    wanted = os.fstat(descriptor).st_size - start if count is None else count
    if wanted > limit:
        return None
    parts: list[bytes] = []
    while wanted > 0 and (part := os.pread(descriptor, wanted, start)):
        parts.append(part)
        start, wanted = start + len(part), wanted - len(part)
    if offset is None:
        # The server would have read on from there.
        os.lseek(descriptor, start, os.SEEK_SET)
    return b"".join(parts)


def beginning(message: Message, size: int) -> bytes:
    """The first ``size`` bytes, at most, of what ``message`` stands for. Blocks; raises OSError."""
    if message["type"] == PATHSEND:
        with open(message["path"], "rb") as file:
            return file.read(size)
    file = message["file"]
    descriptor = file if isinstance(file, int) else file.fileno()
    offset = message.get("offset")
    return os.pread(descriptor, size, os.lseek(descriptor, 0, os.SEEK_CUR) if offset is None else offset)
