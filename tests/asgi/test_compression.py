"""Content-Encoding: what we compress is what we would have sent; what the app has compressed is guarded all the same.

A client that accepts gzip gets an article compressed by us; upstream encodings are undone first. What cannot be undone
leaves as it came, for readers only. Compressed or not, what is no article is not ours.
"""

from __future__ import annotations

import asyncio
import gzip
import importlib
import random
import sys
import tracemalloc
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from contentguard import ContentGuardMiddleware
from contentguard.rewrite import splice
from tests.benchmarks.pages import SIZES
from tests.benchmarks.pages import page as news_page
from tests.client import (
    ARTICLE,
    ASGI,
    CHROME,
    CURL,
    FACEBOOK,
    PARAGRAPH,
    drive,
    http_scope,
    is_page_with_two_insertions,
    masked,
)
from tests.client import page as one_page
from tests.client import settings as make_settings
from tests.rewrite.pages import article_pages, cut

Message = dict[str, Any]
Pairs = list[tuple[bytes, bytes]]

PAGE = ARTICLE.encode()
BOX = b"Share your love"
LEAK = PARAGRAPH[:40].encode()
SHORT = b"<!doctype html><title>T</title><p>no article</p>" + b"<!-- padding -->" * 60
NOW = 1_790_000_000.0
HTML = (b"content-type", b"text/html; charset=utf-8")
NO_LIMIT = {"articles": ""}
OF_THE_CODING = ("content-encoding", "content-length", "set-cookie")

# The standard library has Zstandard from Python 3.14 on.
zstd: Any = importlib.import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
brotli: Any = importlib.import_module("brotli")

CODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
}
DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "x-gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "br": brotli.decompress,
    "zstd": zstd.decompress,
}


def guard(app: ASGI, **overrides: Any) -> ContentGuardMiddleware:
    return ContentGuardMiddleware(app, settings=make_settings(**overrides), clock=lambda: NOW)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def coding(self) -> str:
        return str(self.headers.get("content-encoding", "identity"))

    @property
    def vary(self) -> set[str]:
        return {part.strip().lower() for part in self.headers.get("vary", "").split(",") if part.strip()}

    @property
    def page(self) -> bytes:
        """The body decoded, strictly: one gzip member with the right sums, and nothing behind it."""
        if self.coding == "identity":
            return self.body
        assert self.coding == "gzip"
        reader = zlib.decompressobj(16 + zlib.MAX_WBITS)
        content = reader.decompress(self.body) + reader.flush()
        assert reader.eof
        assert reader.unused_data == b""
        return content

    @property
    def masked(self) -> bytes:
        return masked(self.page)


def reply(sent: list[Message]) -> Reply:
    first, *rest = (m for m in sent if m["type"] in ("http.response.start", "http.response.body"))
    assert first["type"] == "http.response.start"
    assert [m.get("more_body", False) for m in rest] == [True] * (len(rest) - 1) + [False]
    body = b"".join(m.get("body", b"") for m in rest)
    headers = httpx.Headers(first["headers"])
    assert int(headers.get("content-length", len(body))) == len(body)
    return Reply(first["status"], headers, body)


def ask(app: ASGI, accept: str | None = None, request: Mapping[str, str] = CHROME) -> Reply:
    """One request with this Accept-Encoding, or none."""
    headers = request if accept is None else {**request, "accept-encoding": accept}
    newest = {"version": "3.0", "spec_version": "2.4"}
    return reply(asyncio.run(drive(app, http_scope(headers=headers, asgi=newest))))


def says(content: bytes, *headers: tuple[bytes, bytes], status: int = 200, sizes: list[int] | None = None) -> ASGI:
    """An app that answers everything with this, whatever the client accepts."""
    parts = cut(content, sizes) if sizes else [content]
    first = {"type": "http.response.start", "status": status}
    kind = [] if any(name == b"content-type" for name, _ in headers) else [HTML]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({**first, "headers": [*kind, *headers]})
        for number, part in enumerate(parts, 1):
            await send({"type": "http.response.body", "body": part, "more_body": number < len(parts)})

    return app


