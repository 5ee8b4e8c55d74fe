"""The benchmarks' machinery: that it runs and measures what it says, not how fast anything is."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from math import isfinite
from pathlib import Path
from random import Random
from typing import Any

import pytest

from contentguard.crawlers import CATALOGUE
from tests.benchmarks import (
    admission,
    apps,
    decide,
    governor,
    inprocess,
    load,
    memory,
    protocol,
    redis,
    rewrite,
    rivals,
    serve,
    stall,
    watermark,
)
from tests.benchmarks.__main__ import BENCHMARKS, main
from tests.benchmarks.answers import Kind, fault
from tests.benchmarks.editors import MARK, RIVALS, Inserts, Rival, checked, inserts
from tests.benchmarks.measure import (
    Figure,
    Figures,
    Fresh,
    MeasureError,
    Options,
    gathered,
    seconds_per_call,
    there_and_back,
)
from tests.benchmarks.pages import ARTICLE_END, SIZES, TOKENS, page, with_tokens
from tests.benchmarks.serve import EXAMPLE, Visitors, with_unreached_limit
from tests.benchmarks.servers import running
from tests.benchmarks.versions import about, installed
from tests.client import drive, guarded, http_scope
from tests.client import page as answering
from tests.servers.harness import need_program

pytestmark = pytest.mark.no_cover
"""Long, and what it runs is covered by others: traced it would take twice as long."""

QUICK = Options(1, quick=True)
SMALL = {label: SIZES[label] for label in ("60k", "200k")}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same figures with less work: two sizes of page, and few of them in the cache."""
    monkeypatch.setattr(rewrite, "SIZES", SMALL)
    monkeypatch.setattr(memory, "PAGES", 60)
    monkeypatch.setattr(memory, "BOUND", 2**18)


# -- the command line ------------------------------------------------------------------------------------------


def test_the_table_names_what_can_be_measured() -> None:
    assert list(BENCHMARKS)[:2] == ["serve", "rewrite"]
    assert all(map(callable, BENCHMARKS.values()))


@pytest.mark.usefixtures("small")
def test_the_figures_of_rewriting_are_written_as_one_flat_object_of_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures.json"
    assert main(["rewrite", "--quick", "--rounds", "1", "--json", str(file)]) == 0
    figures = json.loads(file.read_text("utf-8"))
    assert isinstance(figures, dict)
    assert all(name.startswith("rewrite.") and type(value) is float for name, value in figures.items())
    assert {
        "rewrite.cold_over_bs4_60k",
        "rewrite.cold_over_lolhtml_60k",
        "rewrite.warm_over_bs4_60k",
        "rewrite.token_change_over_cold_200k",
        "rewrite.longest_stall_ms_1000k",
        "rewrite.longest_divided_stall_ms_1000k",
        "rewrite.longest_marked_stall_ms_1000k",
        "rewrite.cache_bytes_over_pages",
    } <= figures.keys()
    for size in SMALL:
        for rival in (*(name for name in RIVALS if "lolhtml" not in name), "lolhtml_inserts"):
            assert {f"rewrite.{name}_{rival}_{size}" for name in ("cold_over", "warm_over")} <= figures.keys()
    said = capsys.readouterr()
    assert all(name in said.out for name in figures)
    assert "rewrite: 60k" in said.err


def test_the_figures_of_admission(capsys: pytest.CaptureFixture[str]) -> None:
    figures = admission.run(QUICK)
    assert {"admission.ticket_us", "admission.verify_us", "admission.forged_us"} <= figures.keys()
    assert 0.0 < figures["admission.bogus_over_page"].value < 5.0
    assert all(figure.value > 0 for figure in figures.values())
    assert "admission" in capsys.readouterr().err


def test_what_is_not_done_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    works = admission.works()
    monkeypatch.setattr("contentguard.admission.proof.solves", lambda *_: False)
    with pytest.raises(MeasureError, match="a right proof is refused"):
        works["verify"]()
    monkeypatch.setattr("contentguard.admission.proof.solves", lambda *_: True)
    with pytest.raises(MeasureError, match="a wrong proof is accepted"):
        works["forged_worst"]()
    monkeypatch.setattr("contentguard.admission.tickets.check", lambda *_: "late")
    with pytest.raises(MeasureError, match="a ticket is not good"):
        works["ticket"]()


def test_an_unknown_name_exits_2_with_the_nearest_right_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["rewrit"])
    assert left.value.code == 2
    assert "did you mean 'rewrite'?" in capsys.readouterr().err


