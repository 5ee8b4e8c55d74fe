"""Whether markup does the same when a script puts it into a page as when the page is read with it.

Strategy: it mostly does. What does not is looked for by name, and a page that has any of it is better loaded anew than
patched: a script that writes into the document being read would put what it writes in the place of the whole page; one
that waits for the page to be loaded has missed that; one that is fetched does not hold up what follows and counts on
it; a nonce is that of another response; a shadow root that is declared is made by the page's parser alone; pictures
that the site's own script is to load are found by it once. What is seen too much costs a reload, so tags are not parsed
with care. Each of these takes every byte once or twice.

Source: HTML §4.12.1.1 (prepare the script element), §8.4.3 (document.write), §13.2.6.4.4 (shadowrootmode); CSP3 §7.2.
"""

from __future__ import annotations

import re

_SCRIPT = re.compile(rb"(?i)<script(?=[\t\n\f\r />])([^<>]{0,4096}+)>")
_END = re.compile(rb"(?i)</script")
_DATA = re.compile(rb"(?i)\btype[\t\n\f\r ]*+=[\t\n\f\r ]*+[\"']?+application/(?:[a-z]++\+)?+json")
_FETCHED = re.compile(rb"(?i)[\t\n\f\r \"'/]src[\t\n\f\r ]*+=")
_UNHURRIED = re.compile(rb"(?i)[\t\n\f\r \"'/]async\b|\bmodule\b")
_MISSED = re.compile(rb"\.write(?:ln)?\b|\b(?:on)?load\b|DOMContentLoaded|readystatechange")
"""What a script says that writes into the page or waits for it."""
_PARSERS = re.compile(rb"[\t\n\f\r \"'/](?:nonce|shadowrootmode)[\t\n\f\r ]*+=")
_PICTURE = re.compile(rb"(?i)<(?:img|source)(?=[\t\n\f\r /])([^<>]{0,4096}+)>")
_LATER = re.compile(rb"(?i)[\t\n\f\r \"'/]data-(?:src|srcset)[\t\n\f\r ]*+=")
_WATCHED = re.compile(rb"(?i)\blazyload(?:ed|ing)?\b")
"""The class of lazysizes, which sees by itself what is put into a page."""


def needs_parser(markup: bytes) -> bool:
    """Whether ``markup`` should come with its page."""
    return _for_parsers(markup) or _scripted(markup) or _loaded_by_script(markup)


def _for_parsers(markup: bytes) -> bool:
    lowered = markup.lower()
    # Most have no such word at all, which is seen six times as fast.
    return (b"nonce" in lowered or b"shadowrootmode" in lowered) and bool(_PARSERS.search(lowered))


def _scripted(markup: bytes) -> bool:
    at = 0
    while tag := _SCRIPT.search(markup, at):
        ended = _END.search(markup, tag.end())
        at = ended.end() if ended else len(markup)
        if _DATA.search(tag[1]):
            continue
        if _FETCHED.search(tag[1]):
            if not _UNHURRIED.search(tag[1]):
                return True
        elif _MISSED.search(markup, tag.end(), at):
            return True
    return False


def _loaded_by_script(markup: bytes) -> bool:
    return any(_LATER.search(tag) and not _WATCHED.search(tag) for tag in _PICTURE.findall(markup))
