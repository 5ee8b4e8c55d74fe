"""Notices to machines in a page's head, and on the whole way through the guard."""

from __future__ import annotations

import pytest

from contentguard.rewrite.notices import notices
from contentguard.rewrite.page import Page
from tests.client import ARTICLE, CHROME, get, guarded, page

SAID = [("robots", "noarchive, noai"), ("tdm-reservation", "1")]


def test_they_are_meta_elements() -> None:
    (fragment,) = notices(Page(), SAID)
    assert fragment.parts == (
        b'<meta name="robots" content="noarchive, noai"><meta name="tdm-reservation" content="1">',
    )


def test_what_the_page_says_itself_stands() -> None:
    (fragment,) = notices(Page(metas={"robots": "all"}), SAID)
    assert fragment.parts == (b'<meta name="tdm-reservation" content="1">',)
    assert list(notices(Page(metas={"robots": "all", "tdm-reservation": "0"}), SAID)) == []


def test_nothing_can_break_out() -> None:
    (fragment,) = notices(Page(), [('a"b', '"><script>é')])
    assert fragment.parts == (b'<meta name="a&quot;b" content="&quot;&gt;&lt;script&gt;&#233;">',)


def test_an_article_says_in_its_head_what_its_headers_say() -> None:
    answer = get(guarded())
    assert f'<meta name="robots" content="{answer.headers["x-robots-tag"]}">' in answer.text
    assert f'<meta name="tdm-reservation" content="{answer.headers["tdm-reservation"]}">' in answer.text


@pytest.mark.parametrize("own", ['<meta name=robots content="index">', '<META NAME="Robots" CONTENT=all>'])
def test_an_article_with_a_word_of_its_own_keeps_it(own: str) -> None:
    text = get(guarded(page(ARTICLE.replace("</head>", own + "</head>")))).text
    assert own in text
    assert text.lower().count('name="robots"') + text.lower().count("name=robots") == 1


def test_a_site_may_leave_it_to_the_headers() -> None:
    answer = get(guarded(robots={"meta": False}), headers=CHROME)
    assert "<meta name=" not in answer.text.replace('<meta name="twitter', "")
    assert "x-robots-tag" in answer.headers
