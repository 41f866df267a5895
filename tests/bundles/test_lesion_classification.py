"""The classifier as its users run it: trained, frozen, in all folds, evaluated, and asked about scans."""

import csv
import json
import re
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from monai.networks.nets import DenseNet

from scripts.evaluation.strata import STRATA

BUNDLE = Path(__file__).parents[2] / "bundles" / "lesion_classification"
SMALL = {"spacing": "[4.0,4.0,4.0]", "crops_per_volume": 8, "folds": 3, "batch_size": 2}
ALL = SMALL | {"pretraining_split": "null"}

pytestmark = pytest.mark.slow


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def encoder(train):
    return train(BUNDLE.parent / "isimed_pretraining") / "encoder.pt"


@pytest.fixture(scope="module")
def frozen(run, bodies, encoder, tmp_path_factory):
    """Folder of a frozen encoder with a linear classifier, as one network."""
    output = tmp_path_factory.mktemp("frozen")
    run(BUNDLE, "linear_probe", dataset_dir=bodies, encoder=encoder, output_dir=output, **ALL)
    return output


@pytest.fixture(scope="module")
def folds(run, bodies, encoder, tmp_path_factory):
    """Folder of a frozen encoder in all folds."""
    output, settings = tmp_path_factory.mktemp("folds"), {"encoder": encoder, "name": "mine", **ALL}
    run(BUNDLE, "linear_probe", "cross_validate", cwd=output, dataset_dir=bodies, output_dir=output, **settings)
    return output


def test_a_frozen_encoder_is_cross_validated_beside_the_untrained_one_position_and_intensity(folds):
    found = {(row["encoder"], row["fold"], row["layers"]) for row in rows(folds / "cross_validation.csv")}
    layers = {"mine": "several", "untrained": "several", "position": "", "intensity": ""}
    assert found == {(name, fold, of) for name, of in layers.items() for fold in "012"}
    assert {row["stratum"] for row in rows(folds / "strata.csv")} == set(STRATA)


def test_encoder_and_linear_classifier_as_one_network_say_what_they_said_apart(frozen, folds):
    together = [float(row["score"]) for row in rows(frozen / "scores.csv")]
    apart = [float(row["mine"]) for row in rows(folds / "scores.csv") if row["fold"] == "0"]
    assert together == pytest.approx(apart, abs=0.02)  # embeddings are computed in bfloat16


def test_a_classifier_stands_beside_position_and_intensity(frozen):
    metrics = json.loads((frozen / "metrics.json").read_text(encoding="utf-8"))
    assert {key for key in metrics if key.startswith("auc")} == {"auc", "auc_position", "auc_intensity"}


def test_every_fold_is_trained_once_and_a_repetition_resumes_where_it_stopped(run, tiny_for, bodies, tmp_path):
    encoder = tmp_path / "encoder" / "encoder.pt"
    encoder.parent.mkdir()
    torch.save(DenseNet(3, 1, 1024, init_features=4, growth_rate=4, block_config=(1, 1)).state_dict(), encoder)
    settings = ALL | tiny_for(BUNDLE) | {"dataset_dir": bodies, "encoder": encoder, "name": "tuned", "max_epochs": 1}
    output = run(BUNDLE, "train", "cross_validate", output_dir=tmp_path, **settings)
    assert len(re.findall("Training fold", output)) == 3 and "tuned: AUC" in output
    before = [float(row["tuned"]) for row in rows(tmp_path / "scores.csv")]
    (tmp_path / "folds" / "fold_1_of_1" / "metrics.json").unlink()
    (tmp_path / "folds" / "fold_1_of_1" / "checkpoint.pt").unlink()
    output = run(BUNDLE, "train", "cross_validate", output_dir=tmp_path, **settings)
    assert re.findall(r"Training fold (\d)", output) == ["1"]
    assert [float(row["tuned"]) for row in rows(tmp_path / "scores.csv")] == before
    output = run(BUNDLE, "train", "cross_validate", output_dir=tmp_path, status=1, **settings | {"max_epochs": 2})
    assert "holds results with another max_epochs: give another --output_dir" in output


def test_a_training_leaves_a_classifier_that_can_be_evaluated(run, bodies, tmp_path):
    settings = SMALL | {"dataset_dir": bodies, "max_epochs": 1, "output_dir": tmp_path}
    assert "epoch 1/1: loss" in run(BUNDLE, "train", **settings)
    first = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    run(BUNDLE, "train", "evaluate", **settings)
    metrics = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert metrics.keys() - first.keys() == {"auc_position", "auc_intensity"}
    assert {name: metrics[name] for name in first} == pytest.approx(first, nan_ok=True)


