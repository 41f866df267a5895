"""With monai, torch, nibabel, pytorch-ignite, fire and numpy alone, a downloaded bundle does all that it is for."""

import json

import pytest

from scripts.data.phantom import make_cohort

SMALL = {"spacing": "[4.0,4.0,4.0]", "max_epochs": 1, "crops_per_volume": 4, "batch_size": 2}


@pytest.fixture(scope="module")
def python(given):
    return given("--core")


@pytest.fixture(scope="module")
def downloaded(bundle, zips, python, call, tmp_path_factory):
    """Folder of a bundle that MONAI downloaded into an empty folder."""
    folder = tmp_path_factory.mktemp("downloads")
    words = ["download", "--name", bundle.name, "--url", zips[bundle.name].as_uri(), "--bundle_dir", folder]
    call([python, "-m", "monai.bundle", *words], folder)
    return folder / bundle.name


def test_this_repository_is_not_there(python, call, tmp_path):
    known = call([python, "-c", "import importlib.util as u; print(u.find_spec('scripts'))"], tmp_path)
    assert known.strip() == "None"


def parts(bundle):
    """Settings that leave a few bodies to validate and to test on."""
    if bundle.name.startswith(("lesion_", "organ_")):
        return {"folds": 3}
    config = json.loads((bundle / "configs" / "train.json").read_text(encoding="utf-8"))
    fewest = config.get("split", {}).get("fewest", 1)  # a bundle may tell subjects of each part from each other
    return {"val_size": fewest, "test_size": fewest}


def test_a_bundle_is_trained(downloaded, python, run, cohort, tmp_path):
    config = json.loads((downloaded / "configs" / "train.json").read_text(encoding="utf-8"))
    if "modalities" in config:  # of several images of a subject
        cohort = make_cohort(tmp_path / "cases", subjects=4, modalities=("t1", "t2"))
    settings = SMALL | parts(downloaded) | {"dataset_dir": cohort, "output_dir": tmp_path / "run"}
    run(python, downloaded, "train", cwd=tmp_path, **settings)
    assert (tmp_path / "run" / "models" / "model.pt").is_file()


def test_its_weights_are_evaluated(downloaded, python, run, cohort, truth, tmp_path):
    settings = {"dataset_dir": cohort, "output_dir": tmp_path / "out"}
    weights = downloaded / "models" / "model.pt"
    if downloaded.name.endswith("_segmentation"):
        run(python, downloaded, "inference", "evaluate", cwd=tmp_path, **settings)
    elif downloaded.name == "landmark_localization":
        settings |= {"truth": truth, "map_stride": 16}  # an eighth of the windows
        said = run(python, downloaded, "inference", "evaluate", cwd=tmp_path, **settings)
        assert "calibration.csv, which needs scikit-learn" in said
    else:
        name = "encoder" if downloaded.name.endswith("_pretraining") else "model"
        run(python, downloaded, "train", "evaluate", cwd=tmp_path, **settings, **parts(downloaded), **{name: weights})
    assert list((tmp_path / "out").glob("metrics.*"))


def test_its_weights_are_used_on_scans(downloaded, python, run, cohort, tmp_path):
    scans = tmp_path / "scans"
    scans.mkdir()
    (scans / "scan.nii.gz").symlink_to(next(cohort.glob("imagesTr/*")))
    run(python, downloaded, "inference", cwd=tmp_path, dataset_dir=scans, output_dir=tmp_path / "out")
    assert list((tmp_path / "out").glob("scan_*.nii.gz"))
