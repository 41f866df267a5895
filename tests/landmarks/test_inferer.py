"""Landmarks of one scan are found in another, in whatever frame it is, or said not to be there."""

import pytest
import torch
from monai.data import MetaTensor, list_data_collate
from monai.inferers import SimpleInferer
from monai.transforms import LoadImaged
from nibabel.affines import apply_affine

from scripts.data.landmarks import Landmark, MarkedScan
from scripts.inferers.grid import GridInferer
from scripts.landmarks import inferer as module
from scripts.landmarks.inferer import BEYOND, LandmarkInferer

HEART, LIVER, EDGE = (7.0, -4.0, 6.5), (-21.0, 5.5, -3.0), (-39.0, 5.5, -3.0)  # of the body, mm
VOXELS = (20.0, 17.5, 14.0), (8.0, 9.0, 21.0)
SPACING = 2.0
FAINT = 1e-6
LOWEST = 0.15  # one of four channels is matched, so that 0.25 is the most


def body(points):
    """Channels of a body at places [..., 3] in mm: texture, and its coordinates, too faint to be matched."""
    torch.manual_seed(0)
    waves, phases = torch.randn(24, 3, dtype=torch.float64) / 4, 6 * torch.rand(24, dtype=torch.float64)
    texture = torch.sin(points @ waves.T + phases).sum(-1) / 4
    return torch.cat([texture[None], points.movedim(-1, 0) * FAINT])


def scan(corner, shape=(40, 36, 38), shift=(0, 0, 0)):
    """A field of view that begins at a corner of the body, in a scanner in which the body lies elsewhere."""
    axes = torch.meshgrid(*(torch.arange(n, dtype=torch.float64) for n in shape), indexing="ij")
    points = SPACING * torch.stack(axes, -1) + torch.tensor(corner)
    affine = torch.diag(torch.tensor([SPACING, SPACING, SPACING, 1])).double()
    affine[:3, 3] = torch.tensor(corner) + torch.tensor(shift)
    return MetaTensor(body(points).float(), affine=affine)


def where(crops):
    """An encoder that knows the place of a crop, and has never heard of landmarks."""
    return crops[:, 1:].mean((2, 3, 4)) / FAINT


SCANS = {"one": scan((-40.0, -36.0, -38.0)), "two": scan((-37.0, -30.0, -35.0))}


def inferer(*names, places=(HEART, LIVER)):
    marked = [MarkedScan(name, tuple(Landmark(str(place), place) for place in places)) for name in names]
    windows = GridInferer([12, 12, 12], 6, 64, SimpleInferer())
    return LandmarkInferer(marked, lambda item: {"image": SCANS[item["image"]]}, windows, LOWEST)


def in_mm(found, image):
    return found[0, :, :3] @ image.affine[:3, :3].T + image.affine[:3, 3]


@pytest.mark.parametrize("marked", [("one",), ("one", "two", "two")])
def test_landmarks_are_found_in_another_field_of_view_and_frame(marked):
    shift = (100.0, -50.0, 20.0)
    image = scan((-37.5, -38.0, -30.0), (36, 40, 36), shift)
    found = inferer(*marked)(image[None], where)
    truth = torch.tensor([HEART, LIVER]).double() + torch.tensor(shift)
    assert found.shape == (1, 2, 4) and (in_mm(found, image) - truth).abs().max() < 0.3
    assert found[0, :, 3].min() > 0.23


def test_a_landmark_beyond_the_field_of_view_is_not_in_the_scan():
    found = inferer("one", places=(HEART, EDGE))(scan((3.0, -36.0, -30.0), (24, 36, 34))[None], where)
    assert found[0, 1, :3].isnan().all() and found[0, 0, :3].isfinite().all()


@pytest.fixture
def found_at(monkeypatch):
    """A function: make the matching find a place, in voxels, whatever a scan shows."""

    def make(*place):
        match = torch.tensor(place, dtype=torch.float64), 0.9
        monkeypatch.setattr(module, "refine", lambda *_: match)

    return make


@pytest.mark.parametrize(("beyond", "is_there"), [(BEYOND - 0.1, True), (BEYOND + 0.1, False), (300.0, False)])
def test_a_landmark_may_be_a_little_outside_of_the_bodys_box(found_at, beyond, is_there):
    assert BEYOND == 4
    image = scan((-36.0, -36.0, -36.0))
    for place in ((39.5 + beyond, 20, 20), (20, -0.5 - beyond, 20)):
        found_at(*place)
        found = inferer("one", places=(HEART,))(image[None], where)
        assert found[0, 0, :3].isfinite().all() == is_there


