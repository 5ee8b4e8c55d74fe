"""An article in two: nothing of the page is lost, nothing of the rest is told, and both together are the whole.

What independent parsers say of it is asked in ``divided.py``.
"""

from __future__ import annotations

import asyncio
import json
import re
from html import escape
from pathlib import Path
from random import Random
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contentguard.assets import REST
from contentguard.rewrite.article import Article, Finder
from contentguard.rewrite.cut import Cut, find_cut
from contentguard.rewrite.lead import Lead
from contentguard.rewrite.page import Delivery, Field
from contentguard.rewrite.pages import Pages
from contentguard.rewrite.plan import Division, Plan, Undivided
from contentguard.rewrite.tree import MAX_DEPTH
from contentguard.turns import Turns, finished
from examples.news.app import create_app
from examples.news.content import load
from tests.benchmarks.pages import page as sample
from tests.fuzz.mutate import mutated
from tests.rewrite.corpus.inputs import inputs
from tests.rewrite.divided import UTF8, VALUES, json_scripts, leaks, plan_of, planner, problems
from tests.rewrite.pages import article_pages

PAGES = sorted((Path(__file__).parent / "corpus" / "pages").glob("*.html"))
NEWS = Path("examples/news/content")
SHORT = Lead(words=30)
PLACE = b'<div class="cg-rest" data-cg-rest'
LINK = (
    b'<div class="cg-rest" data-cg-rest><p><a data-hx-boost="false" data-turbo="false" '
    b'class="cg-continue" rel="nofollow" href="/.contentguard/wait/ticket">Continue reading</a></p>'
    b'<script src="' + b"".join(REST.named("/.contentguard")) + b" defer></script></div>"
)
PAYWALL = re.compile(
    rb'<script type="application/ld\+json">\{"@context":"https://schema.org","@type":"Article",.*?</script>'
)


def parts(plan: Plan) -> tuple[bytes, bytes, bytes]:
    """Lead, rest and search, filled in."""
    made = plan.division
    assert made.lead is not None, made.undivided
    assert made.rest is not None
    assert made.search is not None
    return made.lead.fill(VALUES), made.rest.fill(VALUES), made.search.fill(VALUES)


def put_together(lead: bytes, rest: bytes) -> bytes:
    """A lead with the pieces of a rest at their places, byte by byte."""
    places = re.split(re.escape(PLACE) + rb"(?: hidden></div>|><p>.*?</p><script[^>]*></script></div>)", lead)
    pieces = [piece.removesuffix(b"</div>") for piece in rest.split(PLACE + b">")[1:]]
    assert len(places) == len(pieces) + 1
    return places[0] + b"".join(piece + place for piece, place in zip(pieces, places[1:], strict=True))


# -- nothing is lost ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [path for path in PAGES if path.stem != "front"], ids=lambda path: path.stem)
def test_lead_and_rest_are_the_page(path: Path) -> None:
    page = path.read_bytes()
    lead, rest, search = parts(plan_of(page, SHORT, content_type="text/html"))
    if b"ld+json" not in page:
        assert PAYWALL.sub(b"", put_together(lead, rest), count=1) == page
        assert PAYWALL.sub(b"", search, count=1).count(b'<div class="cg-rest">') == rest.count(PLACE)
    assert problems(page, plan_of(page, SHORT, content_type="text/html"), content_type="text/html", cleaned=True) == {
        "lexbor": [],
        "turbohtml": [],
    }


@given(st.integers(2, 6), st.integers(0, 3), st.sampled_from(["", "<!-- c -->", "\n", "<footer>f</footer>", "x"]))
def test_identity_whatever_the_containers(paragraphs: int, depth: int, between: str) -> None:
    inner = "".join(f"<p>{text(30, 100 * number)}</p>\n" for number in range(paragraphs))
    article = "<div>" * depth + inner + f"</div>{between}" * depth
    page = f"<!doctype html><head></head><body><article>{article}</article><p>after</p></body>".encode()
    lead, rest, search = parts(plan_of(page, SHORT))
    assert PAYWALL.sub(b"", put_together(lead, rest), count=1) == page
    whole = PAYWALL.sub(b"", search, count=1)
    for piece in rest.split(PLACE + b">")[1:]:
        assert b'<div class="cg-rest">' + piece in whole
        whole = whole.replace(b'<div class="cg-rest">' + piece, piece.removesuffix(b"</div>"), 1)
    assert whole == page


