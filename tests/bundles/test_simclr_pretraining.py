"""The options of this bundle: a projection head, other views, and negatives that do not overlap."""

import json
from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigParser
from monai.networks.nets import DenseNet121

BUNDLE = Path(__file__).parents[2] / "bundles" / "simclr_pretraining"


@pytest.mark.slow
def test_all_options_together_train_a_plain_encoder(run, small, cohort, tmp_path):
    settings = small | {"negatives": "disjoint", "dataset_dir": cohort, "output_dir": tmp_path / "run"}
    run(BUNDLE, "train", "projection_head", "anatomical_views", **settings)
    checkpoint, encoder = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True), DenseNet121(3, 1, 1024)
    encoder.load_state_dict(torch.load(tmp_path / "run" / "encoder.pt", weights_only=True))
    assert checkpoint["loss"]["head.2.weight"].shape == (128, 1024)
    assert len(checkpoint["optimizer"]["state"]) == len(list(encoder.parameters())) + len(checkpoint["loss"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ({"temperature": 0}, "error: temperature is 0: give a number > 0"),
        ({"negatives": "few"}, 'error: negatives is "few": give one of all, disjoint'),
    ],
)
def test_a_mistake_is_answered_with_one_sentence(run, small, cohort, tmp_path, overrides, sentence):
    settings = small | {"dataset_dir": cohort, "output_dir": tmp_path / "run"} | overrides
    output = run(BUNDLE, "train", status=1, **settings)
    assert sentence in output and "Traceback" not in output


def test_the_temperature_is_within_the_usual_range():
    assert 0.05 <= json.loads((BUNDLE / "configs" / "train.json").read_text(encoding="utf-8"))["temperature"] <= 0.5


def test_what_overlaps_is_known_by_the_size_of_what_is_cut_out():
    parser = ConfigParser()
    parser.read_config([str(BUNDLE / "configs" / f"{name}.json") for name in ("train", "anatomical_views")])
    region = parser.get_parsed_content("train#crops#roi_size")
    assert parser.get_parsed_content("loss").crop_size == region != parser.get_parsed_content("crop_size")
