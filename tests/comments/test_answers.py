"""Every documented answer, error and header, and what happens to all the others."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contentguard.comments.answers import (
    ALERTS,
    AkismetAnswer,
    AkismetVerdict,
    Alert,
    Headers,
    Receipt,
    Trouble,
    read_key_check,
    read_thanks,
    read_verdict,
)

HAM, SPAM, DISCARD, UNKNOWN = AkismetVerdict
PAGE = b"<html><body>true</body></html>"


def told(**headers: str) -> Headers:
    """Headers of the service, named without their prefix and with ``_`` for ``-``."""
    return [(b"X-akismet-" + name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]


ANSWERS: list[tuple[int, Headers, bytes, dict[str, Any]]] = [
    (200, told(), b"true", {"verdict": SPAM}),
    (200, told(), b"false", {"verdict": HAM}),
    (200, told(), b"true\n", {"verdict": SPAM}),
    (200, told(guid="g1"), b"false", {"verdict": HAM, "guid": "g1"}),
    (200, told(pro_tip="discard"), b"true", {"verdict": DISCARD}),
    (200, told(pro_tip="discard"), b"false", {"verdict": HAM}),
    (200, told(pro_tip="keep"), b"true", {"verdict": SPAM}),
    (200, told(recheck_after="900"), b"false", {"verdict": HAM, "recheck_after": 900.0}),
    (200, told(recheck_after="1"), b"false", {"verdict": HAM, "recheck_after": 10.0}),
    (200, told(recheck_after="999999999"), b"false", {"verdict": HAM, "recheck_after": 86400.0}),
    (200, told(recheck_after="-5"), b"false", {"verdict": HAM}),
    (200, told(recheck_after="nan"), b"false", {"verdict": HAM}),
    (200, told(recheck_after="soon"), b"false", {"verdict": HAM}),
    (
        200,
        told(alert_code="10501", alert_msg="Over the limit"),
        b"false",
        {"verdict": HAM, "alert": Alert("10501", "Over the limit")},
    ),
    (200, told(alert_code="30001"), b"true", {"verdict": SPAM, "alert": Alert("30001", ALERTS["30001"])}),
    (200, told(alert_msg="Hello"), b"true", {"verdict": SPAM, "alert": Alert("", "Hello")}),
    (
        200,
        told(
            alert_code="10508",
            alert_msg="Over",
            alert_api_calls="9000",
            alert_usage_limit="5000",
            alert_upgrade_url="https://akismet.com/upgrade",
            alert_upgrade_plan="plus",
            alert_upgrade_type="qty",
            alert_upgrade_via_support="true",
            alert_recommended_plan_name="Akismet Plus",
        ),
        b"false",
        {
            "verdict": HAM,
            "alert": Alert(
                "10508",
                "Over",
                (
                    ("api-calls", "9000"),
                    ("usage-limit", "5000"),
                    ("upgrade-url", "https://akismet.com/upgrade"),
                    ("upgrade-plan", "plus"),
                    ("upgrade-type", "qty"),
                    ("upgrade-via-support", "true"),
                    ("recommended-plan-name", "Akismet Plus"),
                ),
            ),
        },
    ),
    (
        200,
        told(alert_code="10508", alert_msg="Over", alert_upgrade_url="javascript:alert(1)"),
        b"false",
        {"verdict": HAM, "alert": Alert("10508", "Over")},
    ),
    (
        200,
        told(debug_help="Missing required field: user_ip."),
        b"invalid",
        {
            "trouble": Trouble.KEY,
            "debug_help": "Missing required field: user_ip.",
            "why": "Akismet calls the request invalid: Missing required field: user_ip.",
        },
    ),
    (200, told(), b"invalid", {"trouble": Trouble.KEY, "why": "Akismet calls the request invalid"}),
    (
        200,
        told(error="The key is suspended"),
        b"true",
        {
            "trouble": Trouble.KEY,
            "error": "The key is suspended",
            "why": "Akismet reports an error: The key is suspended",
        },
    ),
    (200, told(), b"", {"trouble": Trouble.SERVICE, "why": "Akismet gave an empty answer"}),
    (200, told(), PAGE, {"trouble": Trouble.SERVICE, "why": "Akismet answered with a web page"}),
    (200, told(), b"maybe", {"trouble": Trouble.SERVICE, "why": "Akismet answered with 5 bytes that mean nothing"}),
    (200, told(), b"TRUE", {"trouble": Trouble.SERVICE, "why": "Akismet answered with 4 bytes that mean nothing"}),
    (200, told(), b"ab" * 99, {"trouble": Trouble.SERVICE, "why": "Akismet answered with 198 bytes that mean nothing"}),
    (500, told(), b"true", {"trouble": Trouble.SERVICE, "why": "Akismet answered with status 500"}),
    (503, told(), PAGE, {"trouble": Trouble.SERVICE, "why": "Akismet answered with status 503"}),
    (404, told(), b"false", {"trouble": Trouble.SERVICE, "why": "Akismet answered with status 404"}),
    (302, told(), b"true", {"trouble": Trouble.SERVICE, "why": "Akismet answered with status 302"}),
    (204, told(), b"", {"trouble": Trouble.SERVICE, "why": "Akismet answered with status 204"}),
]  # fmt: skip


@pytest.mark.parametrize(("status", "headers", "body", "expected"), ANSWERS)
def test_every_answer_to_a_check(status: int, headers: Headers, body: bytes, expected: dict[str, Any]) -> None:
    assert read_verdict(status, headers, body) == AkismetAnswer(**expected)


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (b"valid", told(), Receipt(True)),
        (b"valid\r\n", told(alert_code="30001"), Receipt(True, alert=Alert("30001", ALERTS["30001"]))),
        (
            b"invalid",
            told(debug_help='Empty "key" value'),
            Receipt(False, 'Akismet calls the request invalid: Empty "key" value', Trouble.KEY),
        ),
        (b"valid", told(error="suspended"), Receipt(False, "Akismet reports an error: suspended", Trouble.KEY)),
        (b"true", told(), Receipt(False, "Akismet answered with 4 bytes that mean nothing", Trouble.SERVICE)),
    ],
)
def test_every_answer_to_a_key_check(body: bytes, headers: Headers, expected: Receipt) -> None:
    assert read_key_check(200, headers, body) == expected
    assert read_key_check(500, (), body) == Receipt(False, "Akismet answered with status 500", Trouble.SERVICE)


def test_every_answer_to_a_report() -> None:
    assert read_thanks(200, (), b"Thanks for making the web a better place.") == Receipt(True)
    assert read_thanks(200, (), b"invalid").trouble is Trouble.KEY
    assert read_thanks(200, (), b"Thanks").trouble is Trouble.SERVICE


def test_what_the_service_says_is_one_short_line() -> None:
    headers = [(b"x-akismet-debug-help", b"one\r\ntwo\x1b[31m\xe2\x80\xaethree\xff" + b"x" * 5000)]
    shown = read_verdict(200, headers, b"invalid").debug_help
    assert shown.startswith("one two [31m three\ufffdx")
    assert len(shown) == 300


def test_of_a_header_that_comes_twice_the_first_counts() -> None:
    headers = [(b"X-Akismet-Guid", b"one"), (b"x-akismet-guid", b"two")]
    assert read_verdict(200, headers, b"true").guid == "one"


HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                b"x-akismet-" + name
                for name in (b"error", b"pro-tip", b"guid", b"alert-code", b"alert-msg", b"debug-help")
            ]
            + [b"x-akismet-recheck-after", b"x-akismet-alert-upgrade-url", b"server"]
        )
        | st.binary(max_size=30),
        st.sampled_from([b"discard", b"900", b"https://a.example"]) | st.binary(max_size=400),
    ),
    max_size=8,
)
BODIES = st.sampled_from([b"true", b"false", b"invalid", b"valid", PAGE]) | st.binary(max_size=80)


@given(st.integers(0, 999) | st.just(200), HEADERS, BODIES)
@example(200, [], b"\xa0true")
def test_any_bytes_mean_something(status: int, headers: Headers, body: bytes) -> None:
    answer = read_verdict(status, headers, body)
    judged = status == 200 and body.strip() in (b"true", b"false") and not answer.error
    assert (answer.verdict is not UNKNOWN) is judged
    assert bool(answer.why) is not judged
    assert (answer.trouble is Trouble.NONE) is judged
    assert answer.verdict is not DISCARD or body.strip() == b"true"
    assert answer.recheck_after is None or 10 <= answer.recheck_after <= 86400
    alert = answer.alert or Alert("", "")
    texts = [answer.why, answer.guid, answer.debug_help, answer.error, alert.code, alert.message]
    assert all((len(text) <= 400 and text.isprintable()) or not _has_controls(text) for text in texts)
    for read in (read_key_check, read_thanks):
        receipt = read(status, headers, body)
        assert receipt.done is (not receipt.why) is (receipt.trouble is Trouble.NONE)


def _has_controls(text: str) -> bool:
    return any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u2066\u200f\ufeff" for c in text)
