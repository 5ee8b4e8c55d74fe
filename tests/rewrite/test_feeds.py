"""Feeds as their texts: what is cut, what stays byte for byte, and what cannot be read."""

from __future__ import annotations

import json
import time
import xml.etree.ElementTree as ET
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.rewrite import rss
from contentguard.rewrite.excerpts import Feeds, count, cut
from contentguard.rewrite.feeds import Feed, may_be_feed, read_feed
from contentguard.rewrite.feedtext import FeedError, Trouble
from contentguard.rewrite.written import Way, Written
from contentguard.watermark.compiled import Channels, Compiled

OPTIONS = Feeds()
RSS, ATOM, JSON = "application/rss+xml", "application/atom+xml", "application/feed+json"
LINK = "https://news.example/tide?a=1&b=2"
TEXT = [f"w{number}" for number in range(400)]
HTML = "".join(f"<p>{' '.join(TEXT[at : at + 40])} <em>&amp;</em></p>\n" for at in range(0, 400, 40))
XHTML = f'<div xmlns="http://www.w3.org/1999/xhtml">{HTML}</div>'


def item(field: str, *, link: str = LINK) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!-- ours -->\n<rss version="2.0" xmlns:content="c" xmlns:m="m">'
        f"<channel><title>Tide</title><item><title>One &amp; two</title>{field}"
        f"<link>{escape(link)}</link></item></channel></rss>\n"
    )


def entry(field: str) -> str:
    return (
        f'<feed xmlns="http://www.w3.org/2005/Atom"><title>Tide</title><entry><link rel="self" href="/no"/>'
        f"<link href={quoteattr(LINK)}/>{field}</entry></feed>"
    )


def feed(document: str | bytes, kind: str = RSS) -> Feed:
    made = read_feed(document if isinstance(document, bytes) else document.encode(), kind, OPTIONS.summary)
    assert made is not None
    return made


def excerpt(document: str, kind: str = RSS) -> str:
    return feed(document, kind).excerpt(OPTIONS, "Continue reading").decode()


def told(text: str) -> list[str]:
    """Which of the words of the article stand in a text, in order."""
    known = set(TEXT)
    return [word for word in text.replace("<", " ").replace(">", " ").replace("…", " ").split() if word in known]


