"""ETag, Last-Modified and conditional requests: a reader's copy is validated by the app, without either knowing of us.

A guarded page leaves with a weak tag that holds the app's own validator and what shaped the page. When it comes back,
the app sees its own validator; when the guard has other settings by then, the app sees none and answers anew.
"""

from __future__ import annotations

import asyncio
import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.staticfiles import StaticFiles

from contentguard import ContentGuardMiddleware
from tests.client import ARTICLE, ASGI, CHROME, CURL, FACEBOOK, PARAGRAPH, drive, http_scope
from tests.client import settings as make_settings

Message = dict[str, Any]
Pairs = list[tuple[bytes, bytes]]

PAGE = ARTICLE.encode()
BOX = b"Share your love"
LEAK = PARAGRAPH[:40].encode()
DATE = b"Tue, 01 Sep 2026 10:00:00 GMT"
LATER = b"Wed, 02 Sep 2026 10:00:00 GMT"
NOW = 1_790_000_000.0
OURS = re.compile(rb'W/"[\x21\x23-\x7e\x80-\xff]*"')
"""A weak entity tag (RFC 9110, 8.8.3)."""
TAG = re.compile(rb'(?:W/)?"[^"]*"')


@dataclass
class Origin:
    """An app with validators of its own, which answers conditional requests and remembers what it was asked."""

    etag: bytes | None = None
    modified: bytes | None = None
    content: bytes = PAGE
    content_type: bytes = b"text/html; charset=utf-8"
    others: Pairs = field(default_factory=list)
    on_304: Pairs | None = None
    """The headers of its 304; the validators, where None."""
    chunk: int = 1 << 20
    asked: list[Pairs] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(list(scope["headers"]))
        own = [(b"etag", self.etag), (b"last-modified", self.modified)]
        validators = [(name, value) for name, value in own if value is not None]
        if self.fresh():
            headers = validators if self.on_304 is None else self.on_304
            await send({"type": "http.response.start", "status": 304, "headers": [*headers, *self.others]})
            await send({"type": "http.response.body", "body": b""})
            return
        headers = [(b"content-type", self.content_type), *validators, *self.others]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        parts = [self.content[at : at + self.chunk] for at in range(0, len(self.content), self.chunk)]
        for number, part in enumerate(parts, 1):
            await send({"type": "http.response.body", "body": part, "more_body": number < len(parts)})

    def fresh(self) -> bool:
        """RFC 9110, 13.2.2: If-None-Match goes first; If-Modified-Since counts only without it."""
        tags = self.seen(b"if-none-match")
        if tags:
            known = [tag.removeprefix(b"W/") for tag in TAG.findall(b", ".join(tags))]
            return b"*" in tags or (self.etag is not None and self.etag.removeprefix(b"W/") in known)
        return self.modified is not None and self.seen(b"if-modified-since") == [self.modified]

    def seen(self, name: bytes) -> list[bytes]:
        """The values of a header of the last request."""
        return [value for key, value in self.asked[-1] if key.lower() == name]


def guard(app: ASGI, **overrides: Any) -> ContentGuardMiddleware:
    return ContentGuardMiddleware(app, settings=make_settings(**overrides), clock=lambda: NOW)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: httpx.Headers
    body: bytes
    etag: bytes | None


def ask(app: ASGI, request: Mapping[str, str] = CHROME, *more: tuple[bytes, bytes], **scope: Any) -> Reply:
    """One request, with ``more`` header lines as raw bytes."""
    made = http_scope(headers=request, asgi={"version": "3.0", "spec_version": "2.4"}, **scope)
    made["headers"] += more
    first, *rest = asyncio.run(drive(app, made))
    assert first["type"] == "http.response.start"
    assert [m.get("more_body", False) for m in rest][-1:] == [False]
    tags = [value for name, value in first["headers"] if name.lower() == b"etag"]
    assert len(tags) <= 1
    content = b"".join(m["body"] for m in rest)
    return Reply(first["status"], httpx.Headers(first["headers"]), content, tags[0] if tags else None)


def tag_of(app: ASGI, **scope: Any) -> bytes:
    """The tag of the page as this app guards it."""
    whole = ask(app, **scope)
    assert whole.status == 200
    assert whole.etag is not None
    assert OURS.fullmatch(whole.etag)
    return whole.etag


def known(tag: bytes) -> tuple[bytes, bytes]:
    return (b"if-none-match", tag)


