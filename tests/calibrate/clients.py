"""The captured clients of ``tests/data/clients``, and what can befall a browser's request on its way.

Strategy: a capture is what one client really sent. A ``Condition`` changes it as a proxy, a blocker or a privacy
configuration would, so that a handful of browsers stands for the many configurations that could not be captured.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "data" / "clients"

Lines = list[tuple[str, str]]
"""Header names as they were written, with their values, in order."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a capture; headers are there for documents only."""

    at: float
    page: str
    version: str
    headers: Lines = field(default_factory=list)

    @property
    def is_article(self) -> bool:
        """Whether an article was asked for."""
        return self.page.startswith("article") and bool(self.headers)


@dataclass(frozen=True, slots=True)
class Capture:
    """What one client sent."""

    client: str
    tool: str
    stack: str
    """The HTTP implementation underneath: tools that share it are one family."""
    scheme: str
    requests: tuple[Request, ...]
    poses: bool = False
    """Whether it is a program that says it is a browser."""


def programs() -> list[Capture]:
    """HTTP clients: honest ones and those that pose as browsers."""
    return list(_captures("programs.jsonl"))


def kept(*, tool: str = "") -> list[Capture]:
    """Clients from which nothing is learned, as a check: HTTP clients of other kinds and versions, or browsers.

    ``tool``: "browser"; "altered" for a browser to which its reader has given another name;
    "automation" for those that a program drives.
    """
    others = ("browser", "altered", "automation")
    return [c for c in _captures("kept.jsonl") if (c.tool if c.tool in others else "") == tool]


def browsers(*, automated: bool = False) -> list[Capture]:
    """Real browsers; ``automated``: those driven by a program instead."""
    return [c for c in _captures("browsers.jsonl") if (c.tool == "automation") is automated]


def drawn() -> list[tuple[int, Lines]]:
    """Headers of a model of real visitors, with how often each was drawn; without Sec-Fetch, order and language."""
    lines = (FOLDER / "drawn.jsonl").read_text("utf-8").splitlines()
    return [(count, _lines(text)) for count, text in map(json.loads, lines)]


def _captures(name: str) -> Iterator[Capture]:
    for line in (FOLDER / name).read_text("utf-8").splitlines():
        row = json.loads(line)
        yield Capture(
            row["client"],
            row["tool"],
            row["stack"],
            row["scheme"],
            tuple(_requests(row["requests"])),
            row.get("poses", False),
        )


def _requests(rows: list[dict[str, Any]]) -> Iterator[Request]:
    first: Lines = []
    for row in rows:
        lines = _lines(row["headers"]) if "headers" in row else []
        if "adds" in row:
            lines = list(first)
            for at, text in row["adds"]:
                lines.insert(at, _line(text))
        first = first or lines
        yield Request(row["at"], row["page"], row.get("version", "1.1"), lines)


def _lines(text: str) -> Lines:
    return [_line(line) for line in text.split("\n")]


def _line(text: str) -> tuple[str, str]:
    name, _, value = text.partition(": ")
    return name, value


@dataclass(frozen=True, slots=True)
class Condition:
    """What befalls a browser's requests."""

    headers: Callable[[Lines], Lines] = list
    cookies: bool = True
    parts: bool = True
    """Whether the pages' parts are fetched."""
    weight: float = 0.01
    """How common it is taken to be, when weights are learned."""


def _without(*names: str) -> Callable[[Lines], Lines]:
    return lambda lines: [(n, v) for n, v in lines if not n.lower().startswith(names)]


def _only(*names: str) -> Callable[[Lines], Lines]:
    return lambda lines: [(n, v) for n, v in lines if n.lower() in names]


def _with(name: str, value: str, then: Callable[[Lines], Lines] = list) -> Callable[[Lines], Lines]:
    return lambda lines: [*then([(n, v) for n, v in lines if n.lower() != name.lower()]), (name, value)]


_SEC = _without("sec-")
_BARE = _only("host", "user-agent", "cookie")
_POOR = _only("host", "user-agent", "accept", "accept-language", "cookie", "referer", "connection")
OTHER_AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
)

CONDITIONS: Mapping[str, Condition] = {
    "as it is": Condition(weight=0.85),
    "proxy strips Sec-*": Condition(_with("Via", "1.1 proxy.corp", _SEC)),
    "proxy strips Sec-* and tells nobody": Condition(_SEC),
    "proxy strips Accept-Encoding": Condition(_with("Via", "1.1 proxy.corp", _without("accept-encoding"))),
    "proxy asks for gzip": Condition(_with("Accept-Encoding", "gzip")),
    "proxy strips all it does not know": Condition(_with("X-Forwarded-For", "10.0.0.1", _POOR)),
    "all but Host and User-Agent stripped": Condition(_BARE, weight=0.002),
    "headers sorted": Condition(lambda lines: sorted(lines, key=lambda line: line[0].lower())),
    "no language": Condition(_without("accept-language")),
    "no hints": Condition(_without("sec-ch-")),
    "hints without platform": Condition(_without("sec-ch-ua-")),
    "no User-Agent": Condition(_without("user-agent"), weight=0.001),
    "saves data": Condition(_with("Save-Data", "on")),
    "asks not to be tracked": Condition(_with("Sec-GPC", "1", _with("DNT", "1"))),
    "cookies blocked": Condition(cookies=False),
    "parts blocked or cached": Condition(parts=False),
    "no cookies, no parts": Condition(cookies=False, parts=False, weight=0.002),
    "another User-Agent": Condition(_with("User-Agent", OTHER_AGENT), weight=0.002),
    "everything at once": Condition(_BARE, cookies=False, parts=False, weight=0.0005),
    "everything at once, and another User-Agent": Condition(
        _with("User-Agent", OTHER_AGENT, _without("accept-l", "sec-fetch", "upgrade")),
        cookies=False,
        parts=False,
        weight=0.0,
    ),
}
