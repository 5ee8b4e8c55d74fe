"""Markdown to the HTML of an article body, and to the plain text that the search indexes.

CommonMark plus tables, with raw HTML switched off, so an article can never bring script or style into the
page. What the parser would write as an inline style (the alignment of a table cell) becomes a class, because
the site's content security policy forbids inline styles.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

_LINE_BREAKS = {"softbreak", "hardbreak"}
_FOLDER = "images/"
Measure = Callable[[str], tuple[int, int] | None]
"""A picture's file in the images folder → its width and height in pixels; None where there is none."""


def render(source: str, measure: Measure = lambda name: None) -> tuple[str, str]:
    """Return (HTML, plain text) of a Markdown text. Where pictures are measured, a page does not jump as they come."""
    tokens = _PARSER.parse(source)
    for token in tokens:
        _adapt(token, measure)
    html = _PARSER.renderer.render(tokens, _PARSER.options, {})
    return html, "\n".join(_plain(token) for token in tokens if token.content).strip()


def pictures(source: str) -> list[str]:
    """Return the files of the images folder that a Markdown text shows."""
    shown = [child for token in _PARSER.parse(source) for child in token.children or () if child.type == "image"]
    return [name for child in shown if (name := _name(child))]


def _adapt(token: Token, measure: Measure) -> None:
    """Fit one token to the page around it."""
    if token.tag == "h1":
        token.tag = "h2"  # the headline is the page's only h1
    if style := str(token.attrs.pop("style", "")):
        token.attrJoin("class", style.replace("text-align:", "align-"))
    for child in token.children or ():
        if child.type == "image":
            _adapt_image(child, measure)


def _adapt_image(token: Token, measure: Measure) -> None:
    """Let an author write `images/pier.jpg` as it lies beside the text; load it when it comes into view.

    Where `pier@2x.jpg` lies beside it, that is for screens with twice as many pixels.
    """
    token.attrSet("loading", "lazy")
    if not (name := _name(token)):
        return
    source = f"/{token.attrs['src']}"
    token.attrSet("src", source)
    if (size := measure(name)) is not None:
        token.attrSet("width", str(size[0]))
        token.attrSet("height", str(size[1]))
    if measure(_doubled(name)) is not None:
        token.attrSet("srcset", f"{source} 1x, {_doubled(source)} 2x")


def _name(token: Token) -> str:
    """The file of the images folder that an image is; empty for one of another place."""
    source = str(token.attrs.get("src", ""))
    return unquote(source.removeprefix(_FOLDER)) if source.startswith(_FOLDER) else ""


def _doubled(name: str) -> str:
    suffix = PurePosixPath(name).suffix
    return f"{name.removesuffix(suffix)}@2x{suffix}"


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
