"""The ticket as text: what is written is read back and nothing else is; good here, now, once, and for this article."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from hashlib import blake2b
from struct import Struct
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contentguard.admission import passes, tickets
from contentguard.admission.difficulty import NO_WORK, STEPS, Algorithm, Difficulty, sound
from contentguard.admission.tickets import (
    MOST_PATH,
    Kind,
    Ticket,
    Trouble,
    article_tag,
    check,
    is_own_path,
    moved,
    read,
    worth,
    write,
)
from contentguard.sealed import LONGEST, SEAL

KEY, OTHER = bytes(32), bytes(range(32))
NOW = 1_800_000_000.0
CHROME, FIREFOX = passes.short("chrome linux"), passes.short("firefox linux")
HOME, MOBILE = passes.short("192.0.2.0/24"), passes.short("198.51.100.0/24")


def ticket(**changes: Any) -> Ticket:
    one = Ticket(
        kind=Kind.PROOF,
        level=2,
        difficulty=STEPS[Algorithm.PBKDF2][0],
        id="0123456789abcdef",
        not_before=int(NOW * 1000),
        expires=int(NOW * 1000) + 600_000,
        article=article_tag(KEY, "/news/tide"),
        agent=CHROME,
        prefix=HOME,
        path="/news/tide?page=2",
    )
    return one._replace(**changes)


def bytes_of(size: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=size, max_size=size)


paths = st.text(max_size=200).map(lambda rest: "/" + rest).filter(is_own_path)
work = st.builds(
    Difficulty,
    st.sampled_from([Algorithm.PBKDF2, Algorithm.SHA256, Algorithm.SCRYPT]),
    st.sampled_from([1, 500, 1024, 5000]),
    st.integers(1, 64),
    st.integers(1, 24),
).filter(sound)
written = st.builds(
    lambda one, times: one._replace(not_before=min(times), expires=max(times) + 1),
    st.builds(
        lambda asked, *rest: Ticket(Kind.PROOF if asked != NO_WORK else Kind.WAIT, rest[0], asked, *rest[1:]),
        st.just(NO_WORK) | work,
        st.integers(1, 255),
        bytes_of(8).map(bytes.hex),
        st.just(0),
        st.just(1),
        bytes_of(16),
        bytes_of(4),
        bytes_of(4),
        paths,
    ),
    st.tuples(st.integers(0, 2**63), st.integers(0, 2**63)),
)


def signed(body: bytes, key: bytes = KEY, person: bytes = b"cg-ticket") -> bytes:
    """Any body with the MAC that it would have, put together from the format alone."""
    mac = blake2b(len(body).to_bytes(2, "big") + body, digest_size=18, key=key, person=person).digest()
    return urlsafe_b64encode(mac + body).rstrip(b"=")


def body_of(text: str) -> bytearray:
    return bytearray(urlsafe_b64decode(text + "=" * (-len(text) % 4))[18:])


# -- the codec -------------------------------------------------------------------------------------------------


@given(written, bytes_of(32))
@example(ticket(path="/"), KEY)
@example(ticket(path="/" + "é" * 511 + "e"), KEY)
def test_what_is_written_is_read_back(one: Ticket, key: bytes) -> None:
    text = write(key, one)
    assert re.fullmatch(r"[A-Za-z0-9_-]{104,1468}", text)
    assert read([key], text.encode()) == one
    assert read([OTHER, key], text.encode()) == one
    assert signed(bytes(body_of(text)), key) == text.encode()


def test_the_format_is_the_one_that_is_documented() -> None:
    text = write(KEY, ticket())
    fields = Struct(">BBBBBBBH8sQQ16s4s4sH").unpack_from(body := body_of(text))
    start = int(NOW * 1000)
    assert fields[0] == 1
    assert fields[2:8] == (1, 2, 1, 16, 5, 500)
    assert fields[8:11] == (bytes.fromhex("0123456789abcdef"), start, start + 600_000)
    assert fields[11:14] == (article_tag(KEY, "/news/tide"), CHROME, HOME)
    assert bytes(body[59:]) == b"/news/tide?page=2"
    assert fields[14] == 17
    mac = blake2b(bytes((0, len(body))) + body, digest_size=18, key=KEY, person=b"cg-ticket").digest()
    assert text[:SEAL].encode() == urlsafe_b64encode(mac)


TEXT = write(KEY, ticket())
RAW = urlsafe_b64decode(TEXT + "=" * (-len(TEXT) % 4))


def test_no_bit_can_be_changed() -> None:
    for bit in range(len(RAW) * 8):
        changed = bytearray(RAW)
        changed[bit // 8] ^= 1 << bit % 8
        assert read([KEY], urlsafe_b64encode(changed).rstrip(b"=")) is None


@given(written)
def test_another_key_reads_nothing(one: Ticket) -> None:
    assert read([OTHER], write(KEY, one).encode()) is None
    assert read([], write(KEY, one).encode()) is None


@given(st.binary(max_size=2000) | st.text("AZaz09-_", min_size=100, max_size=200).map(str.encode))
def test_anything_else_is_no_ticket(text: bytes) -> None:
    assert read([KEY], text) is None


@pytest.mark.parametrize("path", ["/", "/a", "/ab", "/abc"])
def test_one_ticket_has_one_spelling(path: str) -> None:
    text = write(KEY, ticket(path=path)).encode()
    for more in (b"=", b"==", b"\n", b" ", b"A", b"AA", b"!", b"\0", b"%3D"):
        assert read([KEY], text + more) is None
        assert read([KEY], more + text) is None
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    read_back = [read([KEY], text[:-1] + bytes((last,))) for last in letters]
    assert [one for one in read_back if one is not None] == [ticket(path=path)]
    assert all(read([KEY], text[:size]) is None for size in range(len(text)))


@given(written, written, st.integers(0, 1101), st.integers(0, 1101))
def test_two_tickets_cannot_be_spliced(one: Ticket, other: Ticket, at: int, resume: int) -> None:
    """ALTCHA CVE-2025-68113, in general: no part of one fits into another."""
    texts = write(KEY, one).encode(), write(KEY, other).encode()
    spliced = texts[0][:at] + texts[1][resume:]
    assert read([KEY], spliced) in ((one, other) if spliced in texts else (None,))


def test_cve_2025_68113_no_digits_move_from_one_field_to_another() -> None:
    """ALTCHA's MAC covered fields without their borders: a salt's digits became a later expiry under the same MAC."""
    one = ticket(not_before=0x01, expires=0x0101)
    other = ticket(not_before=0x0101, expires=0x010101)
    assert write(KEY, one)[:SEAL] != write(KEY, other)[:SEAL]
    short, long = ticket(path="/ab"), ticket(path="/a")
    assert body_of(write(KEY, short))[57:59] != body_of(write(KEY, long))[57:59]


@pytest.mark.parametrize(
    ("at", "value"),
    [
        *[(0, 0), (0, 2), (2, 0), (2, 3), (2, 2), (3, 0), (4, 0), (4, 4), (5, 0), (5, 65), (6, 0), (6, 25), (7, 255)],
        *[(17, 255), (57, 1), (58, 16), (58, 18), (58, 0), (59, ord("x")), (60, ord("/")), (61, 9), (61, 255)],
    ],
)
def test_a_body_that_makes_no_sense_is_refused_though_its_mac_is_right(at: int, value: int) -> None:
    """What only a later version, or a fault of ours, could write."""
    body = body_of(TEXT)
    assert read([KEY], signed(bytes(body))) == ticket()
    body[at] = value
    assert read([KEY], signed(bytes(body))) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"level": 0},
        {"level": 256},
        {"difficulty": NO_WORK},
        {"kind": Kind.WAIT},
        {"difficulty": Difficulty(Algorithm.PBKDF2, 10**6, 16, 5)},
        {"id": "0123"},
        {"id": "0123456789ABCDEF"},
        {"id": "0123 5678 abcdef"},
        {"not_before": -1},
        {"expires": int(NOW * 1000)},
        {"expires": 2**64},
        {"article": bytes(15)},
        {"agent": bytes(5)},
        {"prefix": b""},
    ],
)
def test_what_makes_no_sense_is_not_written(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a ticket with "):
        write(KEY, ticket(**changes))


# -- keys ------------------------------------------------------------------------------------------------------


def test_keys_are_rotated() -> None:
    old = write(OTHER, ticket(article=article_tag(OTHER, "/news/tide")))
    keys = [KEY, OTHER]
    one = read(keys, old.encode())
    assert one is not None
    assert check(keys, one, NOW, CHROME, "/news/tide") is None, "the article's hash is the old key's too"
    assert read([KEY], old.encode()) is None


def test_two_keys_with_one_id_are_both_tried() -> None:
    names: dict[int, bytes] = {}
    for number in range(1000):
        key = number.to_bytes(32, "big")
        first = names.setdefault(body_of(write(key, ticket()))[1], key)
        if first != key:
            break
    text = write(key, ticket()).encode()
    assert read([first, key], text) == read([key, first], text) == ticket()
    assert read([first], text) is None


def test_a_pass_is_no_ticket_and_a_ticket_no_pass_though_the_key_be_the_same() -> None:
    assert read([KEY], passes.write(KEY, passes.Pass("00" * 8)).encode()) is None
    assert passes.read([KEY], TEXT[:60].encode()) is None
    assert read([KEY], signed(bytes(body_of(TEXT)), person=b"cg-pass")) is None


# -- here and now ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "agent", "article", "trouble"),
    [
        (NOW, CHROME, "/news/tide", None),
        (NOW + 600, CHROME, "/news/tide", None),
        (NOW - 0.001, CHROME, "/news/tide", Trouble.EARLY),
        (NOW + 600.002, CHROME, "/news/tide", Trouble.LATE),
        (NOW, FIREFOX, "/news/tide", Trouble.BROWSER),
        (NOW, b"", "/news/tide", Trouble.BROWSER),
        (NOW, CHROME, "/news/ebb", Trouble.ARTICLE),
        (NOW, CHROME, "\udcff", Trouble.ARTICLE),
        (NOW - 1, FIREFOX, "/news/tide", Trouble.BROWSER),
        (NOW - 1, CHROME, "/news/ebb", Trouble.ARTICLE),
        (NOW + 601, FIREFOX, "/news/ebb", Trouble.LATE),
    ],
)
def test_a_ticket_is_good_for_a_time_a_browser_and_an_article(
    now: float, agent: bytes, article: str, trouble: Trouble | None
) -> None:
    assert check([KEY], ticket(), now, agent, article) is trouble


@given(st.integers(0, 2**50), st.integers(1, 2**40), st.floats(0, 2**40))
def test_whoever_is_early_has_only_to_wait(start: int, life: int, now: float) -> None:
    one = ticket(not_before=start, expires=start + life)
    trouble = check([KEY], one, now, CHROME, "/news/tide")
    assert trouble is (Trouble.EARLY if now * 1000 < start else Trouble.LATE if now * 1000 > start + life else None)


@pytest.mark.parametrize(
    ("level", "prefix", "worth_"), [(3, HOME, 3), (3, MOBILE, 2), (2, MOBILE, 1), (1, MOBILE, 1), (1, HOME, 1)]
)
def test_another_prefix_costs_one_level_and_never_all(level: int, prefix: bytes, worth_: int) -> None:
    one = ticket(level=level)
    assert worth(one, prefix) == worth_
    assert moved(one, prefix) is (prefix == MOBILE)
    assert check([KEY], one, NOW, CHROME, "/news/tide") is None


# -- advisories ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", [4, 5, 6, 7, 8])
def test_cve_2025_24369_the_client_supplies_no_difficulty(field: int) -> None:
    """Anubis believed the client's difficulty, and believed it again after a refactoring (v1.15.0). Ours is signed:
    the algorithm, the count, the bits and the cost can only be those that were asked for."""
    body = body_of(TEXT)
    body[field] ^= 1
    forged = urlsafe_b64encode(RAW[:18] + bytes(body)).rstrip(b"=")
    assert read([KEY], forged) is None


def test_anubis_a2_the_method_is_the_ticket_s_own() -> None:
    """Anubis picked the validator by what was stored and the difficulty by what held later. A ticket that asks for
    work cannot become one that asks to wait, and neither kind can be written without its own demand."""
    body = body_of(TEXT)
    body[2:9] = bytes((Kind.WAIT, 2, 0, 0, 0, 0, 0))
    assert read([KEY], urlsafe_b64encode(RAW[:18] + bytes(body)).rstrip(b"=")) is None
    assert read([KEY], signed(bytes(body))) == ticket(kind=Kind.WAIT, difficulty=NO_WORK)


def test_anubis_double_spend_every_ticket_has_an_id_to_be_spent() -> None:
    """Anubis PR #1003: one solution bought many passes. The id is what a store spends; it cannot be changed."""
    body = body_of(TEXT)
    body[9:17] = bytes(8)
    assert read([KEY], urlsafe_b64encode(RAW[:18] + bytes(body)).rstrip(b"=")) is None


