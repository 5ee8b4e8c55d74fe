"""Which requests show a picture inside a page of another site, and whom that is no matter of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from contentguard.data import embedders
from contentguard.model import Crawler, Facts, Purpose, Standing
from contentguard.policy.media import Media, Paths, is_embedded, is_guest

OWN = "news.example"
HOSTS = frozenset(("google.com", "partner.example"))


def facts(method: str = "GET", **headers: str) -> Facts:
    pairs = tuple((name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items())
    return Facts(method, "/images/a.jpg", pairs, None)


def embedded(method: str = "GET", **headers: str) -> bool:
    return is_embedded(facts(method, **{"host": "news.example", **headers}), OWN, HOSTS)


IMAGE = {"sec_fetch_site": "cross-site", "sec_fetch_dest": "image"}
ELSEWHERE = "https://elsewhere.example/page"

YES = [
    IMAGE,
    {**IMAGE, "referer": ELSEWHERE},
    {**IMAGE, "sec_fetch_dest": "embed"},
    {**IMAGE, "sec_fetch_dest": "iframe"},
    {**IMAGE, "referer": "https://news.example/forged-by-no-browser"},
    {"referer": ELSEWHERE},
    {"referer": "http://elsewhere.example"},
    {"referer": "https://news.example.elsewhere.example/"},
    {"referer": "https://notnews.example/"},
    {"referer": "https://news.example@elsewhere.example/"},
    {"referer": "https://google.com.elsewhere.example/"},
]
NO: list[dict[str, str]] = [
    {},
    {"sec_fetch_site": "same-origin", "sec_fetch_dest": "image"},
    {"sec_fetch_site": "same-site", "sec_fetch_dest": "image", "referer": "https://shop.news.example/"},
    {"sec_fetch_site": "none", "sec_fetch_dest": "document"},
    {"sec_fetch_site": "cross-site", "sec_fetch_dest": "document", "referer": ELSEWHERE},
    {"sec_fetch_site": "cross-site", "sec_fetch_dest": "empty"},
    {"sec_fetch_site": "cross-site"},
    {**IMAGE, "referer": "https://www.google.com/"},
    {**IMAGE, "referer": "https://blog.partner.example/x"},
    *(
        {"referer": referrer}
        for referrer in ("", "https://news.example/x", "https://www.news.example/", "android-app://x")
    ),
    *(
        {"referer": referrer}
        for referrer in ("https://m.news.example/", "https://example/", "about:client", "https://[x")
    ),
    {"referer": "https://mail.google.com/mail"},
    {"referer": ELSEWHERE, "accept": "text/html,*/*"},
    {"referer": "http://127.0.0.1:8000/x", "host": "127.0.0.1:8000"},
    {"referer": "https://x" * 9000},
]


@pytest.mark.parametrize("headers", YES)
def test_a_page_of_another_site_shows_it(headers: dict[str, str]) -> None:
    assert embedded(**headers)
    assert embedded("HEAD", **headers)
    assert not embedded("POST", **headers)


@pytest.mark.parametrize("headers", NO)
def test_what_says_nothing_of_the_kind_is_left_alone(headers: dict[str, str]) -> None:
    assert not embedded(**headers)


def test_without_host_and_origin_every_referrer_is_another_site() -> None:
    assert is_embedded(facts(referer=ELSEWHERE), "", HOSTS)
    assert is_embedded(facts(referer=ELSEWHERE, host="[x"), "", HOSTS)


@given(st.dictionaries(st.sampled_from(["referer", "host", "sec_fetch_site", "sec_fetch_dest"]), st.text(max_size=40)))
def test_no_header_breaks_it(headers: dict[str, str]) -> None:
    pairs = tuple((n.replace("_", "-").encode(), v.encode("utf-8", "surrogatepass")) for n, v in headers.items())
    is_embedded(Facts("GET", "/", pairs, None), OWN, HOSTS)


def crawler(purpose: Purpose) -> Crawler:
    return Crawler("Bot", "Bot", "", purpose, None)


@pytest.mark.parametrize("purpose", list(Purpose))
def test_guests_fetch_for_search_cards_feeds_and_mail(purpose: Purpose) -> None:
    wanted = purpose in (Purpose.SEARCH, Purpose.LINK_PREVIEW, Purpose.FEED)
    asked = Facts("GET", "/", (), None, crawler=crawler(purpose))
    assert is_guest(asked) is wanted
    pretends = Facts("GET", "/", (), None, crawler=crawler(purpose), identity=Standing.SPOOFED)
    assert not is_guest(pretends)


def test_nobody_is_a_guest_without_a_name() -> None:
    assert not is_guest(facts())


def test_a_pattern_is_held_against_every_spelling() -> None:
    paths = Paths(["/images/", "/*.png$"])
    for path in ("/images/a.jpg", "/IMAGES/a.jpg", "/x/../images/a.jpg", "//images//a.jpg", "/%69mages/a", "/a.png;x"):
        assert paths.may_mean(path), path
    assert not paths.may_mean("/pictures/a.jpg")
    assert paths.surely_mean("/images/a.jpg")
    assert not paths.surely_mean("/images/../secret/a.jpg")
    assert not paths.surely_mean("/secret/a.jpg\0/images/")
    long = "/images/" + "%2e" * 5000
    assert (paths.may_mean(long), paths.surely_mean(long)) == (True, False)
    assert (Paths([]).may_mean(long), Paths([]).surely_mean("/")) == (False, False)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"hotlinks": "deny"}, "placeholder"),
        ({"resource_policy": "cross-origin"}, "same-site"),
        ({"embedders": ("https://a.example",)}, "partner.example"),
        ({"signed": ("images/",)}, "starts with /"),
        ({"open": ("images/",)}, "starts with /"),
        ({"days": 0}, "1 to 366"),
        ({"cache_bytes": -1}, "from 0 on"),
        ({"marked": ("images/",)}, "starts with /"),
    ],
)
def test_mistakes_are_refused(options: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Media(**options)  # type: ignore[arg-type]


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(ValidationError, match="hotlink"):
        TypeAdapter(Media).validate_python({"hotlink": "allow"})


def test_the_list_of_services_is_of_hosts_and_of_no_whole_domain_of_a_country() -> None:
    assert {"google.com", "bing.com", "feedly.com", "inoreader.com", "mail.google.com"} <= embedders()
    for host in embedders():
        Media(embedders=(host,))
        assert "." in host
        assert host not in ("co.uk", "com.au")
