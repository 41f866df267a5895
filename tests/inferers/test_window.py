"""Windows' logits spread over the voxels that they hold."""

import pytest
import torch
from monai.inferers import SimpleInferer

from scripts.errors import InputError
from scripts.inferers.window import WindowInferer


def brightest(crops):
    """A "network" whose logit of a crop is its brightest voxel."""
    return crops.flatten(1).amax(1, keepdim=True)


@pytest.fixture
def infer():
    return WindowInferer([4, 4, 4], 0.5, 3, SimpleInferer())


def test_a_voxel_has_the_logit_of_the_windows_that_hold_it(infer):
    scan = torch.zeros(1, 1, 12, 12, 12)
    scan[..., 1, 1, 1] = 8
    logits = infer(scan, brightest)
    assert logits.shape == scan.shape
    assert torch.allclose(logits[0, 0, :2, :2, :2], torch.tensor(8.0)) and logits[..., 4:, :, :].abs().max() < 1e-5
    assert 0 < logits[0, 0, 3, 0, 0] < 8


def test_a_scan_of_one_crop_has_one_logit(infer):
    assert torch.allclose(infer(torch.full((1, 1, 4, 4, 4), 3.0), brightest), torch.tensor(3.0))


@pytest.mark.parametrize("overlap", [1.0, -0.1, "half"])
def test_an_overlap_that_is_no_share_is_refused(overlap):
    with pytest.raises(InputError, match=f"overlap is {overlap}: give a share"):
        WindowInferer([4, 4, 4], overlap, 3, SimpleInferer())
