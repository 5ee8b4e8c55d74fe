"""A robot that signs: the test keys of RFC 9421 appendix B.1, and requests signed with them."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64decode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contentguard.crawlers.fields import InnerList, parse_dictionary
from contentguard.crawlers.keys import read_key, thumbprint
from contentguard.crawlers.message import SignedRequest, signature_base
from contentguard.crawlers.signatures import SignatureResult, SignatureRules, conclude, examine, explained

NOW = 1735689660.0
WELL_KNOWN = "/.well-known/http-message-signatures-directory"
ED25519 = {
    "kty": "OKP",
    "crv": "Ed25519",
    "d": "n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU",
    "x": "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs",
}
KEYID = "poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U"
RSA = {
    "kty": "RSA",
    "e": "AQAB",
    "n": "r4tmm3r20Wd_PbqvP1s2-QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct-Lh1GH45x28Rw3Ry53mm-oAXjyQ86OnDkZ5N8lYbggD4O"
    "3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHqgDsznjPFmTOtCEcN2Z1FpWgchwuYLPL-Wokqltd11nqqzi-bJ9cvSKADYdUAAN5WUtzdpiy6"
    "LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4aOT9v6d-nb4bnNkQVklLQ3fVAvJm-xdDOp9LCNCN48V2pnDOkFV6-U9n"
    "V5oyc6XI2w",
}
DIRECTORY = {thumbprint(jwk): read_key(jwk) for jwk in (ED25519, RSA)}
SIGNER = "https://signature-agent.test"
LENIENT = SignatureRules(max_lifetime=None, test_keys=True)
_PRIVATE = Ed25519PrivateKey.from_private_bytes(urlsafe_b64decode(ED25519["d"] + "="))


def signed(*headers: tuple[bytes, bytes]) -> SignedRequest:
    """A GET of https://example.com/ with ``headers``."""
    return SignedRequest("GET", "https", "example.com", "/", headers)


def sign(
    agent: str,
    cover: str,
    *,
    path: str = "/a",
    times: str = f"created={int(NOW)};expires={int(NOW) + 300}",
    more: str = "",
    keyid: str = KEYID,
    authority: str = "news.example",
    private: Ed25519PrivateKey = _PRIVATE,
) -> SignedRequest:
    """A GET of https://news.example/a?b=1, signed for ``path`` with the header ``Signature-Agent: agent``.

    ``cover``: the parameters of the covered component ``"signature-agent"``.
    """
    parameters = f';{times};keyid="{keyid}";tag="web-bot-auth"{more}'
    covered = f'("@method" "@authority" "@path" "@query" "signature-agent"{cover}){parameters}'
    headers = ((b"signature-agent", agent.encode()),)
    inner = parse_dictionary(f"sig1={covered}")["sig1"]
    assert isinstance(inner, InnerList)
    base = _base(SignedRequest("GET", "https", authority, f"{path}?b=1", headers), inner)
    signature = b64encode(private.sign(base))
    both = ((b"signature-input", b"sig1=" + covered.encode()), (b"signature", b"sig1=:" + signature + b":"))
    return SignedRequest("GET", "https", authority, "/a?b=1", (*headers, *both))


def judged(request: SignedRequest, rules: SignatureRules, now: float, body: bytes | None = None) -> SignatureResult:
    """One signature's result, with the test keys in the directory of signature-agent.test only."""
    examined = examine(request, rules, now)
    assert len(examined) == 1
    if isinstance(examined[0], SignatureResult):
        return examined[0]
    keys = DIRECTORY if examined[0].agent == SIGNER + WELL_KNOWN else None
    result = conclude(examined[0], request, keys, now, body)
    return result if keys is None else explained(result, examined[0], request, keys)


def _base(request: SignedRequest, covered: InnerList) -> bytes:
    try:
        return signature_base(request, covered)
    except ValueError:
        return b"what cannot be signed"
