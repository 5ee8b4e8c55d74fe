"""Web Bot Auth signatures: the published vectors, the four wire forms, and what must not pass."""

from __future__ import annotations

import json
import sys
from base64 import b64decode, b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.crawlers.fields import InnerList, parse_dictionary
from contentguard.crawlers.keys import read_key, thumbprint
from contentguard.crawlers.message import SignedRequest, signature_base
from contentguard.crawlers.signatures import (
    Claim,
    SignatureRules,
    Signed,
    accept_signature,
    conclude,
    examine,
    verify,
)
from tests.crawlers.signing import (
    DIRECTORY,
    ED25519,
    KEYID,
    LENIENT,
    NOW,
    RSA,
    SIGNER,
    WELL_KNOWN,
    judged,
    sign,
    signed,
)

VECTORS = [json.loads(line) for line in Path(__file__).with_name("web-bot-auth-vectors.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_request_vectors(vector: dict[str, Any]) -> None:
    url = urlsplit(vector["url"])
    target = url.path + (f"?{url.query}" if url.query else "")
    headers = tuple((name.lower().encode(), value.encode()) for name, value in vector["headers"].items())
    request = SignedRequest(vector["method"], url.scheme, url.netloc, target, headers)
    rules = SignatureRules(test_keys=True) if vector["id"] == "CG-N6" else LENIENT
    result = judged(request, rules, vector["now"], vector["body"].encode() if "body" in vector else None)
    reason = (vector["reason"] or "").split(" ")[0]
    assert (result.outcome.value, result.reason) == (vector["outcome"], reason)


BASES = [
    (
        "RFC 9421 B.2.6",
        ED25519,
        SignedRequest(
            "POST",
            "https",
            "example.com",
            "/foo?param=Value&Pet=dog",
            (
                (b"date", b"Tue, 20 Apr 2021 02:07:55 GMT"),
                (b"content-type", b"application/json"),
                (b"content-length", b"18"),
            ),
        ),
        '("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;'
        'keyid="test-key-ed25519"',
        "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==",
    ),
    (
        "draft-ietf -01 E.2.1",
        ED25519,
        signed((b"signature-agent", b'sig2="https://signature-agent.test"')),
        '("@authority" "signature-agent";key="sig2");created=1735689600;'
        'keyid="poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U";alg="ed25519";expires=4889289600;'
        'nonce="n9p433xm+NJ3ph3upfBIGmsuwHw387YV7Q/F+6BSpGCVjYCqQw6rznNA8PVVLySrAWsv0hQtFioQb6E1YsauiA==";'
        'tag="web-bot-auth"',
        "CGokAoY/FrPpyuzTe1Fb2kLTAH9Idw6qSFd1+D77r1firsMRCxeuLu5e6O+ek3zQgDMAzjiXtLVfqE00xnABCQ==",
    ),
    (
        "meunier -02 E.2.1",
        ED25519,
        signed((b"signature-agent", b'agent2="https://signature-agent.test"')),
        '("@authority" "signature-agent";key="agent2");created=1735689600;'
        'keyid="poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U";alg="ed25519";expires=4889289600;'
        'nonce="n9p433xm+NJ3ph3upfBIGmsuwHw387YV7Q/F+6BSpGCVjYCqQw6rznNA8PVVLySrAWsv0hQtFioQb6E1YsauiA==";'
        'tag="web-bot-auth"',
        "RdNFx5Bj6au3YgAMQL/RzmUlZE8QZLIaXGRpw985hWnwPfMxT228NMk6ehRS1PSl4e8PhbNZACSanGdhEwYCCg==",
    ),
    (
        "legacy E.2.2",
        ED25519,
        signed((b"signature-agent", b'"https://signature-agent.test"')),
        '("@authority" "signature-agent");created=1735689600;'
        'keyid="poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U";alg="ed25519";expires=1735693200;'
        'nonce="e8N7S2MFd/qrd6T2R3tdfAuuANngKI7LFtKYI/vowzk4lAZYadIX6wW25MwG7DCT9RUKAJ0qVkU0mEeLElW1qg==";'
        'tag="web-bot-auth"',
        "jdq0SqOwHdyHr9+r5jw3iYZH6aNGKijYp/EstF4RQTQdi5N5YYKrD+mCT1HA1nZDsi6nJKuHxUi/5Syp3rLWBA==",
    ),
    (
        "draft-ietf -01 E.1.1, RSA-PSS",
        RSA,
        signed((b"signature-agent", b'sig2="https://signature-agent.test"')),
        '("@authority" "signature-agent";key="sig2");created=1735689600;'
        'keyid="oD0HwocPBSfpNy5W3bpJeyFGY_IQ_YpqxSjQ3Yd-CLA";alg="rsa-pss-sha512";expires=4889289600;'
        'nonce="wcfPQPh7SzkvrIVvhD00vNk9PkxJNY2NVbYl2PVBB4zmUoluSwE7W6bPtF60QA3k8g06FU7PPCD+J58YofY1zg==";'
        'tag="web-bot-auth"',
        "iOCCPgZeV5D5KlfZLXIFQOZR2njqFiCMZIrb5HRRLrFZR5Wtpsn7HwbKfWYHqW3dYU7HV/RohjNg7fuyQ1Mdy2J4mya9JnQCZtCcIcOK/LM9"
        "Yc6g6ZTw0onurllrzEzuNQIFFkBTgPJZlA3rHioFrmDmn+nnN7HaC+it/PA2iGfENHYq9D3Ud7ZeDICmF1s5bsMgc+y+MxTPFQHxOEyhbCDj"
        "ZbT5yeSkGP1Czczg7Cpf0Fz/wuF3mJJ7TL1mzQk3PPizXFr/EnjdUWri1/W8M/f93d389BFF+qbkISzAvOHEk5TqOoyrzzotTn3xmYN6SCGT"
        "HG42fK4rA4Ei0qCnnA==",
    ),
]


@pytest.mark.parametrize(
    ("jwk", "request_", "parameters", "signature"), [b[1:] for b in BASES], ids=[b[0] for b in BASES]
)
def test_signature_vectors(jwk: dict[str, str], request_: SignedRequest, parameters: str, signature: str) -> None:
    covered = parse_dictionary("sig=" + parameters)["sig"]
    assert isinstance(covered, InnerList)
    assert signature_base(request_, covered).endswith(f'"@signature-params": {parameters}'.encode())
    assert verify(request_, covered, b64decode(signature), read_key(jwk))
    assert not verify(
        SignedRequest("GET", "https", "example.org", "/", request_.headers),
        covered,
        b64decode(signature),
        read_key(jwk),
    )


@pytest.mark.parametrize("name", [b[0] for b in BASES if "legacy" in b[0] or "E.2.1" in b[0]])
def test_wire_forms_end_to_end(name: str) -> None:
    _, _, request, parameters, signature = next(b for b in BASES if b[0] == name)
    both = ((b"signature-input", b"sig2=" + parameters.encode()), (b"signature", b"sig2=:" + signature.encode() + b":"))
    request = SignedRequest("GET", "https", "example.com", "/a", (*request.headers, *both))
    result = judged(request, LENIENT, 1735689660)
    assert (result.outcome, result.agent, result.label) == (Signed.VERIFIED, SIGNER + WELL_KNOWN, "sig2")
    assert result.has_nonce
    assert result.bearer


def test_unsigned_requests() -> None:
    request = SignedRequest("GET", "https", "news.example", "/", ((b"user-agent", b"x"),))
    assert judged(request, LENIENT, NOW).outcome is Signed.UNSIGNED


def test_the_signatures_of_others_are_left_alone() -> None:
    both = sign(f'sig1="{SIGNER}"', ';key="sig1"')
    headers = tuple(
        (name, b'other=("date");created=1;tag="x", ' + value) if name == b"signature-input" else (name, value)
        for name, value in both.headers
    )
    assert (
        judged(SignedRequest("GET", "https", "news.example", "/a?b=1", headers), LENIENT, NOW).outcome
        is Signed.VERIFIED
    )


@pytest.mark.parametrize(
    ("keyid", "outcomes"),
    [
        (thumbprint(RSA), {"sig1": Signed.VERIFIED, "sig2": Signed.INVALID}),
        (KEYID, {"sig1": Signed.VERIFIED}),  # of one key the first
    ],
)
def test_several_signatures_are_judged_apart(keyid: str, outcomes: dict[str, Signed]) -> None:
    good, bad = sign(f'sig1="{SIGNER}"', ';key="sig1"'), sign(f'sig1="{SIGNER}"', ';key="sig1"', keyid=keyid)
    first, second = dict(good.headers), dict(bad.headers)
    renamed = second[b"signature-input"].replace(b"sig1=(", b"sig2=(", 1)
    headers = (
        (b"signature-agent", first[b"signature-agent"]),
        (b"signature-input", first[b"signature-input"]),
        (b"signature-input", renamed),
        (b"signature", first[b"signature"]),
        (b"signature", second[b"signature"].replace(b"sig1=", b"sig2=", 1)),
    )
    request = SignedRequest("GET", "https", "news.example", "/a?b=1", headers)
    claims = [claim for claim in examine(request, LENIENT, NOW) if isinstance(claim, Claim)]
    assert {claim.label: conclude(claim, request, DIRECTORY, NOW).outcome for claim in claims} == outcomes


def test_more_lists_than_a_request_may_carry_are_not_even_read() -> None:
    request = sign(f'sig1="{SIGNER}"', ';key="sig1"')
    said = dict(request.headers)[b"signature-input"]
    for times, reason in ((4, ""), (5, "signature-input-unreadable")):
        # Of several members of one name the last counts, so these are one.
        headers = tuple(pair for pair in request.headers if pair[0] != b"signature-input")
        many = replace(request, headers=(*headers, (b"signature-input", b", ".join([said] * times))))
        assert judged(many, LENIENT, NOW).reason == reason


def test_plain_http_is_not_believed() -> None:
    request = sign(f'sig1="{SIGNER}"', ';key="sig1"')
    over_http = SignedRequest("GET", "http", request.authority, request.target, request.headers)
    assert judged(over_http, LENIENT, NOW).reason == "plain-http"


def test_keys_that_everybody_has_are_not_believed() -> None:
    request = sign(f'sig1="{SIGNER}"', ';key="sig1"')
    assert judged(request, SignatureRules(), NOW).reason == "test-key"


def test_a_borrowed_key_attributes_nothing_to_its_owner() -> None:
    """A directory that lists somebody else's public key must not earn that agent's name: keys belong to an address."""
    request = sign('sig1="https://borrower.test"', ';key="sig1"')
    (claim,) = examine(request, LENIENT, NOW)
    assert isinstance(claim, Claim)
    result = conclude(claim, request, DIRECTORY, NOW)
    assert result.agent == "https://borrower.test" + WELL_KNOWN


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        ("created={0};expires={0}", "expires-before-created"),
        ('created="{0}";expires={1}', "missing-fields"),
        ("created={0}.5;expires={1}", "missing-fields"),
        ("created=@{0};expires={1}", "missing-fields"),
        ("created=?1;expires={1}", "missing-fields"),
        ("created={0};expires={2}", "lifetime-too-long"),
    ],
)
def test_times(times: str, reason: str) -> None:
    now = int(NOW)
    request = sign(f'sig1="{SIGNER}"', ';key="sig1"', times=times.format(now, now + 60, now + 86_401))
    assert judged(request, SignatureRules(test_keys=True), NOW).reason == reason