ETAGS = [
    b'"v1"',
    b'W/"v1"',
    b'""',
    b'"a,b"',
    b'"a-b.c_d~e"',
    b'"W/"',
    b'"-----"',
    b'"caf\xe9\xff"',
    b'"{\\x}!#$%&*+/:<=>?@^`|"',
    b'"' + b"0123456789abcdef" * 16 + b'"',
]


class TestTheTag:
    @pytest.mark.parametrize("etag", ETAGS)
    def test_a_weak_one_of_our_own_takes_the_place_of_the_app_s(self, etag: bytes) -> None:
        whole = ask(guard(Origin(etag, DATE)))
        assert BOX in whole.body
        assert whole.etag is not None
        assert OURS.fullmatch(whole.etag)
        assert whole.etag != etag
        assert "last-modified" not in whole.headers

    def test_the_same_for_the_same_reader_asking_twice(self) -> None:
        app = guard(Origin(b'"v1"'))
        assert tag_of(app) == tag_of(app)

    def test_the_same_in_another_process(self) -> None:
        """One reader's requests are answered by whichever worker is free."""
        assert tag_of(guard(Origin(b'"v1"'))) == tag_of(guard(Origin(b'"v1"')))

    def test_another_tag_of_the_app_gives_another_one(self) -> None:
        tags = {tag_of(guard(Origin(etag))) for etag in ETAGS}
        assert len(tags) == len(ETAGS)

    def test_other_settings_give_another_one(self) -> None:
        """Whatever shapes the page; the app's tag says nothing of it."""
        shapes: list[dict[str, Any]] = [
            {},
            {"share": {"enabled": False}},
            {"share": {"targets": ["facebook"]}},
            {"copying": {"policy": "quote"}},
            {"copying": {"free_words": 3}},
            {"visible": {"overlay": "Copy {copy}"}},
            {"visible": {"copy_number": False}},
            {"site": "The Other Daily"},
            {"origin": "https://other.example"},
            {"cards": {"enabled": False}},
            {"article": {"selectors": ("main",)}},
        ]
        tags = {tag_of(guard(Origin(b'"v1"'), **shape)) for shape in shapes}
        assert len(tags) == len(shapes)

    def test_made_of_the_date_where_there_is_no_tag(self) -> None:
        one, other = (ask(guard(Origin(modified=date))) for date in (DATE, LATER))
        assert one.etag is not None
        assert OURS.fullmatch(one.etag)
        assert one.etag != other.etag
        assert "last-modified" not in one.headers

    def test_none_is_invented(self) -> None:
        whole = ask(guard(Origin()))
        assert BOX in whole.body
        assert whole.etag is None

    @pytest.mark.parametrize("etag", [b"v1", b'"v1', b"", b'"a"b"', b"W/", b'w/"v1"'])
    def test_what_is_no_tag_breaks_nothing(self, etag: bytes) -> None:
        app = guard(Origin(etag))
        whole = ask(app)
        assert BOX in whole.body
        assert whole.etag is None or OURS.fullmatch(whole.etag)
        assert ask(app, CHROME, known(whole.etag or etag)).status in (200, 304)

    def test_of_a_streamed_page(self) -> None:
        streamed = Origin(b'"v1"', chunk=500)
        app = guard(streamed)
        tag = tag_of(app)
        assert tag == tag_of(app)
        again = ask(app, CHROME, known(tag))
        assert (again.status, again.body, again.etag) == (304, b"", tag)
        assert streamed.seen(b"if-none-match") == [b'"v1"']


