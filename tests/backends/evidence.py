"""What every evidence log must do. A test module makes a subclass of ``EvidenceContract`` with its own ``url``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import closing

import pytest

from contentguard.backends import EvidenceError, Issued, Revision
from contentguard.backends.evidence import MOST_REVISIONS, Copies, EvidenceLog
from contentguard.watermark.compiled import Channels, Compiled
from contentguard.watermark.winnow import candidates, fingerprints
from contentguard.watermark.words import split

KEY = b"k" * 32
NOW = 1.8e9
REVISION = bytes(range(8))
TEXT = (
    "The harbour master said on Tuesday that no ship had left since the storm began, and that the pilots would "
    "wait for the wind to turn before they went out to the roads again, whatever the owners might say to that."
)


def issued(number: int = 0, **changes: object) -> Issued:
    """A row."""
    row = Issued(number, 22, "/news/a", REVISION, NOW + number, "p1", "ad", "pr", "UA", "allow", "rule", 0.5, "pass")
    return row._replace(**changes)  # type: ignore[arg-type]


def revision(article: str, *paragraphs: str, at: float = NOW) -> Revision:
    """An article's text."""
    texts = tuple((text,) for text in paragraphs)
    return Revision(article, Compiled(texts, Channels()).revision, texts, Channels(), at)


class EvidenceContract(ABC):
    """Subclass it, name the class ``Test…`` and return a fresh, empty database's URL."""

    @pytest.fixture
    @abstractmethod
    def url(self) -> str:
        """A fresh, empty database."""

    @pytest.fixture
    def log(self, url: str) -> Iterator[EvidenceLog]:
        """An empty log."""
        with closing(EvidenceLog(url, KEY)) as log:
            yield log

    # -- rows --------------------------------------------------------------------------------------------------

    def test_rows_come_back_as_they_went_in(self, log: EvidenceLog) -> None:
        rows = [issued(2**40 - 1, agent="Mozilla/5.0 “ü”", revision=bytes(8)), issued(0, score=-1.25, at=NOW + 0.125)]
        log.write(rows)
        assert list(log.rows()) == rows
        assert list(log.rows(serial=0)) == rows[1:]
        assert list(log.rows(serial=5)) == []

    def test_they_stay_when_the_log_is_opened_again(self, log: EvidenceLog, url: str) -> None:
        log.write([issued(1)])
        with closing(EvidenceLog(url, KEY)) as again:
            assert list(again.rows()) == [issued(1)]

    def test_many_rows_are_read_in_pieces(self, log: EvidenceLog) -> None:
        rows = [issued(n) for n in range(2500)]
        log.write(rows)
        assert list(log.rows()) == rows

    def test_what_no_database_takes_is_mended(self, log: EvidenceLog) -> None:
        log.write([issued(agent="a\0b\ud800" + "x" * 500, visit="\0")])
        (row,) = log.rows()
        assert row.agent == "a\ufffdb?" + "x" * 196
        assert row.visit == "\ufffd"

    def test_a_batch_with_a_row_that_does_not_fit_is_refused_whole(self, log: EvidenceLog) -> None:
        with pytest.raises(EvidenceError) as error:
            log.write([issued(1), issued(2**70)])
        assert error.value.refused
        assert list(log.rows()) == []
        log.write([])
        log.write([issued(1)])
        assert len(list(log.rows())) == 1

    @pytest.mark.parametrize("by", [{"serial": 3}, {"visit": "v"}, {"address": "x"}])
    def test_erasure(self, log: EvidenceLog, by: dict[str, object]) -> None:
        log.write([issued(1), issued(2), issued(3, visit="v", address="x"), issued(3, visit="v", address="x")])
        assert log.erase(**by) == 2  # type: ignore[arg-type]
        assert [row.serial for row in log.rows()] == [1, 2]
        assert log.erase(**by) == 0  # type: ignore[arg-type]

    def test_everything_is_not_erased_by_an_oversight(self, log: EvidenceLog) -> None:
        log.write([issued(1)])
        with pytest.raises(ValueError, match="a serial, a pass or an address"):
            log.erase()
        assert len(list(log.rows())) == 1

    def test_retention(self, log: EvidenceLog, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("contentguard.backends.evidence._MANY", 3)
        log.write([issued(n) for n in range(10)])
        assert log.prune(NOW + 7) == 7
        assert [row.serial for row in log.rows()] == [7, 8, 9]
        assert log.prune(NOW + 7) == 0

    # -- who was given what ------------------------------------------------------------------------------------

    def test_copies_and_their_readers(self, log: EvidenceLog) -> None:
        other = bytes(8)
        log.write(
            [issued(1), issued(1), issued(2), issued(2, revision=other), issued(3, epoch=23), issued(9, article="/b")]
        )
        assert sorted(log.copies("/news/a")) == [Copies(other, 22, 1), Copies(REVISION, 22, 2), Copies(REVISION, 23, 1)]
        assert log.copies("/none") == []
        assert log.serials("/news/a", REVISION, 22) == [1, 2]
        assert log.readers(["/news/a"]) == 3
        assert log.readers(["/news/a", "/b"]) == 4
        assert log.readers([]) == 0
        assert log.articles_of([2, 9]) == {"/news/a", "/b"}

    # -- articles ----------------------------------------------------------------------------------------------

    def test_an_article_is_found_by_what_is_copied_from_it(self, log: EvidenceLog) -> None:
        log.learn(revision("/a", TEXT))
        log.learn(revision("/b", "Something else entirely, about cabbages and kings, was printed on the second page."))
        asked = fingerprints([word.plain for word in split("he quoted: " + TEXT[20:150])], KEY)
        assert candidates(log.owners(sorted(asked)), len(asked)) == ["/a"]
        assert log.owners([]) == {}
        assert log.known(["/a", "/x"]) == {"/a"}

    def test_texts_come_back_the_newest_first(self, log: EvidenceLog) -> None:
        first, second = revision("/a", TEXT), revision("/a", TEXT, "Later “more” — was known…", at=NOW + 5)
        for one in (first, second, first):
            log.learn(one)
        assert log.revisions("/a") == [second, first]
        assert log.revisions("/b") == []

    def test_a_stock_phrase_does_not_fill_the_index(self, log: EvidenceLog) -> None:
        for number in range(10):
            log.learn(revision(f"/{number}", TEXT))
        asked = sorted(fingerprints([word.plain for word in split(TEXT)], KEY))
        assert {len(owners) for owners in log.owners(asked).values()} == {4}
        assert candidates(log.owners(asked), len(asked)) == []

    def test_of_an_article_that_never_rests_the_last_texts_are_kept(self, log: EvidenceLog) -> None:
        for number in range(MOST_REVISIONS + 6):
            log.learn(revision("/live", f"{TEXT} And now {number}.", at=NOW + number))
        kept = log.revisions("/live")
        assert len(kept) == MOST_REVISIONS
        assert kept[0].at == NOW + MOST_REVISIONS + 5

    def test_old_texts_go_with_the_rows_but_the_last_stays(self, log: EvidenceLog) -> None:
        log.learn(revision("/a", TEXT))
        log.learn(revision("/a", TEXT, "More.", at=NOW + 5))
        log.prune(NOW + 100)
        assert [one.at for one in log.revisions("/a")] == [NOW + 5]
