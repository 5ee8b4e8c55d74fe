"""Who asks: lists, DNS and signatures put together; and the advisories on identity, each by its name."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contentguard.backends import identification
from contentguard.backends.directories import Directories
from contentguard.backends.dns import HostNames
from contentguard.backends.identification import Answered, Identifier, identifier
from contentguard.backends.memory import MemoryStore
from contentguard.backends.ranges import save
from contentguard.crawlers import CATALOGUE
from contentguard.crawlers.fields import InnerList, parse_dictionary
from contentguard.crawlers.message import ComponentError, SignedRequest, signature_base
from contentguard.crawlers.options import Identification
from contentguard.crawlers.ranges import RangeList, Ranges, RangeSource
from contentguard.crawlers.signatures import Claim, SignatureResult, SignatureRules, Signed, conclude
from contentguard.limits import Decision, Limit
from contentguard.model import Crawler, Purpose, Standing
from tests.backends.test_directories import Clock, Publisher
from tests.backends.test_dns import GOOGLE, FakeDns, Names
from tests.crawlers.signing import ED25519, LENIENT, NOW, sign

SECRET = b"tests only tests only tests only"
AGENT = "https://signature-agent.test"
GOOGLEBOT = CATALOGUE.match(b"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")
GPTBOT = CATALOGUE.match(b"GPTBot/1.2")
FACEBOOK = CATALOGUE.match(b"facebookexternalhit/1.1")
V, S, U, X = Standing.VERIFIED, Standing.SPOOFED, Standing.UNVERIFIABLE, Standing.UNKNOWN
STRANGER = "51.15.1.1"


class House:
    """An identifier with everything around it made up."""

    def __init__(self, reverse: Names | None = None, forward: Names | None = None, *, sound: bool = True) -> None:
        lists = [
            RangeList("google-common", NOW, (ip_network("66.249.64.0/27"),)),
            RangeList("openai", NOW, (ip_network("20.42.10.176/28"),)),
            RangeList("meta", NOW, (ip_network("31.13.24.0/21"),)),
        ]
        sources = [RangeSource(entry.name, (), (), 30) for entry in lists]
        self.dns = FakeDns(reverse, forward, sound=sound)
        self.publisher = Publisher(ED25519)
        self.clock = Clock()
        ranges = Ranges(lists, sources)
        self.spent: MemoryStore | BrokenStore = MemoryStore(1000, secret=SECRET)
        self.rules = SignatureRules(test_keys=True)
        self.options = {"agents": {AGENT: Purpose.USER_FETCH}, "wait": 5.0}
        self.ranges = lambda: ranges

    async def ask(
        self, *asked: tuple[Crawler | None, str | None, SignedRequest | None], now: float = NOW
    ) -> list[Answered]:
        agents = self.options["agents"]
        directories = Directories(agents, fetcher=self.publisher.fetcher(), clock=self.clock)  # type: ignore[arg-type]
        identifier = Identifier(
            CATALOGUE.crawlers,
            self.ranges,
            HostNames(self.dns),
            directories,
            self.spent,
            rules=self.rules,
            **self.options,  # type: ignore[arg-type]
        )
        try:
            return [await identifier.answer(crawler, client, request, now) for crawler, client, request in asked]
        finally:
            await identifier.aclose()


class BrokenStore:
    async def take(self, key: str, limit: Limit, now: float, cost: int = 1) -> Decision:
        raise ConnectionError("no store")

    async def peek(self, key: str, limit: Limit, now: float) -> Decision:
        raise ConnectionError


def standing(
    house: House, crawler: Crawler | None, client: str | None, request: SignedRequest | None = None
) -> Standing:
    (answered,) = asyncio.run(house.ask((crawler, client, request)))
    assert answered.identity is not None
    return answered.identity.standing


@pytest.mark.parametrize(
    ("crawler", "client", "expected"),
    [
        (GOOGLEBOT, "66.249.64.1", V),
        (GOOGLEBOT, "66.249.66.9", V),
        (GOOGLEBOT, STRANGER, S),
        (GPTBOT, "20.42.10.180", V),
        (GPTBOT, STRANGER, S),
        (FACEBOOK, "31.13.24.1", V),
        (FACEBOOK, STRANGER, U),
        (GOOGLEBOT, None, X),
        (GPTBOT, None, X),
        (CATALOGUE.match(b"WhatsApp/2.23"), STRANGER, U),
        (CATALOGUE.match(b"curl/8"), STRANGER, U),
    ],
)
def test_robots(crawler: Crawler, client: str | None, expected: Standing) -> None:
    assert standing(House(*GOOGLE), crawler, client) is expected


def test_a_browser_is_asked_nothing() -> None:
    house = House()
    house.ranges = None  # type: ignore[assignment]
    (answered,) = asyncio.run(house.ask((None, STRANGER, None)))
    assert answered == Answered(None, None, None)
    assert not house.dns.asked
    assert not house.publisher.asked


def test_what_the_lists_prove_needs_no_dns() -> None:
    house = House(*GOOGLE)
    assert standing(house, GOOGLEBOT, "66.249.64.1") is V
    assert not house.dns.asked


@pytest.mark.parametrize(
    "client", ["10.0.0.5", "127.0.0.1", "192.168.1.1", "172.17.0.1", "fd00::1", "::1", "100.64.1.1"]
)
def test_behind_a_proxy_that_is_not_trusted_no_robot_is_a_liar(client: str) -> None:
    """Then every request has the proxy's address, and a real Googlebot has it too."""
    for crawler in (GOOGLEBOT, GPTBOT):
        assert standing(House(*GOOGLE), crawler, client) is X