def test_a_classifier_is_evaluated_on_the_fold_that_it_never_saw(run, bodies, frozen, encoder, tmp_path):
    settings = ALL | {"dataset_dir": bodies, "encoder": encoder, "model": frozen / "models" / "model.pt"}
    output = run(BUNDLE, "linear_probe", "evaluate", status=1, output_dir=tmp_path, fold=1, **settings)
    assert "split.json holds another split than these scans, seed and sizes give" in output


def test_results_of_another_encoder_are_not_overwritten(run, bodies, folds):
    settings = ALL | {"dataset_dir": bodies, "encoder": "untrained", "output_dir": folds}
    output = run(BUNDLE, "linear_probe", "cross_validate", status=1, **settings)
    assert "holds results with another encoder: give another --output_dir" in output


@pytest.mark.skipif(torch.cuda.is_available(), reason="processes with a GPU cannot be forked")
def test_two_processes_train_one_classifier(run_two, bodies, tmp_path):
    settings = SMALL | {"dataset_dir": bodies, "max_epochs": 1, "output_dir": tmp_path}
    output = run_two(BUNDLE, "train", "multi_gpu_train", **settings)
    assert len(re.findall("epoch 1/1: loss", output)) == 1 and len(re.findall("Test crops: auc", output)) == 1
    assert json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))["positives"] > 0


def test_a_scan_has_one_score_and_a_map_in_its_own_grid(run, bodies, frozen, tmp_path):
    settings = {
        "dataset_dir": bodies / "imagesTr",
        "model": frozen / "models" / "model.pt",
        "spacing": SMALL["spacing"],
    }
    assert "network_def is " in run(BUNDLE, "inference", output_dir=tmp_path, status=1, **settings)
    output = run(BUNDLE, "inference", "linear_classifier", output_dir=tmp_path, cwd=tmp_path, **settings)
    assert output.rstrip().endswith(
        f"The table of scores of scans, and their maps beside it: {tmp_path / 'scores.csv'}"
    )
    table = rows(tmp_path / "scores.csv")
    assert len(table) == 6
    for row in table:
        scan = nibabel.load(row["image"])
        lesions = nibabel.load(tmp_path / f"{row['subject']}_lesions.nii.gz")
        assert lesions.shape == scan.shape and np.allclose(lesions.affine, scan.affine, atol=1e-4)
        assert 0 <= lesions.get_fdata().max() <= float(row["score"]) + 1e-6 <= 1


@pytest.fixture(scope="module")
def people(bodies, tmp_path_factory):
    """Folder of nine scans, and a table of eight people's age and sex."""
    folder = tmp_path_factory.mktemp("people")
    (folder / "scans").mkdir()
    for i in range(9):
        body = nibabel.load(bodies / "imagesTr" / f"phantom_00{i % 4}.nii.gz")
        noise = np.random.RandomState(i).normal(0, 5, body.shape)  # the same scan is one subject
        other = nibabel.Nifti1Image((body.get_fdata() + noise).astype(np.float32), body.affine)
        nibabel.save(other, folder / "scans" / f"body_{i}.nii.gz")
    ages = "".join(f"body_{i},{20.5 + 5 * i},{'MF'[i % 2]}\n" for i in range(8))
    (folder / "participants.csv").write_text("participant_id,age,sex\n" + ages, encoding="utf-8")
    return {"dataset_dir": folder / "scans", "outcomes": folder / "participants.csv", "spacing": SMALL["spacing"]}


def test_outcomes_of_subjects_come_from_a_table(run, people, tmp_path):
    settings = people | {"folds": 3, "windows": "[1,1,2]", "output_dir": tmp_path}
    settings |= {"target": "age", "threshold": 40, "covariates": "['sex']"}
    output = run(BUNDLE, "subject_outcomes", name="mine", encoder="untrained", layers="early", **settings)
    assert f"The table of metrics of each model: {tmp_path / 'outcomes.csv'}" in output
    found = rows(tmp_path / "predictions.csv")
    assert [(row["subject"], row["target"]) for row in found] == [(f"body_{i}", str(20.5 + 5 * i)) for i in range(8)]
    assert list(found[0])[3:] == ["mine", "intensity", "size", "covariates", "mean"]
    assert [row["label"] for row in rows(tmp_path / "scores.csv")] == list("00001111")
    metrics = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    placed = run(BUNDLE, "subject_outcomes", "drasclr_encoder", **settings | {"output_dir": tmp_path / "placed"})
    assert "untrained (several)" in placed and (tmp_path / "placed" / "metrics.json").is_file()
    assert {"r2", "mae", "auc", "auc_low", "auc_size", "mae_covariates_high", "mae_intensity_p"} <= metrics.keys()


