"""A token in an address that opens one article once, for who keeps no cookies.

Strategy: sealed together with the path that it opens, so it opens no other; the store spends its id.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct

from contentguard.sealed import seal, unseal

_BODY, _PURPOSE = Struct(">8sI"), b"cg-once"
LIFE = 120
"""Seconds for which a token can be used."""


def write(key: bytes, name: str, path: str, now: float) -> str:
    """A token for ``path`` (as it is written in a URL). ``name``: 16 random hex digits."""
    return seal(
        key, _PURPOSE, 1, _BODY.pack(bytes.fromhex(name), int(now) + LIFE), path.encode("utf-8", "surrogatepass")
    )


def read(keys: Sequence[bytes], token: bytes, path: str, now: float) -> tuple[str, float] | None:
    """What has to be spent for a token, and until when it can be; None where it is none for this path, or too late."""
    body = unseal(keys, _PURPOSE, 1, token, path.encode("utf-8", "surrogatepass"))
    if body is None or len(body) != _BODY.size:
        return None
    name, until = _BODY.unpack(body)
    return None if now > until else (name.hex(), float(until))
