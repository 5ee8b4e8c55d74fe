"""Whose copy a text is, beside other packages that hide something in text: the same articles, extractors and excerpts.

Strategy: each package that is installed hides a serial of 40 bits as its own documentation says, once in each text, and
reads it back from what an extractor and an excerpt leave. They were made for whole texts and say nothing of parts; what
is compared is the task, not how well each does its own. All are optional: ``pip install text-blind-watermark
zwsp-steg-py c2pa-text``, and StegCloak (``npm install stegcloak``) where Node finds it.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from html import escape
from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple

from contentguard.cli.watermark import Way
from tests.benchmarks.measure import Figure, Figures, progress

_PASSWORD = "a password of the peers"
_NODE = """
const StegCloak = require('stegcloak'), cloak = new StegCloak(true, true);
const [act, password, jobs] = JSON.parse(require('fs').readFileSync(0));
const one = (job) => { try {
  return act === 'hide' ? cloak.hide(job[0], password, job[1]) : cloak.reveal(job, password);
} catch { return ''; } };
process.stdout.write(JSON.stringify(jobs.map(one)), () => process.exit(0));
"""
_THERE = "require('stegcloak'); process.exit(0)"
"""It leaves something running that would keep Node from its end."""


class Peer(NamedTuple):
    """A package: hides a serial (10 hex digits) in each of some texts, and reads what it finds in each of some."""

    hide: Callable[[Sequence[tuple[str, str]]], list[str]]
    read: Callable[[Sequence[str]], list[str]]


def _each(hide: Callable[[str, str], str], read: Callable[[str], str]) -> Peer:
    def safely(text: str) -> str:
        try:
            return read(text)
        except Exception:
            # Whatever a package does with a text that holds nothing of it.
            return ""

    return Peer(lambda jobs: [hide(serial, text) for serial, text in jobs], lambda texts: [*map(safely, texts)])


def _blind() -> Peer:
    made = import_module("text_blind_watermark").TextBlindWatermark(pwd=_PASSWORD.encode())
    return _each(
        lambda serial, text: str(made.add_wm_at_idx(text, serial.encode(), len(text) // 2)),
        lambda text: bytes(made.extract(text)).decode(),
    )


def _zwsp() -> Peer:
    module = import_module("zwsp_steg")

    def hide(serial: str, text: str) -> str:
        # It only makes the run; where that stands is its user's affair.
        return text[: len(text) // 2] + str(module.encode(serial)) + text[len(text) // 2 :]

    return _each(hide, lambda text: str(module.decode(text)))


def _c2pa() -> Peer:
    module = import_module("c2pa_text")
    return _each(
        lambda serial, text: str(module.embed_manifest(text, serial.encode())),
        lambda text: bytes(module.extract_manifest(text)[0] or b"").decode(),
    )


def _cloak() -> Peer | None:
    node = shutil.which("node")
    if node is None or subprocess.run([node, "-e", _THERE], capture_output=True, check=False).returncode:
        return None

    def asked(act: str, jobs: Sequence[object]) -> list[str]:
        told = json.dumps([act, _PASSWORD, jobs])
        done = subprocess.run([node, "-e", _NODE], input=told, capture_output=True, text=True, check=True)
        found: list[str] = json.loads(done.stdout)
        return found

    return Peer(lambda jobs: asked("hide", jobs), lambda texts: asked("reveal", texts))


def peers() -> dict[str, Peer | None]:
    """All of them, by name; None for what is not installed."""
    packages = {"text_blind_watermark": _blind, "zwsp_steg": _zwsp, "c2pa_text": _c2pa}
    found = {name: make() if find_spec(name) else None for name, make in packages.items()}
    return {**found, "stegcloak": _cloak()}


def page(text: str) -> str:
    """A page with this article."""
    body = "\n".join(f"<p>{escape(block, quote=False)}</p>" for block in text.split("\n\n"))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>News</title></head><body>'
        '<nav><a href="/">Home</a> <a href="/news">News</a></nav>'
        f"<article><h1>Of the harbour</h1>\n{body}</article><footer>All rights reserved</footer></body></html>"
    )


def survived(
    texts: Sequence[str], ways: Mapping[str, Way], excerpts: Mapping[str, Callable[[str, random.Random], str]]
) -> Figures:
    """What share of serials each package reads back. ``texts``: articles, paragraphs apart by blank lines."""
    drawn = random.Random(3)
    figures: Figures = {}
    for name, peer in peers().items():
        if peer is None:
            progress(f"watermark: {name} is not installed")
            continue
        serials = [f"{drawn.randrange(2**40):010x}" for _ in texts]
        copies = [way(page(text)) for text in peer.hide([*zip(serials, texts, strict=True)]) for way in ways.values()]
        wanted = [serial for serial in serials for _ in ways]
        for excerpt, cut in excerpts.items():
            found = peer.read([cut(copy, drawn) for copy in copies])
            share = sum(one == serial for one, serial in zip(found, wanted, strict=True)) / len(wanted)
            told = f"{name}: share of serials read from {excerpt.replace('_', ' ')}, {len(wanted)} copies"
            figures[f"watermark.peers.{name}.{excerpt}"] = Figure(share, "", told)
    return figures
