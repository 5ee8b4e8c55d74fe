"""What the components of a message are worth (RFC 9421 §2)."""

from __future__ import annotations

import pytest

from contentguard.crawlers.fields import InnerList, parse_dictionary
from contentguard.crawlers.message import MAX_COMPONENTS, ComponentError, SignedRequest, signature_base
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