@pytest.mark.parametrize("trouble", ["dns fails", "dns knows nothing", "no dns", "old lists", "no lists"])
def test_trouble_is_unknown(trouble: str) -> None:
    """threats §2.1: a DNS outage must be treated as unknown, not as fake."""
    house = House(
        {STRANGER: OSError("servfail")} if trouble == "dns fails" else {}, sound=trouble != "dns knows nothing"
    )
    if trouble == "no dns":
        house.dns.gate.clear()
        house.options["wait"] = 0.01
    if trouble == "old lists":
        (answered,) = asyncio.run(house.ask((GPTBOT, STRANGER, None), now=NOW + 31 * 86_400))
        assert answered.identity is not None
        assert answered.identity.standing is X
        return
    if trouble == "no lists":
        house.ranges = lambda: Ranges([])
        assert standing(house, GPTBOT, STRANGER) is X
        return
    assert standing(house, GOOGLEBOT, STRANGER) is X


GOOD = sign(f'sig1="{AGENT}"', ';key="sig1"', more=';nonce="one"')


def test_a_signature_names_who_the_user_agent_does_not() -> None:
    """The ChatGPT agent comes with a browser's User-Agent and a signature."""
    (answered,) = asyncio.run(House().ask((None, STRANGER, GOOD)))
    assert answered.crawler is not None
    assert answered.identity is not None
    assert (answered.crawler.name, answered.crawler.purpose) == ("signature-agent.test", Purpose.USER_FETCH)
    assert (answered.identity.standing, answered.identity.method) == (V, "signature")


