"""A region's patches are put in one of a hundred orders, which is written down."""

import numpy as np
import pytest
from monai.transforms import Compose

from scripts.errors import InputError
from scripts.transforms.jigsaw import Jigsaw, distant_permutations
from scripts.transforms.repeatable import Repeatable


def patches(regions, cells):
    return [{"cell": cell, "region": region} for region in range(regions) for cell in range(cells)]


def least_distance(orders):
    """In how many places the two orders that are most alike differ."""
    return min((orders[i] != orders[j]).sum() for i in range(len(orders)) for j in range(i))


@pytest.mark.parametrize(("cells", "differ"), [(27, 24), (9, 6)])
def test_a_hundred_permutations_differ_in_most_places(cells, differ):
    orders = distant_permutations(100, cells)
    assert (np.sort(orders, 1) == np.arange(cells)).all() and orders.shape == (100, cells)
    assert least_distance(orders) == differ


def test_random_permutations_are_more_alike_than_those_that_are_chosen():
    drawn = np.random.RandomState(0).rand(100, 27).argsort(1)
    assert least_distance(drawn) < 24


def test_a_class_is_the_same_permutation_in_all_runs():
    assert (Jigsaw([3, 3, 3]).set_random_state(1).orders == Jigsaw([3, 3, 3]).set_random_state(2).orders).all()


def test_all_permutations_there_are_can_be_had_and_no_more():
    assert {tuple(order) for order in distant_permutations(6, 3).tolist()} == {
        (0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)
    }  # fmt: skip
    with pytest.raises(InputError, match="Of the orders of 3 cells, 6 are there to choose 7 permutations from"):
        distant_permutations(7, 3)


def test_the_patches_of_each_region_are_in_the_order_of_its_class():
    jigsaw = Jigsaw([3, 2, 1], 20).set_random_state(0)
    mixed = jigsaw(patches(30, 6))
    for region in range(30):
        own = mixed[6 * region : 6 * region + 6]
        (drawn,) = {patch["permutation"] for patch in own}
        assert [patch["cell"] for patch in own] == jigsaw.orders[drawn].tolist()
        assert {patch["region"] for patch in own} == {region}


def test_each_class_is_drawn_about_as_often_as_any_other():
    jigsaw = Jigsaw([3, 1, 1], 4).set_random_state(0)
    jigsaw.randomize(4000)
    assert (abs(np.bincount(jigsaw.drawn) - 1000) < 150).all()


def test_the_same_draw_can_be_applied_again():
    jigsaw = Jigsaw([3, 3, 3]).set_random_state(0)
    first, again, other = (jigsaw(patches(2, 27), randomize=drawn) for drawn in (True, False, True))
    assert first == again != other


def test_in_a_chain_it_gets_all_patches_at_once_and_repeats_itself():
    chain = Compose([lambda scan: patches(2, 27), Jigsaw([3, 3, 3])], map_items=False)
    fixed = Repeatable(chain)
    assert fixed({"scan": 1}) == fixed({"scan": 1}) != fixed({"scan": 2})
