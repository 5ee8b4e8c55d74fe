"""Headers as people save them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.cli.headers import path_of, read_headers

CURL = """\
*   Trying 127.0.0.1:8000...
* Connected to news.example (127.0.0.1) port 8000
> GET /news/a?x=1 HTTP/1.1
> Host: news.example
> User-Agent: curl/8.5.0
> Accept: */*
>
{ [5 bytes data]
< HTTP/1.1 302 Found
< location: https://news.example/b
<
> GET /b HTTP/1.1
> Host: news.example
"""
FIREFOX = """\
GET /news/a HTTP/2
Host: news.example
User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0
Accept: text/html
Accept-Language: en
"""
CHROMIUM_RAW = """\
:authority: news.example
:method: GET
:path: /news/a
:scheme: https
accept: text/html
referer: https://news.example/
"""
CHROMIUM_COPIED = """\
:authority
news.example
:method
GET
:path
/news/a
:scheme
https
accept
text/html
referer
https://news.example/
"""


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_curl(ending: str) -> None:
    saved = read_headers(CURL.replace("\n", ending))
    assert (saved.method, saved.target, saved.http_version) == ("GET", "/news/a?x=1", "1.1")
    assert saved.headers == (("host", "news.example"), ("user-agent", "curl/8.5.0"), ("accept", "*/*"))


def test_firefox() -> None:
    saved = read_headers(FIREFOX)
    assert (saved.method, saved.target, saved.http_version) == ("GET", "/news/a", "2")
    assert [name for name, _ in saved.headers] == ["host", "user-agent", "accept", "accept-language"]


@pytest.mark.parametrize("text", [CHROMIUM_RAW, CHROMIUM_COPIED, CHROMIUM_COPIED.replace("accept\n", "accept:\n")])
def test_chromium(text: str) -> None:
    saved = read_headers(text)
    assert (saved.method, saved.target, saved.http_version, saved.scheme) == ("GET", "/news/a", "2", "https")
    assert saved.headers == (
        ("host", "news.example"), ("accept", "text/html"), ("referer", "https://news.example/")
    )  # fmt: skip


def test_headers_alone_with_and_without_a_space_and_an_empty_one() -> None:
    saved = read_headers("\ufeff\nX-Empty:\nAccept: text/html\nReferer:https://x.example/\n\nIgnored: yes\n")
    assert saved.headers == (("x-empty", ""), ("accept", "text/html"), ("referer", "https://x.example/"))
    assert (saved.method, saved.target) == ("GET", "/")


@pytest.mark.parametrize("text", ["", "\n\n", "<html>", "no header here", "Accept: x\n<p>"])
def test_what_holds_no_headers(text: str) -> None:
    with pytest.raises(ValueError, match="header"):
        read_headers(text)


@given(st.text() | st.text(st.sampled_from("> :aG/\nHTP1.\r "), max_size=60))
def test_any_text_is_headers_or_an_error(text: str) -> None:
    try:
        saved = read_headers(text)
    except ValueError:
        return
    assert all(name == name.lower() and not name.startswith(":") for name, _ in saved.headers)
    assert all("\n" not in value for _, value in saved.headers)


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/a%20b/%C3%A9?x=1#y", "/a b/é"),
        ("https://news.example/a?b", "/a"),
        ("https://news.example", "/"),
        ("http://[", "/"),
        ("*", "*"),
        ("/a?u=http://x/", "/a"),
        ("/%ff", "/\ufffd"),
    ],
)
def test_paths_are_what_an_application_sees(target: str, path: str) -> None:
    assert path_of(target) == path
