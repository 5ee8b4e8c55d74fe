"""Which elements are open: as much of tree construction as offsets need.

Strategy: a stack of names, and nothing else, so that it can be copied, compared and restored for next to nothing. The
start tags that close others, the end tags that are ignored, the scopes that stop them and the way into and out of SVG
and MathML follow the HTML Standard, section 13.2.6; foster parenting and the reconstruction of formatting elements,
which move text but no tag's offset, are left out. An element of SVG or MathML goes by a name that no HTML element can
have: a blank, a letter for the language, a blank, its name.
"""

from __future__ import annotations

from collections.abc import Container

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

_SCOPE = frozenset(b"applet caption html marquee object table td template th".split()) | _FOREIGN_SCOPE
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
# What a row, a cell or a table section closes before it opens: everything up to one of these.
_TABLE_CONTEXT = {
    **dict.fromkeys((b"td", b"th"), frozenset((b"tr", b"tbody", b"thead", b"tfoot")) | _TABLE_SCOPE),
    b"tr": frozenset((b"tbody", b"thead", b"tfoot")) | _TABLE_SCOPE,
    **dict.fromkeys((b"tbody", b"thead", b"tfoot", b"caption", b"colgroup"), _TABLE_SCOPE),
}
_NOT_IN_SELECT = frozenset((b"input", b"keygen", b"textarea"))
_TABLE_PARTS = frozenset((b"table", b"tbody", b"thead", b"tfoot", b"tr"))
_BREAKOUT = frozenset(
    b"b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta "
    b"nobr ol p pre ruby s small span strong strike sub sup table tt u ul var".split()
)
_HTML_ENCODINGS = (b"text/html", b"application/xhtml+xml")

MAX_DEPTH = 512
"""Elements deeper than this are not told apart (Blink's own limit); it bounds the work of deep nesting."""


