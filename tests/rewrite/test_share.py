"""The share box as bytes: every network's address, and any title surviving the way into the page."""

from __future__ import annotations

import re
from urllib.parse import unquote
from xml.etree.ElementTree import fromstring

import pytest
from bs4 import BeautifulSoup, Tag
from hypothesis import given
from hypothesis import strategies as st

from contentguard.rewrite.page import Field, Page, Slot
from contentguard.rewrite.share import TARGETS, Share, ShareTarget, share

PAGE = Page(title="Tide & time", canonical="https://n.example/a?b=1", image="/i.jpg")
U, T = "https%3A%2F%2Fn.example%2Fa%3Fb%3D1", "Tide%20%26%20time"
ADDRESSES = {
    "facebook": f"https://www.facebook.com/sharer/sharer.php?u={U}",
    "twitter": f"https://x.com/intent/post?text={T}&url={U}",
    "linkedin": f"https://www.linkedin.com/sharing/share-offsite/?url={U}",
    "whatsapp": f"https://wa.me/?text={T}%20{U}",
    "telegram": f"https://t.me/share/url?url={U}&text={T}",
    "reddit": f"https://www.reddit.com/submit?url={U}&title={T}",
    "bluesky": f"https://bsky.app/intent/compose?text={T}%0A{U}",
    "threads": f"https://www.threads.net/intent/post?text={T}&url={U}",
    "mastodon": f"https://share.joinmastodon.org/?text={T}%20{U}",
    "pinterest": f"https://www.pinterest.com/pin/create/button/?url={U}"
    f"&media=https%3A%2F%2Fn.example%2Fi.jpg&description={T}",
    "hackernews": f"https://news.ycombinator.com/submitlink?u={U}&t={T}",
    "email": f"mailto:?subject={T}&body={U}",
    "sms": f"sms:?&body={T}%20{U}",
}
UNTITLED = {
    "twitter": f"https://x.com/intent/post?url={U}",
    "whatsapp": f"https://wa.me/?text={U}",
    "bluesky": f"https://bsky.app/intent/compose?text={U}",
    "telegram": f"https://t.me/share/url?url={U}",
    "email": f"mailto:?body={U}",
    "sms": f"sms:?&body={U}",
}


def html(page: Page, options: Share, qr: str = "") -> str:
    """The box with its holes shown by name."""
    parts = [part for fragment in share(page, options=options, qr=qr) for part in fragment.parts]
    return "".join(f"[{part.name}]" if isinstance(part, Field) else part.decode("ascii") for part in parts)


def links(page: Page, options: Share, qr: str = "") -> list[Tag]:
    """The box's links."""
    return BeautifulSoup(html(page, options, qr), "html.parser").find_all("a")


@pytest.mark.parametrize("name", ADDRESSES)
def test_addresses(name: str) -> None:
    assert [a["href"] for a in links(PAGE, Share(targets=(name,)))] == [ADDRESSES[name]]


@pytest.mark.parametrize("name", UNTITLED)
def test_addresses_of_pages_without_a_title(name: str) -> None:
    page = Page(canonical=PAGE.canonical)
    assert [a["href"] for a in links(page, Share(targets=(name,)))] == [UNTITLED[name]]


def test_every_target_has_a_tested_address() -> None:
    assert {*ADDRESSES, "print", "qr"} == set(TARGETS)


def test_an_address_that_is_not_known_stays_open() -> None:
    (fragment,) = share(Page(title="t"), options=Share(targets=("facebook", "twitter")))
    assert fragment.slot is Slot.ARTICLE_END
    assert [part for part in fragment.parts if isinstance(part, Field)] == [Field.URL_QUERY] * 2
    assert all(part for part in fragment.parts)


def test_what_the_page_cannot_give_leaves_the_target_out() -> None:
    assert links(Page(title="t"), Share(targets=("pinterest", "qr"))) == []
    assert links(Page(image="x.jpg"), Share(targets=("pinterest",))) == []


def test_the_qr_code_is_a_link_of_the_guards() -> None:
    (link,) = links(PAGE, Share(targets=("qr",)), qr="/.contentguard/qr/a.b?c=1&d=2")
    assert link["href"] == "/.contentguard/qr/a.b?c=1&d=2"
    assert link["aria-label"] == "QR code (opens in a new tab)"


