"""What a network says of patches, as what is shown of a scan."""

import pytest
import torch
from monai.data import MetaTensor

from scripts.transforms.bag_maps import BagMapsd
from scripts.transforms.regions import Region

NOWHERE = (Region(None, [], "attend"), Region(None, [], "ignore"))


@pytest.fixture
def scan():
    seen = torch.ones(1, 16, 16, 8)
    seen[:, 12:] = 0
    return {"image": MetaTensor(torch.zeros(1, 16, 16, 8)), "seen": seen, "pred": torch.full((2, 4, 4, 2), -9.0)}


def test_patches_are_drawn_that_have_the_lesion_and_are_attended_to(scan):
    scan["pred"][0, 1:3], scan["pred"][1, 2:] = 9, 9
    drawn = BagMapsd("interactive", 0.005, 0.5, *NOWHERE)(scan)["pred"]
    assert drawn.shape == (1, 16, 16, 8) and (drawn[0, 8:12] == 1).all() and drawn.sum() == 4 * 16 * 8


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
