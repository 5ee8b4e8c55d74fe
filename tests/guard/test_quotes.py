"""The links that quotations name: they lead to the page they were made for, and nobody else's path goes into them."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64encode
from html import unescape
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard import ContentGuardMiddleware
from contentguard.guard.quotes import LONGEST, Quotes
from contentguard.guard.status import status
from contentguard.rewrite.page import Page
from contentguard.tokens import Signer
from tests.client import ARTICLE, CURL, KEY, get, guarded, page

ORIGIN = "https://news.example"
ROUTES = "/.contentguard"
SIGNER = Signer([b"k" * 32])
QUOTES = Quotes(ORIGIN, SIGNER)


def site(**copying: object) -> ContentGuardMiddleware:
    return guarded(copying={"quote_link": True, **copying})


def told(app: ContentGuardMiddleware, path: str = "/news/tide", **options: str) -> dict[str, object]:
    """What a page tells the script."""
    found = re.search(r'data-cg="([^"]+)"', get(app, path, **options).text)  # type: ignore[arg-type]
    assert found
    config: dict[str, object] = json.loads(unescape(found[1]))
    return config


def quoted(app: ContentGuardMiddleware) -> str:
    return urlsplit(str(told(app)["link"])).path


def test_the_page_tells_its_link_only_where_the_site_wants_it() -> None:
    assert "link" not in told(guarded())
    link = told(site())["link"]
    assert str(link).startswith(f"{ORIGIN}{ROUTES}/q/")
    assert told(site())["link"] == link, "the same for every reader and every process"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_link_leads_to_its_page_and_names_no_fragment(method: str) -> None:
    app = site()
    answer = get(app, quoted(app), CURL, method=method)
    assert (answer.status_code, answer.headers["location"]) == (302, "/news/tide")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert answer.content == b""
    assert app.guard.quotes.counts == {"followed": 1}
    assert status(app.guard)["links"] == {"quote.followed": 1}


def test_other_methods_are_told_so() -> None:
    app = site()
    assert get(app, quoted(app), method="POST").status_code == 405


def test_below_a_mount_the_link_and_its_page_have_the_prefix() -> None:
    app = site()
    link = urlsplit(str(told(app, "/app/news/tide", root_path="/app")["link"])).path
    assert link.startswith("/app/.contentguard/q/")
    assert get(app, link, root_path="/app").headers["location"] == "/app/news/tide"


CANONICAL = [
    (f"{ORIGIN}/2026/tide?p=7&q=a+b", "/2026/tide?p=7&q=a+b"),
    (f"{ORIGIN}/tide#top", "/tide"),
    (f"{ORIGIN}/küste", "/k%C3%BCste"),
    (f"{ORIGIN}//evil.example/x", ""),
    (f"{ORIGIN}/\\evil.example", "/%5Cevil.example"),
    ("https://partner.example/tide", "/news/tide"),
    ("https://news.example.evil.example/tide", "/news/tide"),
    ("", "/news/tide"),
]


@pytest.mark.parametrize(("canonical", "path"), CANONICAL)
def test_the_canonical_address_is_used_where_it_is_the_sites_own(canonical: str, path: str) -> None:
    link = QUOTES.link(Page(canonical=canonical, path="/news/tide"))
    assert (QUOTES.followed(link.rpartition("/")[2]) if link else "") == path


def test_without_an_origin_the_link_is_a_path() -> None:
    quotes = Quotes("", SIGNER)
    link = quotes.link(Page(canonical="https://anywhere.example/x", path="/news/tide"))
    assert link.startswith(f"{ROUTES}/q/")
    assert quotes.followed(link.rpartition("/")[2]) == "/news/tide"


def test_a_path_too_long_has_no_link() -> None:
    assert QUOTES.link(Page(path="/" + "a" * 3000)) == ""


FORGED = ["", "x", ".", "a.b", "../news/tide", "x" * (LONGEST + 1), urlsafe_b64encode(b'"/x"').decode() + ".AAAA"]


@pytest.mark.parametrize("token", FORGED)
def test_what_was_not_signed_here_leads_nowhere(token: str) -> None:
    app = site()
    answer = get(app, f"{ROUTES}/q/{token}")
    assert (answer.status_code, "location" in answer.headers) == (404, False)
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["cache-control"] == "no-store"


def test_a_token_of_another_purpose_or_key_is_void_and_an_old_key_is_not() -> None:
    assert QUOTES.followed(SIGNER.sign("qr", "/news/tide")) is None
    assert QUOTES.followed(Signer([b"o" * 32]).sign("quote", "/news/tide")) is None
    old = Signer([b"o" * 32]).sign("quote", "/news/tide")
    assert Quotes(ORIGIN, Signer([b"n" * 32, b"o" * 32])).followed(old) == "/news/tide"


LEADS_AWAY = [
    *(
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\\\\evil.example",
        "///evil.example",
    ),
    *("https://evil.example", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "evil.example", ""),
]


@pytest.mark.parametrize("path", LEADS_AWAY)
def test_cve_2020_4037_and_cve_2020_11053_even_a_signed_path_never_leads_away(path: str) -> None:
    """oauth2-proxy took ``//`` and ``/\\`` for paths of its own. Not even the key makes one of ours."""
    app = site()
    assert get(app, f"{ROUTES}/q/{Signer([KEY.encode()]).sign('quote', path)}").status_code == 404


@pytest.mark.parametrize("there", LEADS_AWAY)
@pytest.mark.parametrize("name", ["url", "next", "rd", "redirect"])
def test_ghsa_cf57_c578_7jvv_nothing_in_the_query_says_where_to_go(name: str, there: str) -> None:
    """Anubis went where its query said."""
    app = site()
    link = quoted(app)
    answer = get(app, f"{link}?{name}=" + there.encode().hex() if not there.isprintable() else f"{link}?{name}={there}")
    assert answer.headers["location"] == "/news/tide"


@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_a_page_calls_itself_its_link_stays_on_the_site(canonical: str, path: str) -> None:
    link = QUOTES.link(Page(canonical=f"{ORIGIN}/{canonical}", path=f"/{path}"))
    if link:
        there = QUOTES.followed(link.rpartition("/")[2])
        assert there is not None
        assert there.isascii()
        parts = urlsplit(urljoin(f"{ORIGIN}{ROUTES}/q/x", there))
        assert (parts.scheme, parts.netloc, parts.fragment) == ("https", "news.example", "")


@given(st.text(max_size=200))
def test_no_token_breaks_it(token: str) -> None:
    assert QUOTES.followed(token) is None


def test_a_page_without_a_path_of_its_own_still_tells_its_url() -> None:
    app = guarded(page(ARTICLE.replace("</head>", f'<link rel=canonical href="{ORIGIN}/tide#top"></head>')))
    assert told(app)["url"] == f"{ORIGIN}/tide", "a fragment of its own would stand before the passage"
