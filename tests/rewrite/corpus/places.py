"""Whether what was inserted stands where it should, by the tree that an independent parser makes of the page.

Strategy: the page is parsed twice, as it came and as it left. Every start tag that we put in bears an extra attribute
there (``PROBE``), and so does the article's own start tag in both, so nothing has to be guessed from the markup. Then:
each inserted tag is an element and lives where it should; with them and the marks taken out, the one tree is the other;
and the text nodes that hold a mark are those that the *input's* tree says should.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html import unescape

from tests.rewrite.corpus.adapter import LEFT_ALONE, LEFT_ALONE_WITH, MARK, UTF8, Insertion, Rewritten
from tests.rewrite.corpus.oracle import CHOSEN, ORACLES, Event, Oracle, Start, Tree, article_end, decoded

PROBE = "data-cg-probe"

_NEVER = "script style title xmp iframe noembed noframes noscript plaintext svg math template select button"
NEVER = frozenset(_NEVER.split())
"""No mark stands in these, nor in what the adapter says is left alone."""

_CRAMPED = "a audio button canvas iframe math object optgroup option select selectedcontent svg video"
CRAMPED = frozenset(_CRAMPED.split())
"""A block of links that stands in one of these within its article is not seen, or breaks what is. A ``noscript`` that
was never closed holds what follows only for readers without scripts, who see it."""

_TAG = re.compile(rb"<([a-z][a-z0-9]*+)")
_ANY_TAG = re.compile(rb"<[^>]*+>")
_OPENING = re.compile(rb"<[a-zA-Z/!?]")
_SPACE = " \t\n\f\r"

# No page ends in the middle of a tag of the first one's name, which would take it for an attribute.
_TRIAL = Insertion(0, b"<hgroup><h2>s</h2><a href=x>s</a><button>s</button></hgroup>", "article")


@dataclass(slots=True)
class Judgement:
    """What one parser found wrong with one page, and how many marks it expected and saw."""

    problems: list[str] = field(default_factory=list)
    """Kinds: article, missing, dead, outside, cramped, swallowed, tree, space, mark-missing, mark-stray, mark-early,
    mark-space."""
    details: list[str] = field(default_factory=list)
    """One line for each problem."""
    expected: int = 0
    right: int = 0
    excused: bool = False
    """No widget, and no place for one: what is open at the article's end (or the page's) would swallow it."""

    def add(self, kind: str, detail: object) -> None:
        """Note a problem."""
        self.problems.append(kind)
        self.details.append(f"{kind}: {detail}")


def judge_all(page: bytes, rewritten: Rewritten, *, marks: bool, content_type: str = UTF8) -> dict[str, Judgement]:
    """Parser → judgement."""
    return {
        name: judge(page, rewritten, oracle, marks=marks, content_type=content_type) for name, oracle in ORACLES.items()
    }


def judge(page: bytes, rewritten: Rewritten, oracle: Oracle, *, marks: bool, content_type: str = UTF8) -> Judgement:
    """The judgement of one parser. A page that left as it came has nothing to be judged."""
    said = Judgement()
    if not rewritten.insertions:
        return said
    if not 0 < rewritten.inner_start <= len(page) or page[rewritten.inner_start - 1] != 0x3E:
        said.add("article", f"no start tag ends at {rewritten.inner_start}")
        return said
    chosen = _chosen(page, rewritten.inner_start)
    before = _tree(oracle, page, [chosen], content_type, page, rewritten.selector)
    probed = [_probed(insertion) for insertion in rewritten.insertions]
    after = _tree(oracle, page, _with(chosen, probed), content_type, page, rewritten.selector)
    if before.chosen != 1 or not before.fits:
        said.add("article", f"{before.chosen} elements chosen, {rewritten.selector!r} fits: {before.fits}")
    _judge_inserted(said, after, rewritten.insertions)
    if not any(insertion.kind == "article" for insertion in rewritten.insertions):
        said.excused = _kept_out(before) or not _has_place(oracle, decoded(splice(page, [chosen]), content_type, page))
        if not said.excused:
            said.add("missing", "nothing was put into the article")
    # A run of NULs is text to a scanner and nothing to a parser: a node that holds a mark alone goes with the mark.
    rest = [event for event in _without_inserted(after.events) if not isinstance(event, str) or _unmarked(event)]
    bare = [_unmarked(event) if isinstance(event, str) else event for event in rest]
    if bare != before.events:
        same = _without_space(bare) == _without_space(before.events)
        said.add("space" if same else "tree", _first_difference(before.events, bare))
    if marks:
        _judge_marks(said, before.events, [event for event in rest if isinstance(event, str)])
        _judge_runs(said, page, rewritten.insertions)
    return said


def splice(page: bytes, insertions: Iterable[Insertion]) -> bytes:
    """``page`` with these put in."""
    pieces, done = [], 0
    for at, markup, _ in insertions:
        pieces += [page[done:at], markup]
        done = at
    return b"".join([*pieces, page[done:]])


def _tree(
    oracle: Oracle, page: bytes, insertions: Iterable[Insertion], content_type: str, charset_of: bytes, selector: str
) -> Tree:
    return oracle(decoded(splice(page, insertions), content_type, charset_of), selector)


def _chosen(page: bytes, inner_start: int) -> Insertion:
    """The attribute that marks the article's start tag: last in it, behind a value that may be missing."""
    value = b'""' if page[: inner_start - 1].rstrip(_SPACE.encode()).endswith(b"=") else b""
    return Insertion(inner_start - 1, value + b" " + CHOSEN.encode(), "")


