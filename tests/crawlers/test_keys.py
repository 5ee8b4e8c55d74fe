"""Public keys: their names, their directories, and every algorithm."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from contentguard.crawlers.fields import InnerList, parse_dictionary
from contentguard.crawlers.keys import MAX_KEYS, TEST_KEYS, PublicKey, read_directory, read_key, thumbprint, verifies
from contentguard.crawlers.message import signature_base
from contentguard.crawlers.signatures import verify
from tests.crawlers.signing import ED25519, KEYID, RSA, signed


@pytest.mark.parametrize(
    ("jwk", "name"),
    [
        (ED25519, KEYID),
        (
            {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        ),
        (RSA, "oD0HwocPBSfpNy5W3bpJeyFGY_IQ_YpqxSjQ3Yd-CLA"),
    ],
)
def test_thumbprints(jwk: dict[str, str], name: str) -> None:
    """RFC 7638, RFC 8037 A.3, RFC 9421 B.1."""
    assert thumbprint(jwk) == name
    assert thumbprint({**jwk, "kid": "x", "use": "sig", "alg": "x"}) == name
    assert read_key(jwk).thumbprint == name


def test_the_keys_that_everybody_has() -> None:
    assert {thumbprint(ED25519), thumbprint(RSA)} == TEST_KEYS


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        [],
        "x",
        None,
        {"kty": "oct", "k": "AAAA"},
        {"kty": "OKP", "crv": "X25519", "x": ED25519["x"]},
        {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"},
        {"kty": "OKP", "crv": "Ed25519", "x": 1},
        {"kty": "OKP", "crv": "Ed25519"},
        {"kty": "OKP", "crv": "Ed25519", "x": "+" * 43},
        {"kty": "EC", "crv": "P-256", "x": ED25519["x"], "y": "AAAA"},
        {"kty": "RSA", "e": "AQAB", "n": "AQAB"},
    ],
)
def test_what_is_no_key(jwk: object) -> None:
    with pytest.raises(ValueError, match=r"key|base64url"):
        read_key(jwk)


def test_directories() -> None:
    odd = {"kty": "OKP", "crv": "Ed448", "x": "AAAA"}
    found = read_directory(json.dumps({"keys": [{**ED25519, "kid": "somebody-else"}, odd, RSA, 7]}).encode())
    assert set(found) == {thumbprint(ED25519), thumbprint(RSA)}
    assert set(read_directory(json.dumps(ED25519).encode())) == {KEYID}, "a bare key, as one shop serves it"
    assert read_directory(b'{"keys":[]}') == {}


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"keys":{}}',
        b'{"keys":' + b"[" * 5000,
        b"\xff",
        b'{"keys":[' + b"1," * 40 + b"1]}",
    ],
)
def test_what_is_no_directory(document: bytes) -> None:
    with pytest.raises(ValueError, match=rf"JSON|{MAX_KEYS}"):
        read_directory(document)


@given(
    st.recursive(
        st.none() | st.text() | st.integers() | st.floats(),
        lambda x: (
            st.lists(x) | st.dictionaries(st.sampled_from(["keys", "kty", "crv", "x", "y", "n", "e", "nbf", "exp"]), x)
        ),
        max_leaves=12,
    )
)
def test_any_json(content: object) -> None:
    try:
        found = read_directory(json.dumps(content).encode())
    except ValueError:
        return
    assert all(len(name) == 43 for name in found)


@pytest.mark.parametrize(
    ("curve", "digest", "kind", "size"),
    [(ec.SECP256R1(), hashes.SHA256(), "P-256", 32), (ec.SECP384R1(), hashes.SHA384(), "P-384", 48)],
)
def test_elliptic_curves(curve: ec.EllipticCurve, digest: hashes.HashAlgorithm, kind: str, size: int) -> None:
    private = ec.derive_private_key(0x1234567890, curve)
    numbers = private.public_key().public_numbers()
    key = PublicKey("t", kind, (numbers.x.to_bytes(size, "big"), numbers.y.to_bytes(size, "big")))
    request, covered = signed(), parse_dictionary('sig=("@authority");created=1')["sig"]
    assert isinstance(covered, InnerList)
    r, s = decode_dss_signature(private.sign(signature_base(request, covered), ec.ECDSA(digest)))
    signature = r.to_bytes(size, "big") + s.to_bytes(size, "big")
    assert verify(request, covered, signature, key)
    assert not verify(request, covered, signature[:-1] + bytes([signature[-1] ^ 1]), key)
    assert not verify(request, covered, b"", key)


def test_rsa_in_both_paddings() -> None:
    private = rsa.generate_private_key(65537, 2048)
    numbers = private.public_key().public_numbers()
    n, e = (
        urlsafe_b64encode(v.to_bytes(size, "big")).rstrip(b"=").decode()
        for v, size in ((numbers.n, 256), (numbers.e, 3))
    )
    key = read_key({"kty": "RSA", "n": n, "e": e})
    old = private.sign(b"x", padding.PKCS1v15(), hashes.SHA256())
    new = private.sign(b"x", padding.PSS(padding.MGF1(hashes.SHA512()), 64), hashes.SHA512())
    assert verifies(key, None, old, b"x")
    assert verifies(key, "rsa-v1_5-sha256", old, b"x")
    assert verifies(key, "rsa-pss-sha512", new, b"x")
    assert not verifies(key, "rsa-pss-sha512", old, b"x")
    assert not verifies(key, None, old, b"y")


def test_a_key_off_its_curve_verifies_nothing() -> None:
    key = PublicKey("t", "P-256", (b"\1" * 32, b"\2" * 32))
    assert not verifies(key, None, b"\1" * 64, b"x")


def test_the_test_key_is_the_one_of_the_rfc() -> None:
    private = Ed25519PrivateKey.from_private_bytes(urlsafe_b64decode(ED25519["d"] + "="))
    assert private.public_key().public_bytes_raw() == urlsafe_b64decode(ED25519["x"] + "=")