class TestComingBack:
    """If-None-Match with our tag: the app sees its own, and its 304 is ours."""

    @pytest.mark.parametrize("etag", ETAGS)
    def test_the_app_sees_exactly_its_own_tag(self, etag: bytes) -> None:
        origin = Origin(etag, DATE)
        app = guard(origin)
        tag = tag_of(app)
        again = ask(app, CHROME, known(tag))
        assert origin.seen(b"if-none-match") == [etag]
        assert (again.status, again.body, again.etag) == (304, b"", tag)

    @settings(max_examples=60, deadline=None)
    @given(
        st.booleans(),
        st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters='"\x7f'), max_size=40),
    )
    def test_any_tag_comes_back_as_it_was(self, weak: bool, opaque: str) -> None:
        origin.etag = (b"W/" if weak else b"") + b'"' + opaque.encode("latin-1") + b'"'
        tag = tag_of(before)
        assert ask(before, CHROME, known(tag)).etag == tag
        assert origin.seen(b"if-none-match") == [origin.etag]

    @pytest.mark.parametrize(
        "on_304",
        [
            None,
            [],
            [(b"ETag", b'"v1"'), (b"content-length", str(len(PAGE)).encode())],
            [(b"etag", b'"v1"'), (b"last-modified", DATE), (b"cache-control", b"public, s-maxage=9")],
            [(b"vary", b"accept-language"), (b"content-type", b"text/html"), (b"accept-ranges", b"bytes")],
        ],
        ids=["validators", "nothing", "a length", "a cache's", "others"],
    )
    def test_our_304(self, on_304: Pairs | None) -> None:
        """What it says replaces what a cache holds of the page (RFC 9111, 3.2), so it must be as true of that."""
        app = guard(Origin(b'"v1"', on_304=on_304))
        whole = ask(app)
        assert whole.etag is not None
        again = ask(app, CHROME, known(whole.etag))
        assert (again.status, again.body, again.etag) == (304, b"", whole.etag)
        assert "cookie" in [v.strip().lower() for v in again.headers["vary"].split(",")]
        assert "last-modified" not in again.headers
        assert "accept-ranges" not in again.headers
        assert again.headers.get("content-length") in (None, whole.headers["content-length"])
        assert "public" not in again.headers.get("cache-control", "")
        assert "s-maxage" not in again.headers.get("cache-control", "")

    def test_a_page_that_has_changed(self) -> None:
        origin = Origin(b'"v1"')
        app = guard(origin)
        old = tag_of(app)
        origin.etag = b'"v2"'
        again = ask(app, CHROME, known(old))
        assert origin.seen(b"if-none-match") == [b'"v1"']
        assert again.status == 200
        assert BOX in again.body
        assert again.etag not in (None, old)

    @pytest.mark.parametrize("validators", [(b'"v1"', None), (None, DATE), (b'W/"v1"', DATE)])
    def test_settings_that_have_changed(self, validators: tuple[bytes | None, bytes | None]) -> None:
        """The app's page is the same, the reader's is not: the app must not be asked whether it is."""
        origin = Origin(*validators)
        old = tag_of(guard(origin, copying={"policy": "quote"}))
        again = ask(guard(origin), CHROME, known(old), (b"if-modified-since", DATE))
        assert origin.seen(b"if-none-match") == []
        assert origin.seen(b"if-modified-since") == [], "without If-None-Match the app would believe it"
        assert again.status == 200
        assert BOX in again.body
        assert again.etag not in (None, old)

    def test_a_date_comes_back_as_a_date(self) -> None:
        origin = Origin(modified=DATE)
        app = guard(origin)
        tag = tag_of(app)
        again = ask(app, CHROME, known(tag))
        assert origin.seen(b"if-modified-since") == [DATE]
        assert origin.seen(b"if-none-match") == []
        assert (again.status, again.body, again.etag) == (304, b"", tag)
        assert "last-modified" not in again.headers
        origin.modified = LATER
        assert ask(app, CHROME, known(tag)).status == 200
        assert origin.seen(b"if-modified-since") == [DATE]

    def test_a_date_the_reader_sends_beside_gives_way(self) -> None:
        origin = Origin(modified=DATE)
        app = guard(origin)
        tag = tag_of(app)
        assert ask(app, CHROME, known(tag), (b"if-modified-since", LATER)).status == 304
        assert origin.seen(b"if-modified-since") == [DATE]

    def test_without_its_weakness_it_is_still_ours(self) -> None:
        """If-None-Match compares weakly (RFC 9110, 13.1.2), and some caches drop the mark."""
        origin = Origin(b'"v1"')
        app = guard(origin)
        ask(app, CHROME, known(tag_of(app).removeprefix(b"W/")))
        assert origin.seen(b"if-none-match") == [b'"v1"']

    def test_head(self) -> None:
        app = guard(Origin(b'"v1"'))
        tag = tag_of(app)
        get, head = (ask(app, CHROME, known(tag), method=method) for method in ("GET", "HEAD"))
        assert get.status == head.status == 304
        assert sorted(get.headers.multi_items()) == sorted(head.headers.multi_items())

    def test_the_server_s_scope_stays_as_it_was(self) -> None:
        app = guard(Origin(b'"v1"'))
        scope = http_scope()
        scope["headers"].append(known(tag_of(app)))
        before = copy.deepcopy(scope)
        assert asyncio.run(drive(app, scope))[0]["status"] == 304
        assert scope == before

    def test_files_as_starlette_serves_them(self, tmp_path: Path) -> None:
        (tmp_path / "tide.html").write_bytes(PAGE)
        app = guard(StaticFiles(directory=tmp_path))
        tag = tag_of(app, path="/tide.html")
        again = ask(app, CHROME, known(tag), path="/tide.html")
        assert (again.status, again.body, again.etag) == (304, b"", tag)
        (tmp_path / "tide.html").write_bytes(PAGE + b"\n")
        assert ask(app, CHROME, known(tag), path="/tide.html").status == 200