def text(words: int, start: int = 0) -> str:
    """So many words, no two alike."""
    return " ".join(f"w{start + number}" for number in range(words))


# -- the tree is sound -------------------------------------------------------------------------------------------

A, B, C = (f"<p>{text(40, 100 * number)}</p>".encode() for number in range(3))
HEAD = b"<!doctype html><html lang=en><head><meta charset=utf-8><title>T</title></head><body><main><article id=known>"
TAIL = b"</article><p>and on</p></main></body></html>"
FORMS = {
    "late": (HEAD + b"<div class=w><section>" + A + B, C + b"</section><p>tail of it all</p></div>" + TAIL),
    "between": (HEAD + b"<div class=w>" + A, B + C + b"</div><p>tail of it all</p>" + TAIL),
    "early": (HEAD + b"<div class=w>", A + B + C + b"</div><p>tail of it all</p>" + TAIL),
}


@pytest.mark.no_cover
@pytest.mark.parametrize("form", FORMS)
def test_html5lib(form: str) -> None:
    before, after = FORMS[form]
    wrong, divided = {}, 0
    for name, data in inputs().items():
        if b"<" not in data:
            continue
        page = before + data + after
        plan = plan_of(page, SHORT)
        if plan.division.lead is None:
            continue
        divided += 1
        for parser, said in problems(page, plan).items():
            # What a noscript element holds is markup to Lexbor, as to a browser without scripts.
            if said and not (parser == "lexbor" and b"noscript" in data):
                wrong[name] = said
        if form == "late" and (told := leaks(plan)):
            wrong[name] = sorted(told)
    assert wrong == {}
    assert divided > 1900


@settings(max_examples=200)
@given(article_pages())
def test_generated_pages(page: bytes) -> None:
    plan = plan_of(page, Lead(words=20), article=Article(min_words=20))
    if plan.division.lead is None:
        return
    said = problems(page, plan, cleaned=True)
    assert said["turbohtml"] == []
    assert said["lexbor"] == [] or b"noscript" in page


@pytest.mark.no_cover
def test_damaged_pages() -> None:
    divided = 0
    for number in range(600):
        page = mutated(Random(f"lead:{number}"))
        plan = plan_of(page, SHORT, article=Article(min_words=20))
        if plan.division.lead is not None:
            divided += 1
            said = problems(page, plan, cleaned=True)
            assert said["turbohtml"] == [], number
            assert said["lexbor"] == [] or b"noscript" in page, number
    assert divided > 250


# -- nothing is told ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [path for path in PAGES if path.stem != "front"], ids=lambda path: path.stem)
@pytest.mark.parametrize("bare", [True, False])
def test_the_lead_of_a_realistic_page_gives_nothing_away(path: Path, bare: bool) -> None:
    assert (
        leaks(plan_of(path.read_bytes(), SHORT, content_type="text/html", bare=bare), content_type="text/html") == set()
    )


@pytest.mark.parametrize("size", [10_000, 60_000])
def test_nor_does_that_of_a_sample(size: int) -> None:
    plan = plan_of(sample(size), bare=False)
    assert leaks(plan) == set()
    assert len(parts(plan)[0]) < len(plan.full.fill(VALUES)) if plan.full else False


def news() -> dict[str, bytes]:
    """The example site's articles."""
    stories = load(NEWS)
    app = create_app(stories, images=NEWS / "images")

    async def ask() -> dict[str, bytes]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://news.example") as client:
            return {story.slug: (await client.get(f"/news/{story.slug}")).content for story in stories}

    return asyncio.run(ask())