def encoded(content: bytes, *codings: str) -> bytes:
    for coding in codings:
        content = CODERS[coding](content)
    return content


def coded(name: bytes | str) -> tuple[bytes, bytes]:
    return (b"content-encoding", name if isinstance(name, bytes) else name.encode())


def prose(size: int) -> bytes:
    """A page of about ``size`` bytes that compresses like written text, the same each time."""
    dice = random.Random(7)
    letters = "eeeeeeetttttaaaaaooooinnnssshhhrrrdlcumwfgypbvk"
    words = ["".join(dice.choices(letters, k=dice.randint(2, 10))) for _ in range(3000)]
    paragraphs: list[str] = []
    while sum(map(len, paragraphs)) < size:
        paragraphs.append(f"<p>{' '.join(dice.choices(words, k=70))}.</p>\n")
    return ARTICLE.replace("</article>", "".join(paragraphs) + "</article>").encode()


PAGES: dict[str, bytes] = {
    "of the tests": PAGE,
    "with a short head": PAGE.replace(b"<meta charset=utf-8>", b""),
    "without a head": b"<article>" + PAGE[PAGE.index(b"<h1>") :],
    "not ASCII": ARTICLE.replace("council", "conseil d’été 漢字").encode(),
    "60 KB": prose(60_000),
    "300 KB": prose(300_000),
    "zeros": PAGE.replace(b"</article>", b"\0" * 100_000 + b"</article>"),
    "noise": PAGE.replace(b"</article>", random.Random(1).randbytes(40_000).replace(b"<", b"") + b"</article>"),
}


class TestWhoGetsIt:
    """Accept-Encoding, as it is meant (RFC 9110, 12.5.3)."""

    @pytest.mark.parametrize(
        "accept",
        [
            "gzip",
            "GZip",
            "gzip, deflate, br, zstd",
            "br;q=1.0,gzip;q=0.8, *;q=0.1",
            "deflate , gzip ; q=1",
            "gzip;q=0.5",
            "identity;q=0, gzip",
        ],
    )
    def test_gzip(self, accept: str) -> None:
        whole = ask(guard(one_page()), accept)
        assert whole.coding == "gzip"
        assert BOX in whole.page
        assert int(whole.headers["content-length"]) == len(whole.body)
        assert "accept-encoding" in whole.vary

    @pytest.mark.parametrize(
        "accept",
        [
            None,
            "",
            "identity",
            "gzip;q=0",
            "gzip; q=0.0, br",
            "gzip;Q=0.000",
            "*;q=0",
            "br, zstd, deflate",
            "xgzip",
            "gzipped, not-gzip",
            "gzip;q=0, identity",
        ],
    )
    def test_identity(self, accept: str | None) -> None:
        whole = ask(guard(one_page()), accept)
        assert "content-encoding" not in whole.headers
        assert BOX in whole.body
        assert int(whole.headers["content-length"]) == len(whole.body)
        assert "accept-encoding" in whole.vary, "another client would have got it compressed"

    def test_two_lines_are_one_list(self) -> None:
        scope = http_scope()
        scope["headers"] += [(b"accept-encoding", b"br"), (b"accept-encoding", b"gzip;q=0.9")]
        assert reply(asyncio.run(drive(guard(one_page()), scope))).coding == "gzip"

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.one_of(st.binary(max_size=80), st.text("gzipq=;,. 01*\t", max_size=30).map(str.encode)))
    def test_garbage_is_answered(self, value: bytes) -> None:
        scope = http_scope()
        scope["headers"].append((b"accept-encoding", value))
        whole = reply(asyncio.run(drive(generated, scope)))
        assert whole.status == 200
        assert BOX in whole.page

    def test_not_where_it_is_switched_off(self) -> None:
        whole = ask(guard(one_page(), compression=False), "gzip")
        assert "content-encoding" not in whole.headers
        assert "accept-encoding" not in whole.vary
        assert BOX in whole.body

    def test_on_where_nothing_is_said(self) -> None:
        assert make_settings().compression is True

    def test_a_robot_gets_no_more_by_it(self) -> None:
        app = guard(one_page())
        refused, card = ask(app, "gzip", CURL), ask(app, "gzip", FACEBOOK)
        assert refused.status == 403
        assert LEAK not in refused.page
        assert LEAK not in card.page
        assert card.page == ask(app, "identity", FACEBOOK).page


