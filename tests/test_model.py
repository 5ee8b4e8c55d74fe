from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.model import (
    Action,
    Cluster,
    Crawler,
    Facts,
    Network,
    Purpose,
    Rendition,
    Session,
    Standing,
    Verdict,
    changed,
    gathered,
)

crawlers = st.none() | st.builds(
    Crawler,
    name=st.text(),
    token=st.text(),
    operator=st.text(),
    purpose=st.sampled_from(Purpose),
    robots_token=st.none() | st.text(),
    control=st.booleans(),
)
seconds = st.floats(0, 1e6)
facts = st.builds(
    Facts,
    method=st.sampled_from(["GET", "POST"]),
    path=st.text(),
    headers=st.lists(st.tuples(st.binary().map(bytes.lower), st.binary())).map(tuple),
    client=st.none() | st.ip_addresses().map(str),
    now=st.floats(0, 2**33),
    crawler=crawlers,
    identity=st.sampled_from(Standing),
    wait=st.floats(0, 1e6),
    proxied=st.booleans(),
    passed=st.booleans(),
    session=st.none() | st.builds(Session, views=st.integers(0, 255), gap=seconds, mean=seconds, variation=seconds),
    network=st.none() | st.builds(Network, asn=st.integers(0, 2**32), ja4=st.text()),
    cluster=st.none() | st.builds(Cluster, views=st.integers(0), follow_z=seconds, cold_z=seconds, alarm=st.booleans()),
    waits=st.lists(st.tuples(st.text(), st.floats(0, 1e6))).map(tuple),
)


@given(facts)
def test_facts_are_json_and_come_back_unchanged(value: Facts) -> None:
    assert Facts.from_dict(json.loads(json.dumps(value.as_dict()))) == value


@given(facts)
def test_facts_that_were_gathered_are_facts_like_any_other(value: Facts) -> None:
    first = (value.method, value.path, value.headers, value.client, value.scheme, value.http_version, value.now, "id")
    made = gathered(*first)
    assert made == Facts(*first)
    assert hash(made) == hash(Facts(*first))
    assert type(made) is Facts
    assert replace(made, proxied=True) == Facts(*first, proxied=True)
    with pytest.raises(FrozenInstanceError):
        made.path = "/other"  # type: ignore[misc]


@given(facts, st.text(), st.booleans())
def test_changed_facts_are_what_replace_makes_of_them(value: Facts, path: str, passed: bool) -> None:
    before = replace(value)
    assert changed(value, path=path, passed=passed) == replace(value, path=path, passed=passed)
    assert value == before
    with pytest.raises(AttributeError):
        changed(value, pathh=path)


def test_the_first_of_several_headers() -> None:
    value = Facts("GET", "/", ((b"a", b"1"), (b"b", b"2"), (b"a", b"3")), None)
    assert value.header(b"a") == b"1"
    assert value.header(b"c") is None


def test_facts_written_before_there_were_sessions_still_read() -> None:
    old = {"method": "GET", "path": "/", "headers": [["Accept", "*/*"]], "client": None, "scheme": "https"}
    value = Facts.from_dict(old)
    assert (value.session, value.network, value.cluster, value.proxied) == (None, None, None, False)
    assert value.header(b"accept") == b"*/*"


def test_facts_that_were_written_down_before_identities_were_known() -> None:
    value = Facts("GET", "/", (), None)
    old = {name: part for name, part in value.as_dict().items() if name not in ("identity", "waits")}
    assert Facts.from_dict(old) == value


@pytest.mark.parametrize(
    ("word", "purpose"),
    [("ai-train", Purpose.AI_TRAINING), ("ai-input", Purpose.AI_SEARCH), ("preview", Purpose.LINK_PREVIEW),
     ("fetch", Purpose.USER_FETCH), ("search", Purpose.SEARCH)],
)  # fmt: skip
def test_purposes_by_the_words_of_other_vocabularies(word: str, purpose: Purpose) -> None:
    assert Purpose(word) is purpose


@pytest.mark.parametrize("word", ["", "train", "AI-TRAIN", 3, None])
def test_no_other_word_is_a_purpose(word: object) -> None:
    with pytest.raises(ValueError, match="not a valid Purpose"):
        Purpose(word)  # type: ignore[arg-type]


def test_only_refusals_have_a_status_of_their_own() -> None:
    statuses = {action: Verdict(action, Rendition.NONE, "r").status for action in Action}
    assert {action: status for action, status in statuses.items() if status != 200} == {
        Action.THROTTLE: 429,
        Action.WAIT: 429,
        Action.CHARGE: 402,
        Action.DENY: 403,
    }