@pytest.mark.no_cover
def test_the_example_site() -> None:
    pages = news()
    assert len(pages) > 20
    for slug, page in pages.items():
        plan = plan_of(page, bare=False)
        lead, rest, _ = parts(plan)
        assert leaks(plan) == set(), slug
        assert (
            40 <= len(re.sub(rb"<[^>]*>", b" ", lead[lead.index(b"entry-content") : lead.index(PLACE)]).split()) < 200
        )
        assert len(re.sub(rb"<[^>]*>", b" ", rest).split()) > 200
        bare = plan_of(page)
        assert problems(page, bare) == {"lexbor": [], "turbohtml": []}, slug


SECRET = (
    "The harbour master, Ms O’Neill, read the tide tables twice; “and then”, she says, she read them out — slowly — to "
    "the whole of the council, which naïvely had expected a café & a view"
)
STORY = f"<p>{text(60)}</p><p>{text(60, 100)}</p><p>{escape(SECRET)}.</p><p>{text(60, 200)}</p>"
LEAKS = {
    "comment": "<!-- {plain} -->",
    "conditional comment": "<!--[if IE]><p>{html}</p><![endif]-->",
    "script": "<script>window.__INITIAL_STATE__ = {json};</script>",
    "script in a string": "<script>self.__next_f.push([1, {json_in_json}])</script>",
    "hydration": '<script id="__NEXT_DATA__" type="application/json">{json}</script>',
    "linked data": '<script type="application/ld+json">{article}</script>',
    "linked data, odd": '<script type="application/ld+json"><!-- {article} --></script>',
    "template": "<template><p>{html}</p></template>",
    "noscript": "<noscript><div><p>{html}</p></div></noscript>",
    "hidden copy": '<div class="print-only" hidden><p>{html}</p></div>',
    "visible copy": "<section class=amp><p>{html}</p></section>",
    "comment of a reader": "<ol><li><blockquote><p>{html}</p></blockquote><p>Well said!</p></ol>",
    "emphasis": "<div>{emphasis}</div>",
    "data attribute": '<div data-article="{json_attribute}"></div>',
    "meta": '<meta name="x" content="{attribute}">',
    "single quotes": "<p title='{attribute}'>x</p>",
    "share link": '<a href="https://x.com/intent/post?text={percent}">Share</a>',
    "bare attribute": "<a href=mailto:?body={percent}>Mail</a>",
    "textarea": "<textarea>{html}</textarea>",
    "iframe": '<iframe srcdoc="{attribute}"></iframe>',
    "style": "<style>p::after {{ content: '{css}' }}</style>",
    "end tag": '</p data-x="{attribute}">',
    "instruction": "<?xml {plain}?>",
    "svg": "<svg><desc>{html}</desc><![CDATA[{plain}]]></svg>",
}
TOLD = {"visible copy", "comment of a reader", "emphasis"}
"""What stands in the lead's own paragraphs is told."""
FORMATS = {
    "plain": SECRET.replace("—", "-"),
    "html": escape(SECRET),
    "json": json.dumps({"props": [{"body": f"<p>{SECRET}</p>"}]}).replace("</", "<\\/"),
    "json_in_json": json.dumps(json.dumps({"children": SECRET})),
    "article": json.dumps({"@type": "NewsArticle", "articleBody": SECRET, "description": SECRET, "headline": "T"}),
    "json_attribute": escape(json.dumps({"body": SECRET})),
    "attribute": escape(SECRET),
    "emphasis": escape(SECRET).replace("master", "<b>mas</b>ter").replace("council", "<i>council</i>"),
    "percent": quote(SECRET),
    "css": SECRET.replace("'", ""),
}


@pytest.mark.parametrize("where", ["<head><title>T</title>{leak}</head><body>", "<body>{leak}", "end", "kept"])
@pytest.mark.parametrize("name", LEAKS)
def test_copies_elsewhere_in_the_page(name: str, where: str) -> None:
    leak = LEAKS[name].format(**FORMATS)
    before = where.format(leak=leak) if "{leak}" in where else "<head></head><body>"
    kept, end = (leak if where == "kept" else ""), (leak if where == "end" else "")
    if kept and name in TOLD:
        return
    page = f"<!doctype html>{before}<main><article>{kept}{STORY}</article>{end}</main></body>".encode()
    plan = plan_of(page)
    assert plan.untouched is None
    lead, _, search = parts(plan)
    assert leaks(plan) == set()
    assert b"tide tables twice" not in lead
    assert b"tide tables twice" in search
    assert all(said == [] or parser == "lexbor" for parser, said in problems(page, plan, cleaned=True).items())


