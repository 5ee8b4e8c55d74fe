"""What a signature covers of a message: the value of every component, and the text that was signed (RFC 9421 §2).

A component that cannot be had exactly, because the header is absent or the parameter unknown, makes the whole
signature invalid: an approximation would be a hole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256, sha512
from types import MappingProxyType
from urllib.parse import parse_qsl, quote

from contentguard.crawlers.fields import (
    MAX_LENGTH,
    FieldError,
    InnerList,
    Item,
    parse_dictionary,
    parse_item,
    write_item,
    write_member,
    write_parameters,
)

MAX_COMPONENTS = 20


class ComponentError(ValueError):
    """A covered component that this message does not have; the message names the reason."""


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as its client sent it, as far as signatures can cover it."""

    method: str
    scheme: str
    authority: str
    """The public host, with the port where it is not the scheme's own."""
    target: str
    """Path and query exactly as on the request line, percent-encoding untouched: ``/a%2Fb?x=1``."""
    headers: tuple[tuple[bytes, bytes], ...]
    """Lower-case names, raw values, in order."""

    @property
    def path(self) -> str:
        """The path of the target; ``/`` where it is empty (RFC 9421 §2.2.6)."""
        return self.target.partition("?")[0] or "/"


@dataclass(frozen=True, slots=True)
class SignedResponse:
    """A response and the request that it answers (components with ``req``)."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    request: SignedRequest


Message = SignedRequest | SignedResponse


def joined(headers: Iterable[tuple[bytes, bytes]], name: str) -> str | None:
    """All lines of the header ``name`` as one value (RFC 9421 §2.1); None where there is none.

    FieldError when it is longer than MAX_LENGTH or not ASCII.
    """
    wanted = name.encode("ascii", "replace")
    values = [value for key, value in headers if key == wanted]
    if not values:
        return None
    if sum(map(len, values)) > MAX_LENGTH:
        raise FieldError(f"{name} is longer than {MAX_LENGTH} bytes")
    try:
        return ", ".join(_trimmed(value.decode("ascii")) for value in values)
    except UnicodeDecodeError:
        raise FieldError(f"{name} is not ASCII") from None


def signature_base(message: Message, covered: InnerList, replaced: Mapping[str, str] | None = None) -> bytes:
    """The text that a signature over ``covered`` signs (RFC 9421 §2.5). ComponentError when there is none.

    ``replaced``: values to use for some components instead of the message's own.
    """
    if len(covered.items) > MAX_COMPONENTS:
        raise ComponentError("too-many-components")
    lines = [f"{write_item(item)}: {_value(message, item, replaced or {})}\n" for item in covered.items]
    return ("".join(lines) + f'"@signature-params": {write_member(covered)}').encode("ascii")


def fault_of_digest(covered: InnerList, headers: Sequence[tuple[bytes, bytes]], body: bytes | None) -> str:
    """Why a covered Content-Digest (RFC 9530) is not that of ``body``, where that is known; else empty."""
    if body is None or not any(item.value == "content-digest" for item in covered.items):
        return ""
    try:
        digests = parse_dictionary(joined(headers, "content-digest") or "")
    except FieldError:
        return "content-digest-mismatch"
    real = {"sha-256": sha256(body).digest(), "sha-512": sha512(body).digest()}
    told = {name: member for name, member in digests.items() if name in real}
    right = told and all(isinstance(m, Item) and m.value == real[name] for name, m in told.items())
    return "" if right else "content-digest-mismatch"


def _value(message: Message, item: Item, replaced: Mapping[str, str]) -> str:
    if not isinstance(item.value, str):
        raise ComponentError("component-name-unreadable")
    name, parameters = str(item.value), dict[str, object](item.parameters)
    if name in replaced:
        return replaced[name]
    if parameters.pop("req", None) is True:
        if isinstance(message, SignedRequest):
            raise ComponentError("component-unsupported")
        message = message.request
    value = _derived(message, name, parameters) if name.startswith("@") else _field(message, name, parameters)
    if not value.isascii() or "\n" in value or "\r" in value:
        raise ComponentError("component-unreadable")
    return value


def _derived(message: Message, name: str, parameters: dict[str, object]) -> str:
    if isinstance(message, SignedResponse):
        if name == "@status" and not parameters:
            return str(message.status)
        raise ComponentError("component-unsupported")
    if name == "@query-param":
        return _query_parameter(message, parameters)
    derive = _DERIVED.get(name)
    if derive is None or parameters:
        raise ComponentError("component-unsupported")
    return derive(message)


def _authority(request: SignedRequest) -> str:
    port = ":443" if request.scheme.lower() == "https" else ":80"
    return request.authority.lower().removesuffix(port)


def _target_uri(request: SignedRequest) -> str:
    target = request.target or "/"
    if not target.startswith("/"):
        raise ComponentError("component-unsupported")  # it would run into the authority
    return f"{request.scheme.lower()}://{_authority(request)}{target}"


def _query(request: SignedRequest) -> str:
    return "?" + request.target.partition("?")[2]


_DERIVED: Mapping[str, Callable[[SignedRequest], str]] = MappingProxyType(
    {
        "@method": lambda request: request.method,
        "@scheme": lambda request: request.scheme.lower(),
        "@authority": _authority,
        "@target-uri": _target_uri,
        "@request-target": lambda request: request.target or "/",
        "@path": lambda request: request.path,
        "@query": _query,
    }
)


def _query_parameter(request: SignedRequest, parameters: dict[str, object]) -> str:
    wanted = parameters.pop("name", None)
    if not isinstance(wanted, str) or parameters:
        raise ComponentError("component-unsupported")
    pairs = parse_qsl(_query(request)[1:], keep_blank_values=True, max_num_fields=100)
    found = [value for key, value in pairs if quote(key, safe="") == wanted]
    if len(found) != 1:
        raise ComponentError("missing-component")
    return quote(found[0], safe="")


def _field(message: Message, name: str, parameters: dict[str, object]) -> str:
    try:
        value = joined(message.headers, name)
    except FieldError:
        raise ComponentError("component-unreadable") from None
    if value is None:
        raise ComponentError("missing-component")
    if not parameters:
        return value
    key, strict = parameters.pop("key", None), parameters.pop("sf", None)
    if parameters:
        raise ComponentError("component-unsupported")
    try:
        return _member(value, key) if isinstance(key, str) else _rewritten(value, strict)
    except FieldError:
        raise ComponentError("component-unreadable") from None


def _member(value: str, key: str) -> str:
    member = parse_dictionary(value).get(key)
    if member is None:
        raise ComponentError("missing-component")
    return write_member(member)


def _rewritten(value: str, strict: object) -> str:
    """The whole field in canonical form: ``;sf``. Its type is not told; these two are tried."""
    if strict is not True:
        raise ComponentError("component-unsupported")
    try:
        return write_item(parse_item(value))
    except FieldError:
        members = parse_dictionary(value).items()
    return ", ".join(
        key + write_parameters(member.parameters)
        if isinstance(member, Item) and member.value is True
        else f"{key}={write_member(member)}"
        for key, member in members
    )


def _trimmed(value: str) -> str:
    """Without blanks around it, and with a folded line's break as one space."""
    if "\n" not in value and "\r" not in value:
        return value.strip(" \t")
    return " ".join(line.strip(" \t") for line in value.replace("\r\n", "\n").split("\n")).strip(" \t")
