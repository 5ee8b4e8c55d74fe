"""Which elements are open: as much of tree construction as offsets need.

Strategy: a stack of names, so that it can be copied, compared and restored for next to nothing. The start tags that
close others, the end tags that are ignored, the scopes that stop them, the adoption agency and the way into and out of
SVG and MathML follow the HTML Standard, section 13.2.6. Of the list of active formatting elements only those are kept
that were closed without their own end tag (``pending``): they come back with the next text. Foster parenting, which
moves text but no tag's offset, is left out. An element of SVG or MathML goes by a name that no HTML element can have: a
blank, a letter for the language, a blank, its name.

Longer than a module should be, because the tables and the rules that read them belong together.
"""

from __future__ import annotations

from collections.abc import Container
from typing import NamedTuple

from contentguard.rewrite.tokenizer import attributes

VOID = frozenset(
    b"area base basefont bgsound br col embed frame hr image img input keygen link meta param source track wbr".split()
)
CLOSES_P = frozenset(
    b"address article aside blockquote center details dialog dir div dl dd dt fieldset figcaption figure footer form "
    b"h1 h2 h3 h4 h5 h6 header hgroup hr li listing main menu nav ol p plaintext pre search section summary table ul "
    b"xmp".split()
)
HEADINGS = frozenset((b"h1", b"h2", b"h3", b"h4", b"h5", b"h6"))
FORMATTING = frozenset(b"a b big code em font i nobr s small strike strong tt u".split())
_ROOTS = frozenset((b"html", b"head", b"body", b"frameset"))
"""Never on this stack: their end tags close nothing, what follows still goes where it would have gone."""
_IMPLIED = frozenset(b"dd dt li optgroup option p rb rp rt rtc".split())
SVG, MATH = b" s ", b" m "
"""What the names of foreign elements begin with: no tag's name can hold a blank."""
_FOREIGN = SVG[0]
_SVG_HTML = frozenset(SVG + name for name in (b"foreignobject", b"desc", b"title"))
_MATH_HTML = frozenset(MATH + name for name in (b"mi", b"mo", b"mn", b"ms", b"mtext"))
_ANNOTATION = MATH + b"annotation-xml"
_HTML_ANNOTATION = _ANNOTATION + b"/html"
_INTEGRATION = _SVG_HTML | _MATH_HTML | {_HTML_ANNOTATION}
"""Foreign elements whose content is HTML again (HTML integration points and MathML text integration points)."""
_FOREIGN_SCOPE = _INTEGRATION | {_ANNOTATION}
"""Foreign elements that are special and end every scope."""

_SCOPE = frozenset(b"applet caption html marquee object select table td template th".split()) | _FOREIGN_SCOPE
_BUTTON_SCOPE = _SCOPE | {b"button"}
_LIST_SCOPE = _SCOPE | {b"ol", b"ul"}
_TABLE_SCOPE = frozenset((b"html", b"table", b"template"))
_SPECIAL = (
    CLOSES_P
    | _SCOPE
    | VOID
    | frozenset(
        b"body button colgroup frameset head iframe noembed noframes noscript script select style tbody textarea tfoot "
        b"thead title tr".split()
    )
)
MARKERS = frozenset(b"applet caption marquee object td template th".split())
"""Elements in which no formatting element from outside comes back."""
# What a row, a cell or a table section closes before it opens: everything up to one of these.
_SECTIONS = frozenset((b"tbody", b"thead", b"tfoot"))
_TABLE_CONTEXT = {
    **dict.fromkeys((b"td", b"th"), _SECTIONS | _TABLE_SCOPE | {b"tr"}),
    b"tr": _SECTIONS | _TABLE_SCOPE,
    b"col": _TABLE_SCOPE | {b"colgroup"},
    **dict.fromkeys((*_SECTIONS, b"caption", b"colgroup"), _TABLE_SCOPE),
}
_TABLE_PARTS = _SECTIONS | {b"table", b"tr"}
_CELLS = frozenset((b"td", b"th", b"caption", b"template"))
# Start tags that do not bring formatting elements back.
_NO_REOPENING = (CLOSES_P - {b"xmp"}) | frozenset(
    b"base basefont bgsound body caption col colgroup frame frameset head html iframe link meta noembed noframes "
    b"noscript param rb rp rt rtc script source style tbody td template textarea tfoot th thead title tr track".split()
)
_BREAKOUT = frozenset(
    b"b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta "
    b"nobr ol p pre ruby s small span strong strike sub sup table tt u ul var".split()
)
_HTML_ENCODINGS = (b"text/html", b"application/xhtml+xml")

