"""What a network says of patches, as what is shown of a scan."""

import pytest
import torch
from monai.data import MetaTensor

from scripts.transforms.bag_maps import BagMapsd, fewest
from scripts.transforms.regions import Region

NOWHERE = (Region(None, [], "attend"), Region(None, [], "ignore"))


@pytest.fixture
def scan():
    seen = torch.ones(1, 16, 16, 8)
    seen[:, 12:] = 0
    return {"image": MetaTensor(torch.zeros(1, 16, 16, 8)), "seen": seen, "pred": torch.full((2, 4, 4, 2), -9.0)}


def test_patches_are_drawn_that_have_half_of_the_score(scan):
    scan["pred"][0, 1:3], scan["pred"][1, 2:] = 9, 9
    drawn = BagMapsd("interactive", 0.005, 0.5, *NOWHERE)(scan)["pred"]
    patch, half = 4**3, 4 * 16 * 8 / 2
    assert drawn.shape == (1, 16, 16, 8) and half <= drawn[0, 8:12].sum() == drawn.sum() <= half + patch


def test_a_patch_that_is_hardly_attended_to_is_drawn_where_the_score_is_of_it(scan):
    scan["pred"][0], scan["pred"][1, 2, 1, 0] = 9, -4
    drawn = BagMapsd("interactive", 0.0001, 0.5, *NOWHERE)(scan)["pred"]
    assert (drawn[0, 8:12, 4:8, :4] == 1).all() and drawn.sum() == 4**3


def test_of_a_score_below_the_threshold_nothing_is_drawn(scan):
    scan["pred"][0, 0], scan["pred"][1] = 9, 9  # one in three
    for threshold, is_drawn in ((0.3, True), (0.35, False)):
        assert BagMapsd("interactive", 0.005, threshold, *NOWHERE)(scan)["pred"].any() == is_drawn


def test_of_several_classes_the_number_of_that_with_the_largest_score_is_drawn(scan):
    scan["pred"] = torch.zeros(4, 4, 4, 2)
    scan["pred"][1], scan["pred"][-1] = 9, 9
    assert BagMapsd("interactive", 0.005, 0.5, *NOWHERE)(scan)["pred"].unique().tolist() == [0, 2]


def test_the_fewest_values_are_taken_that_have_the_share():
    values = torch.rand(3, 4, 5)
    taken = fewest(values, 0.3)
    assert values[taken].sum() >= 0.3 * values.sum() > values[taken].sum() - values[taken].min()
    assert values[taken].min() >= values[~taken].max() and not fewest(0 * values, 0.3).any()


def test_padding_is_never_drawn(scan):
    scan["pred"][:] = 9
    assert not BagMapsd("interactive", 0.005, 0.5, *NOWHERE)(scan)["pred"][:, 12:].any()


def test_a_correction_changes_the_score_as_the_formula_says(scan):
    scan["pred"][0, 0, 0, 0], scan["pred"][1] = 9, 0
    found = BagMapsd("interactive", 0.005, 0.5, Region(None, [[1.0, 1, 1]], "attend"), NOWHERE[1])(scan)
    local = scan["pred"][0, :3].double().sigmoid()
    before, after = local.sum() * 0.5 / (24 * 0.5), (local.sum() * 0.5 + local[0, 0, 0] * 0.5) / (24 * 0.5 + 0.5)
    assert float(found["before"].score) == pytest.approx(float(before))
    assert float(found["bag"].score) == pytest.approx(float(after))


def test_a_request_corrects_as_a_setting_does(scan):
    scan["pred"][0, 0, 0, 0], scan["pred"][1] = 9, 0
    setting = BagMapsd("interactive", 0.005, 0.5, Region(None, [[1.0, 1, 1]], "attend"), NOWHERE[1])(scan)
    request = BagMapsd("interactive", 0.005, 0.5, *NOWHERE)({**scan, "attend_points": [[1.0, 1, 1]]})
    assert torch.equal(setting["bag"].score, request["bag"].score) and setting["bag"].score != setting["before"].score
