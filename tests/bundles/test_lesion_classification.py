"""The cross-validation as its users run it."""

import csv
from pathlib import Path

import pytest

BUNDLE = Path(__file__).parents[2] / "bundles" / "lesion_classification"
SMALL = {"spacing": "[4.0,4.0,4.0]", "crops_per_volume": 8, "folds": 3}


@pytest.mark.slow
def test_an_encoder_is_cross_validated_beside_position_and_intensity(run, train, cohort, tmp_path):
    encoder = train(BUNDLE.parent / "isimed_pretraining") / "encoder.pt"
    settings = SMALL | {"dataset_dir": cohort, "encoder": encoder, "name": "mine", "output_dir": tmp_path}
    output = run(BUNDLE, "cross_validate", cwd=tmp_path, **settings)
    assert "mine: AUC" in output
    with open(tmp_path / "cross_validation.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["encoder"], row["fold"]) for row in rows} == {
        (name, fold) for name in ("mine", "position", "intensity") for fold in "012"
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ({"encoder": "/no/such.pt"}, "error: There are no weights at /no/such.pt"),
        ({"folds": 9}, "error: 4 subjects cannot be cross-validated in 9 folds"),
        ({"positive_chare": 0.3}, "error: Nothing in this configuration uses the key positive_chare"),
    ],
)
def test_a_mistake_is_answered_with_one_sentence(run, cohort, tmp_path, overrides, sentence):
    settings = SMALL | {"dataset_dir": cohort, "output_dir": tmp_path} | overrides
    output = run(BUNDLE, "cross_validate", status=1, **settings)
    assert sentence in output and "Traceback" not in output
