"""html5lib-tests → ``html5lib/inputs.json``: every input once, without the expected results.

Run as ``python -m tests.rewrite.corpus.convert DIRECTORY`` with a checkout of html5lib-tests.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent / "html5lib" / "inputs.json"

# Markup after which the tokenizer is in that state; "%s" is the test's last start tag.
_LEADS = {
    "PLAINTEXT state": "<plaintext>",
    "RCDATA state": "<%s>",
    "RAWTEXT state": "<%s>",
    "Script data state": "<%s>",
    "CDATA section state": "<svg><![CDATA[",
}
_USUAL = {"RCDATA state": "title", "RAWTEXT state": "style", "Script data state": "script"}


def main(source: Path) -> None:
    """Write the file."""
    seen: set[str] = set()
    groups: dict[str, list[str]] = {}
    for name, text in [*_tokenizer(source), *_construction(source), *_states(source)]:
        if text not in seen:
            seen.add(text)
            groups.setdefault(name, []).append(text)
    TARGET.write_text(json.dumps(groups, indent=0) + "\n", "ascii")
    print(f"{len(seen)} inputs in {len(groups)} groups, {TARGET.stat().st_size:,} bytes")


def _tests(source: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(source.glob("tokenizer/*.test")):
        for tests in json.loads(path.read_text("utf-8")).values():
            for test in tests:
                yield f"tokenizer/{path.name}", test


def _text(test: dict[str, Any]) -> str:
    text: str = test["input"]
    if test.get("doubleEscaped"):
        text = re.sub(r"\\u([0-9A-Fa-f]{4})", lambda match: chr(int(match[1], 16)), text)
    # What JSON spells as a pair of escapes is one character.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def _tokenizer(source: Path) -> Iterator[tuple[str, str]]:
    for name, test in _tests(source):
        yield name, _text(test)


def _states(source: Path) -> Iterator[tuple[str, str]]:
    for name, test in _tests(source):
        for state in test.get("initialStates", ()):
            if state in _LEADS:
                lead = _LEADS[state]
                tag = test.get("lastStartTag") or _USUAL.get(state, "")
                yield f"{name}#states", (lead % tag if "%s" in lead else lead) + _text(test)


def _construction(source: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(source.glob("tree-construction/*.dat")):
        text = path.read_bytes().decode("utf-8", "surrogatepass")
        for test in re.split(r"(?m)^#data\n", text)[1:]:
            if not test.startswith("#errors"):
                yield f"tree-construction/{path.name}", test[: test.index("\n#errors")]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