def test_components_of_scans_are_tested_with_columns_of_tables(run, people, tmp_path):
    genotypes = "".join(f"1 body_{i} 0 0 0 -9 {i % 3} {'NA' if i == 2 else i % 2} 1\n" for i in range(9))
    head = "FID IID PAT MAT SEX PHENOTYPE rs1_A rs2_C rs3_T\n"
    (tmp_path / "genes.raw").write_text(head + genotypes, encoding="utf-8")
    settings = {key: value for key, value in people.items() if key != "outcomes"}
    settings |= {"tables": f"['{tmp_path / 'genes.raw'}','{people['outcomes']}']", "covariates": "['age']"}
    settings |= {"windows": "[1,1,2]", "components": 2, "output_dir": tmp_path / "found"}
    output = run(BUNDLE, "association", name="mine", encoder="untrained", layers="early", **settings)
    assert f"The table of all tests: {tmp_path / 'found' / 'association.csv'}" in output
    assert "1 persons have no age and are left out: body_8" in output
    found = rows(tmp_path / "found" / "association.csv")
    assert len(found) == 6 and {row["column"] for row in found} == {"rs1_A", "sex=F", "sex=M"}
    assert "1 columns are known of too few persons of those tested, and left out: rs2_C" in output
    metrics = json.loads((tmp_path / "found" / "metrics.json").read_text(encoding="utf-8"))
    assert (metrics["persons"], metrics["tests"], metrics["tests_size"]) == (8, 6, 6)
    assert {"found_bonferroni", "found_fdr_intensity", "inflation", "inflation_size"} <= metrics.keys()
    assert (tmp_path / "found" / "association.html").is_file()
    settings |= {"covariates": "['height']", "output_dir": tmp_path / "no"}
    output = run(BUNDLE, "association", status=1, **settings)
    assert "No table has a column height" in output


def test_an_encoder_is_fine_tuned_for_an_outcome_in_each_fold(run, tiny_for, people, tmp_path):
    settings = people | {"folds": 3, "windows": "[1,1,2]", "max_epochs": 1, "output_dir": tmp_path}
    settings |= {"target": "age", "threshold": 40, "name": "tuned", **tiny_for(BUNDLE)}
    output = run(BUNDLE, "fine_tune_outcomes", **settings)
    assert len(re.findall("Training fold", output)) == 3
    first = rows(tmp_path / "predictions.csv")
    assert list(first[0])[3:] == ["tuned", "intensity", "size", "mean"] and len(first) == 8
    metrics = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert {"r2", "mae", "auc", "auc_low", "auc_size", "mae_mean_p", "mae_intensity_p"} <= metrics.keys()
    (tmp_path / "folds" / "fold_1_of_1" / "metrics.json").unlink()
    output = run(BUNDLE, "fine_tune_outcomes", **settings)
    assert re.findall(r"Training fold (\d)", output) == ["1"]
    assert rows(tmp_path / "predictions.csv") == first
    output = run(BUNDLE, "subject_outcomes", status=1, **people, target="age", output_dir=tmp_path)
    assert "holds results of another kind (fine_tune_config.json)" in output


def test_classes_of_subjects_are_told_place_by_place(run, people, tmp_path):
    probe, small = tmp_path / "probe", {"layers": "early", "crops_per_volume": 4}
    settings = people | small | {"folds": 3, "target": "sex", "output_dir": probe}
    run(BUNDLE, "class_probe", "subject_classes", **settings)
    assert list(rows(probe / "scores.csv")[0]) == ["subject", "class", "F", "M"]
    metrics = json.loads((probe / "metrics.json").read_text(encoding="utf-8"))
    assert {"auc", "auc_position", "auc_intensity", "balanced_accuracy_chance"} <= metrics.keys()
    (tmp_path / "scan").mkdir()
    (tmp_path / "scan" / "body_0.nii.gz").symlink_to(people["dataset_dir"] / "body_0.nii.gz")
    settings = {"dataset_dir": tmp_path / "scan", "model": probe / "models" / "model.pt", "overlap": 0.0}
    settings |= {"spacing": SMALL["spacing"], "layers": "early", "output_dir": tmp_path / "maps"}
    run(BUNDLE, "class_maps", **settings)
    (row,) = rows(tmp_path / "maps" / "classes.csv")
    assert float(row["F"]) + float(row["M"]) == pytest.approx(1, abs=1e-3)
    scan = nibabel.load(tmp_path / "scan" / "body_0.nii.gz")
    female, likeliest = (nibabel.load(tmp_path / "maps" / f"body_0_{name}.nii.gz") for name in ("F", "likeliest"))
    assert female.shape == likeliest.shape == scan.shape and np.allclose(female.affine, scan.affine, atol=1e-4)
    assert {0, 1, 2} >= {*np.unique(likeliest.dataobj).tolist()}


