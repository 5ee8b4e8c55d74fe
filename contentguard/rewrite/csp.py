"""May our script and our style sheet be put into a page whose Content-Security-Policy is not ours?

The rules are those of CSP Level 3 for an external same-origin script and style sheet that stand in the HTML
(W3C CSP3 §6.1, §6.7). All policies of a page must agree. We never weaken a policy, so there is nothing to
ask but what it says; and a page without our script reads as well, so wherever the answer is not certain, it
is no.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

_NONCE = re.compile(r"'nonce-([A-Za-z0-9+/_-]{1,256}+={0,2}+)'", re.IGNORECASE)
"""CSP3 §2.3.1 nonce-source. Nothing in it needs escaping in an HTML attribute."""

_HOST = re.compile(
    r"(?:(?P<scheme>https?)://)?+(?P<host>\*|(?:\*\.)?+[a-z0-9_-]++(?:\.[a-z0-9_-]++)*+)(?::(?P<port>[0-9]++|\*))?+/?+"
)
"""CSP3 §2.3.1 host-source, without a path: whether ours lies under a path is not known here."""

_ORIGIN = re.compile(r"(https?)://([a-z0-9_.-]++|\[[0-9a-f:.]++\])(?::([0-9]{1,5}+))?+/?+")
_IP = re.compile(r"\[.*|[0-9.]++")
_SPACE = re.compile(r"[\t\n\f\r ]++")
_DEFAULT_PORT = {"http": "80", "https": "443"}
_MAX_CHARS = 16384

_SCRIPTS = ("script-src-elem", "script-src", "default-src")
_STYLES = ("style-src-elem", "style-src", "default-src")

_Directives = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Allowance:
    """What may be inserted, and the nonce that both tags then carry ("" when none is needed)."""

    scripts: bool
    styles: bool
    nonce: str


class _Origin(NamedTuple):
    scheme: str = ""
    host: str = ""
    port: str = ""


class _Needs(NamedTuple):
    """What one policy asks of one tag."""

    free: bool
    nonces: frozenset[str] = frozenset()


def allowance(policies: Sequence[str], *, origin: str = "", meta: Sequence[str] = ()) -> Allowance:
    """What the enforced ``policies`` (header values) and ``meta`` (contents of meta elements) let us insert.

    ``origin`` is the site's, e.g. ``https://news.example``; without it only ``'self'``, ``*`` and nonces can
    allow. Report-only policies do not belong here. Never raises.
    """
    if sum(map(len, policies)) + sum(map(len, meta)) > _MAX_CHARS:
        return Allowance(False, False, "")
    if not all(text.isascii() for text in (*policies, *meta)):
        return Allowance(False, False, "")  # CSP3 §2.2.1 drops such a directive, browsers differ
    site = _origin(origin)
    parsed = [_directives(text) for value in policies for text in value.split(",")]
    parsed += [policy for text in meta for policy in _meta_policies(text)]
    scripts = _agreed([_needs(policy, _SCRIPTS, site) for policy in parsed])
    styles = _agreed([_needs(policy, _STYLES, site) for policy in parsed])
    return _together(scripts, styles)


def names_ancestors(policies: Sequence[str]) -> bool:
    """Whether the enforced ``policies`` say who may frame the page. Meta elements cannot (CSP3 §6.4.2)."""
    return any("frame-ancestors" in _directives(text) for value in policies for text in value.split(","))


def _together(scripts: _Needs, styles: _Needs) -> Allowance:
    """One nonce for both tags where they share one; where they do not, the script goes first."""
    may_scripts, may_styles = scripts.free or bool(scripts.nonces), styles.free or bool(styles.nonces)
    if scripts.free or not may_scripts:
        return Allowance(may_scripts, may_styles, min(styles.nonces, default=""))
    if styles.free or not may_styles:
        return Allowance(may_scripts, may_styles, min(scripts.nonces))
    shared = scripts.nonces & styles.nonces
    return Allowance(True, bool(shared), min(shared or scripts.nonces))


def _agreed(needs: Iterable[_Needs]) -> _Needs:
    """What satisfies every policy: no nonce at all, or one that all who need one name."""
    demands = [need.nonces for need in needs if not need.free]
    return _Needs(True) if not demands else _Needs(False, frozenset.intersection(*demands))


def _directives(text: str) -> _Directives:
    """CSP3 §2.2.1: the first directive of a name counts."""
    found: _Directives = {}
    for token in text.split(";"):
        name, *values = _SPACE.split(token.strip("\t\n\f\r ")) or [""]
        found.setdefault(name.lower(), values)
    return found


def _meta_policies(text: str) -> Iterator[_Directives]:
    """What a meta element asks; its sandbox is ignored (CSP3 §3.3).

    By HTML it holds one policy, commas and all; Chromium splits it at commas like a header. Both readings
    bind us.
    """
    for policy in {text, *text.split(",")}:
        yield {name: values for name, values in _directives(policy).items() if name != "sandbox"}


def _needs(policy: _Directives, names: tuple[str, ...], site: _Origin) -> _Needs:
    scripts = names is _SCRIPTS
    if _sandboxed(policy, scripts):
        return _Needs(False)
    directive = next((name for name in names if name in policy), None)
    if directive is None:
        return _Needs(True)
    sources = policy[directive]
    lower = [source.lower() for source in sources]
    nonces = frozenset(match[1] for source in sources if (match := _NONCE.fullmatch(source)))
    # CSP3 §6.7.1.1: with 'strict-dynamic' no address counts. The url- and -url kinds are its proposed
    # successors.
    strict = scripts and any(source.startswith(("'strict-dynamic", "'url-")) for source in lower)
    if strict or "'none'" in lower:
        return _Needs(False, nonces)
    return _Needs(any(_matches(source, site) for source in lower), nonces)


def _sandboxed(policy: _Directives, scripts: bool) -> bool:
    """Whether the page is in a sandbox that stops us. Without allow-same-origin our own files are
    cross-origin to the page, and its integrity check of them fails (SRI §3.3)."""
    if "sandbox" not in policy:
        return False
    flags = {flag.lower() for flag in policy["sandbox"]}
    return "allow-same-origin" not in flags or (scripts and "allow-scripts" not in flags)


def _matches(source: str, site: _Origin) -> bool:
    """Whether a source expression (lower case) covers a file of the site: CSP3 §6.7.2.7."""
    if source in ("'self'", "*"):
        return True
    if not site.scheme:
        return False
    if source in ("http:", "https:"):
        return _scheme_matches(source[:-1], site)
    match = _HOST.fullmatch(source)
    return (
        match is not None
        and _scheme_matches(match["scheme"] or site.scheme, site)
        and _host_matches(match["host"], site.host)
        and (match["port"] or _DEFAULT_PORT[site.scheme]) in (site.port, "*")
    )


def _scheme_matches(scheme: str, site: _Origin) -> bool:
    return scheme in (site.scheme, "http")  # http: covers https: too (§6.7.2.8)


def _host_matches(pattern: str, host: str) -> bool:
    if pattern == "*":
        return True
    if _IP.fullmatch(host):
        return False  # §6.7.2.9: addresses match no pattern; what browsers do differs
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


def _origin(text: str) -> _Origin:
    match = _ORIGIN.fullmatch(text.lower())
    if match is None:
        return _Origin()
    return _Origin(match[1], match[2], match[3] or _DEFAULT_PORT[match[1]])