class TestXml:
    @pytest.mark.parametrize(
        ("document", "kind"),
        [
            (item(f"<content:encoded><![CDATA[{HTML}]]></content:encoded>"), RSS),
            (item(f"<content:encoded>{escape(HTML)}</content:encoded>"), RSS),
            (item(f"<description>{escape(HTML[:900])}<![CDATA[{HTML[900:]}]]></description>"), RSS),
            (item(f"<m:full-text>{' '.join(TEXT)}</m:full-text>"), RSS),
            (item(f'<body xmlns="http://www.w3.org/1999/xhtml">{HTML}</body>'), RSS),
            (item(f"<m:group><m:title>x</m:title><m:description>{' '.join(TEXT)}</m:description></m:group>"), RSS),
            (entry(f'<content type="html">{escape(HTML)}</content>'), ATOM),
            (entry(f'<content type="xhtml">{XHTML}</content>'), ATOM),
            (entry(f"<summary>{' '.join(TEXT)}</summary>"), ATOM),
            (entry(f"<content>{' '.join(TEXT)}</content>"), ATOM),
        ],
        ids=["cdata", "escaped", "both", "foreign", "xhtml:body", "group", "html", "xhtml", "summary", "text"],
    )
    def test_a_text_is_cut_behind_its_first_words(self, document: str, kind: str) -> None:
        before, after = document, excerpt(document, kind)
        words = told(" ".join(ET.fromstring(after).itertext()))
        assert 60 < len(words) <= 100, "a quarter of 400"
        assert words == TEXT[: len(words)]
        start = next(n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b)
        end = next(n for n, (a, b) in enumerate(zip(before[::-1], after[::-1], strict=False)) if a != b)
        assert document.index("w0 ") < start, "all before it is as it came"
        assert end >= len("</link></item></channel></rss>\n") if kind == RSS else end >= len("</entry></feed>")

    @pytest.mark.parametrize(
        ("field", "kind", "ends"),
        [
            (
                f"<content:encoded><![CDATA[{HTML}]]></content:encoded>",
                RSS,
                f'<p><a href="{escape(LINK)}">Continue reading</a></p>]]></content:encoded>',
            ),
            (f"<description>{escape(HTML)}</description>", RSS, "Continue reading&lt;/a&gt;&lt;/p&gt;</description>"),
            (f"<m:text>{' '.join(TEXT)}</m:text>", RSS, "w99…</m:text>"),
            (f"<summary>{' '.join(TEXT)}</summary>", ATOM, f"w99… {escape(LINK)}</summary>"),
            (f'<content type="xhtml">{XHTML}</content>', ATOM, "Continue reading</a></p></div></content>"),
            (
                f'<content type="xhtml"><x:div xmlns:x="h"><x:p>{" ".join(TEXT)}</x:p></x:div></content>',
                ATOM,
                "Continue reading</x:a></x:p></x:div></content>",
            ),
            (
                f"<m:group><m:description>{' '.join(TEXT)}</m:description></m:group>",
                RSS,
                "w99…</m:description></m:group>",
            ),
        ],
    )
    def test_what_follows_is_a_link_where_one_may_stand(self, field: str, kind: str, ends: str) -> None:
        after = excerpt(item(field) if kind == RSS else entry(field), kind)
        assert ends in after
        ET.fromstring(after)

    def test_without_a_link_there_is_none(self) -> None:
        for link in ("javascript:alert(1)", "", "x" * 3000):
            after = excerpt(item(f"<description>{escape(HTML)}</description>", link=link))
            assert "Continue reading" not in after
            ET.fromstring(after)
        bare = item(f"<description>{escape(HTML)}</description>").replace("link>", "guid>")
        assert "Continue reading" in excerpt(bare)
        assert "Continue reading" not in excerpt(bare.replace("<guid>", '<guid isPermaLink="false">'))

    def test_a_summary_stays_and_so_does_an_address(self) -> None:
        document = item(
            f"<description>{' '.join(TEXT[:80])}</description><x><![CDATA[ ]]></x><y/><m:thumbnail url='/a'/>"
            f"<guid>https://news.example/{'a' * 900}</guid>"
        )
        assert excerpt(document) == document

    def test_without_options_nothing_of_a_text_is_told(self) -> None:
        fields = f"<content:encoded><![CDATA[{HTML}]]></content:encoded><description>{escape(HTML)}</description>"
        for document, kind in (
            (item(fields), RSS),
            (entry(f'<content type="xhtml">{XHTML}</content><summary>{" ".join(TEXT)}</summary>'), ATOM),
        ):
            after = feed(document, kind).excerpt(None, "Continue reading").decode()
            assert told(after) == []
            ET.fromstring(after)

    def test_what_only_pretends_not_to_be_text_is_left_out(self) -> None:
        words = " ".join(TEXT)
        document = (
            f"<?x {words}?>"
            + item(f"<!-- {words} --><m:x full='{words}' ok='a b'>{words[:40]}<!--{words}--></m:x>")[39:]
        )
        after = excerpt(document)
        assert len(told(after)) <= 13, "the forty characters"
        assert "ok='a b'" in after
        assert "<!-- ours -->" in after
        ET.fromstring(after)

    def test_what_is_hidden_in_what_is_cut_goes_with_it(self) -> None:
        words = " ".join(TEXT)
        field = f"<m:x>{words}<b a='{words}'/><!--{words}-->{words}<?x {words}?></m:x>"
        after = excerpt(item(field))
        assert told(after) == TEXT[: len(told(after))]
        ET.fromstring(after)

    def test_a_section_within_markup_is_closed_where_it_is_cut(self) -> None:
        document = item(f"<m:x><b>a</b><![CDATA[{' '.join(TEXT[:200])}]]><i/><![CDATA[{' '.join(TEXT[200:])}]]></m:x>")
        after = excerpt(document)
        assert "w98]]>…</m:x>" in after
        ET.fromstring(after)

    def test_text_between_elements_is_text(self) -> None:
        after = excerpt(item(" ".join(TEXT)))
        assert len(told(after)) == 100
        ET.fromstring(after)

    def test_a_lone_entry_is_one(self) -> None:
        document = f'<entry xmlns="http://www.w3.org/2005/Atom"><content type="html">{escape(HTML)}</content></entry>'
        assert len(told(excerpt(document, ATOM))) <= 100

    def test_rdf(self) -> None:
        document = (
            '<rdf:RDF xmlns:rdf="r" xmlns="http://purl.org/rss/1.0/"><channel><title>a</title><items><rdf:Seq/></items>'
            f"</channel><item><link>/x</link><description>{escape(HTML)}</description></item></rdf:RDF>"
        )
        after = excerpt(document, "application/xml")
        assert 60 < len(told(after)) <= 100
        assert 'href="/x"' in after

    @pytest.mark.parametrize(
        "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "iso-8859-1", "windows-1252", "shift_jis"]
    )
    def test_any_charset(self, encoding: str) -> None:
        name = "utf-8" if encoding == "utf-8-sig" else encoding
        document = item(f"<description>{' '.join(TEXT)}</description>").replace("UTF-8", name)
        body = document.encode(encoding)
        after = feed(body).excerpt(OPTIONS, "Weiter…")
        assert len(told(after.decode(encoding).replace("&#8230;", " "))) == 100
        assert feed(body).whole() == body
        assert after[:60] == body[:60]

    def test_bytes_that_say_nothing_go_through(self) -> None:
        body = item(f"<x>\xff</x><description>{' '.join(TEXT)}</description>").encode("latin-1")
        assert b"<x>\xff</x>" in feed(body).excerpt(OPTIONS, "x")

    @pytest.mark.parametrize(
        ("document", "kind", "why"),
        [
            (b"<rss><channel>", RSS, Trouble.MALFORMED),
            (b"<rss></channel>", RSS, Trouble.MALFORMED),
            (b"<rss/><rss/>", RSS, Trouble.MALFORMED),
            (b"<rss></rss>text", RSS, Trouble.MALFORMED),
            (b"text<rss></rss>", RSS, Trouble.MALFORMED),
            (b"", RSS, Trouble.MALFORMED),
            (b"<rss><![CDATA[</rss>", RSS, Trouble.MALFORMED),
            (b"<rss><!-- </rss>", RSS, Trouble.MALFORMED),
            (b"<rss><?x </rss>", RSS, Trouble.MALFORMED),
            (b"<rss a=<></rss>", RSS, Trouble.MALFORMED),
            (b"<!DOCTYPE rss 'x", RSS, Trouble.MALFORMED),
            (b"<!ELEMENT a><rss/>", RSS, Trouble.MALFORMED),
            (b"<rss><!DOCTYPE rss></rss>", RSS, Trouble.MALFORMED),
            (b"<!DOCTYPE rss [<!ENTITY a 'b'>]><rss>&a;</rss>", RSS, Trouble.ENTITIES),
            (b"<a>" * 65 + b"</a>" * 65, RSS, Trouble.TOO_DEEP),
            (b"<rss>" + b" " * 6_000_000 + b"</rss>", RSS, Trouble.TOO_LARGE),
            (b"<rss/>", RSS + "; charset=utf-7", Trouble.CHARSET),
            (b"<rss/>", RSS + "; charset=nonsense", Trouble.CHARSET),
            (b"\xff\xfe<\0r\0", RSS, Trouble.MALFORMED),
            (b"\xff\xfe<\0r\0\0\xd8", RSS, Trouble.CHARSET),
            (b"<rss>\x1b$B</rss>", RSS + "; charset=iso-2022-jp", Trouble.CHARSET),
            (b"[" * 65 + b"]" * 65, JSON, Trouble.TOO_DEEP),
            (b'{"a": ', JSON, Trouble.MALFORMED),
            (b'{"a": 1]', JSON, Trouble.MALFORMED),
            (b'{"a": "\\x"}', JSON, Trouble.MALFORMED),
            (b"{} {}", JSON, Trouble.MALFORMED),
            (b"]", JSON, Trouble.MALFORMED),
            (b",", JSON, Trouble.MALFORMED),
            (b"{}x", JSON, Trouble.MALFORMED),
            (b'{"' + b"a b " * 90 + b'": 1}', JSON, Trouble.MALFORMED),
        ],
    )
    def test_what_cannot_be_read(self, document: bytes, kind: str, why: Trouble) -> None:
        with pytest.raises(FeedError) as raised:
            read_feed(document, kind, 80)
        assert raised.value.trouble is why

    def test_a_document_type_without_entities_is_let_be(self) -> None:
        document = "<!DOCTYPE rss PUBLIC \"-//N//RSS 0.91>//EN\" 'x>'><rss><channel><title>a</title></channel></rss>"
        assert excerpt(document) == document

    def test_billion_laughs_are_not_laughed(self) -> None:
        bomb = '<!DOCTYPE l [<!ENTITY a "ha">' + "".join(f'<!ENTITY {c} "&a;&a;">' for c in "bcd") + "]><rss>&d;</rss>"
        with pytest.raises(FeedError):
            feed(bomb)

    def test_what_is_no_feed(self) -> None:
        for body, kind in (
            (b"<urlset><url><loc>x</loc></url></urlset>", "application/xml"),
            (b"text", "text/xml"),
            (b'{"version": 1}', "application/json"),
            (b'["jsonfeed.org"]', "application/json"),
            (b'{"version": "1", "a": "jsonfeed.org"}', "application/json"),
            (b'{"a": {"version": "https://jsonfeed.org/version/1"}}', "application/json"),
        ):
            assert read_feed(body, kind, 80) is None

    @pytest.mark.parametrize(
        ("head", "kind", "said"),
        [
            (b"<?xml?> <!-- a --> <rss version='2.0'>", "text/xml", True),
            (b"<?xml?> <!DOCTYPE feed><feed>", "text/xml; charset=utf-8", True),
            (b"<rdf:RDF xmlns='x'>", "application/xml", True),
            ("<rss>".encode("utf-16"), "application/xml", True),
            (b"<urlset>", "application/xml", False),
            (b"hello", "application/xml", False),
            (b"", "application/xml", None),
            (b"<?xml?>", "application/xml", None),
            (b"<rss", "application/xml", None),
            (b"<rss>", "application/xml; charset=utf-7", True),
            (b"{", "application/json", None),
            (b" ", "application/json", None),
            (b"[1", "application/json", False),
            (b'{"version":"https:\\/\\/jsonfeed.org\\/version\\/1"', "application/json", True),
            (b"anything", RSS, True),
        ],
    )
    def test_how_a_feed_begins(self, head: bytes, kind: str, said: bool | None) -> None:
        assert may_be_feed(head, kind) is said


