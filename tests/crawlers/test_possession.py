"""Directories that prove to be their keys' own."""

from __future__ import annotations

from contentguard.crawlers.keys import read_directory
from contentguard.crawlers.message import SignedRequest, SignedResponse
from contentguard.crawlers.possession import possesses
from tests.crawlers.signing import NOW, WELL_KNOWN


def test_a_directory_is_proved_by_its_own_signature() -> None:
    """Draft E.2.3: the response is signed over its request's authority and its content."""
    body = (
        b'{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U",'
        b'"x":"JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs","use":"sig"}]}'
    )
    headers = (
        (b"content-digest", b"sha-256=:CADMT2aBdV/rqQr/NIru64ERQkCobVvllA4V0fLFDu0=:"),
        (
            b"signature-input",
            b'sig1=("@authority";req "content-digest");created=1735689600;expires=4889289600;'
            b'keyid="poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U";tag="http-message-signatures-directory"',
        ),
        (
            b"signature",
            b"sig1=:l6P8R67tm3kujAxbHWio7ll01qrEZ0dKD/WWlGhNYEmTnFZM8Wt0VQ9zqGfvo7T/UMkBxsigzChM1Gpz7gOVBg==:",
        ),
    )
    asked = SignedRequest("GET", "https", "signature-agent.test", WELL_KNOWN, ())
    keys = read_directory(body)
    assert possesses(SignedResponse(200, headers, asked), keys, body, NOW) == set(keys)
    assert not possesses(SignedResponse(200, headers, asked), keys, body + b" ", NOW)
    assert not possesses(SignedResponse(200, headers, asked), keys, body, 1e9)
    elsewhere = SignedRequest("GET", "https", "borrower.test", WELL_KNOWN, ())
    assert not possesses(SignedResponse(200, headers, elsewhere), keys, body, NOW)
    assert not possesses(SignedResponse(200, headers[:2], asked), keys, body, NOW)
    assert not possesses(SignedResponse(200, ((b"signature-input", b"(("),), asked), keys, body, NOW)
