"""What stores keep instead of keys: keyed hashes.

A key may name a person's address, may be as long as a client likes, and may be chosen by it. Its keyed hash is 16
bytes, tells nothing without the secret, and cannot be aimed at one row of a table. Stores that are to know each other's
entries share the secret.
"""

from __future__ import annotations

from hashlib import blake2b

SIZE = 16
"""Bytes of a name."""


class Names:
    """Key → name. ``secret``: at least 16 bytes. ValueError when it is shorter."""

    __slots__ = ("_hash",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 16:
            raise ValueError(f"the store's secret needs at least 16 bytes, not {len(secret)}")
        self._hash = blake2b(digest_size=SIZE, key=blake2b(secret, person=b"cg-store").digest())

    def __call__(self, key: str) -> bytes:
        """Keyed BLAKE2b (RFC 7693) of ``key``, 16 bytes."""
        state = self._hash.copy()
        state.update(key.encode("utf-8", "surrogatepass"))
        return state.digest()
