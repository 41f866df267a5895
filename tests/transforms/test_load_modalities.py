"""Images of several modalities become channels of one, in one grid."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.transforms import Compose

from scripts.transforms.load_modalities import LoadModalitiesd

ROOT = Path(__file__).parents[2]
NAMES = ["t1", "ct", "pet"]


def ball(affine, shape, centre, inside=100.0, air=0.0):
    """A ball with a radius of 12 mm round a place in mm, whatever the grid."""
    voxels = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1)
    places = voxels @ affine[:3, :3].T + affine[:3, 3]
    return np.where(np.linalg.norm(places - centre, axis=-1) < 12, inside, air)


@pytest.fixture
def case(tmp_path, write_scan, oblique):
    """A ball as t1 and, in another grid of a smaller field of view and with padding, as ct; no pet."""
    affine = oblique(1)
    shape, small = (30, 24, 20), (20, 16, 13)
    centre = affine[:3, :3] @ [15, 12, 10] + affine[:3, 3]
    other = oblique(2, (2.0, 2.2, 3.0))
    other[:3, 3] = centre - other[:3, :3] @ [10, 8, 6]
    ct = ball(other, small, centre, 40, -1000)
    ct[0] = -3024
    paths = {
        "t1": str(write_scan(tmp_path / "t1.nii.gz", voxels=ball(affine, shape, centre), affine=affine)),
        "ct": str(write_scan(tmp_path / "ct.nii.gz", voxels=ct, affine=other)),
    }
    return {"image": paths["t1"], "modalities": paths, "subject": "P1", "centre": centre}


def test_others_lie_where_the_first_does(case):
    image = LoadModalitiesd("image", NAMES)(case)["image"]
    assert image.shape == (3, 30, 24, 20) and image.dtype == torch.float32
    t1, ct = image[0].numpy() > 50, image[1].numpy() > -480
    assert 2 * (t1 & ct).sum() / (t1.sum() + ct.sum()) > 0.9


def test_beyond_a_field_of_view_is_the_air_of_its_modality(case):
    ct = LoadModalitiesd("image", NAMES)(case)["image"][1]
    assert ct[0, 0, 0] == ct.min() == -1024


def test_what_is_missing_is_constant_and_said(case):
    item = LoadModalitiesd("image", NAMES)(case)
    assert item["present"].tolist() == [True, True, False] and item["image"][2].unique().numel() == 1


def test_an_image_in_the_same_grid_is_left_as_it_is(case, write_scan, tmp_path):
    same = LoadModalitiesd("image", ["t1", "ct"])(case | {"modalities": {name: case["image"] for name in ("t1", "ct")}})
    assert torch.equal(same["image"][0], same["image"][1])


def test_a_case_is_left_as_it_was(case):
    before = dict(case)
    LoadModalitiesd("image", NAMES)(case)
    assert case == before


@pytest.fixture
def prepare():
    """What configurations name %preparation.json#cases."""
    known = json.loads((ROOT / "tools" / "configs" / "preparation.json").read_text(encoding="utf-8"))
    named = [known[step.partition("#")[2]] if "#" in step else step for step in known["cases"]]
    settings = {"images": ["image"], "modality_names": NAMES, "spacing": [2, 2, 2], "crop_size": [32, 32, 32]}
    parser = ConfigParser({"steps": named, "intensity": known["intensity_of_each"], "frame": "foreground"} | settings)
    return Compose(parser.get_parsed_content("steps"))


def test_a_prepared_case_has_a_missing_modality_at_the_background(case, prepare):
    image = prepare(case)["image"]
    assert image.shape == (3, 32, 32, 32) and torch.isfinite(image).all() and (image[2] == -1).all()


def test_a_prepared_case_is_cropped_to_the_body_of_any_modality(case, prepare):
    item = prepare(case)
    assert np.allclose(item["origin"], case["centre"], atol=2)


def test_each_modality_has_percentiles_of_its_own(case, prepare):
    image = prepare(case)["image"]
    assert image[:2].amin((1, 2, 3)).tolist() == pytest.approx([-1, -1], abs=0.2)
    assert image[:2].amax((1, 2, 3)).tolist() == pytest.approx([1, 1], abs=0.2)


def test_without_names_channels_are_those_of_the_case(case):
    own = LoadModalitiesd("image")(case)
    assert own["present"].tolist() == [True, True]
    assert torch.equal(own["image"].as_tensor(), LoadModalitiesd("image", ["t1", "ct"])(case)["image"].as_tensor())
