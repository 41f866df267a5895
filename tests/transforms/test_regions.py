"""Where a person attends, or ignores, in any grid."""

import nibabel
import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from nibabel.affines import apply_affine, from_matvec
from nibabel.eulerangles import euler2mat

from scripts.errors import InputError
from scripts.transforms.regions import Region, check_regions

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
    share = Region(mask(([4, 0, 0], [16, 8, 16]), spacing), [], "attend").share(IMAGE, SEEN, PATCHES)
    expected = torch.zeros(PATCHES)
    expected[0, 0] = 0.5
    expected[1, 0] = 1
    assert torch.allclose(share, expected, atol=0.13)


def test_a_patch_that_is_half_padding_is_covered_as_far_as_it_is_seen(mask):
    seen = SEEN.clone()
    seen[:, 4:] = 0
    share = Region(mask(([0, 0, 0], [8, 12, 16]), (2, 2, 2)), [], "attend").share(IMAGE, seen, PATCHES)
    assert share[0, :2].tolist() == [[1, 1], [0.5, 0.5]] and not share[1:].any()


@pytest.mark.parametrize("spacing", [(2, 2, 2), (0.5, 0.5, 0.5)])
def test_a_region_smaller_than_a_patch_has_it_whole(mask, spacing):
    share = Region(mask(([9, 1, 1], [11, 3, 3]), spacing), [], "ignore").share(IMAGE, SEEN, PATCHES)
    assert share[1, 0, 0] == 1 and share.sum() == 1


def test_a_region_smaller_than_a_voxel_does_not_vanish(mask):
    path = mask(([9.2, 1.2, 1.2], [9.6, 1.8, 1.8]), (0.5, 0.5, 0.5))
    region = Region(path, [], "attend")
    assert not region.share(IMAGE, SEEN, PATCHES)[0].any()
    assert region.share(IMAGE, SEEN, PATCHES).nonzero().tolist() == [[1, 0, 0]]


def test_a_region_smaller_than_a_voxel_is_not_in_padding(mask):
    seen = SEEN.clone()
    seen[:, 9:] = 0
    with pytest.raises(InputError, match="Nothing of attend"):
        Region(mask(([9.2, 1.2, 1.2], [9.6, 1.8, 1.8]), (0.5, 0.5, 0.5)), [], "attend").share(IMAGE, seen, PATCHES)


def test_a_point_stands_for_the_patch_that_it_lies_in():
    point = apply_affine(AFFINE, [9, 17, 7.2]).tolist()
    share = Region(None, [point], "attend").share(IMAGE, SEEN, PATCHES)
    assert share.nonzero().tolist() == [[1, 2, 0]] and share.max() == 1


def test_a_point_outside_is_refused():
    with pytest.raises(InputError, match=r"attend_points has .* outside"):
        Region(None, [[500.0, 0.0, 0.0]], "attend").share(IMAGE, SEEN, PATCHES)


def test_a_point_in_padding_is_refused():
    seen = SEEN.clone()
    seen[:, 9:] = 0
    near, beyond = (apply_affine(AFFINE, [x, 16, 8]).tolist() for x in (8, 9))
    assert Region(None, [near], "attend").share(IMAGE, seen, PATCHES)[1, 2, 1] == 1
    with pytest.raises(InputError, match=r"attend_points has .* outside"):
        Region(None, [beyond], "attend").share(IMAGE, seen, PATCHES)


def test_a_mask_of_another_place_is_refused(tmp_path):
    nibabel.save(
        nibabel.Nifti1Image(np.ones((4, 4, 4), np.uint8), from_matvec(np.eye(3), (900, 0, 0))), tmp_path / "m.nii"
    )
    with pytest.raises(InputError, match="Nothing of ignore"):
        Region(str(tmp_path / "m.nii"), [], "ignore").share(IMAGE, SEEN, PATCHES)


def test_a_mask_that_is_not_there_is_named():
    with pytest.raises(InputError, match=r"attend is /no/where\.nii\.gz, which is no file"):
        Region("/no/where.nii.gz", [], "attend").share(IMAGE, SEEN, PATCHES)


def test_a_mask_that_is_empty_is_refused(mask):
    with pytest.raises(InputError, match="Nothing of attend"):
        Region(mask(([0, 0, 0], [0, 0, 0]), (2, 2, 2)), [], "attend").share(IMAGE, SEEN, PATCHES)


def test_a_mask_that_is_damaged_is_named(mask):
    path = mask(([0, 0, 0], [8, 8, 8]), (2, 2, 2))
    with open(path, "r+b") as file:
        file.truncate(60)
    with pytest.raises(InputError, match=r"attend is .*roi\.nii\.gz, which cannot be read"):
        Region(path, [], "attend").share(IMAGE, SEEN, PATCHES)


@pytest.mark.parametrize("shape", [(32, 32), (32, 32, 16, 2)])
def test_a_mask_of_other_dimensions_is_refused(shape, tmp_path):
    nibabel.save(nibabel.Nifti1Image(np.ones(shape, np.uint8), AFFINE), tmp_path / "m.nii")
    with pytest.raises(InputError, match=f"has {' x '.join(map(str, shape))} voxels: give a mask of three"):
        Region(str(tmp_path / "m.nii"), [], "attend").share(IMAGE, SEEN, PATCHES)


@pytest.mark.parametrize("points", [[1.0, 2.0, 3.0], [["1", "2", "3"]], "[[1,2,3]]", [[1.0, 2.0]]])
def test_points_that_are_none_are_refused(points):
    with pytest.raises(InputError, match=r"ignore_points is .* give a list of places"):
        Region(None, points, "ignore")


def test_a_request_has_a_region_of_its_own():
    setting = Region("a.nii.gz", [[1.0, 2, 3]], "attend")
    asked = setting.asked_for({"attend_points": [[4.0, 5, 6]], "ignore": "b.nii.gz"})
    assert (asked.mask, asked.points) == (None, [[4.0, 5, 6]])
    assert setting.asked_for({"ignore": "b.nii.gz"}) is setting


def scan_of(item):
    return {"image": IMAGE, "seen": SEEN}


def test_one_scan_alone_is_corrected():
    middle = apply_affine(AFFINE, [16, 16, 8]).tolist()
    region, none = Region(None, [middle], "attend"), Region(None, [], "ignore")
    check_regions([{}, {}], [none], "mean", scan_of)
    check_regions([{}], [none, region], "interactive", scan_of)
    with pytest.raises(InputError, match="attend is of one scan, and there are 2"):
        check_regions([{}, {}], [none, region], "interactive", scan_of)
    with pytest.raises(InputError, match="pooling interactive"):
        check_regions([{}], [region], "mean", scan_of)


def test_a_region_that_is_not_in_the_scan_is_refused_before_a_network_runs():
    with pytest.raises(InputError, match="outside"):
        check_regions([{}], [Region(None, [[500.0, 0, 0]], "attend")], "interactive", scan_of)