class TestTheSame:
    """Compressed, a page is byte for byte what it would have been."""

    @pytest.mark.parametrize("content", PAGES.values(), ids=PAGES)
    def test_as_without(self, content: bytes) -> None:
        plain = ask(guard(one_page(content)), "identity")
        assert is_page_with_two_insertions(content, plain.body)
        app = guard(one_page(content))
        for _ in range(3):
            # The first is cold, the others are made of what was kept of it.
            packed = ask(app, "gzip")
            assert packed.coding == "gzip"
            assert packed.masked == plain.masked
            assert int(packed.headers["content-length"]) == len(packed.body)

    def test_every_reader_gets_a_copy_of_their_own(self) -> None:
        app = guard(one_page())
        pages = {ask(app, "gzip").page for _ in range(5)}
        assert len(pages) == 5
        assert len({masked(page) for page in pages}) == 1

    def test_both_kinds_of_clients_of_one_guard(self) -> None:
        app = guard(one_page())
        answers = [ask(app, accept) for accept in ("gzip", "identity", "gzip", "br", "gzip")]
        assert [a.coding for a in answers] == ["gzip", "identity", "gzip", "identity", "gzip"]
        assert len({a.masked for a in answers}) == 1

    def test_all_other_headers_are_the_same(self) -> None:
        headers = [("etag", '"a"'), ("cache-control", "public"), ("vary", "accept"), ("x-kept", "1")]
        app = guard(one_page(headers=headers))
        plain, packed = (
            {
                k: v
                for k, v in ask(app, accept).headers.items()
                if k not in ("content-encoding", "content-length", "set-cookie")
            }
            for accept in ("identity", "gzip")
        )
        assert plain.pop("etag")[:2] == packed.pop("etag")[:2] == "W/"
        assert plain == packed

    def test_a_page_whose_content_changes(self) -> None:
        """Each time another token in the page, and one of another length."""
        count = 0

        async def app(scope: Any, receive: Any, send: Any) -> None:
            nonlocal count
            count += 1
            token = f'<input type=hidden value="{"x" * count}-{count}">'
            await one_page(ARTICLE.replace("</h1>", f"</h1>{token}"))(scope, receive, send)

        site = guard(app)
        for number in range(1, 8):
            token = f'value="{"x" * number}-{number}"'.encode()
            assert token in ask(site, "gzip").page

    def test_no_field_in_the_page(self) -> None:
        """A page that is the same for everybody is compressed like any other."""
        app = guard(one_page(), visible={"print": False}, visits={"remember": False})
        packed = ask(app, "gzip")
        assert packed.coding == "gzip"
        assert packed.page == ask(app, "identity").body

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(article_pages())
    def test_of_any_page(self, content: bytes) -> None:
        app = guard(one_page(content), limits=NO_LIMIT)
        plain, packed, again = (ask(app, accept) for accept in ("identity", "gzip", "gzip"))
        assert plain.masked == packed.masked == again.masked

    @pytest.mark.parametrize("size", [60_000, 300_000])
    def test_not_much_larger_than_compressed_at_one_go(self, size: int) -> None:
        app = guard(one_page(prose(size)))
        for _ in range(2):
            packed = ask(app, "gzip")
            assert len(packed.body) <= 1.10 * len(zlib.compress(packed.page, 6))

    @pytest.mark.parametrize("size", SIZES)
    @pytest.mark.parametrize("deflating", ["as installed", "zlib"])
    @pytest.mark.no_cover
    def test_nor_with_each_reader_s_marks(self, size: str, deflating: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """The article is half of the page; where it is longer than most, what is won is bought with some size."""
        if deflating == "zlib":
            monkeypatch.setattr(splice, "fast", zlib)
        app = guard(one_page(news_page(SIZES[size])), watermark={"enabled": True})
        copies = [ask(app, "gzip", {**CHROME, "accept-language": language}) for language in ("en", "de", "fr")]
        assert len({len(copy.page) for copy in copies}) > 1, "not each reader's own"
        for copy in copies:
            assert len(copy.body) <= (1.10 if size == "10k" else 1.15) * len(zlib.compress(copy.page, 6))


def _site(endpoint: Callable[[Any], Response], *middleware: Middleware) -> ASGI:
    return Starlette(routes=[Route("/news/tide", endpoint)], middleware=middleware)


class TestInsideAnother:
    """A compressor around the guard finds nothing left to do, or does it if we do not."""

    @pytest.mark.parametrize("compression", [True, False])
    @pytest.mark.parametrize("accept", ["gzip", "gzip;q=0.5, br", "identity", None])
    def test_compressed_once(self, accept: str | None, compression: bool) -> None:
        own = Middleware(ContentGuardMiddleware, settings=make_settings(compression=compression))
        app = _site(lambda r: HTMLResponse(ARTICLE), Middleware(GZipMiddleware), own)
        whole = ask(app, accept)
        assert whole.coding == ("gzip" if accept and "gzip" in accept else "identity")
        assert whole.headers.get_list("content-encoding") in ([], ["gzip"])
        assert is_page_with_two_insertions(PAGE, whole.page)
        assert BOX in whole.page
        assert "accept-encoding" in whole.vary


CHAINS = [
    ["gzip"],
    ["x-gzip"],
    ["deflate"],
    ["br"],
    ["zstd"],
    ["gzip", "br"],
    ["zstd", "gzip"],
    ["gzip", "gzip"],
    ["deflate", "br", "zstd"],
]
ACCEPTS = [("gzip", "gzip"), ("gzip, deflate, br, zstd", "gzip"), ("identity", "identity"), (None, "identity")]


@pytest.mark.parametrize("chain", CHAINS, ids="+".join)
class TestUpstream:
    """Bodies that the app (or a middleware inside the guard) has encoded are decoded and rewritten."""

    @pytest.mark.parametrize(("accept", "coding"), ACCEPTS)
    def test_a_reader_gets_it_guarded(self, chain: list[str], accept: str | None, coding: str) -> None:
        content = encoded(PAGE, *chain)
        headers = [coded(", ".join(chain)), (b"content-length", str(len(content)).encode()), (b"etag", b'"a"')]
        whole = ask(guard(says(content, *headers)), accept)
        assert whole.coding == coding
        assert is_page_with_two_insertions(PAGE, whole.page)
        assert BOX in whole.page
        assert int(whole.headers["content-length"]) == len(whole.body)
        assert whole.headers["etag"].startswith("W/")
        assert "accept-encoding" in whole.vary
        assert whole.masked == ask(guard(one_page()), "identity").masked

    def test_a_robot_gets_none_of_it(self, chain: list[str]) -> None:
        app = guard(says(encoded(PAGE, *chain), coded(", ".join(chain))))
        for accept in ("gzip, br, zstd, deflate", None):
            refused, card = ask(app, accept, CURL), ask(app, accept, FACEBOOK)
            assert refused.status == 403
            assert LEAK not in refused.page
            assert (card.status, card.page.count(b"og:title")) == (200, 1)
            assert LEAK not in card.page

    @pytest.mark.parametrize("sizes", [[1], [100, 7], [100_000]], ids=str)
    def test_streamed(self, chain: list[str], sizes: list[int]) -> None:
        app = says(encoded(PAGE, *chain), coded(", ".join(chain)), sizes=[*sizes])
        for accept in ("gzip", "identity"):
            assert ask(guard(app), accept).masked == ask(guard(one_page()), "identity").masked
        assert ask(guard(app), "gzip", CURL).status == 403

    @pytest.mark.parametrize("request_", [CHROME, CURL, FACEBOOK], ids=["reader", "curl", "preview"])
    @pytest.mark.parametrize("accept", ["gzip", "identity"])
    def test_what_is_no_article_leaves_as_it_came(
        self, chain: list[str], request_: dict[str, str], accept: str
    ) -> None:
        content = encoded(SHORT, *chain)
        headers = [
            coded(", ".join(chain)),
            (b"content-length", str(len(content)).encode()),
            (b"etag", b'"a"'),
            (b"last-modified", b"Tue, 01 Sep 2026 10:00:00 GMT"),
            (b"vary", b"Accept-Encoding"),
        ]
        app = says(content, *headers)
        assert ask(guard(app), accept, request_) == ask(app, accept, request_)

    def test_an_app_that_says_no_transform(self, chain: list[str]) -> None:
        app = says(encoded(PAGE, *chain), coded(", ".join(chain)), (b"cache-control", b"no-transform"))
        assert ask(guard(app), "gzip") == ask(app, "gzip")
        assert ask(guard(app), "gzip", CURL).status == 403


class TestUpstreamForms:
    """How an encoding may be named, and what else an encoded body may be."""

    @pytest.mark.parametrize(
        "lines",
        [[b"GZIP"], [b" gzip "], [b"identity, gzip"], [b"gzip, identity"], [b"identity", b"gzip"], [b"gzip,"]],
    )
    def test_names(self, lines: list[bytes]) -> None:
        whole = ask(guard(says(encoded(PAGE, "gzip"), *map(coded, lines))), "gzip")
        assert BOX in whole.page
        assert whole.headers.get_list("content-encoding") == ["gzip"]

    def test_several_lines_are_one_list(self) -> None:
        whole = ask(guard(says(encoded(PAGE, "gzip", "br"), coded("gzip"), coded("br"))), "identity")
        assert is_page_with_two_insertions(PAGE, whole.page)
        assert BOX in whole.page
        assert "content-encoding" not in whole.headers

    def test_identity_is_no_encoding(self) -> None:
        whole = ask(guard(says(PAGE, coded("identity"))), "identity")
        assert BOX in whole.body

    @pytest.mark.parametrize("coding", ["gzip", "zstd"])
    def test_a_body_in_several_members(self, coding: str) -> None:
        """Members and frames may follow one another (RFC 1952, 2.2; RFC 8878, 3.1): nothing of the page is lost."""
        content = CODERS[coding](PAGE[:1000]) + CODERS[coding](PAGE[1000:])
        app = says(content, coded(coding))
        whole = ask(guard(app), "gzip")
        page = whole.page if whole.body != content else DECODERS[coding](content)
        assert is_page_with_two_insertions(PAGE, page)
        assert ask(guard(app), "gzip", CURL).status == 403

    def test_starlette_s_compressor_inside_the_guard(self) -> None:
        app = guard(_site(lambda r: HTMLResponse(ARTICLE), Middleware(GZipMiddleware)))
        for accept, coding in [("gzip", "gzip"), ("identity", "identity"), (None, "identity")]:
            whole = ask(app, accept)
            assert whole.coding == coding
            assert whole.masked == ask(guard(one_page()), "identity").masked
        assert app.guard.counts["untouched.encoded"] == 0

    @pytest.mark.parametrize("accept", ["gzip", "identity"])
    def test_starlette_s_compressor_around_a_stream(self, accept: str) -> None:
        async def parts() -> Any:
            for part in cut(PAGE, [300]):
                yield part

        app = guard(_site(lambda r: StreamingResponse(parts(), media_type="text/html"), Middleware(GZipMiddleware)))
        expected = ask(guard(one_page(headers=[("content-type", "text/html; charset=utf-8")])), "identity")
        assert ask(app, accept).masked == expected.masked
        assert ask(app, accept, CURL).status == 403


def _flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :]


