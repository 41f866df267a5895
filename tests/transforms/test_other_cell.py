"""One cell of a region is asked about, never the centre, and no other patch is kept."""

import numpy as np

from scripts.transforms.other_cell import OtherCell


def regions(number, cells=27):
    return [{"cell": cell, "region": region} for region in range(number) for cell in range(cells)]


def test_of_each_region_its_centre_and_the_cell_that_is_asked_about_are_left_in_this_order():
    asked = OtherCell([3, 3, 3]).set_random_state(0)(regions(40))
    assert [patch["region"] for patch in asked] == [*np.repeat(range(40), 2)]
    assert all(patch["cell"] == 13 for patch in asked[::2])
    assert not any(patch["cell"] == 13 for patch in asked[1::2])
    assert len({patch["cell"] for patch in asked[1::2]}) > 10


def test_both_know_the_number_of_the_cell_which_leaves_the_centre_out():
    asked = OtherCell([3, 3, 1]).set_random_state(0)(regions(40, cells=9))
    for centre, other in zip(asked[::2], asked[1::2], strict=True):
        assert centre["other"] == other["other"] == other["cell"] - (other["cell"] > 4)


def test_each_cell_but_the_centre_is_drawn_about_as_often_as_any_other():
    other = OtherCell([3, 3, 1]).set_random_state(0)
    other.randomize(8000)
    assert len(np.bincount(other.drawn)) == 8 and (abs(np.bincount(other.drawn) - 1000) < 150).all()


def test_the_same_draw_can_be_applied_again():
    other = OtherCell([3, 3, 3]).set_random_state(0)
    first, again = (other(regions(10), randomize=drawn) for drawn in (True, False))
    assert first == again
