"""Crops at common places, with their neighbours."""

import numpy as np
import pytest
import torch
from monai.data import DataLoader, Dataset, MetaTensor

from scripts.data.common_places import CommonPlaces, common_places
from scripts.transforms.location import FrameOrigind
from scripts.transforms.place_crops import PlaceCropsd, nearest_places
from scripts.transforms.places import place_points
from scripts.transforms.repeatable import Repeatable

SIZE = [6, 6, 6]
POINTS = place_points(10, [20, 20, 20])


def own_queues(points=POINTS):
    numbers = torch.arange(len(points))
    return CommonPlaces(points, kept=numbers, queue=numbers, subjects=5)


@pytest.fixture
def scan(oblique):
    """A scan whose channels are the world coordinates of its voxels, at 9 of 125 places."""
    affine, shape = oblique(1, spacing=(1.0, 1.5, 2.0)), (30, 24, 20)
    voxels = np.stack([*np.indices(shape), np.ones(shape)])
    image = MetaTensor(torch.from_numpy(np.einsum("ij,jxyz->ixyz", affine, voxels)[:3]), affine=affine)
    item = FrameOrigind("image", "foreground")({"image": image, "scan": 3, "subject_number": 8})
    return item | {"places": torch.tensor([57, 61, 62, 63, 67, 37, 87, 38, 88])}


@pytest.fixture
def cut():
    """A function: the transform."""

    def make(places=None, num_samples=4, neighbours=2):
        made = PlaceCropsd("image", places or own_queues(), SIZE, num_samples, neighbours, [20, 20, 40])
        return made.set_random_state(0)

    return make


def test_a_crop_lies_round_its_place_and_so_do_those_of_its_neighbours(scan, cut):
    for item in cut()(scan):
        points = item["place"] * torch.tensor([20, 20, 40])
        centres = item["image"].mean((2, 3, 4)) - scan["origin"]
        assert item["image"].shape == (3, 3, *SIZE)
        assert (centres - points).norm(dim=1).max() < 1.4  # half the diagonal of a voxel


def test_neighbours_are_the_nearest_places_of_the_scan(scan, cut):
    for item in cut(num_samples=9)(scan):
        points = item["place"] * torch.tensor([20, 20, 40])
        distances = (POINTS[scan["places"]] - points[0]).norm(dim=1).sort().values
        assert torch.allclose((points - points[0]).norm(dim=1), distances[:3], atol=1e-4)


def test_the_first_of_places_that_are_as_near_is_the_nearest():
    points = place_points(52, [160, 160, 160])  # in float32, a matrix product would say otherwise
    middle = len(points) // 2
    assert nearest_places(points, 6)[middle].tolist() == sorted(nearest_places(points, 6)[middle].tolist())


def test_no_place_is_drawn_twice_before_all_were(scan, cut):
    numbers = [item["place_number"] for item in cut(num_samples=13)(scan)]
    assert sorted(numbers[:9]) == sorted(scan["places"].tolist()) and len(set(numbers[9:])) == 4


def test_what_lies_beyond_the_scan_is_background(scan, cut):
    scan["places"] = torch.tensor([52, 62, 72])  # 20 mm to either side; the scan ends at 18
    items = {item["place_number"]: item["image"][0] for item in cut(num_samples=3)(scan)}
    beyond = {number: (image == -1).all(0).any((0, 2)) for number, image in items.items()}  # along the second axis
    assert not beyond[62].any() and 0 < beyond[52].sum() < 6
    assert beyond[52].tolist() == sorted(beyond[52].tolist(), reverse=True) == beyond[72].flip(0).tolist()


def test_all_scans_are_told_the_same_place_wherever_their_voxels_lie(scan, cut, oblique):
    other = dict(scan)
    other["image"] = MetaTensor(torch.rand(3, 33, 27, 21), affine=oblique(2, spacing=(1.1, 1.3, 1.9)))
    other = FrameOrigind("image", "foreground")(other)
    items = [{item["place_number"]: item["place"] for item in cut(num_samples=9)(each)} for each in (scan, other)]
    assert all(torch.equal(items[0][number], items[1][number]) for number in scan["places"].tolist())


def test_a_place_beyond_the_range_is_told_as_its_edge(scan, cut):
    made = PlaceCropsd("image", own_queues(), SIZE, 9, 0, [5, 20, 20])
    assert {abs(float(item["place"][0, 0])) for item in made(scan)} == {0.0, 1.0}


def test_a_merged_place_is_told_as_the_one_whose_queue_it_shares(scan, cut):
    queue, kept = torch.zeros(len(POINTS), dtype=torch.long), torch.tensor([62])
    items = cut(CommonPlaces(POINTS, kept, queue, 5), num_samples=9)(scan)
    assert all(item["place_number"] == 0 and not item["place"].any() for item in items)
    assert len({tuple(item["image"][0].flatten().tolist()) for item in items}) == 9


def test_the_same_draws_cut_the_same_crops_and_others_do_not(scan, cut):
    made = cut()
    first, again, other = made(scan), made(scan, randomize=False), made(scan)
    assert all(torch.equal(one["image"], two["image"]) for one, two in zip(first, again, strict=True))
    assert not all(torch.equal(one["image"], two["image"]) for one, two in zip(first, other, strict=True))


def test_repeatable_crops_are_the_same_each_time_and_others_in_other_scans(scan, cut):
    fixed = Repeatable(cut())
    numbers = [[item["place_number"] for item in fixed(each)] for each in (scan, scan, scan | {"scan": 4})]
    assert numbers[0] == numbers[1] != numbers[2]


def test_the_scan_is_left_as_it_was(scan, cut):
    before = scan["image"].clone()
    for item in cut()(scan):
        item["image"].zero_()
    assert torch.equal(scan["image"], before) and "places" in scan


def test_crops_of_common_places_know_whose_they_are(scan, cut):
    places = common_places([{"subject": name, "places": scan["places"]} for name in "ab"], POINTS, fewest=2)
    assert all(item["subject_number"] == 8 and item["scan"] == 3 for item in cut(places)(scan))


def test_workers_draw_anew_in_each_epoch_and_each_crop_knows_its_own_place(scan, cut):
    """The published code tells the loader in the main process which place is next; its workers never hear of it."""
    items = [{**scan, "image": scan["image"].clone(), "scan": number} for number in range(4)]
    loader = DataLoader(Dataset(items, cut(num_samples=1)), batch_size=1, num_workers=1)
    epochs = [[(item["place"], item["image"]) for item in loader] for _ in range(3)]
    for place, crops in (crop for epoch in epochs for crop in epoch):
        points = place[0] * torch.tensor([20, 20, 40])
        assert (crops[0].mean((2, 3, 4)) - scan["origin"] - points).norm(dim=1).max() < 1.4
    drawn = [torch.cat([place[:, 0] for place, _ in epoch]) for epoch in epochs]
    assert len(drawn[0].unique(dim=0)) > 1 and not torch.equal(drawn[0], drawn[1])