@pytest.mark.parametrize(("x", "is_there"), [(-2.5, True), (-2.7, False)])
def test_a_landmark_outside_of_the_voxels_of_its_file_is_not_in_the_scan(found_at, x, is_there):
    image = scan((-36.0, -36.0, -36.0))
    image.meta["original_affine"] = image.affine.numpy().copy()
    image.meta["original_affine"][0, 3] -= 2 * SPACING  # of which two planes were cut off
    image.meta["spatial_shape"] = [60, 60, 60]
    found_at(x, 20, 20)
    assert inferer("one", places=(HEART,))(image[None], where)[0, 0, :3].isfinite().all() == is_there


@pytest.fixture
def marked_scans(write_scan, tmp_path):
    """Two scans as they are loaded, and what is marked in each: the heart in both, the liver in the first."""
    paths = [str(write_scan(tmp_path / f"{seed}.nii.gz", (40, 36, 30), seed=seed)) for seed in range(2)]
    loaded = {path: LoadImaged("image", ensure_channel_first=True)({"image": path}) for path in paths}
    points = [[tuple(apply_affine(loaded[path]["image"].affine, voxel)) for voxel in VOXELS] for path in paths]
    marks = [tuple(map(Landmark, ("heart", "liver"), points[0])), (Landmark("heart", points[1][1]),)]
    return loaded, [MarkedScan(*scan) for scan in zip(paths, marks, strict=True)]


@pytest.mark.parametrize("collate", [lambda item: list_data_collate([item])["image"], lambda item: item["image"][None]])
def test_in_a_scan_in_which_all_is_marked_it_is_at_its_own_marks_and_nothing_is_embedded(marked_scans, collate):
    loaded, marked = marked_scans
    find = LandmarkInferer(marked, loaded.__getitem__, None, LOWEST)
    found = find(collate(loaded[marked[0].image]), None)
    assert torch.allclose(found[0, :, :3], torch.tensor(VOXELS).double(), atol=1e-4) and found[0, :, 3].isnan().all()


def test_what_is_not_marked_in_a_marked_scan_is_sought_there(marked_scans, found_at):
    loaded, marked = marked_scans
    found_at(12, 11, 10)
    windows = GridInferer([12, 12, 12], 6, 64, SimpleInferer())
    find = LandmarkInferer(marked, lambda item: loaded[item["image"]], windows, LOWEST)
    heart, liver = find(loaded[marked[1].image]["image"][None], lambda crops: crops.mean((2, 3, 4)))[0]
    assert torch.allclose(heart[:3], torch.tensor(VOXELS[1]).double(), atol=1e-4)
    assert liver.tolist() == pytest.approx([12, 11, 10, 0.9])


def test_a_mark_in_air_is_told_with_its_scan(monkeypatch, caplog):
    half = SCANS["one"].clone()
    half[:, :36] = -1
    monkeypatch.setitem(SCANS, "half", half)
    inferer("half", places=(LIVER, (37.0, 20.0, 20.0)))(scan((-36.0, -36.0, -36.0))[None], where)
    (warning,) = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert warning.startswith(f"half: around {LIVER} all has one intensity")


def test_what_does_not_look_like_it_is_not_it():
    image = scan((-36.0, -36.0, -36.0))
    image[:] = torch.randn_like(image)
    assert inferer("one")(image[None], where)[0, :, :3].isnan().all()


def test_marked_scans_are_embedded_once_for_a_network():
    class Counted:
        calls = 0

        def __call__(self, crops):
            self.calls += 1
            return where(crops)

    find, network, image = inferer("one"), Counted(), scan((-36.0, -36.0, -36.0))
    find(image[None], network)
    first, network.calls = network.calls, 0
    find(image[None], network)
    second, other = network.calls, Counted()
    find(image[None], other)
    assert second < first == other.calls


def test_marks_that_contradict_each_other_are_not_trusted():
    image = scan((-36.0, -36.0, -36.0))
    marked = [MarkedScan(name, (Landmark("heart", place),)) for name, place in (("one", HEART), ("two", LIVER))]
    windows = GridInferer([12, 12, 12], 6, 64, SimpleInferer())
    find = LandmarkInferer(marked, lambda item: {"image": SCANS[item["image"]]}, windows, LOWEST)
    found = find(image[None], where)
    assert found[0, 0, 3] == 0 and found[0, 0, :3].isnan().all()
