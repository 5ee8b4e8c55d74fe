"""Copies for shared caches, as HTTP: one for each bucket, only with the reader's own number, and counted as ever."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from contentguard import ContentGuardMiddleware
from contentguard.backends.evidence import EvidenceLog
from contentguard.errors import SettingsError
from contentguard.guard.buckets import Buckets, Kept
from contentguard.watermark.blind import frames
from contentguard.watermark.buckets import bucket_of
from contentguard.watermark.keys import epoch_at
from tests.client import ARTICLE, CHROME, GPTBOT, earned, get, guarded, page
from tests.guard.test_reading import PROGRESSIVE, articles

BUCKETS: dict[str, Any] = {"watermark": {"enabled": True, "buckets": 16}}
NAME = b"https://news.example/news/tide"
ASKED, SAID = "/.contentguard/bucket/news/tide", "x-contentguard-bucket"


def reader(app: ContentGuardMiddleware) -> dict[str, str]:
    """The headers of somebody who has opened the article once."""
    answer = get(app)
    assert SAID not in answer.headers
    assert "private" in answer.headers["cache-control"]
    return {**CHROME, "cookie": answer.headers["set-cookie"].partition(";")[0]}


def number(app: ContentGuardMiddleware, headers: dict[str, str], asked: str = ASKED) -> str:
    answer = get(app, asked, headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["cache-control"] == "no-store"
    return str(answer.headers.get(SAID, ""))


def named(app: ContentGuardMiddleware, text: str) -> list[int]:
    copies = app.guard.copies
    assert copies is not None
    return [one.serial for one in frames(text, copies.secrets, epoch_at(app.guard.clock()), [NAME]).genuine]


def test_readers_of_one_bucket_get_the_same_to_the_byte_and_others_do_not() -> None:
    app = guarded(**BUCKETS)
    bodies: dict[str, set[bytes]] = {}
    for _ in range(24):
        headers = reader(app)
        own = number(app, headers)
        answer = get(app, headers={**headers, SAID: own})
        assert answer.headers[SAID] == own
        assert "set-cookie" not in answer.headers
        assert "private" not in answer.headers.get("cache-control", "")
        assert [bucket_of(serial) for serial in named(app, answer.text)] == [int(own)]
        bodies.setdefault(own, set()).add(answer.content)
    assert {len(same) for same in bodies.values()} == {1}
    assert 4 < len(bodies) <= 16
    assert len(set.union(*bodies.values())) == len(bodies)


def test_gzip_is_the_same_to_the_byte_too() -> None:
    app = guarded(**BUCKETS)
    headers = {**reader(app), "accept-encoding": "gzip"}
    headers[SAID] = number(app, headers)
    assert get(app, headers=headers).content == get(app, headers=headers).content
    assert get(app, headers=headers).headers["content-encoding"] == "gzip"


@pytest.mark.parametrize("said", ["other", "99", "-1", "", "01", "17 ", "x" * 5000])
def test_a_number_that_is_not_the_reader_s_own_gets_his_own_copy(said: str) -> None:
    app = guarded(**BUCKETS)
    headers = reader(app)
    own = number(app, headers)
    wanted = str((int(own) + 1) % 16) if said == "other" else said
    answer = get(app, headers={**headers, SAID: wanted})
    assert SAID not in answer.headers
    assert "private" in answer.headers["cache-control"]
    assert all(bucket_of(serial) < 0 for serial in named(app, answer.text))


def test_without_a_pass_there_is_no_bucket() -> None:
    app = guarded(**BUCKETS)
    reader(app)
    for headers in (CHROME, {**CHROME, "cookie": "contentguard=" + "A" * 60}, GPTBOT):
        assert number(app, headers) == ""
    for value in range(16):
        assert SAID not in get(app, headers={**CHROME, SAID: str(value)}).headers


def test_of_what_is_no_article_there_is_no_bucket() -> None:
    app = guarded(**BUCKETS)
    headers = reader(app)
    for path in ("/.contentguard/bucket", "/.contentguard/bucket/", "/.contentguard/bucket/news/other"):
        answer = get(app, path, headers=headers)
        assert answer.status_code == 204
        assert SAID not in answer.headers


def test_without_buckets_there_is_no_such_route() -> None:
    app = guarded(watermark={"enabled": True})
    headers = {**CHROME, "cookie": get(app).headers["set-cookie"].partition(";")[0]}
    assert get(app, ASKED, headers=headers).status_code == 404
    assert SAID not in get(app, headers={**headers, SAID: "3"}).headers


def test_articles_of_a_pass_are_spread_over_buckets() -> None:
    buckets = Buckets(64, (b"a secret of the marks",))
    told = Counter(buckets.of(4711, f"/news/{article}", 1.8e9) for article in range(6400))
    assert len(told) == 64
    assert max(told.values()) < 160
    assert buckets.of(1, "/news/1", 1.8e9) != buckets.of(2, "/news/1", 1.8e9) or (
        buckets.of(1, "/news/2", 1.8e9) != buckets.of(2, "/news/2", 1.8e9)
    )


def test_known_articles_are_bounded() -> None:
    buckets = Buckets(64, (b"a secret of the marks",))
    for article in range(10_100):
        buckets.keep(f"/news/{article}", Kept("a", b"", "a"))
    assert buckets.at("/news/50") is None
    assert buckets.at("/news/10099") is not None


def test_articles_that_only_a_query_tells_apart_are_in_no_bucket() -> None:
    """Asked about by path, one would be counted and written down for the other."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        canonical = f'<link rel=canonical href="https://news.example/?{scope["query_string"].decode()}"></head>'
        await page(ARTICLE.replace("</head>", canonical))(scope, receive, send)

    site = guarded(app, **BUCKETS)
    asked = "/.contentguard/bucket/news/tide?p="
    headers = reader(site)
    assert number(site, headers, asked)
    for query in ("2", "2", "1"):
        assert SAID not in get(site, f"/news/tide?p={query}", headers={**headers, SAID: "99"}).headers
        assert number(site, headers, asked + query) == ""


