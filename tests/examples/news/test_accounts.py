"""Sign-in, signed cookies and posted forms: what is ours is believed, and nothing else."""

from __future__ import annotations

import asyncio
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from examples.news.accounts import DETAILS, SESSION, Attempts, Cookies, Details, hashed, matches
from examples.news.forms import posted, single

COOKIES = Cookies("a secret of this test", secure=False)


def with_cookie(name: str, value: str) -> Request:
    return Request({"type": "http", "headers": [(b"cookie", f"{name}={value}".encode("latin-1"))]})


def given_cookie(response: Response) -> tuple[str, str, str]:
    name, _, rest = response.headers["set-cookie"].partition("=")
    value, _, attributes = rest.partition(";")
    return name, value.strip('"'), attributes


def test_a_password_is_kept_as_its_hash_and_found_right_or_wrong() -> None:
    kept = hashed("eelgrass and swifts")
    assert "eelgrass" not in kept
    assert kept != hashed("eelgrass and swifts"), "each with a salt of its own"
    assert matches("eelgrass and swifts", kept)
    assert not matches("eelgrass and swift", kept)


def test_who_signs_in_is_known_again() -> None:
    response = Response()
    COOKIES.sign_in(response, "ada")
    name, value, attributes = given_cookie(response)
    assert name == SESSION
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {part.strip() for part in attributes.split(";")}
    editor = COOKIES.editor(with_cookie(name, value))
    assert editor is not None
    assert editor.name == "ada"
    other = Response()
    COOKIES.sign_in(other, "ada")
    assert COOKIES.editor(with_cookie(SESSION, given_cookie(other)[1])) != editor, "each session has a token of its own"


@pytest.mark.parametrize("value", ["", "x", "a.b.c", "W10.x.y", "e" * 5000])
def test_no_other_cookie_signs_anybody_in(value: str) -> None:
    assert COOKIES.editor(with_cookie(SESSION, value)) is None
    assert COOKIES.details(with_cookie(DETAILS, value)) is None


def test_a_cookie_of_one_kind_is_void_as_another_and_under_another_key() -> None:
    response = Response()
    COOKIES.remember(response, Details("ada", "x", "y"))
    _, value, _ = given_cookie(response)
    assert COOKIES.details(with_cookie(DETAILS, value)) == Details("ada", "x", "y")
    assert COOKIES.editor(with_cookie(SESSION, value)) is None
    assert Cookies("another secret", secure=False).details(with_cookie(DETAILS, value)) is None


def test_over_https_cookies_travel_by_https_alone() -> None:
    response = Response()
    Cookies("secret", secure=True).sign_in(response, "ada")
    assert "Secure" in response.headers["set-cookie"]


def test_marks_are_for_one_purpose_and_one_value() -> None:
    mark = COOKIES.mark("waiting", "7")
    assert COOKIES.is_marked("waiting", "7", mark)
    assert not COOKIES.is_marked("waiting", "8", mark)
    assert not COOKIES.is_marked("form", "7", mark)
    assert not COOKIES.is_marked("waiting", "7", "ü")


def test_eight_failures_are_the_most_in_a_quarter_of_an_hour() -> None:
    attempts = Attempts()
    for second in range(8):
        assert attempts.may_try("a", float(second))
        attempts.tried("a", float(second))
    assert not attempts.may_try("a", 8.0)
    assert attempts.may_try("b", 8.0)
    assert attempts.may_try("a", 901.0)
    attempts.succeeded("a", 7.0)
    attempts.succeeded("nobody", 7.0)
    assert attempts.may_try("a", 8.0), "who comes in has not failed"


def read(body: bytes, kind: str = "application/x-www-form-urlencoded", size: int = 100_000) -> list[tuple[str, str]]:
    chunks = [body[at : at + size] for at in range(0, len(body), size)] or [b""]

    async def receive() -> Message:
        chunk = chunks.pop(0)
        return {"type": "http.request", "body": chunk, "more_body": bool(chunks)}

    headers = [(b"content-type", kind.encode())]
    return asyncio.run(posted(Request({"type": "http", "method": "POST", "headers": headers}, receive)))


def test_a_form_is_read_in_its_order() -> None:
    assert read(b"comment=1&comment=2&text=a+b%0D%0Ac") == [("comment", "1"), ("comment", "2"), ("text", "a b\r\nc")]
    assert single([("a", "1"), ("a", "2")]) == {"a": "1"}
    assert read(b"a=1;b=2", "application/x-www-form-urlencoded; charset=utf-8") == [("a", "1;b=2")]
    assert read(b"a=%FF") == [("a", "\ufffd")]


def test_the_longest_comment_fits_in_its_longest_spelling() -> None:
    text = "\U0001f600" * 65_525
    assert read(f"comment={quote(text)}".encode()) == [("comment", text)]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"a=1", "multipart/form-data; boundary=x", 415),
        (b"a=1", "", 415),
        (b"a=" + b"x" * 900_000, "application/x-www-form-urlencoded", 413),
        (b"a=1&" * 2000, "application/x-www-form-urlencoded", 400),
        (b"a=\xff", "application/x-www-form-urlencoded", 400),
    ],
)
def test_cve_2026_54283_a_form_has_limits(body: bytes, kind: str, status: int) -> None:
    with pytest.raises(HTTPException) as refused:
        read(body, kind)
    assert refused.value.status_code == status


@given(st.lists(st.tuples(st.text(), st.text()), max_size=20))
def test_every_form_comes_back_as_it_was_sent(fields: list[tuple[str, str]]) -> None:
    kept = [(name, value) for name, value in fields if not _lone(name + value)]
    assert read(urlencode(kept).encode(), size=7) == kept


def _lone(text: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in text)
