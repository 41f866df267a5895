"""Cells of a region, each of a modality that its scan has, in an order that is drawn anew."""

import numpy as np
import pytest
import torch
from monai.transforms import Compose

from scripts.errors import InputError
from scripts.transforms.modality_puzzle import ModalityPuzzle
from scripts.transforms.repeatable import Repeatable

HAS = torch.tensor([True, False, True, True])


def patches(regions, cells=27):
    return [{"corner": (region, cell), "present": HAS} for region in range(regions) for cell in range(cells)]


def mixed(regions, **settings):
    return ModalityPuzzle([3, 3, 3], **settings).set_random_state(0)(patches(regions))


def test_each_region_keeps_its_cells_which_know_their_numbers():
    items = mixed(20)
    assert [item["corner"][0] for item in items] == np.repeat(range(20), 27).tolist()
    assert all(item["cell"] == item["corner"][1] for item in items)
    orders = {tuple(item["cell"] for item in items[27 * region : 27 * region + 27]) for region in range(20)}
    assert len(orders) == 20 and all(sorted(order) == [*range(27)] for order in orders)


def test_a_cell_goes_anywhere_about_as_often():
    puzzle = ModalityPuzzle([3, 1, 1]).set_random_state(0)
    puzzle.randomize(6000)
    numbers = np.bincount(puzzle.orders @ [9, 3, 1])
    assert (abs(numbers[numbers > 0] - 1000) < 150).all() and (numbers > 0).sum() == 6


def test_modalities_that_a_scan_has_are_drawn_for_each_cell_about_as_often_and_no_others():
    numbers = np.bincount([item["modality"] for item in mixed(100)], minlength=4)
    assert numbers[1] == 0 and (abs(numbers[[0, 2, 3]] - 900) < 120).all()
    assert {len({item["modality"] for item in mixed(5)[27 * i : 27 * i + 27]}) for i in range(5)} == {3}


def test_all_cells_of_a_region_are_of_one_modality_where_it_is_drawn_for_the_region():
    items = mixed(30, drawn_for="region")
    regions = [{item["modality"] for item in items[27 * i : 27 * i + 27]} for i in range(30)]
    assert {len(region) for region in regions} == {1} and set.union(*regions) == {0, 2, 3}


def test_the_same_draw_can_be_applied_again():
    puzzle = ModalityPuzzle([3, 3, 3]).set_random_state(0)
    known = [
        [(item["cell"], item["modality"]) for item in puzzle(patches(2), randomize=drawn)]
        for drawn in (True, False, True)
    ]
    assert known[0] == known[1] != known[2]


def test_in_a_chain_it_gets_all_patches_at_once_and_repeats_itself():
    fixed = Repeatable(Compose([lambda scan: patches(2), ModalityPuzzle([3, 3, 3])], map_items=False))
    first, again, other = ([item["cell"] for item in fixed({"scan": scan})] for scan in (1, 1, 2))
    assert first == again != other


def test_what_modalities_are_not_drawn_for_is_refused():
    with pytest.raises(InputError, match="modality_of is scan: give one of cell, region"):
        ModalityPuzzle([3, 3, 3], "scan")
