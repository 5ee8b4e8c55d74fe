"""Public keys of signing robots: read from a key directory, known by their thumbprints, able to verify.

A key's name is always computed here (RFC 7638), never believed: of the directories found in the field a third name
their keys otherwise or not at all. ``cryptography`` is an optional dependency and loaded only when there is a
signature to verify.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType
from typing import Any

MAX_KEYS = 32
TEST_KEYS = frozenset({"poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U", "oD0HwocPBSfpNy5W3bpJeyFGY_IQ_YpqxSjQ3Yd-CLA"})
"""Thumbprints of keys whose private half is printed in RFC 9421 appendix B.1: whoever signs with them is nobody."""

_MEMBERS = {"OKP": ("crv", "kty", "x"), "RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y")}
_BASE64URL = re.compile(r"[A-Za-z0-9_-]{1,1400}+")
_MILLISECONDS = 1e11
"""Times above this are milliseconds, as some directories have them."""


class CryptographyMissingError(ImportError):
    """No signature can be verified: the package was installed without its extra ``agents``."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key as a JWK (RFC 7517, RFC 8037)."""

    thumbprint: str
    kind: str
    """``Ed25519``, ``P-256``, ``P-384`` or ``RSA``."""
    values: tuple[bytes, ...]
    """x; x and y; or e and n."""
    not_before: float = 0.0
    expires: float = float("inf")
    """Seconds since the epoch."""

    def is_valid_at(self, now: float) -> bool:
        """Whether the directory offers this key for use at ``now``."""
        return self.not_before <= now < self.expires


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """The SHA-256 thumbprint of a JWK (RFC 7638). ValueError when it is no key that we know."""
    members = _MEMBERS.get(str(jwk.get("kty")), ())
    values = {name: jwk.get(name) for name in members}
    if not members or not all(isinstance(value, str) for value in values.values()):
        raise ValueError(f"no key of a known type: {jwk.get('kty')!r}")
    text = json.dumps(values, separators=(",", ":"), sort_keys=True)
    return urlsafe_b64encode(sha256(text.encode()).digest()).rstrip(b"=").decode("ascii")


def read_key(jwk: object) -> PublicKey:
    """The public key in a JWK. ValueError when it is none with which signatures can be verified."""
    if not isinstance(jwk, Mapping):
        raise ValueError("a key that is no object")
    name = thumbprint(jwk)
    kind = "RSA" if jwk["kty"] == "RSA" else str(jwk.get("crv"))
    values = tuple(_decoded(jwk[member]) for member in _VALUES.get(kind, ()))
    if not values or not _LENGTHS[kind](values):
        raise ValueError(f"no key of a known kind and size: {kind!r}")
    return PublicKey(name, kind, values, _time(jwk.get("nbf"), 0.0), _time(jwk.get("exp"), float("inf")))


def read_directory(document: bytes) -> dict[str, PublicKey]:
    """The usable keys of a JWK set (RFC 7517 §5) by thumbprint; a bare JWK counts as a set of one.

    ValueError when the document is no set, or one of more than ``MAX_KEYS`` keys. Single keys that we cannot use
    are left out.
    """
    try:
        content = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from None
    if isinstance(content, dict) and "keys" not in content and "kty" in content:
        content = {"keys": [content]}
    keys = content.get("keys") if isinstance(content, dict) else None
    if not isinstance(keys, list) or len(keys) > MAX_KEYS:
        raise ValueError(f"no set of at most {MAX_KEYS} keys")
    found: dict[str, PublicKey] = {}
    for jwk in keys:
        try:
            key = read_key(jwk)
        except (ValueError, TypeError, KeyError):
            continue
        found[key.thumbprint] = key
    return found


