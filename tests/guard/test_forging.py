"""Nothing that a client writes makes it somebody else: 10,000 generated requests through the whole guard.

Strategy: what the guard makes of a request is compared with what it makes of the same one without the forged headers.
So every way in which an address, a scheme, a path or an identity may be believed is covered at once, by whatever
header it is named.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from contentguard.asgi.request import read_facts
from contentguard.guard import Guard
from contentguard.model import Facts, Verdict
from tests.client import CHROME, CURL, GPTBOT, http_scope, settings

ADDRESSES = b"""x-forwarded-for forwarded x-real-ip x-client-ip client-ip true-client-ip cf-connecting-ip
    cf-connecting-ipv6 fastly-client-ip x-cluster-client-ip x-original-forwarded-for x-forwarded x-remote-addr
    remote-addr x-remote-ip x-originating-ip x-envoy-external-address x-appengine-user-ip fly-client-ip
    x-azure-clientip x-azure-socketip x-vercel-forwarded-for x_forwarded_for x-host via proxy-client-ip
    wl-proxy-client-ip x-proxyuser-ip x-contentguard-client x-nginx-proxy""".split()
REST = b"""x-forwarded-proto x-forwarded-scheme x-forwarded-ssl x-forwarded-host x-forwarded-port x-forwarded-prefix
    x-forwarded-uri x-original-url x-rewrite-url x-original-uri x-accel-redirect x-http-method-override
    x-forwarded-method x-forwarded-user x-remote-user x-auth-request-user x-contentguard x-contentguard-verified
    x-verified-bot cf-verified-bot x-ja3 x-ja4 cf-ja4 x-asn cf-ipcountry x-country""".split()
"""Headers by which some proxy or framework believes an address; a scheme, a path, a method, an identity."""
VALUES = (
    *("127.0.0.1", "::1", "66.249.66.1", "10.0.0.1", "192.0.2.9", "6.6.6.6:80", "[2001:db8::1]:443", "::ffff:6.6.6.6"),
    *("unknown", "_hidden", "", " ", "localhost", "*", "0.0.0.0", "127.1", "0x7f.1", "1.2.3.4\t", "a" * 300),
    *("for=6.6.6.6", 'for="[::1]";proto=https;by=10.0.0.1', 'for="6.6.6.6', "https", "http", "on", "/open/", "admin"),
    *("true", "Googlebot", "verified", "13335", "q=1;\x00", "6.6.6.6, 10.0.0.1", "10.0.0.1, 6.6.6.6", ",,,"),
)
NEAR = {"name": "near", "action": "deny", "when": {"client": ["6.6.6.6", "127.0.0.0/8", "::1", "66.249.64.0/19"]}}
OPEN = {"name": "open", "action": "allow", "when": {"path": ["/open/"]}}
POLICY = {"policy": {"rules": [NEAR, OPEN]}, "identification": {"dns": False}}
TRUSTED = {"proxies": {"trusted": ["10.0.0.0/8"]}}
GUARDS = {
    "no proxy": ({}, ADDRESSES + REST),
    "somebody else's proxy": (TRUSTED, ADDRESSES + REST),
    "behind a proxy that writes another header": (
        TRUSTED,
        [name for name in ADDRESSES if name != b"x-forwarded-for"] + REST[1:],
    ),
}
"""Settings, and which headers a client can forge there: behind a proxy, all but those that the proxy sets."""


def made_of(guard: Guard, scope: dict[str, Any]) -> tuple[Facts, Verdict]:
    facts = read_facts(scope, guard)
    caller = guard.caller(facts)
    guard.met(facts, caller, scope["client"][0])
    return guard.judged(facts, caller)


def forged(dice: Random, names: list[bytes]) -> list[tuple[bytes, bytes]]:
    """A few headers, some of them twice, with what might be believed in them."""
    lines = []
    for _ in range(dice.randint(1, 6)):
        values = dice.choices(VALUES, k=dice.choice((1, 1, 2, 5)))
        lines.append((dice.choice(names), dice.choice((", ", ",", ";", "")).join(values).encode("latin-1")))
    return lines


@pytest.mark.parametrize("kind", GUARDS)
@pytest.mark.no_cover
def test_ten_thousand_forged_requests_change_nothing(kind: str) -> None:
    options, names = GUARDS[kind]
    guard, dice = Guard(settings(**POLICY, **options), clock=lambda: 1_800_000_000.0), Random(1919)
    behind = kind.startswith("behind")
    for number in range(10_000 // len(GUARDS) + 1):
        client = f"198.51.{number >> 8 & 255}.{number & 255}"
        own = [(b"x-forwarded-for", client.encode())] if behind else []
        headers = {**dice.choice((CHROME, CURL, GPTBOT))}
        scope = http_scope(headers=headers, client=("10.0.0.1" if behind else client, 4711))
        plain = {**scope, "headers": [*scope["headers"], *own]}
        lines = [*scope["headers"], *forged(dice, names)]
        dice.shuffle(lines)
        facts, verdict = made_of(guard, {**scope, "headers": [*lines, *own]})
        honest, deserved = made_of(guard, plain)
        assert (facts.client, facts.scheme, facts.path) == (client, honest.scheme, honest.path), lines
        assert (facts.method, facts.identity, facts.network) == (honest.method, honest.identity, honest.network), lines
        assert (verdict.action, verdict.rule) == (deserved.action, deserved.rule), lines


@pytest.mark.parametrize("name", [b"x-forwarded-uri", b"x-original-url", b"x-rewrite-url", b"x-original-uri"])
def test_cve_2026_40575_a_path_that_a_header_names_is_not_the_path(name: bytes) -> None:
    """oauth2-proxy: who could name the path in a header chose the rule. Here only the request's own path counts."""
    guard = Guard(settings(**POLICY, **TRUSTED))
    scope = http_scope(headers=GPTBOT, client=("10.0.0.1", 4711))
    scope["headers"] = [*scope["headers"], (name, b"/open/")]
    facts, verdict = made_of(guard, scope)
    assert facts.path == scope["path"]
    assert verdict.rule != "open"
    assert made_of(guard, {**scope, "path": "/open/"})[1].rule == "open"
