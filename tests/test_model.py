from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from contentguard.model import Crawler, Facts, Purpose

crawlers = st.none() | st.builds(
    Crawler,
    name=st.text(),
    token=st.text(),
    operator=st.text(),
    purpose=st.sampled_from(Purpose),
    robots_token=st.none() | st.text(),
    control=st.booleans(),
)
facts = st.builds(
    Facts,
    method=st.sampled_from(["GET", "POST"]),
    path=st.text(),
    headers=st.lists(st.tuples(st.binary().map(bytes.lower), st.binary())).map(tuple),
    client=st.none() | st.ip_addresses().map(str),
    now=st.floats(0, 2**33),
    crawler=crawlers,
    wait=st.floats(0, 1e6),
)


@given(facts)
def test_facts_are_json_and_come_back_unchanged(value: Facts) -> None:
    assert Facts.from_dict(json.loads(json.dumps(value.as_dict()))) == value


def test_the_first_of_several_headers() -> None:
    value = Facts("GET", "/", ((b"a", b"1"), (b"b", b"2"), (b"a", b"3")), None)
    assert value.header(b"a") == b"1"
    assert value.header(b"c") is None
