"""Every token of ours in every place that takes one: each opens its own door and no other.

Strategy: one guard with all its keys makes one token of each kind; a table says where each is good. A new kind that is
missing here is found by the purposes that the guard derives keys for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from itertools import product
from typing import Any
from urllib.parse import urlsplit

import pytest

from contentguard import ContentGuardMiddleware
from contentguard.admission import once, orders, passes, tickets
from contentguard.admission.difficulty import NO_WORK
from contentguard.admission.grants import offer
from contentguard.admission.passes import Pass, short
from contentguard.asgi.request import read_facts
from contentguard.comments import form
from contentguard.detect import honeylinks, report
from contentguard.guard.media import QUERY
from contentguard.model import changed
from contentguard.tokens import Signer
from tests.client import http_scope, page, settings

NOW = 1_800_000_000.0
PATH, PICTURE = "/news/tide", "/images/tide.jpg"
READER = "192.0.2.7"
KEY, OTHER = "a-secret-key-for-the-tests", "another-secret-key-altogether"


class Doors:
    """A guard's tokens by name, and whether a text is good in a place of that name."""

    def __init__(self, key: str) -> None:
        chosen = settings(
            secret_key=key,
            reading={"mode": "progressive"},
            akismet={"key": "123abc"},
            media={"signed": ["/images/"]},
            feeds={"mode": "signed"},
        )
        self.app = ContentGuardMiddleware(page(), settings=chosen, clock=lambda: NOW)
        self.guard: Any = self.app.guard
        self.signer: Signer = self.guard.signer
        self.facts = changed(read_facts(http_scope(), self.guard), now=NOW)
        self.caller = self.guard.caller(self.facts)

    def _query(self, address: str | None) -> str:
        assert address is not None
        return urlsplit(address).query.partition("=")[2]

    def tokens(self) -> Mapping[str, str]:
        """One of each kind, all about the same article and the same reader."""
        links, key = self.guard.links, self.signer.derive
        kind, prefix = short(self.caller.kind), short(READER)
        ticket = offer(
            NOW - 10,
            "0" * 16,
            NO_WORK,
            article=tickets.article_tag(key("ticket"), PATH),
            agent=kind,
            prefix=prefix,
            path=PATH,
            options=self.guard.settings.tickets,
        )
        return {
            "pass": passes.write(key("pass"), Pass("f" * 16, 2, int(NOW), 0, kind, prefix)),
            "ticket": tickets.write(key("ticket"), ticket),
            "once": once.write(key("once"), "1" * 16, PATH, NOW),
            "order": orders.write(key("orders"), "/status", b"", NOW, bytes(8)),
            "shared": self._query(links.share(PATH)),
            "gift": self._query(asyncio.run(links.gift(PATH, "anna"))),
            "feed": self._query(links.feed(PATH, "anna")),
            "quote": self.signer.sign("quote", PATH),
            "qr": self.signer.sign("qr", PATH),
            "akismet": self.guard.comments.calls.url.rpartition("/")[2],
            "form": form.issue(key("comment-form"), PATH, "agent", READER, NOW, 600.0, 2.0, bytes(12))[1],
            "honeylink": honeylinks.make(key("honeylink"), READER, "", NOW),
            "report": report.make(key("report"), READER, NOW),
            "picture": self.guard.media.signed(PICTURE).partition(f"{QUERY}=")[2],
        }

    def places(self) -> Mapping[str, Callable[[str], bool]]:
        """Name → whether a text is taken there for what it says."""
        guard, derive = self.guard, self.signer.derive
        guard.turn(NOW)
        visits, links = guard.visits, guard.links

        def cookie(text: str) -> bool:
            pair = b"cookie", b"__Host-contentguard=" + text.encode()
            facts = changed(self.facts, headers=(*self.facts.headers, pair))
            return visits._given(facts, self.guard.caller(facts)) is not None

        def linked(kind: str) -> Callable[[str], bool]:
            return lambda text: (links._read(text.encode(), PATH, NOW) or ("",))[0] == kind

        return {
            "pass": cookie,
            "ticket": lambda text: guard.admissions.read(text.encode()) is not None,
            "once": lambda text: asyncio.run(guard.admissions.is_once(text.encode(), PATH, NOW)),
            "order": lambda text: orders.holds(self.signer.derived("orders"), text.encode(), "/status", b"", NOW),
            "shared": linked("shared"),
            "gift": linked("gift"),
            "feed": lambda text: links.subscriber(text.encode(), PATH, NOW) is not None,
            "quote": lambda text: guard.quotes.followed(text) is not None,
            "qr": lambda text: self.signer.read("qr", text) is not None,
            "akismet": guard.comments.calls.is_ours,
            "form": lambda text: form.read(self.signer.derived("comment-form"), text, PATH) is not None,
            "honeylink": lambda text: honeylinks.read(derive("honeylink"), text, READER, "", NOW) is not None,
            "report": lambda text: report.read(derive("report"), f"{text}.1".encode(), READER, NOW) is not None,
            "picture": lambda text: guard.media._is_valid(text, PICTURE, NOW),
        }


@pytest.fixture(scope="module")
def doors() -> Doors:
    return Doors(KEY)


def test_each_token_opens_its_own_door_and_no_other(doors: Doors) -> None:
    places = doors.places()
    tokens = doors.tokens()
    assert tokens.keys() == places.keys()
    opened = {(made, place) for made, place in product(tokens, places) if places[place](tokens[made])}
    assert opened == {(name, name) for name in tokens}


def test_none_of_another_site_s_key_opens_any(doors: Doors) -> None:
    places = Doors(OTHER).places()
    tokens = doors.tokens()
    assert not [(made, place) for made, place in product(tokens, places) if places[place](tokens[made])]


def test_what_is_made_for_one_order_is_no_other(doors: Doors) -> None:
    text, keys = doors.tokens()["order"].encode(), doors.signer.derived("orders")
    assert orders.holds(keys, text, "/status", b"", NOW)
    assert not orders.holds(keys, text, "/revoke", b"", NOW)
    assert not orders.holds(keys, text, "/status", b"f" * 16, NOW)
    assert not orders.holds(keys, text, "/status", b"", NOW + 61)


def test_no_two_purposes_have_one_key(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    """All keys that a guard with everything switched on derives are named here by what they are for."""
    seen: dict[str, bytes] = {}
    derived = Signer.derived

    def noted(self: Signer, purpose: str) -> tuple[bytes, ...]:
        seen[purpose] = (found := derived(self, purpose))[0]
        return found

    monkeypatch.setattr(Signer, "derived", noted)
    monkeypatch.setattr(Signer, "derive", lambda self, purpose: noted(self, purpose)[0])
    Doors(KEY)
    assert len(seen) > 15
    assert len({*seen.values()}) == len(seen)
    signing = {"pass", "ticket", "once", "link", "honeylink", "report", "media", "comment-form"}
    assert signing <= seen.keys(), "each has its row in the table above"
