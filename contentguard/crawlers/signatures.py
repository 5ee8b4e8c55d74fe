"""Web Bot Auth: whether a request is signed, by which agent, and whether the signature holds (RFC 9421).

Two pure steps, for between them lies a key directory that somebody else has to fetch: ``examine`` reads the
headers and says for each signature either why it cannot count or whose keys are needed; ``conclude`` checks it
against those keys. Draft -01 of the working group (a direct key set URL per signature) is what is read; the older
wire forms that most signers still send are read too while ``compat`` is on: the bare string, the ``type``
parameter, and a member named otherwise than the signature.

An outcome is *verified*, *invalid* (it cannot be what it says), *unverified* (nothing can be said) or *unsigned*.
Reasons are for the log: on the wire they would teach a forger.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from itertools import islice

from contentguard.crawlers.agents import AgentError, agent_of
from contentguard.crawlers.fields import FieldError, InnerList, Item, Token, parse_dictionary
from contentguard.crawlers.keys import TEST_KEYS, CryptographyMissingError, PublicKey, verifies
from contentguard.crawlers.message import (
    ComponentError,
    Message,
    SignedRequest,
    fault_of_digest,
    joined,
    signature_base,
)

TAG = "web-bot-auth"
MAX_LABELS = 4
"""Signatures that a request may carry, of whatever kind."""
MAX_EXAMINED = 2
"""Of those that are Web Bot Auth's so many are looked at, of each key the first: an agent that changes its key makes
two."""
BAD_SIGNATURE = "bad-signature"
"""The reason where a signature does not hold."""
LEEWAY = 30.0
"""Seconds by which the signer's clock may differ from ours."""

_PLACES = frozenset({"@path", "@target-uri", "@request-target"})
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")


class Signed(StrEnum):
    """What has become of a signature."""

    VERIFIED = "verified"
    INVALID = "invalid"
    UNVERIFIED = "unverified"
    UNSIGNED = "unsigned"


@dataclass(frozen=True, slots=True)
class SignatureRules:
    """What is asked of a signature."""

    compat: bool = True
    """Read the wire forms of the drafts before -01."""
    max_lifetime: float | None = 86400.0
    """Longest time from ``created`` to ``expires``, seconds; None: any."""
    https_only: bool = True
    """Over plain http anybody on the way can take a signature and use it."""
    test_keys: bool = False
    """Believe keys whose private half is printed in RFC 9421."""


@dataclass(frozen=True, slots=True)
class SignatureResult:
    """The outcome for one signature."""

    outcome: Signed
    reason: str = ""
    """Empty where the signature holds."""
    agent: str = ""
    """The address of the agent's key directory, without query: its identity."""
    keyid: str = ""
    label: str = ""
    once: bytes = b""
    """What must not be seen again before ``expires``: of the nonce, or of the signature where it has none."""
    has_nonce: bool = False
    bearer: bool = False
    """It covers no path: whoever has it may use it for any page until it expires."""
    expires: float = 0.0
    """Seconds since the epoch."""


UNSIGNED = SignatureResult(Signed.UNSIGNED)


@dataclass(frozen=True, slots=True)
class Claim:
    """A signature that is well formed and waits for its agent's keys."""

    label: str
    covered: InnerList
    signature: bytes
    agent: str
    """Where the agent's key set is to be fetched from."""
    base: bytes
    """What was signed, of the request that was examined."""

    @property
    def identity(self) -> str:
        """The agent's address without query."""
        return self.agent.partition("?")[0]

    def parameter(self, name: str) -> object:
        """A signature parameter, or None."""
        return self.covered.parameters.get(name)


def examine(request: SignedRequest, rules: SignatureRules, now: float) -> list[Claim | SignatureResult]:
    """The first Web Bot Auth signatures of a request: a Claim, or the result that it already has. Never raises."""
    try:
        inputs = _inputs(request)
    except FieldError:
        return [SignatureResult(Signed.INVALID, "signature-input-unreadable")]
    if inputs is None:
        return [UNSIGNED]
    if rules.https_only and request.scheme.lower() != "https":
        return [SignatureResult(Signed.UNVERIFIED, "plain-http")]
    try:
        values = parse_dictionary(joined(request.headers, "signature") or "")
    except FieldError:
        return [SignatureResult(Signed.INVALID, "signature-value-unreadable")]
    ours = {label: covered for label, covered in inputs.items() if covered.parameters.get("tag") == TAG}
    if not ours:
        return [SignatureResult(Signed.UNVERIFIED, "not-web-bot-auth")]
    by_key = {covered.parameters.get("keyid"): label for label, covered in reversed(ours.items())}
    some = islice((label for label in ours if label in by_key.values()), MAX_EXAMINED)
    return [_examined(request, label, ours[label], values.get(label), rules, now) for label in some]


def _inputs(request: SignedRequest) -> dict[str, InnerList] | None:
    text = joined(request.headers, "signature-input")
    if text is None:
        return None if joined(request.headers, "signature") is None else {}
    if text.count("=(") > MAX_LABELS:
        raise FieldError("too many inner lists")  # counted before they are read, which takes a while
    inputs = parse_dictionary(text)
    lists = {label: member for label, member in inputs.items() if isinstance(member, InnerList)}
    if len(lists) != len(inputs) or len(lists) > MAX_LABELS:
        raise FieldError("no inner list, or too many")
    return lists


