"""Where an article is cut, and where it is not."""

from __future__ import annotations

import pytest

from contentguard.rewrite.article import Article, Finder
from contentguard.rewrite.cut import Cut, find_cut
from contentguard.rewrite.plan import Undivided
from contentguard.turns import finished

FINDER = Finder(Article(min_words=5))


def text(words: int, start: int = 0) -> str:
    """So many words, no two alike."""
    return " ".join(f"w{start + number}" for number in range(words))


def p(words: int, start: int = 0) -> str:
    return f"<p>{text(words, start)}</p>"


def cut(article: str, *, doctype: str = "<!doctype html>", **options: float) -> Cut | Undivided:
    page = f"{doctype}<main><article>{article}</article></main>".encode()
    found = FINDER.find(page, "utf-8").article
    assert found is not None
    wanted = {"words": 120, "share": 0.25, "paragraphs": 1, **options}
    return finished(find_cut(page, found, "utf-8", **wanted))  # type: ignore[arg-type]


def lead(article: str, **options: float) -> str:
    """What of the article stands before the cut."""
    made = cut(article, doctype="<!doctype html>", **options)
    assert isinstance(made, Cut), made
    before = b"<!doctype html><main><article>"
    return article.encode()[: made.at - len(before)].decode()


@pytest.mark.parametrize(
    ("sizes", "options", "taken"),
    [
        ([40] * 20, {}, 3),
        ([50] * 20, {}, 2),
        ([100] * 10, {}, 1),
        ([500] * 4, {}, 1),
        ([30] * 8, {}, 2),
        ([12, 200, 200, 200], {}, 1),
        ([10, 100, 100, 300, 300], {}, 2),
        ([3, 3, 90, 300], {}, 3),
        ([40] * 20, {"words": 300, "share": 0.9}, 7),
        ([40] * 20, {"words": 300}, 5),
        ([40] * 20, {"words": 1}, 1),
        ([40] * 20, {"words": 1, "paragraphs": 4}, 4),
    ],
)
def test_whole_paragraphs_about_so_many_words(sizes: list[int], options: dict[str, float], taken: int) -> None:
    paragraphs = [p(size, 1000 * number) for number, size in enumerate(sizes)]
    assert lead("".join(paragraphs), **options) == "".join(paragraphs[:taken])


def test_what_stands_before_the_first_paragraph_stays_and_counts_nothing() -> None:
    before = (
        f"<header><h1>{text(9)}</h1><p>{text(60)}</p></header><figure><img src=x><figcaption>{text(70)}</figcaption>"
        f"</figure><p>By <a href=/r>R. Reporter</a></p><aside><p>{text(90)}</p></aside>"
        f"<div hidden><p>{text(300)}</p></div><nav>{text(99)}</nav><p style='display: none'>{text(50)}</p>"
        f"<ul><li><a href=x>{text(80)}</a></ul>"
    )
    assert lead(before + p(50) + p(50, 50) + p(400, 100)) == before + p(50) + p(50, 50)


def test_not_behind_a_heading() -> None:
    assert lead(p(110) + "<h2>Then</h2>\n<img src=x>" + p(300)) == p(110)
    assert lead(p(20) + f"<h2>{text(9)}</h2>" + p(90) + p(500)) == p(20) + f"<h2>{text(9)}</h2>" + p(90)


@pytest.mark.parametrize(
    "box", ["<div class=newsletter>{}</div>", "<section><div>{}</div></section>", "<aside>{}</aside>"]
)
def test_not_inside_a_box(box: str) -> None:
    boxed = box.format(p(11) + p(11))
    assert lead(p(55) + boxed + p(400)) in (p(55), p(55) + boxed)
    assert lead(p(11) + boxed + p(77) + p(500)) == p(11) + boxed + p(77)


@pytest.mark.parametrize("inside", ["table", "ul", "blockquote", "figure", "details", "b", "a href=x", "form", "pre"])
def test_only_where_plain_containers_are_open(inside: str) -> None:
    name = inside.split()[0]
    wrap = {"table": "<table><tr><td>{}</table>", "ul": "<ul><li>{}</ul>"}.get(name, f"<{inside}>{{}}</{name}>")
    outer = p(9) + wrap.format(p(80) + p(80)) + p(11)
    made = cut(outer)
    if isinstance(made, Cut):
        assert lead(outer) in (p(9), outer.removesuffix(p(11)))


