"""Draws of scans are items of their own."""

from scripts.data.drawn import Drawn


def test_the_first_draw_of_all_scans_comes_before_the_second_of_all():
    drawn = Drawn([["a0", "a1"], ["b0", "b1"], ["c0", "c1"]], draws=2)
    assert [drawn[i] for i in range(len(drawn))] == ["a0", "b0", "c0", "a1", "b1", "c1"]
