"""Addresses of pictures that expire, and pictures that anybody may fetch because a card names them."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.guard import media as module
from contentguard.guard.media import SLOT, Media
from contentguard.model import Facts
from contentguard.rewrite.page import Page
from contentguard.tokens import Signer
from tests.client import KEY, settings

HOUR = 490_000
NOW = HOUR * SLOT + 1.0
PATH = "/images/tide.jpg"


def made(key: str = KEY, **chosen: Any) -> Media:
    media = Media(settings(media={"signed": ["/images/"], **chosen}), Signer([key.encode()]))
    media.slot = HOUR
    return media


def asked(now: float = NOW, **headers: str) -> Facts:
    pairs = tuple((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items())
    return Facts("GET", PATH, pairs, None, now=now)


def token(media: Media, path: str = PATH) -> str:
    return media.query(path).removeprefix("cgm=")


def test_an_address_is_good_for_its_path_until_it_expires() -> None:
    media = made(days=2)
    end = (HOUR + 48) * SLOT
    assert media.withholds(asked(), PATH, token(media)) == ""
    assert media.withholds(asked(end - 1), PATH, token(media)) == ""
    assert media.withholds(asked(end), PATH, token(media)) == "unsigned"
    assert media.withholds(asked(), "/images/other.jpg", token(media)) == "unsigned"
    assert media.withholds(asked(), PATH, "") == "unsigned"
    assert media.withholds(asked(), "/elsewhere.jpg", "") == ""


def test_within_an_hour_it_is_the_same_and_in_the_next_another() -> None:
    media = made()
    first = token(media)
    assert token(media) == first
    media.slot += 1
    assert token(media) != first
    assert media.withholds(asked(), PATH, first) == ""


@pytest.mark.parametrize(
    "spelled", ["/Images/tide.jpg", "/x/../images/tide.jpg", "//images/tide.jpg", "/images/tide.jpg;x"]
)
def test_another_spelling_of_the_path_needs_a_token_of_its_own(spelled: str) -> None:
    media = made()
    assert media.withholds(asked(), spelled, "") == "unsigned"
    assert media.withholds(asked(), spelled, token(media)) == "unsigned"
    assert media.withholds(asked(), spelled, token(media, spelled)) == ""


def test_another_key_signs_nothing_and_an_old_one_still_does() -> None:
    old = token(made("an-older-secret-key"))
    assert made().withholds(asked(), PATH, old) == "unsigned"
    both = Media(settings(media={"signed": ["/images/"]}), Signer([KEY.encode(), b"an-older-secret-key"]))
    assert both.withholds(asked(), PATH, old) == ""


@given(st.text(max_size=60))
def test_no_other_text_is_a_token(text: str) -> None:
    media = made()
    assert media.withholds(asked(), PATH, text) == ("" if text == token(media) else "unsigned")


@given(st.integers(0, 39), st.characters(min_codepoint=33, max_codepoint=126))
def test_no_changed_token_is_one(place: int, letter: str) -> None:
    media = made()
    genuine = token(media)
    place %= len(genuine)
    changed = genuine[:place] + letter + genuine[place + 1 :]
    # One more hour than was signed is the first thing that somebody would try.
    assert media.withholds(asked(), PATH, changed) == ("" if changed == genuine else "unsigned")


@given(st.text(max_size=40))
def test_every_path_gets_an_address_that_fetches_it(name: str) -> None:
    media, path = made(), "/images/" + name
    parts = urlsplit(media.signed(path))
    assert unquote(parts.path, errors="surrogatepass") == path or max(path) >= "\ud800"
    assert media.withholds(asked(), path, parts.query.removeprefix("cgm=")) == ""


def test_a_picture_that_needs_no_token_has_its_plain_address() -> None:
    assert made().signed("/küste.jpg") == "/k%C3%BCste.jpg"


CARDS = [
    (Page(image="https://news.example/images/card%20one.jpg"), "/images/card one.jpg"),
    (Page(image="/images/a.jpg", path="/news/tide"), "/images/a.jpg"),
    (Page(image="../images/a.jpg", origin="https://news.example", path="/news/tide"), "/images/a.jpg"),
    (Page(metas={"twitter:image": "/images/t.jpg"}), "/images/t.jpg"),
    (Page(metas={"og:image:secure_url": "https://cdn.example/images/s.jpg"}), "/images/s.jpg"),
]


@pytest.mark.parametrize(("page", "path"), CARDS)
def test_what_a_card_names_is_open_to_who_fetches_it(page: Page, path: str) -> None:
    media, shown = made(hotlinks="placeholder"), made(hotlinks="placeholder", cards="show")
    fetcher, stranger = asked(), asked(sec_fetch_site="cross-site", sec_fetch_dest="image")
    assert media.withholds(fetcher, path, "") == media.withholds(stranger, path, "") == "unsigned"
    for one in (media, shown):
        one.learn(page)
        assert one.withholds(fetcher, path, "") == ""
    assert media.withholds(stranger, path, "") == "unsigned"
    assert shown.withholds(stranger, path, "") == ""


@pytest.mark.parametrize("url", ["", "https://[x", "data:image/png;base64,x", "images/" + "a" * 600])
def test_what_a_card_names_and_is_no_path_is_not_remembered(url: str) -> None:
    media = made()
    media.learn(Page(image=url, origin="https://news.example"))
    assert not media._cards


def test_cards_are_bounded_and_the_oldest_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CARDS", 3)
    media = made()
    for number in (1, 2, 3, 1, 4):
        media.learn(Page(image=f"https://news.example/images/{number}.jpg"))
    assert list(media._cards) == ["/images/3.jpg", "/images/1.jpg", "/images/4.jpg"]


def test_what_the_site_names_open_is() -> None:
    media = made(open=("/images/cards/",))
    assert media.withholds(asked(), "/images/cards/a.jpg", "") == ""
    assert media.withholds(asked(), "/images/cards/../tide.jpg", "") == "unsigned"


def test_a_signed_picture_is_embedded_elsewhere_as_little_as_any() -> None:
    media = made(hotlinks="placeholder")
    assert media.withholds(asked(referer="https://elsewhere.example/"), PATH, token(media)) == "embedded"
    assert media.withholds(asked(referer="https://news.example/"), PATH, token(media)) == ""


def test_nothing_is_on_by_default() -> None:
    media = Media(settings(), Signer([KEY.encode()]))
    assert not media.active
    assert media.query(PATH) == ""
