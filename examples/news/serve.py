"""From a content folder to the ASGI application that is served: the site, and the guard around it.

The guard is imported only when it is wanted, so the plain site runs without the package; a fault in its
settings arrives here under the example's own name.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.types import ASGIApp

from .app import create_app
from .content import Article, load

LOG: Final = logging.getLogger("gazette")
HERE: Final = Path(__file__).parent
CONTENT: Final = HERE / "content"
SETTINGS_FILE: Final = HERE / "contentguard.toml"


class GuardError(RuntimeError):
    """The guard cannot start with these settings; `str()` is the complete message."""


def build(
    content: Path = CONTENT,
    *,
    origin: str,
    settings_file: Path | None = SETTINGS_FILE,
    unguarded: bool = False,
    database: Path | None = None,
) -> ASGIApp:
    """Return the site over a content folder, guarded unless told otherwise.

    Raises ContentError for faulty articles and GuardError for faulty settings.
    """
    return mount(
        load(content), content, origin=origin, settings_file=settings_file, unguarded=unguarded, database=database
    )


def mount(
    articles: Sequence[Article],
    content: Path,
    *,
    origin: str,
    settings_file: Path | None,
    unguarded: bool,
    database: Path | None = None,
) -> ASGIApp:
    """Do what `build` does, over articles that are loaded already."""
    site = create_app(articles, origin=origin, images=content / "images", database=database)
    # What the filter learns of comments belongs to the comments, and is kept beside them.
    kept = {} if database is None else {"comments": {"lessons": f"{database}.lessons"}}
    return site if unguarded else guarded(site, origin=origin, settings_file=settings_file, **kept)


def guarded(site: Starlette, *, origin: str, settings_file: Path | None, **chosen: object) -> ASGIApp:
    """Return an application with contentguard around it: the two lines that a publisher writes.

    `chosen`: settings that stand above those of the file.
    """
    from contentguard import ContentGuardMiddleware, Settings, SettingsError

    if settings_file == SETTINGS_FILE and find_spec("PIL") is None:
        LOG.info("Pillow is not installed: pictures are sent without marks (extra images)")
        chosen = {**chosen, "media": {"marked": ()}}
    try:
        guard = ContentGuardMiddleware(site, settings=Settings.load(settings_file, origin=origin, **chosen))
    except SettingsError as fault:
        raise GuardError(str(fault)) from fault
    # Requests bring the guard's engine themselves; this is for what the site does by itself.
    site.state.site.comments = guard.comments
    return guard
