"""JSON that is changed in place says the same as before but for what was meant."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.rewrite.linked import _Change, _changed, bodiless, censored, dumped, marked, paywall, read, unfree
from contentguard.rewrite.page import Page

PART = {"@type": "WebPageElement", "isAccessibleForFree": False, "cssSelector": ".cg-rest"}
_keys = st.sampled_from(["@type", "@graph", "articleBody", "hasPart", "isAccessibleForFree", "a", "", 'q"\\', "é<"])
_leaves = (
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", "Article", 'x, }]{[: \\" y', "</script>", "é"])
)
values = st.recursive(
    _leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=4), max_leaves=20
)
layouts = st.sampled_from([{}, {"indent": 1}, {"ensure_ascii": False}, {"separators": (" , ", " : ")}])


def without_bodies(value: Any) -> Any:
    if isinstance(value, list):
        return [without_bodies(each) for each in value]
    if isinstance(value, dict):
        return {key: without_bodies(each) for key, each in value.items() if key != "articleBody"}
    return value


@given(values, layouts)
def test_whole_texts_go(value: Any, layout: dict[str, Any]) -> None:
    new = bodiless(json.dumps(value, **layout))
    assert new is not None
    assert json.loads(new) == without_bodies(value)


@given(values, layouts)
def test_what_does_not_change_stays_to_the_letter(value: Any, layout: dict[str, Any]) -> None:
    text = json.dumps(without_bodies(value), **layout)
    assert bodiless(text) == text
    assert censored(text, lambda said: said) == text


@given(values, layouts)
def test_every_string_value_is_censored_and_no_name(value: Any, layout: dict[str, Any]) -> None:
    def expected(value: Any) -> Any:
        if isinstance(value, list):
            return [expected(each) for each in value]
        if isinstance(value, dict):
            return {key: expected(each) for key, each in value.items()}
        return f"<{value}>" if isinstance(value, str) and value else value

    new = censored(json.dumps(value, **layout), lambda said: f"<{said}>" if said else "")
    assert new is not None
    assert json.loads(new) == expected(value)


@given(values, layouts)
def test_marking_adds_and_takes_nothing_away(value: Any, layout: dict[str, Any]) -> None:
    text = json.dumps({"@type": ["Thing", "NewsArticle"], "kept": value}, **layout)
    new = marked(text)
    assert new is not None
    assert json.loads(new) == {
        "@type": ["Thing", "NewsArticle"],
        "kept": value,
        "isAccessibleForFree": False,
        "hasPart": PART,
    }
    assert text[1:] in new, "insertions only"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"@type": "NewsArticle", "isAccessibleForFree": True}, {"isAccessibleForFree": False, "hasPart": PART}),
        ({"@type": "Article", "isAccessibleForFree": "True"}, {"isAccessibleForFree": False, "hasPart": PART}),
        ({"@type": "BlogPosting", "hasPart": []}, {"isAccessibleForFree": False, "hasPart": [PART]}),
        ({"@type": "Review", "hasPart": [1, 2]}, {"isAccessibleForFree": False, "hasPart": [PART, 1, 2]}),
        (
            {"@type": "TechArticle", "hasPart": {"a": "b"}},
            {"isAccessibleForFree": False, "hasPart": [PART, {"a": "b"}]},
        ),
        ({"@type": "Article", "hasPart": "x"}, {"isAccessibleForFree": False, "hasPart": [PART, "x"]}),
    ],
)
def test_what_an_article_says_already(given: dict[str, Any], expected: dict[str, Any]) -> None:
    for around in (lambda x: x, lambda x: [{"@type": "WebSite"}, x], lambda x: {"@graph": [{"@type": "Person"}, x]}):
        new = marked(json.dumps(around(given)))
        assert new is not None
        assert json.loads(new) == around({**given, **expected})


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        "1",
        '{"@type":"JobPosting"}',
        '{"@type":5}',
        '{"@type":{"a":"Article"}}',
        '{"@type":"ItemList","itemListElement":[{"@type":"NewsArticle"}]}',
    ],
)
def test_other_pages_articles_are_left_alone(text: str) -> None:
    assert marked(text) is None
    assert unfree(text) == text


def test_a_page_that_calls_itself_free_does_not_any_more() -> None:
    text = '[{"@type":"WebPage", "isAccessibleForFree" : true}, {"@type":"Article"}]'
    assert json.loads(marked(text) or "")[0] == {"@type": "WebPage", "isAccessibleForFree": False}
    assert unfree('{"isAccessibleForFree":true, "a":{"isAccessibleForFree":true}}') == (
        '{"isAccessibleForFree":false, "a":{"isAccessibleForFree":true}}'
    )


def test_two_of_a_name() -> None:
    assert bodiless('{"articleBody":"a","articleBody":"b"}') == "{}"
    assert bodiless('{"articleBody":"a","b":1,"articleBody":"b", "transcript":[]}') == '{"b":1}'


def test_reading() -> None:
    assert read('{"a":"é"}'.encode(), "utf-8") == '{"a":"é"}'
    assert read('{"a":"é"}'.encode("cp1252"), "cp1252") == '{"a":"é"}'
    assert read(b'{"a":"\xe9"}', "utf-8") is None
    assert read(b"<!-- {} -->", "utf-8") is None
    assert read(b"[" * 100_000, "utf-8") is None
    assert read(b"[" * 100_000 + b"]" * 100_000, "utf-8") is None


@given(values)
def test_json_for_a_script_element_ends_none(value: Any) -> None:
    text = dumped(value)
    assert json.loads(text) == value
    assert text.isascii()
    assert not {"<", ">", "&"} & set(text)


def test_a_page_without_a_word_of_itself() -> None:
    script = paywall(Page(title="A </script> & B", canonical="https://n.example/x"))
    said = json.loads(script.removeprefix(b'<script type="application/ld+json">').removesuffix(b"</script>"))
    assert said == {
        "@context": "https://schema.org",
        "@type": "Article",
        "headline": "A </script> & B",
        "url": "https://n.example/x",
        "isAccessibleForFree": False,
        "hasPart": PART,
    }
    assert b'"headline"' not in paywall(Page())


def test_a_change_that_breaks_it_is_not_made() -> None:
    assert _changed('{"a":1}', [_Change(1, 2, "")]) is None