def test_what_could_be_measured_is_written_though_the_rest_could_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(_options: Options) -> Figures:
        raise MeasureError("the other half does not answer", {"half.one": Figure(1.0, "×", "one")})

    def whole(_options: Options) -> Figures:
        return {"whole.two": Figure(2.0, "×", "two")}

    monkeypatch.setattr("tests.benchmarks.__main__.BENCHMARKS", {"half": half, "whole": whole})
    file = tmp_path / "figures.json"
    assert main(["--json", str(file)]) == 1
    assert json.loads(file.read_text("utf-8")) == {"half.one": 1.0, "whole.two": 2.0}
    assert "could not be measured: the other half does not answer" in capsys.readouterr().err


def test_a_run_says_first_what_it_stands_on() -> None:
    told = about()
    for package in ("beautifulsoup4", "selectolax", "python-lolhtml", "turbohtml", "slowapi", "granian", "uvicorn"):
        assert f"{package} {installed(package)}" in told
    assert "CPUs" in told
    assert installed("no-such-package-of-ours") is None


# -- how time is taken -----------------------------------------------------------------------------------------


def test_fresh_things_are_each_used_once_and_never_too_many_are_held() -> None:
    made: Iterator[int] = iter(range(10_000))
    used: list[bytes] = []
    work = Fresh(lambda: b"%04d" % next(made), used.append, most=4 * 50)
    assert seconds_per_call(work, 0.05) > 0
    assert len(used) == len(set(used)) == 51
    assert work.prepare(1000) == 50


def test_a_slow_thing_is_called_once_per_round_only() -> None:
    calls: list[float] = []

    def slow() -> None:
        calls.append(time.perf_counter())
        time.sleep(0.03)

    assert seconds_per_call(slow, 0.01) >= 0.03
    assert len(calls) == 1


def test_every_other_round_runs_backwards() -> None:
    assert [there_and_back("abc", number) for number in range(3)] == [[*"abc"], [*"cba"], [*"abc"]]


def test_every_part_has_its_turn_and_all_faults_are_told() -> None:
    def part(name: str) -> Figures:
        if name == "good":
            return {name: Figure(1.0, "×", name)}
        raise MeasureError(f"{name} fails", {name: Figure(0.5, "×", name)})

    with pytest.raises(MeasureError, match=r"first fails\nlast fails") as raised:
        gathered([lambda: part("first"), lambda: part("good"), lambda: part("last")])
    assert list(raised.value.figures) == ["first", "good", "last"]


# -- the pages -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES.values())
def test_pages_are_the_same_each_time_and_of_their_size(size: int) -> None:
    made = page(size)
    assert made == page(size)
    assert abs(len(made) - size) < 1500
    assert made.count(ARTICLE_END) == 1


@pytest.mark.parametrize("same_length", [True, False])
def test_fresh_tokens_stand_where_they_should_and_nothing_else_changes(same_length: bool) -> None:
    plain, dice = page(10_000), Random(7)
    pages = [with_tokens(plain, dice, ("head", "form"), same_length=same_length) for _ in range(20)]
    assert len({*pages, plain}) == 21
    assert (len({*map(len, pages)}) == 1) is same_length
    edges = [plain.split(TOKENS[place]) for place in ("head", "form")]
    for made in pages:
        assert made.startswith(edges[0][0])
        assert made.endswith(edges[1][1])
        assert TOKENS["script"] in made
        assert TOKENS["head"] not in made
        assert TOKENS["form"] not in made


# -- the rivals ------------------------------------------------------------------------------------------------


def answer(name: str) -> bytes:
    """The page as one of the apps answers."""
    sent = asyncio.run(drive(apps.APPS[name](), http_scope(apps.PATH)))
    assert sent[0]["status"] == 200
    return b"".join(message.get("body", b"") for message in sent)


@pytest.fixture(scope="module")
def things() -> Inserts:
    """What the guard puts into the page."""
    return inserts(apps.PAGE, answer("unmetered"))


@pytest.mark.parametrize("name", RIVALS)
def test_every_rival_makes_the_guards_insertions(name: str, things: Inserts) -> None:
    assert b"<script" in things.head
    assert b"cg-share" in things.article
    made = checked(RIVALS[name], apps.PAGE, things)(apps.PAGE)
    assert made.index(b'src="/.contentguard/') < made.index(b"</head>") < made.index(b'class="cg-share"')
    assert made.index(b'class="cg-share"') < made.index(ARTICLE_END)
    assert (MARK.encode() in made) is RIVALS[name].marks


