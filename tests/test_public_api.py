"""The public names, frozen: adding or removing one is a decision, not an accident."""

from __future__ import annotations

import tomllib
from pathlib import Path

import contentguard

FROZEN = [
    "Action",
    "Article",
    "Cards",
    "CommentAction",
    "CommentOptions",
    "Comments",
    "ContentGuardError",
    "ContentGuardMiddleware",
    "Copy",
    "Crawler",
    "Decision",
    "Facts",
    "Fault",
    "Judgement",
    "Limits",
    "Links",
    "Opinion",
    "Policy",
    "Posted",
    "Proxies",
    "Purpose",
    "Reason",
    "Rendition",
    "Right",
    "Robots",
    "Settings",
    "SettingsError",
    "Share",
    "ShareTarget",
    "Signal",
    "Submission",
    "Verdict",
    "Visible",
    "__version__",
]


def test_all_is_frozen() -> None:
    assert contentguard.__all__ == FROZEN


def test_all_is_what_the_module_shows() -> None:
    own = {n for n, v in vars(contentguard).items() if not n.startswith("_") and not _is_module(v)}
    assert own | {"__version__"} == set(contentguard.__all__)


def test_the_version_is_the_project_s() -> None:
    pyproject = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))
    assert contentguard.__version__ == pyproject["project"]["version"]


def test_the_package_is_typed() -> None:
    assert (Path(contentguard.__file__).parent / "py.typed").is_file()


def _is_module(value: object) -> bool:
    return type(value).__name__ == "module"
