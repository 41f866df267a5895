"""Where a person attends, or ignores, in any grid."""

import nibabel
import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from nibabel.affines import apply_affine, from_matvec
from nibabel.eulerangles import euler2mat

from scripts.errors import InputError
from scripts.transforms.regions import Region, require_one_scan

AFFINE = from_matvec(euler2mat(0.2, 0.1, -0.3) @ np.diag([2.0, 2, 2]), (10, -20, 5))
IMAGE = MetaTensor(torch.zeros(1, 32, 32, 16), affine=AFFINE)
SEEN = torch.ones(1, 32, 32, 16)
PATCHES = torch.Size([4, 4, 2])


@pytest.fixture
def mask(tmp_path):
    """A function: path of a mask of a box of the image, in a grid of voxels of so many mm."""

    def write(box, spacing):
        size = (np.array([32, 32, 16]) * 2 / np.array(spacing)).astype(int)
        grid = AFFINE @ np.diag([*np.divide(spacing, 2), 1])
        places = apply_affine(np.diag([*np.divide(spacing, 2), 1]), np.indices(size).reshape(3, -1).T)
        inside = ((places >= box[0]) & (places < box[1])).all(1).reshape(size)
        path = tmp_path / "roi.nii.gz"
        nibabel.save(nibabel.Nifti1Image(inside.astype(np.uint8), grid), path)
        return str(path)

    return write


@pytest.mark.parametrize("spacing", [(2, 2, 2), (1, 0.5, 4)])
def test_a_patch_has_the_share_that_is_covered_whatever_the_grid_of_the_mask(mask, spacing):
    share = Region(mask(([0, 0, 0], [8, 4, 16]), spacing), [], "attend").share(IMAGE, SEEN, PATCHES)
    expected = torch.zeros(PATCHES)
    expected[0, 0] = 0.5
    assert torch.allclose(share, expected, atol=0.07)


def test_a_patch_that_is_half_padding_is_covered_as_far_as_it_is_seen(mask):
    seen = SEEN.clone()
    seen[:, 4:] = 0
    share = Region(mask(([0, 0, 0], [8, 4, 16]), (2, 2, 2)), [], "attend").share(IMAGE, seen, PATCHES)
    assert share[0, 0].tolist() == [0.5, 0.5] and not share[1:].any()


def test_a_point_stands_for_the_patch_that_it_lies_in():
    point = apply_affine(AFFINE, [9, 17, 7.2]).tolist()
    share = Region(None, [point], "attend").share(IMAGE, SEEN, PATCHES)
    assert share.nonzero().tolist() == [[1, 2, 0]] and share.max() == 1


def test_a_point_outside_is_refused():
    with pytest.raises(InputError, match=r"attend_points has .* outside"):
        Region(None, [[500.0, 0.0, 0.0]], "attend").share(IMAGE, SEEN, PATCHES)


def test_a_mask_of_another_place_is_refused(tmp_path):
    nibabel.save(
        nibabel.Nifti1Image(np.ones((4, 4, 4), np.uint8), from_matvec(np.eye(3), (900, 0, 0))), tmp_path / "m.nii"
    )
    with pytest.raises(InputError, match="Nothing of ignore"):
        Region(str(tmp_path / "m.nii"), [], "ignore").share(IMAGE, SEEN, PATCHES)


def test_a_mask_that_is_not_there_is_named():
    with pytest.raises(InputError, match=r"attend is /no/where\.nii\.gz, which is no file"):
        Region("/no/where.nii.gz", [], "attend").share(IMAGE, SEEN, PATCHES)


def test_one_scan_alone_is_corrected():
    region, none = Region(None, [[0.0, 0, 0]], "attend"), Region(None, [], "ignore")
    require_one_scan([{}, {}], [none], "mean")
    require_one_scan([{}], [none, region], "interactive")
    with pytest.raises(InputError, match="attend is of one scan, and there are 2"):
        require_one_scan([{}, {}], [none, region], "interactive")
    with pytest.raises(InputError, match="pooling interactive"):
        require_one_scan([{}], [region], "mean")
