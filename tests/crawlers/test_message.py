"""What the components of a message are worth (RFC 9421 §2)."""

from __future__ import annotations

import pytest

from contentguard.crawlers.fields import FieldError, InnerList, parse_dictionary
from contentguard.crawlers.message import (
    MAX_COMPONENTS,
    ComponentError,
    SignedRequest,
    SignedResponse,
    fault_of_digest,
    joined,
    signature_base,
)
from tests.crawlers.signing import signed


@pytest.mark.parametrize(
    ("component", "value"),
    [
        ('"@method"', "GET"),
        ('"@scheme"', "https"),
        ('"@authority"', "news.example"),
        ('"@target-uri"', "https://news.example/a%2Fb?x=%20&y=a%26b&x2"),
        ('"@request-target"', "/a%2Fb?x=%20&y=a%26b&x2"),
        ('"@path"', "/a%2Fb"),
        ('"@query"', "?x=%20&y=a%26b&x2"),
        ('"@query-param";name="y"', "a%26b"),
        ('"@query-param";name="x"', "%20"),
        ('"@query-param";name="x2"', ""),
        ('"list"', "a, b,  c"),
        ('"dict";key="b"', '("x";y 1);z'),
        ('"dict";sf', 'a=1, b=("x";y 1);z, c;d'),
        ('"item";sf', '"x";a=?0'),
        ('"folded"', "a b"),
    ],
)
def test_component_values(component: str, value: str) -> None:
    """RFC 9421 §2: what each component means."""
    headers = (
        (b"list", b" a, b, "),
        (b"list", b" c\t"),
        (b"dict", b'a=1,b=( "x";y  1 );z'),
        (b"dict", b"c;d"),
        (b"item", b'"x";  a=?0 '),
        (b"folded", b"a\r\n b"),
    )
    if component == '"list"':
        value = "a, b,, c"
    request = SignedRequest("GET", "HTTPS", "News.Example:443", "/a%2Fb?x=%20&y=a%26b&x2", headers)
    covered = parse_dictionary(f"sig=({component})")["sig"]
    assert isinstance(covered, InnerList)
    assert signature_base(request, covered).decode().partition("\n")[0] == f"{component}: {value}"


def test_a_signature_covers_only_so_much() -> None:
    names = " ".join(f'"x{number}"' for number in range(MAX_COMPONENTS + 1))
    covered = parse_dictionary(f"sig=({names})")["sig"]
    assert isinstance(covered, InnerList)
    with pytest.raises(ComponentError, match="too-many"):
        signature_base(signed(), covered)


def test_a_header_cannot_begin_a_line_of_its_own() -> None:
    covered = parse_dictionary('sig=("x")')["sig"]
    assert isinstance(covered, InnerList)
    with pytest.raises(ComponentError, match="unreadable"):
        signature_base(signed((b"x", "é".encode())), covered)
    assert signature_base(signed((b"x", b'a\n"@method": GET')), covered).count(b"\n") == 1


@pytest.mark.parametrize(
    "component",
    [
        *(
            "1",
            ":aGk=:",
            '"@status"',
            '"@method";x',
            '"x";sf=?0',
            '"broken";sf',
            '"broken";key="a"',
            '"@query-param"',
        ),
        *('"@query-param";name="twice"', '"@query-param";name="none"', '"@query-param";name="a";x', '"x";tr', '"x";bs'),
    ],
)
def test_components_that_cannot_be_had(component: str) -> None:
    headers = ((b"x", b"a=1"), (b"broken", b"a=(("))
    request = SignedRequest("GET", "https", "news.example", "/?twice=1&twice=2", headers)
    covered = parse_dictionary(f"sig=({component})")["sig"]
    assert isinstance(covered, InnerList)
    with pytest.raises(ComponentError, match=r"component"):
        signature_base(request, covered)


@pytest.mark.parametrize(
    ("component", "value"), [('"@status"', "200"), ('"x"', "1"), ('"@authority";req', "example.com")]
)
def test_responses(component: str, value: str) -> None:
    covered = parse_dictionary(f"sig=({component})")["sig"]
    assert isinstance(covered, InnerList)
    base = signature_base(SignedResponse(200, ((b"x", b"1"),), signed()), covered)
    assert base.decode().partition("\n")[0] == f"{component}: {value}"


def test_a_response_has_no_method_of_its_own() -> None:
    covered = parse_dictionary('sig=("@method")')["sig"]
    assert isinstance(covered, InnerList)
    with pytest.raises(ComponentError, match="unsupported"):
        signature_base(SignedResponse(200, (), signed()), covered)


@pytest.mark.parametrize(
    ("digest", "agrees"),
    [
        ("sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:", True),
        ("sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:, md5=:AAAA:", True),
        ("sha-256=:AAAA:", False),
        ("md5=:AAAA:", False),
        ("sha-256=(1)", False),
        ("((", False),
        ("", False),
    ],
)
def test_digests(digest: str, agrees: bool) -> None:
    """RFC 9530: of the digests that we know, all have to agree, and there has to be one."""
    covered = parse_dictionary('sig=("content-digest")')["sig"]
    assert isinstance(covered, InnerList)
    headers = ((b"content-digest", digest.encode()),)
    assert (fault_of_digest(covered, headers, b"hello") == "") is agrees
    assert fault_of_digest(covered, headers, None) == ""
    other = parse_dictionary('sig=("date")')["sig"]
    assert isinstance(other, InnerList)
    assert fault_of_digest(other, headers, b"hello") == ""


@pytest.mark.parametrize("name", ["long", "latin"])
def test_a_field_that_is_too_long_or_not_ascii_is_none(name: str) -> None:
    headers = ((b"long", b"a" * 5000), (b"long", b"a" * 5000), (b"latin", b"\xe9"))
    with pytest.raises(FieldError, match=name):
        joined(headers, name)
