"""Requests as people save them: what ``explain --header-file`` makes of real files, and of any."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.cli import main
from contentguard.cli.copied import is_command, read_command
from contentguard.cli.har import is_archive, read_archive
from contentguard.cli.headers import Saved

SAVED = Path(__file__).parents[1] / "data" / "saved"
PATH = "/news/eelgrass-meadow"
FILES = sorted(path.name for path in SAVED.iterdir() if path.suffix in (".har", ".curl"))


def explained(name: str, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    assert main(["explain", "--header-file", str(SAVED / name), *more]) == 0
    return capsys.readouterr().out


def test_the_samples_are_there() -> None:
    assert len(FILES) == 7


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_held_against_a_real_browser(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = explained(name, capsys)
    assert "No signal was noticed" in told
    assert told.startswith(f"GET {PATH} by" if "post" not in name else "POST /.contentguard/report by")
    # Firefox keeps the order in its archives, and only there is Host in its place.
    assert ("not as its client sent it" in told) is (name != "firefox.har")


def test_curl_is_known_by_what_it_says_of_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert "curl (tool)" in explained("curl-v.txt", capsys)


def test_the_same_request_is_read_from_every_form() -> None:
    found = [read(SAVED / name) for name in FILES if name.startswith("chromium") and "post" not in name]
    assert len(found) == 3
    assert len({(one.method, one.target, one.scheme, tuple(sorted(one.headers))) for one in found}) == 1
    assert dict(found[0].headers)["sec-ch-ua"] == '"Not:A-Brand";v="8", "Chromium";v="156"'


def read(path: Path) -> Saved:
    text = path.read_text("utf-8")
    return read_archive(text) if is_archive(text) else read_command(text)


# -- curl ------------------------------------------------------------------------------------------------------


def test_a_typed_command_is_one_of_curl() -> None:
    saved = read_command("$ curl -sSL --max-time 5 -XPUT -d a=b 'news.example:81/a?b' -o /dev/null")
    assert (saved.method, saved.target, saved.scheme) == ("PUT", "/a?b", "http")
    assert saved.headers == (("host", "news.example:81"), ("user-agent", "curl"), ("accept", "*/*"))


@pytest.mark.parametrize(
    ("options", "headers"),
    [
        ("-A x -e https://a/ -b c=d", {"user-agent": "x", "referer": "https://a/", "cookie": "c=d"}),
        ("-A x -b jar.txt", {"user-agent": "x"}),
        ("-H 'User-Agent: x' -H Empty\\; -H 'Accept:' -H @file", {"user-agent": "x", "empty": ""}),
        ('-H "user-agent: \\"x\\" \\$"', {"user-agent": '"x" $'}),
        (r"-H $'user-agent: it\'s \u0021\x21\41\t.'", {"user-agent": "it's !!!\t."}),
        ("-H 'user-agent: x' -H 'Host: b.example'", {"user-agent": "x", "host": "b.example"}),
        ("--compressed -A x -H 'accept-encoding: gzip'", {"user-agent": "x", "accept-encoding": "gzip"}),
    ],
)
def test_how_headers_are_given(options: str, headers: dict[str, str]) -> None:
    saved = read_command(f"curl {options} https://u:p@news.example")
    assert dict(saved.headers) == {"host": "news.example", "accept-encoding": "gzip, deflate, br, zstd"} | headers
    assert not saved.as_sent


@pytest.mark.parametrize(
    ("options", "method"),
    [("", "GET"), ("-I", "HEAD"), ("--data-raw x", "POST"), ("-G -d x", "GET"), ("-F a=b", "POST"), ("-X put", "PUT")],
)
def test_methods(options: str, method: str) -> None:
    assert read_command(f"curl \\\n {options} --url https://news.example/").method == method


@pytest.mark.parametrize(
    ("text", "message"),
    [("curl -I ", "names no URL"), ("curl 'https://x", "quote that does not end"), ("curl http://[", "Invalid IPv6")],
)
def test_commands_that_are_none(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_command(text)


@pytest.mark.parametrize("address", ["://", "https://", "http:///path", "https://[::1"])
def test_an_address_has_a_host(address: str) -> None:
    with pytest.raises(ValueError, match=r"names no host|Invalid IPv6"):
        read_command(f"curl {address}")


@given(st.text() | st.text(st.sampled_from("-HXbAed '\"$\\^\nax:;/="), max_size=60))
def test_any_command_is_a_request_or_an_error(text: str) -> None:
    command = "curl " + text
    assert is_command(command)
    try:
        saved = read_command(command)
    except ValueError:
        return
    assert all(name == name.lower() for name, _ in saved.headers)
    assert saved.target.startswith("/")


# -- HAR -------------------------------------------------------------------------------------------------------


def archive(*requests: dict[str, object]) -> str:
    return "\ufeff" + json.dumps({"log": {"entries": [{"request": request} for request in requests]}})


def test_a_request_is_found_by_its_path(capsys: pytest.CaptureFixture[str]) -> None:
    assert explained("chromium.har", capsys, "--path", "/static/style.css").startswith("GET /static/style.css by")
    assert main(["explain", "--header-file", str(SAVED / "chromium.har"), "--path", "/nowhere"]) == 2
    assert "no request for '/nowhere'" in capsys.readouterr().err


def test_http2_and_no_page() -> None:
    pairs = [(":method", "GET"), (":path", "/a?b"), (":scheme", "https"), (":authority", "x.example"), ("b", "1")]
    headers = [{"name": name, "value": value} for name, value in [*pairs, ("a", "2")]]
    saved = read_archive(archive({"url": "https://x.example/a?b", "httpVersion": "http/2.0", "headers": headers}))
    assert saved == ("GET", "/a?b", "2", "https", (("host", "x.example"), ("b", "1"), ("a", "2")), True)


def test_what_is_not_told_is_what_is_usual() -> None:
    saved = read_archive(archive({"url": "http://x.example", "httpVersion": "unknown", "headers": []}))
    assert saved == ("GET", "/", "1.1", "http", (("host", "x.example"),), False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "no whole HAR file"),
        ("{}", "log.entries"),
        ('{"log": {"entries": [7]}}', "log.entries"),
        ('{"log": {"entries": [{"request": {"url": "x"}}]}}', "log.entries"),
        ('{"log": {"entries": []}}', "without a request"),
        ('{"log":' * 100_000, "HAR file"),
    ],
)
def test_archives_that_are_none(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_archive(text)


_JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["url", "headers", "x"]), inner),
    max_leaves=8,
)


@given(_JSON, st.text(max_size=9))
def test_any_archive_is_a_request_or_an_error(request: object, path: str) -> None:
    try:
        saved = read_archive(json.dumps({"log": {"entries": [{"request": request}]}}), path)
    except ValueError:
        return
    assert saved.target