_GZIPPED = gzip.compress(PAGE)
BROKEN: dict[str, tuple[str, bytes]] = {
    "gzip, not at all": ("gzip", PAGE),
    "gzip, cut off": ("gzip", _GZIPPED[: len(_GZIPPED) // 2]),
    "gzip, without its sums": ("gzip", _GZIPPED[:-8]),
    "gzip, with the wrong sum": ("gzip", _flipped(_GZIPPED, len(_GZIPPED) - 6)),
    "gzip, with the wrong length": ("gzip", _flipped(_GZIPPED, len(_GZIPPED) - 2)),
    "gzip, damaged": ("gzip", _flipped(_GZIPPED, 60)),
    "deflate, cut off": ("deflate", zlib.compress(PAGE)[:-5]),
    "deflate, not at all": ("deflate", PAGE),
    "br, cut off": ("br", brotli.compress(PAGE)[:-5]),
    "br, not at all": ("br", PAGE),
    "zstd, cut off": ("zstd", zstd.compress(PAGE)[:-5]),
    "zstd, not at all": ("zstd", PAGE),
    "stacked, the inner one cut off": ("gzip, br", brotli.compress(_GZIPPED[:-20])),
    "stacked in another order": ("br, gzip", brotli.compress(_GZIPPED)),
}


@pytest.mark.parametrize(("names", "content"), BROKEN.values(), ids=BROKEN)
class TestBroken:
    """What is not what it says: a browser may make more of it than we can, a robot shall not."""

    def test_readers_get_it_as_it_came(self, names: str, content: bytes) -> None:
        headers = [coded(names), (b"content-length", str(len(content)).encode()), (b"etag", b'"a"')]
        app = says(content, *headers)
        for accept in ("gzip", "identity"):
            assert ask(guard(app), accept) == ask(app, accept)

    @pytest.mark.parametrize("accept", ["gzip", "identity"])
    def test_a_stream_does_not_pretend_to_be_whole(self, names: str, content: bytes, accept: str) -> None:
        """If part of it left before it broke, the response must break off too; else it leaves as it came."""
        app = says(content, coded(names), sizes=[97])
        sent = asyncio.run(drive(guard(app), http_scope(headers={**CHROME, "accept-encoding": accept})))
        if not sent[-1].get("more_body", False):
            assert reply(sent) == ask(app, accept)

    @pytest.mark.parametrize("robot", [CURL, FACEBOOK], ids=["curl", "preview"])
    @pytest.mark.parametrize("sizes", [[1 << 20], [97]], ids=["whole", "streamed"])
    def test_robots_are_refused(self, names: str, content: bytes, sizes: list[int], robot: dict[str, str]) -> None:
        answer = ask(guard(says(content, coded(names), sizes=sizes)), "gzip", robot)
        assert answer.status == 403
        assert LEAK not in answer.page


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
class TestBombs:
    """A small body that decodes to a large page is treated as a large page, and not decoded to its end."""

    LIMIT = 64 * 1024

    def bomb(self, coding: str) -> bytes:
        return encoded(PAGE + b" " * (32 * 1024 * 1024), coding) if coding != "br" else self.brotli()

    @staticmethod
    def brotli() -> bytes:
        packed: bytes = brotli.compress(PAGE + b" " * (32 * 1024 * 1024), quality=1)
        return packed

    @pytest.mark.parametrize("sizes", [[1 << 20], [4096]], ids=["whole", "streamed"])
    def test_it_is_too_large(self, coding: str, sizes: list[int]) -> None:
        content = self.bomb(coding)
        assert len(content) < self.LIMIT
        app = says(content, coded(coding), (b"content-length", str(len(content)).encode()), sizes=sizes)
        site = guard(app, article={"max_bytes": self.LIMIT})
        tracemalloc.start()
        try:
            answers = [ask(site, "gzip"), ask(site, "identity")]
            refused = ask(site, "gzip", CURL)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert answers == [ask(app, "gzip"), ask(app, "identity")]
        assert refused.status == 403
        assert peak < 8 * 1024 * 1024

    def test_one_byte_decides(self, coding: str) -> None:
        content = encoded(PAGE, coding)
        fits = guard(says(content, coded(coding)), article={"max_bytes": len(PAGE)})
        assert BOX in ask(fits, "gzip").page
        burst = guard(says(content, coded(coding)), article={"max_bytes": len(PAGE) - 1})
        assert ask(burst, "gzip").body == content
        assert ask(burst, "gzip", CURL).status == 403


@pytest.mark.parametrize("names", ["compress", "x-unknown", "gzip, x-unknown", "x-unknown, gzip", "aes128gcm", "br-x"])
class TestUnknown:
    """A coding that nobody knows: passed on to readers, refused to robots, and counted."""

    def test_it_passes_and_is_counted(self, names: str) -> None:
        app = says(b"\x1f\x9dwhatever", coded(names), (b"content-length", b"10"), (b"etag", b'"a"'))
        site = guard(app)
        for count in (1, 2):
            assert ask(site, "gzip") == ask(app, "gzip")
            assert site.guard.counts["untouched.encoded"] == count

    def test_it_passes_at_once(self, names: str) -> None:
        order: list[str] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": [HTML, coded(names)]})
            order.append("app")
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            order.append("app")
            await send({"type": "http.response.body", "body": b"y"})

        async def send(message: Any) -> None:
            order.append(message["type"].rpartition(".")[2])

        asyncio.run(guard(app)(http_scope(), None, send))  # type: ignore[arg-type]
        assert order == ["start", "app", "body", "app", "body"]

    def test_robots_are_refused(self, names: str) -> None:
        for robot in (CURL, FACEBOOK):
            assert ask(guard(says(PAGE, coded(names))), "gzip", robot).status == 403


OTHERS: dict[str, ASGI] = {
    "a page that is no article": says(SHORT, (b"etag", b'"a"'), (b"content-length", str(len(SHORT)).encode())),
    "a page not found": says(PAGE, status=404),
    "json": says(b'{"a": 1}' * 200, (b"content-type", b"application/json")),
    "a style sheet": says(b"p { color: red }" * 200, (b"content-type", b"text/css")),
    "an article that must not change": says(PAGE, (b"cache-control", b"no-transform")),
    "an article to keep": says(PAGE, (b"content-disposition", b"attachment")),
    "an article left alone": says(PAGE, (b"content-encoding", b"identity"), (b"cache-control", b"no-transform")),
}


@pytest.mark.parametrize("app", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("accept", ["gzip", "gzip, br", "identity"])
def test_what_is_not_ours_is_not_compressed(app: ASGI, accept: str) -> None:
    assert ask(guard(app), accept) == ask(app, accept)


def test_other_answers_of_a_compressing_app_pass() -> None:
    app = _site(lambda r: JSONResponse(["tide"] * 500), Middleware(GZipMiddleware))
    assert ask(guard(app), "gzip") == ask(app, "gzip")
    assert ask(guard(app), "gzip").coding == "gzip"


class TestStreams:
    """A streamed article, whether or not it is compressed on its way, is the page it would have been."""

    @pytest.mark.parametrize("sizes", [[1], [300], [5000]], ids=str)
    @pytest.mark.parametrize("accept", ["gzip", "identity", "gzip;q=0"])
    def test_the_same_page(self, sizes: list[int], accept: str) -> None:
        whole = ask(guard(says(PAGE, sizes=sizes)), accept)
        assert whole.masked == ask(guard(says(PAGE)), "identity").masked
        assert whole.coding in ("identity", "gzip" if accept == "gzip" else "identity")
        assert whole.coding == "identity" or "accept-encoding" in whole.vary

    @pytest.mark.parametrize("accept", ["gzip", "identity"])
    def test_no_article(self, accept: str) -> None:
        assert ask(guard(says(SHORT, sizes=[100])), accept).page == SHORT


generated = guard(one_page(), limits=NO_LIMIT)
"""One guard for all generated headers, which are more than a reader may send in a minute."""
