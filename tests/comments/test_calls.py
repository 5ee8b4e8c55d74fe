"""What a call back says, in whichever form it comes, and that anything else says nothing."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.comments.calls import MOST_BODY, MOST_NAMES, Called, answer, read_call
from tests.backends.akismet_server import KEY, as_form, call


@pytest.mark.parametrize("endpoint", ["comment-check", "submit-spam", "submit-ham"])
def test_json_and_forms_say_the_same(endpoint: str) -> None:
    told = call("guid-1", endpoint=endpoint)
    told["comments"] += [*call("guid-2", "false")["comments"], {"result": "true"}, {"guid": ""}]
    expected = Called(KEY, endpoint, ("guid-1", "guid-2"))
    assert read_call(json.dumps(told).encode()) == expected
    assert read_call(b"\n " + json.dumps(told).encode()) == expected
    assert read_call(as_form(told)) == expected


NOTHING: list[bytes] = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"a":' * 60_000,
    json.dumps({"endpoint": "comment-check", "comments": []}).encode(),
    json.dumps({"key": KEY, "comments": []}).encode(),
    json.dumps({"key": 7, "endpoint": "comment-check"}).encode(),
    json.dumps({"key": [KEY], "endpoint": "comment-check"}).encode(),
    json.dumps({"key": "", "endpoint": "comment-check"}).encode(),
    json.dumps({"key": "k" * 65, "endpoint": "comment-check"}).encode(),
    json.dumps({"key": KEY, "endpoint": "comment-check", "comments": {"guid": "a"}}).encode(),
    b"endpoint=comment-check&comments[0][guid]=a",
    b"key[]=a&endpoint=comment-check",
    b'{"key": "a", "endpoint": "b", "comments": []} ' + b" " * MOST_BODY,
]


@pytest.mark.parametrize("body", NOTHING, ids=range(len(NOTHING)))
def test_what_is_no_call(body: bytes) -> None:
    assert read_call(body) is None


@pytest.mark.parametrize("guid", ["", "a b", "é", "a/b", "x" * 129, "a\n", 7, None, ["a"], {"a": 1}])
def test_names_that_are_none(guid: Any) -> None:
    told = {"key": KEY, "endpoint": "comment-check", "comments": [{"guid": guid}, {"guid": "good"}, "x", None]}
    assert read_call(json.dumps(told).encode()) == Called(KEY, "comment-check", ("good",))


def test_of_a_field_that_comes_twice_the_first_counts() -> None:
    form = b"key=one&key=two&endpoint=comment-check&endpoint=x&comments[0][guid]=a&comments[0][guid]=a"
    assert read_call(form) == Called("one", "comment-check", ("a",))


def test_a_call_is_bounded() -> None:
    many = [{"guid": f"guid-{number}"} for number in range(5000)]
    told = {"key": KEY, "endpoint": "x" * 500, "comments": many}
    for body in (json.dumps(told).encode(), as_form(told)):
        read = read_call(body)
        assert read is not None
        assert (len(read.guids), len(read.endpoint)) == (MOST_NAMES, 64)
    begun = time.perf_counter()
    for body in (b"&" * MOST_BODY, b"a=" + b"%" * (MOST_BODY - 2), b"{" * MOST_BODY, b'{"a":"' + b"\\" * 10**6):
        assert read_call(body) is None
    assert time.perf_counter() - begun < 5


@given(st.binary(max_size=200) | st.text(alphabet='{}[]",:key=ndpoitcmsgu0&%', max_size=80).map(str.encode))
def test_any_bytes_may_come(body: bytes) -> None:
    read = read_call(body)
    assert read is None or (read.key and len(read.guids) <= MOST_NAMES)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.just("guid"), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("key", "endpoint", "comments"), JSON)))
def test_any_document_may_come(data: dict[str, Any]) -> None:
    read = read_call(json.dumps(data).encode())
    assert read is None or all(guid.isascii() for guid in read.guids)


def test_what_is_answered_is_what_the_plugin_answers() -> None:
    assert json.loads(answer(("a", "b"))) == {"comments": {"a": {"status": "success"}, "b": {"status": "success"}}}