def test_an_agent_of_the_catalogue_is_found_by_its_directory() -> None:
    house = House()
    house.options["agents"] = {"https://chatgpt.com": Purpose.TOOL}
    listed = Identifier(CATALOGUE.crawlers, house.ranges, None, None, None)
    assert listed._by_agent["https://chatgpt.com"].name == "ChatGPT Agent"
    assert {"https://agent.bot.goog", "https://chatgpt.com"} <= set(listed._by_agent)


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (sign(f'sig1="{AGENT}"', ';key="sig1"', path="/other"), "bad-signature"),
        (sign(f'sig1="{AGENT}"', ';key="sig1"', authority="other.example"), "bad-signature"),
        (sign('sig1="https://evil.test"', ';key="sig1"'), "directory-unavailable"),
        (replace(GOOD, scheme="http"), "plain-http"),
        (replace(GOOD, headers=GOOD.headers[:2]), "signature-value-unreadable"),
    ],
)
def test_a_signature_that_does_not_hold_names_nobody(request_: SignedRequest, reason: str) -> None:
    request_ = replace(request_, authority="news.example")
    (answered,) = asyncio.run(House().ask((None, STRANGER, request_)))
    assert (answered.crawler, answered.identity) == (None, None)
    assert answered.signature is not None
    assert answered.signature.reason == reason


def test_a_signature_under_another_name_proves_no_claim() -> None:
    (answered,) = asyncio.run(House(*GOOGLE).ask((GOOGLEBOT, STRANGER, GOOD)))
    assert answered.crawler is GOOGLEBOT
    assert answered.identity is not None
    assert answered.identity.standing is S


def test_somebody_elses_key_is_not_an_agents_key() -> None:
    other = Ed25519PrivateKey.from_private_bytes(b"7" * 32)
    forged = sign(f'sig1="{AGENT}"', ';key="sig1"', private=other)
    (answered,) = asyncio.run(House().ask((None, STRANGER, forged)))
    assert answered.signature is not None
    assert answered.signature.outcome is Signed.INVALID


def test_signatures_are_verified_for_one_address_only_so_often() -> None:
    """Verifying is dear, and a forger with a public key's name can ask for it as often as he likes."""
    forged = sign(f'sig1="{AGENT}"', ';key="sig1"', path="/other")
    answers = asyncio.run(House().ask(*[(None, STRANGER, forged)] * 60, (None, "51.15.1.2", GOOD)))
    reasons = [answered.signature.reason for answered in answers if answered.signature]
    assert reasons.count("bad-signature") == 50
    assert reasons.count("too-many-signatures") == 10
    assert answers[-1].identity is not None


def test_a_known_mistake_of_signers_is_named_now_and_then() -> None:
    """Looking for it takes as long as verifying does, and anybody can ask for it."""
    lines = Path(__file__).parents[1].joinpath("crawlers", "web-bot-auth-vectors.jsonl").read_text().splitlines()
    (vector,) = (one for one in map(json.loads, lines) if one["id"] == "NV-07")
    headers = tuple((name.lower().encode(), value.encode()) for name, value in vector["headers"].items())
    request, house = SignedRequest("GET", "https", "example.com", "/", headers), House()
    house.rules = LENIENT
    answers = asyncio.run(house.ask(*[(None, STRANGER, request)] * 3))
    reasons = [answered.signature.reason for answered in answers if answered.signature is not None]
    assert reasons == ["canonicalization-mismatch", "bad-signature", "bad-signature"]


def test_of_many_signatures_few_are_verified_and_none_after_one_that_holds() -> None:
    """Four labels took more than a millisecond, whether or not they held; and with one key nobody signs twice."""

    def labelled(*requests: SignedRequest) -> SignedRequest:
        headers = [
            (name, b", ".join(dict(one.headers)[name].replace(b"sig1=", b"s%d=" % n) for n, one in enumerate(requests)))
            for name in (b"signature-input", b"signature")
        ]
        return replace(requests[0], headers=(requests[0].headers[0], *headers))

    def signed(more: str, private: Ed25519PrivateKey | None = None, **rest: str) -> SignedRequest:
        told = rest if private is None else {"private": private, **rest}
        return sign(f'sig1="{AGENT}"', ';key="sig1"', more=more, **told)

    good = [signed(f';nonce="{n}"') for n in range(4)]
    older = signed("", keyid="A" * 43)  # of a key that is in the directory no more
    bad = [signed(f';nonce="{n}"', Ed25519PrivateKey.from_private_bytes(b"7" * 32)) for n in range(4)]
    house, counted = House(), []

    def counting(claim: Claim, *rest: object) -> SignatureResult:
        counted.append(claim.label)
        return conclude(claim, *rest)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(identification, "conclude", counting)
        for requests, tried, standing_ in (
            ((good[0], *bad[1:]), 1, V),
            ((older, good[1], *bad[2:]), 2, V),
            ((bad[0], *good[1:]), 1, None),
            ((older, bad[0], *good[2:]), 2, None),
        ):
            counted.clear()
            (answered,) = asyncio.run(house.ask((None, STRANGER, labelled(*requests))))
            assert len(counted) == tried
            assert (answered.identity and answered.identity.standing) == standing_