class TestJson:
    def document(self, **members: Any) -> str:
        made = {"version": "https://jsonfeed.org/version/1.1", "title": "Tide", "items": [{"url": LINK, **members}]}
        return json.dumps(made, indent=1)

    def test_every_text_is_cut(self) -> None:
        text = " ".join(TEXT)
        document = self.document(content_html=HTML, content_text=text, summary=text, _ours={"body": [text]}, id="1")
        after = excerpt(document, JSON)
        found = json.loads(after)["items"][0]
        assert found["content_html"].endswith(f'</p>\n<p><a href="{escape(LINK)}">Continue reading</a></p>') or found[
            "content_html"
        ].endswith(f'</p><p><a href="{escape(LINK)}">Continue reading</a></p>')
        assert found["content_text"] == f"{' '.join(TEXT[:100])}… {LINK}" == found["summary"]
        assert found["_ours"]["body"] == [f"{' '.join(TEXT[:100])}…"]
        assert after[: document.index("w40 ")] == document[: document.index("w40 ")]
        assert {**found, "content_html": 0, "content_text": 0, "summary": 0, "_ours": 0} == {
            **json.loads(document)["items"][0],
            "content_html": 0,
            "content_text": 0,
            "summary": 0,
            "_ours": 0,
        }

    def test_its_address_may_be_elsewhere(self) -> None:
        document = self.document(content_text=" ".join(TEXT), external_url="https://else.example/")
        assert json.loads(excerpt(document, JSON))["items"][0]["content_text"].endswith(f"… {LINK}")
        document = document.replace(f'"url": "{LINK}"', '"id": "1"')
        assert json.loads(excerpt(document, JSON))["items"][0]["content_text"].endswith("… https://else.example/")

    def test_an_address_stays_however_long(self) -> None:
        document = self.document(image=f"https://news.example/{'a' * 1900}")
        assert excerpt(document, JSON) == document

    def test_escapes_are_characters(self) -> None:
        text = "".join(f"\\u0077\\ud83d\\udc1f{number}\\n" for number in range(200))
        document = self.document(content_text="@@").replace("@@", text)
        found = json.loads(excerpt(document, JSON))["items"][0]["content_text"]
        assert found == "".join(f"w\U0001f41f{n}\n" for n in range(50)).strip() + f"… {LINK}"

    @pytest.mark.parametrize("kind", [JSON, "application/json", "application/json; charset=utf-8"])
    def test_a_byte_order_mark(self, kind: str) -> None:
        document = "\ufeff" + self.document(content_text=" ".join(TEXT))
        assert len(told(excerpt(document, kind))) == 98, "all but the first and the last, which stand by other marks"
        assert feed(document, kind).whole().decode() == document


