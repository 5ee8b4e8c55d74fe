"""Variants: what is a slot, and what is nobody's to change."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.watermark.variants import Kind, found, quoted


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("they don’t know", [(Kind.APOSTROPHE, "’", "'")]),
        ("they don't know", [(Kind.APOSTROPHE, "'", "’")]),
        ("they don&rsquo;t know", [(Kind.APOSTROPHE, "&rsquo;", "'")]),
        ("they don&#39;t know", [(Kind.APOSTROPHE, "&#39;", "’")]),
        ("the boys’ mill", []),
        ("it lasts – they say – long", [(Kind.DASH, "–", "—"), (Kind.DASH, "–", "—")]),
        ("it lasts &mdash; they say", [(Kind.DASH, "&mdash;", "–")]),
        ("a well-known mill", []),
        ("from 2019–24 on", [(Kind.RANGE, "–", "-")]),
        ("on 2019-12-24 exactly", []),
        ("and so on… they say", [(Kind.ELLIPSIS, "…", "...")]),
        ("and so on...", [(Kind.ELLIPSIS, "...", "…")]),
        ("and so on....", []),
        ("他说…… 然后", []),
        ("そうですか… はい", []),
        ("[[dozens|scores]] of people", [(Kind.WORDING, "dozens", "scores")]),
        ("[[don’t know|do not know]] it", [(Kind.WORDING, "don’t know", "do not know")]),
        ("[[|very]] much", [(Kind.WORDING, "", "very")]),
        ("[[a|b|c]] and [[a]]", []),
    ],
)
def test_slots(text: str, expected: list[tuple[Kind, str, str]]) -> None:
    assert [(one.kind, *one.texts) for one in found(text)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("it is not so", [("it is", "it’s")]),
        ("they do not know", [("do not", "don’t")]),
        ("we cannot say", [("cannot", "can’t")]),
        ("donot credit is", []),
    ],
)
def test_contractions_only_where_they_are_wanted(text: str, expected: list[tuple[str, str]]) -> None:
    assert [one.texts for one in found(text, contractions=True)] == expected
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("engineers, masons and carpenters came", [("", ",")]),
        ("engineers, masons, and carpenters came", [(",", "")]),
        ("masons and carpenters came", []),
    ],
)
def test_the_serial_comma_only_where_it_is_wanted(text: str, expected: list[tuple[str, str]]) -> None:
    assert [one.texts for one in found(text, serial_comma=True)] == expected
    assert found(text) == []


@given(st.text(alphabet="ab.,’'–—…[]| 19&;\"“”", max_size=80))
def test_slots_of_any_text_stand_apart_and_hold_what_they_say(text: str) -> None:
    slots = found(text, contractions=True, serial_comma=True)
    assert all(a.end <= b.start for a, b in pairwise(slots))
    for one in slots:
        assert one.texts[0] != one.texts[1] or one.kind is Kind.WORDING
        if one.kind is not Kind.WORDING:
            assert text[one.start : one.end] == one.texts[0]


@pytest.mark.parametrize(
    ("text", "inside", "stretches", "after"),
    [
        ("He said “so it is” and left", "", ["“so it is”"], ""),
        ("He said “so it is", "", ["“so it is"], "“"),
        ("it is” he said", "“", ["it is”"], ""),
        ('He said "so" and "no"', "", ['"so"', '"no"'], ""),
        ("nobody said anything”", "", ["”"], "”"),
        ("„So ist es – ja“, sagte er – und ging", "", ["„So ist es – ja“"], ""),
        ("„Tak jest – tak” mówi", "", ["„Tak jest – tak”"], ""),
        ("»Ja – ja«, sagde han", "", ["»Ja – ja«"], ""),
        ("»Joo – joo», hän sanoi", "", ["»Joo – joo»"], ""),
        ("”Ja – ja”, sa han", "", ["”Ja – ja”"], ""),
        ("« Oui – un “bon” mot – oui », dit-il", "", ["« Oui – un “bon” mot – oui »"], ""),
        ("‹Ja – ja›, sagt er", "", ["‹Ja – ja›"], ""),
        ("‘It’s so – yes,’ he said", "", ["‘It’s so – yes,’"], ""),
        ("'It's so – yes,' he said, don't you", "", ["'It's so – yes,'"], ""),
        (
            "&bdquo;Ja &ndash; ja&ldquo; und &#x201e;nein&#8220;",
            "",
            ["&bdquo;Ja &ndash; ja&ldquo;", "&#x201e;nein&#8220;"],
            "",
        ),
        ("彼は「はい – はい」と言った", "", ["「はい – はい」"], ""),
        ("the boys’ mill, the dogs' tails", "", [], ""),
    ],
)
def test_quotations(text: str, inside: str, stretches: list[str], after: str) -> None:
    found_there, open_after = quoted(text, inside)
    assert [text[a:b] for a, b in found_there] == stretches
    assert open_after == after
