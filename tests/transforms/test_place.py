"""The place of a crop, from -1 to 1."""

import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose, SpatialCrop

from scripts.errors import InputError
from scripts.transforms.location import CropLocationd, FrameOrigind
from scripts.transforms.place import ScaledPlace


def place(location, place_range=(100, 50, 200)):
    return ScaledPlace(place_range)({"location": torch.tensor(location)})["place"].tolist()


def test_the_origin_of_the_frame_is_0_and_the_ends_of_the_range_are_1():
    assert place([0.0, 0.0, 0.0]) == [0, 0, 0]
    assert place([-100.0, 50.0, 200.0]) == [-1, 1, 1]


def test_each_axis_has_its_own_scale():
    assert place([20.0, 20.0, 20.0]) == pytest.approx([0.2, 0.4, 0.1])


def test_what_is_beyond_the_range_is_at_its_end():
    assert place([101.0, -900.0, 199.0]) == pytest.approx([1, -1, 0.995])


def test_the_middle_of_an_oblique_scan_is_0_and_a_crop_beside_it_is_its_millimetres_away(oblique):
    scan = MetaTensor(torch.zeros(1, 9, 9, 9), affine=torch.as_tensor(oblique(1)))
    steps = [FrameOrigind("image", "foreground")], [CropLocationd("image"), ScaledPlace([50, 40, 60])]
    whole = Compose(steps[0])({"image": scan})
    places = [
        Compose(steps[1])({**whole, "image": SpatialCrop(roi_start=[i, 3, 3], roi_end=[i + 3, 6, 6])(scan)})["place"]
        for i in (3, 4)
    ]
    millimetres = torch.as_tensor(oblique(1), dtype=torch.float32)[:3, 0]
    assert torch.allclose(places[0], torch.zeros(3), atol=1e-6)
    assert torch.allclose(places[1], millimetres / torch.tensor([50.0, 40, 60]), atol=1e-6)


@pytest.mark.parametrize("place_range", [[100, 100], 100, "100", [100, 0, 100], [100, -1, 100], [1, 1, float("nan")]])
def test_a_range_that_is_not_three_positive_numbers_is_refused(place_range):
    with pytest.raises(InputError, match="place_range is"):
        ScaledPlace(place_range)
