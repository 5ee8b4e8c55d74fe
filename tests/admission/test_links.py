"""Shared and gift links: short, bound to their article, promising what they say, and counted by link and giver."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.admission.links import (
    Gift,
    GiftLinks,
    Shared,
    SharedLinks,
    devices,
    gifts,
    give,
    giver_tag,
    is_gift_open,
    is_shared_open,
    read_gift,
    read_shared,
    readings,
    share,
)
from contentguard.sealed import seal

KEY, OTHER = bytes(32), bytes(range(32))
NOW = 1_800_000_000.0
DAY = 86400.0
TODAY = int(NOW // DAY)
SHARED = Shared(0x1234567890, "facebook", TODAY)
GIFT = Gift(giver_tag(KEY, "anna"), b"nonce 01", int(NOW), 14, 10)

shares = st.builds(
    Shared,
    st.integers(0, 2**64 - 1),
    st.from_regex(re.compile(r"[A-Za-z0-9_.-]{0,24}", re.ASCII), fullmatch=True),
    st.integers(0, 2**16 - 1),
)
eight = st.binary(min_size=8, max_size=8)
all_gifts = st.builds(Gift, eight, eight, st.integers(0, 2**32 - 1), st.integers(1, 255), st.integers(1, 255))


@given(shares, st.text())
def test_a_shared_link_is_read_back_and_short(shared: Shared, article: str) -> None:
    text = share(KEY, shared, article)
    assert re.fullmatch(r"[A-Za-z0-9_-]{40,72}", text)
    assert read_shared([OTHER, KEY], text.encode(), article) == shared
    assert read_shared([OTHER], text.encode(), article) is None
    assert read_gift([KEY], text.encode(), article) is None


@given(all_gifts, st.text())
def test_a_gift_is_read_back_and_short(gift: Gift, article: str) -> None:
    text = give(KEY, gift, article)
    assert re.fullmatch(r"[A-Za-z0-9_-]{56}", text)
    assert read_gift([OTHER, KEY], text.encode(), article) == gift
    assert read_gift([OTHER], text.encode(), article) is None
    assert read_shared([KEY], text.encode(), article) is None


@given(st.text(), st.text())
def test_a_link_cannot_be_moved_to_another_article(one: str, other: str) -> None:
    shared, gift = share(KEY, SHARED, one).encode(), give(KEY, GIFT, one).encode()
    assert (read_shared([KEY], shared, other) is not None) is (one == other)
    assert (read_gift([KEY], gift, other) is not None) is (one == other)


def test_nor_can_the_net_s_end_become_the_article_s_beginning() -> None:
    """ALTCHA CVE-2025-68113: two sets of fields, one text under the MAC."""
    text = share(KEY, Shared(1, "a", TODAY), "b/news")
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    assert read_shared([KEY], urlsafe_b64encode(raw + b"b").rstrip(b"="), "/news") is None
    assert read_shared([KEY], urlsafe_b64encode(raw[:-1]).rstrip(b"="), "ab/news") is None


@pytest.mark.parametrize("text", [share(KEY, SHARED, "/a"), give(KEY, GIFT, "/a")])
def test_no_bit_of_a_link_can_be_changed(text: str) -> None:
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    for bit in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        spoiled = urlsafe_b64encode(changed).rstrip(b"=")
        assert read_shared([KEY], spoiled, "/a") is None
        assert read_gift([KEY], spoiled, "/a") is None


@given(st.binary(max_size=100) | st.text("AQgw-_", max_size=100).map(str.encode))
def test_anything_else_is_no_link(text: bytes) -> None:
    assert read_shared([KEY], text, "/a") is None
    assert read_gift([KEY], text, "/a") is None


@pytest.mark.parametrize("body", [b"x", b"x" * 9, b"x" * 10 + b"a/b", b"x" * 10 + b"\xff", b"x" * 10 + b"a" * 25])
def test_a_body_that_is_no_shared_link_though_its_mac_is_right(body: bytes) -> None:
    assert read_shared([KEY], seal(KEY, b"cg-link-shared", 1, body, b"/a").encode(), "/a") is None


@pytest.mark.parametrize("body", [b"x", b"x" * 21, b"x" * 23, b"x" * 20 + b"\0x", b"x" * 21 + b"\0"])
def test_a_body_that_is_no_gift_though_its_mac_is_right(body: bytes) -> None:
    assert read_gift([KEY], seal(KEY, b"cg-link-gift", 1, body, b"/a").encode(), "/a") is None


@pytest.mark.parametrize(
    "changes", [{"net": "a" * 25}, {"net": "a b"}, {"net": "é"}, {"serial": -1}, {"serial": 2**64}, {"issued": 2**16}]
)
def test_what_no_shared_link_can_hold(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no shared link can hold"):
        share(KEY, SHARED._replace(**changes), "/a")


@pytest.mark.parametrize(
    "changes",
    [
        {"giver": b""},
        {"nonce": b"x" * 9},
        {"issued": -1},
        {"issued": 2**32},
        {"days": 0},
        {"days": 256},
        {"devices": 0},
    ],
)
def test_what_no_gift_can_hold(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no gift link can hold"):
        give(KEY, GIFT._replace(**changes), "/a")


# -- for how long ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "opened"), [(-2, False), (-1, True), (0, True), (364, True), (365, False)])
def test_a_shared_link_is_open_for_a_year(days: int, opened: bool) -> None:
    assert is_shared_open(SHARED, NOW + days * DAY, SharedLinks()) is opened


@pytest.mark.parametrize(
    ("seconds", "opened"), [(-61, False), (-60, True), (0, True), (14 * DAY, True), (14 * DAY + 1, False)]
)
def test_a_gift_is_open_for_the_days_that_it_promises(seconds: float, opened: bool) -> None:
    assert is_gift_open(GIFT, NOW + seconds) is opened


# -- budgets ---------------------------------------------------------------------------------------------------


def test_what_a_reader_shares_in_a_day_is_one_link_with_one_budget() -> None:
    text = share(KEY, SHARED, "/a")
    assert share(KEY, SHARED, "/a") == text
    budget = readings(text, SHARED, SharedLinks())
    assert budget.most == 10
    assert budget.until == (TODAY + 365) * DAY
    others = [share(KEY, SHARED, "/b"), share(KEY, SHARED._replace(net="x"), "/a"), share(OTHER, SHARED, "/a")]
    assert len({budget.key, *(readings(other, SHARED, SharedLinks()).key for other in others)}) == 4


def test_a_gift_is_read_on_as_many_devices_as_it_promises() -> None:
    text = give(KEY, GIFT, "/a")
    budget = devices(text, GIFT)
    assert (budget.most, budget.until) == (10, NOW + 14 * DAY)
    again = GIFT._replace(nonce=b"nonce 02")
    assert devices(give(KEY, again, "/a"), again).key != budget.key


def at(year: int, month: int, day: int) -> float:
    return datetime(year, month, day, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("now", "month", "until"),
    [
        (at(2026, 11, 1), "2026-11", at(2026, 12, 1)),
        (at(2026, 12, 1) - 0.001, "2026-11", at(2026, 12, 1)),
        (at(2026, 12, 31), "2026-12", at(2027, 1, 1)),
        (at(2028, 2, 29), "2028-02", at(2028, 3, 1)),
    ],
)
def test_a_giver_has_a_quota_for_each_month(now: float, month: str, until: float) -> None:
    budget = gifts(GIFT.giver, now, GiftLinks())
    assert budget.key == f"given:{GIFT.giver.hex()}:{month}"
    assert (budget.most, budget.until) == (10, until)
    assert gifts(giver_tag(KEY, "berta"), now, GiftLinks()).key != budget.key


def test_a_giver_is_not_named() -> None:
    assert giver_tag(KEY, "anna") == giver_tag(KEY, "anna")
    assert giver_tag(KEY, "anna") != giver_tag(OTHER, "anna")
    assert len(giver_tag(KEY, "\udcff")) == 8


# -- options ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("numbers", [{"readings": -1}, {"days": 0}, {"days": 3651}])
def test_shared_links_that_make_no_sense(numbers: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="shared links with"):
        SharedLinks(**numbers)
    assert SharedLinks(readings=0).readings == 0


@pytest.mark.parametrize("numbers", [{"monthly": -1}, {"days": 0}, {"days": 256}, {"devices": 0}, {"devices": 256}])
def test_gifts_that_make_no_sense(numbers: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="gifts a month"):
        GiftLinks(**numbers)
    assert GiftLinks(monthly=0).monthly == 0
