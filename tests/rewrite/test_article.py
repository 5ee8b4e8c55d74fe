from __future__ import annotations

import pytest

from contentguard.rewrite.article import BUILT_IN, Article, Finder

WORDS = b"one two three four five six seven eight nine ten "
LONG = b"<p>" + WORDS * 6 + b"</p>"


def find(page: bytes, *selectors: str, encoding: str = "utf-8") -> tuple[str, bytes]:
    found = Finder(Article(selectors=selectors or BUILT_IN)).find(page, encoding)
    inner = page[found.article.inner_start : found.article.end] if found.article else b""
    return found.selector, inner


@pytest.mark.parametrize(
    ("page", "selector"),
    [
        (b"<article>%s</article>", "article"),
        (b'<article><div class="entry-content x">%s</div></article>', ".entry-content"),
        (b"<div itemprop=articleBody>%s</div>", "[itemprop=articleBody]"),
        (b"<div class='wide post-content'>%s</div>", ".post-content"),
        (b"<div role=article>%s</div>", "[role=article]"),
        (b"<div class=entry-contents>%s</div>", ""),
        (b"<div class=Entry-Content>%s</div>", ""),
    ],
)
def test_the_built_in_selectors(page: bytes, selector: str) -> None:
    assert find(page % LONG)[0] == selector


def test_a_list_of_teasers_is_no_article() -> None:
    teaser = b"<article><h2><a href=x>" + WORDS * 8 + b"</a></h2><p>" + WORDS * 3 + b"</p></article>"
    assert find(teaser * 12) == ("", b"")


def test_of_several_short_ones_the_longest() -> None:
    page = b"<article>" + LONG + b"</article><article>" + LONG * 3 + b"</article><article>" + LONG * 2 + b"</article>"
    assert find(page)[1] == LONG * 3


def test_a_narrow_selector_with_too_few_words_gives_way() -> None:
    page = b"<article><div class=entry-content><p>short</p></div>" + LONG + b"</article>"
    assert find(page)[0] == "article"


def test_scripts_that_write_no_spaces() -> None:
    text = "港長は潮汐表を二度読み上げ、それから議会全員に向けて説明した。" * 10
    assert find(f"<article><p>{text}</p></article>".encode())[0] == "article"


@pytest.mark.parametrize(
    "selector",
    [
        "main:has(> p)",
        "main:not(.teaser)",
        "body > main:nth-of-type(2)",
        "header + main",
        "nav ~ main, section.story",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_whatever_css_can_say(selector: str, encoding: str) -> None:
    head = "<body><nav>é — ü\r\n</nav><main class=teaser>x</main>\n<header>ñ</header>"
    page = (head + "<main id=it>").encode(encoding) + LONG + b"</main>"
    assert find(page, selector, encoding=encoding) == (selector, LONG)


class TestLearning:
    PAGE = b"<body><div class='page p-%d'><main id=content class=story>%s</main><main>%s</main></div>"

    def test_a_template_is_asked_about_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        finder = Finder(Article(selectors=("main:first-of-type",)))
        assert not finder.simple
        first = finder.find(self.PAGE % (1, LONG, b"x"), "utf-8")
        monkeypatch.setattr("contentguard.rewrite.article.BeautifulSoup", None)
        page = self.PAGE % (2, LONG * 2, b"x")
        second = finder.find(page, "utf-8")
        assert first.article is not None
        assert second.article is not None
        assert page[second.article.inner_start : second.article.end] == LONG * 2

    def test_another_template_is_asked_about_anew(self) -> None:
        finder = Finder(Article(selectors=("main:first-of-type",)))
        finder.find(self.PAGE % (1, LONG, b"x"), "utf-8")
        page = b"<body><section><main>" + LONG + b"</main></section>"
        assert finder.find(page, "utf-8").article is not None

    def test_a_path_that_would_choose_more_is_not_learned(self) -> None:
        finder = Finder(Article(selectors=("main:nth-of-type(2)",)))
        for number in (1, 2):
            page = b"<body><main>%s</main><main>%s%d</main>" % (LONG, LONG, number)
            found = finder.find(page, "utf-8").article
            assert found is not None
            assert page[found.inner_start : found.end] == LONG + b"%d" % number

    def test_only_so_many_templates_are_remembered(self) -> None:
        finder = Finder(Article(selectors=("main:first-of-type",)))
        for number in range(20):
            page = b"<body><div class=%s><main>%s</main></div>" % (b"x" * (number + 1), LONG)
            assert finder.find(page, "utf-8").article is not None


def test_bytes_that_are_no_text_do_not_shift_the_place() -> None:
    page = b"<body>\xff\xfe\xc3(<main>" + LONG + b"</main>"
    assert find(page, "main:first-of-type") == ("main:first-of-type", LONG)


def test_the_owner_s_order_holds_over_simple_and_other_selectors() -> None:
    page = b"<main><div class=a>" + LONG + b"</div><section>" + LONG + b"</section></main>"
    assert find(page, "section:last-child", ".a")[0] == "section:last-child"
    assert find(page, ".a", "section:last-child")[0] == ".a"


@pytest.mark.parametrize(
    "options",
    [
        {"selectors": ()},
        {"exclude": ("p:first-child",)},
        {"selectors": ("a:::b",)},
        {"min_words": -1},
        {"max_bytes": 3},
    ],
)
def test_options_that_mean_nothing(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"expected|selector|at least|more than"):
        Article(**options)  # type: ignore[arg-type]
