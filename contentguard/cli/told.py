"""What came of a trace, for people and for programs: how sure it is, and what it does not say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from contentguard.backends import Issued
from contentguard.cli.finding import Article, Bucket, Part, Reader, Trace
from contentguard.cli.suspects import shown
from contentguard.watermark.words import visible

_QUOTES = 3
_ROWS = 10
TRACES = "It traces a copy to the pass that it was served to, not to whoever published it."
_LOST = (
    "What cannot be traced: a paraphrase or a translation; an excerpt of a few words without its invisible marks; a "
    "single article reduced to plain ASCII that has few wording variants."
)


def as_text(trace: Trace) -> str:
    """The report for people."""
    return "\n".join(_lines(trace))


def _lines(trace: Trace) -> Iterator[str]:
    for suspect in trace.suspects:
        own = [article for article in trace.articles if article.suspect == suspect.name]
        yield f"{suspect.name}: {len(suspect.text.split()):,} words, parts of {len(own)} articles"
        for article in own:
            yield from _article(article)
    yield ""
    for one in trace.buckets:
        yield bucketed(one)
    if not trace.articles:
        yield "Nothing of this site's was found."
    elif trace.named:
        for reader in trace.named:
            yield from _reader(reader, trace)
        yield TRACES
    else:
        yield f"Nobody is named: {reason(trace)}"
        yield _LOST
    if trace.articles:
        yield f"{bound(trace)} {trace.scored:,} were compared."
    if trace.others:
        likeliest = ", ".join(f"{reader.bits:.1f}" for reader in trace.others)
        yield f"Others have {likeliest} bits, which accuses nobody."


def bound(trace: Trace) -> str:
    """How sure a name is."""
    return (
        f"Whoever is named has at least {trace.needed:.1f} bits: of {trace.readers:,} innocent readers none has that "
        f"but with a probability of {trace.epsilon:g}."
    )


def reason(trace: Trace) -> str:
    """Why nobody is named."""
    if trace.others:
        return f"the most that speaks for one reader is {trace.others[0].bits:.1f} of {trace.needed:.1f} bits."
    if not trace.scored:
        return "the log knows nobody who was given this, and no frame names anybody."
    return "no mark is left that speaks for anybody."


def _article(article: Article) -> Iterator[str]:
    yield f"  {shown(article.name)}: {share(article)}"
    if article.genuine:
        yield f"    {article.genuine} different frames name one of its copies"
    if article.foreign:
        yield f"    {article.foreign} different frames belong to no article here: moved, made up or of another key"
    if article.published:
        yield f"    {article.published} words have marks that stand in the article as published: they count for nothing"
    for theirs, ours in article.quotes[:_QUOTES]:
        yield f"    copy:    {shown(visible(theirs))}"
        yield f"    article: {shown(ours)}"
    if len(article.quotes) > _QUOTES:
        yield f"    and {len(article.quotes) - _QUOTES} passages more"


def share(article: Article) -> str:
    """How much of an article a text has."""
    if article.overlap is None:
        return "its text is not in the index; a frame says that this was taken from it"
    found = article.overlap
    return f"{found.of_article:.0%} of the article, {found.of_text:.0%} of the text, in {len(found.passages)} passages"


def bucketed(one: Bucket) -> str:
    """Of which copy for shared caches something is."""
    return (
        f"A copy that shared caches gave to one reader in {one.number}: bucket {one.which} of {shown(one.article)} "
        f"({one.bits:.1f} bits). By itself it names nobody; copies of several articles add up."
    )


def _reader(reader: Reader, trace: Trace) -> Iterator[str]:
    yield f"Pass serial {reader.serial:010x}: {reader.bits:.1f} bits ({trace.needed:.1f} are enough)"
    for part in reader.parts:
        yield f"  {part.bits.total:7.1f} bits  {shown(part.article)}  {channels(part)}"
    if not reader.rows:
        yield "  the evidence log does not know it, or no more"
    for row in reader.rows[:_ROWS]:
        yield f"  {given(row)}"
    if len(reader.rows) > _ROWS:
        yield f"  and {len(reader.rows) - _ROWS} copies more"


def channels(part: Part) -> str:
    """What spoke."""
    named = {name: bits for name, bits in part.bits._asdict().items() if name != "total"}
    spoke = [f"{name} {bits:+.1f}" for name, bits in named.items() if abs(bits) >= 0.05]
    return ", ".join([*spoke, *(["named by a frame"] if part.framed else [])])


def given(row: Issued) -> str:
    """When and to whom a copy was given."""
    when = datetime.fromtimestamp(row.at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return (
        f"{when}  {shown(row.article)}  pass {shown(row.visit)}  address {row.address}  network {row.prefix}  "
        f"{row.action} by {shown(row.rule)}  {shown(row.agent)}"
    )


def as_data(trace: Trace) -> dict[str, Any]:
    """The report for programs."""
    return {
        "sources": [{"name": one.name, "words": len(one.text.split())} for one in trace.suspects],
        "articles": [_article_data(article) for article in trace.articles],
        "named": [_reader_data(reader) for reader in trace.named],
        "others": [{"serial": f"{one.serial:010x}", "bits": round(one.bits, 3)} for one in trace.others],
        "buckets": [one._asdict() | {"bits": round(one.bits, 3)} for one in trace.buckets],
        "readers": trace.readers,
        "epsilon": trace.epsilon,
        "needed_bits": round(trace.needed, 3),
        "compared": trace.scored,
    }


def _article_data(article: Article) -> dict[str, Any]:
    found = article.overlap
    return {
        "article": article.name,
        "source": article.suspect,
        "of_article": None if found is None else round(found.of_article, 4),
        "of_text": None if found is None else round(found.of_text, 4),
        "genuine_frames": article.genuine,
        "foreign_frames": article.foreign,
        "published_marks": article.published,
        "passages": [
            {"copy": theirs, "article": ours, "start": start, "end": end}
            for (theirs, ours), (start, end) in zip(article.quotes, article.spans, strict=True)
        ],
    }


def _reader_data(reader: Reader) -> dict[str, Any]:
    return {
        "serial": f"{reader.serial:010x}",
        "bits": round(reader.bits, 3),
        "articles": [
            {
                "article": part.article,
                **{name: round(bits, 3) for name, bits in part.bits._asdict().items()},
                "epoch": part.epoch,
                "named_by_frame": part.framed,
            }
            for part in reader.parts
        ],
        "given": [
            {**row._asdict(), "revision": row.revision.hex(), "serial": f"{row.serial:010x}"} for row in reader.rows
        ],
    }