class TestLists:
    """If-None-Match names any number of tags, of anybody's."""

    @pytest.mark.parametrize(
        "form",
        [
            '"x", {ours}',
            '{ours},W/"x"',
            ' , "x" ,, {ours} , "y"',
            '"x",\t{ours}',
            'W/"x,y", {ours}',
        ],
    )
    def test_ours_among_others(self, form: str) -> None:
        origin = Origin(b'"v1"')
        app = guard(origin)
        tag = tag_of(app)
        again = ask(app, CHROME, known(form.format(ours=tag.decode("latin-1")).encode("latin-1")))
        expected = TAG.findall(form.replace("{ours}", '"v1"').encode())
        assert sorted(TAG.findall(b", ".join(origin.seen(b"if-none-match")))) == sorted(expected)
        assert (again.status, again.etag) == (304, tag)

    def test_ours_in_a_line_of_its_own(self) -> None:
        origin = Origin(b'"v1"')
        app = guard(origin)
        tag = tag_of(app)
        again = ask(app, CHROME, known(b'"x"'), known(tag))
        assert sorted(TAG.findall(b", ".join(origin.seen(b"if-none-match")))) == [b'"v1"', b'"x"']
        assert (again.status, again.etag) == (304, tag)

    def test_ours_and_a_stale_one(self) -> None:
        origin = Origin(b'"v1"')
        stale = tag_of(guard(origin, copying={"policy": "quote"}))
        app = guard(origin)
        tag = tag_of(app)
        again = ask(app, CHROME, known(stale + b", " + tag))
        assert TAG.findall(b", ".join(origin.seen(b"if-none-match"))) == [b'"v1"']
        assert (again.status, again.etag) == (304, tag)

    def test_a_stale_one_among_others(self) -> None:
        origin = Origin(b'"v1"')
        stale = tag_of(guard(origin, copying={"policy": "quote"}))
        again = ask(guard(origin), CHROME, known(b'"x", ' + stale))
        assert TAG.findall(b", ".join(origin.seen(b"if-none-match"))) == [b'"x"']
        assert again.status == 200

    @pytest.mark.parametrize("value", [b'"x"', b'W/"x"', b'"x", "y",W/"z"', b'W/"a-b-c"', b'"a,b"'])
    def test_tags_that_are_not_ours_reach_the_app(self, value: bytes) -> None:
        origin = Origin(b'"v1"')
        whole = ask(guard(origin), CHROME, known(value))
        assert origin.seen(b"if-none-match") == [value]
        assert whole.status == 200
        assert BOX in whole.body

    def test_any_tag_at_all(self) -> None:
        origin = Origin(b'"v1"')
        again = ask(guard(origin), CHROME, known(b"*"))
        assert origin.seen(b"if-none-match") == [b"*"]
        assert (again.status, again.body) == (304, b"")


MALFORMED = st.one_of(
    st.binary(max_size=120),
    st.text('W/"*, \\-.ab\t;=', max_size=60).map(str.encode),
    st.lists(st.sampled_from([b'"', b"W/", b'W/"', b",", b'""', b"*", b"v1", b"\xff", b'"v1'])).map(b"".join),
)


