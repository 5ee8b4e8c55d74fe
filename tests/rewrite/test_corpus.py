"""The rewriter against html5lib-tests, realistic, generated and damaged pages, by what independent parsers say.

How the judging works stands in ``corpus/places.py``, which splits are tried in ``corpus/splits.py``; the longer hunts
are ``python -m tests.fuzz``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings

from tests.fuzz.hunt import HTML, Tally, hunt
from tests.fuzz.minimise import minimised
from tests.fuzz.mutate import cuts, mutated, seeds
from tests.rewrite.corpus.adapter import MARK, MARKS, Insertion, Rewritten, rewrite
from tests.rewrite.corpus.inputs import FORMS, cases, inputs
from tests.rewrite.corpus.known import Verdict, differences, listed, verdicts
from tests.rewrite.corpus.places import judge_all, splice
from tests.rewrite.corpus.splits import SHORT, UnfaithfulError, check, faithful, one_point, two_point
from tests.rewrite.pages import article_pages, chunkings

pytestmark = pytest.mark.no_cover
"""Long, and what it runs is covered by others: traced it would take twice as long."""

PAGES = Path(__file__).parent / "corpus" / "pages"
SHARE_RIGHT = 0.999


# -- html5lib-tests ------------------------------------------------------------------------------------------------


def test_the_corpus_is_whole() -> None:
    groups = {name.rpartition(":")[0] for name in inputs()}
    assert len(inputs()) == 8727
    assert sum("tree-construction" in name for name in inputs()) == 1710
    assert len(groups) == 76
    assert any(b"\xed\xa0" in data for data in inputs().values()), "lone surrogates"
    assert any(b"\0" in data for data in inputs().values())


@pytest.mark.parametrize("form", FORMS)
def test_identity_however_a_page_is_cut(form: str) -> None:
    reach, runs = SHORT[form], 0
    for case in cases(form):
        ways = [*one_point(case, reach), *two_point(case, reach)]
        runs += check(case.page, ways, containers=case.containers)
    assert runs > 35_000


@pytest.fixture(scope="module")
def judged() -> list[Verdict]:
    return list(verdicts())


def test_nearly_every_page_with_an_article_is_rewritten(judged: list[Verdict]) -> None:
    left = [verdict.case.id for verdict in judged if verdict.case.form != "bare" and not verdict.rewritten]
    assert left == []
    assert sum(verdict.rewritten for verdict in judged if verdict.case.form == "bare") > 200


def test_a_widget_is_left_out_only_where_nothing_could_be_inserted(judged: list[Verdict]) -> None:
    # Most of the inputs that leave something open do so on purpose (a comment, a script, a select that never ends).
    excused = sum(any(said.excused for said in verdict.judged.values()) for verdict in judged)
    assert excused < 0.32 * sum(verdict.rewritten for verdict in judged)


def test_every_exception_is_known_and_every_known_one_still_happens(judged: list[Verdict]) -> None:
    found = {verdict.case.id: verdict.found for verdict in judged if verdict.found}
    lines = differences(listed(), found)
    assert not lines, f"{len(lines)} differences; python -m tests.fuzz corpus explains them\n" + "\n".join(lines[:40])


def test_enough_is_in_its_place(judged: list[Verdict]) -> None:
    rewritten = [verdict for verdict in judged if verdict.rewritten]
    wrong = [verdict.case.id for verdict in rewritten if verdict.found]
    assert len(wrong) <= (1 - SHARE_RIGHT) * len(rewritten), f"{len(wrong)} of {len(rewritten)}: {wrong[:20]}"


@pytest.mark.skipif(not MARKS, reason="the code puts no marks in")
def test_there_are_marks_to_judge(judged: list[Verdict]) -> None:
    for parser in ("lexbor", "turbohtml"):
        assert sum(verdict.judged[parser].expected for verdict in judged) > 10_000


# -- Other pages -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(PAGES.glob("*.html")), ids=lambda path: path.stem)
def test_realistic_pages(path: Path) -> None:
    page, dice = path.read_bytes(), Random(path.name)
    whole = faithful(page, rewrite(page, content_type=HTML))
    assert {insertion.kind for insertion in whole.insertions} >= {"head", "article"}
    said = judge_all(page, whole, marks=MARKS, content_type=HTML)
    assert {name: judgement.details for name, judgement in said.items() if judgement.details} == {}
    for way in [*((at,) for at in dice.sample(range(len(page)), 150)), *(cuts(page, dice) for _ in range(20))]:
        assert rewrite(page, way, content_type=HTML).output == whole.output, way


@settings(max_examples=150)
@given(article_pages(), chunkings)
def test_generated_pages(page: bytes, sizes: list[int]) -> None:
    whole = faithful(page, rewrite(page))
    ways: list[int] = []
    at = 0
    while at < len(page):
        at += sizes[len(ways) % len(sizes)]
        ways.append(min(at, len(page)))
    assert rewrite(page, ways).output == whole.output


@settings(max_examples=300, derandomize=True)
@given(article_pages())
def test_everything_is_in_its_place_in_generated_pages(page: bytes) -> None:
    said = judge_all(page, rewrite(page), marks=MARKS)
    assert said["turbohtml"].details == []
    assert said["lexbor"].details == [] or b"noscript" in page


def test_damaged_pages() -> None:
    tally = Tally()
    found = list(hunt(seed=3, pages=2000, judge_each=10, tally=tally))
    bytewise = [(f.number, f.kind, f.detail) for f in found if f.kind in ("unfaithful", "cut", "crash")]
    assert bytewise == []
    assert tally.judged > 100
    # What a noscript element holds may be broken for readers without scripts alone, whatever is done.
    misplaced = [f for f in found if "turbohtml" in f.kind or b"noscript" not in f.page]
    assert [(f.number, f.kind, f.detail) for f in misplaced] == []


# -- The bed itself --------------------------------------------------------------------------------------------------

PAGE = (
    b"<!doctype html><html><head><title>T</title></head><body><article><p>one <b>two</b> three</p> <pre>four</pre>"
    b"<p title=q>five<script>six</script></p></article><p>seven</p><!-- eight --></body></html>"
)
SCRIPT, WIDGET = b"<script src=x></script>", b'<section class="cg-share"><a href=y>s</a></section>'


def _put(*things: tuple[str, bytes, str]) -> Rewritten:
    """``PAGE`` with markup put in before the first place where each of these texts stands."""
    insertions = sorted(Insertion(PAGE.index(before.encode()), markup, kind) for before, markup, kind in things)
    return Rewritten(splice(PAGE, insertions), tuple(insertions), "article", PAGE.index(b"<p>one"))


_HEAD = ("</head>", SCRIPT, "head")
_END = ("</article>", WIDGET, "article")
_MARKED = [(before, MARK.encode(), "mark") for before in ("<b>two", "</b>", "</p>", "<script>six")]
_GOOD = [_HEAD, _END, *_MARKED]


@pytest.mark.parametrize(
    ("things", "kinds"),
    [
        (_GOOD, set()),
        ([("<title>", SCRIPT, "head"), _END, *_MARKED], set()),
        ([("</title>", SCRIPT, "head"), _END, *_MARKED], {"dead", "tree"}),
        ([(" eight", SCRIPT, "head"), _END, *_MARKED], {"dead", "tree"}),
        ([("<b>two", SCRIPT, "head"), _END, *_MARKED], {"dead"}),
        ([_HEAD, ("<p>seven", WIDGET, "article"), *_MARKED], {"outside"}),
        ([_HEAD, ("one ", WIDGET, "article"), *_MARKED], {"tree"}),
        ([_HEAD, ("<p>one", b"<section class=cg-share>", "article"), *_MARKED], {"swallowed", "tree"}),
        ([_HEAD, ("six", WIDGET, "article"), *_MARKED], {"dead", "tree"}),
        ([_HEAD, *_MARKED], {"missing"}),
        ([*_GOOD[:-1]], {"mark-missing"}),
        ([*_GOOD, ("</pre>", MARK.encode(), "mark")], {"mark-stray"}),
        ([*_GOOD, ("</p><!--", MARK.encode(), "mark")], {"mark-stray"}),
        ([*_GOOD, ("<pre", MARK.encode(), "mark")], {"mark-space"}),
        ([*_GOOD, ("q>", MARK.encode(), "mark")], {"tree"}),
        ([_HEAD, _END, ("wo</b>", MARK.encode(), "mark"), *_MARKED[:1], *_MARKED[2:]], {"mark-early"}),
    ],
)
def test_the_judge_sees_what_is_wrong(things: list[tuple[str, bytes, str]], kinds: set[str]) -> None:
    rewritten = faithful(PAGE, _put(*things))
    for name, judgement in judge_all(PAGE, rewritten, marks=True).items():
        assert kinds <= set(judgement.problems), (name, judgement.details)
        assert bool(kinds) == bool(judgement.problems), (name, judgement.details)
        assert judgement.expected == 4


def test_the_judge_wants_the_article_that_was_named() -> None:
    good = _put(*_GOOD)
    for wrong in (
        Rewritten(good.output, good.insertions, "article", PAGE.index(b"one")),
        Rewritten(good.output, good.insertions, "article", PAGE.index(b"one") + 1),
        Rewritten(good.output, good.insertions, "section", good.inner_start),
        Rewritten(good.output, good.insertions, "article", -1),
    ):
        assert all("article" in said.problems for said in judge_all(PAGE, wrong, marks=True).values())


@pytest.mark.parametrize(
    ("end", "excused"),
    [
        (b"</article>", False),
        (b"</article><p>more</p>", False),
        (b"<!-- never closed </article>", True),
        (b"<script></article>", True),
        (b"<a href='</article>", True),
        (b"<button>pressed</article>", True),
        (b"<pre>kept</pre></article>", False),
        (b"<button>pressed</button></p></article>", False),
        (b"<a href=x>unclosed</p></article><p>more", True),
        (b"</p></article>\r\n<p>more", False),
        (b"<svg></article>", True),
        (b"<div data-cg-off>off</div></article>", False),
    ],
)
def test_a_widget_may_be_missing_only_where_it_has_no_place(end: bytes, excused: bool) -> None:
    page = b"<!doctype html><head></head><body><article><p>text" + end
    rewritten = Rewritten(b"", (Insertion(21, SCRIPT, "head"),), "article", page.index(b"<p>"))
    for said in judge_all(page, rewritten, marks=False).values():
        assert said.excused is excused
        assert said.problems == ([] if excused else ["missing"])


def test_the_judge_sees_a_widget_in_a_place_where_it_cannot_work() -> None:
    page = b"<!doctype html><body><article><a href=x><div>text</div></a></article>"
    at = page.index(b"</div>")
    rewritten = Rewritten(b"", (Insertion(at, b"<section class=cg-share>s</section>", "article"),), "article", 30)
    assert all(said.problems == ["cramped"] for said in judge_all(page, rewritten, marks=False).values())


_Damage = Callable[[Rewritten], Rewritten]


@pytest.mark.parametrize(
    "damage",
    [
        lambda good: Rewritten(good.output[:-1], good.insertions),
        lambda good: Rewritten(good.output.replace(b"five", b"FIVE"), good.insertions),
        lambda good: Rewritten(good.output, good.insertions[::-1]),
        lambda good: Rewritten(PAGE + b" "),
    ],
)
def test_a_changed_page_is_seen(damage: _Damage) -> None:
    with pytest.raises(UnfaithfulError):
        faithful(PAGE, damage(_put(*_GOOD)))


def test_differences_are_told_both_ways() -> None:
    assert differences({"a": {"x": "tree"}, "b": {}}, {"b": {"x": "dead"}, "c": {}}) == [
        "new: c {}",
        "gone: a {'x': 'tree'}",
        "changed: b {} to {'x': 'dead'}",
    ]


def test_minimising_keeps_only_what_fails() -> None:
    assert minimised(b"aaa<x>bbb" * 9 + b"<y>", lambda page: b"<x>" in page and b"<y>" in page) == b"<x><y>"


def test_a_damaged_page_can_be_made_again() -> None:
    assert mutated(Random("1:7")) == mutated(Random("1:7"))
    assert len({mutated(Random(f"1:{number}")) for number in range(200)} - set(seeds())) > 190
