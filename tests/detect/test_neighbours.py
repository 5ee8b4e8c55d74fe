"""Neighbourhoods: who else was there in this hour, counted in a memory that does not grow."""

from __future__ import annotations

import pytest

from contentguard.detect.neighbours import Neighbours

SECRET = b"sixteen-bytes-at-least"
NOW = 1_800_000_000.0


def test_an_unknown_network_has_nobody() -> None:
    assert Neighbours(secret=SECRET).read("192.0.2", "192.0.2.7", NOW) == (0, 0)


def test_one_is_no_neighbour_of_its_own() -> None:
    table = Neighbours(secret=SECRET)
    for _ in range(5):
        table.note("192.0.2", "192.0.2.7", True, NOW)
    assert table.read("192.0.2", "192.0.2.7", NOW) == (0, 0)


def test_neighbours_and_suspects_are_estimated() -> None:
    table = Neighbours(secret=SECRET)
    for number in range(12):
        table.note("192.0.2", f"192.0.2.{number}", number % 2 == 0, NOW)
    everybody, suspects = table.read("192.0.2", "192.0.2.200", NOW)
    assert 8 <= everybody <= 16
    assert 3 <= suspects <= 9
    assert table.read("198.51.100", "198.51.100.1", NOW) == (0, 0)


def test_an_hour_later_all_is_forgotten() -> None:
    table = Neighbours(secret=SECRET)
    for number in range(12):
        table.note("192.0.2", f"192.0.2.{number}", True, NOW)
    assert table.read("192.0.2", "x", NOW + 3600) == (0, 0)
    table.note("192.0.2", "192.0.2.9", False, NOW + 3600)
    assert table.read("192.0.2", "x", NOW + 3600)[1] == 0


def test_a_flood_of_networks_takes_no_memory_and_no_place_of_this_hour() -> None:
    table = Neighbours(secret=SECRET)
    for number in range(12):
        table.note("192.0.2", f"192.0.2.{number}", True, NOW)
    before = table.bytes_used, table.read("192.0.2", "x", NOW)
    for number in range(100_000):
        table.note(f"n{number}", "c", True, NOW)
    assert (table.bytes_used, table.read("192.0.2", "x", NOW)) == before


def test_more_clients_than_the_bitmap_tells_apart_are_many() -> None:
    table = Neighbours(secret=SECRET)
    for number in range(1000):
        table.note("n", f"c{number}", True, NOW)
    assert min(table.read("n", "x", NOW)) >= 100


def test_a_secret_that_is_none() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Neighbours(secret=b"short")
