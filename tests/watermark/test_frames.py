"""Frames: found in whatever is left of a text, put together from damaged ones, and never taken for a manifest."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from contentguard.watermark.blind import frames
from contentguard.watermark.frames import BYTES, MARKS, carries_manifest, frame, payloads, symbols, word
from contentguard.watermark.keys import keys_of
from contentguard.watermark.reedsolomon import DATA, LENGTH
from contentguard.watermark.token import SIZE, write

SECRET = b"a secret of the marks"
KEYS = keys_of(SECRET, 23)
ARTICLE, OTHER = b"/news/tide", b"/news/mill"
TOKEN = st.binary(min_size=SIZE, max_size=SIZE)
RUN = frame(23, write(KEYS, 4711, ARTICLE))


@given(TOKEN, st.integers(0, 31))
def test_a_frame_is_read_back(token: bytes, epoch: int) -> None:
    assert next(payloads(f"The mill turned.{frame(epoch, token)} It stopped.")) == (epoch, token)


@given(st.integers(DATA, LENGTH), st.booleans())
def test_a_frame_that_is_cut_off_is_read(length: int, at_the_end: bool) -> None:
    part = RUN[:length] if at_the_end else RUN[-length:]
    found = frames(f"turned.{part}", [SECRET], 23, [OTHER, ARTICLE])
    assert [named.serial for named in found.genuine] == [4711]


def test_damaged_frames_are_put_together() -> None:
    """Each of them has more errors than its code can mend, each at other places."""
    damaged = []
    for start in (0, 5, 10):
        marks = list(RUN)
        for place in range(start, start + 5):
            marks[place] = MARKS[BYTES[marks[place]] ^ 0x55]
        damaged.append("".join(marks))
    assert not any(frames(one, [SECRET], 23, [ARTICLE]).genuine for one in damaged)
    assert frames(" so. ".join(damaged), [SECRET], 23, [ARTICLE]).genuine[0].serial == 4711


def test_a_frame_moved_to_another_article_is_foreign() -> None:
    found = frames(RUN, [SECRET], 23, [OTHER])
    assert (found.genuine, found.foreign) == ((), 1)


def test_a_frame_of_an_older_epoch_and_an_older_secret_is_read() -> None:
    found = frames(RUN, [b"a newer secret of marks", SECRET], 23 + 31, [ARTICLE])
    assert [(named.serial, named.epoch) for named in found.genuine] == [(4711, 23)]
    assert not frames(RUN, [SECRET], 23 + 32, [ARTICLE]).genuine, "32 months later its keys are not found any more"


def test_before_the_first_epoch_there_was_none() -> None:
    assert frames(RUN, [SECRET], 3, [ARTICLE]).foreign == 1


@given(st.text(alphabet="".join(MARKS) + "ab. ", max_size=300))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert not frames(text, [SECRET], 23, [ARTICLE]).genuine


def test_a_flood_of_frames_is_bounded() -> None:
    flood = ". ".join(frame(23, number.to_bytes(SIZE, "big")) for number in range(2000))
    assert frames(flood, [SECRET], 23, [ARTICLE]).foreign == 256


def test_symbols_are_those_of_the_frames_word_less_its_header() -> None:
    whole = word(23, write(KEYS, 4711, ARTICLE))
    assert symbols(f"a.{RUN} b.{RUN} c.{RUN[:9]}") == tuple(enumerate(whole))[1:10]
    assert symbols("a text without any") == ()


def test_c2pa_manifests_are_left_alone() -> None:
    """C2PA 2.3 A.8: U+FEFF, then variation selectors."""
    assert carries_manifest("text\ufeff" + MARKS[67] + MARKS[50])
    assert not carries_manifest("\ufefftext" + RUN)
