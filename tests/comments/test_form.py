"""The form's token: bound to its article and its browser, one reading, nothing in it to be chosen; and its markup."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.comments import form as forms
from contentguard.comments.form import FIELD, Token, Trouble, again, check, issue, markup, moved, read, took, write
from contentguard.sealed import seal

KEY, OTHER = bytes(32), bytes(range(32))
NOW = 1_800_000_000.0
CHROME, FIREFOX = "chromium linux False", "firefox linux False"
CHANCE = bytes(range(12))

tokens = st.builds(
    Token,
    *[st.integers(0, 2**63 - 1)] * 3,
    st.binary(min_size=8, max_size=8),
    st.binary(min_size=4, max_size=4),
    st.integers(0, 255),
    *[st.binary(min_size=4, max_size=4)] * 2,
)


def made(now: float = NOW, life: float = 3600.0, wait: float = 1.0, chance: bytes = CHANCE) -> tuple[Token, str]:
    return issue(KEY, "/news/tide", CHROME, "192.0.2.7", now, life, wait, chance)


@given(tokens, st.text())
def test_a_token_is_read_back_for_its_article_alone(token: Token, article: str) -> None:
    text = write(KEY, token, article)
    assert re.fullmatch(r"[A-Za-z0-9_-]{88}", text)
    assert read([OTHER, KEY], text, article) == token
    assert read([OTHER], text, article) is None
    assert read([KEY], text, article + "/") is None


@given(st.text(max_size=200) | st.from_regex(r"[A-Za-z0-9_-]{80,100}", fullmatch=True))
def test_what_nobody_sealed_is_no_token(text: str) -> None:
    assert read([KEY], text, "/news/tide") is None


@given(tokens, st.data())
def test_every_changed_bit_is_noticed(token: Token, data: st.DataObject) -> None:
    raw = bytearray(urlsafe_b64decode(write(KEY, token, "/a")))
    at = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[at // 8] ^= 1 << at % 8
    assert read([KEY], urlsafe_b64encode(raw).decode(), "/a") is None


def test_a_token_of_another_purpose_is_none() -> None:
    assert read([KEY], seal(KEY, b"cg-link-shared", 1, bytes(46), b"/a"), "/a") is None
    assert read([KEY], seal(KEY, b"cg-comment-form", 1, bytes(44), b"/a"), "/a") is None, "another length"


@pytest.mark.parametrize(
    "changes", [{"shown": -1}, {"ends": 2**63}, {"nonce": b"short"}, {"presses": 256}, {"agent": b""}]
)
def test_what_no_token_can_hold(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no token can hold"):
        write(KEY, made()[0]._replace(**changes), "/a")  # type: ignore[arg-type]


def test_when_a_token_is_good() -> None:
    token, _ = made()
    assert check([KEY], token, CHROME, NOW) is None
    assert check([OTHER, KEY], token, CHROME, NOW + 3600.0) is None
    assert check([KEY], token, CHROME, NOW + 3600.1) is Trouble.LATE
    assert check([KEY], token, FIREFOX, NOW) is Trouble.BROWSER
    assert check([OTHER], token, CHROME, NOW) is Trouble.BROWSER
    assert check([KEY], token, CHROME, NOW - 59.0) is None, "another machine's clock"
    assert check([KEY], token, CHROME, NOW - 61.0) is Trouble.EARLY
    assert token.opens == token.shown + 1000
    assert took(token, NOW + 2.5) == pytest.approx(2.5)
    assert took(token, NOW - 5.0) == 0.0
    assert not moved([OTHER, KEY], token, "192.0.2.7")
    assert moved([KEY], token, "192.0.2.8")


def test_the_form_that_answers_may_be_sent_at_once() -> None:
    token, _ = made()
    fresh, text = again(KEY, token, "/news/tide", NOW + 100.0, 3600.0, bytes(12))
    assert read([KEY], text, "/news/tide") == fresh
    assert (fresh.shown, fresh.opens, fresh.presses) == (token.shown, token.shown, 1)
    assert fresh.ends == int((NOW + 3700.0) * 1000)
    assert fresh.nonce != token.nonce
    assert again(KEY, token._replace(presses=255), "/a", NOW, 1.0, bytes(12))[0].presses == 255


@given(st.binary(min_size=12, max_size=12))
def test_the_trap_s_name_follows_from_chance_and_stands_in_the_mac(chance: bytes) -> None:
    token, text = made(chance=chance)
    assert re.fullmatch(r"[a-z]+-[0-9a-f]{6}", token.honeypot)
    form = markup(token, text)
    assert (form.token, form.honeypot) == (text, token.honeypot)
    again_read = read([KEY], form.token, "/news/tide")
    assert again_read is not None
    assert again_read.honeypot == form.honeypot


class Inputs(HTMLParser):
    """The inputs of a form, each with the elements that it stands in."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[dict[str, str | None], list[str]]] = []
        self.labels: dict[str, str] = {}
        self.label = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "input":
            self.found.append((dict(attrs), [*self.open]))
        else:
            self.open.append(tag)
            self.label = str(dict(attrs).get("for", ""))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.label = ""

    def handle_data(self, data: str) -> None:
        if self.label:
            self.labels[self.label] = data


def test_the_markup_needs_no_style_and_says_nothing_of_hiding() -> None:
    form = markup(*made())
    assert "style" not in form.html
    assert " hidden" not in form.html.replace('type="hidden"', "")
    assert "class=" not in form.html
    page = Inputs()
    page.feed(form.html)
    (token, _), (trap, around) = page.found
    assert token == {"type": "hidden", "name": FIELD, "value": form.token}
    assert around == ["dialog"]
    assert trap["name"] == trap["id"] == form.honeypot
    assert (trap["type"], trap["value"], trap["tabindex"], trap["autocomplete"]) == ("text", "", "-1", "off")
    assert page.labels[form.honeypot] == "Leave this field empty"


def test_traps_have_many_names() -> None:
    names = {made(chance=bytes((0,) * 8 + (n, n, n, n)))[0].honeypot for n in range(200)}
    assert len(names) == 200
    assert {name.partition("-")[0] for name in names} == set(forms._BAITS)
