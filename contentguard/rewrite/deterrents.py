"""What stands between a reader's Ctrl+C and the whole article: the tags for our script and style sheet.

The rules live in the script; here is only what this site wants and what this page is, as JSON in an
attribute, so that the files stay the same for everybody. A page gets no file it has no use for: the script
when copying or images are guarded or the share box has buttons, the style sheet when there is anything to
be seen. Copying left alone (policy ``off``) goes into the script as just that, for the buttons need it
still.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, get_args

from contentguard.assets import SCRIPT, STYLE
from contentguard.rewrite.page import Field, Fragment, Page, Part, Slot, ascii_html
from contentguard.rewrite.share import Share, joined, refuse_unknown
from contentguard.rewrite.visible import Visible

Policy = Literal["off", "attribute", "quote", "strict"]

MESSAGES = ("refused", "hint", "hint_strict", "source", "rights", "link_copied")
"""Keys of the texts in the script."""


@dataclass(frozen=True, slots=True)
class Copy:
    """Options of copying from the article."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    policy: Policy = "attribute"
    """``attribute``: longer copies name their source. ``quote``: copies beyond ``quote_words`` are
    refused. ``strict``: all copies are refused and the text cannot be selected, which shuts out people who
    need to select to read or to be read to. ``off``: copying is left alone."""
    free_words: int = 8
    """Copies of up to this many words are left as they are (but under ``strict``)."""
    quote_words: int = 50
    """Copies beyond this many words carry a line about rights, or are refused under ``quote``."""
    context_menu: bool = False
    """Take the context menu off the article's images; never off links, text, fields, with Shift, or by
    keyboard."""
    drag: bool = False
    """Refuse to drag out images, and text where its copy would be refused or named."""
    messages: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Other texts, by key: ``refused``, ``hint`` (``{words}`` is the limit), ``hint_strict``, ``source``
    (``{title}`` is the page's), ``rights``, ``link_copied``."""
    allow: tuple[str, ...] = ()
    """CSS selectors of elements whose text may be copied freely, besides code, fields and
    ``[data-cg-allow]``."""
    quote_link: bool = False
    """The source line's link is one of ours, ``/.contentguard/q/…``, which counts who follows it and leads to
    the passage. Off, because it is worth nothing once the key that signed it is gone, and the page's own
    address is worth something as long as the page is."""

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        refuse_unknown("copy policy", [self.policy], get_args(Policy))
        refuse_unknown("message", self.messages, MESSAGES)
        if not 0 <= self.free_words <= self.quote_words:
            raise ValueError(f"want 0 <= free_words <= quote_words, not {self.free_words} and {self.quote_words}")

    @property
    def guards(self) -> bool:
        """Whether anything about copying needs the script."""
        return self.policy != "off" or self.context_menu or self.drag


def deterrents(page: Page, *, options: Copy, share: Share, visible: Visible, link: str = "") -> Iterator[Fragment]:
    """The tags of our files for the head, and a marker at the article's end where no other insert leaves
    one. ``link``: what copies name as their source instead of the page's address."""
    scripted = page.scripts_allowed and (options.guards or share.scripted)
    parts: list[Part] = []
    if page.styles_allowed and (scripted or share.enabled or visible.marks):
        parts += [b'<link rel="stylesheet" href="', *STYLE.named(page.routes), Field.NONCE, b">"]
    if scripted:
        config = ascii_html(json.dumps(_config(page, options, link), separators=(",", ":")))
        parts += [
            b'<script src="',
            *SCRIPT.named(page.routes),
            b' defer data-cg="%s"' % config,
            Field.NONCE,
            b"></script>",
        ]
    if parts:
        yield Fragment(Slot.HEAD, joined(parts))
    if scripted and not share.enabled and not visible.marks:
        yield Fragment(Slot.ARTICLE_END, (b'<span class="cg-mark" hidden></span>',))


def _config(page: Page, options: Copy, link: str) -> dict[str, object]:
    """What the script is told; a text that is not there is left out."""
    told = {
        "policy": options.policy,
        "free": options.free_words,
        "quote": options.quote_words,
        "context": options.context_menu,
        "drag": options.drag,
        "allow": ",".join(options.allow),
        "article": page.article,
        "title": page.title,
        "url": page.url.partition("#")[0],
        "link": link,
        "messages": dict(options.messages),
    }
    return {key: value for key, value in told.items() if value not in ("", {})}
