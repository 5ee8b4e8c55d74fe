"""Text from strangers: nothing hidden is kept, nothing typed is markup, and no text is slow."""

from __future__ import annotations

import re
import time
import unicodedata
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.comments.text import as_html, folded, line, lines

nasty = st.text(
    st.sampled_from("ab \n\r\t<>&\"'/\\:.()[]@;\x00\x1b\u202e\u2066\u200b\u2028\ud800\U000e0041\u0301éß")
    | st.characters()
)
BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


class Tags(HTMLParser):
    """What a browser makes of it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)


def seen(html: str) -> Tags:
    page = Tags()
    page.feed(html)
    page.close()
    return page


@given(nasty)
def test_what_is_kept_can_be_stored_and_hides_nothing(text: str) -> None:
    for cleaned in (lines(text), line(text)):
        cleaned.text.encode("utf-8")
        assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in cleaned.text.replace("\n", ""))
        assert not set(BIDI) & set(cleaned.text)
        assert cleaned.hidden >= 0
        assert cleaned.text == cleaned.text.strip()
    assert "\n" not in line(text).text
    assert "\n\n\n" not in lines(text).text


@given(nasty)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    once = lines(text)
    assert lines(once.text) == (once.text, 0)
    assert line(line(text).text).text == line(text).text


def test_what_people_write_stays() -> None:
    said = "Grüße! 👩‍👩‍👧 café, नमस्ते, שלום\u200f, e\u0301t\u00e9\n\nSecond – “quoted”."
    assert lines(said) == (said, 0)
    assert lines("one\r\ntwo\rthree\u2028four").text == "one\ntwo\nthree\nfour"
    assert line("  Ann \t of\nthe sea ").text == "Ann of the sea"


@pytest.mark.parametrize("character", ["\x00", "\x1b", *BIDI, "\U000e0041"])
def test_hidden_characters_are_counted(character: str) -> None:
    assert lines(f"a{character}b") == ("ab", 1)
    assert line(f"a{character}{character}b") == ("ab", 2)


def test_accents_do_not_climb() -> None:
    assert lines("z" + "\u0301" * 500).text == "z" + "\u0301" * 3


def test_folded_letters_are_plain() -> None:
    assert folded("𝐅𝐑𝐄𝐄 Ｍoney") == "free money"


@given(nasty)
def test_nothing_typed_is_markup(text: str) -> None:
    page = seen(as_html(text))
    for tag, attributes in page.tags:
        assert tag in ("p", "br", "a")
        expected = {"p": {"dir"}, "br": set(), "a": {"href", "rel"}}[tag]
        assert set(attributes) == expected
        if tag == "a":
            assert re.match(r"https?://", str(attributes["href"]), re.IGNORECASE)
            assert attributes["rel"] == "nofollow ugc"
    assert "".join(page.text.split()) == "".join(lines(text).text.split())


@given(nasty, nasty)
def test_links_lead_where_they_say(before: str, after: str) -> None:
    html = as_html(f"{before} https://news.example/{after}")
    for href, shown in re.findall(r'<a href="([^"]*)" rel="nofollow ugc">([^<]*)</a>', html):
        assert href == shown
        assert "@" not in unescape(href).partition("://")[2].partition("/")[0]
        assert "\\" not in href


@pytest.mark.parametrize(
    ("text", "linked"),
    [
        ("see https://a.example/b.", "https://a.example/b"),
        ("(https://a.example/b)", "https://a.example/b"),
        ("https://a.example/b_(c)", "https://a.example/b_(c)"),
        ("https://a.example/b_(c))", "https://a.example/b_(c)"),
        ("https://a.example/?q=1&r=2", "https://a.example/?q=1&amp;r=2"),
        ("HTTPS://A.example", "HTTPS://A.example"),
        ("“https://a.example”", "https://a.example"),
        ("https://bank.example@evil.example/", ""),
        ("https://evil.example\\@bank.example/", "https://evil.example"),
        ("javascript:alert(1)", ""),
        ("data:text/html,<script>alert(1)</script>", ""),
        ("https://localhost/admin", ""),
        ("https://", ""),
        ('https://a.example/"onmouseover="alert(1)', "https://a.example/"),
    ],
)
def test_which_addresses_become_links(text: str, linked: str) -> None:
    found = re.findall(r'<a href="([^"]*)"', as_html(text))
    assert found == ([linked] if linked else [])


def test_paragraphs_and_lines() -> None:
    assert as_html("one\ntwo\n\n\n\nthree") == '<p dir="auto">one<br>\ntwo</p>\n<p dir="auto">three</p>'
    assert as_html(" \n ") == ""


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        " ",
        "\n",
        "https://",
        "https://a.b/",
        "(",
        ")",
        "http://" + ")" * 50,
        "\u0301",
        "<",
        "&",
        "\x00",
        "\u202e",
        ".",
    ],
)
def test_a_hundred_thousand_characters_take_no_time(piece: str) -> None:
    """Each expression is linear: a hundred times as much may take a few hundred times as long, never ten thousand."""

    def took(length: int) -> float:
        text = (piece * length)[:length]
        start = time.thread_time()
        as_html(text)
        line(text)
        return time.thread_time() - start

    small = min(took(1_000) for _ in range(5))
    assert min(took(100_000) for _ in range(2)) < max(small, 2e-5) * 1_500


def test_no_character_becomes_a_sentence_when_texts_are_compared() -> None:
    """A comment of 65,525 times U+FDFA took a third of a second: normalised it is a million letters."""
    assert max(len(folded(chr(code))) for code in range(0x10000)) == 6
    assert folded("\ufdfa") == "صلعم", "what is written for it by who does not have it"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("So it was.\U000e0127\U000e01a6\U000e01d7\ufe0a He left", "So it was. He left"),
        ("the harbour\U000e0150\u200d wall\ufe02\u200e end", "the harbour wall end"),
        ("المدينة\U000e0150 القديمة", "المدينة القديمة"),
        ("I ❤\ufe0f it ❤\ufe0f\u200d🔥 1\ufe0f\u20e3", "I ❤\ufe0f it ❤\ufe0f\u200d🔥 1\ufe0f\u20e3"),
        ("渡邉\U000e0102さん 葛\U000e0100", "渡邉\U000e0102さん 葛\U000e0100"),
        ("می\u200cنویسند", "می\u200cنویسند"),
    ],
)
def test_the_marks_of_a_quoted_copy_are_not_published(typed: str, kept: str) -> None:
    """Else every copy of the page would carry the commenter's."""
    assert lines(typed).text == kept
    assert line(typed).text == kept