def test_options_make_an_identifier(tmp_path: Path) -> None:
    file = tmp_path / "ranges.json"
    save(file, [RangeList("apple", NOW, (ip_network("17.22.237.0/24"),))])
    options = Identification(ranges=str(file), dns=False, signatures=False, agents={AGENT: Purpose.USER_FETCH})
    made = identifier(options, CATALOGUE.crawlers, None)
    applebot = CATALOGUE.match(b"Applebot/0.1")

    async def story() -> list[Answered]:
        answers = [await made.answer(applebot, client, GOOD, NOW) for client in ("17.22.237.1", STRANGER)]
        await made.aclose()
        return answers

    inside, outside = asyncio.run(story())
    assert inside.identity is not None
    assert outside.identity is not None
    assert (inside.identity.standing, outside.identity.standing) == (V, X)
    assert inside.signature is None

    async def curious() -> bool:
        everything = identifier(replace(options, dns=True, signatures=True), CATALOGUE.crawlers, None)
        assert everything._directories is not None
        allowed = everything._directories.allows(f"{AGENT}/keys") and everything._directories.allows(
            "https://chatgpt.com"
        )
        await everything.aclose()
        return allowed

    assert asyncio.run(curious())


# -- advisories -------------------------------------------------------------------------------------------------------


def test_anubis_double_spend_one_signature_is_good_once() -> None:
    """Anubis before 1.22 (T. Ormandy, PR #1003): one solution minted many tokens. Here: one nonce, one request."""
    first, second = asyncio.run(House().ask((None, STRANGER, GOOD), (None, STRANGER, GOOD)))
    assert first.identity is not None
    assert first.identity.standing is V
    assert second.signature is not None
    assert (second.identity, second.signature.reason) == (None, "replayed")


def test_a_signature_without_a_nonce_may_come_again_until_it_expires() -> None:
    twice = sign(f'sig1="{AGENT}"', ';key="sig1"')
    answers = asyncio.run(House().ask((None, STRANGER, twice), (None, STRANGER, twice)))
    assert all(answered.identity is not None for answered in answers)
    late = asyncio.run(House().ask((None, STRANGER, twice), now=NOW + 331))
    assert late[0].identity is None


def test_a_store_that_fails_locks_no_agent_out() -> None:
    house = House()
    house.spent = BrokenStore()
    answers = asyncio.run(house.ask((None, STRANGER, GOOD), (None, STRANGER, GOOD)))
    assert all(answered.identity is not None for answered in answers)


def test_cve_2026_48710_a_signature_for_another_host_is_none_whatever_the_host_header_says() -> None:
    """BadHost: a decision stood on Host. The authority is the site's own; a signature made for a phisher fails."""
    stolen = sign(f'sig1="{AGENT}"', ';key="sig1"', authority="evil.example")
    headers = (*stolen.headers, (b"host", b"evil.example"), (b"x-forwarded-host", b"evil.example"))
    (answered,) = asyncio.run(House().ask((None, STRANGER, replace(stolen, authority="news.example", headers=headers))))
    assert answered.identity is None