def _examined(
    request: SignedRequest, label: str, covered: InnerList, value: object, rules: SignatureRules, now: float
) -> Claim | SignatureResult:
    if not isinstance(value, Item) or not isinstance(value.value, bytes):
        return SignatureResult(Signed.INVALID, "signature-value-unreadable", label=label)
    reason = _fault_of_parameters(covered, rules, now) or _fault_of_components(covered)
    if reason:
        return SignatureResult(Signed.INVALID, reason, label=label)
    try:
        agent = agent_of(request.headers, label, covered, compat=rules.compat)
        base = signature_base(request, covered)
    except AgentError as error:
        return SignatureResult(Signed.INVALID if error.invalid else Signed.UNVERIFIED, str(error), label=label)
    except ComponentError as error:
        return SignatureResult(Signed.INVALID, str(error), label=label)
    if covered.parameters["keyid"] in TEST_KEYS and not rules.test_keys:
        return SignatureResult(Signed.INVALID, "test-key", label=label)
    return Claim(label, covered, value.value, agent, base)


def _fault_of_parameters(covered: InnerList, rules: SignatureRules, now: float) -> str:
    created, expires = covered.parameters.get("created"), covered.parameters.get("expires")
    keyid = covered.parameters.get("keyid")
    if type(created) is not int or type(expires) is not int or not isinstance(keyid, str):
        return "missing-fields"
    if isinstance(keyid, Token) or not _THUMBPRINT.fullmatch(keyid):
        return "keyid-no-thumbprint"
    if not all(_is_text(covered.parameters.get(name, "")) for name in ("alg", "nonce", "tag")):
        return "parameters-unreadable"
    if created > now + LEEWAY:
        return "clock-ahead"
    if expires <= now - LEEWAY:
        return "expired"
    if expires <= created:
        return "expires-before-created"
    too_long = rules.max_lifetime is not None and expires - created > rules.max_lifetime
    return "lifetime-too-long" if too_long else ""


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not isinstance(value, Token)


def _fault_of_components(covered: InnerList) -> str:
    named = [(item.value, tuple(sorted(item.parameters.items(), key=str))) for item in covered.items]
    if len(set(named)) != len(named):
        return "duplicate-component"
    if ("@authority", ()) not in named and ("@target-uri", ()) not in named:
        return "target-not-covered"
    return ""


def conclude(
    claim: Claim,
    request: SignedRequest,
    keys: Mapping[str, PublicKey] | None,
    now: float,
    body: bytes | None = None,
) -> SignatureResult:
    """The result for ``claim`` with the keys of its agent's directory by thumbprint (None: not to be had).

    ``request``: the one that was examined. ``body``: where it is known, a covered Content-Digest is held against it.
    """
    keyid = str(claim.parameter("keyid"))
    known = SignatureResult(Signed.UNVERIFIED, "", claim.identity, keyid, claim.label)
    if keys is None:
        return replace(known, reason="directory-unavailable")
    key = keys.get(keyid)
    if key is None:
        return replace(known, reason="key-not-in-directory")
    if not key.is_valid_at(now):
        return replace(known, reason="key-not-valid-now")
    try:
        holds = verifies(key, _algorithm(claim.covered), claim.signature, claim.base)
        reason = fault_of_digest(claim.covered, request.headers, body) if holds else BAD_SIGNATURE
    except CryptographyMissingError:
        return replace(known, reason="no-cryptography")
    if reason:
        return replace(known, outcome=Signed.INVALID, reason=reason)
    expires = claim.parameter("expires")
    return replace(
        known,
        outcome=Signed.VERIFIED,
        once=_once(claim),
        has_nonce=bool(claim.parameter("nonce")),
        bearer=_PLACES.isdisjoint(item.value for item in claim.covered.items),
        expires=float(expires) if isinstance(expires, int) else 0.0,
    )


def _once(claim: Claim) -> bytes:
    """What may be seen once only, of fixed length; no part can run into the next."""
    nonce = str(claim.parameter("nonce") or "").encode()
    parts = (claim.identity.encode(), str(claim.parameter("keyid")).encode(), nonce or claim.signature)
    return sha256(b"".join(len(part).to_bytes(4, "big") + part for part in (b"n" if nonce else b"s", *parts))).digest()


def explained(
    result: SignatureResult, claim: Claim, request: SignedRequest, keys: Mapping[str, PublicKey]
) -> SignatureResult:
    """``result`` of a signature that does not hold, with what its signer does wrong where that is a known mistake.

    Takes as long as ``conclude``, whose arguments these are.
    """
    key = keys.get(result.keyid)
    covers_path = any(item.value == "@path" for item in claim.covered.items)
    if key is None or result.reason != BAD_SIGNATURE or not covers_path or request.path != "/":
        return result
    # The path of the root signed as nothing (RFC 9421 §2.2.6 has "/").
    base = signature_base(request, claim.covered, {"@path": ""})
    mistaken = verifies(key, _algorithm(claim.covered), claim.signature, base)
    return replace(result, reason="canonicalization-mismatch") if mistaken else result


def verify(message: Message, covered: InnerList, signature: bytes, key: PublicKey) -> bool:
    """Whether ``signature`` over ``covered`` of ``message`` was made with ``key``.

    Raises ComponentError and CryptographyMissingError.
    """
    return verifies(key, _algorithm(covered), signature, signature_base(message, covered))


def _algorithm(covered: InnerList) -> str | None:
    algorithm = covered.parameters.get("alg")
    return None if algorithm is None else str(algorithm)


def accept_signature(nonce: bytes) -> str:
    """The value of an Accept-Signature header that asks for what we would verify (RFC 9421 §5.1)."""
    components = '"@method" "@authority" "@path" "signature-agent";key="sig1"'
    text = b64encode(nonce).decode("ascii")
    return f'sig1=({components});created;expires;keyid;nonce="{text}";tag="{TAG}"'