class TestExcerpt:
    def test_scripts_without_spaces_count_two_characters_as_a_word(self) -> None:
        assert count("潮" * 200) == 100
        assert cut("潮" * 200, 20).offset == 40

    def test_what_looks_like_one_word_counts_by_its_length(self) -> None:
        text = "_".join(TEXT)
        assert count(text) > 80
        assert cut(text, 20).offset == 0
        assert count("&#32;".join(TEXT)) > 80

    def test_a_tag_may_hold_a_text(self) -> None:
        words = " ".join(TEXT)
        assert count(f'<p data-full="{words}">') > 80
        assert count(f'<img srcset="{"https://news.example/a.jpg 1200w, " * 19}">') == 0
        assert count(f"<!-- {words} -->") > 80

    def test_open_elements_are_closed(self) -> None:
        text = "<div><p>one<br>two <b>three <i>four</b> five <img src=x/> <span/> six"
        assert cut(text, 4).open == ("div", "p", "b", "i")
        assert cut(text, 5).open == ("div", "p")
        assert cut(text, 99) == (len(text), (), False)
        assert cut("<p>" * 100 + " a b c", 1).open == ("p",) * 64
        assert cut("</p></b>a b", 1).open == ()

    def test_it_ends_with_a_paragraph_where_one_ends(self) -> None:
        assert cut("<p>a b c</p><p>d e f</p><p>g h i</p>", 7) == (24, (), False)
        assert cut("<p>a</p><p>d e f g h i j k</p>", 7) == (22, ("p",), True)

    @pytest.mark.parametrize(
        "values", [{"words": 0}, {"summary": 0}, {"share": 1.0}, {"share": 0.0}, {"days": 0}, {"addresses": 65}]
    )
    def test_options(self, values: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=r"want words|days and"):
            Feeds(**values)