def test_pysec_2026_248_a_path_cannot_move_the_authority() -> None:
    """A target such as ``@evil.example/x`` would make another host of the URI that is signed."""
    covered = parse_dictionary('sig=("@target-uri")')["sig"]
    assert isinstance(covered, InnerList)
    for target in ("@evil.example/x", ".evil.example/", ":8443/", "https://evil.example/", "*"):
        with pytest.raises(ComponentError):
            signature_base(SignedRequest("GET", "https", "news.example", target, ()), covered)


@pytest.mark.parametrize(
    "path", ["/a/b", "/a%2fb", "/a%5Cb", "/a%2Fb/", "//a%2Fb", "/a%2Fb;x", "/./a%2Fb", "/a%2Fb%00"]
)
def test_cve_2021_29492_a_signature_for_one_spelling_of_a_path_is_for_that_one(path: str) -> None:
    """Envoy took ``%2F`` for ``/``. What was signed is compared as it was sent, never as it is decoded."""
    signed = sign(f'sig1="{AGENT}"', ';key="sig1"', path="/a%2Fb")
    (right, wrong) = asyncio.run(
        House().ask(*[(None, STRANGER, replace(signed, target=f"{p}?b=1")) for p in ("/a%2Fb", path)])
    )
    assert right.identity is not None
    assert wrong.identity is None


def test_cve_2026_34457_a_user_agent_alone_exempts_nobody() -> None:
    """oauth2-proxy: health checks were let through by their User-Agent. Here the name alone is never *verified*."""
    house = House()
    for agent in (b"GoogleHC/1.0", b"kube-probe/1.27", b"ELB-HealthChecker/2.0", b"UptimeRobot/2.0", b"Googlebot/2.1"):
        crawler = CATALOGUE.match(agent)
        assert crawler is not None
        assert standing(house, crawler, STRANGER) is not V


def test_cve_2026_76835_a_forwarded_address_that_nobody_vouches_for_proves_nothing() -> None:
    """oauth2-proxy trusted everybody's X-Forwarded-For. An address that is not certain is passed as None."""
    assert standing(House(*GOOGLE), GOOGLEBOT, None) is X


def test_anubis_1919_a_header_cannot_say_that_somebody_is_verified() -> None:
    """Internal headers were believed from outside. Nothing but the signature fields is ever read here."""
    headers = ((b"x-contentguard-identity", b"verified"), (b"x-verified-bot", b"1"), (b"cf-verified-bot", b"true"))
    request = SignedRequest("GET", "https", "news.example", "/", headers)
    assert standing(House(), GOOGLEBOT, STRANGER, request) is S
    (answered,) = asyncio.run(House().ask((None, STRANGER, request)))
    assert answered.identity is None


def test_is_crawler_1_5_25_a_rented_machine_is_no_googlebot() -> None:
    """Its suffix .googleusercontent.com made a Googlebot of every virtual machine at Google."""
    name = "1.1.15.51.bc.googleusercontent.com"
    house = House({STRANGER: [name]}, {name: [STRANGER]})
    assert standing(house, GOOGLEBOT, STRANGER) is S


def test_is_crawler_1_5_25_nobody_waits_for_dns() -> None:
    """It asked DNS in the request: one slow zone held up the whole server."""
    house = House()
    house.dns.gate.clear()
    house.options["wait"] = 0.0
    assert standing(house, GOOGLEBOT, STRANGER) is X


def test_anubis_cve_2025_24369_a_proof_of_no_work_is_no_proof() -> None:
    """Any hash was accepted as a solution, and again after a rewrite: here every signature byte counts, every time."""
    headers = dict(GOOD.headers)
    for wrong in (b"sig1=::", b"sig1=:" + b"A" * 86 + b"==:", headers[b"signature"].replace(b"sig1", b"sig2")):
        forged = replace(GOOD, headers=((*GOOD.headers[:2], (b"signature", wrong))))
        (answered,) = asyncio.run(House().ask((None, STRANGER, forged)))
        assert answered.identity is None
