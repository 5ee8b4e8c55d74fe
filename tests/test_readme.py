"""The README keeps its promises: its settings are the code's, its code runs, its files exist."""

from __future__ import annotations

import asyncio
import re
import tomllib
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

from contentguard import ContentGuardMiddleware, Settings
from contentguard.model import Purpose
from contentguard.policy import DEFAULT_RIGHTS
from tests.client import ARTICLE, CHROME, CURL, get, hidden_fields, posted, settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def settings_of_the_code() -> Iterator[tuple[str, str]]:
    for name, field in Settings.model_fields.items():
        if is_dataclass(field.default):
            for part in (f for f in fields(field.default) if f.init):
                default = part.default_factory() if part.default_factory is not MISSING else part.default
                yield f"{name}.{part.name}", shown(default)
        else:
            yield name, shown(field.default)


def shown(value: Any) -> str:
    if isinstance(value, tuple):
        return "`[…]`" if len(value) > 4 else f"`[{', '.join(toml(v) for v in value)}]`"
    return f"`{toml(value)}`"


def toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    return "{}" if value == {} else str(value)


def rows_of_the_readme() -> dict[str, tuple[str, str]]:
    table = README.split("<!-- settings:")[1].split("<!-- end of settings")[0]
    rows = [
        [c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table.splitlines() if line.startswith("| `")
    ]
    return {name.strip("`"): (default, what) for name, default, what in rows}


def test_every_setting_is_documented_with_its_default() -> None:
    documented = rows_of_the_readme()
    code = dict(settings_of_the_code())
    assert list(documented) == list(code)
    assert {name: default for name, (default, _) in documented.items()} == code
    assert all(len(what) > 10 for _, what in documented.values())


def test_the_table_of_rights_is_the_policy_s() -> None:
    table = README.split("## Who gets what")[1].split("##")[0]
    documented = {}
    for line in table.splitlines():
        cells = line.split("|")
        if line.startswith("| `"):
            for purpose in re.findall(r"`([a-z-]+)`", cells[1]):
                documented[Purpose(purpose)] = cells[2].strip(" `")
    assert documented == {purpose: right.value for purpose, right in DEFAULT_RIGHTS.items()}


def test_the_mount_runs() -> None:
    code = README.split("## Mount it")[1].split("```python")[1].split("```")[0]
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    namespace: dict[str, Any] = {}
    exec(code.replace('"<article>…</article>"', repr(ARTICLE)), namespace)
    assert "Share your love" in get(namespace["app"]).text
    assert get(namespace["app"], headers=CURL).status_code == 403


def test_the_comments_run() -> None:
    """The page shows a form, a person's comment is kept, and a mistake costs nobody what was typed."""
    code = README.split("## Comments")[1].split("```python")[1].split("```")[0]
    namespace: dict[str, Any] = {}
    exec(code, namespace)
    app, kept = namespace["app"], namespace["kept"]
    post = {**CHROME, "sec-fetch-site": "same-origin"}
    first = get(app).text
    told = asyncio.run(posted(app, post, {**hidden_fields(first), "comment": 'A "tide"', "author": "Ann"}))
    assert told[0] == 400
    assert "Please fill the required field (email)." in told[1]
    assert "A &quot;tide&quot;" in told[1]
    again = {**hidden_fields(told[1]), "comment": "A tide", "author": "Ann", "email": "ann@example.org"}
    assert asyncio.run(posted(app, post, again)) == (200, "Your comment is awaiting moderation.")
    assert [(submission.text, decision.action) for submission, decision in kept] == [("A tide", "spam")]
    assert kept[0][1].reasons[0].name == "too-fast", "nobody types that fast"


def test_what_the_readme_links_to_exists() -> None:
    for target in re.findall(r"\]\(((?!http|#)[^)]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_commands_are_what_ci_runs() -> None:
    ci = (ROOT / ".ci" / "run").read_text("utf-8")
    commands = [line for block in re.findall(r"```sh\n(.*?)```", README, re.S) for line in block.splitlines()]
    assert len(commands) == 4
    for command in commands:
        if "examples.news" in command:
            continue
        essence = command.replace("pip install -e", "pip install").replace("python3 -m venv .venv", "venv .venv")
        assert all(word in ci for word in essence.split()), command


def test_publicly_cacheable_as_promised() -> None:
    from tests.client import guarded, page

    app = guarded(
        page(ARTICLE, headers=[("cache-control", "public, max-age=60")]),
        visible={"copy_number": False, "print_text": "Printed from {url}"},
        visits={"remember": False},
    )
    assert isinstance(app, ContentGuardMiddleware)
    assert get(app).headers["cache-control"] == "public, max-age=60"


def test_the_rules_shown_are_rules() -> None:
    shown = re.search(r"```toml\n(.*?)```", README, re.S)
    assert shown is not None
    policy = settings(**tomllib.loads(shown[1])).policy
    assert [rule.name for rule in policy.rules] == ["archive-is-slow"]
    assert next(rule for rule in policy.effective_rules() if rule.name == "archive-is-slow").shadow