def test_crops_are_told_by_the_label_map_at_their_centre(run, make_once, tmp_path):
    cohort = make_once("organs", subjects=3, labels="organs")
    (tmp_path / "structures.csv").write_text("name,values\nlungs,1 2\nabdomen,4 5 6 7 8\n", encoding="utf-8")
    settings = {"dataset_dir": cohort, "structures": tmp_path / "structures.csv", "layers": "early", "folds": 3}
    settings |= {"spacing": SMALL["spacing"], "crops_per_volume": 12, "output_dir": tmp_path / "probe"}
    run(BUNDLE, "class_probe", **settings)
    labels = json.loads((tmp_path / "probe" / "models" / "labels.json").read_text(encoding="utf-8"))
    assert labels == {"background": [0], "lungs": [1, 2], "abdomen": [4, 5, 6, 7, 8]}
    metrics = json.loads((tmp_path / "probe" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["auc_position"] > 0.6  # organs have places


@pytest.mark.parametrize(
    ("configs", "overrides", "sentence"),
    [
        (
            ["linear_probe", "cross_validate"],
            {"encoder": "/no/such.pt"},
            "error: There are no weights at /no/such.pt",
        ),
        (["train"], {"encoder": "/no/such.pt", "max_epochs": 1}, "error: There are no weights at /no/such.pt"),
        (
            ["linear_probe", "cross_validate"],
            {"encoder": "scratch"},
            "error: Nothing of an encoder is trained here",
        ),
        (["train", "cross_validate"], {"folds": 9}, "error: 6 subjects cannot be cross-validated in 9 folds"),
        (["train"], {"fold": 3}, "error: fold is 3: give one from 0 to 2"),
        (["linear_probe", "drasclr_encoder"], {}, "error: A classifier of images cannot be made"),
        (["train"], {"positive_chare": 0.3}, "error: Nothing in this configuration uses the key positive_chare"),
    ],
)
def test_a_mistake_is_answered_with_one_sentence(run, bodies, tmp_path, configs, overrides, sentence):
    settings = SMALL | {"dataset_dir": bodies, "output_dir": tmp_path} | overrides
    output = run(BUNDLE, *configs, status=1, **settings)
    assert sentence in output and "Traceback" not in output


def test_an_encoder_is_not_judged_on_what_it_was_trained_on(run, bodies, encoder, tmp_path):
    settings = SMALL | {"dataset_dir": bodies, "encoder": encoder, "output_dir": tmp_path, "folds": 4}
    output = run(BUNDLE, "linear_probe", "cross_validate", status=1, **settings)
    assert "3 scans are left out" in output and "error: 3 subjects cannot be cross-validated in 4 folds" in output


def test_the_encoder_of_a_u_net_is_probed_and_draws_maps(run, bodies, tmp_path):
    run(BUNDLE, "linear_probe", "unet_encoder", dataset_dir=bodies, output_dir=tmp_path / "probe", **ALL)
    settings = {"dataset_dir": bodies / "imagesTr", "spacing": SMALL["spacing"], "overlap": 0.0}
    settings |= {"model": tmp_path / "probe" / "models" / "model.pt", "output_dir": tmp_path / "maps"}
    run(BUNDLE, "inference", "linear_classifier", "unet_encoder", **settings)
    assert len(rows(tmp_path / "maps" / "scores.csv")) == 6


def test_the_encoder_of_a_u_net_is_trained_further(run, train, bodies, tmp_path):
    encoder = train(BUNDLE.parent / "isimed_pretraining", "unet_encoder") / "encoder.pt"
    settings = ALL | {"dataset_dir": bodies, "encoder": encoder, "max_epochs": 1, "output_dir": tmp_path}
    run(BUNDLE, "train", "unet_classifier", **settings)
    assert 0 <= json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))["auc"] <= 1
