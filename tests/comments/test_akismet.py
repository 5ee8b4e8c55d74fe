"""What Akismet is told: every documented field, nothing that is secret, and the same again when somebody reports."""

from __future__ import annotations

from dataclasses import fields, replace
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.comments.akismet import Pairs, Site, check_fields, report_fields
from contentguard.comments.akismet_options import AkismetOptions
from contentguard.comments.decision import Reason
from contentguard.comments.submission import Submission

CALLBACK = "https://news.example/.contentguard/akismet/token"
SITE = Site("https://news.example", "https://news.example", is_test=True, callback=CALLBACK)
FULL = Submission(
    article="/news/tide gauges?x=1#y",
    text="A comment.",
    author="Ada",
    email="ada@example.org",
    url="https://ada.example",
    parent="17",
    client="203.0.113.9",
    agent="Mozilla/5.0",
    referrer="https://news.example/",
    now=1_790_000_000.0,
    role="editor",
    language="en",
    headers=(("accept-language", "en"), ("accept", "text/html")),
    signs=(Reason("fast", 1.0, "Sent after a second"),),
    guid="guid-1",
    honeypot=("subject_9f", "filled in"),
    context=("science", "sea"),
    modified=1_780_000_000.0,
    server=(("REQUEST_METHOD", "POST"), ("REQUEST_URI", "/news/tide%20gauges/reply"), ("SERVER_PROTOCOL", "HTTP/1.1")),
    posted=(("submit", "Post Comment"), ("comment", "A\u200bcomment.")),
    judged="ham",
)


def test_every_documented_field_is_sent() -> None:
    assert check_fields(FULL, SITE, recheck_reason="retry") == (
        ("blog", "https://news.example"),
        ("user_ip", "203.0.113.9"),
        ("user_agent", "Mozilla/5.0"),
        ("referrer", "https://news.example/"),
        ("permalink", "https://news.example/news/tide%20gauges?x=1%23y"),
        ("comment_type", "reply"),
        ("comment_author", "Ada"),
        ("comment_author_email", "ada@example.org"),
        ("comment_author_url", "https://ada.example"),
        ("comment_content", "A comment."),
        ("comment_date_gmt", "2026-09-21T14:13:20Z"),
        ("comment_post_modified_gmt", "2026-05-28T20:26:40Z"),
        ("comment_parent", "17"),
        ("comment_context[]", "science"),
        ("comment_context[]", "sea"),
        ("blog_lang", "en"),
        ("blog_charset", "UTF-8"),
        ("user_role", "editor"),
        ("is_test", "1"),
        ("recheck_reason", "retry"),
        ("callback", CALLBACK),
        ("honeypot_field_name", "subject_9f"),
        ("subject_9f", "filled in"),
        ("REMOTE_ADDR", "203.0.113.9"),
        ("REQUEST_URI", "/news/tide%20gauges/reply"),
        ("REQUEST_METHOD", "POST"),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("HTTP_ACCEPT_LANGUAGE", "en"),
        ("HTTP_ACCEPT", "text/html"),
        ("POST_submit", "Post Comment"),
        ("POST_comment", "A\u200bcomment."),
    )


DOCUMENTED = {
    "https://akismet.com/developers/detailed-docs/comment-check/": (
        *("blog", "user_ip", "user_agent", "referrer", "permalink", "comment_type", "comment_author"),
        *("comment_author_email", "comment_author_url", "comment_content", "comment_date_gmt"),
        *("comment_post_modified_gmt", "blog_lang", "blog_charset", "user_role", "is_test", "recheck_reason"),
        *("honeypot_field_name", "comment_context[]", "REMOTE_ADDR", "REQUEST_URI", "HTTP_ACCEPT"),
    ),
    "Automattic/akismet-api, spec.yml": ("comment_parent",),
    "Automattic/akismet-sdk-php, Content.php": ("callback",),
    "the plugin's class.akismet.php": ("POST_submit",),
}
"""Where parameters of ``comment-check`` are documented → their names; ``api_key`` is the client's to add."""


@pytest.mark.parametrize("where", DOCUMENTED)
def test_no_documented_parameter_is_missing(where: str) -> None:
    told = {name for name, _ in check_fields(FULL, SITE, recheck_reason="retry")}
    assert set(DOCUMENTED[where]) <= told


def test_what_nobody_knows_is_not_sent() -> None:
    assert check_fields(Submission("/a", "Text", "Ada"), Site("https://news.example/front/")) == (
        ("blog", "https://news.example/front/"),
        ("user_ip", "127.0.0.1"),
        ("permalink", "https://news.example/front/a"),
        ("comment_type", "comment"),
        ("comment_author", "Ada"),
        ("comment_content", "Text"),
        ("blog_charset", "UTF-8"),
        ("REMOTE_ADDR", "127.0.0.1"),
        ("REQUEST_URI", "/a"),
    )


def test_a_report_goes_with_the_fields_that_were_sent_at_first() -> None:
    kept = Submission.from_dict(FULL.as_dict())
    assert kept == FULL
    first, later = check_fields(FULL, SITE), report_fields(kept, SITE, reporter="Grace")
    assert set(later) - set(first) == {("guid", "guid-1"), ("comment_check_response", "false"), ("reporter", "Grace")}
    assert set(first) - set(later) == {("callback", CALLBACK)}


@pytest.mark.parametrize(
    ("judged", "answered"), [("ham", "false"), ("spam", "true"), ("discard", "true"), ("", None), ("unknown", None)]
)
def test_a_report_says_what_was_answered(judged: str, answered: str | None) -> None:
    assert dict(report_fields(replace(FULL, judged=judged), SITE)).get("comment_check_response") == answered


