"""The four laws of the house, held against the source itself."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import contentguard

ROOT = Path(contentguard.__file__).parent
FLOORS = [
    {"model", "limits", "errors", "terms", "turns", "addresses", "sealed", "data", "assets"},
    {
        "tokens",
        "detect",
        "crawlers",
        "policy",
        "proxies",
        "variables",
        "admission",
        "rewrite",
        "watermark",
        "publish",
        "comments",
    },
    {"settings", "backends"},
    {"guard"},
    {"asgi", "cli"},
    {"__init__", "__main__"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
ROOM_OF_DEPENDENCY = {
    "starlette": "asgi/",
    "itsdangerous": "tokens.py",
    "bs4": "rewrite/article.py",
    "soupsieve": "rewrite/article.py",
    "httpx": "backends/",
    "pydantic": "settings.py",
    "pydantic_settings": "settings.py",
    "redis": "backends/redis.py",
    "sqlalchemy": "backends/evidence.py",
    "segno": "asgi/routes.py",
    "PIL": "watermark/pictures.py",
    "cryptography": "crawlers/keys.py",
    "prometheus_client": "guard/metrics.py",
    "isal": "rewrite/splice.py",
}
ASYNC_ROOMS = {"backends", "guard", "asgi", "cli"}
IMPURE = {"time", "random", "secrets", "os", "uuid", "environ", "getpass", "socket"}
CLOCK_CALLS = {"now", "today", "utcnow", "urandom", "getenv"}

FILES = sorted(ROOT.rglob("*.py"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def room(path: Path) -> str:
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def typing_only(module: ast.Module) -> set[ast.AST]:
    """Nodes below ``if TYPE_CHECKING``: they name types and import nothing."""
    blocks = [n for n in ast.walk(module) if isinstance(n, ast.If) and getattr(n.test, "id", "") == "TYPE_CHECKING"]
    return {node for block in blocks for statement in block.body for node in ast.walk(statement)}


def imports(path: Path, *, types_too: bool = True) -> Iterator[tuple[str, int]]:
    module = tree(path)
    skipped = set() if types_too else typing_only(module)
    for node in ast.walk(module):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{relative(path)}:{node.lineno}: a relative import"
            yield node.module or "", node.lineno
            if node.module == "contentguard":
                yield from ((f"contentguard.{alias.name}", node.lineno) for alias in node.names)


def own_room(name: str) -> str | None:
    parts = name.split(".")
    return parts[1] if parts[0] == "contentguard" and len(parts) > 1 else None


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_law_1_imports_point_down(path: Path) -> None:
    here = room(path)
    for name, line in imports(path):
        there = own_room(name)
        if there is None or there == here:
            continue
        assert there in FLOOR, f"{relative(path)}:{line}: {name} stands on no floor"
        # The pillars do not know each other; so do the rooms of every other floor but the ground.
        allowed = FLOOR[there] < FLOOR[here] or (FLOOR[here] == FLOOR[there] == 0)
        assert allowed, f"{relative(path)}:{line}: {here} (floor {FLOOR[here]}) imports {there} (floor {FLOOR[there]})"


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_law_2_one_dependency_one_room(path: Path) -> None:
    for name, line in imports(path):
        home = ROOM_OF_DEPENDENCY.get(name.split(".")[0])
        if home is not None:
            assert relative(path).startswith(home), f"{relative(path)}:{line}: {name} belongs in {home}"


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_law_3_async_only_at_the_rim(path: Path) -> None:
    found = [n.lineno for n in ast.walk(tree(path)) if isinstance(n, ast.AsyncFunctionDef)]
    assert not found or room(path) in ASYNC_ROOMS, f"{relative(path)}: async def at lines {found}"


@pytest.mark.parametrize("path", [p for p in FILES if FLOOR[room(p)] < FLOOR["settings"]], ids=relative)
def test_law_3_no_clock_dice_or_environment_below_settings(path: Path) -> None:
    for name, line in imports(path, types_too=False):
        assert name.split(".")[0] not in IMPURE, f"{relative(path)}:{line}: imports {name}"
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr not in CLOCK_CALLS, f"{relative(path)}:{node.lineno}: calls {node.func.attr}()"


def test_law_4_no_circles() -> None:
    names = {".".join(("contentguard", *p.relative_to(ROOT).with_suffix("").parts)): p for p in FILES}
    names = {name.removesuffix(".__init__"): path for name, path in names.items()}
    graph = {name: {n for n, _ in imports(path, types_too=False) if n in names} for name, path in names.items()}
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " → ".join((*above, name))
        if name not in done:
            for below in graph[name] - {name}:
                visit(below, (*above, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def functions() -> Iterator[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef, int]]:
    for path in FILES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node, (node.end_lineno or node.lineno) - node.lineno + 1


def test_law_4_long_functions_and_modules_give_their_reason() -> None:
    for path, node, length in functions():
        if length > 40:
            text = ast.get_docstring(node) or ""
            assert "because" in text, f"{relative(path)}:{node.lineno}: {node.name} has {length} lines and no reason"
    for path in FILES:
        length = len(path.read_text("utf-8").splitlines())
        text = ast.get_docstring(tree(path)) or ""
        assert length <= 300 or "because" in text, f"{relative(path)} has {length} lines and no reason"


def test_law_4_things_stay_small() -> None:
    assert statistics.median(length for _, _, length in functions()) <= 8
    assert statistics.median(len(p.read_text("utf-8").splitlines()) for p in FILES) <= 120


@pytest.mark.parametrize("path", [p for p in FILES if p.read_text("utf-8").strip()], ids=relative)
def test_every_file_opens_with_its_strategy(path: Path) -> None:
    assert ast.get_docstring(tree(path)), relative(path)


def test_public_names_have_docstrings() -> None:
    for path in FILES:
        for node in tree(path).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name[0] != "_":
                assert ast.get_docstring(node), f"{relative(path)}:{node.lineno}: {node.name}"


def test_the_guard_never_believes_the_host_header_for_a_decision() -> None:
    """CVE-2026-48710 (BadHost): ``request.url`` is built from Host and may differ from what is routed."""
    for path in FILES:
        for node in ast.walk(tree(path)):
            if (
                isinstance(node, ast.Attribute)
                and node.attr in ("url", "base_url")
                and isinstance(node.value, ast.Name)
            ):
                assert node.value.id not in ("request", "conn", "connection"), f"{relative(path)}:{node.lineno}"
