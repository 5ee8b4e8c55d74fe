"""The browser's files: small, named by their content, and deaf to keys."""

from __future__ import annotations

import gzip
import hashlib
import re
from base64 import b64decode
from importlib.resources import files

import pytest

from contentguard.assets import ASSETS, SCRIPT, STYLE, Asset
from contentguard.rewrite.deterrents import MESSAGES

CODE = SCRIPT.body.decode("utf-8")
NEVER_HEARD = "keydown keyup keypress mousedown mouseup selectstart touchstart paste beforeunload visibilitychange"
NEVER_USED = (
    "execCommand",
    "fetch(",
    "XMLHttpRequest",
    "sendBeacon",
    "WebSocket",
    "eval(",
    "insertAdjacent",
    "debugger",
    "console.",
)


@pytest.mark.parametrize(("asset", "budget"), [(SCRIPT, 3500), (STYLE, 1000)])
def test_sizes_stay_in_the_budget(asset: Asset, budget: int) -> None:
    assert len(asset.gzipped) <= budget
    assert gzip.decompress(asset.gzipped) == asset.body


@pytest.mark.parametrize("asset", [SCRIPT, STYLE])
def test_names_and_integrity_are_of_the_bytes(asset: Asset) -> None:
    stem, ending = asset.name.split(".")
    assert asset.file == f"{stem}.{hashlib.sha256(asset.body).hexdigest()[:12]}.{ending}"
    assert ASSETS[asset.file] is asset
    assert b64decode(asset.integrity.removeprefix("sha384-")) == hashlib.sha384(asset.body).digest()


def test_types_are_told() -> None:
    assert (SCRIPT.content_type, STYLE.content_type) == (
        "text/javascript; charset=utf-8",
        "text/css; charset=utf-8",
    )


@pytest.mark.parametrize("name", [*NEVER_HEARD.split(), *NEVER_USED])
def test_the_script_never_listens_to_keys_nor_sends_anything(name: str) -> None:
    assert name not in CODE


def test_the_refusal_stands_in_the_script_once_and_nowhere_else() -> None:
    assert CODE.count("error: Unauthorized Content Copy Is Not Allowed") == 1
    assert b"Unauthorized" not in STYLE.body


def test_the_scripts_texts_are_those_that_may_be_changed() -> None:
    source = files("contentguard.assets").joinpath(SCRIPT.name).read_text("utf-8")
    block = re.search(r"const texts = \{(.*?)\};", source, re.DOTALL)
    assert block
    assert tuple(re.findall(r"^ *(\w+):", block[1], re.MULTILINE)) == MESSAGES


def test_the_style_sheet_asks_for_nothing() -> None:
    assert b"url(" not in STYLE.body
    assert b"@import" not in STYLE.body