class OpenElements:
    """The stack of open elements below ``body`` (or below ``head``, for what stands in it)."""

    __slots__ = ("names", "quirks", "removed", "tags")

    def __init__(self, *, tags: bool = False) -> None:
        self.names: list[bytes] = []
        self.tags: list[bytes] | None = [] if tags else None
        """Each element's start tag as it stands in the page, where somebody wants to look at them."""
        self.quirks = True
        """Whether the page is read in quirks mode: until a doctype says otherwise."""
        self.removed = -1
        """Where the last call took a single element out from below others; -1 when it did not."""

    @property
    def foreign(self) -> bool:
        """Whether the current node is an SVG or MathML element that holds no HTML."""
        names = self.names
        return bool(names) and names[-1][0] == _FOREIGN and names[-1] not in _INTEGRATION

    def start(self, name: bytes, tag: bytes) -> bool:
        """Open ``name``; returns whether it now is the current node (a void or self-closed one is not)."""
        self.removed = -1
        if self.foreign:
            if name not in _BREAKOUT and not (name == b"font" and _breaks_out(tag)):
                return self._foreign_start(name, self.names[-1][:3], tag)
            while self.foreign:
                self._cut(len(self.names) - 1)
        if name in _ROOTS:
            return False
        self._close_implied(name)
        if name in VOID or (name in _TABLE_CONTEXT and not self._table_part(name)):
            return False
        if name == b"form" and b"form" in self.names and b"template" not in self.names:
            return False
        if name == b"select" and name in self.names:
            # A select in a select is read as its end tag.
            self._pop_in_scope(name, _SCOPE)
            return False
        if name == b"svg" or name == b"math":
            return self._foreign_start(name, SVG if name == b"svg" else MATH, tag)
        return self._push(name, tag)

    def end(self, name: bytes) -> None:
        """Close what the end tag ``name`` closes, which may be nothing."""
        self.removed = -1
        names = self.names
        if not names or (names[-1][0] == _FOREIGN and self._foreign_end(name)) or name in _ROOTS or not names:
            return
        if names[-1] == name:
            self._cut(len(names) - 1)
        elif name == b"p":
            self._pop_in_scope(b"p", _BUTTON_SCOPE)
        elif name in HEADINGS:
            self._pop_any(HEADINGS, _SCOPE)
        elif name in FORMATTING:
            self._end_formatting(name)
        elif name in _TABLE_CONTEXT or name == b"table":
            self._pop_in_scope(name, _TABLE_SCOPE - {name})
        elif name == b"li":
            self._pop_in_scope(name, _LIST_SCOPE)
        elif name == b"template":
            self._pop_in_scope(name, frozenset())
        elif name == b"form":
            self._end_form()
        elif name in _SPECIAL:
            self._pop_in_scope(name, _SCOPE)
        else:
            self._end_ordinary(name)

    def closed_by_block(self, depth: int) -> bool:
        """Whether a block that begins inside the element at ``depth`` would end that element, by ending a paragraph."""
        for name in reversed(self.names[: depth + 1]):
            if name == b"p":
                return True
            if name in _BUTTON_SCOPE:
                return False
        return False

    def drop(self) -> None:
        """Close the current node."""
        self._cut(len(self.names) - 1)

    def _push(self, name: bytes, tag: bytes) -> bool:
        self.names.append(name)
        if self.tags is not None:
            self.tags.append(tag)
        return True

    def _cut(self, length: int) -> None:
        del self.names[length:]
        if self.tags is not None:
            del self.tags[length:]

    def _take_out(self, index: int) -> None:
        self.removed = index
        del self.names[index]
        if self.tags is not None:
            del self.tags[index]

    def _close_implied(self, name: bytes) -> None:
        names = self.names
        if not names:
            return
        if name == b"li":
            self._close_item((b"li",))
        elif name == b"dd" or name == b"dt":
            self._close_item((b"dd", b"dt"))
        if name in CLOSES_P:
            if b"p" in names and not (name == b"table" and self.quirks):
                self._pop_in_scope(b"p", _BUTTON_SCOPE)
            if name in HEADINGS and names and names[-1] in HEADINGS:
                self._cut(len(names) - 1)
            if name == b"table" and b"table" in names:
                self._end_outer_table()
        elif name == b"option" or name == b"optgroup":
            while names and names[-1] in (b"option", name):
                self._cut(len(names) - 1)
        elif name in _NOT_IN_SELECT and b"select" in names:
            self._pop_in_scope(b"select", _SCOPE)
        elif name == b"button" and b"button" in names:
            self._pop_in_scope(b"button", _SCOPE)
        elif name == b"a" and b"a" in names:
            self._end_formatting(b"a")

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
        for index in range(len(names) - 1, -1, -1):
            if names[index] in context:
                self._cut(index + 1)
                return True
        return False

    def _end_outer_table(self) -> None:
        """A table that begins in a table, but in none of its cells, ends it."""
        for name in reversed(self.names):
            if name in (b"td", b"th", b"caption", b"template"):
                return
            if name in _TABLE_PARTS:
                self._pop_in_scope(b"table", _TABLE_SCOPE - {b"table"})
                return

    def _pop_in_scope(self, name: bytes, scope: frozenset[bytes]) -> None:
        self._pop_any((name,), scope)

    def _pop_any(self, wanted: Container[bytes], scope: frozenset[bytes]) -> None:
        for index in range(len(self.names) - 1, -1, -1):
            name = self.names[index]
            if name in wanted:
                self._cut(index)
                return
            if name in scope:
                return

    def _end_formatting(self, name: bytes) -> None:
        """The adoption agency's effect on the stack: blocks opened inside the element stay open."""
        names = self.names
        for index in range(len(names) - 1, -1, -1):
            if names[index] == name:
                if any(above in _SPECIAL for above in names[index + 1 :]):
                    self._take_out(index)
                else:
                    self._cut(index)
                return
            if names[index] in _SCOPE:
                return

    def _end_form(self) -> None:
        """A form is taken off the stack from wherever it stands; what is open inside it stays open."""
        names = self.names
        for index in range(len(names) - 1, -1, -1):
            if names[index] == b"form":
                while names[-1] in _IMPLIED:
                    self._cut(len(names) - 1)
                if index == len(names) - 1:
                    self._cut(index)
                else:
                    self._take_out(index)
                return
            if names[index] in _SCOPE:
                return

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


def _breaks_out(tag: bytes) -> bool:
    return not {b"color", b"face", b"size"}.isdisjoint(attributes(tag))


def _self_closing(tag: bytes) -> bool:
    """Whether the solidus before ``>`` is syntax, and not the end of an unquoted value (``<a href=x/>``)."""
    values = attributes(tag)
    last = next(reversed(values.values()), b"")
    return not (last.endswith(b"/") and tag.endswith(last + b">"))