_pieces = st.sampled_from(sorted(LEAKS)).map(lambda name: LEAKS[name].format(**FORMATS))
_kept = st.sampled_from(sorted(set(LEAKS) - TOLD)).map(lambda name: LEAKS[name].format(**FORMATS))


@settings(max_examples=150)
@given(st.lists(_pieces, max_size=4), st.lists(_kept, max_size=3), st.lists(_pieces, max_size=3))
def test_any_number_of_copies(head: list[str], kept: list[str], end: list[str]) -> None:
    page = (
        f"<!doctype html><html><head><title>T</title>{''.join(head)}</head><body><main><article>{''.join(kept)}"
        f"<div>{STORY}</div></article>{''.join(end)}</main></body></html>"
    ).encode()
    plan = plan_of(page, Lead(words=60))
    if plan.division.lead is not None:
        assert leaks(plan) == set()
        assert b"tide tables twice" not in plan.division.lead.fill(VALUES)


def test_a_description_is_cut_short_in_our_own_tags_too() -> None:
    meta = f"<meta name=description content='Soon. {escape(SECRET)}'>"
    page = f"<!doctype html><head>{meta}</head><article>{STORY}</article>"
    lead, _, search = parts(plan_of(page.encode(), bare=False))
    assert lead.count(b"Soon.&#8230;") == 2
    assert search.count(b"Soon. The harbour master") == 2


def test_what_cannot_be_taken_out() -> None:
    page = f'<!doctype html SYSTEM "{escape(SECRET)}"><head></head><body><article>{STORY}</article>'.encode()
    plan = plan_of(page)
    assert plan.division.undivided is Undivided.REPEATED
    assert plan.lead is None
    assert plan.rest is None
    assert plan.search is not None


def test_a_page_too_deep_to_be_cleaned() -> None:
    deep = "<div>" * (MAX_DEPTH + 2)
    page = f"<!doctype html><head></head><body><article>{STORY}</article>{deep}"
    assert plan_of(page.encode()).division.undivided is None
    assert plan_of((page + f"<!-- {SECRET} -->").encode()).division.undivided is Undivided.TANGLED


# -- what the page says of itself ----------------------------------------------------------------------------------

PART = {"@type": "WebPageElement", "isAccessibleForFree": False, "cssSelector": ".cg-rest"}


def test_a_page_that_says_nothing_is_spoken_for() -> None:
    page = f"<!doctype html><head><title>A &amp; B</title></head><body><article>{STORY}</article>".encode()
    for made in parts(plan_of(page))[::2]:
        (said,) = json_scripts(made)
        assert said == {
            "@context": "https://schema.org",
            "@type": "Article",
            "headline": "A & B",
            "url": "https://news.example/news/tide",
            "isAccessibleForFree": False,
            "hasPart": PART,
        }


def test_the_pages_own_article_says_it() -> None:
    own = {"@type": "NewsArticle", "articleBody": SECRET, "isAccessibleForFree": True, "headline": "Ü", "a": {"b": [1]}}
    scripts = [
        {"@type": "WebSite", "isAccessibleForFree": True},
        {"@context": "https://schema.org", "@graph": [{"@type": "Person"}, own]},
        {"@type": "Article", "isAccessibleForFree": True},
    ]
    written = "".join(
        f'<SCRIPT type="application/ld+json">\n{json.dumps(each, indent=1)}\n</SCRIPT>' for each in scripts
    )
    page = f"<!doctype html><head>{written}</head><body><article>{STORY}</article>".replace("SCRIPT", "script")
    lead, _, search = parts(plan_of(page.encode()))
    marked = {**own, "isAccessibleForFree": False, "hasPart": PART}
    for made, less in ((lead, {"articleBody"}), (search, set())):
        expected = {key: value for key, value in marked.items() if key not in less}
        assert json_scripts(made) == [
            {"@type": "WebSite", "isAccessibleForFree": False},
            {"@context": "https://schema.org", "@graph": [{"@type": "Person"}, expected]},
            {"@type": "Article", "isAccessibleForFree": False},
        ]