# -- for any feed ------------------------------------------------------------------------------------------------

_CHARACTERS = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="￾￿")
_SENTENCES = st.lists(
    st.sampled_from(["tide", "潮", "a&b", "x<y", "naïve", "\U0001f41f", "]]>", "quay.", '"', "&amp;", "&nbsp;"]),
    min_size=1,
    max_size=300,
).map(" ".join)
_TEXTS = st.one_of(
    _SENTENCES,
    st.text(_CHARACTERS, max_size=400),
    st.just(HTML),
    st.builds(lambda a, b: f"<p>{a}</p><br/>{b}", _SENTENCES, _SENTENCES),
)


@st.composite
def _xml_fields(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(["description", "content:encoded", "summary", "title", "m:x", "link"]))
    text = draw(_TEXTS)
    form = draw(st.sampled_from(["escaped", "cdata", "nested", "split", "comment"]))
    if form == "cdata":
        text = "<![CDATA[" + text.replace("]]>", "") + "]]>"
    elif form == "nested":
        text = f"<div><p>{escape(text)}</p><br/>{escape(draw(_TEXTS))}</div>"
    elif form == "split":
        text = escape(text) + "<![CDATA[" + draw(_TEXTS).replace("]]>", "") + "]]>" + escape(draw(_TEXTS))
    elif form == "comment":
        text = escape(text) + f"<!-- {draw(_SENTENCES).replace('-', ' ')} --><?x y?>" + escape(draw(_TEXTS))
    else:
        text = escape(text)
    attributes = draw(st.sampled_from(["", ' type="html"', " type='xhtml'", " a='>' b=\"'\""]))
    return f"<{name}{attributes}>{text}</{name}>"


