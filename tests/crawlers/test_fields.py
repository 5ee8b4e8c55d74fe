"""Structured fields (RFC 9651): what is read, what is refused, and that writing is the way back."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.crawlers.fields import (
    MAX_LENGTH,
    MAX_MEMBERS,
    MAX_PARTS,
    Bare,
    Date,
    Decimal,
    FieldError,
    InnerList,
    Item,
    Token,
    parse_dictionary,
    parse_item,
    write_item,
    write_member,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-999999999999999", -999999999999999),
        ("007", 7),
        ("1.5", Decimal("1.5")),
        ('"a\\"b\\\\c"', 'a"b\\c'),
        ('""', ""),
        ("tok/en:*", Token("tok/en:*")),
        ("*x", Token("*x")),
        (":aGk=:", b"hi"),
        (":aGk:", b"hi"),
        ("::", b""),
        ("?1", True),
        ("?0", False),
        ("@1659578233", Date(1659578233)),
        ("  1 ", 1),
    ],
)
def test_items(text: str, value: Bare) -> None:
    item = parse_item(text)
    assert (item.value, type(item.value)) == (value, type(value))


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "a b", "a,b", "1.", ".5", "1.2345", "1234567890123.1", "1234567890123456", "--1", "-", "@1.5", "@x"),
        *('"', '"a', '"\\n"', '"\\a"', '"\t"', '"\x7f"', '"é"', ":a b:", ":a", ":é:", ":A:", "?2", "?", "é", "!x", "²"),
        *("a;", "a;A=1", "a;=1", "a;x=", "a;x=(1)", "a ;x", "(a)", '1"x"', "\t1"),
    ],
)
def test_what_is_no_item(text: str) -> None:
    with pytest.raises(FieldError):
        parse_item(text)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ('sig=( "a"   "b";x;y=1 );c=1;d', 'sig=("a" "b";x;y=1);c=1;d'),
        ("a=1,\t b=2", "a=1, b=2"),
        ("a, b;x=?0, c=?1", "a, b;x=?0, c"),
        ("a=1, b=2, a=3", "a=3, b=2"),
        ("a;x=1;y=2;x=3", "a;x=3;y=2"),
        ("a=()", "a=()"),
        ("a=1.50;b=:aGk:", "a=1.50;b=:aGk=:"),
    ],
)
def test_dictionaries_are_written_in_one_way(text: str, canonical: str) -> None:
    members = parse_dictionary(text)
    written = [
        key + write_member(member).removeprefix("?1")
        if isinstance(member, Item) and member.value is True
        else f"{key}={write_member(member)}"
        for key, member in members.items()
    ]
    assert ", ".join(written) == canonical


@pytest.mark.parametrize(
    "text",
    [
        *("A=1", "=1", "a=", "a=1,", "a=1 b=2", "a=1;;", "a=(1", "a=(1 2", "a=(1,2)", 'a=("x""y")', "a=(1 (2))"),
        *("a=1\n", "1=a", "-a=1", "a= 1", "a =1", ",a", "a=(1\t2)"),
        *(
            "a=1;b=1234567890123456",
            "a=1;b=1.2345",
            "a=1;b=@1.5",
            "a=(1234567890123456)",
            "a=(1.;b)",
            "a=1;b=",
            "a=1;b=?2",
        ),
    ],
)
def test_what_is_no_dictionary(text: str) -> None:
    with pytest.raises(FieldError):
        parse_dictionary(text)


def test_everything_is_bounded() -> None:
    many = [f"k{number}" for number in range(MAX_MEMBERS + 1)]
    for text in (", ".join(many), f"a=({' '.join(many)})", f"a;{';'.join(many)}", "a" * (MAX_LENGTH + 1)):
        with pytest.raises(FieldError):
            parse_dictionary(text)
    assert len(parse_dictionary(", ".join(many[1:]))) == MAX_MEMBERS


def test_parts_are_bounded_however_they_are_nested() -> None:
    item = "a" + "".join(f";p{number}" for number in range(15))
    full = ", ".join(f"m{number}=({item})" for number in range(MAX_PARTS // 16))
    assert len(parse_dictionary(full)) == MAX_PARTS // 16
    for one_more in (full + ", n", full + ";p=1"):
        with pytest.raises(FieldError, match="parts"):
            parse_dictionary(one_more)


@given(st.text(alphabet='ab01 "\\;,=()?@:.-*\t\x00é', max_size=60))
def test_any_text(text: str) -> None:
    try:
        members = parse_dictionary(text)
    except FieldError:
        return
    for member in members.values():
        assert parse_dictionary(f"x={write_member(member)}") == {"x": member}


KEYS = st.from_regex(r"[a-z*][a-z0-9_.*-]{0,5}", fullmatch=True)
BARES = (
    st.integers(-(10**15) + 1, 10**15 - 1)
    | st.booleans()
    | st.binary(max_size=9)
    | st.text(alphabet=string.printable[:95], max_size=9)
    | st.from_regex(r"[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]{0,5}", fullmatch=True).map(Token)
    | st.integers(0, 10**12).map(Date)
)
ITEMS = st.builds(Item, BARES, st.dictionaries(KEYS, BARES, max_size=3))


@given(ITEMS)
def test_what_was_written_reads_back(item: Item) -> None:
    assert parse_item(write_item(item)) == item
    assert parse_dictionary(f"a={write_item(item)}") == {"a": item}


@given(st.lists(ITEMS, max_size=4), st.dictionaries(KEYS, BARES, max_size=3))
def test_inner_lists_read_back(items: list[Item], parameters: dict[str, Bare]) -> None:
    member = InnerList(tuple(items), parameters)
    assert parse_dictionary(f"a={write_member(member)}") == {"a": member}