class TestGarbage:
    """A header is what a client sends: it may be anything, and costs nothing but the request."""

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(MALFORMED)
    def test_garbage_is_answered(self, value: bytes) -> None:
        origin.etag = b'"not-to-be-guessed"'
        answer = ask(before, CHROME, known(value))
        assert answer.status in (200, 304)
        assert answer.status == 304 or BOX in answer.body

    @settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.data())
    def test_a_damaged_tag_of_ours_is_none(self, data: st.DataObject) -> None:
        """What was not given out does not become the app's tag, and garbage around it does not hide what was."""
        origin.etag = b'"secret-tag"'
        tag = tag_of(before)
        at = data.draw(st.integers(3, len(tag) - 2))
        damage = data.draw(st.sampled_from([b"", b"\xff", b"x", b'"', b",", b" ", b"-"]))
        damaged = tag[:at] + damage + tag[at + 1 :]
        answer = ask(before, CHROME, known(damaged))
        if damaged != tag:
            assert origin.etag not in TAG.findall(b", ".join(origin.seen(b"if-none-match")))
            assert (answer.status, BOX in answer.body) == (200, True)

    @pytest.mark.parametrize("count", [1000, 20_000])
    def test_a_very_long_list(self, count: int) -> None:
        origin.etag = b'"v1"'
        tag = tag_of(before)
        assert ask(before, CHROME, known(b'"x", ' * count + tag)).status in (200, 304)
        assert ask(before, CHROME, known(b'W/"' * count)).status == 200
        assert ask(before, CHROME, known(b"," * count)).status == 200

    @settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(MALFORMED, MALFORMED)
    def test_garbage_of_the_app_s(self, etag: bytes, modified: bytes) -> None:
        origin.etag, origin.modified = etag, modified
        try:
            whole = ask(before)
            assert BOX in whole.body
            assert whole.etag is None or OURS.fullmatch(whole.etag)
            if whole.etag is not None:
                assert ask(before, CHROME, known(whole.etag)).status in (200, 304)
        finally:
            origin.modified = None


origin = Origin()
before = guard(origin, limits={"articles": ""})
"""One guard for all generated cases, which are more than a reader may have in a minute."""


OTHER_PAGES: dict[str, Origin] = {
    "a page that is no article": Origin(b'"v1"', DATE, b"<p>short</p>"),
    "with a weak tag": Origin(b'W/"v1"', DATE, b"<p>short</p>"),
    "only a date": Origin(None, DATE, b"<p>short</p>"),
    "json": Origin(b'"v1"', DATE, b"{}", b"application/json"),
    "left alone by the app": Origin(b'"v1"', DATE, others=[(b"cache-control", b"no-transform")]),
}


class TestOtherPages:
    """What is not guarded keeps its validators byte for byte, and its conditional requests are the app's affair."""

    @pytest.mark.parametrize("site", OTHER_PAGES.values(), ids=OTHER_PAGES)
    def test_validators_stay(self, site: Origin) -> None:
        plain, whole = ask(site), ask(guard(site))
        assert whole == plain
        assert whole.etag == site.etag
        assert whole.headers["last-modified"] == DATE.decode()

    @pytest.mark.parametrize("site", OTHER_PAGES.values(), ids=OTHER_PAGES)
    @pytest.mark.parametrize(
        "lines",
        [
            [(b"if-none-match", b'"v1"')],
            [(b"if-none-match", b'W/"v1", "x"')],
            [(b"if-none-match", b"*")],
            [(b"if-none-match", b'"x"'), (b"if-modified-since", DATE)],
            [(b"if-modified-since", DATE)],
            [(b"if-match", b'"v1"'), (b"if-unmodified-since", DATE)],
        ],
        ids=["tag", "list", "star", "both", "date", "the others"],
    )
    def test_conditions_are_untouched(self, site: Origin, lines: Pairs) -> None:
        plain = ask(site, CHROME, *lines)
        expected = site.asked[-1]
        assert ask(guard(site), CHROME, *lines) == plain
        assert site.asked[-1] == expected


class TestRobots:
    """A restricted rendition is not the page: it has no validator, and none of the page's is true of it."""

    @pytest.mark.parametrize(("robot", "status"), [(CURL, 403), (FACEBOOK, 200)], ids=["curl", "preview"])
    @pytest.mark.parametrize("chunk", [1 << 20, 500], ids=["whole", "streamed"])
    def test_no_validators(self, robot: dict[str, str], status: int, chunk: int) -> None:
        answer = ask(guard(Origin(b'"v1"', DATE, chunk=chunk)), robot)
        assert (answer.status, answer.etag) == (status, None)
        assert "last-modified" not in answer.headers
        assert LEAK not in answer.body

    @pytest.mark.parametrize(("robot", "status"), [(CURL, 403), (FACEBOOK, 200)], ids=["curl", "preview"])
    def test_a_reader_s_tag_is_worth_nothing_to_a_robot(self, robot: dict[str, str], status: int) -> None:
        site = Origin(b'"v1"', DATE)
        app = guard(site)
        answer = ask(app, robot, known(tag_of(app)))
        assert (answer.status, answer.etag) == (status, None)
        assert site.seen(b"if-none-match") != [b'"v1"']