def test_inside_the_containers_that_hold_the_text() -> None:
    made = cut(
        f"<div><section>{p(100)}<div><my-text>{p(100)}</my-text></div>{p(300)}</section>\n{p(9)}</div> <!-- a-b -->"
    )
    assert isinstance(made, Cut)
    assert len(made.rest) == 2
    assert "w99" in made.told
    made = cut(
        f"<div>{p(30)}</div><div class=body><my-text>{p(50)}{p(50)}{p(300)}</my-text><p>x</p></div><footer>y</footer>"
    )
    assert isinstance(made, Cut)
    assert len(made.rest) == 3


def test_sections_of_which_none_holds_most() -> None:
    sections = "".join(f"<section>{p(100)}{p(100)}{p(100)}</section>" for _ in range(5))
    assert lead(sections) == f"<section>{p(100)}"


def test_paragraphs_without_end_tags() -> None:
    open_ended = "".join(f"<p>{text(40)}\n" for _ in range(9))
    assert lead(open_ended) == f"<p>{text(40)}\n" * 2


def test_lines_instead_of_paragraphs() -> None:
    line = text(40) + "<br>\n"
    assert lead((line + "<br>") * 9) == (line + "<br>") * 1 + line
    assert lead(line * 3 + "<br>" + line * 9) == line * 3
    assert isinstance(cut(f"<p>{(line + '<br>') * 9}</p>"), Undivided)


def test_a_table_closes_no_paragraph_in_quirks_mode() -> None:
    article = f"<p>{text(40)}<table><tr><td>{text(90)}</table>" + p(99)
    assert lead(article) == f"<p>{text(40)}"
    made = cut(article, doctype="")
    assert isinstance(made, Cut)
    assert made.words == 40 + 90


@pytest.mark.parametrize(
    ("article", "why"),
    [
        (p(50), Undivided.SHORT),
        (p(50) + "<p>the end.</p>", Undivided.SHORT),
        (p(500), Undivided.NO_CUT),
        (text(500), Undivided.NO_CUT),
        (text(60), Undivided.SHORT),
        (f"<ul><li>{p(100)}<li>{p(100)}</ul>", Undivided.NO_CUT),
        (f"<b>{p(100)}{p(100)}", Undivided.NO_CUT),
        (p(100) + f"<p>{text(100)}<b>bold</p>", Undivided.TANGLED),
        (p(100) + p(100) + "</div>" + p(100), Undivided.TANGLED),
        (p(100) + p(100) + "<body class=x>" + p(100), Undivided.TANGLED),
        (p(100) + p(100) + "<button>", Undivided.NO_PLACE),
    ],
)
def test_why_not(article: str, why: Undivided) -> None:
    assert cut(article) is why


def test_what_is_told_and_what_is_withheld() -> None:
    made = cut(
        f"<h1>Title</h1><aside>Aside.</aside>{p(50)}<p>{text(200, 300)}</p>"
        "<p>Uncle V<b>any</b>a &amp; co.<br>wait <a href=x>for <i>the</i> ferry</a></p>"
        "<nav>nowhere</nav><template>in a template</template><p hidden>hidden</p>"
    )
    assert isinstance(made, Cut)
    assert "Title" in made.told
    assert "Aside" not in made.told
    assert "w300" in made.withheld
    assert " ".join(made.withheld.split()).endswith("Uncle Vanya & co. wait for the ferry in a template hidden")
    assert made.links == ("for the ferry",)
    assert made.words == 50


def test_an_unclosed_block_is_counted() -> None:
    made = cut(p(60) + p(60) + f"<div><div><p>{text(99)}<div>")
    assert isinstance(made, Cut)
    assert [piece.unclosed for piece in made.rest] == [3]
    made = cut(f"<section>{p(60)}{p(60)}<div><p>{text(99)}<div></section><div>x")
    assert isinstance(made, Cut)
    assert [piece.unclosed for piece in made.rest] == [2, 1]