ELSEWHERE = [
    *["https://evil.example/", "http:evil.example", "//evil.example", "///evil.example", "////evil.example/%2f.."],
    *["/\\evil.example", "/\\/evil.example", "\\/evil.example", "\\\\evil.example", "/a\\..\\evil.example"],
    *["/\t/evil.example", "/\n/evil.example", "/\r/evil.example", "\t//evil.example", "/\x00/evil.example"],
    *["/\x0b/evil.example", "/\x0c/evil.example", "/\x1f/evil.example", "/\x7f", "/\x85/evil.example", "/a\x9fb"],
    *["javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "data:text/html,x", "vbscript:x"],
    *[
        "mailto:a@b",
        "evil.example",
        "@evil.example",
        ".evil.example",
        "",
        " ",
        " /",
        "?next=/",
        "#",
        "/\u2028",
        "/\u2029",
    ],
    *["/a\r\nSet-Cookie: x=y", "/a\nLocation: //evil.example", "/\ud800", "\ufeff/", "／／evil.example"],
]
"""CVE-2020-4037 and CVE-2020-11053 (oauth2-proxy), CVE-2026-83589 (``/\\``, ``/\\t``), GHSA-cf57-c578-7jvv and
GHSA-jhjj-2g64-px7c (Anubis: any scheme), and what else leads elsewhere."""


@pytest.mark.parametrize("path", ELSEWHERE)
def test_ghsa_cf57_c578_7jvv_no_ticket_leads_to_another_site(path: str) -> None:
    assert not is_own_path(path)
    with pytest.raises(ValueError, match="a return path that is not one of this site"):
        write(KEY, ticket(path=path))
    raw = path.encode("utf-8", "surrogatepass")
    body = bytes(body_of(TEXT)[:57]) + len(raw).to_bytes(2, "big") + raw
    assert read([KEY], signed(body)) is None, "nor if it were signed"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/news/tide",
        "/a?b=//c",
        "/a?next=https://evil.example/",
        "/%2f%2fevil.example",
        "/%5cevil",
        "/ж?ü=1",
        "/a b",
    ],
)
def test_paths_of_this_site_are_led_to(path: str) -> None:
    assert is_own_path(path)
    one = read([KEY], write(KEY, ticket(path=path)).encode())
    assert one is not None
    assert one.path == path