@pytest.mark.parametrize(
    ("change", "exact"),
    [
        ((b"<h1", b"<h2"), False),
        ((b"Skip to content", b"Skip to the content"), False),
        ((b'alt="Quay"', b'alt=""'), False),
        ((b"<head>", b"<HEAD>"), True),
    ],
)
def test_a_rival_that_changes_the_page_is_not_timed(change: tuple[bytes, bytes], exact: bool, things: Inserts) -> None:
    rival = Rival("nothing", "the rival", lambda t: lambda body: t.into(body).replace(*change), exact=exact)
    with pytest.raises(MeasureError, match="the rival does not make the page"):
        checked(rival, apps.PAGE, things)


def test_a_rival_that_does_nothing_or_marks_nothing_is_not_timed(things: Inserts) -> None:
    with pytest.raises(MeasureError, match="does not make the page"):
        checked(Rival("nothing", "the rival", lambda _: lambda body: body, exact=False), apps.PAGE, things)
    with pytest.raises(MeasureError, match="does not make its marks"):
        checked(Rival("nothing", "the rival", lambda t: t.into, exact=True, marks=True), apps.PAGE, things)


def test_one_bad_rival_does_not_keep_the_others_from_being_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = Rival("beautifulsoup4", "the rival", lambda _: lambda body: body, exact=True)
    monkeypatch.setattr(rewrite, "RIVALS", {"bad": bad, "lexbor": RIVALS["lexbor"]})
    with pytest.raises(MeasureError, match="rewrite, 10k: the rival does not make the page") as raised:
        rewrite.measured("10k", SIZES["10k"], QUICK)
    assert "rewrite.cold_over_lexbor_10k" in raised.value.figures
    assert "rewrite.cold_over_bad_10k" not in raised.value.figures


def test_a_page_that_differs_elsewhere_is_not_measured() -> None:
    with pytest.raises(MeasureError):
        inserts(apps.PAGE, apps.PAGE.replace(b"<h1", b"<h2"))


@pytest.mark.parametrize("name", ["slowapi", "slowapi_asgi"])
def test_slowapi_really_counts(name: str) -> None:
    app = {"slowapi": apps.slowapi, "slowapi_asgi": apps.slowapi_asgi}[name]("1/minute")
    statuses = [asyncio.run(drive(app, http_scope(apps.PATH)))[0]["status"] for _ in range(2)]
    assert statuses == [200, 429]


# -- deciding, and how others do it --------------------------------------------------------------------------------


def test_deciding_is_compared_with_what_is_installed_and_the_rest_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rivals, "RIVALS", {**rivals.RIVALS, "made_up": ("no_such_module_of_ours", rivals.bare)})
    figures = decide.run(QUICK)
    assert {
        "decide.returning_us",
        "decide.new_us",
        "decide.visit_us",
        "decide.manner_us",
        "decide.refused_over_served",
        "decide.rules_1000_over_10",
        "decide.catalogue_2000_over_100",
        "decide.over_slowapi",
    } <= figures.keys()
    assert "decide.over_made_up" not in figures
    assert "left out, because not installed" in (said := capsys.readouterr().err)
    assert "made-up" in said
    # What is a difference of two times may be less than nothing on a busy machine.
    assert all(isfinite(figure.value) for figure in figures.values())


def test_a_rival_that_refuses_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rivals, "RIVALS", {"slowapi": ("slowapi", lambda: apps.slowapi("1/day"))})
    with pytest.raises(MeasureError, match="slowapi does not let a reader pass"):
        rivals.compared(QUICK)


def test_user_agents_to_be_matched_are_browsers_and_robots_in_turn_and_each_is_new() -> None:
    agents = list(islice(rivals._agents(), 400))
    assert len(set(agents)) == 400
    matched = [CATALOGUE.match(agent) for agent in agents]
    assert all(robot is None for robot in matched[::2])
    assert all(robot is not None for robot in matched[1::2])


