"""Copying in a real browser, under a strict policy: what is left alone, what is named, what is refused."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from contentguard.rewrite.deterrents import Copy, Policy
from contentguard.rewrite.share import Share
from contentguard.rewrite.visible import Visible
from tests.browser.conftest import Opener, Window
from tests.browser.harness import ARTICLE, CODE, LONG, Site

REFUSED = "error: Unauthorized Content Copy Is Not Allowed"
QUOTE = Site(copy=Copy(policy="quote"))
STRICT = Site(copy=Copy(policy="strict"))
POLICIES: tuple[Policy, ...] = ("off", "attribute", "quote", "strict")


def refused(window: Window) -> bool:
    """Whether the refusal is announced."""
    region = window.page.get_by_role("status")
    expect(region).to_contain_text(REFUSED)
    return REFUSED in region.aria_snapshot()


def test_eight_words_are_copied_untouched(window: Opener) -> None:
    shown = window()
    text = shown.select("#long", 3, 11)
    shown.copy()
    assert shown.clipboard() == text
    assert "Source" not in shown.clipboard_html()


def test_thirty_words_name_their_source_with_a_link_to_the_passage(window: Opener) -> None:
    shown = window()
    text = shown.select("#long", 0, 30)
    shown.copy()
    passage = "harbour1%20lantern1%20meadow1%20willow1,meadow7%20willow7%20harbour8%20lantern8"
    link = f"{shown.page.url}#:~:text={passage}"
    assert shown.clipboard() == f"{text}\n\nSource: The ferry – Daily Example\n{link}"
    html = shown.clipboard_html()
    assert f'href="{link}"' in html
    assert text in html


def test_a_hyphen_in_the_passage_is_escaped_and_partial_words_are_made_whole(window: Opener) -> None:
    shown = window(Site(body="<p id=p>well-known ones came early to the old harbour of the town today-ish</p>"))
    shown.page.evaluate("""() => {
      const text = document.querySelector('#p').firstChild;
      getSelection().setBaseAndExtent(text, 2, text, text.length - 3);
    }""")
    shown.copy()
    assert (
        shown.clipboard()
        .splitlines()[-1]
        .endswith("#:~:text=well%2Dknown%20ones%20came%20early,of%20the%20town%20today%2Dish")
    )


def test_the_link_leads_to_the_passage(window: Opener) -> None:
    filler = "".join(f"<p>Line {n} of a long page.</p>" for n in range(200))
    shown = window(Site(body=filler + ARTICLE))
    shown.select("#long", 10, 30)
    shown.copy()
    link = shown.clipboard().splitlines()[-1]
    shown.page.goto("about:blank")
    shown.page.goto(link)
    shown.page.wait_for_function("scrollY > 1000")


def test_more_than_a_quotation_carries_the_rights_line(window: Opener) -> None:
    shown = window()
    shown.select("#long", 0, 60)
    shown.copy()
    assert shown.clipboard().endswith("\nAll rights reserved. Please share the link.")


def test_beyond_a_quotation_the_copy_is_refused_and_the_old_clipboard_stays(window: Opener) -> None:
    shown = window(QUOTE)
    shown.put("what was there")
    shown.select("#long", 0, 60)
    shown.copy()
    assert refused(shown)
    expect(shown.page.get_by_role("status")).to_contain_text("You may quote up to 50 words")
    assert shown.clipboard() == "what was there"
    assert shown.page.evaluate("document.activeElement === document.body")


def test_thirty_words_under_quote_are_named_not_refused(window: Opener) -> None:
    shown = window(QUOTE)
    shown.select("#long", 0, 30)
    shown.copy()
    assert "Source: " in shown.clipboard()


def test_a_refusal_repeated_is_announced_again_and_then_cleared(window: Opener) -> None:
    shown = window(QUOTE)
    shown.page.clock.install(time=0)
    shown.page.clock.pause_at(1000)
    shown.select("#long")
    for _ in range(2):
        shown.copy()
        expect(shown.page.get_by_role("status")).to_be_empty()
        shown.page.clock.run_for(150)
        assert refused(shown)
    shown.page.clock.run_for(4900)
    assert refused(shown)
    shown.page.clock.run_for(20000)
    expect(shown.page.get_by_role("status")).to_be_empty()
    assert shown.page.locator(".cg-toast").count() == 1


def test_the_refusal_is_not_in_the_page_and_stands_in_nobodys_way(window: Opener) -> None:
    shown = window(QUOTE)
    assert "Unauthorized" not in shown.page.content()
    shown.select("#long")
    shown.copy()
    assert refused(shown)
    region = shown.page.get_by_role("status")
    assert region.evaluate("e => getComputedStyle(e).pointerEvents") == "none"
    assert region.get_attribute("aria-live") == "polite"
    assert region.get_attribute("aria-atomic") == "true"


def test_own_words_are_shown_as_text(window: Opener) -> None:
    words = {"refused": "Nein <b>danke</b>", "hint": "{words} Wörter sind frei"}
    shown = window(Site(copy=Copy(policy="quote", quote_words=20, messages=words)))
    shown.select("#long")
    shown.copy()
    expect(shown.page.get_by_role("status")).to_have_text("Nein <b>danke</b>20 Wörter sind frei")


def test_strict_refuses_even_a_few_words_outside_exempt_nodes(window: Opener) -> None:
    shown = window(STRICT)
    shown.put("before")
    shown.page.locator("#long").select_text()
    shown.select("#long", 0, 3)
    shown.page.keyboard.press("Control+a")
    shown.copy()
    assert refused(shown)
    assert shown.clipboard() == "before"
    style = "e => getComputedStyle(e).userSelect"
    assert shown.page.locator("#long").evaluate(style) == "none"
    assert shown.page.locator("#code").evaluate(style) == "text"
    assert shown.page.locator("#outside").evaluate(style) == "auto"


def test_strict_holds_for_what_arrives_later(window: Opener) -> None:
    """The rest of an article comes with an event (progressive reading)."""
    shown = window(Site(copy=Copy(policy="strict", allow=(".quotable",))))
    shown.put("before")
    arrive = """() => {
      const article = document.querySelector('article');
      const late = '<p id=late>Late words, many of them.</p><p id=own class=quotable>Own</p>';
      article.insertAdjacentHTML('beforeend', late);
      article.dispatchEvent(new CustomEvent('contentguard:rest', { bubbles: true }));
    }"""
    shown.page.evaluate(arrive)
    style = "e => getComputedStyle(e).userSelect"
    assert shown.page.locator("#late").evaluate(style) == "none"
    assert shown.page.locator("#own").evaluate(style) == "text"
    shown.select("#late")
    shown.page.keyboard.press("Control+a")
    shown.copy()
    assert refused(shown)
    assert shown.clipboard() == "before"


@pytest.mark.parametrize("policy", POLICIES)
def test_code_and_allowed_text_and_text_elsewhere_stay_as_they_are(window: Opener, policy: Policy) -> None:
    shown = window(Site(copy=Copy(policy=policy)))
    assert shown.select("#code").rstrip("\n") == CODE.rstrip("\n")
    for selector in ("#code", "#free", "#outside"):
        text = shown.select(selector)
        shown.copy()
        assert shown.clipboard() == text


def test_own_selectors_are_exempt_and_a_broken_one_is_passed_over(window: Opener) -> None:
    shown = window(Site(copy=Copy(policy="quote", allow=("#long",))))
    text = shown.select("#long")
    shown.copy()
    assert shown.clipboard() == text
    broken = window(Site(copy=Copy(policy="quote", allow=("::nonsense[",))))
    broken.select("#long")
    broken.copy()
    assert refused(broken)


def test_a_paragraph_that_begins_with_a_link_is_not_exempt_for_that(window: Opener) -> None:
    shown = window()
    shown.select("#linked")
    shown.copy()
    assert "Source: " in shown.clipboard()
    assert f'href="{shown.page.url.removesuffix("/ferry")}/elsewhere"' in shown.clipboard_html()


def test_a_selection_that_lies_only_partly_in_the_article_counts(window: Opener) -> None:
    shown = window(QUOTE)
    shown.put("before")
    shown.page.evaluate("""() => {
      const [from, to] = [document.querySelector('#long'), document.querySelector('#outside').firstChild];
      getSelection().setBaseAndExtent(from, 0, to, 9);
    }""")
    shown.copy()
    assert refused(shown)
    assert shown.clipboard() == "before"


def test_copying_everything_leaves_our_furniture_behind(window: Opener) -> None:
    site = Site(visible=Visible(overlay="Overlay {copy}"), share=Share(targets=("facebook",)))
    shown = window(site)
    shown.page.keyboard.press("Control+a")
    asked = len(shown.requests)
    shown.copy()
    for text in (shown.clipboard(), shown.clipboard_html()):
        assert LONG in text
        for word in ("Share your love", "Facebook", "Overlay", "C-4711", "Unauthorized"):
            assert word not in text
    assert len(shown.requests) == asked


@pytest.mark.parametrize("policy", POLICIES)
def test_forms_take_paste_and_give_copies(window: Opener, policy: Policy) -> None:
    shown = window(Site(copy=Copy(policy=policy, context_menu=True, drag=True)))
    for selector in ("#input", "#area", "#rich"):
        shown.put(LONG)
        target = shown.page.locator(selector)
        target.focus()
        shown.page.keyboard.press("Control+v")
        value = "e => e.value ?? e.textContent"
        assert target.evaluate(value) == LONG
        shown.put("other")
        shown.page.keyboard.press("Control+a")
        shown.copy()
        assert shown.clipboard() == LONG
        shown.page.keyboard.press("Control+x")
        assert target.evaluate(value).strip() == ""


MENU = """([selector, init]) => !document.querySelector(selector).dispatchEvent(
  new PointerEvent('contextmenu', { bubbles: true, cancelable: true, button: 2, pointerType: 'mouse', ...init }))"""


def test_the_context_menu_is_taken_off_images_only_and_only_when_wanted(window: Opener) -> None:
    plain = window()
    assert not plain.page.evaluate(MENU, ["#picture", {}])
    shown = window(Site(copy=Copy(context_menu=True)))
    assert shown.page.evaluate(MENU, ["#picture", {}])
    ways_out = ({"shiftKey": True}, {"button": 0}, {"pointerType": "touch"})
    for init in ways_out:
        assert not shown.page.evaluate(MENU, ["#picture", init])
    for selector in ("#link", "#lead", "#input", "#area", "#rich", "#outside", "body"):
        assert not shown.page.evaluate(MENU, [selector, {}])
    shown.select("#lead")
    assert not shown.page.evaluate(MENU, ["#picture", {}])


def test_dragging_is_refused_only_when_wanted(window: Opener) -> None:
    drag = """selector => !document.querySelector(selector).dispatchEvent(
      new DragEvent('dragstart', { bubbles: true, cancelable: true }))"""
    assert not window().page.evaluate(drag, "#picture")
    shown = window(Site(copy=Copy(drag=True)))
    assert shown.page.evaluate(drag, "#picture")
    assert not shown.page.evaluate(drag, "#link")
    assert not shown.page.evaluate(drag, "#lead")
    shown.select("#long")
    assert shown.page.evaluate(drag, "#long")


def test_no_key_is_swallowed_and_finding_works(window: Opener) -> None:
    watch = """window.kept = [];
      addEventListener('keydown', (e) => setTimeout(() => kept.push(e.defaultPrevented)))"""
    shown = window(STRICT, init=watch)
    for key in ("Control+a", "Control+c", "Control+u", "Control+s", "F12", "Control+Shift+c", "Control+x"):
        shown.page.keyboard.press(key)
    assert set(shown.page.evaluate("window.kept")) == {False}
    shown = window(QUOTE)
    assert shown.page.evaluate("window.find('willow20')")
    shown.page.evaluate("document.documentElement.style.zoom = 2")
    assert shown.page.locator("#lead").bounding_box()


def test_selecting_by_touch_works(window: Opener) -> None:
    shown = window(QUOTE, has_touch=True, is_mobile=True, viewport={"width": 390, "height": 800})
    shown.page.locator("#lead").tap()
    assert shown.select("#lead")
    assert shown.page.locator("#lead").evaluate("e => getComputedStyle(e).userSelect") == "auto"
    shown.page.locator("#outside").tap()


CLOBBER = """<form name="body"><input name="closest"><input name="parentElement"></form><img name="querySelector">
<img name="querySelectorAll"><img name="createElement"><img name="createTreeWalker"><img name="activeElement">
<img name="implementation"><img name="getSelection"><img name="title"><img name="addEventListener">
<img id="navigator"><img id="location">"""


def test_names_that_hide_builtins_change_nothing(window: Opener) -> None:
    shown = window(Site(copy=Copy(policy="quote"), before=CLOBBER))
    shown.page.evaluate("""() => {
      const node = Document.prototype.querySelector.call(document, '#long');
      getSelection().selectAllChildren(node);
    }""")
    shown.page.evaluate("navigator.clipboard.writeText('kept')")
    shown.copy()
    assert refused(shown)
    assert shown.clipboard() == "kept"


def test_polluted_prototypes_change_nothing(window: Opener) -> None:
    pollute = "Object.assign(Object.prototype, { policy: 'strict', free: 0, messages: { refused: 'hacked' } })"
    shown = window(init=pollute)
    text = shown.select("#long", 0, 8)
    shown.copy()
    assert shown.clipboard() == text


def test_two_injections_act_once_and_other_handlers_survive(window: Opener) -> None:
    others = "addEventListener('copy', () => { window.others = (window.others || 0) + 1 })"
    shown = window(Site(twice=True), init=others)
    shown.select("#long", 0, 30)
    shown.copy()
    assert shown.clipboard().count("Source: ") == 1
    assert shown.page.evaluate("window.others") == 1


def test_a_copy_that_another_script_handled_is_left_to_it(window: Opener) -> None:
    theirs = """document.addEventListener('copy', (e) => {
      e.clipboardData.setData('text/plain', 'theirs');
      e.preventDefault();
    })"""
    shown = window(QUOTE, init=theirs)
    shown.select("#long")
    shown.copy()
    assert shown.clipboard() == "theirs"


def test_a_broken_configuration_falls_back(window: Opener) -> None:
    spoil = """new MutationObserver((_, o) => { const s = document.querySelector('script[data-cg]');
      if (s) { s.setAttribute('data-cg', '{"policy": 7, "free": nonsense'); o.disconnect() } })
      .observe(document, { childList: true, subtree: true })"""
    shown = window(STRICT, init=spoil)
    shown.select("#long", 0, 30)
    shown.copy()
    assert "Source: " in shown.clipboard()


def test_with_the_share_box_and_marks_off_the_article_is_still_found(window: Opener) -> None:
    site = Site(copy=Copy(policy="quote"), share=Share(enabled=False), visible=Visible(print=False))
    shown = window(site)
    shown.select("#long")
    shown.copy()
    assert refused(shown)


def test_page_content_is_not_touched(window: Opener) -> None:
    shown = window()
    assert (
        shown.page.locator("article")
        .inner_html()
        .startswith(ARTICLE.split("<form")[0].replace("data-cg-allow", 'data-cg-allow=""'))
    )
