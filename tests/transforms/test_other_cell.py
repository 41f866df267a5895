"""One cell of a region is asked about, never the centre."""

import numpy as np

from scripts.transforms.other_cell import OtherCell


def test_all_patches_of_a_region_know_which_cell_is_asked_about():
    asked = OtherCell([3, 3, 3]).set_random_state(0)([{"cell": cell} for cell in range(27)] * 40)
    others = np.array([patch["other"] for patch in asked]).reshape(40, 27)
    assert (others == others[:, :1]).all() and len(set(others[:, 0])) > 10
    assert [patch["cell"] for patch in asked] == [*range(27)] * 40


def test_each_cell_but_the_centre_is_drawn_about_as_often_as_any_other():
    other = OtherCell([3, 3, 1]).set_random_state(0)
    other.randomize(8000)
    assert len(np.bincount(other.drawn)) == 8 and (abs(np.bincount(other.drawn) - 1000) < 150).all()


def test_the_same_draw_can_be_applied_again():
    other = OtherCell([3, 3, 3]).set_random_state(0)
    first, again = (other([{}] * 270, randomize=drawn) for drawn in (True, False))
    assert first == again