@pytest.mark.parametrize(
    "script",
    [
        '<!-- <script type="application/ld+json">{"@type":"Article"}</script> -->',
        '<script type="application/ld+json">{"@type":"Article"',
        '<script type="text/javascript">\'<script type="application/ld+json">\'</script>',
        '<script type="application/ld+json" {"@type":"Article"}',
    ],
)
def test_what_is_no_linked_data_stays(script: str) -> None:
    page = f"<!doctype html><head></head><body><article>{STORY}</article><p>x</p>{script}".encode()
    lead, _, search = parts(plan_of(page))
    for made in (lead, search):
        assert made.endswith(b"<p>x</p>" + script.encode())
        assert PAYWALL.search(made)


def test_linked_data_of_a_withheld_part_is_withheld() -> None:
    inside = '<script type="application/ld+json">{"@type":"NewsArticle","n":1}</script>'
    page = f"<!doctype html><head></head><body><article>{STORY}{inside}</article>".encode()
    lead, rest, search = parts(plan_of(page))
    assert PAYWALL.search(lead)
    assert inside.encode() in rest
    assert not PAYWALL.search(search)
    assert b'{"isAccessibleForFree":false,"hasPart":' in search


# -- fields and insertions -----------------------------------------------------------------------------------------


def test_the_link_and_the_insertions() -> None:
    page = f"<!doctype html><head><title>T</title></head><body><article>\n{STORY}\n</article><p>x</p>".encode()
    plan = plan_of(page, bare=False)
    lead, rest, search = parts(plan)
    made = plan.division
    assert made.lead is not None
    assert made.rest is not None
    assert made.search is not None
    assert made.lead.fields.count(Field.TICKET) == 1
    assert made.lead.personal
    assert Field.TICKET not in (*made.rest.fields, *made.search.fields)
    assert lead.count(LINK) == 1
    share = lead.index(b'<section class="cg-share"')
    assert lead.index(LINK) < share < lead.index(b"</article>")
    assert lead.count(b"data-cg=") == lead.count(b'<section class="cg-share"') == 1
    assert b"cg-share" not in rest
    assert search.index(b'</div><section class="cg-share"') > search.index(b'<div class="cg-rest">')
    assert search.count(b'<section class="cg-share"') == 1


def test_options() -> None:
    page = f"<!doctype html><head></head><body><article>{STORY}</article>".encode()
    lead = parts(plan_of(page, Lead(link="Lire la suite & <plus>", words=60)))[0]
    assert b'">Lire la suite &amp; &lt;plus&gt;</a></p><script' in lead
    assert b"w99" not in lead
    for wrong in ({"words": 0}, {"share": 0.0}, {"share": 1.0}, {"paragraphs": 0}, {"link": " "}):
        with pytest.raises(ValueError, match=r"want|needs"):
            Lead(**wrong)


def test_another_charset() -> None:
    page = f"<!doctype html><head><meta charset=iso-8859-1></head><body><article>{STORY}</article><!-- {SECRET} -->"
    body = page.replace("’", "'").replace("“", '"').replace("”", '"').replace("—", "-").encode("latin-1")
    lead, rest, _ = parts(plan_of(body, content_type="text/html"))
    assert lead.endswith(b"</article><!---->")
    assert "caf\xe9".encode("latin-1") in rest


