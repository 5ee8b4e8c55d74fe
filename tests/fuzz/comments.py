"""Hostile comments: markup, controls, changes of direction, nesting, sizes, in every field and in what surrounds it.

``hunt`` posts them as a form is posted and looks at what comes of each: an answer, never an exception; a submission
that can be kept as JSON; and HTML in which nothing that was typed is markup.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from contentguard import Comments, Settings
from contentguard.comments.decision import Decision
from contentguard.comments.fields import parsed
from contentguard.comments.form import FIELD
from contentguard.comments.submission import Submission
from tests.client import CHROME, KEY, hidden_fields, http_scope

PIECES = (
    *("<script>hit()</script>", "<img src=x onerror=hit()>", "<svg/onload=hit()>", "</p></textarea></form></title>"),
    *('"onmouseover="hit()', "'><script>hit()</script>", "javascript:hit()", "data:text/html,<script>hit()</script>"),
    *('https://a.example/\\"onfocus=hit()//', "https://a.example/<b>", "http://x@evil.example/"),
    *("https://a.b/'-hit()-'", "<!--", "-->", "<![CDATA[", "<?php", "{{7*7}}", "${hit()}", "&#x3c;script&#x3e;"),
    *("<a href=javascript:hit()>x</a>", "[url=javascript:hit()]x[/url]", "\x00", "\x1b[31m", "\r\n", "\n\n\n"),
    *("\u2028", "\u202e", "\u2066", "\u200b", "\ud800", "\udfff", "\ufeff", "\U000e0041", "\ufdfd"),
    *(
        "Z\u0301\u0302\u0303\u0304\u0305" * 3,
        "👩‍👩‍👧",
        "日本語",
        "שלום",
        "😀" * 20,
        "%00",
        "%c0%af",
        "+",
        "&",
        "=",
        ";",
    ),
    *("a" * 300, "(" * 50, ")" * 50, "https://", "https://a.b/" + ")" * 30, "@", ".", "' OR 1=1 --"),
    *("../../etc/passwd", "\\", "`", "casino", "viagra", "Hello", "the tide", " ", "!"),
)
FIELDS = ("comment", "author", "email", "url")
HEADERS = ("user-agent", "referer", "accept-language", "origin", "host", "cookie", "sec-fetch-site", "content-type")
_TAG = re.compile(r"<[^>]*>")
_OURS = re.compile(r'<p dir="auto">|</p>|<br>|<a href="https?://[^"<>\s]+" rel="nofollow ugc">|</a>', re.IGNORECASE)


def hostile(chance: random.Random, most: int = 12) -> str:
    """A text that nobody means well with."""
    text = "".join(chance.choice(PIECES) for _ in range(chance.randrange(most)))
    kind = chance.random()
    if kind < 0.02:
        return text * 2000
    if kind < 0.05:
        return "<div>" * chance.randrange(2000) + text
    if kind < 0.1:
        return "".join(chr(chance.randrange(0x110000)) for _ in range(40)) + text
    return text


def fault_of_html(html: str) -> str:
    """What of a comment's HTML is not ours; empty where all is."""
    foreign = [tag for tag in _TAG.findall(html) if _OURS.fullmatch(tag) is None]
    return foreign[0] if foreign else "<" if "<" in _TAG.sub("", html) else ""


def post(chance: random.Random, form: dict[str, str]) -> tuple[dict[str, object], dict[str, str]]:
    """The fields and headers of one post; mostly well-formed, so that it comes through."""
    fields: dict[str, object] = {"author": "Ann", "email": f"ann{chance.random()}@example.org", **form}
    fields["comment"] = f"Comment {chance.random()} " + hostile(chance)
    for name in FIELDS[1:] if chance.random() < 0.5 else ():
        fields[name] = hostile(chance, 4)
    if chance.random() < 0.1:
        fields[FIELD] = hostile(chance)
    if chance.random() < 0.1:
        fields |= {hostile(chance, 3): hostile(chance, 3) for _ in range(chance.randrange(80))}
    if chance.random() < 0.05:
        fields[chance.choice(FIELDS)] = chance.choice([None, 5, b"x", ["x"]])
    headers = {**CHROME, "sec-fetch-site": "same-origin"}
    if chance.random() < 0.2:
        headers[chance.choice(HEADERS)] = hostile(chance, 4)
    return fields, headers


async def hunt(seed: int, numbers: range, tally: Counter[str] | None = None) -> list[str]:
    """What is wrong with any of these posts."""
    now = 1_800_000_000.0
    tally = Counter() if tally is None else tally
    options = {"flood_seconds": 0, "moderation": "none", "second_press": False}
    comments = Comments.of(Settings(secret_key=KEY, comments=options), lambda: now)
    found = []
    for number in numbers:
        chance = random.Random(f"{seed} {number}")
        article, form_scope = hostile(chance, 3) or "/", http_scope("/news/tide")
        form = hidden_fields(comments.form(form_scope, article).html)
        now += 20.0
        try:
            found += [f"{number}: {fault}" async for fault in _faults(comments, chance, article, form, tally)]
        except Exception as error:
            found.append(f"{number}: {type(error).__name__}: {error}")
    await comments.aclose()
    return found


async def _faults(
    comments: Comments, chance: random.Random, article: str, form: dict[str, str], tally: Counter[str]
) -> Any:
    fields, headers = post(chance, form)
    scope = http_scope("/news/tide", {}, method="POST")
    scope["headers"] = [(name.encode(), value.encode("utf-8", "replace")) for name, value in headers.items()]
    posted = await comments.receive(scope, article, fields, parent=hostile(chance, 2), role=hostile(chance, 2))
    tally[str(posted.status)] += 1
    if chance.random() < 0.2:
        parsed("&".join(f"{name}={value}" for name, value in fields.items()).encode("utf-8", "replace"))
    if posted.decision is None or posted.submission is None:
        if posted.status == 200 or not posted.errors or posted.form is None:
            yield f"refused without a word: {posted}"
        return
    tally[posted.decision.action] += 1
    if posted.status != 200 or posted.errors:
        yield f"accepted with an error: {posted}"
    kept = json.loads(json.dumps(posted.submission.as_dict())), json.loads(json.dumps(posted.decision.as_dict()))
    if (Submission.from_dict(kept[0]), Decision.from_dict(kept[1])) != (posted.submission, posted.decision):
        yield f"not kept as it was: {posted.submission}"
    json.dumps(kept, ensure_ascii=False).encode("utf-8")
    if fault := fault_of_html(comments.html(posted.submission.text)):
        yield f"HTML that is not ours: {fault!r}"
    if chance.random() < 0.01:
        await comments.learn(posted.submission, chance.random() < 0.5)


def samples(seed: int, number: int) -> Iterator[str]:
    """Hostile texts, for pages in a browser."""
    chance = random.Random(seed)
    return (hostile(chance) for _ in range(number))
