"""Signed tokens, one purpose each: a token made for one use is void for every other. Only here: itsdangerous.

Strategy: every purpose derives its own key from the secret, so a leaked or transplanted token is worth nothing
elsewhere. Of several secrets the first signs and all are accepted, which is how keys are rotated.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b, sha256

from itsdangerous import BadSignature, URLSafeSerializer


class Signer:
    """Signs values for a purpose, and reads them back."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """``keys``: the signing one first."""
        self._keys = tuple(keys)
        self._serializers: dict[str, URLSafeSerializer] = {}

    def derive(self, purpose: str) -> bytes:
        """32 secret bytes for ``purpose``, the same as long as the signing key is."""
        return _derived(self._keys[0], purpose)

    def derived(self, purpose: str) -> tuple[bytes, ...]:
        """The same of every key, the signing one first: what an older key has signed is still read."""
        return tuple(_derived(key, purpose) for key in self._keys)

    def sign(self, purpose: str, value: str) -> str:
        """A URL-safe token that carries ``value``."""
        return self._serializer(purpose).dumps(value).rstrip("=")

    def read(self, purpose: str, token: str) -> str | None:
        """The value that a token carries; None when it was not signed here for this purpose."""
        try:
            value = self._serializer(purpose).loads(token)
        except BadSignature:
            return None
        return value if isinstance(value, str) else None

    def _serializer(self, purpose: str) -> URLSafeSerializer:
        if purpose not in self._serializers:
            # itsdangerous takes the signing key last.
            self._serializers[purpose] = URLSafeSerializer(
                list(reversed(self._keys)),
                salt=f"contentguard.{purpose}.v1",
                signer_kwargs={"key_derivation": "hmac", "digest_method": sha256},
            )
        return self._serializers[purpose]


def _derived(key: bytes, purpose: str) -> bytes:
    return blake2b(purpose.encode(), digest_size=32, key=blake2b(key, digest_size=32).digest()).digest()
