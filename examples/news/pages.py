"""Templates to responses.

Jinja2 with autoescape for every template and undefined names as errors. `Head` is all that differs between
the heads of two pages, so the templates hold no logic about titles, canonical links or previews.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from contentguard import Comments

from . import links
from .content import Article
from .linked import Linked
from .links import Links, Picture

_TEMPLATES: Final = Path(__file__).with_name("templates")
_WORDS_A_MINUTE: Final = 230


@dataclass(frozen=True, slots=True)
class Head:
    """What the head of a page says. `path` is the canonical one; None leaves the link out."""

    title: str
    description: str
    path: str | None = None
    article: Article | None = None
    linked: tuple[Linked, ...] = ()
    index: bool = True


class Pages:
    """Render the site's templates for one origin."""

    def __init__(self, origin: Links) -> None:
        self._links = origin
        self._env = _environment()
        self._env.globals["links"] = origin

    def respond(self, template: str, head: Head, status: int = 200, /, **values: object) -> HTMLResponse:
        """Return the page; `values` is what its template needs beside the head."""
        picture: Picture = self._links.picture(head.article)
        html = self._env.get_template(f"{template}.html").render(head=head, picture=picture, **values)
        return HTMLResponse(html, status)


def _environment() -> Environment:
    env = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
    env.globals |= {"site": links.SITE, "tagline": links.TAGLINE, "language": links.LANGUAGE}
    env.filters |= {
        "day": _day,
        "moment": _moment,
        "iso": _iso,
        "minutes": _minutes,
        "stamp": _stamp,
        "when": _when,
        "comment_html": _comment_html,
        "last_sentence": _last_sentence,
        "article_path": links.article_path,
        "section_path": links.section_path,
        "image_path": links.image_path,
    }
    return env


def _day(date: datetime) -> str:
    return f"{date.day} {date:%B %Y}"


def _moment(date: datetime) -> str:
    return f"{_day(date)}, {date:%H:%M}"  # the paper's local time; `datetime` beside it carries the zone


def _iso(date: datetime) -> str:
    return date.isoformat(timespec="seconds")


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _when(seconds: float) -> str:
    return _moment(datetime.fromtimestamp(seconds, UTC))


def _comment_html(text: str) -> Markup:
    return Markup(Comments.html(text))


def _last_sentence(text: str) -> tuple[str, str]:
    told, _, last = text.rpartition(". ")
    return f"{told}." if told else "", last


def _minutes(words: int) -> str:
    return f"{max(1, round(words / _WORDS_A_MINUTE))} min read"
