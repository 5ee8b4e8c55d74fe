"""The four standings: a table of findings, and the laws that no finding may break."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.crawlers.hosts import HostAnswer
from contentguard.crawlers.identity import identify, origin_of
from contentguard.crawlers.ranges import Place
from contentguard.crawlers.signatures import SignatureResult, Signed
from contentguard.data import crawlers
from contentguard.model import Crawler, Facts, Identity, Purpose, Standing
from tests.crawlers.signing import WELL_KNOWN

BY_NAME = {crawler.name: crawler for crawler in crawlers()}
INSIDE, OUTSIDE, STALE, MISSING = Place
CONFIRMED, REFUTED, PENDING, FAILED = HostAnswer
V, S, U, X = Standing.VERIFIED, Standing.SPOOFED, Standing.UNVERIFIABLE, Standing.UNKNOWN


def signature(outcome: Signed, origin: str = "https://chatgpt.com", reason: str = "") -> SignatureResult:
    return SignatureResult(outcome, reason, origin + WELL_KNOWN)


@pytest.mark.parametrize(
    ("name", "place", "host", "standing", "method"),
    [
        ("Googlebot", INSIDE, None, V, "ranges"),
        ("Googlebot", INSIDE, REFUTED, V, "ranges"),
        ("Googlebot", OUTSIDE, CONFIRMED, V, "hosts"),
        ("Googlebot", MISSING, CONFIRMED, V, "hosts"),
        ("Googlebot", OUTSIDE, REFUTED, S, "hosts"),
        ("Googlebot", STALE, REFUTED, S, "hosts"),
        ("Googlebot", MISSING, REFUTED, S, "hosts"),
        ("Googlebot", OUTSIDE, PENDING, X, ""),
        ("Googlebot", OUTSIDE, FAILED, X, ""),
        ("Googlebot", OUTSIDE, None, X, ""),
        ("Googlebot", STALE, PENDING, X, ""),
        ("Googlebot", None, None, X, ""),
        ("GPTBot", INSIDE, None, V, "ranges"),
        ("GPTBot", OUTSIDE, None, S, "ranges"),
        ("GPTBot", STALE, None, X, ""),
        ("GPTBot", MISSING, None, X, ""),
        ("GPTBot", STALE, REFUTED, X, ""),
        ("Amazonbot", None, CONFIRMED, V, "hosts"),
        ("Amazonbot", None, REFUTED, S, "hosts"),
        ("Amazonbot", None, FAILED, X, ""),
        ("FeedFetcher-Google", OUTSIDE, REFUTED, S, "ranges"),
        ("FeedFetcher-Google", OUTSIDE, FAILED, X, ""),
        ("FeedFetcher-Google", STALE, REFUTED, X, ""),
        ("Baiduspider", None, CONFIRMED, V, "hosts"),
        ("Baiduspider", None, REFUTED, U, ""),
        ("facebookexternalhit", INSIDE, None, V, "ranges"),
        ("facebookexternalhit", OUTSIDE, None, U, ""),
        ("facebookexternalhit", STALE, None, X, ""),
        ("Twitterbot", OUTSIDE, REFUTED, U, ""),
        ("Twitterbot", OUTSIDE, FAILED, X, ""),
        ("WhatsApp", None, None, U, ""),
        ("Bytespider", None, None, U, ""),
        ("ChatGPT Agent", None, None, U, ""),
    ],
)
def test_standings(name: str, place: Place | None, host: HostAnswer | None, standing: Standing, method: str) -> None:
    found = identify(BY_NAME[name], place, host)
    assert (found.standing, found.method) == (standing, method)
    assert found.reason


@pytest.mark.parametrize(
    ("name", "signed", "standing"),
    [
        ("ChatGPT Agent", signature(Signed.VERIFIED), V),
        ("ChatGPT Agent", signature(Signed.UNVERIFIED, reason="directory-unavailable"), X),
        ("ChatGPT Agent", signature(Signed.INVALID, reason="bad-signature"), U),
        ("ChatGPT Agent", signature(Signed.VERIFIED, "https://evil.test"), U),
        ("ChatGPT Agent", signature(Signed.VERIFIED, "https://chatgpt.com.evil.test"), U),
        ("ChatGPT Agent", signature(Signed.UNSIGNED, ""), U),
        ("Googlebot", signature(Signed.VERIFIED), X),
        ("WhatsApp", signature(Signed.VERIFIED), U),
    ],
)
def test_signatures(name: str, signed: SignatureResult, standing: Standing) -> None:
    assert identify(BY_NAME[name], None, None, signed).standing is standing


def test_a_bad_signature_spoofs_nobody_and_a_good_one_outweighs_an_address() -> None:
    """A signature that fails may be a fault of the signer's; and agents run on everybody's machines."""
    meta = BY_NAME["meta-externalagent"]
    bad = signature(Signed.INVALID, "https://meta.com", "bad-signature")
    assert identify(meta, INSIDE, None, bad).standing is V
    assert identify(meta, OUTSIDE, None, signature(Signed.VERIFIED, "https://meta.com")).method == "signature"


PLACES, HOSTS = st.none() | st.sampled_from(Place), st.none() | st.sampled_from(HostAnswer)
SIGNATURES = st.none() | st.builds(
    SignatureResult,
    st.sampled_from(Signed),
    st.just("x"),
    st.sampled_from(["", "https://chatgpt.com/x", "https://meta.com/x", "https://evil.test/x"]),
)


@given(st.sampled_from(crawlers()), PLACES, HOSTS, SIGNATURES)
def test_laws(crawler: Crawler, place: Place | None, host: HostAnswer | None, signed: SignatureResult | None) -> None:
    found = identify(crawler, place, host, signed)
    failed = {"ranges": place is OUTSIDE, "hosts": host is REFUTED}
    if found.standing is S:
        assert failed[found.method], "spoofed only by a check that was carried out and failed"
        assert found.method in crawler.complete, "and that every genuine request passes"
        assert host in (REFUTED, None) or not crawler.hosts, "and while nothing else can still succeed"
    if found.standing is V:
        assert {"ranges": place is INSIDE, "hosts": host is CONFIRMED, "signature": signed is not None}[found.method]
    if not (crawler.ranges or crawler.hosts or crawler.agents):
        assert found.standing is U
    # A signature of whatever kind never makes anybody a liar.
    if identify(crawler, place, host, None).standing is not S:
        assert found.standing is not S


@given(PLACES, HOSTS)
def test_trouble_is_never_spoofed(place: Place | None, host: HostAnswer | None) -> None:
    """DNS and lists may fail in any way: only definite answers make a liar."""
    if place is OUTSIDE or host is REFUTED:
        return
    for crawler in crawlers():
        assert identify(crawler, place, host).standing is not S


def test_what_the_operators_document_is_in_the_catalogue() -> None:
    """Complete are only checks that exist; whose previews people's own devices make is never called a liar."""
    for crawler in crawlers():
        assert crawler.complete <= {"ranges", "hosts"}
        for check in crawler.complete:
            assert getattr(crawler, check), crawler
    for name in ("facebookexternalhit", "WhatsApp", "Twitterbot", "Slackbot", "Discordbot", "LinkedInBot", "iTMS"):
        assert not BY_NAME[name].complete


def test_origins() -> None:
    assert origin_of("https://chatgpt.com/.well-known/x") == "https://chatgpt.com"
    assert origin_of("https://chatgpt.com") == "https://chatgpt.com"
    assert origin_of("") == "://"


def test_an_identity_is_written_down_and_read_back() -> None:
    identity = identify(BY_NAME["Googlebot"], OUTSIDE, REFUTED)
    assert Identity.from_dict(json.loads(json.dumps(identity.as_dict()))) == identity


@pytest.mark.parametrize("name", ["Googlebot", "WhatsApp", "Google-Extended", "ChatGPT Agent"])
def test_facts_keep_how_a_crawler_is_verified(name: str) -> None:
    facts = Facts("GET", "/", (), None, crawler=BY_NAME[name])
    assert Facts.from_dict(json.loads(json.dumps(facts.as_dict()))) == facts


def test_facts_of_an_unlisted_robot_stay_small() -> None:
    facts = Facts("GET", "/", (), None, crawler=Crawler("x", "x", "", Purpose.TOOL))
    assert facts.as_dict()["crawler"] == {"name": "x", "token": "x", "operator": "", "purpose": "tool"}
