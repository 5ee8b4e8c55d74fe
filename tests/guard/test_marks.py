"""Marked copies, as HTTP: each reader's names their pass, and is the author's text all the same."""

from __future__ import annotations

import asyncio
import gzip
import re
import time
from collections.abc import Mapping
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from contentguard import ContentGuardMiddleware
from contentguard.admission.passes import read
from contentguard.backends.evidence import EvidenceLog
from contentguard.cli.texts import document
from contentguard.errors import SettingsError
from contentguard.watermark.blind import frames
from contentguard.watermark.keys import epoch_at
from tests.client import CHROME, GPTBOT, PARAGRAPH, get, guarded, page
from tests.guard.test_reading import GOOGLEBOT, LONG, news, proved
from tests.guard.test_visits import Site

MARKED: Mapping[str, Any] = {"watermark": {"enabled": True}}
INVISIBLE = re.compile("[\u200c-\u200e\u2060\ufe00-\ufe0f\U000e0100-\U000e01ef]")
NAME = b"https://news.example/news/tide"
STORY = (
    "<!doctype html><html lang=en><head><meta charset=utf-8><title>Tide</title></head><body><article class=story>"
    "<h1>The tide, don’t you know, is high.</h1>"
    "<p>The harbour master don’t say. <a href=/more>Nobody at the harbour knows.</a> “They don’t know.”</p>"
    '<p>About <span data-cg-variant="scores">[dozens]</span> of people came to the <em>harbour wall</em> to see.</p>'
    "<blockquote><p>They don’t know the harbour at all.</p></blockquote><pre>harbour don’t harbour don’t</pre>"
    + "".join(f"<p>{'Harbour water rises over the wall, they say. ' * 4}</p>" for _ in range(3))
    + "</article></body></html>"
).replace("[dozens]", "dozens")


def serials(app: ContentGuardMiddleware, text: str, article: bytes = NAME) -> list[int]:
    """Whom a page's frames name."""
    copies = app.guard.copies
    assert copies is not None
    return [named.serial for named in frames(text, copies.secrets, epoch_at(time.time()), [article]).genuine]


def serial(app: ContentGuardMiddleware, cookie: str) -> int:
    """The serial of the pass in a cookie."""
    assert app.guard.copies is not None
    found = read(app.guard.signer.derived("pass"), cookie.partition("=")[2].partition(";")[0].encode())
    assert found is not None
    return app.guard.copies.serial(found.id)


def test_a_copy_names_the_pass_that_it_was_given_with_and_then_the_same_again() -> None:
    app = guarded(**MARKED)
    first = get(app)
    cookie = first.headers["set-cookie"]
    assert serials(app, first.text) == [serial(app, cookie)]
    again = get(app, headers={**CHROME, "cookie": cookie.partition(";")[0]})
    assert serials(app, again.text) == [serial(app, cookie)]
    assert serials(app, get(app).text) != [serial(app, cookie)], "another reader's"


def test_the_copy_less_its_marks_is_the_page_without() -> None:
    """Typography apart, which differs in what can be seen."""
    channels: dict[str, Any] = {"watermark": {"enabled": True, "typography": False}}
    own = re.compile(r"[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}|/more/[\w-]+|report [\w-]+| cg-[0-9a-v]{16}")
    marked, plain = (own.sub("", get(guarded(**options)).text) for options in (channels, dict[str, Any]()))
    assert INVISIBLE.sub("", marked) == plain
    assert marked != plain


def test_a_mirror_of_the_page_says_whose_it_is_without_any_invisible_mark() -> None:
    """By a class of an element of ours; switched off, there is none."""
    app = guarded(**MARKED)
    answer = get(app)
    mirror = answer.content.decode().encode("ascii", "ignore")
    assert serials(app, document(mirror, "html").text) == [serial(app, answer.headers["set-cookie"])]
    assert len(re.findall(rb"cg-share cg-[0-9a-v]{16}", mirror)) == 1
    assert not re.search(r"cg-[0-9a-v]{16}", get(guarded(watermark={"enabled": True, "html": False})).text)
    assert not re.search(r"cg-[0-9a-v]{16}", get(guarded(**MARKED), headers=GOOGLEBOT).text)


