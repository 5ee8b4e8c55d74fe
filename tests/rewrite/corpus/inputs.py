"""The inputs of html5lib-tests, and the article page that each is put into.

Three forms: *bare* is the input alone, *wrapped* stands in an article between its paragraphs, *inline* inside one of
its paragraphs. The page around is as short as an article can be, since every split of it is a run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FORMS = ("bare", "wrapped", "inline")

_HEAD = (
    b"<!doctype html><html lang=en><head><meta charset=utf-8><title>T</title></head><body><article id=known><p>"
    + b"we go to sea " * 15
    + b"</p>"
)
_AROUND = {
    "bare": (b"", b""),
    "wrapped": (_HEAD, b"<p>so it ends</p></article><p>and on</p></body></html>"),
    "inline": (_HEAD + b"<p>so ", b" it ends</p></article><p>and on</p></body></html>"),
}
_TOGETHER = 24
"""How many inputs without markup share a page where only the places are judged."""


@dataclass(frozen=True, slots=True)
class Case:
    """One input in one form."""

    id: str
    """``group:number form``, as in ``exceptions.json``."""
    page: bytes
    start: int
    """Where the input stands in the page: ``[start, end)``."""
    end: int
    form: str

    @property
    def input(self) -> bytes:
        """The input itself."""
        return self.page[self.start : self.end]

    @property
    def containers(self) -> bool:
        """Whether nearly any element counts as the article: a bare input has no fifty words."""
        return self.form == "bare"


@cache
def inputs() -> dict[str, bytes]:
    """``group:number`` → input. Lone surrogates come out as bytes that are not UTF-8."""
    path = Path(__file__).parent / "html5lib" / "inputs.json"
    groups: dict[str, list[str]] = json.loads(path.read_text("ascii"))
    return {
        f"{name}:{number}": text.encode("utf-8", "surrogatepass")
        for name, texts in groups.items()
        for number, text in enumerate(texts)
    }


@cache
def cases(form: str) -> tuple[Case, ...]:
    """Every input in one form."""
    return tuple(_case(name, data, form) for name, data in inputs().items())


@cache
def cases_to_judge(form: str) -> tuple[Case, ...]:
    """The same with the inputs that hold no markup put together, many to a page, each in a paragraph of its own.

    They make most of the inputs (the character references) and cannot move an element; alone they would only take time.
    """
    plain = [(name, data) for name, data in inputs().items() if b"<" not in data]
    made = [case for case in cases(form) if b"<" in case.input]
    for number in range(0, len(plain), _TOGETHER):
        some = plain[number : number + _TOGETHER]
        joined = b"</p><p>".join(data for _, data in some)
        made.append(_case(f"{some[0][0]}…{some[-1][0]}", b"<p>" + joined + b"</p>", form))
    return tuple(made)


def _case(name: str, data: bytes, form: str) -> Case:
    before, after = _AROUND[form]
    start = len(before)
    return Case(f"{name} {form}", before + data + after, start, start + len(data), form)
