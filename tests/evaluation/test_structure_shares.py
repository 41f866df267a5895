"""What predicts structure shares, where it is known, and how that is written."""

import csv
import json
from dataclasses import replace

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
    known = {"structure_shares": shares, "box_share": location / torch.tensor([150, 200, 240])}
    layers = {"sees": layer, "noise": torch.randn(number, 5)}
    scan = torch.arange(number) // 5
    return LabelledCrops.of(
        Crops(layers["noise"], location, scan, torch.rand(number, 34), layers, known), np.repeat(subjects, 5)
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


def test_crops_as_long_as_their_scans_have_a_place_on_the_other_axes():
    torch.manual_seed(2)
    known = parts(sees=False, of_place=10.0)
    for of_part in known.values():
        of_part.crops.location[:, 2] = 0
        of_part.crops.known["box_share"][:, 2] = 1e-9 * torch.randn(40)  # what rounding leaves
        of_part.crops.intensities[:] = 1 / 34
    scores = r2(measure_shares(known, known, {"seeing": ["sees"]}, ASKED))
    assert scores[Method("position")] > 0.7 and scores[Method("position and intensity")] > 0.5


def test_crops_that_are_all_of_their_scans_are_predicted_as_the_mean():
    known = parts(sees=False)
    for of_part in known.values():
        of_part.crops.location[:], of_part.crops.known["box_share"][:] = 0, 0
    assert r2(measure_shares(known, known, {"seeing": ["sees"]}, ASKED))[Method("position")] == pytest.approx(
        0, abs=0.2
    )


def test_a_structure_of_a_trace_in_training_does_not_count(caplog):
    known = parts(sees=True)
    for part, trace in (("train", 1e-6), ("test", 0.5)):
        shares = known[part].crops.known["structure_shares"]
        shares[:, 1, 1] = 0  # the second structure in the middle of four crops alone
        shares[:4, 1, 1] = trace
    scores = r2(measure_shares(known, known, {"seeing": ["sees"]}, ASKED), "centre")
    assert scores[Method("trained", "seeing")] > 0.95
    assert "Left out of structure shares (centre), as fewer than 5 training crops hold them: two;" in caplog.text


def test_how_many_structures_r2_is_of_is_told_and_how_many_it_is_not(caplog):
    caplog.set_level("INFO")
    known = parts(sees=True)
    known["train"].crops.known["structure_shares"][:, 0, 1] = 0
    asked = replace(ASKED, structures=replace(TWO, left_out=3))
    metrics = join_shares(METRICS, measure_shares(known, known, SETS, asked))
    assert metrics["structure_share_structures"] == {
        "crop": {"structures": 1, "left_out": 4},
        "centre": {"structures": 2, "left_out": 3},
    }
    assert "R² of structure shares, over 1 structures together (4 left out)" in caplog.text


def test_where_a_target_is_the_same_in_all_test_crops_its_figures_are_null():
    known = parts(sees=True)
    known["test"].crops.known["structure_shares"][:] = 0.25
    metrics = join_shares(METRICS, measure_shares(known, known, SETS, ASKED))
    assert metrics["structure_share_r2"] is None and "structure_share_r2" not in metrics["intervals"]
    json.dumps(metrics, allow_nan=False)


def test_features_are_copied_of_the_layers_alone_that_are_used():
    some = crops(["a", "b"], sees=True)
    assert some.some(np.ones(10, bool)) is some
    assert list(some.with_layers(["noise"]).some(some.subjects == "a").crops.layers) == ["noise"]


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
    # four tests of this target and number, against two untrained encoders and two baselines, and none is smaller
    assert float(row["p_holm"]) == pytest.approx(4 * 2 / 2**8)
