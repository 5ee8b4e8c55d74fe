"""Reading in real Firefox, as many kinds of people have it set up: no one is refused, and nothing is said of them.

What is asserted of every reader is in ``Reading``: the article comes whole, the verdicts allow, the console is empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from contentguard.detect.weights import weights
from tests.browser.firefox import COOKIELESS, RESISTING, SCRIPTLESS, STRICT, Firefox, Preferences, by_way_of, firefox
from tests.browser.gazette import Gazette, gazette
from tests.browser.stripping import stripping

FIRST, SECOND, THIRD = "/news/eelgrass-meadow", "/news/winter-ferry-timetable", "/news/puppet-theatre-attic"
LEAD = "!!document.querySelector('[data-cg-rest]')"
WHOLE = f"document.readyState == 'complete' && !({LEAD}) && document.querySelectorAll('.entry-content > p').length > 5"
NO_STORAGE = "was blocked because we are blocking all storage access requests"
"""What Firefox itself says of any page that looks whether there are cookies."""
OLD = {"general.useragent.override": "Mozilla/5.0 (Windows NT 6.1; WOW64; rv:52.0) Gecko/20100101 Firefox/52.0"}
THRESHOLDS = weights().thresholds


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    with firefox(tmp_path_factory.mktemp("firefox") / "profile") as running:
        running.driven(False)
        yield running


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gazette]:
    with gazette(tmp_path_factory.mktemp("gazette")) as running:
        yield running


@dataclass
class Reading:
    """One reader at the site."""

    browser: Firefox
    site: Gazette

    def first(self) -> float:
        """Read the first article to its end; the seconds for which its rest was waited for after the page's load."""
        self.browser.open(self.site.origin + FIRST)
        return self.browser.wait(WHOLE)

    def next(self, path: str) -> bool:
        """Follow a link to another article; whether that came whole at once."""
        self.browser.js(
            "const link = document.createElement('a'); link.id = 'next'; link.textContent = 'Next';"
            "link.href = arguments[0]; document.querySelector('h1').after(link)",
            path,
        )
        self.browser.click("#next")
        self.browser.wait(f"location.pathname == '{path}' && document.readyState == 'complete'")
        return not self.browser.find(LEAD)


@contextmanager
def reading(
    browser: Firefox, site: Gazette, preferences: Preferences | None = None, *, private: bool = False, at_most: float
) -> Iterator[Reading]:
    """A new reader, of whom nothing bad is to be thought: each article's score is at most ``at_most``."""
    with browser.fresh(preferences, private=private):
        yield Reading(browser, site)
        assert [line for line in browser.console() if NO_STORAGE not in line] == []
    refused = [(line, status) for line, status in site.answered if status >= 400 and "/wait/" not in line]
    assert refused == []
    judged = site.articles()
    assert judged
    assert {action for action, _, _ in judged} == {"allow"}
    assert max(score for _, score, _ in judged) <= at_most, judged


@pytest.mark.parametrize(
    ("preferences", "private"),
    [({}, False), ({}, True), (STRICT, False), (RESISTING, True)],
    ids=["as-it-is", "private", "strict", "as-tor-browser"],
)
def test_a_reader_of_two_articles(browser: Firefox, site: Gazette, preferences: Preferences, private: bool) -> None:
    with reading(browser, site, preferences, private=private, at_most=0.0) as reader:
        waited = reader.first()
        assert reader.next(SECOND), "the second comes whole"
        assert reader.next(THIRD)
        resists = browser.find("new Date(0).getTimezoneOffset() == 0 && screen.width == innerWidth")
        assert resists or preferences is not RESISTING, "the setting holds"
    print(f"the rest is there {waited:.2f} s after load")
    assert site.articles()[-1][2] == {"parts-fetched", "report-clean"}


def test_where_cookies_are_blocked_each_article_is_earned(browser: Firefox, site: Gazette) -> None:
    with reading(browser, site, COOKIELESS, at_most=0.0) as reader:
        reader.first()
        assert browser.find("navigator.cookieEnabled") is False, "the setting holds"
        for path in (SECOND, THIRD):
            reader.next(path)
            browser.wait(WHOLE)
    assert [line for line, _ in site.answered].count("POST /.contentguard/rest") == 3


@pytest.mark.parametrize("more", [{}, COOKIELESS], ids=["with-cookies", "without"])
def test_without_javascript_the_link_leads_through_two_seconds(
    browser: Firefox, site: Gazette, more: Preferences
) -> None:
    with reading(browser, site, {**SCRIPTLESS, **more}, at_most=0.0):
        browser.open(site.origin + FIRST)
        assert browser.find(LEAD)
        browser.click(".cg-continue")
        assert browser.find("document.title") == "One moment, please"
        assert browser.wait(WHOLE, 10.0) < 5.0
        assert browser.url.startswith(site.origin + FIRST)


def test_behind_a_proxy_that_strips_headers(browser: Firefox, site: Gazette) -> None:
    """Sec-Fetch-*, Accept-Language, Referer and the order are gone, and nobody says that there is a proxy."""
    with (
        stripping(site.certificate, site.key) as port,
        reading(browser, site, by_way_of(port), at_most=THRESHOLDS["lead-only"]) as reader,
    ):
        reader.first()
        assert reader.next(SECOND)
    assert {"no-fetch-metadata", "no-language"} <= site.articles()[0][2], "the proxy does what it is there for"


def test_with_the_name_of_an_old_one(browser: Firefox, site: Gazette) -> None:
    """As extensions write it that change the User-Agent: the headers are of today's, and that is noticed."""
    with reading(browser, site, OLD, at_most=THRESHOLDS["lead-only"]) as reader:
        reader.first()
        assert reader.next(SECOND)
    assert "fetch-metadata-too-new" in site.articles()[0][2]


def test_a_copied_passage_says_where_it_is_from(browser: Firefox, site: Gazette) -> None:
    with reading(browser, site, at_most=0.0) as reader:
        reader.first()
        copied = browser.js(
            "const range = new Range(); range.selectNodeContents(document.querySelectorAll('.entry-content > p')[3]);"
            "getSelection().removeAllRanges(); getSelection().addRange(range); return String(getSelection())"
        )
        browser.press_copy()
        browser.wait("document.hasFocus()")
        text = browser.js("return navigator.clipboard.readText()")
    assert text.startswith(copied)
    assert f"{site.origin}/.contentguard/q/" in text.removeprefix(copied), "a link that leads back to the passage"


def test_one_that_is_driven_says_so(browser: Firefox, site: Gazette) -> None:
    """The difference between this and the first test is ``navigator.webdriver`` alone."""
    browser.driven(True)
    try:
        with reading(browser, site, at_most=THRESHOLDS["lead-only"]) as reader:
            reader.first()
            reader.next(SECOND)
    finally:
        browser.driven(False)
    assert site.articles()[-1][2] == {"parts-fetched", "webdriver"}
