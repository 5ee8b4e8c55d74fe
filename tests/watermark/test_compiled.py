"""Compiled articles: marks stand where they may, and a copy less its marks is what the author wrote."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.turns import finished
from contentguard.watermark.code import seed
from contentguard.watermark.compiled import Channels, Compiled, Place
from contentguard.watermark.frames import MARKS
from contentguard.watermark.keys import keys_of
from contentguard.watermark.places import Found
from contentguard.watermark.places import places as search
from contentguard.watermark.variants import Kind
from tests.watermark.articles import article

KEYS = keys_of(b"a secret of the marks", 23)
NAME = b"/news/tide"
INVISIBLE = re.compile("[\u200c-\u200e\u2060\ufe00-\ufe0f\U000e0100-\U000e01ef]")
ONLY = Channels(typography=False, wording=False)


def places(text: str, channels: Channels = ONLY) -> str:
    """A text with ``F`` and ``G`` where its frames and gaps are."""
    made = Compiled([[text]], channels)
    return made.filled([{Place.FRAME: "F", Place.GAP: "G"}.get(slot.place, "V") for slot in made.slots])[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The harbour master came. He left", "The harbourG masterG came.F He left"),
        ("So he said: “It is a wonder.” Then", "So he said:F “It is a wonder.”F Then"),
        ("It weighs 3.5 tons at no. 7 there!", "It weighsG 3.5 tonsG at no.F 7 there!F"),
        ("Alpha, beta, gamma, delta", "Alpha,F beta, gamma, delta"),
        ("He said &ldquo;no.&rdquo; Then", "He saidG &ldquo;no.&rdquo;F Then"),
        ("A caf&eacute; opened &amp; closed", "A caf&eacute; openedG &amp; closed"),
        ("one&nbsp;harbour&nbsp;wall", "one&nbsp;harbour&nbsp;wall"),
        ("a well-known harbour", "a well-knownG harbour"),
        ("in 2019 there were 12345 mills", "in 2019 thereG wereG 12345 mills"),
        ("यह बन्दरगाह है। वह गया", "यह बन्दरगाह है।F वह गया"),
    ],
)
def test_places(text: str, expected: str) -> None:
    assert places(text) == expected


def test_a_pause_has_a_frame_where_the_last_one_is_nine_words_away() -> None:
    assert places("One. a b c d e, f g h i; j k l m n o p q r s t u: v", replace(ONLY, gaps=False)) == (
        "One.F a b c d e, f g h i; j k l m n o p q r s t u:F v"
    )


def test_no_mark_follows_a_digit_or_begins_a_text() -> None:
    """VS15 and VS16 make an emoji of a digit."""
    made = Compiled(article(1), Channels())
    for slot in made.slots:
        if slot.place is not Place.VARIANT:
            before = made.texts[slot.run][slot.start - 1]
            assert slot.start > 0
            assert before.isalpha() or before in ".!?,;:"


SAID = "harbour tide it’s [[big|large]] don’t — “we said” cannot , ... 10–12 ledger, lamp: a’b’c’d naïve 東京 &nbsp; a."
PIECES = st.sampled_from(SAID.split())
TEXTS = st.lists(st.lists(st.lists(PIECES, max_size=30).map(" ".join), max_size=3), max_size=12)


@given(TEXTS, st.integers(1, 60))
def test_behind_the_last_slot_only_wording_is_looked_for(paragraphs: list[list[str]], most: int) -> None:
    """Whatever follows them, the first slots are the same ones."""
    channels = Channels(contractions=True, serial_comma=True)

    def slots(most: int) -> list[tuple[int, Found]]:
        found = finished(search(paragraphs, channels, most))
        return [(run, one) for run, own in enumerate(found) for one in own]

    every, some = slots(10**6), slots(most)
    assert some[:most] == every[:most]
    assert {one.start for _, (_, _, one) in every[most:] if one and one.kind is Kind.WORDING} <= {
        one.start for _, (_, _, one) in some if one
    }


@given(st.integers(0, 2**32), st.integers(0, 2**40 - 1))
def test_a_copy_less_its_marks_is_what_the_author_wrote(number: int, serial: int) -> None:
    paragraphs = article(number, sentences=6, wording=0)
    made = Compiled(paragraphs, ONLY)
    assert INVISIBLE.sub("", "\n".join(made.copy(KEYS, NAME, serial))) == "\n".join(made.texts)


@given(st.text(alphabet="abcdefgh .,;!’'–—…[]|\"“”&\n", max_size=400))
def test_any_text_is_marked_and_nothing_lost(text: str) -> None:
    made = Compiled([[text]], ONLY)
    assert INVISIBLE.sub("", made.copy(KEYS, NAME, 7)[0]) == text
    every = Compiled([[text]], Channels(contractions=True, serial_comma=True))
    assert len(every.copy(KEYS, NAME, 7)) == 1
    plain = every.filled([mark.decode() for mark in every.plain])[0]
    assert plain == re.sub(r"\[\[([^\[\]|<>]*)\|([^\[\]|<>]*)\]\]", r"\1", text)


def test_two_readers_have_different_copies_and_one_always_the_same() -> None:
    made = Compiled(article(2), Channels())
    assert made.copy(KEYS, NAME, 7) == made.copy(KEYS, NAME, 7)
    assert made.copy(KEYS, NAME, 7) != made.copy(KEYS, NAME, 8)
    assert made.copy(KEYS, NAME, 7) != made.copy(KEYS, b"/news/mill", 7)
    assert made.copy(KEYS, NAME, 7) != made.copy(keys_of(b"a secret of the marks", 24), NAME, 7)


@pytest.mark.parametrize(
    ("text", "channels"),
    [
        ("About [[dozens|scores]] of people came", Channels(wording=False)),
        ("He said “about [[dozens|scores]] came” and went", Channels()),
        ("harbour " * 20_000 + "[[dozens|scores]] of don’t people", Channels()),
    ],
    ids=["off", "in a quotation", "beyond the last mark"],
)
def test_wording_that_does_not_vary_is_settled_for_everybody(text: str, channels: Channels) -> None:
    made = Compiled([[text]], channels)
    for serial in range(20):
        copy = made.copy(KEYS, NAME, serial)[0]
        assert "dozens" in copy
        assert "[[" not in copy
    assert not any(one.differs for one in made.variants if one.kind is Kind.WORDING)


def test_nothing_in_a_quotation_is_written_otherwise() -> None:
    text = "He said “it don’t – [[ever|at all]] – matter” and didn’t go"
    made = Compiled([[text]], Channels(frames=False, gaps=False))
    assert [one.kind for one in made.variants if one.differs] == [Kind.APOSTROPHE]
    assert next(slot for slot in made.slots if slot.variant and slot.variant.differs).start > text.index("”")


def test_a_quotation_may_go_on_in_the_next_text_but_not_in_the_next_paragraph() -> None:
    channels = Channels(frames=False, gaps=False)
    assert not Compiled([["He said “it ", "don’t", " matter"]], channels).slots
    assert len(Compiled([["He said “it "], ["They don’t know"]], channels).slots) == 1


@given(st.integers(0, 2**40 - 1))
def test_in_another_charset_the_same_marks_are_references(serial: int) -> None:
    text = [["[[Dozens|Scores]] don’t know about the harbour water, which rises over the wall. "]]
    wide, narrow = (Compiled(text, Channels(), wide=one) for one in (True, False))
    marks = narrow.marks(KEYS, NAME, serial)
    assert {slot.place for slot in narrow.slots} == {*Place}
    assert all(mark.isascii() for mark in marks)
    assert [unescape(mark.decode()) for mark in marks] == [
        unescape(mark.decode()) for mark in wide.marks(KEYS, NAME, serial)
    ]


def test_a_text_with_a_manifest_of_its_own_is_left_alone() -> None:
    assert not Compiled([["The harbour master came.\ufeff" + MARKS[67] + MARKS[50]]], Channels()).slots


def test_a_very_long_article_has_a_bounded_number_of_marks() -> None:
    made = Compiled([["harbour master " * 20_000]], Channels())
    assert len(made.slots) == 4096
    assert len(made.marks(KEYS, NAME, 7)) == 4096


def test_odds_are_even_for_two_and_biased_for_four() -> None:
    paragraphs = article(3, wording=60)
    even, biased = (Compiled(paragraphs, Channels(collusion=number)) for number in (2, 4))
    start = seed(KEYS, NAME, even.revision)
    assert set(even.odds(start)) == {128}
    assert set(biased.odds(start)) == {54, 202}
    with pytest.raises(ValueError, match="2 or 4, not 3"):
        Channels(collusion=3)


@pytest.mark.parametrize("odds", [128, 54, 202])
def test_a_variant_is_drawn_as_often_as_its_odds_say(odds: int) -> None:
    made = Compiled([["[[Dozens|Scores]] came"]], Channels(collusion=2 if odds == 128 else 4, frames=False, gaps=False))
    keys = next(
        k
        for e in range(64)
        if made.odds(seed(k := keys_of(b"a secret of the marks", e), NAME, made.revision))[0] == odds
    )
    second = sum(made.marks(keys, NAME, serial) == [b"Scores"] for serial in range(4000))
    assert abs(second / 4000 - odds / 256) < 0.03


@pytest.mark.parametrize(
    ("text", "varies"),
    [
        ("The ferry left the harbour for the island – that was the last one from here.", True),
        ("Les bateaux sont dans le port – une partie des gens est pour qui sait et du reste.", True),
        ("Die Fähre verließ gestern den Hafen – das war die letzte in diesem Jahr.", False),
        ("Färjan lämnade hamnen i går – det var den sista för i år och för alla.", False),
        ("Паром вчера вышел из порта — это был последний рейс в этом году.", False),
        ("El barco salió ayer del puerto – fue el último de este año para la isla.", False),
        ("De boot verliet gisteren de haven – dat was de laatste van dit jaar.", False),
    ],
)
def test_dashes_vary_only_where_the_language_has_both(text: str, varies: bool) -> None:
    kinds = [one.kind for one in Compiled([[text]], Channels()).variants]
    assert kinds == [Kind.DASH] * varies
