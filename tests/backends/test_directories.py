"""Key directories: what is fetched, how often, how long it counts, and that trouble takes nothing away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence

import httpx
import pytest

from contentguard.backends.directories import MEDIA_TYPE, Directories, DirectoryLimits
from contentguard.backends.fetching import PublicFetcher
from contentguard.crawlers.agents import WELL_KNOWN
from contentguard.limits import Limit
from tests.crawlers.signing import ED25519, KEYID

SIGNER = "https://signature-agent.test"
AGENT = SIGNER + WELL_KNOWN
OTHER_KEY = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
OTHER_ID = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


class Clock:
    now = 1_735_689_660.0

    def __call__(self) -> float:
        return self.now


class Publisher:
    """A web server with one directory. ``gate``: nothing is answered before it opens."""

    def __init__(self, *keys: Mapping[str, str]) -> None:
        self.status = 200
        self.headers = {"Content-Type": MEDIA_TYPE}
        self.body = self.set_of(*keys)
        self.asked: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    @staticmethod
    def set_of(*keys: Mapping[str, str]) -> bytes:
        return json.dumps({"keys": keys}).encode()

    async def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.headers['host']}{request.url.raw_path.decode()}")
        await self.gate.wait()
        return httpx.Response(self.status, headers=self.headers, stream=httpx.ByteStream(self.body))

    def fetcher(self, address: str = "93.184.215.14") -> PublicFetcher:
        async def resolve(host: str) -> Sequence[str]:
            return [address]

        return PublicFetcher(resolve=resolve, transport=httpx.MockTransport(self.handle), seconds=0.2)


def directories(publisher: Publisher, clock: Clock, **options: object) -> Directories:
    return Directories([SIGNER], fetcher=publisher.fetcher(), clock=clock, **options)  # type: ignore[arg-type]


def test_keys_are_fetched_once_and_remembered() -> None:
    async def story() -> None:
        publisher, clock = Publisher(ED25519), Clock()
        known = directories(publisher, clock)
        found = await known.keys(AGENT, KEYID, 5.0)
        assert found is not None
        assert set(found) == {KEYID}
        for _ in range(5):
            assert await known.keys(AGENT, KEYID) == found
        assert publisher.asked == ["signature-agent.test" + WELL_KNOWN]
        await known.aclose()

    asyncio.run(story())


def test_nobody_waits_for_longer_than_the_budget_and_one_fetch_serves_all() -> None:
    async def story() -> None:
        publisher, clock = Publisher(ED25519), Clock()
        publisher.gate.clear()
        known = directories(publisher, clock)
        assert await known.keys(AGENT, KEYID) is None
        assert await known.keys(AGENT, KEYID, 0.01) is None
        several = [asyncio.create_task(known.keys(AGENT, KEYID, 5.0)) for _ in range(20)]
        await asyncio.sleep(0)
        publisher.gate.set()
        assert all(await asyncio.gather(*several))
        assert len(publisher.asked) == 1
        await known.aclose()

    asyncio.run(story())


def test_only_known_agents_are_asked() -> None:
    async def story() -> None:
        publisher, clock = Publisher(ED25519), Clock()
        known = directories(publisher, clock)
        for agent in (
            "https://evil.test/keys",
            "https://signature-agent.test.evil.test/keys",
            "http://signature-agent.test/",
        ):
            assert not known.allows(agent)
            assert await known.keys(agent, KEYID, 1.0) is None
        assert not publisher.asked
        curious = directories(publisher, clock, discover=True)
        assert await curious.keys("https://evil.test/keys", KEYID, 5.0)
        await known.aclose()
        await curious.aclose()

    asyncio.run(story())


def test_keys_belong_to_their_directory() -> None:
    """The same public key in two directories makes two agents, not one."""

    async def story() -> None:
        publisher, clock = Publisher(ED25519), Clock()
        known = directories(publisher, clock, discover=True)
        assert await known.keys("https://borrower.test/keys", KEYID, 5.0)
        publisher.status = 404
        assert await known.keys(AGENT, KEYID, 5.0) is None
        await known.aclose()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (301, {"Location": "https://elsewhere.test/"}, b""),
        (404, {}, b""),
        (500, {}, b""),
        (200, {"Content-Type": "text/html"}, b"<html>"),
        (200, {"Content-Type": "text/html"}, Publisher.set_of(OTHER_KEY)),
        (200, {}, Publisher.set_of(OTHER_KEY)),
        (200, {"Content-Type": MEDIA_TYPE}, b"not json"),
        (200, {"Content-Type": MEDIA_TYPE}, b'{"keys":' + b" " * 65_536 + b"[]}"),
        (200, {"Content-Type": MEDIA_TYPE}, Publisher.set_of(*[OTHER_KEY] * 33)),
    ],
    ids=["redirect", "404", "500", "html", "wrong type", "no type", "no json", "65 KiB", "33 keys"],
)
def test_a_directory_in_trouble_leaves_what_was_known(status: int, headers: dict[str, str], body: bytes) -> None:
    async def story() -> None:
        publisher, clock = Publisher(ED25519), Clock()
        known = directories(publisher, clock)
        before = await known.keys(AGENT, KEYID, 5.0)
        publisher.status, publisher.headers, publisher.body = status, headers, body
        clock.now += 100_000
        assert await known.keys(AGENT, OTHER_ID, 5.0) == before
        assert len(publisher.asked) == 2
        new = directories(publisher, clock)
        assert await new.keys(AGENT, KEYID, 5.0) is None
        await known.aclose()
        await new.aclose()

    asyncio.run(story())


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1"])
def test_a_directory_on_a_private_address_is_never_asked(address: str) -> None:
    async def story() -> None:
        publisher = Publisher(ED25519)
        known = Directories([SIGNER], fetcher=publisher.fetcher(address), clock=Clock())
        assert await known.keys(AGENT, KEYID, 5.0) is None
        assert not publisher.asked
        await known.aclose()

    asyncio.run(story())


def test_a_slow_directory_is_given_up() -> None:
    async def story() -> None:
        publisher = Publisher(ED25519)
        publisher.gate.clear()
        known = directories(publisher, Clock())
        assert await known.keys(AGENT, KEYID, 5.0) is None
        await known.aclose()

    asyncio.run(story())


def test_a_withdrawn_key_is_gone_with_the_next_fetch() -> None:
    async def story() -> None:
        publisher, clock = Publisher(ED25519), Clock()
        known = directories(publisher, clock)
        assert await known.keys(AGENT, KEYID, 5.0)
        publisher.body = publisher.set_of(OTHER_KEY)
        clock.now += 86_401
        stale = await known.keys(AGENT, KEYID, 5.0)
        assert stale is not None
        assert KEYID in stale, "old keys serve while new ones are fetched"
        await asyncio.sleep(0.01)
        found = await known.keys(AGENT, KEYID)
        assert found is not None
        assert set(found) == {OTHER_ID}
        await known.aclose()

    asyncio.run(story())


def test_a_new_key_is_looked_for_but_not_again_and_again() -> None:
    async def story() -> None:
        publisher, clock = Publisher(ED25519), Clock()
        known = directories(publisher, clock)
        assert await known.keys(AGENT, KEYID, 5.0)
        for _ in range(10):
            await known.keys(AGENT, OTHER_ID, 5.0)
        assert len(publisher.asked) == 1
        publisher.body = publisher.set_of(ED25519, OTHER_KEY)
        clock.now += 301
        found = await known.keys(AGENT, OTHER_ID, 5.0)
        assert found is not None
        assert set(found) == {KEYID, OTHER_ID}
        await known.aclose()

    asyncio.run(story())


def test_keys_do_not_outlive_their_directory_for_ever() -> None:
    async def story() -> None:
        publisher, clock = Publisher(ED25519), Clock()
        known = directories(publisher, clock)
        assert await known.keys(AGENT, KEYID, 5.0)
        publisher.status = 500
        clock.now += 6 * 86_400
        assert await known.keys(AGENT, KEYID, 5.0)
        clock.now += 2 * 86_400
        assert await known.keys(AGENT, KEYID, 5.0) is None
        await known.aclose()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("cache_control", "fresh"),
    [
        ("max-age=3600", 3600),
        ("public, max-age=10", 300),
        ("max-age=99999999", 86_400),
        ("no-store", 300),
        ("", 86_400),
        ("x-max-age=1", 86_400),
        ("max-age=-1", 86_400),
        ("max-age=" + "9" * 5000, 86_400),
    ],
)
def test_cache_control_counts_within_bounds(cache_control: str, fresh: int) -> None:
    async def story() -> None:
        publisher, clock = Publisher(ED25519), Clock()
        publisher.headers["Cache-Control"] = cache_control
        known = directories(publisher, clock)
        assert await known.keys(AGENT, KEYID, 5.0)
        clock.now += fresh - 1
        await known.keys(AGENT, KEYID)
        await asyncio.sleep(0.01)
        assert len(publisher.asked) == 1
        clock.now += 2
        await known.keys(AGENT, KEYID)
        await asyncio.sleep(0.01)
        assert len(publisher.asked) == 2
        await known.aclose()

    asyncio.run(story())


def test_a_flood_of_agents_is_bounded_in_fetches_and_in_memory() -> None:
    async def story() -> None:
        publisher, clock = Publisher(ED25519), Clock()
        limits = DirectoryLimits(entries=50, fetches=Limit(5, 1.0))
        known = directories(publisher, clock, discover=True, limits=limits)
        for number in range(500):
            await known.keys(f"https://agent-{number}.test/keys", KEYID)
        await asyncio.sleep(0.05)
        assert len(publisher.asked) <= 5
        assert len(known._known) == 50
        clock.now += 1
        assert await known.keys(AGENT, KEYID, 5.0)
        await known.aclose()

    asyncio.run(story())


def test_possession_is_asked_for_where_it_is_wanted() -> None:
    """Vector E.2.3 of the draft: this response was signed by its own key."""

    async def story() -> None:
        publisher, clock = Publisher(), Clock()
        publisher.body = (
            b'{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U",'
            b'"x":"JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs","use":"sig"}]}'
        )
        known = directories(publisher, clock, possession=True)
        assert await known.keys(AGENT, KEYID, 5.0) == {}
        publisher.headers |= {
            "Content-Digest": "sha-256=:CADMT2aBdV/rqQr/NIru64ERQkCobVvllA4V0fLFDu0=:",
            "Signature-Input": 'sig1=("@authority";req "content-digest");created=1735689600;expires=4889289600;'
            f'keyid="{KEYID}";tag="http-message-signatures-directory"',
            "Signature": "sig1=:l6P8R67tm3kujAxbHWio7ll01qrEZ0dKD/WWlGhNYEmTnFZM8Wt0VQ9zqGfvo7T/"
            "UMkBxsigzChM1Gpz7gOVBg==:",
        }
        clock.now += 301
        assert set(await known.keys(AGENT, KEYID, 5.0) or {}) == {KEYID}
        await known.aclose()

    asyncio.run(story())


def test_closing_ends_what_is_under_way() -> None:
    async def story() -> None:
        publisher = Publisher(ED25519)
        publisher.gate.clear()
        known = directories(publisher, Clock())
        waiting = asyncio.create_task(known.keys(AGENT, KEYID, 60.0))
        await asyncio.sleep(0.01)
        await known.aclose()
        assert await waiting is None

    asyncio.run(story())