def test_the_clock_has_leeway_both_ways() -> None:
    request = sign(f'sig1="{SIGNER}"', ';key="sig1"', times=f"created={int(NOW)};expires={int(NOW) + 60}")
    for now, outcome in ((-29, Signed.VERIFIED), (-31, Signed.INVALID), (89, Signed.VERIFIED), (91, Signed.INVALID)):
        assert judged(request, LENIENT, NOW + now).outcome is outcome


def test_keys_are_valid_for_a_time() -> None:
    request = sign(f'sig1="{SIGNER}"', ';key="sig1"')
    (claim,) = examine(request, LENIENT, NOW)
    assert isinstance(claim, Claim)
    for times, reason in (
        ({"nbf": NOW + 100}, "key-not-valid-now"),
        ({"exp": NOW - 100}, "key-not-valid-now"),
        ({"exp": (NOW + 100) * 1000}, ""),
    ):
        key = read_key({**ED25519, **times})
        assert conclude(claim, request, {key.thumbprint: key}, NOW).reason == reason
    assert conclude(claim, request, {}, NOW).reason == "key-not-in-directory"


def test_what_may_be_seen_once_differs_with_every_part() -> None:
    """ALTCHA GHSA-6gvq-jcmp-8959: parts of a whole that is hashed must not run into each other."""
    results = [
        judged(sign(f'sig1="{SIGNER}"', ';key="sig1"', more=more), LENIENT, NOW)
        for more in (';nonce="ab"', ';nonce="a"', ';nonce="b"', "")
    ]
    assert {result.outcome for result in results} == {Signed.VERIFIED}
    assert len({result.once for result in results}) == 4
    assert [result.has_nonce for result in results] == [True, True, True, False]
    assert all(result.expires == NOW + 300 for result in results)


