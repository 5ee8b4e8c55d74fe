"""Whose signature it says to be: the Signature-Agent header, in all the forms that it has had.

========================================  ==============================================  ======================
draft                                     header                                          covered as
========================================  ==============================================  ======================
architecture -00 to -03 (2025)            ``"https://signer"``                            ``"signature-agent"``
architecture -04, -05                     ``sig1="https://signer"``                       ``…;key="sig1"``
httpsig-protocol -00 to -02               ``any="https://…";type=directory|jwks_uri``     ``…;key="any"``
working group -01                         ``sig1="https://signer/key-set"``               ``…;key="sig1"``
========================================  ==============================================  ======================

A bare origin means the key directory at its well-known path; anything else is a key set's own address.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from contentguard.crawlers.fields import FieldError, InnerList, Item, Member, Token, parse_dictionary, parse_item
from contentguard.crawlers.message import joined

WELL_KNOWN = "/.well-known/http-message-signatures-directory"
MAX_URL = 1024

_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*+)://(?P<host>[a-z0-9](?:[a-z0-9.-]{0,251}))(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*+)?(?P<query>\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*+)?",
    re.IGNORECASE,
)
"""No userinfo, no fragment, no IPv6 literal: none of them can name an agent."""


class AgentError(ValueError):
    """No agent can be told; the message names the reason."""

    def __init__(self, reason: str, *, invalid: bool = True) -> None:
        self.invalid = invalid
        """Whether the signature is invalid, and not only unverifiable."""
        super().__init__(reason)


def agent_of(headers: Sequence[tuple[bytes, bytes]], label: str, covered: InnerList, *, compat: bool) -> str:
    """The address of the key set of the agent that made the signature ``label``. AgentError when there is none."""
    try:
        text = joined(headers, "signature-agent")
    except FieldError:
        raise AgentError("signature-agent-unparsable") from None
    if text is None:
        raise AgentError("signature-agent-absent", invalid=False)
    covering = [dict(item.parameters) for item in covered.items if item.value == "signature-agent"]
    if len(covering) != 1:
        raise AgentError("signature-agent-not-covered" if not covering else "signature-agent-ambiguous-member")
    if text.startswith('"'):
        return _legacy(text, covering[0], compat=compat)
    return _resolved(_member(text, label, covering[0], compat=compat), compat=compat)


def _legacy(text: str, covering: Mapping[str, object], *, compat: bool) -> str:
    if not compat:
        raise AgentError("signature-agent-legacy-form", invalid=False)
    if covering:
        raise AgentError("signature-agent-member-missing")
    try:
        return _resolved(parse_item(text), compat=True)
    except FieldError:
        raise AgentError("signature-agent-unparsable") from None


def _member(text: str, label: str, covering: Mapping[str, object], *, compat: bool) -> Member:
    """The one member that the signature covers."""
    try:
        members = parse_dictionary(text)
    except FieldError:
        raise AgentError("signature-agent-unparsable") from None
    key = covering.get("key")
    if not isinstance(key, str) or set(covering) != {"key"}:
        if not compat or covering or len(members) != 1:
            raise AgentError("signature-agent-ambiguous-member")
        return next(iter(members.values()))
    if key != label and not compat:
        raise AgentError("signature-agent-not-covered")
    if key not in members:
        raise AgentError("signature-agent-member-missing")
    return members[key]


def _resolved(member: Member, *, compat: bool) -> str:
    """The address in a member, by what its ``type`` says where old drafts have one."""
    if not isinstance(member, Item) or not isinstance(member.value, str) or isinstance(member.value, Token):
        raise AgentError("signature-agent-unparsable")
    kind = member.parameters.get("type")
    if member.parameters and not (compat and set(member.parameters) == {"type"} and kind in ("directory", "jwks_uri")):
        raise AgentError("signature-agent-has-parameters", invalid=False)
    origin, path, query = split_url(str(member.value))
    bare = path in ("", "/") and not query
    if kind == "directory" and not bare:
        raise AgentError("signature-agent-not-origin", invalid=False)
    if bare and kind != "jwks_uri" and (compat or path == ""):
        return origin + WELL_KNOWN
    return f"{origin}{path or '/'}{query}"


def split_url(url: str) -> tuple[str, str, str]:
    """Origin, path and query of an agent's https address, the origin in lower case. AgentError when it is none."""
    match = _URL.fullmatch(url) if len(url) <= MAX_URL else None
    if match is None:
        raise AgentError("signature-agent-no-address", invalid=False)
    if match["scheme"].lower() != "https":
        raise AgentError("signature-agent-not-https")
    host, path = match["host"].lower().removesuffix("."), match["path"] or ""
    is_name = "." in host and not host.rpartition(".")[2].isdigit() and ".." not in host
    steps = path.replace("%2e", ".").replace("%2E", ".").split("/")
    if not is_name or match["port"] not in (None, "443") or "." in steps or ".." in steps:
        raise AgentError("signature-agent-no-address", invalid=False)
    return f"https://{host}", path, match["query"] or ""
