"""Places in the frame of bodies, and which of them a scan shows."""

import pytest
import torch
from monai.data import MetaTensor

from scripts.errors import InputError
from scripts.transforms.location import FrameOrigind, centre_mm
from scripts.transforms.places import PlacesInBodyd, crop_start, place_points

SIZE = [8, 8, 8]


def head(oblique, seed=0, shape=(40, 48, 44)):
    """A ball of tissue with a hollow that is as dark as the air round it."""
    affine = oblique(seed, spacing=(1.5, 2.0, 2.5))
    grid = torch.meshgrid(*(torch.linspace(-1, 1, size) for size in shape), indexing="ij")
    radius = torch.stack(grid).norm(dim=0)
    return {"image": MetaTensor(((radius < 1) & (radius > 0.6)).float()[None], affine=affine), "scan": 0}


@pytest.fixture
def prepare():
    def prepared(scan, points=None, **settings):
        scan = FrameOrigind("image", "foreground")(scan)
        points = place_points(15, [60, 60, 60]) if points is None else points
        return points, PlacesInBodyd("image", points, SIZE, **settings)(scan)

    return prepared


def test_points_are_multiples_of_the_spacing_within_reach_and_the_middle_is_one():
    points = place_points(20, [40, 39, 10])
    assert {tuple(point) for point in points.tolist()} == {
        (x, y, 0) for x in (-40, -20, 0, 20, 40) for y in (-20, 0, 20)
    }


def test_a_crop_is_the_one_whose_centre_is_nearest_to_a_point(oblique):
    image = head(oblique)["image"]
    for centre in centre_mm(image) + 10 * torch.randn(20, 3):
        start = crop_start(image, centre, SIZE)
        affine = torch.as_tensor(image.affine)
        found = affine[:3, :3] @ (start + (torch.tensor(SIZE) - 1) / 2).double() + affine[:3, 3]
        assert (torch.linalg.solve(affine[:3, :3], found - centre).abs() <= 0.5 + 1e-9).all()


def test_a_point_is_the_same_crop_wherever_the_body_lies_in_the_scanner(oblique, prepare):
    first, moved = head(oblique), head(oblique)
    moved["image"].affine[:3, 3] += torch.tensor([100.0, -30, 7])
    assert torch.equal(prepare(first)[1]["places"], prepare(moved)[1]["places"])


def test_a_hollow_of_the_body_is_body_and_a_corner_of_its_box_is_not(oblique, prepare):
    scan = head(oblique)
    corner = torch.as_tensor(scan["image"].affine)[:3, :3].float() @ torch.tensor([-15.0, -18, -16])
    points = torch.stack([torch.zeros(3), corner])
    assert prepare(scan, points)[1]["places"].tolist() == [0]


def test_half_of_a_crop_at_least_is_of_the_scan(oblique, prepare):
    scan = head(oblique)
    scan["image"][:] = torch.rand_like(scan["image"]) + 5
    scan["image"][:, :2] = 0  # some air
    points, item = prepare(scan)
    starts = crop_start(scan["image"], points[item["places"]] + item["origin"], SIZE)
    ends = torch.minimum(starts + 8, torch.tensor(scan["image"].shape[1:]))
    assert ((ends - starts.clamp(min=0)).prod(1) >= 256).all() and len(starts) > 5


def test_what_bodies_have_in_common_can_be_cached(oblique, prepare):
    first, again = (prepare(head(oblique))[1]["places"] for _ in range(2))
    assert torch.equal(first, again) and type(first) is torch.Tensor


def test_a_scan_with_too_few_places_is_refused_with_what_would_help(oblique, prepare):
    with pytest.raises(InputError, match=r"A scan has 1 of the places.*and 3 are needed: give a smaller place_spacing"):
        prepare(head(oblique), place_points(500, [60, 60, 60]), fewest=3)