# -- answers, in process and over sockets ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "status", "coding", "body", "accepted", "expected"),
    [
        (Kind.PLAIN, 200, None, apps.PAGE, False, ""),
        (Kind.PLAIN, 200, None, apps.PAGE + b" ", False, "the body is not"),
        (Kind.PLAIN, 500, None, apps.PAGE, False, "status 500"),
        (Kind.GUARDED, 200, None, apps.PAGE, False, "the body is not"),
        (Kind.REFUSED, 403, None, b"no", False, ""),
        (Kind.REFUSED, 200, None, b"no", False, "status 200"),
        (Kind.PLAIN, 200, "gzip", gzip.compress(apps.PAGE, mtime=0), True, ""),
        (Kind.PLAIN, 200, "gzip", gzip.compress(apps.PAGE, mtime=0), False, "comes as gzip"),
        (Kind.PLAIN, 200, None, apps.PAGE, True, "comes as identity"),
        (Kind.PLAIN, 200, "gzip", apps.PAGE, True, "no gzip"),
        (Kind.PLAIN, 200, "gzip", gzip.compress(apps.PAGE, mtime=0)[:-9], True, "no gzip"),
        (Kind.PLAIN, 200, "gzip", gzip.compress(b"another page", mtime=0), True, "the body is not"),
    ],
)
def test_an_answer_must_be_the_one_that_is_measured(
    kind: Kind, status: int, coding: str | None, body: bytes, accepted: bool, expected: str
) -> None:
    headers = {"content-encoding": coding} if coding else {}
    told = fault(kind, status, headers, body, gzip=accepted)
    assert (expected in told) if expected else (told == "")


def test_a_page_with_the_inserts_is_no_plain_one() -> None:
    made = answer("guarded")
    assert fault(Kind.GUARDED, 200, {}, made, gzip=False) == ""
    assert fault(Kind.NEWS, 200, {}, made, gzip=False)
    assert fault(Kind.NEWS, 200, {}, apps.PAGE, gzip=False) == ""


def test_every_app_is_measured_in_process_and_answers_as_it_should() -> None:
    figures = inprocess.added(QUICK)
    assert {"serve.added_us_over_slowapi", "serve.added_us_over_slowapi_asgi", "serve.added_us_over_basehttp"} <= {
        *figures
    }
    assert {f"serve.added_us_{name}" for name in inprocess.SUBJECTS} <= figures.keys()


