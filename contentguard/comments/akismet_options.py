"""Options of Akismet, a service that is asked what it thinks of each comment. Off until it is given a key."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import urlsplit

from contentguard.addresses import is_loopback

_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
_APPLICATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,40}/[A-Za-z0-9._-]{1,20}")


@dataclass(frozen=True, slots=True)
class AkismetOptions:
    """Options of Akismet. ValueError where they make no sense; its text never holds the key."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    key: str = field(default="", repr=False)
    """The site's key; empty: Akismet is not asked, and nothing leaves the server."""
    blog: str = ""
    """The site's front page, as it was registered with the key; empty: ``Settings.origin``."""
    test: bool = False
    """Whether Akismet is told to learn nothing from what it is sent. Calls are counted all the same."""
    discard: bool = False
    """Whether what Akismet calls blatant is dropped at once. Off, it is spam like any other."""
    callback: bool = True
    """Whether Akismet is told where to call when it thinks of a comment otherwise than it said; only where the
    middleware is mounted at an https ``Settings.origin``; below a path (``root_path``), the one that the first request
    came in by. A call has Akismet asked again, and decides nothing."""
    application: str = "ASGI/3.0"
    """Name and version of what runs the site, for the User-Agent that Akismet asks for."""
    url: str = "https://rest.akismet.com"
    """Where the service is. Anything but https is refused, except on this machine."""

    def __post_init__(self) -> None:
        if self.key and not _KEY.fullmatch(self.key):
            raise ValueError(f"want a key of letters and digits, not what was found in {len(self.key)} characters")
        if self.blog and urlsplit(self.blog).scheme not in ("http", "https"):
            raise ValueError(f"want the front page's URL with its scheme, not blog = {self.blog!r}")
        if not _APPLICATION.fullmatch(self.application):
            raise ValueError(f"want an application like Newsroom/1.0, not {self.application!r}")
        check_service_url(self.url)


def check_service_url(url: str) -> None:
    """ValueError where comments would travel unencrypted, or to nowhere."""
    parts = urlsplit(url)
    secure = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
    if not secure or not parts.hostname or parts.username is not None or parts.query or parts.fragment:
        raise ValueError(f"want an https URL (plain http on this machine only), not {url!r}")
