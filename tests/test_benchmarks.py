"""The benchmarks' machinery: that it runs and measures what it says, not how fast anything is."""

from __future__ import annotations

import asyncio
import json
import tomllib
from contextlib import suppress
from pathlib import Path

import pytest

from tests.benchmarks import apps, load
from tests.benchmarks.__main__ import BENCHMARKS, main
from tests.benchmarks.editors import bs4_editor, inserts, lexbor_editor
from tests.benchmarks.measure import MeasureError
from tests.benchmarks.pages import ARTICLE_END, SIZES, page
from tests.benchmarks.serve import EXAMPLE, without_article_limit
from tests.client import drive, http_scope


def test_the_table_names_what_can_be_measured() -> None:
    assert list(BENCHMARKS)[:2] == ["serve", "rewrite"]
    assert all(map(callable, BENCHMARKS.values()))


def test_the_figures_are_written_as_one_flat_object_of_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures.json"
    assert main(["rewrite", "--quick", "--rounds", "1", "--json", str(file)]) == 0
    figures = json.loads(file.read_text("utf-8"))
    assert isinstance(figures, dict)
    assert all(name.startswith("rewrite.") and type(value) is float for name, value in figures.items())
    for size in SIZES:
        assert {f"rewrite.{name}_{size}" for name in ("cold_over_bs4", "warm_over_bs4", "cold_ms")} <= figures.keys()
    said = capsys.readouterr()
    assert all(name in said.out for name in figures)
    assert "rewrite: 60k" in said.err


def test_an_unknown_name_exits_2_with_the_nearest_right_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["rewrit"])
    assert left.value.code == 2
    assert "did you mean 'rewrite'?" in capsys.readouterr().err


@pytest.mark.parametrize("size", SIZES.values())
def test_pages_are_the_same_each_time_and_of_their_size(size: int) -> None:
    made = page(size)
    assert made == page(size)
    assert abs(len(made) - size) < 1500
    assert made.count(ARTICLE_END) == 1


def answer(name: str) -> bytes:
    """The page as one of the apps answers."""
    sent = asyncio.run(drive(apps.APPS[name](), http_scope(apps.PATH)))
    assert sent[0]["status"] == 200
    return b"".join(message.get("body", b"") for message in sent)


def test_every_app_answers_and_the_rivals_make_the_guards_insertions() -> None:
    things = inserts(apps.PAGE, answer("guarded"))
    assert b"<script" in things.head
    assert b"cg-share" in things.article
    for name in ("unguarded", "noop", "basehttp", "slowapi"):
        assert answer(name) == apps.PAGE
    lexbor = lexbor_editor(things)
    pages = [bs4_editor(things)(apps.PAGE)] + ([lexbor(apps.PAGE)] if lexbor else [])
    for made in pages:
        assert made.index(b'src="/.contentguard/') < made.index(b"</head>") < made.index(b'class="cg-share"')
        assert made.index(b'class="cg-share"') < made.index(ARTICLE_END)


def test_slowapi_really_counts() -> None:
    app = apps.slowapi("1/minute")
    statuses = [asyncio.run(drive(app, http_scope(apps.PATH)))[0]["status"] for _ in range(2)]
    assert statuses == [200, 429]


def test_a_page_that_differs_elsewhere_is_not_measured() -> None:
    with pytest.raises(MeasureError):
        inserts(apps.PAGE, apps.PAGE.replace(b"<h1", b"<h2"))


@pytest.mark.parametrize("more", ["", '[limits]\narticles = "1/minute"\nclients = 5\n', "[limits]\nclients = 5\n"])
def test_only_the_limit_on_articles_is_switched_off(more: str) -> None:
    example = tomllib.loads(EXAMPLE.read_text("utf-8"))
    text = more if "limits" in example else EXAMPLE.read_text("utf-8") + more
    before, after = tomllib.loads(text), tomllib.loads(without_article_limit(text))
    assert after.pop("limits") == {**before.pop("limits", {}), "articles": ""}
    assert after == before


@pytest.mark.parametrize(("status", "refused"), [("200 OK", False), ("403 Forbidden", True)])
def test_our_own_load_generator_counts_answers_and_refusals(status: str, refused: bool) -> None:
    body = b"x" * 200_000
    reply = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    asked: list[bytes] = []

    handlers: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handlers.add(asyncio.current_task())
        try:
            while True:
                asked.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(reply)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.transport.abort()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def run() -> load.Load:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            done = await load.own(f"http://127.0.0.1:{port}/a", {"x-b": "c"}, 0.2)
            await asyncio.gather(*(task for task in handlers if task is not None))
            return done

    done = asyncio.run(run())
    assert 0 < done.answers <= len(asked)
    assert done.refused == (done.answers if refused else 0)
    assert asked[0].startswith(b"GET /a HTTP/1.1\r\n")
    assert b"\r\nx-b: c\r\n" in asked[0]
