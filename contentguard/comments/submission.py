"""A comment as it was sent in, with all that is known of its sender: what is judged, and what can be judged again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from contentguard.comments.decision import Reason

_PAIRS = ("headers", "server", "posted")


@dataclass(frozen=True, slots=True)
class Submission:
    """One comment. JSON-serialisable through ``as_dict``, so that an app can keep it beside what it publishes."""

    article: str
    """The article's path, e.g. ``/news/tide``."""
    text: str
    author: str
    email: str = ""
    url: str = ""
    """The author's own site."""
    parent: str = ""
    """The id of the comment that this one answers."""
    client: str | None = None
    """The client's address as we resolved it."""
    agent: str = ""
    """The User-Agent header."""
    referrer: str = ""
    now: float = 0.0
    """When it was sent, in seconds since the epoch."""
    role: str = ""
    """The author's role on the site, where the app knows it: ``administrator``, ``editor``, …"""
    language: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    """Request headers that a service may be told, names in lower case; never a cookie or a credential."""
    signs: tuple[Reason, ...] = ()
    """What the form and the guard noticed while it was sent."""
    guid: str = ""
    """A service's name for it (Akismet's ``X-akismet-guid``)."""
    honeypot: tuple[str, str] = ("", "")
    """The name of the field that no person fills in, and what came in it."""
    context: tuple[str, ...] = ()
    """What the article is about: its section and tags."""
    modified: float = 0.0
    """When the article was last changed, in seconds since the epoch; 0.0 where that is not known."""
    server: tuple[tuple[str, str], ...] = ()
    """How it was sent, in the words of CGI (RFC 3875 §4.1): ``REQUEST_METHOD``, ``SERVER_PROTOCOL``, …"""
    posted: tuple[tuple[str, str], ...] = ()
    """What came in its form beside all that, or differed from it: names and values as they came, and no secret."""
    judged: str = ""
    """What the service that has the name ``guid`` for it thought of it: a ``Judgement``."""

    def as_dict(self) -> dict[str, Any]:
        """This submission as JSON-ready data; ``from_dict`` reads it back unchanged."""
        data = {field.name: getattr(self, field.name) for field in fields(self)}
        pairs = {name: [list(pair) for pair in getattr(self, name)] for name in ("signs", *_PAIRS)}
        return data | pairs | {"honeypot": list(self.honeypot), "context": list(self.context)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Submission:
        """A submission from what ``as_dict`` gave. TypeError for names that it does not have."""
        return cls(
            **{
                **data,
                **{name: tuple((str(key), str(value)) for key, value in data.get(name, ())) for name in _PAIRS},
                "signs": tuple(Reason(*sign) for sign in data.get("signs", ())),
                "honeypot": tuple(data.get("honeypot", ("", ""))),
                "context": tuple(data.get("context", ())),
            }
        )
