"""What was typed, and what is wrong with it, next to its field."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.comments.fields import MOST_BODY, MOST_FIELDS, SECRET, is_email, is_site, parsed, typed, untold
from contentguard.comments.options import CommentOptions

GOOD = {"comment": "The tide was high.", "author": "Ann", "email": "ann@example.org", "url": ""}
OPTIONS = CommentOptions()


def test_a_good_comment() -> None:
    told = typed({**GOOD, "url": "example.org/ann", "stray": "1"}, OPTIONS)
    assert told.errors == {}
    assert told[:4] == ("The tide was high.", "Ann", "ann@example.org", "https://example.org/ann")


@pytest.mark.parametrize(
    ("changed", "errors"),
    [
        ({"comment": " \x00\u202e "}, {"comment": "Please type your comment text."}),
        ({"author": ""}, {"author": "Please fill the required field (name)."}),
        ({"email": ""}, {"email": "Please fill the required field (email)."}),
        ({"email": "ann"}, {"email": "Please enter a valid email address."}),
        ({"comment": "x" * 65_526}, {"comment": "Your comment is too long."}),
        ({"author": "x" * 246}, {"author": "Your name is too long."}),
        ({"email": "x" * 90 + "@example.org"}, {"email": "Your email address is too long."}),
        ({"url": "https://example.org/" + "x" * 181}, {"url": "Your URL is too long."}),
        (
            {"url": "javascript:alert(1)"},
            {"url": "Please enter a website's address like https://example.org, or leave the field empty."},
        ),
    ],
)
def test_what_is_wrong(changed: dict[str, str], errors: dict[str, str]) -> None:
    assert typed({**GOOD, **changed}, OPTIONS).errors == errors


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, ()),
        ({"comment": "The tide\r\nwas high.\r\n"}, ()),
        ({"comment": "The tide\u202ewas high."}, (("comment", "The tide\u202ewas high."),)),
        ({"author": "Ann\x00"}, (("author", "Ann\x00"),)),
        ({"submit": "Post Comment", "empty": " "}, (("submit", "Post Comment"),)),
        ({"csrfmiddlewaretoken": "s", "_wpnonce": "s", "authenticity_token": "s", "password": "s"}, ()),
        ({"a b": "1", "": "2", "x" * 61: "3", "trap": "4", "contentguard-form": "5", "file": object()}, ()),
        ({"phone": "9" * 5000}, (("phone", "9" * 1000),)),
        ({"phone": "9\udfff"}, (("phone", "9?"),)),
    ],
)
def test_what_else_came_in_the_form(more: dict[str, object], expected: tuple[tuple[str, str], ...]) -> None:
    fields = {**GOOD, "comment": "The tide\nwas high.", **more}
    assert tuple(untold(fields, typed(fields, OPTIONS), ("trap", "contentguard-form"))) == expected


def test_what_else_came_is_bounded() -> None:
    fields: dict[str, object] = {**GOOD, **{f"field{number}": "x" * 9000 for number in range(500)}}
    assert len(found := tuple(untold(fields, typed(fields, OPTIONS), ()))) == MOST_FIELDS - len(GOOD)
    assert {len(value) for _, value in found} == {1000}


def test_an_author_is_no_secret() -> None:
    assert not any(map(SECRET.search, ("author", "comment_author", "author_email", "comment", "url", "user-agent")))
    assert all(
        map(SECRET.search, ("authorization", "Proxy-Authorization", "x-auth", "authors_token", "auth", "X-Nonce"))
    )


def test_the_longest_that_is_right() -> None:
    longest = {"comment": "x" * 65_525, "author": "x" * 245, "email": "x" * 60 + "@" + "y" * 35 + ".org"}
    longest["url"] = "https://example.org/" + "x" * 180
    told = typed(longest, OPTIONS)
    assert told.errors == {}
    assert (len(told.text), len(told.author), len(told.email), len(told.url)) == (65_525, 245, 100, 200)


def test_what_is_no_text_is_as_if_it_was_empty() -> None:
    assert typed({"comment": object(), "author": None, "email": 3}, OPTIONS).errors.keys() == {
        "comment",
        "author",
        "email",
    }
    assert typed({}, CommentOptions(require_name_email=False)).errors.keys() == {"comment"}
    told = typed({"comment": "x"}, CommentOptions(require_name_email=False))
    assert (told.author, told.email, told.errors) == ("Anonymous", "", {})


@given(st.dictionaries(st.sampled_from(["comment", "author", "email", "url"]), st.text()))
def test_whatever_is_typed_is_told_of(fields: dict[str, str]) -> None:
    told = typed(fields, OPTIONS)
    assert set(told.errors) <= {"comment", "author", "email", "url"}
    assert told.text or "comment" in told.errors
    if not told.errors:
        assert is_email(told.email)
        assert not told.url or is_site(told.url)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("ann@example.org", True),
        ("ann+tide@news.example.org", True),
        ("änne@exämple.org", True),
        ("o'brien@example.org", True),
        ("ann@localhost", False),
        ("@example.org", False),
        ("ann@", False),
        ("ann", False),
        ("a@b@example.org", False),
        ("ann @example.org", False),
        ("ann@-example.org", False),
        ("ann@example-.org", False),
        ("ann@example..org", False),
        ("ann@exa_mple.org", False),
        ("<ann@example.org", False),
        ("a" * 65 + "@example.org", False),
    ],
)
def test_what_can_be_an_email_address(text: str, right: bool) -> None:
    assert is_email(text) is right


@pytest.mark.parametrize(
    ("url", "right"),
    [
        ("https://example.org", True),
        ("http://example.org:8080/a?b#c", True),
        ("https://exämple.org", True),
        ("ftp://example.org", False),
        ("https://localhost", False),
        ("https://a@example.org", False),
        ("https://[::1", False),
        ("https://example.org/<b>", False),
        ("https://example.org\\@evil.example", False),
    ],
)
def test_what_can_be_a_site(url: str, right: bool) -> None:
    assert is_site(url) is right


@given(st.dictionaries(st.text(min_size=1), st.text(), max_size=10))
def test_forms_are_read_as_the_standard_library_reads_them(fields: dict[str, str]) -> None:
    body = urlencode(fields, errors="replace").encode()
    assert parsed(body) == dict(parse_qsl(body.decode(), keep_blank_values=True))


@given(st.binary())
def test_whatever_is_posted_is_a_form_or_none(body: bytes) -> None:
    found = parsed(body)
    assert found is None or len(found) <= MOST_FIELDS


def test_of_one_name_the_first_counts() -> None:
    assert parsed(b"a=1&a=2&&b&c=%zz+%C3") == {"a": "1", "b": "", "c": "%zz \ufffd"}


def test_cve_2026_54283_limits_hold_for_urlencoded_forms() -> None:
    """Starlette before 1.3.1 had limits on fields and sizes for multipart forms alone."""
    assert parsed(b"&".join([b"a=1"] * MOST_FIELDS)) == {"a": "1"}
    assert parsed(b"&".join([b"a=1"] * (MOST_FIELDS + 1))) is None
    assert parsed(b"a=" + b"x" * (MOST_BODY - 2)) == {"a": "x" * (MOST_BODY - 2)}
    assert parsed(b"a=" + b"x" * (MOST_BODY - 1)) is None
    assert parsed(b"&" * 10**6) is None
