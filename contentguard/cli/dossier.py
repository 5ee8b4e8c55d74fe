"""A trace as a file to hand on: one page of HTML with the copied passages marked, and a draft of a takedown notice.

Strategy: nothing in it is fetched or run, and everything from elsewhere is escaped: the suspect's text is the
suspect's, and whoever opens the report need not trust it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from html import escape
from pathlib import Path

from contentguard.cli.finding import Reader, Trace
from contentguard.cli.suspects import Suspect
from contentguard.cli.told import TRACES, as_data, bound, bucketed, channels, given, reason, share
from contentguard.watermark.words import visible

_MOST = 200_000
"""Characters of a text that are shown."""
_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Trace of a copy</title>
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
table{border-collapse:collapse;width:100%}td,th{border:1px solid #999;padding:.4rem;text-align:left;vertical-align:top}
mark{background:#ffe58a;color:inherit}
pre{white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid #999;padding:1rem}
</style></head><body>
"""


def write_dossier(trace: Trace, folder: Path, site: str, now: datetime) -> list[Path]:
    """Write ``report.html``, ``takedown-notice.txt`` and ``trace.json``; where they are. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "report.html": page(trace, site, now),
        "takedown-notice.txt": notice(trace, site, now),
        "trace.json": json.dumps(as_data(trace), indent=2),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")
    return [folder / name for name in texts]


def page(trace: Trace, site: str, now: datetime) -> str:
    """The report as HTML."""
    return _HEAD + "\n".join(_body(trace, site, now)) + "\n</body></html>\n"


def _body(trace: Trace, site: str, now: datetime) -> Iterator[str]:
    yield f"<h1>Trace of a copy</h1><p>{escape(site)} · {now:%Y-%m-%d %H:%M} UTC</p>"
    yield f"<h2>Result</h2><p>{len(trace.named) or 'No'} pass{'es' * (len(trace.named) != 1)} named.</p>"
    if trace.named:
        yield f"<p>{escape(bound(trace))} {escape(TRACES)}</p>"
    elif trace.articles:
        yield f"<p>{escape(reason(trace))}</p>"
    yield from (f"<p>{escape(bucketed(one))}</p>" for one in trace.buckets)
    for reader in trace.named:
        yield from _reader(reader)
    yield "<h2>Articles</h2>"
    for article in trace.articles:
        yield f"<h3>{escape(article.name)}</h3><p>In {escape(article.suspect)}: {escape(share(article))}.</p>"
        if article.quotes:
            yield "<table><thead><tr><th scope=col>Copy</th><th scope=col>Article</th></tr></thead><tbody>"
            for theirs, ours in article.quotes:
                yield f"<tr><td>{_shown(theirs)}</td><td>{_shown(ours)}</td></tr>"
            yield "</tbody></table>"
    yield "<h2>Texts</h2>"
    for suspect in trace.suspects:
        yield f"<h3>{escape(suspect.name)}</h3><pre>{_marked(suspect, trace)}</pre>"
    yield f"<h2>Draft of a takedown notice</h2><pre>{escape(notice(trace, site, now))}</pre>"


def _reader(reader: Reader) -> Iterator[str]:
    yield f"<h3>Pass serial {reader.serial:010x}: {reader.bits:.1f} bits</h3>"
    yield "<table><thead><tr><th scope=col>Article</th><th scope=col>Bits</th><th scope=col>Channels</th></tr></thead>"
    for part in reader.parts:
        yield f"<tr><td>{escape(part.article)}</td><td>{part.bits.total:.1f}</td><td>{escape(channels(part))}</td></tr>"
    yield "</table><ul>"
    yield from (f"<li>{escape(given(row))}</li>" for row in reader.rows)
    yield "</ul>" if reader.rows else "<li>The evidence log does not know it, or no more.</li></ul>"


def _marked(suspect: Suspect, trace: Trace) -> str:
    """A text with the copied passages marked."""
    spans = sorted({span for one in trace.articles if one.suspect == suspect.name for span in one.spans})
    parts, at = [], 0
    for start, end in spans:
        if start >= at and end <= _MOST:
            parts += [_shown(suspect.text[at:start]), f"<mark>{_shown(suspect.text[start:end])}</mark>"]
            at = end
    return "".join([*parts, _shown(suspect.text[at:_MOST])])


def _shown(text: str) -> str:
    return escape(visible(text))


def notice(trace: Trace, site: str, now: datetime) -> str:
    """A draft for a lawyer to look at, not a legal document."""
    works = "\n".join(f"  - {name}" for name in sorted({one.name for one in trace.articles})) or "  - (none found)"
    places = "\n".join(
        f"  - {one.name}" for one in trace.suspects if any(a.suspect == one.name for a in trace.articles)
    )
    return f"""DRAFT - to be checked and signed by the rights holder

Date: {now:%Y-%m-%d}
From: {site or "(the publication)"}, (name, postal address, e-mail, telephone)
To: (the service's designated agent)

Notice of infringing content (17 U.S.C. 512(c)(3); Regulation (EU) 2022/2065, Article 16)

1. The works, published by us:
{works}

2. Where the copies are:
{places or "  - (nowhere)"}

3. We have not allowed these copies. The passages that were taken are listed in the enclosed report.

4. I believe in good faith that this use is not authorised by the owner of the rights, its agent or the law.

5. The information in this notice is accurate, and, under penalty of perjury, I am authorised to act for the owner of
   the rights.

Signature: ______________________
"""
