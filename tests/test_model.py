from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from contentguard.model import Cluster, Crawler, Facts, Network, Purpose, Session

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
    wait=st.floats(0, 1e6),
    proxied=st.booleans(),
    passed=st.booleans(),
    session=st.none() | st.builds(Session, views=st.integers(0, 255), gap=seconds, mean=seconds, variation=seconds),
    network=st.none() | st.builds(Network, asn=st.integers(0, 2**32), ja4=st.text()),
    cluster=st.none() | st.builds(Cluster, views=st.integers(0), follow_z=seconds, cold_z=seconds, alarm=st.booleans()),
)


@given(facts)
def test_facts_are_json_and_come_back_unchanged(value: Facts) -> None:
    assert Facts.from_dict(json.loads(json.dumps(value.as_dict()))) == value


def test_the_first_of_several_headers() -> None:
    value = Facts("GET", "/", ((b"a", b"1"), (b"b", b"2"), (b"a", b"3")), None)
    assert value.header(b"a") == b"1"
    assert value.header(b"c") is None


def test_facts_written_before_there_were_sessions_still_read() -> None:
    old = {"method": "GET", "path": "/", "headers": [["Accept", "*/*"]], "client": None, "scheme": "https"}
    value = Facts.from_dict(old)
    assert (value.session, value.network, value.cluster, value.proxied) == (None, None, None, False)
    assert value.header(b"accept") == b"*/*"