def test_a_page_without_an_element_of_ours_gets_no_class() -> None:
    none: dict[str, Any] = {"share": {"enabled": False}, "visible": {"print": False}, "copying": {"policy": "off"}}
    answer = get(guarded(**MARKED, **none, probes={"honeylinks": False}))
    assert not re.search(r"cg-[0-9a-v]{16}", answer.text)
    assert INVISIBLE.search(answer.text)


def test_nothing_is_marked_by_default_nor_without_visits() -> None:
    assert not INVISIBLE.search(get(guarded()).text)
    assert not INVISIBLE.search(get(guarded(**MARKED, visits={"remember": False})).text)


def test_headings_links_quotations_and_code_are_left_alone() -> None:
    text = get(guarded(page(STORY), **MARKED)).text
    for untouched in (
        "<h1>The tide, don’t you know, is high.</h1>",
        "<a href=/more>Nobody at the harbour knows.</a> “They don’t know.”",
        "<blockquote><p>They don’t know the harbour at all.</p></blockquote><pre>harbour don’t harbour don’t</pre>",
    ):
        assert untouched in text
    assert re.search("<em>harbour[\ufe00-\U000e01ef][\u200c-\u2063] wall</em>", text)


def test_an_editor_s_variant_is_chosen_and_its_element_goes() -> None:
    seen = {found for _ in range(24) for found in re.findall("dozens|scores", get(guarded(page(STORY), **MARKED)).text)}
    assert seen == {"dozens", "scores"}
    text = get(guarded(page(STORY), **MARKED)).text
    assert "data-cg-variant" not in text
    assert "About <span" not in text


def test_search_engines_get_what_the_author_wrote() -> None:
    app = guarded(page(STORY), **MARKED)
    text = get(app, headers=GOOGLEBOT).text
    assert not INVISIBLE.search(text)
    assert "About dozens of people" in text


def test_a_robot_that_may_have_articles_has_a_copy_of_its_own() -> None:
    app = guarded(policy={"crawlers": {"GPTBot": "allow"}}, **MARKED)
    assert app.guard.copies is not None
    assert serials(app, get(app, headers=GPTBOT).text) == [app.guard.copies.serial("crawler GPTBot")]


def test_a_reader_whom_the_app_knows_has_one_copy_on_all_devices() -> None:
    app = guarded(**MARKED, reader=lambda scope: "ada", reading={"mode": "progressive"})
    assert app.guard.copies is not None
    own = [app.guard.copies.serial("account ada")]
    assert serials(app, get(app).text) == own
    assert serials(app, get(app, headers={**CHROME, "accept-language": "fr"}).text) == own