def _probed(insertion: Insertion) -> Insertion:
    if insertion.kind == "mark":
        return insertion
    probe = f" {PROBE}={insertion.kind}".encode()
    return insertion._replace(markup=_TAG.sub(rb"<\1" + probe, insertion.markup))


def _with(chosen: Insertion, insertions: list[Insertion]) -> list[Insertion]:
    return sorted([*insertions, chosen], key=lambda insertion: insertion.at)


def _judge_inserted(said: Judgement, tree: Tree, insertions: Sequence[Insertion]) -> None:
    """Every inserted tag became an element; scripts would run; the widget is part of the article."""
    wanted = [(tag.decode(), i.kind) for i in insertions if i.kind != "mark" for tag in _TAG.findall(i.markup)]
    found = []
    for (tag, attributes), above in _elements(tree.events):
        kind = attributes.get(PROBE)
        if kind is None:
            continue
        found.append((tag, kind))
        outermost = PROBE not in above[-1][1]
        if kind == "head" and outermost and above[-1][0] not in ("head", "body"):
            said.add("dead", f"{tag} of the head stands in {above[-1][0]}")
        if kind == "article" and outermost:
            _judge_widget(said, tag, above)
    if sorted(found) != sorted(wanted):
        said.add("dead", f"{len(wanted)} tags put in, {len(found)} elements found")
    put_in = "".join(unescape(_ANY_TAG.sub(b"", i.markup).decode()) for i in insertions if i.kind != "mark")
    held = ""
    for text, above in _texts(tree.events):
        inside = next((n for n, (_, attributes) in enumerate(above) if PROBE in attributes), len(above))
        held += text if inside < len(above) else ""
        if any(tag == "a" and PROBE not in attributes for tag, attributes in above[inside:]):
            said.add("cramped", f"{text[:40]!r} has become a link of the page's")
    if sorted(put_in) != sorted(held):
        said.add("swallowed", f"{held[:200]!r}")


def _judge_widget(said: Judgement, tag: str, above: list[Start]) -> None:
    names = [name for name, _ in above]
    chosen = next((n for n, (_, attributes) in enumerate(above) if CHOSEN in attributes), None)
    if chosen is None:
        said.add("outside", f"{tag} stands in {' '.join(names)}")
    elif not CRAMPED.isdisjoint(names[chosen + 1 :]):
        said.add("cramped", f"{tag} stands in {' '.join(names)}")


def _has_place(oracle: Oracle, page: str) -> bool:
    """Whether a block of links could have been put in last in the article, by trying it."""
    page = page.replace("\r\n", "\n").replace("\r", "\n")
    at, trial = article_end(page), Judgement()
    tried = oracle(page[:at] + _probed(_TRIAL).markup.decode() + page[at:], "")
    _judge_inserted(trial, tried, [_TRIAL])
    return not trial.problems and list(_without_inserted(tried.events)) == oracle(page, "").events


def _kept_out(tree: Tree) -> bool:
    """Whether the article is, or stands in, something that is left alone."""
    found = next(([*above, start] for start, above in _elements(tree.events) if CHOSEN in start[1]), [])
    return any(tag in LEFT_ALONE or LEFT_ALONE_WITH & attributes.keys() for tag, attributes in found)