def test_without_cryptography_nothing_is_verified_and_nothing_invalid(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "cryptography"]:
        monkeypatch.setitem(sys.modules, name, None)
    for path in ("/a", "/other"):
        result = judged(sign(f'sig1="{SIGNER}"', ';key="sig1"', path=path), LENIENT, NOW)
        assert (result.outcome, result.reason) == (Signed.UNVERIFIED, "no-cryptography")


@pytest.mark.parametrize(
    "covered",
    ['"x";bs', '"x";tr', '"x";unknown', '"@status"', '"@method";req', '"@unknown"', '"@query-param"', '"x";key="z"'],
)
def test_components_that_we_cannot_have_make_a_signature_invalid(covered: str) -> None:
    request = sign(f'sig1="{SIGNER}"', ';key="sig1"')
    headers = tuple(
        (name, value.replace(b'("@method"', b'("@method" ' + covered.encode())) for name, value in request.headers
    )
    result = judged(SignedRequest("GET", "https", "news.example", "/a?b=1", (*headers, (b"x", b"a=1"))), LENIENT, NOW)
    assert result.outcome is Signed.INVALID
    assert result.reason in {"component-unsupported", "missing-component"}


@pytest.mark.parametrize("algorithm", ["hmac-sha256", "rsa-pss-sha512", "ecdsa-p256-sha256", "none", "ED25519"])
def test_the_key_decides_the_algorithm(algorithm: str) -> None:
    request = sign(f'sig1="{SIGNER}"', ';key="sig1"', more=f';alg="{algorithm}"')
    assert judged(request, LENIENT, NOW).reason == "bad-signature"