def test_gzip_holds_the_same_marks() -> None:
    app = guarded(**MARKED)
    answer = get(app, headers={**CHROME, "accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert serials(app, answer.text) == [serial(app, answer.headers["set-cookie"])]


CHARSETS = {
    "windows-1252": "Der Hafenmeister öffnete – über Nacht – die Schleuse.",
    "iso-8859-15": "Le maître du port coûte cher à la cité, dit-on.",
    "koi8-r": "Начальник порта сегодня утром открыл старый шлюз.",
    "shift_jis": "港長 は 今朝 「古い 水門」 を 開けた Hafen。",
    "gb18030": "港长 今天早上 打开了 旧 水闸 harbour。",
    "big5": "港長 今天早上 打開了 舊 水閘 harbour。",
    "euc-kr": "항만장은 오늘 아침 오래된 수문을 열었다 harbour.",
}


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("by_header", [True, False], ids=["header", "meta"])
def test_another_charset_gets_its_marks_as_references(charset: str, by_header: bool) -> None:
    """The page stays what its charset can say, and every other character what it was."""
    story = STORY.replace("charset=utf-8", f"charset={charset}").replace("’", "'").replace("“", '"').replace("”", '"')
    story = story.replace("Harbour water", f"{CHARSETS[charset]} Harbour water")
    kind = f"text/html; charset={charset}" if by_header else "text/html"
    channels: dict[str, Any] = {"watermark": {"enabled": True, "typography": False, "wording": False, "html": False}}
    app = guarded(page(story.encode(charset), headers=[("content-type", kind)]), **channels)
    answer = get(app)
    text = unescape(answer.content.decode(charset))
    assert serials(app, text) == [serial(app, answer.headers["set-cookie"])]
    assert not INVISIBLE.search(answer.content.decode(charset)), "only as references"
    assert INVISIBLE.sub("", text).count(CHARSETS[charset]) == 12
    assert "data-cg-variant" not in text


@pytest.mark.parametrize(
    ("kind", "codec"),
    [
        ("text/html; charset=utf-16", "utf-16"),
        ("text/html", "utf-16"),
        ("text/html; charset=iso-2022-jp", "iso-2022-jp"),
        ("text/html", "iso-2022-jp"),
    ],
)
def test_a_charset_that_is_no_superset_of_ascii_gets_no_marks(kind: str, codec: str) -> None:
    story = re.sub("[’“”]", "", STORY).replace("charset=utf-8", f"charset={codec}").replace("Harbour", "港長 Harbour")
    answer = get(guarded(page(story.encode(codec), headers=[("content-type", kind)]), **MARKED))
    assert answer.status_code == 200
    assert not re.search(r"&#917\d{3};", answer.content.decode(codec))
    assert not INVISIBLE.search(answer.content.decode(codec))
    assert answer.content.decode(codec).count("港長") == story.count("港長")


def test_a_page_that_writes_a_character_otherwise_than_its_charset_does_is_not_marked() -> None:
    """cp932 knows some characters twice; what is read and written again has other bytes, and no place could be told."""
    story = re.sub("[’“”]", "", STORY).replace("utf-8", "cp932").encode("cp932")
    story = story.replace(b"Harbour", b"\x87\x90 Harbour")
    answer = get(guarded(page(story, headers=[("content-type", "text/html; charset=cp932")]), **MARKED))
    assert b"&#917" not in answer.content
    assert answer.content.count(b"\x87\x90 Harbour") == 12


def test_a_page_that_cannot_be_read_is_not_marked() -> None:
    body = STORY.encode().replace(b"Harbour water", b"Harbour \xff water")
    answer = get(guarded(page(body), **MARKED))
    assert answer.status_code == 200
    assert b"Harbour \xff water" in answer.content
    assert not INVISIBLE.search(answer.content.decode("utf-8", "replace"))


def test_a_failure_of_the_marks_costs_no_reader_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    app = guarded(**MARKED)
    assert app.guard.copies is not None
    monkeypatch.setattr(app.guard.copies, "serial", lambda name: 1 / 0)
    answer = get(app)
    assert answer.status_code == 200
    assert not INVISIBLE.search(answer.text)
    assert app.guard.counts["marks-failed"] == 1


def test_a_failure_to_find_the_places_costs_no_reader_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    app = guarded(**MARKED)
    monkeypatch.setattr("contentguard.guard.copies.Compiled", lambda *args, **options: 1 / 0)
    answer = get(app)
    assert answer.status_code == 200
    assert "cg-share" in answer.text
    assert app.guard.counts["marks-failed"] >= 1


def test_lead_and_rest_carry_the_same_reader_s_marks() -> None:
    reading = news(**MARKED)
    lead = reading.ask("/news/tide", CHROME)
    rest = proved(reading, lead, lead.cookie)
    texts = [answer.text.encode("latin-1").decode() for answer in (lead, rest)]
    assert "cg-continue" in texts[0]
    assert "tide29" in INVISIBLE.sub("", texts[1])
    named = [_at(reading, text) for text in texts]
    assert named[0] == named[1] == [serial(reading.guarded, lead.cookie)]


def _at(reading: Site, text: str) -> list[int]:
    """Whom a copy names, at the time of a site's clock."""
    copies = reading.guard.copies
    return [one.serial for one in frames(text, copies.secrets, epoch_at(reading.now), [NAME]).genuine]


def test_marks_in_a_lead_do_not_let_the_rest_out() -> None:
    lead = news(**MARKED).ask("/news/tide", CHROME).text.encode("latin-1").decode()
    assert "tide29" not in INVISIBLE.sub("", lead)
    assert INVISIBLE.search(lead)


def test_a_changed_page_is_marked_anew() -> None:
    bodies = iter([LONG, LONG.replace("tide3 ", "ebb3 "), LONG])

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        await send({"type": "http.response.body", "body": next(bodies).encode()})

    guard = guarded(app, **MARKED)
    texts = [INVISIBLE.sub("", get(guard).text) for _ in range(3)]
    assert ["ebb3 " in text for text in texts] == [False, True, False]


def test_a_page_that_the_app_streams_is_marked_too() -> None:
    chunks = [STORY.encode()[at : at + 200] for at in range(0, len(STORY.encode()), 200)]
    app = guarded(page(chunks=chunks), **MARKED)
    answer = get(app)
    assert serials(app, answer.text) == [serial(app, answer.headers["set-cookie"])]
    assert "data-cg-variant" not in answer.text


def test_gzip_of_a_large_page_is_whole() -> None:
    body = STORY.replace("</article>", "<p>" + "Harbour water rises. " * 8000 + "</p></article>")
    app = guarded(page(body), **MARKED)
    answer = get(app, headers={**CHROME, "accept-encoding": "gzip"})
    assert serials(app, answer.text) == [serial(app, answer.headers["set-cookie"])]
    assert len(gzip.compress(answer.text.encode(), 1)) < len(body)


class TestEvidence:
    def test_every_copy_is_written_down_and_every_article_learned(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path / 'evidence.db'}"
        app = guarded(**MARKED, evidence={"url": url})
        first, second = get(app), get(app, headers={**CHROME, "user-agent": CHROME["user-agent"] + " x"})
        get(app, headers=GOOGLEBOT)
        asyncio.run(app.guard.aclose())
        log = EvidenceLog(url, app.guard.signer.derive("fingerprints"), create=False)
        rows = list(log.rows())
        cookies = [answer.headers["set-cookie"] for answer in (first, second)]
        assert [row.serial for row in rows] == [serial(app, cookie) for cookie in cookies]
        assert {row.article for row in rows} == {NAME.decode()}
        assert rows[1].agent.endswith(" x")
        assert "192.0.2.7" not in str(rows)
        assert rows[0].address == rows[1].address != rows[0].prefix
        assert {row.action for row in rows} == {"allow"}
        (revision,) = log.revisions(NAME.decode())
        assert revision.revision == rows[0].revision
        assert PARAGRAPH.strip() in revision.paragraphs[0][0]
        log.close()

    def test_a_database_that_cannot_be_opened_costs_no_page(self, tmp_path: Path) -> None:
        app = guarded(**MARKED, evidence={"url": f"sqlite:///{tmp_path / 'nowhere' / 'evidence.db'}"})
        answer = get(app)
        asyncio.run(app.guard.aclose())
        assert serials(app, answer.text) == [serial(app, answer.headers["set-cookie"])]
        assert app.guard.copies is not None
        assert app.guard.copies.evidence is not None
        assert app.guard.copies.evidence.failures.total() >= 1

    @pytest.mark.parametrize("url", ["mysql://x/y", "evidence.db"])
    def test_another_kind_of_database_is_an_error_that_says_so(self, url: str) -> None:
        with pytest.raises(SettingsError, match=r"sqlite:/// or postgresql://"):
            guarded(**MARKED, evidence={"url": url})

    def test_evidence_without_days_is_an_error(self) -> None:
        with pytest.raises(SettingsError, match="more than 0, not 0"):
            guarded(**MARKED, evidence={"days": 0})