def test_known_articles_are_bounded_in_bytes() -> None:
    """An app may answer with an article at whatever path a client makes up, however long."""
    buckets = Buckets(64, (b"a secret of the marks",))
    buckets.keep("/" + "a" * 5000, Kept("a", b"", "a"))
    buckets.keep("/a", Kept("https://news.example/" + "a" * 5000, b"", "a"))
    assert buckets.at("/" + "a" * 5000) is buckets.at("/a") is None


@pytest.mark.parametrize("wrong", [1, 15, 257, -3])
def test_too_few_or_too_many_are_an_error(wrong: int) -> None:
    with pytest.raises(SettingsError, match="0 or between 16 and 256"):
        guarded(watermark={"enabled": True, "buckets": wrong})


def test_a_failure_costs_no_reader_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    app = guarded(**BUCKETS)
    headers = reader(app)
    own = number(app, headers)
    assert app.guard.copies is not None
    monkeypatch.setattr(app.guard.copies.buckets, "of", lambda *told: 1 / 0)
    assert number(app, headers) == ""
    assert app.guard.counts["buckets-failed"] == 1
    answer = get(app, headers={**headers, SAID: own})
    assert answer.status_code == 200
    assert SAID not in answer.headers


def test_a_page_that_cannot_be_marked_has_no_bucket() -> None:
    body = "<!doctype html><title>T</title><article><p>" + "Harbour \xff water rises. " * 60 + "</p></article>"
    app = guarded(page(body.encode("latin-1")), **BUCKETS)
    assert number(app, reader(app)) == ""


def test_what_a_cache_asks_counts_for_the_pass_and_ends_with_its_meter() -> None:
    app = guarded(articles, **PROGRESSIVE, **BUCKETS, meter={"new_reader_articles_per_hour": 3})
    paths = [f"/news/{article}" for article in range(5)]
    for path in paths:
        assert SAID not in get(app, path, headers={**CHROME, "cookie": earned(app, path)}).headers
    headers = {**CHROME, "cookie": earned(app, paths[0])}
    told = [number(app, headers, f"/.contentguard/bucket{path}") != "" for path in paths]
    assert told == [True, True, True, False, False]
    assert number(app, headers, ASKED.replace("tide", "0")) != "", "what was read already is free"


def test_a_lead_is_never_a_bucket_s() -> None:
    app = guarded(articles, **PROGRESSIVE, **BUCKETS)
    get(app, "/news/0", headers={**CHROME, "cookie": earned(app, "/news/0")})
    lead = get(app, "/news/0")
    headers = {**CHROME, "cookie": lead.headers["set-cookie"].partition(";")[0]}
    assert "cg-continue" in lead.text
    assert number(app, headers, "/.contentguard/bucket/news/0") == ""
    for value in range(16):
        assert SAID not in get(app, "/news/0", headers={**headers, SAID: str(value)}).headers


def test_a_copy_that_cannot_be_made_for_a_bucket_is_the_reader_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    app = guarded(**BUCKETS)
    headers = reader(app)
    own = number(app, headers)
    assert app.guard.copies is not None
    monkeypatch.setattr(app.guard.copies.buckets, "keep", lambda *told: 1 / 0)
    answer = get(app, headers={**headers, SAID: own})
    assert SAID not in answer.headers
    assert "private" in answer.headers["cache-control"]
    assert len(named(app, answer.text)) == 1


def test_who_was_told_a_bucket_and_what_left_for_it_is_written_down(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'evidence.db'}"
    app = guarded(**BUCKETS, evidence={"url": url})
    headers = reader(app)
    own = number(app, headers)
    get(app, headers={**headers, SAID: own})
    asyncio.run(app.guard.aclose())
    log = EvidenceLog(url, app.guard.signer.derive("fingerprints"), create=False)
    first, shared = log.rows()
    log.close()
    # What a cache asks for a reader is the copy that was written down already.
    assert bucket_of(first.serial) < 0
    assert (bucket_of(shared.serial), shared.visit) == (int(own), f"bucket {own}")
    assert (shared.address, shared.agent) == ("", "")