def _elements(events: Iterable[Event]) -> Iterator[tuple[Start, list[Start]]]:
    """Every element with those around it, the outermost first. The list is only valid until the next step."""
    above: list[Start] = []
    for event in events:
        if event is None:
            above.pop()
        elif not isinstance(event, str):
            yield event, above
            above.append(event)


def _texts(events: Iterable[Event]) -> Iterator[tuple[str, list[Start]]]:
    """Every text with the elements around it, likewise."""
    above: list[Start] = []
    for event in events:
        if event is None:
            above.pop()
        elif isinstance(event, str):
            yield event, above
        else:
            above.append(event)


def _without_inserted(events: Iterable[Event]) -> Iterator[Event]:
    """The tree less the elements that were put in; text that comes to touch is joined."""
    inside, text = 0, ""
    for event in events:
        if isinstance(event, str):
            text += "" if inside else event
        elif inside:
            inside += -1 if event is None else 1
        elif event is not None and PROBE in event[1]:
            inside = 1
        else:
            if text:
                yield text
                text = ""
            yield event
    if text:
        yield text


def _without_space(events: Iterable[Event]) -> list[Event]:
    """What is left when white space that moved from one element to another is not counted."""
    texts = ("".join(event.split()) if isinstance(event, str) else event for event in events)
    return [event for event in texts if event != ""]


def expects_mark(text: str, above: Sequence[Start]) -> bool:
    """Whether a text node of the input's tree is one that gets a mark."""
    # A vertical tab is no white space in HTML, but nobody sees it: it neither needs a mark nor minds one.
    # "</" that ends a page is text, too, but would be a comment with a mark behind it.
    if not text.strip(_SPACE + "\x0b").removesuffix("</"):
        return False
    in_article = in_paragraph = False
    for tag, attributes in above:
        if tag in NEVER or tag in LEFT_ALONE or not LEFT_ALONE_WITH.isdisjoint(attributes):
            return False
        in_paragraph = in_paragraph or (in_article and tag == "p")
        in_article = in_article or CHOSEN in attributes
    return in_paragraph


def _judge_marks(said: Judgement, events: list[Event], texts: list[str]) -> None:
    expected = [expects_mark(text, above) for text, above in _texts(events)]
    either = [_may_be_marked(above) for _, above in _texts(events)]
    said.expected = sum(expected)
    said.right = sum(wanted and MARK in text for wanted, text in zip(expected, texts, strict=False))
    if len(expected) != len(texts):
        # The trees differ, which has been said; which text is which cannot be told.
        return
    for wanted, free, text in zip(expected, either, texts, strict=True):
        shown = _unmarked(text).strip(_SPACE + "\x0b")
        if wanted and MARK not in text:
            said.add("mark-missing", f"{text[-60:]!r}")
        elif not wanted and not free and MARK in text and shown:
            said.add("mark-stray", f"{text[-60:]!r}")
        elif wanted and not text.rstrip(_SPACE).removesuffix("</").endswith(MARK):
            said.add("mark-early", f"{text[-60:]!r}")


def _may_be_marked(above: Sequence[Start]) -> bool:
    """Whether a mark does no harm though none is wanted.

    Text of the article that is in a paragraph around the article is a paragraph's all the same, and what a noscript
    swallowed is text like any other for readers without scripts.
    """
    names = [tag for tag, _ in above]
    chosen = next((n for n, (_, attributes) in enumerate(above) if CHOSEN in attributes), 0)
    return "noscript" in names or ("p" in names[:chosen] and (NEVER | LEFT_ALONE).isdisjoint(names[chosen:]))


def _judge_runs(said: Judgement, page: bytes, insertions: Iterable[Insertion]) -> None:
    """No mark behind mere white space, which a parser cannot tell from white space spelt as a reference."""
    for at, _, kind in insertions:
        if kind == "mark" and not page[_run_start(page, at) : at].strip(_SPACE.encode()):
            said.add("mark-space", f"at {at}: {page[max(at - 40, 0) : at]!r}")


def _run_start(page: bytes, at: int) -> int:
    """Where the text before ``at`` begins: behind the first ">" after the last "<" that opens anything."""
    opening = page.rfind(b"<", 0, at)
    while opening >= 0 and not _OPENING.match(page, opening):
        opening = page.rfind(b"<", 0, opening)
    return page.find(b">", max(opening, 0), at) + 1


def _unmarked(text: str) -> str:
    return text.replace(MARK, "")


def _first_difference(one: list[Event], other: list[Event]) -> str:
    at = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return f"at event {at}: {one[at : at + 3]} became {other[at : at + 3]}"