MAX_DEPTH = 512
"""Elements deeper than this are not told apart (Blink's own limit); it bounds the work of deep nesting."""
_ROUNDS = 8
"""How many blocks the adoption agency moves a formatting element out of."""
_ALIKE = 3
"""How many elements of a name come back (the standard's "Noah's Ark clause", which looks at attributes too)."""


class Pending(NamedTuple):
    """A formatting element that has been closed, but not by its own end tag."""

    level: int
    """How many of ``MARKERS`` were open around it."""
    name: bytes
    tag: bytes


class OpenElements:
    """The stack of open elements below ``body`` (or below ``head``, for what stands in it)."""

    __slots__ = ("form", "kept", "names", "order", "pending", "quirks", "roots", "tags", "waiting")

    def __init__(self, *, tags: bool = False) -> None:
        self.names: list[bytes] = []
        self.tags: list[bytes] | None = [] if tags else None
        """Each element's start tag as it stands in the page, where somebody wants to look at them."""
        self.roots = (b"<html>", b"<body>")
        """The start tags of the two elements around all others, likewise."""
        self.pending: list[Pending] = []
        """What the next text brings back, the oldest first."""
        self.waiting: tuple[Pending, ...] = ()
        """What was pending before the last call."""
        self.form = False
        """Whether a form that is not on the stack any more waits for its end tag: no other form can begin."""
        self.quirks = True
        """Whether the page is read in quirks mode: until a doctype says otherwise."""
        self.kept = 0
        """How many elements at the bottom of the stack the last call left alone."""
        self.order: list[int] | None = None
        """Where the last call took an element out from below others: the old index of each that is left."""

    @property
    def foreign(self) -> bool:
        """Whether the current node is an SVG or MathML element that holds no HTML."""
        names = self.names
        return bool(names) and names[-1][0] == _FOREIGN and names[-1] not in _INTEGRATION

    def start(self, name: bytes, tag: bytes) -> bool:
        """Open ``name``; returns whether it now is the current node (a void or self-closed one is not)."""
        names = self.names
        self._begin()
        own = names[-1] if names else b""
        if own == _ANNOTATION and name == b"svg":
            return self._foreign_start(name, SVG, tag)
        if own in _MATH_HTML and (name == b"mglyph" or name == b"malignmark"):
            return self._foreign_start(name, MATH, tag)
        if self.foreign:
            if name not in _BREAKOUT and not (name == b"font" and _breaks_out(tag)):
                return self._foreign_start(name, own[:3], tag)
            while self.foreign:
                self._cut(len(names) - 1)
        if name in _ROOTS:
            self._root(name, tag)
            return False
        if name == b"form" and not self._form_begins():
            return False
        self._close_implied(name)
        if name in _TABLE_CONTEXT and not self._table_part(name):
            return False
        if name == b"select" and name in names and self._pop_in_scope(name, _SCOPE):
            # A select in a select is read as its end tag.
            return False
        if self.pending and name not in _NO_REOPENING:
            self.reopen()
        if name in VOID:
            return False
        if name == b"svg" or name == b"math":
            return self._foreign_start(name, SVG if name == b"svg" else MATH, tag)
        return self._push(name, tag)

    def _begin(self) -> None:
        self.kept, self.order, self.waiting = len(self.names), None, tuple(self.pending)

    def end(self, name: bytes) -> None:
        """Close what the end tag ``name`` closes, which may be nothing."""
        names = self.names
        self._begin()
        if names and names[-1][0] == _FOREIGN and self._foreign_end(name):
            return
        if name in FORMATTING:
            self._adopt(name)
        elif name == b"form":
            self._end_form()
        elif not names or name in _ROOTS:
            return
        elif names[-1] == name:
            self._cut(len(names) - 1)
        elif name == b"p":
            self._pop_in_scope(b"p", _BUTTON_SCOPE)
        elif name in HEADINGS:
            self._pop_any(HEADINGS, _SCOPE)
        elif name in _TABLE_CONTEXT or name == b"table":
            self._pop_in_scope(name, _TABLE_SCOPE)
        elif name == b"li":
            self._pop_in_scope(name, _LIST_SCOPE)
        elif name == b"template":
            self._pop_in_scope(name, frozenset())
        elif name in _SPECIAL:
            self._pop_in_scope(name, _SCOPE)
        else:
            self._end_ordinary(name)

    @property
    def ancestors(self) -> list[tuple[bytes, bytes]]:
        """Names and start tags of what is around the current node, the outermost first; empty if nobody wants them."""
        if self.tags is None:
            return []
        around = zip((b"html", b"body"), self.roots, strict=True)
        return [*around, *zip(self.names[:-1], self.tags[:-1], strict=True)]

    def text(self, *, blank: bool) -> int:
        """Text follows: bring back what is pending; how many elements that were."""
        if self.foreign or (blank and self.names and self.names[-1] in _TABLE_PARTS):
            return 0
        return self.reopen()

    def reopen(self) -> int:
        """Reconstruct the active formatting elements; how many that were."""
        level = self._level()
        mine = [entry for entry in self.pending if entry.level == level]
        self.pending[:] = [entry for entry in self.pending if entry.level < level]
        for _, name, tag in mine:
            self._push(name, tag)
        return len(mine)

    def linked(self, before: list[bytes]) -> bool:
        """Whether a link was open, or would have come back, where the last call found the stack to be ``before``."""
        marker = next((n for n in range(len(before) - 1, -1, -1) if before[n] in MARKERS), -1)
        level = sum(name in MARKERS for name in before)
        return b"a" in before[marker + 1 :] or any(name == b"a" and at == level for at, name, _ in self.waiting)

    def finish(self) -> None:
        """The page has ended."""
        self._begin()

    def drop(self) -> None:
        """Close the current node."""
        self._cut(len(self.names) - 1)

    def _root(self, name: bytes, tag: bytes) -> None:
        html, body = self.roots
        if self.tags is None:
            return
        if name == b"html" and html == b"<html>":
            self.roots = (tag, body)
        elif name == b"body" and body == b"<body>":
            self.roots = (html, tag)

    def _push(self, name: bytes, tag: bytes) -> bool:
        self.names.append(name)
        if self.tags is not None:
            self.tags.append(tag)
        return True

    def _cut(self, length: int) -> None:
        """Close all elements from the index ``length`` on."""
        names = self.names
        gone, tags = names[length:], [] if self.tags is None else self.tags[length:]
        del names[length:]
        self.kept = min(self.kept, length)
        if self.tags is not None:
            del self.tags[length:]
        if self.pending or not FORMATTING.isdisjoint(gone):
            self._shelve(gone, tags)
        if b"form" in gone and b"template" not in names:
            self.form = True

    def _shelve(self, gone: list[bytes], tags: list[bytes]) -> None:
        """Note the formatting elements among those that were closed; what was noted inside markers is forgotten."""
        level = self._level()
        marker = next((n for n, name in enumerate(gone) if name in MARKERS), len(gone))
        tags = tags or [b""] * len(gone)
        found = [Pending(level, gone[n], tags[n]) for n in range(marker) if gone[n] in FORMATTING]
        older = [entry for entry in self.pending if entry.level < level]
        # What was noted before was opened later: it could not have been opened without bringing these back.
        same = found + [entry for entry in self.pending if entry.level == level]
        counts: dict[bytes, int] = {}
        kept = []
        for entry in reversed(same):
            counts[entry.name] = counts.get(entry.name, 0) + 1
            if counts[entry.name] <= _ALIKE:
                kept.append(entry)
        self.pending[:] = older + kept[::-1]

    def _level(self) -> int:
        return sum(name in MARKERS for name in self.names)

    def _drop(self, index: int) -> None:
        """Close the element at ``index`` by its own end tag: what was open inside it may come back, it will not."""
        inside, tags = self.names[index + 1 :], [] if self.tags is None else self.tags[index + 1 :]
        del self.names[index:]
        self.kept = min(self.kept, index)
        if self.tags is not None:
            del self.tags[index:]
        if self.pending or inside:
            self._shelve(inside, tags)

    def _reorder(self, order: list[int]) -> None:
        """Leave these open, by their old index."""
        self.order = order
        self.names[:] = [self.names[index] for index in order]
        if self.tags is not None:
            self.tags[:] = [self.tags[index] for index in order]

    def _close_implied(self, name: bytes) -> None:
        names = self.names
        if not names and not self.pending:
            return
        if names and names[-1] == b"colgroup" and name not in (b"col", b"template"):
            self._cut(len(names) - 1)
        if name == b"li":
            self._close_item((b"li",))
        elif name == b"dd" or name == b"dt":
            self._close_item((b"dd", b"dt"))
        if name in CLOSES_P:
            if b"p" in names and not (name == b"table" and self.quirks):
                self._pop_in_scope(b"p", _BUTTON_SCOPE)
            if name in HEADINGS and names and names[-1] in HEADINGS:
                self._cut(len(names) - 1)
            elif name == b"hr" and in_scope(names, b"select"):
                self._imply(_IMPLIED)
            elif name == b"table" and b"table" in names:
                self._end_outer_table()
        elif name == b"option" or name == b"optgroup":
            if in_scope(names, b"select"):
                self._imply(_IMPLIED - {b"optgroup"} if name == b"option" else _IMPLIED)
            elif names and names[-1] == b"option":
                self._cut(len(names) - 1)
        elif name == b"input":
            self._pop_in_scope(b"select", _SCOPE)
        elif name == b"button":
            self._pop_in_scope(b"button", _SCOPE)
        elif name == b"a":
            self._adopt(name)
        elif name == b"nobr":
            self.reopen()
            if in_scope(names, name):
                self._adopt(name)

    def _imply(self, names: Container[bytes]) -> None:
        """Generate implied end tags."""
        while self.names and self.names[-1] in names:
            self._cut(len(self.names) - 1)

    def _close_item(self, kinds: tuple[bytes, ...]) -> None:
        """The loop of "A start tag whose tag name is li" (dd, dt): up to the item, but past no special element."""
        for index in range(len(self.names) - 1, -1, -1):
            name = self.names[index]
            if name in kinds:
                self._cut(index)
                return
            if name in _SPECIAL and name not in (b"address", b"div", b"p"):
                return

    def _table_part(self, name: bytes) -> bool:
        """Clear the stack back to the context of a row, cell or section; False where there is no table."""
        names, context = self.names, _TABLE_CONTEXT[name]
        if b"table" not in names and b"template" not in names:
            return False
        index = next(n for n in range(len(names) - 1, -1, -1) if names[n] in context)
        self._cut(index + 1)
        # The sections and rows that no tag began.
        if names[index] == b"table" and (name == b"tr" or name == b"td" or name == b"th"):
            self._push(b"tbody", b"<tbody>")
        if names[-1] in _SECTIONS and (name == b"td" or name == b"th"):
            self._push(b"tr", b"<tr>")
        return True

    def _end_outer_table(self) -> None:
        """A table that begins in a table, but in none of its cells, ends it."""
        if self._in_table():
            self._pop_in_scope(b"table", _TABLE_SCOPE)

    def _pop_in_scope(self, name: bytes, scope: frozenset[bytes]) -> bool:
        return self._pop_any((name,), scope)

    def _pop_any(self, wanted: Container[bytes], scope: frozenset[bytes]) -> bool:
        for index in range(len(self.names) - 1, -1, -1):
            name = self.names[index]
            if name in wanted:
                self._cut(index)
                return True
            if name in scope:
                return False
        return False

    def _adopt(self, name: bytes) -> None:
        """The adoption agency algorithm, as far as it moves elements on the stack."""
        names = self.names
        level = self._level() if self.pending else 0
        for number in range(len(self.pending) - 1, -1, -1):
            if self.pending[number].level == level and self.pending[number].name == name:
                del self.pending[number]
                return
        index = len(names) - 1
        while index >= 0 and names[index] != name:
            if names[index] in _SCOPE:
                return
            index -= 1
        if index >= 0:
            self._take_out(index)

    def _take_out(self, index: int) -> None:
        """End the formatting element at ``index``; the blocks that were opened inside it stay open."""
        names = self.names
        order, rest = list(range(index)), list(range(index + 1, len(names)))
        turn = 0
        while turn < _ROUNDS:
            block = next((n for n, old in enumerate(rest) if names[old] in _SPECIAL), -1)
            if block < 0:
                break
            turn += 1
            nearest = rest[max(block - 3, 0) : block]
            order += [*(old for old in nearest if names[old] in FORMATTING), rest[block]]
            rest = rest[block + 1 :]
        if turn == _ROUNDS:
            self._reorder([*order, index, *rest])
        elif turn == 0:
            self._drop(index)
        else:
            inside = [(names[old], b"" if self.tags is None else self.tags[old]) for old in rest]
            self._reorder(order)
            if inside:
                self._shelve([name for name, _ in inside], [tag for _, tag in inside])

    def _form_begins(self) -> bool:
        """Whether a form's start tag opens one; in a table it stands there, but nothing stands in it."""
        if b"template" in self.names:
            return True
        if self.form or b"form" in self.names:
            return False
        self.form = self._in_table()
        return not self.form

    def _in_table(self) -> bool:
        """Whether a table is open, and none of its cells, so that its rules hold whatever else is open in it."""
        last = next((name for name in reversed(self.names) if name in _TABLE_PARTS or name in _CELLS), b"")
        return last in _TABLE_PARTS

    def _end_form(self) -> None:
        """A form is taken off the stack from wherever it stands; what is open inside it stays open."""
        names = self.names
        if b"template" in names:
            self._pop_in_scope(b"form", _SCOPE)
            return
        if self.form or not in_scope(names, b"form"):
            self.form = False
            return
        self._imply(_IMPLIED)
        index = len(names) - 1 - names[::-1].index(b"form")
        self._reorder([*range(index), *range(index + 1, len(names))])

    def _end_ordinary(self, name: bytes) -> None:
        for index in range(len(self.names) - 1, -1, -1):
            if self.names[index] == name:
                self._cut(index)
                return
            if self.names[index] in _SPECIAL:
                return

    def _foreign_start(self, name: bytes, space: bytes, tag: bytes) -> bool:
        if tag[-2] == 0x2F and _self_closing(tag):
            return False
        own = space + name
        if own == _ANNOTATION and attributes(tag).get(b"encoding", b"").lower() in _HTML_ENCODINGS:
            own = _HTML_ANNOTATION
        return self._push(own, tag)

    def _foreign_end(self, name: bytes) -> bool:
        """Close a foreign element; False where the end tag is none of theirs and HTML's rules apply."""
        if name == b"p" or name == b"br":
            while self.foreign:
                self._cut(len(self.names) - 1)
            return False
        for index in range(len(self.names) - 1, -1, -1):
            own = self.names[index]
            if own[0] != _FOREIGN:
                return False
            if own[3:] == name or (own == _HTML_ANNOTATION and name == b"annotation-xml"):
                self._cut(index)
                return True
        return False


def in_scope(names: list[bytes], name: bytes) -> bool:
    """Whether ``name`` is open where its end tag would find it."""
    for above in reversed(names):
        if above == name:
            return True
        if above in _SCOPE:
            return False
    return False


def closing_paragraph(names: list[bytes]) -> int:
    """The index of the paragraph that a block closes which begins here, with all that is in it; else the depth."""
    if names and names[-1][0] == _FOREIGN and names[-1] not in _INTEGRATION:
        return len(names)
    for index in range(len(names) - 1, -1, -1):
        if names[index] == b"p":
            return index
        if names[index] in _BUTTON_SCOPE:
            break
    return len(names)


def _breaks_out(tag: bytes) -> bool:
    return not {b"color", b"face", b"size"}.isdisjoint(attributes(tag))


def _self_closing(tag: bytes) -> bool:
    """Whether the solidus before ``>`` is syntax, and not the end of an unquoted value (``<a href=x/>``)."""
    values = attributes(tag)
    last = next(reversed(values.values()), b"")
    return not (last.endswith(b"/") and tag.endswith(last + b">"))