def verifies(key: PublicKey, algorithm: str | None, signature: bytes, message: bytes) -> bool:
    """Whether ``signature`` over ``message`` was made with ``key``.

    ``algorithm`` is the signature's ``alg`` parameter (RFC 9421 §6.2.2): the key decides, and it may only agree.
    Raises CryptographyMissingError.
    """
    allowed = _ALGORITHMS[key.kind]
    chosen = allowed if algorithm is None else tuple(name for name in allowed if name == algorithm)
    try:
        return any(_CHECKS[name](key.values, signature, message) for name in chosen)
    except ImportError as error:
        raise CryptographyMissingError("signatures need contentguard[agents]") from error


def _decoded(text: object) -> bytes:
    if not isinstance(text, str) or not _BASE64URL.fullmatch(text):
        raise ValueError("no base64url text")
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _time(value: object, missing: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return missing
    return value / 1000 if value > _MILLISECONDS else float(value)


_VALUES = MappingProxyType({"Ed25519": ("x",), "P-256": ("x", "y"), "P-384": ("x", "y"), "RSA": ("e", "n")})
_LENGTHS: Mapping[str, Callable[[tuple[bytes, ...]], bool]] = MappingProxyType(
    {
        "Ed25519": lambda values: len(values[0]) == 32,
        "P-256": lambda values: [len(value) for value in values] == [32, 32],
        "P-384": lambda values: [len(value) for value in values] == [48, 48],
        "RSA": lambda values: len(values[0]) <= 4 and 256 <= len(values[1]) <= 1024,
    }
)
_ALGORITHMS = MappingProxyType(
    {
        "Ed25519": ("ed25519",),
        "P-256": ("ecdsa-p256-sha256",),
        "P-384": ("ecdsa-p384-sha384",),
        "RSA": ("rsa-pss-sha512", "rsa-v1_5-sha256"),
    }
)


@lru_cache(maxsize=64)
def _ed25519(values: tuple[bytes, ...]) -> Any:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(values[0])


def _check_ed25519(values: tuple[bytes, ...], signature: bytes, message: bytes) -> bool:
    if len(signature) != 64:
        return False
    return _passes(lambda: _ed25519(values).verify(signature, message))


def _check_ecdsa(values: tuple[bytes, ...], signature: bytes, message: bytes) -> bool:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    size = len(values[0])
    if len(signature) != 2 * size:
        return False
    curve: ec.EllipticCurve = ec.SECP256R1() if size == 32 else ec.SECP384R1()
    digest: hashes.HashAlgorithm = hashes.SHA256() if size == 32 else hashes.SHA384()
    r, s = (int.from_bytes(half, "big") for half in (signature[:size], signature[size:]))
    x, y = (int.from_bytes(value, "big") for value in values)

    def check() -> None:
        key = ec.EllipticCurvePublicNumbers(x, y, curve).public_key()
        key.verify(encode_dss_signature(r, s), message, ec.ECDSA(digest))

    return _passes(check)


def _check_rsa(values: tuple[bytes, ...], signature: bytes, message: bytes, *, pss: bool) -> bool:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    e, n = (int.from_bytes(value, "big") for value in values)

    def check() -> None:
        key = rsa.RSAPublicNumbers(e, n).public_key()
        if pss:
            salted = padding.PSS(padding.MGF1(hashes.SHA512()), 64)
            key.verify(signature, message, salted, hashes.SHA512())
        else:
            key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())

    return _passes(check)


def _passes(check: Callable[[], None]) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        check()
    except (InvalidSignature, ValueError):
        return False
    return True


_CHECKS: Mapping[str, Callable[[tuple[bytes, ...], bytes, bytes], bool]] = MappingProxyType(
    {
        "ed25519": _check_ed25519,
        "ecdsa-p256-sha256": _check_ecdsa,
        "ecdsa-p384-sha384": _check_ecdsa,
        "rsa-pss-sha512": lambda values, signature, message: _check_rsa(values, signature, message, pss=True),
        "rsa-v1_5-sha256": lambda values, signature, message: _check_rsa(values, signature, message, pss=False),
    }
)