def test_what_a_request_costs_the_servers_process(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = protocol.served(QUICK)
    assert {f"serve.protocol_{name}_over_unguarded" for name in protocol.SUBJECTS} == {*figures}
    assert figures["serve.protocol_guard_over_unguarded"].value < figures["serve.protocol_noop_over_unguarded"].value
    monkeypatch.setattr(protocol, "SUBJECTS", {"noop": inprocess.Subject("noop", "…", Kind.GUARDED)})
    with pytest.raises(MeasureError, match="by uvicorn's protocol, noop: the body is not"):
        protocol.served(QUICK)


def test_an_app_that_answers_otherwise_is_left_out_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    subjects = {"noop": inprocess.Subject("noop", "…"), "basehttp": inprocess.Subject("basehttp", "…", Kind.GUARDED)}
    monkeypatch.setattr(inprocess, "SUBJECTS", subjects)
    with pytest.raises(MeasureError, match="in process, basehttp: the body is not") as raised:
        inprocess.added(QUICK)
    assert list(raised.value.figures) == ["serve.added_us_noop"]


def test_every_figure_of_the_load_has_its_visitors_and_its_servers(tmp_path: Path) -> None:
    figures = serve.compared({name: [1.0, 2.0] for name in serve.VISITORS})
    assert {f"serve.{name}" for name in serve.RATIOS} <= figures.keys()
    assert {
        "serve.guarded_over_unguarded",
        "serve.news_guarded_over_unguarded",
        "serve.rewrite_only_over_unguarded",
        "serve.guarded_gzip_over_gzipmiddleware",
        "serve.guarded_gzip_over_gzipmiddleware6",
        "serve.granian_guarded_over_unguarded",
    } <= figures.keys()
    assert {one.server for one in serve.VISITORS.values()} <= serve.commands(tmp_path).keys()


def test_real_servers_are_loaded_and_who_answers_otherwise_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    visitors = {
        "guarded": Visitors("guarded", Kind.GUARDED),
        "unguarded": Visitors("unguarded"),
        "refused": Visitors("guarded", Kind.REFUSED),
        "granian_unguarded": Visitors("granian_unguarded"),
        "noop": Visitors("granian_unguarded", Kind.GUARDED),
    }
    # The generator of our own, whatever is installed: it can do with less than a second.
    monkeypatch.setattr("shutil.which", lambda _name: None)
    with pytest.raises(MeasureError, match=r"\Anoop: the body is not the page with the guard's inserts\Z") as raised:
        serve.loaded(QUICK, visitors)
    figures = raised.value.figures
    assert {"serve.guarded_over_unguarded", "serve.refused_over_served", "serve.rps_granian_unguarded"} <= {*figures}
    assert all(figure.value > 0 for figure in figures.values())


def test_a_server_that_does_not_start_is_reported_with_what_it_said(tmp_path: Path) -> None:
    with (
        pytest.raises(MeasureError, match=r"did not start:\n(?s:.*)KeyError: 'nobody'"),
        running({"nobody": ["tests.benchmarks.apps", "nobody"]}, tmp_path),
    ):
        pass


@pytest.mark.parametrize("more", ["", '[limits]\narticles = "1/minute"\nclients = 5\n', "[limits]\nclients = 5\n"])
def test_only_the_limit_on_articles_is_put_out_of_reach(more: str) -> None:
    example = tomllib.loads(EXAMPLE.read_text("utf-8"))
    text = more if "limits" in example else EXAMPLE.read_text("utf-8") + more
    before, after = tomllib.loads(text), tomllib.loads(with_unreached_limit(text))
    assert after.pop("limits") == {**before.pop("limits", {}), "articles": apps.UNREACHED}
    assert after == before


# -- the event loop and memory ---------------------------------------------------------------------------------


def test_a_stall_is_seen_wherever_in_a_request_it_is() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(0.01)
        time.sleep(0.05)  # noqa: ASYNC251 - this is what is to be seen
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    assert asyncio.run(stall.longest_stall(app, inserts=False)) >= 0.05
    with pytest.raises(MeasureError, match="the inserts are missing"):
        asyncio.run(stall.longest_stall(app))
    with pytest.raises(MeasureError, match="the inserts are there"):
        asyncio.run(stall.longest_stall(guarded(answering(apps.PAGE)), inserts=False))
    with pytest.raises(MeasureError, match="the page is no lead"):
        asyncio.run(stall.longest_stall(guarded(answering(apps.PAGE)), lead=True))


def test_memory_counts_what_is_held_and_nothing_else() -> None:
    held, pages = asyncio.run(memory.bytes_held(2**30, 30))
    assert pages > 30 * 9_000
    assert held > pages
    nothing, _ = asyncio.run(memory.bytes_held(0, 30))
    assert nothing < pages // 2


# -- a store that is shared -------------------------------------------------------------------------------------


def test_shared_decisions_are_measured_and_all_come_from_the_shared_store() -> None:
    need_program("redis-server")
    figures = redis.run(QUICK)
    assert {"redis.decision_us", "redis.decision_crowd_us", "redis.decision_over_client"} <= figures.keys()
    assert figures["redis.refusal_us"].value < figures["redis.decision_us"].value


def test_without_a_redis_server_there_is_nothing_to_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)
    with pytest.raises(MeasureError, match="redis-server is not installed"):
        redis.run(QUICK)


# -- the governor ----------------------------------------------------------------------------------------------


def test_a_site_is_besieged_in_every_way_and_the_bound_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(governor, "SIZES", (2000,))
    monkeypatch.setattr(governor, "CALM", (24.5, 1.0))
    figures = governor.run(QUICK)
    assert {f"governor.{name}" for name in ("waits_during", "waits_outside", "step_us", "meter_us")} <= figures.keys()
    assert 0.5 < figures["governor.leak_over_bound_no_passes"].value <= figures["governor.leak_over_bound"].value <= 1.0
    assert figures["governor.waits_during_spread"].value > figures["governor.waits_during_invented"].value
    assert set(governor.attacks()) >= {"common 300000", "solving 300000", "spread impatient"}


# -- the load generator ----------------------------------------------------------------------------------------


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


# -- marks -----------------------------------------------------------------------------------------------------


def test_marks_are_measured_from_embedding_to_accusation() -> None:
    figures = watermark.run(QUICK)
    assert all(figures[f"watermark.{name}"].value > 0 for name in ("embed_us", "blind_decode_ms", "gzip_bytes"))
    assert figures["watermark.full_traced"].value == figures["watermark.paragraph_traced"].value == 1.0
    assert figures["watermark.false_accusations"].value == 0


def test_a_copy_of_another_reader_s_is_not_traced() -> None:
    one = watermark.Subject(1)
    text = one.page(one.made.copy(watermark._KEYS, one.name, 7))
    assert one.is_blind(text, 7)
    assert not one.is_blind(text, 8)
    assert one.bits(text, 8) < 10 < one.bits(text, 7)