def test_what_is_asked_for_is_what_is_understood() -> None:
    wanted = parse_dictionary(accept_signature(b"nonce"))["sig1"]
    assert isinstance(wanted, InnerList)
    assert [item.value for item in wanted.items] == ["@method", "@authority", "@path", "signature-agent"]
    assert list(wanted.parameters) == ["created", "expires", "keyid", "nonce", "tag"]


NAMES = st.sampled_from([b"signature-input", b"signature", b"signature-agent", b"content-digest"])
PIECES = [
    b'sig1=("@authority" "signature-agent";key="sig1")',
    b";created=1735689600;expires=4889289600",
    b';keyid="poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U"',
    b';tag="web-bot-auth"',
    b"sig1=:AAAA:",
    b'sig1="https://signature-agent.test"',
    b'"https://signature-agent.test"',
    b"(",
    b")",
    b'"',
    b",",
    b";",
    b"=",
    b"\xff",
    b"\x00",
    b" ",
]
VALUES = st.one_of(st.binary(max_size=200), st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join))


@given(st.lists(st.tuples(NAMES, VALUES), max_size=6))
def test_any_headers(headers: list[tuple[bytes, bytes]]) -> None:
    request = SignedRequest("GET", "https", "news.example", "/", tuple(headers))
    for result in examine(request, LENIENT, NOW):
        if isinstance(result, Claim):
            result = conclude(result, request, DIRECTORY, NOW, b"")
        assert result.outcome is not Signed.VERIFIED


@given(st.data())
def test_no_byte_of_a_signed_request_may_change(data: st.DataObject) -> None:
    request = sign(f'sig1="{SIGNER}"', ';key="sig1"')
    signature = dict(request.headers)[b"signature"]
    raw = bytearray(b64decode(signature[6:-1]))
    raw[data.draw(st.integers(0, 63))] ^= data.draw(st.integers(1, 255))
    headers = tuple(
        (n, b"sig1=:" + b64encode(bytes(raw)) + b":" if n == b"signature" else v) for n, v in request.headers
    )
    assert (
        judged(SignedRequest("GET", "https", "news.example", "/a?b=1", headers), LENIENT, NOW).reason == "bad-signature"
    )


def _b64(raw: bytes) -> bytes:
    from base64 import b64encode

    return b64encode(raw)