# -- pages without a lead --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "content_type", "why"),
    [
        (b"<p>no article</p>", UTF8, Undivided.NO_PLACE),
        (f"<head></head><article>{STORY}</article>".encode("utf-16"), UTF8, Undivided.NO_PLACE),
        (f"<head></head><article>{STORY}</article>".encode(), "text/html; charset=utf-16", Undivided.NO_PLACE),
        (f"<head></head><article>{STORY}</article>".encode(), "application/xhtml+xml", Undivided.NO_PLACE),
        (f"<head></head><article>{STORY}<button></article>".encode(), UTF8, Undivided.NO_PLACE),
        (f"<head></head><article><p>{text(100)}</p></article>".encode(), UTF8, Undivided.SHORT),
        (f"<head></head><article><p>{text(500)}</p></article>".encode(), UTF8, Undivided.NO_CUT),
        (f"<head></head><article>{STORY}<b><p>x</article>".encode(), UTF8, Undivided.TANGLED),
    ],
)
def test_why_there_is_no_lead(page: bytes, content_type: str, why: Undivided) -> None:
    plan = plan_of(page, content_type=content_type)
    assert plan.division == Division(undivided=why)
    assert plan.lead is None


def test_what_fails_is_not_tried_again() -> None:
    tried = []

    def fail() -> Turns[Division]:
        tried.append(1)
        yield
        raise RuntimeError

    plan = Plan(is_article=True, divide=fail)
    with pytest.raises(RuntimeError):
        _ = plan.division
    assert plan.division == Division(undivided=Undivided.ERROR)
    assert len(tried) == 1


# -- made once, and accounted for ------------------------------------------------------------------------------------


def test_made_once_and_accounted_for() -> None:
    pages = Pages(Article(), planner(bare=False), 10**6)
    for number in range(3):
        body = sample(10_000).replace(b"Tide &amp; time", b"Tide no. %d" % number)
        delivery = Delivery(path=f"/{number}", routes="/.contentguard", content_type=UTF8)
        shelf = pages.shelf(delivery)
        plan = finished(pages.work(delivery, shelf, body))
        before = (plan.size, pages.cache.bytes_used)
        made = plan.division
        pages.reweigh(shelf)
        assert made.lead is not None
        assert made is plan.division
        assert plan.divide is None
        assert plan.size == before[0] + made.size > before[0]
        assert pages.cache.bytes_used == before[1] + made.size
        assert pages.cache.bytes_used == sum(entry.weigh() for entry in pages.cache.entries())


def test_a_division_may_be_what_is_too_much() -> None:
    body, delivery = sample(10_000), Delivery(path="/x", routes="/.contentguard", content_type=UTF8)
    pages = Pages(Article(), planner(bare=False), 10**6)
    shelf = pages.shelf(delivery)
    plan = finished(pages.work(delivery, shelf, body))
    assert len(pages.cache) == 1
    pages.cache.max_bytes = pages.cache.bytes_used
    assert plan.division.lead is not None
    pages.reweigh(shelf)
    assert len(pages.cache) == pages.cache.bytes_used == 0
    pages.reweigh(shelf)
    assert len(pages.cache) == pages.cache.bytes_used == 0


def test_a_page_that_changes_in_little_is_divided_as_a_new_one() -> None:
    pages = Pages(Article(), planner(bare=False), 10**7)
    delivery = Delivery(path="/x", routes="/.contentguard", content_type=UTF8)
    for number in range(4):
        body = sample(60_000).replace(b"</head>", b"<meta name=csrf content='%s'></head>" % (b"x" * number))
        plan = finished(pages.work(delivery, pages.shelf(delivery), body))
        assert parts(plan) == parts(plan_of(body, bare=False))


def test_gzip() -> None:
    import gzip

    made = plan_of(sample(10_000), bare=False).division
    for template in (made.lead, made.rest, made.search):
        assert template is not None
        assert gzip.decompress(template.gzip(VALUES)) == template.fill(VALUES)


def test_the_cut_is_the_one_that_was_asked_for() -> None:
    page = f"<!doctype html><head></head><body><article>{STORY}</article>".encode()
    article = Finder(Article()).find(page, "utf-8").article
    assert article is not None
    made = finished(find_cut(page, article, "utf-8", words=60, share=0.25, paragraphs=1))
    assert isinstance(made, Cut)
    assert parts(plan_of(page, Lead(words=60)))[0].index(PLACE) > made.at
