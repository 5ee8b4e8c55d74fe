"""Markdown to the HTML of an article body, and to the plain text that the search indexes.

CommonMark plus tables, with raw HTML switched off, so an article can never bring script or style into the
page. What the parser would write as an inline style (the alignment of a table cell) becomes a class, because
the site's content security policy forbids inline styles.
"""

from __future__ import annotations

from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

_LINE_BREAKS = {"softbreak", "hardbreak"}


def render(source: str) -> tuple[str, str]:
    """Return (HTML, plain text) of a Markdown text."""
    tokens = _PARSER.parse(source)
    for token in tokens:
        _adapt(token)
    html = _PARSER.renderer.render(tokens, _PARSER.options, {})
    return html, "\n".join(_plain(token) for token in tokens if token.content).strip()


def _adapt(token: Token) -> None:
    """Fit one token to the page around it."""
    if token.tag == "h1":
        token.tag = "h2"  # the headline is the page's only h1
    if style := str(token.attrs.pop("style", "")):
        token.attrJoin("class", style.replace("text-align:", "align-"))
    for child in token.children or ():
        if child.type == "image":
            _adapt_image(child)


def _adapt_image(token: Token) -> None:
    """Let an author write `images/pier.jpg` as it lies beside the text; load it when it comes into view."""
    source = str(token.attrs.get("src", ""))
    if source.startswith("images/"):
        token.attrSet("src", f"/{source}")
    token.attrSet("loading", "lazy")


def _plain(token: Token) -> str:
    """Return the words of a block without its markup."""
    if token.children is None:
        return token.content
    return "".join(" " if child.type in _LINE_BREAKS else child.content for child in token.children)


def _table_open(
    _renderer: RendererHTML, _tokens: Sequence[Token], _index: int, _options: OptionsDict, _env: EnvType
) -> str:
    # A wide table scrolls in a box of its own; the box takes the focus so that the keyboard can scroll it.
    return '<div class="table-scroll" role="group" aria-label="Table" tabindex="0">\n<table>\n'


def _table_close(
    _renderer: RendererHTML, _tokens: Sequence[Token], _index: int, _options: OptionsDict, _env: EnvType
) -> str:
    return "</table>\n</div>\n"


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "xhtmlOut": False}).enable("table")
    parser.add_render_rule("table_open", _table_open)
    parser.add_render_rule("table_close", _table_close)
    return parser


_PARSER = _parser()
