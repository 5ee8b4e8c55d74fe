"""Whose signature it says to be: every form of Signature-Agent, and addresses that name nobody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.crawlers.agents import AgentError, split_url
from contentguard.crawlers.signatures import SignatureRules, Signed
from tests.crawlers.signing import LENIENT, NOW, SIGNER, WELL_KNOWN, judged, sign


@pytest.mark.parametrize(
    ("agent", "cover", "rules", "outcome", "reason"),
    [
        ('"{}"', "", LENIENT, Signed.VERIFIED, ""),
        ('sig1="{}"', ';key="sig1"', LENIENT, Signed.VERIFIED, ""),
        ('sig1="{}/"', ';key="sig1"', LENIENT, Signed.VERIFIED, ""),
        ('sig1="{}' + WELL_KNOWN + '"', ';key="sig1"', LENIENT, Signed.VERIFIED, ""),
        ('other="{}";type=directory', ';key="other"', LENIENT, Signed.VERIFIED, ""),
        ('other="{}' + WELL_KNOWN + '";type=jwks_uri', ';key="other"', LENIENT, Signed.VERIFIED, ""),
        ('sig1="{}/keys";type=directory', ';key="sig1"', LENIENT, Signed.UNVERIFIED, "signature-agent-not-origin"),
        ('sig1="{}";type=cimd', ';key="sig1"', LENIENT, Signed.UNVERIFIED, "signature-agent-has-parameters"),
        ('sig1="{}";x', ';key="sig1"', LENIENT, Signed.UNVERIFIED, "signature-agent-has-parameters"),
        ('a="{0}", b="{0}"', "", LENIENT, Signed.INVALID, "signature-agent-ambiguous-member"),
        ('sig1="{}"', "", LENIENT, Signed.VERIFIED, ""),
        ('sig1="https://other.test"', ';key="sig1"', LENIENT, Signed.UNVERIFIED, "directory-unavailable"),
        ('sig1="{}@evil.test"', ';key="sig1"', LENIENT, Signed.UNVERIFIED, "signature-agent-no-address"),
        ('sig1="{}#x"', ';key="sig1"', LENIENT, Signed.UNVERIFIED, "signature-agent-no-address"),
        ('sig1="{}:8443"', ';key="sig1"', LENIENT, Signed.UNVERIFIED, "signature-agent-no-address"),
        ('sig1="https://127.0.0.1"', ';key="sig1"', LENIENT, Signed.UNVERIFIED, "signature-agent-no-address"),
        ('sig1="https://[::1]"', ';key="sig1"', LENIENT, Signed.UNVERIFIED, "signature-agent-no-address"),
        ('sig1="https://localhost"', ';key="sig1"', LENIENT, Signed.UNVERIFIED, "signature-agent-no-address"),
        ('sig1="{}/a/%2e%2e/b"', ';key="sig1"', LENIENT, Signed.UNVERIFIED, "signature-agent-no-address"),
        ('sig1="ftp://signature-agent.test"', ';key="sig1"', LENIENT, Signed.INVALID, "signature-agent-not-https"),
        ("sig1=:aGk=:", ';key="sig1"', LENIENT, Signed.INVALID, "signature-agent-unparsable"),
        ("sig1=(1)", ';key="sig1"', LENIENT, Signed.INVALID, "signature-agent-unparsable"),
    ],
)
def test_agents(agent: str, cover: str, rules: SignatureRules, outcome: Signed, reason: str) -> None:
    request = sign(agent.format(SIGNER), cover)
    result = judged(request, rules, NOW)
    assert (result.outcome, result.reason) == (outcome, reason)


@pytest.mark.parametrize(
    ("agent", "cover", "reason"),
    [
        ('"{}"', "", "signature-agent-legacy-form"),
        ('other="{}' + WELL_KNOWN + '"', ';key="other"', "signature-agent-not-covered"),
        ('sig1="{}";type=directory', ';key="sig1"', "signature-agent-has-parameters"),
        ('sig1="{}' + WELL_KNOWN + '"', "", "signature-agent-ambiguous-member"),
    ],
)
def test_without_compat_only_the_working_groups_form_counts(agent: str, cover: str, reason: str) -> None:
    strict = SignatureRules(compat=False, test_keys=True)
    assert judged(sign(agent.format(SIGNER), cover), strict, NOW).reason == reason
    good = sign(f'sig1="{SIGNER}{WELL_KNOWN}"', ';key="sig1"')
    assert judged(good, strict, NOW).outcome is Signed.VERIFIED


@pytest.mark.parametrize(
    ("agent", "cover", "reason"),
    [
        ("sig1=é", ';key="sig1"', "signature-agent-unparsable"),
        ('"{}"', ';key="sig1"', "signature-agent-member-missing"),
        ('"{}', "", "signature-agent-unparsable"),
        ('"{}", "{}"', "", "signature-agent-unparsable"),
        ('sig1="{}"', ';key="sig1";sf', "signature-agent-ambiguous-member"),
        ('sig1="{}"', ";key=sig1;x", "signature-agent-ambiguous-member"),
        ('sig1="{}"', ';key="sig1" "signature-agent"', "signature-agent-ambiguous-member"),
    ],
)
def test_agents_that_cannot_be_told(agent: str, cover: str, reason: str) -> None:
    result = judged(sign(agent.replace("{}", SIGNER), cover), LENIENT, NOW)
    assert (result.outcome, result.reason) == (Signed.INVALID, reason)


@given(st.text(max_size=60) | st.from_regex(r"https://[a-z@.:/\\\\?#%\[\]0-9-]{1,40}", fullmatch=True))
def test_any_address(url: str) -> None:
    try:
        origin, path, query = split_url(url)
    except AgentError:
        return
    host = origin.removeprefix("https://")
    assert origin == origin.lower()
    assert not set(host) & set("@/\\?#[]: %")
    assert path == "" or path.startswith("/")
    assert query == "" or query.startswith("?")