_STRIPPED = re.compile(r"[\t\n\r]")


@given(st.text(st.sampled_from("/\\.:@?#%\t\n\r\x00 aé\u2028"), max_size=12).map(lambda rest: "/" + rest))
def test_every_path_that_is_led_to_is_of_this_site_to_a_browser(path: str) -> None:
    """As a browser reads it (WHATWG URL): without tabs and line ends, a backslash being a slash."""
    if not is_own_path(path):
        return
    seen = _STRIPPED.sub("", path).strip("".join(map(chr, range(33)))).replace("\\", "/")
    assert not seen.startswith("//")
    assert urlsplit(urljoin("https://news.example/x", seen)).netloc == "news.example"


def test_a_path_has_a_length_that_it_may_not_pass() -> None:
    assert is_own_path("/" + "a" * (MOST_PATH - 1))
    assert len(write(KEY, ticket(path="/" + "a" * (MOST_PATH - 1)))) == LONGEST
    assert not is_own_path("/" + "a" * MOST_PATH)
    assert not is_own_path("/" + "é" * (MOST_PATH // 2)), "bytes, not characters"


# -- what a forgery costs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("spoil", [lambda raw: raw, lambda raw: raw[:50], lambda raw: b"\0" + raw])
def test_nothing_is_read_before_the_mac_is_right(spoil: Callable[[bytes], bytes], monkeypatch: Any) -> None:
    def parsed(_body: bytes) -> Ticket:
        raise AssertionError("read without a MAC")

    monkeypatch.setattr(tickets, "_parsed", parsed)
    forged = urlsafe_b64encode(bytes(18) + spoil(bytes(body_of(TEXT)))).rstrip(b"=")
    assert read([KEY], forged) is None