def test_links_that_leave_say_so_and_others_do_not() -> None:
    away, mail = links(PAGE, Share(targets=("facebook", "email")))
    assert away["target"] == "_blank"
    assert away["rel"] == ["nofollow", "noopener", "noreferrer"]
    assert away["aria-label"] == "Share on Facebook (opens in a new tab)"
    assert "target" not in mail.attrs
    assert mail.get_text() == "Email"


def test_buttons_wait_hidden_for_the_script() -> None:
    box = BeautifulSoup(html(PAGE, Share(targets=("print",))), "html.parser")
    assert [b["data-cg-share"] for b in box.find_all("button")] == ["print", "native", "copy"]
    assert all("hidden" in b.attrs and b["type"] == "button" for b in box.find_all("button"))
    assert box.section is not None
    assert "hidden" in box.section.attrs


def test_where_no_script_may_run_there_are_no_buttons() -> None:
    page = Page(title="t", canonical="https://n.example/", scripts_allowed=False)
    assert "<button" not in html(page, Share())
    assert html(page, Share(targets=())) == '<span class="cg-mark" hidden></span>'


def test_off_is_off() -> None:
    assert list(share(PAGE, options=Share(enabled=False))) == []
    assert not Share(enabled=False).scripted
    assert not Share(native=False, copy_link=False).scripted
    assert Share(native=False, copy_link=False, targets=("print",)).scripted


def test_own_targets_and_own_words() -> None:
    own = ShareTarget("intern", "Intern", "https://intra.example/?l={url}", "M0 0h24")
    texts = {"share_on": "Auf {name} teilen", "new_tab": "{name} (neuer Tab)", "copy": "Link kopieren"}
    options = Share(targets=("intern",), extra=(own,), texts=texts, heading="Teilen & weitersagen")
    (link,) = links(PAGE, options)
    assert link["aria-label"] == "Auf Intern teilen (neuer Tab)"
    assert "Link kopieren" in html(PAGE, options)
    assert "Teilen &amp; weitersagen" in html(PAGE, options)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Share(targets=("facebok",)), "did you mean 'facebook'"),
        (lambda: Share(texts={"copi": "x"}), "did you mean 'copy'"),
        (lambda: ShareTarget("x", "X", "https://x.example/?u={urls}"), "did you mean '{url}'"),
        (lambda: ShareTarget("x", "X", " JavaScript:alert(1)"), "run as code"),
        (lambda: ShareTarget("x", "X", "https://x.example", '"/><script>'), "path data"),
    ],
)
def test_mistakes_are_refused_with_the_right_name(make: type, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        make()


def test_the_box_is_well_formed_and_quotes_no_style() -> None:
    text = html(PAGE, Share(targets=tuple(TARGETS)), qr="/q")
    assert "style=" not in text
    root = fromstring(re.sub(r" (data-nosnippet|hidden)(?=[ >])", r' \1=""', text))
    drawings = root.findall(".//svg")
    assert len(drawings) == len(TARGETS) + 2
    assert all(svg.get("aria-hidden") == "true" and svg.get("focusable") == "false" for svg in drawings)


# No reference can name a control character: parsers read &#128; as the euro sign of Windows' code page.
TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]))


PATH = st.text(st.characters(min_codepoint=33, max_codepoint=126))


@given(title=TEXT.filter(bool), path=PATH, heading=TEXT)
def test_any_title_and_address_come_back_the_same(title: str, path: str, heading: str) -> None:
    page = Page(title=title, canonical="https://n.example/" + path)
    (link,) = links(page, Share(targets=("twitter",), heading=heading))
    text, url = str(link["href"]).removeprefix("https://x.com/intent/post?text=").split("&url=")
    assert unquote(text) == title
    assert unquote(url) == page.canonical
    box = BeautifulSoup(html(page, Share(heading=heading)), "html.parser")
    assert box.h2 is not None
    assert box.h2.get_text() == heading
    assert len(box.find_all("li")) == 6


def test_a_broken_surrogate_does_no_harm() -> None:
    assert links(Page(title="a\ud800b", canonical="https://n.example/"), Share())