def _is_input_but_for_its_texts(made: Feed, before: str, after: str) -> bool:
    """Whether ``after`` is ``before`` with something else, or nothing, in the places of its texts."""
    place, between = 0, list[str]()
    for text in sorted(made.texts, key=lambda text: text.end):
        start, end = text.written.pieces[0].start, text.end
        assert place <= start < end, "texts stand one after the other"
        between.append(before[place:start])
        place = end
    at = 0
    for number, kept in enumerate(between):
        found = after.find(kept, at)
        if found < 0 or (not number and found):
            return False
        at = found + len(kept)
    return after[at:].endswith(before[place:])


@given(st.lists(_xml_fields(), max_size=5))
def test_any_xml_feed_is_well_formed_after_cutting(fields: list[str]) -> None:
    document = item("".join(fields))
    ET.fromstring(document)
    made = feed(document)
    assert made.whole().decode() == document
    for options in (OPTIONS, None):
        after = made.excerpt(options, "Continue “reading”").decode()
        ET.fromstring(after)
        if "<!--" not in document[15:]:
            assert _is_input_but_for_its_texts(made, document, after)
    # What was cut once has nothing more to cut.
    again = made.excerpt(OPTIONS, "Continue")
    longest = [text.words for text in feed(again).texts]
    assert all(words <= OPTIONS.words + 3 for words in longest)


@given(
    st.recursive(
        st.one_of(_TEXTS, st.integers(), st.none()),
        lambda v: (
            st.lists(v, max_size=3)
            | st.dictionaries(st.sampled_from(["url", "content_html", "content_text", "x", "version"]), v, max_size=3)
        ),
        max_leaves=6,
    ),
    st.booleans(),
)
def test_any_json_feed_is_json_after_cutting(value: Any, ascii_only: bool) -> None:
    document = json.dumps({"version": "https://jsonfeed.org/version/1", "items": value}, ensure_ascii=ascii_only)
    made = feed(document, JSON)
    assert made.whole().decode() == document
    after = json.loads(made.excerpt(OPTIONS, "Continue"))
    _same_but_cut(json.loads(document), after)


def _same_but_cut(before: Any, after: Any) -> None:
    if isinstance(before, str):
        if before != after:
            kept = next((n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), len(after))
            assert count(before) > OPTIONS.summary
            assert count(before[:kept]) <= OPTIONS.words + 1
    elif isinstance(before, dict):
        assert list(before) == list(after)
        for name in before:
            _same_but_cut(before[name], after[name])
    elif isinstance(before, list):
        assert len(before) == len(after)
        for one, other in zip(before, after, strict=True):
            _same_but_cut(one, other)
    else:
        assert before == after


@given(st.binary(max_size=400) | st.text(st.sampled_from("<>/!?-[]&;\"'= arse:CDAT"), max_size=200).map(str.encode))
def test_anything_is_read_or_refused(body: bytes) -> None:
    for kind in (RSS, JSON, "application/xml", "application/json"):
        may_be_feed(body, kind)
        try:
            made = read_feed(body, kind, 3)
        except FeedError:
            continue
        if made is not None:
            assert made.whole() == body
            made.excerpt(OPTIONS, "x")


@given(_TEXTS, st.sampled_from(Way))
def test_a_place_in_a_text_is_one_in_its_document(text: str, way: Way) -> None:
    document = way.write(text)
    written = Written()
    written.add(document, 0, len(document), way)
    written.done()
    assert written.said == text
    for offset in range(1, len(text) + 1):
        at, _ = written.behind(offset)
        part = Written()
        part.add(document, 0, at, way)
        assert part.done().said == text[:offset]
        span = written.span(offset - 1, offset)
        assert span is not None
        part = Written()
        part.add(document, span[0], span[1], way)
        assert part.done().said == text[offset - 1 : offset]


