"""What predicts structure shares, where it is known, and how that is written."""

import csv
import json

import numpy as np
import pytest
import torch

from scripts.data.structures import Structures
from scripts.evaluation.share_results import COLUMNS, join_shares, write_shares
from scripts.evaluation.structure_shares import LabelledCrops, Method, StructureShares, measure_shares
from scripts.metrics.location import Crops

TWO = Structures(("one", "two"), ((1,), (2,)))
SETS = {"seeing": ["sees"], "blind": ["noise"]}
ASKED = StructureShares(TWO, "seeing", (3, 99))


def crops(subjects, sees, of_place=0.0):
    """Five crops of each subject, whose shares are in the layer `sees` if it does, and partly follow their place."""
    number = 5 * len(subjects)
    location, shares = 40 * torch.randn(number, 3), torch.rand(number, 2, 2) * torch.tensor([0.3, 0.01])
    shares += of_place * torch.tanh(location[:, :2] / 40)[:, None]
    layer = torch.cat([shares.flatten(1) if sees else torch.randn(number, 4), torch.randn(number, 1)], 1)
    known = {
        "structure_shares": shares,
        "box_share": location / torch.tensor([150, 200, 240]),
        "histogram": torch.rand(number, 34),
    }
    layers = {"sees": layer, "noise": torch.randn(number, 5)}
    scan = torch.arange(number) // 5
    return LabelledCrops.of(
        Crops(layers["noise"], location, scan, torch.zeros(number, 8), layers, known), np.repeat(subjects, 5)
    )


def parts(sees, **settings):
    return {part: crops([f"{part}{i}" for i in range(8)], sees, **settings) for part in ("train", "test")}


@pytest.fixture(scope="module")
def found():
    torch.manual_seed(1)
    trained = parts(sees=True)
    torch.manual_seed(1)
    return measure_shares(trained, parts(sees=False), SETS, ASKED)


def r2(found, target="crop"):
    return {method: float(share.r2[0]) for method, share in found.of_all(target).items()}


def test_an_encoder_that_sees_structures_predicts_their_shares(found):
    for target in ("crop", "centre"):
        scores = r2(found, target)
        assert scores.pop(Method("trained", "seeing")) > 0.95
        assert max(scores.values()) < 0.3


def test_shares_that_follow_the_place_are_predicted_from_it():
    torch.manual_seed(2)
    known = parts(sees=False, of_place=10.0)
    scores = r2(measure_shares(known, known, {"seeing": ["sees"]}, ASKED))
    assert scores[Method("position")] > 0.7 > 0.3 > scores[Method("trained", "seeing")]


def test_numbers_of_subjects_are_those_that_are_there(found):
    assert {share.labelled_subjects for share in found.shares} == {3, 8}


def test_crops_without_a_label_map_are_left_out():
    some = crops(["a", "b", "c"], sees=True)
    some.crops.known["structure_shares"][5:10] = torch.nan
    left = LabelledCrops.of(some.crops, some.subjects)
    assert set(left.subjects) == {"a", "c"} and len(left.shares) == len(left.crops.location) == 10


METRICS = {"rankme": 4.0, "intervals": {}, "differences": {}}
METRICS |= {"layers": {name: {"location_error_mm": 3.0, "intervals": {}, "differences": {}} for name in SETS}}


def test_metrics_have_the_encoder_beside_its_baselines(found):
    metrics = json.loads(json.dumps(join_shares(METRICS, found)))
    scores = r2(found)
    assert metrics["rankme"] == 4.0
    assert metrics["structure_share_r2"] == scores[Method("trained", "seeing")]
    assert metrics["structure_share_r2_random_encoder"] == scores[Method("untrained", "seeing")]
    for ending in ("position", "position_intensity"):
        name = f"structure_share_r2_{ending}"
        assert metrics[name] == scores[Method(ending.replace("_", " and "))]
        low, high = metrics["intervals"][name]
        assert low < metrics[name] < high
        assert metrics["differences"][name][0] > 0.3


def test_each_set_of_layers_has_both_targets_and_keeps_what_it_had(found):
    layers = join_shares(METRICS, found)["layers"]
    assert layers["seeing"]["structure_share_r2_centre"] == r2(found, "centre")[Method("trained", "seeing")]
    assert layers["blind"]["structure_share_r2_random_encoder"] < 0.3
    assert layers["blind"]["location_error_mm"] == 3.0 and layers["blind"]["intervals"]


def test_the_table_has_tests_of_the_encoder_against_what_it_must_beat(found, tmp_path):
    write_shares(tmp_path / "shares.csv", found)
    with open(tmp_path / "shares.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS and len(rows) == 2 * 2 * (4 + 2)
    assert {row["encoder"] for row in rows if row["p"]} == {"untrained", "position", "position and intensity"}
    (row,) = (
        row for row in rows if (row["target"], row["encoder"], row["labelled_subjects"]) == ("crop", "position", "8")
    )
    assert (row["better_in"], row["subjects"], float(row["rank_biserial"])) == ("8", "8", 1)
    assert float(row["p"]) == 2 / 2**8
    assert float(row["p_holm"]) == pytest.approx(16 * 2 / 2**8)  # of the 16 tests none is smaller