SECRETS = (
    *("cookie", "Cookie", "set-cookie", "authorization", "proxy-authorization", "x-auth-token", "x-csrf-token"),
    *("x-api-key", "x-session-id", "x-wp-secret", "signature", "x-xsrf", "password"),
)


@pytest.mark.parametrize("name", SECRETS)
def test_no_secret_header_leaves(name: str) -> None:
    pairs = ((name, "s3cret"), ("accept", "a"))
    told = check_fields(replace(FULL, headers=pairs, posted=pairs), SITE)
    assert "s3cret" not in str(told)
    assert {("HTTP_ACCEPT", "a"), ("POST_accept", "a")} <= set(told)


def test_variables_of_the_server_stand_for_nothing_else() -> None:
    forged = (("REMOTE_ADDR", "10.0.0.1"), ("HTTP_COOKIE", "x"), ("blog", "x"), ("user_ip", "x"), ("HTTPS", "on"))
    told = check_fields(replace(FULL, server=forged), SITE)
    assert [pair for pair in told if pair in forged] == [("HTTPS", "on")]
    assert ("REQUEST_URI", FULL.article) in told


@pytest.mark.parametrize(
    "name", ["blog", "user_ip", "comment_content", "api_key", "key", "honeypot_field_name", "REMOTE_ADDR", "callback"]
)
def test_a_honeypot_cannot_stand_in_for_a_field(name: str) -> None:
    told = check_fields(replace(FULL, honeypot=(name, "forged")), SITE)
    assert "forged" not in str(told)


def test_an_untouched_honeypot_is_told_as_such() -> None:
    told = check_fields(replace(FULL, honeypot=("trap", "")), SITE)
    assert {("honeypot_field_name", "trap"), ("trap", "")} <= set(told)


@pytest.mark.parametrize("moment", [0.0, -5.0, float("nan"), float("inf"), 1e300])
def test_a_moment_that_is_none_is_not_told(moment: float) -> None:
    assert "comment_date_gmt" not in dict(check_fields(replace(FULL, now=moment), SITE))


TEXTS = {field.name: st.text(max_size=60) for field in fields(Submission) if field.type == "str"}
SUBMISSIONS = st.builds(
    Submission,
    **TEXTS,
    client=st.none() | st.text(max_size=40),
    now=st.floats(),
    modified=st.floats(),
    **dict.fromkeys(
        ("headers", "server", "posted"),
        st.lists(st.tuples(st.text(max_size=70), st.text(max_size=40)), max_size=60).map(tuple),
    ),
    honeypot=st.tuples(st.text(max_size=20), st.text(max_size=20)),
    context=st.lists(st.text(max_size=10), max_size=60).map(tuple),
    signs=st.just(()),
)


@given(SUBMISSIONS, st.booleans())
def test_any_submission_makes_a_form(submission: Submission, is_test: bool) -> None:
    told = check_fields(submission, Site("https://news.example", is_test=is_test))
    body = urlencode(told, encoding="utf-8", errors="replace")
    back: Pairs = tuple(parse_qsl(body, keep_blank_values=True, max_num_fields=400))
    clean = tuple((k.encode(errors="replace").decode(), v.encode(errors="replace").decode()) for k, v in told)
    assert back == clean
    names = [name for name, _ in told]
    assert names.count("blog") == names.count("user_ip") == names.count("REMOTE_ADDR") == 1


def test_what_is_sent_is_bounded() -> None:
    long = "x" * 200_000
    huge = replace(
        *(FULL,),
        text=long,
        author=long,
        agent=long,
        article="/" + long,
        headers=(("accept", long),) * 500,
        server=(("HTTPS", long),) * 500,
        posted=((long, long), ("comment", long)) * 500,
        context=(long,) * 500,
        honeypot=(long, long),
    )
    assert len(urlencode(check_fields(huge, SITE))) < 350_000


# -- options -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"key": "has spaces in it"}, "letters and digits"),
        ({"key": "k" * 65}, "65 characters"),
        ({"blog": "news.example"}, "with its scheme"),
        ({"blog": "ftp://news.example"}, "with its scheme"),
        ({"application": "no version"}, "Newsroom/1.0"),
        ({"application": "a/1\r\nX-Evil: 1"}, "Newsroom/1.0"),
        ({"url": "http://rest.akismet.com"}, "an https URL"),
        ({"url": "http://127.0.0.1.evil.example"}, "an https URL"),
        ({"url": "http://localhost@evil.example"}, "an https URL"),
        ({"url": "https://"}, "an https URL"),
        ({"url": "https://user@rest.akismet.com"}, "an https URL"),
        ({"url": "https://rest.akismet.com/?x=1"}, "an https URL"),
        ({"url": "ftp://127.0.0.1"}, "an https URL"),
    ],
)
def test_options_that_make_no_sense(values: dict[str, str], expected: str) -> None:
    with pytest.raises(ValueError, match=expected) as caught:
        AkismetOptions(**values)  # type: ignore[arg-type]
    if "key" in values:
        assert values["key"] not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["https://rest.akismet.com", "http://127.0.0.1:8001", "http://[::1]:8", "http://localhost"]
)
def test_plain_http_is_for_this_machine_alone(url: str) -> None:
    assert AkismetOptions(key="abc", url=url).url == url


def test_a_key_is_not_shown() -> None:
    assert "s3cretkey" not in repr(AkismetOptions(key="s3cretkey"))
