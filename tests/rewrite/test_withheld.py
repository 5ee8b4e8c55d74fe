"""A text is found again in whatever spelling, and nothing else is."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contentguard.rewrite import withheld as withheld_module
from contentguard.rewrite.withheld import (
    WORDS,
    Withheld,
    fold,
    pieces,
    placed,
    plain,
    readings,
    untagged,
    words,
    words_with_places,
)
from contentguard.turns import finished

TEXT = "Die Königin sagte, die „naïve“ Straße am Hafen sei 12 km länger als gedacht & nicht mehr zu retten."
OTHER = "Nobody at the harbour had ever seen a queen, and nobody wanted to begin with one that late."

SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "escaped": escape,
    "references": lambda text: "".join(f"&#{ord(c)};" if not c.isascii() else c for c in text),
    "hex-references": lambda text: "".join(f"&#x{ord(c):x};" for c in text),
    "json": json.dumps,
    "json-with-characters": lambda text: json.dumps(text, ensure_ascii=False),
    "json-in-json": lambda text: json.dumps(json.dumps({"body": text})),
    "json-in-an-attribute": lambda text: escape(json.dumps([text]), quote=True),
    "script": lambda text: "".join(f"\\x{ord(c):02x}" if ord(c) < 256 else f"\\u{{{ord(c):x}}}" for c in text),
    "percent": quote,
    "percent-and-plus": quote_plus,
    "percent-latin-1": lambda text: quote(text, encoding="cp1252", errors="replace"),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64-of-html-in-a-url": lambda text: base64.urlsafe_b64encode(f"<p>{escape(text)}</p>".encode()).decode(),
    "upper": str.upper,
    "lines": lambda text: text.replace(" ", "\r\n\t"),
    "no-break-spaces": lambda text: text.replace(" ", "\u00a0"),
    "soft-hyphens": lambda text: text.replace("sagt", "sa\u00adgt").replace("länger", "l&auml;n&shy;ger"),
    "marks": lambda text: text.replace(",", ",\u200b\u200c\ufe00").replace("Hafen", "Ha\u2060fen"),
    "no-punctuation": lambda text: text.translate({ord(c): None for c in ",.„“&"}),
    "accents-lost": lambda text: text.replace("ö", "o").replace("ï", "i").replace("ä", "a"),
    "accents-apart": lambda text: text.replace("ö", "o\u0308").replace("ï", "i\u0308").replace("ä", "a\u0308"),
    "emphasis": lambda text: text.replace("Königin", "<b class=x>K</b>öni<i>gin</i>"),
    "paragraphs": lambda text: "<p>" + text.replace(" ", "</p>\n<p>") + "</p>",
    "markup-in-json": lambda text: json.dumps(f'<p class="x">{text}</p>').replace("<", "\\u003c"),
    "links": lambda text: text.replace("Hafen", '<a href="/x" title="y">Hafen</a>'),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_spellings(name: str) -> None:
    withheld = Withheld(TEXT)
    assert withheld.stands_in("and so on: " + SPELLINGS[name](TEXT) + " and so on")
    assert not withheld.stands_in(SPELLINGS[name](OTHER) * 3)


_CODINGS = ["escaped", "references", "hex-references", "json", "json-with-characters", "script", "percent"]
_FIRST = sorted({*SPELLINGS} - {"percent-latin-1", "base64", "base64-of-html-in-a-url"})


@settings(max_examples=300)
@given(st.sampled_from(_FIRST), st.lists(st.sampled_from(_CODINGS), max_size=1))
def test_spellings_of_spellings(first: str, then: list[str]) -> None:
    names = [first, *then]
    text = TEXT.replace("&", "und")
    for name in names:
        text = SPELLINGS[name](text)
    assert Withheld(TEXT.replace("&", "und")).stands_in(text)


def test_a_stray_angle_hides_nothing() -> None:
    withheld = Withheld(TEXT)
    assert withheld.stands_in(f"if (a<b) {{ say('{TEXT}') }} else if (c>d) {{ }}")
    assert withheld.stands_in(f"if (a<b) {{ say('{TEXT.replace('Hafen', '<em>Hafen</em>')}') }} else if (c>d) {{ }}")


def test_seven_words_are_a_quotation() -> None:
    withheld = Withheld("one two three four five six seven eight nine ten")
    assert withheld.size == WORDS
    assert withheld.stands_in("He said: two three, four five six seven eight nine!")
    assert not withheld.stands_in("two three four five six seven eight, and no more of it")
    assert not withheld.stands_in("two three four five six seven eight <b>not</b> nine ten")


def test_a_tag_and_what_follows_it_are_two_things() -> None:
    withheld = Withheld("3 the quick brown fox and the lazy dog sleep")
    assert not withheld.stands_in('<a data-level="3">The quick brown fox and the lazy')
    assert withheld.stands_in('<a data-level="3 the quick brown fox and the lazy">')


def test_what_is_told_may_be_repeated() -> None:
    title = "Eight words make a title and this nine"
    withheld = Withheld(f"{TEXT} {title}. {OTHER}", told=(title,))
    assert not withheld.stands_in(f"<title>{title}</title>")
    assert withheld.stands_in(OTHER)


def test_an_address_is_no_text() -> None:
    url = "https://news.example/2026/03/02/harbour/the-ferry-that-would-not-leave/at-all"
    assert not Withheld(f"You find it at {url} and nowhere else in the wide world.").stands_in(f'<a href="{url}">')


def test_scripts_without_spaces_count_by_the_character() -> None:
    text = "漢字や仮名で書かれた段落もここにあります。空白がないので、語数は文字数から数えられます。"
    withheld = Withheld(text)
    assert withheld.stands_in(json.dumps({"text": "……" + text[3:22]}))
    assert not withheld.stands_in(text[:10] + "と" + text[12:20])


def test_short_texts_give_nothing_away() -> None:
    assert not Withheld("").stands_in("")
    assert not Withheld("a b c").stands_in("a b c a b c a b c")


@given(st.text(max_size=200))
def test_words_are_the_same_with_their_places(text: str) -> None:
    found, places = words_with_places(text)
    assert places == sorted(places)
    assert len(found) == len(places)
    if text.isascii():
        assert found == words(text)


@given(st.lists(st.sampled_from(words(TEXT)), max_size=12), st.lists(st.sampled_from(words(OTHER)), max_size=12))
def test_what_is_cut_gives_nothing_away(some: list[str], others: list[str]) -> None:
    withheld = Withheld(TEXT)
    text = " ".join(others + words(TEXT)[2:13] + some)
    kept = withheld.cut(text)
    assert not withheld.stands_in(kept)
    assert kept == "" or (kept.endswith("…") and text.startswith(kept[:-1]))
    assert withheld.cut(" ".join(others)) == " ".join(others)


def test_a_spelling_that_cannot_be_cut_is_emptied() -> None:
    withheld = Withheld(TEXT)
    assert withheld.cut("See: " + quote(TEXT)) == ""
    assert withheld.cut("See here: " + TEXT) == "See here:…"
    assert withheld.cut(TEXT + " And so on.") == ""


@given(st.text())
def test_nothing_breaks_it(text: str) -> None:
    withheld = Withheld(text)
    for reading in (text, plain(text), untagged(text), fold(text)):
        withheld.stands_in(reading)
    assert len(withheld.cut(text)) <= len(text) + 1


# -- by pieces -------------------------------------------------------------------------------------------------------

JUNK = [
    *("<", ">", " < ", "\\", "\\ ", "&", " & ", "%", "%20", "\n", "。", "</p>", "<p>", "&lt;b&gt;", "&amp;lt;"),
    *("\\u003c", "\\\\ ", "<a href='x y z'>", "_", "&#92;", "&#92; ", "<b>", "</b>", "\\ud83d\\ude00"),
]
PARTS = st.one_of(
    st.sampled_from(JUNK),
    st.builds(lambda start, end: " ".join(words(TEXT)[start:end]), st.integers(0, 12), st.integers(0, 16)),
    st.builds(
        lambda name, text: SPELLINGS[name](text), st.sampled_from(sorted(SPELLINGS)), st.sampled_from((TEXT, OTHER))
    ),
)


@given(st.lists(PARTS, max_size=12), st.sampled_from(("", " ")), st.sampled_from((8, 20, 64, 300)))
def test_a_text_says_the_same_by_pieces(parts: list[str], between: str, size: int) -> None:
    text = between.join(parts)
    whole, places, runs = Withheld(TEXT).stands_in(text), finished(placed(text)), Withheld(TEXT)._runs
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(withheld_module, "_PIECE", size)
        patch.setattr(withheld_module, "_RUNS", size // 4)
        assert "".join(pieces(text)) == text
        made = Withheld(TEXT)
        assert made._runs == runs
        assert made.stands_in(text) is whole
        assert finished(placed(text)) == places == words_with_places(text)


def test_pieces_end_between_words_and_never_in_a_tag() -> None:
    text = "<p title='a b'>" + "harbour & tide " * 4_000 + "</p>"
    found = [*pieces(text)]
    assert len(found) > 4
    assert all(len(piece) < 2 * withheld_module._PIECE for piece in found)
    assert all(piece.startswith(" ") for piece in found[1:])
    said = [marked_up for marked_up, _, _ in readings("<p title='a b'>word " * 4_000)]
    assert len(said) > 4
    assert not any("title" in piece for piece in said)
    assert len([*pieces("汽車が港に着いた。" * 4_000)]) > 2