@pytest.mark.parametrize(
    "name", ["<p", "<p>", "&", "&lt;", "<![CDATA[", "<!--", "\"'", "</", "\\u00", "<a b='", '<a b="c" ', "]]>", "- "]
)
@pytest.mark.no_cover
def test_it_is_linear(name: str) -> None:
    """Twice as much takes no four times as long, whatever it is made of."""

    def took(size: int) -> float:
        spent = []
        for head, tail, kind in (
            ("<rss><x>", "</x></rss>", RSS),
            ('{"a": "', '"}', JSON),
            ("<rss><x><![CDATA[", "]]></x></rss>", RSS),
        ):
            body = (head + name * (size // len(name)) + tail).encode()
            start = time.perf_counter()
            try:
                made = read_feed(body, kind, 80)
                assert made is not None
                made.excerpt(OPTIONS, "x")
            except FeedError:
                pass
            may_be_feed(body[:65536], "text/xml")
            spent.append(time.perf_counter() - start)
        return sum(spent)

    ratios = []
    for _ in range(6):
        ratios.append(took(200_000) / took(50_000))
        if ratios[-1] < 10:
            break
    assert min(ratios) < 10, ratios


# -- marks -------------------------------------------------------------------------------------------------------

WORDING = (
    "<p>The tide came in [[quietly|softly]] over the harbour, and “nobody” noticed it. Later everyone did.</p>" * 12
)

WORDED = {"version": "https://jsonfeed.org/version/1", "items": [{"content_html": WORDING}]}


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        (item(f"<content:encoded><![CDATA[{WORDING}]]></content:encoded>"), RSS),
        (item(f"<description>{escape(WORDING)}</description>"), RSS),
        (entry(f'<content type="xhtml"><div>{WORDING}</div></content>'), ATOM),
        (json.dumps(WORDED), JSON),
        (json.dumps(WORDED, ensure_ascii=False), JSON),
    ],
    ids=["cdata", "escaped", "xhtml", "json", "json utf-8"],
)
def test_marks_go_where_they_are_read_again(document: str, kind: str) -> None:
    made = feed(document, kind)
    (text,) = made.texts
    compiled, spots = made.marked(
        text, lambda paragraphs, wide: Compiled(paragraphs, Channels(enabled=True), wide=wide)
    )
    assert isinstance(compiled, Compiled)
    assert len(spots) == len(compiled.slots) > 40
    assert None not in spots
    marks = [f"{number}".encode() for number in range(len(spots))]
    edits = [spot.holds(mark) for spot, mark in zip(spots, marks, strict=True) if spot is not None]
    after = made.whole(edits)
    (again,) = feed(after, kind).texts
    filled = compiled.filled([mark.decode() for mark in marks])
    assert again.written.said.replace("<div>", "").replace("</div>", "") == "".join(f"<p>{one}</p>" for one in filled)
    plain = [spot.holds(mark) for spot, mark in zip(spots, compiled.plain, strict=True) if spot is not None]
    assert "[[" not in made.excerpt(OPTIONS, "x", plain).decode()


def test_half_of_a_wording_is_none() -> None:
    text = "word " * 100 + "[[one way of saying|another way of saying]] it. " + "word " * 300
    made = feed(item(f"<description>{text}</description>"))
    compiled, spots = made.marked(made.texts[0], lambda p, wide: Compiled(p, Channels(enabled=True), wide=wide))
    plain = [spot.holds(mark) for spot, mark in zip(spots, compiled.plain, strict=True) if spot is not None]
    for most in range(95, 112):
        after = made.excerpt(Feeds(words=most, share=0.99), "x", plain).decode()
        assert "[[" not in after
        assert "]]" not in after
        ET.fromstring(after)


def test_a_mark_over_the_seam_of_two_sections_has_no_place() -> None:
    written = Written()
    document = "<![CDATA[ab]]><![CDATA[cd]]>"
    written.add(document, 9, 11, behind="]]>")
    written.add(document, 23, 25, behind="]]>")
    written.done()
    assert written.span(1, 3) is None
    assert written.span(0, 2) == (9, 11, Way.PLAIN)
    assert written.span(2, 2) == (11, 11, Way.PLAIN)
    assert rss.is_feed("<rss>")
