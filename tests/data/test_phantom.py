"""The synthetic cohort: what it holds, and that it is written as a whole or not at all."""

import csv
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from scripts.data import phantom
from scripts.data.phantom import make_cohort
from scripts.data.phantom_body import LABELLED
from scripts.data.phantom_scan import draw_subject
from scripts.errors import InputError


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return make_cohort(tmp_path_factory.mktemp("cohorts") / "phantom", subjects=4, seed=0)


def load(folder, part):
    return [nib.load(path) for path in sorted((folder / part).iterdir())]


def read_bytes(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_seed_gives_the_same_bytes(cohort, tmp_path):
    first = read_bytes(make_cohort(tmp_path / "again", subjects=2, seed=0))
    again = read_bytes(cohort)
    for table in ("outcomes.csv", "bodies.csv"):
        lines, others = (files.pop(Path(table)).splitlines() for files in (first, again))
        assert len(lines) == 3 and lines == others[:3]
    del first[Path("dataset.json")]
    assert len(first) == 4
    assert first.items() <= again.items()


def test_another_seed_gives_another_subject(cohort, tmp_path):
    other = make_cohort(tmp_path / "other", subjects=1, seed=1)
    name = "imagesTr/phantom_000.nii.gz"
    assert (other / name).read_bytes() != (cohort / name).read_bytes()


def test_the_listing_names_every_file(cohort):
    listing = json.loads((cohort / "dataset.json").read_text(encoding="utf-8"))
    listed = {cohort / path for item in listing["training"] for path in item.values()}
    assert listing["numTraining"] == len(listing["training"]) == 4
    assert listed == set(cohort.rglob("*.nii.gz"))


def test_grids_are_oblique_and_anisotropic_and_differ_in_orientation(cohort):
    images = load(cohort, "imagesTr")
    for image in images:
        spacing = nib.affines.voxel_sizes(image.affine)
        assert np.all((spacing > 1.7) & (spacing < 3.6)) and np.ptp(spacing) > 0.1
        assert np.all(np.rad2deg(nib.affines.obliquity(image.affine)) > 0.1)
        assert image.get_data_dtype() == np.int16
    assert len({nib.aff2axcodes(image.affine) for image in images}) > 1


def test_masks_agree_with_images_in_shape_and_affine(cohort):
    for image, mask in zip(load(cohort, "imagesTr"), load(cohort, "labelsTr"), strict=True):
        assert image.shape == mask.shape
        assert np.array_equal(image.affine, mask.affine)
        assert mask.get_data_dtype() == np.uint8
        assert set(np.unique(mask.dataobj)) <= {0, 1}


def test_half_of_the_subjects_have_lesions(cohort):
    assert [bool(np.any(mask.dataobj)) for mask in load(cohort, "labelsTr")] == [False, True, False, True]


def test_outcomes_are_of_the_lesions_that_masks_show(cohort):
    lines = read_table(cohort / "outcomes.csv")
    volumes = [np.sum(mask.dataobj) * np.prod(mask.header.get_zooms()) / 1000 for mask in load(cohort, "labelsTr")]
    assert [line["subject"] for line in lines] == [f"phantom_00{i}" for i in range(4)]
    assert [float(line["lesion_ml"]) for line in lines] == pytest.approx(volumes, abs=0.01)


def test_air_is_not_zero(cohort):
    for image in load(cohort, "imagesTr"):
        corner = np.asarray(image.dataobj)[:5, :5, :5]
        assert corner.min() > 0 and corner.std() > 0


def test_lesions_that_there_are_not_are_refused(tmp_path):
    with pytest.raises(InputError, match="There are no lesions called huge: set lesions to one of small, large"):
        make_cohort(tmp_path / "phantom", lesions="huge")


def test_interrupted_writing_leaves_nothing(tmp_path, monkeypatch):
    drawn = iter([draw_subject(np.random.default_rng(0), None)])
    # the first subject is written; drawing the second fails
    monkeypatch.setattr(phantom, "draw_subject", lambda *args, **kwargs: next(drawn))
    with pytest.raises(StopIteration):
        make_cohort(tmp_path / "phantom", subjects=2)
    assert not list(tmp_path.iterdir())


def test_the_same_cohort_is_reused(cohort, monkeypatch):
    monkeypatch.delattr(phantom, "render")
    before = {path: path.stat().st_mtime_ns for path in cohort.rglob("*")}
    assert make_cohort(cohort, subjects=4, seed=0) == cohort
    assert before == {path: path.stat().st_mtime_ns for path in cohort.rglob("*")}


@pytest.mark.parametrize("subjects, seed", [(5, 0), (4, 1)])
def test_another_cohort_in_the_folder_is_refused(cohort, subjects, seed):
    with pytest.raises(InputError, match="holds something else"):
        make_cohort(cohort, subjects=subjects, seed=seed)


def test_other_content_in_the_folder_is_refused_and_kept(tmp_path):
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="holds something else"):
        make_cohort(tmp_path, subjects=1)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "phantom").mkdir()
    assert (make_cohort(tmp_path / "phantom", subjects=1) / "dataset.json").is_file()


def test_a_cohort_of_nobody_is_refused(tmp_path):
    with pytest.raises(InputError, match="1 or more"):
        make_cohort(tmp_path / "phantom", subjects=0)


def test_masks_of_organs_are_of_the_same_images(cohort, tmp_path):
    organs = make_cohort(tmp_path / "organs", subjects=1, seed=0, labels="organs")
    name = "imagesTr/phantom_000.nii.gz"
    assert (organs / name).read_bytes() == (cohort / name).read_bytes()
    listed = json.loads((organs / "dataset.json").read_text(encoding="utf-8"))["labels"]
    found = np.unique(nib.load(organs / "labelsTr" / "phantom_000.nii.gz").dataobj)
    assert list(listed.values()) == ["background", *LABELLED] and found.tolist() == [int(key) for key in listed]


def test_labels_that_there_are_not_are_refused(tmp_path):
    with pytest.raises(InputError, match="set labels to one of lesions, organs"):
        make_cohort(tmp_path / "cohort", labels="bones")


def test_genes_of_a_cohort_stand_in_tables_beside_it(cohort, tmp_path, monkeypatch):
    monkeypatch.setattr(phantom, "render", lambda _: (np.zeros((2, 2, 2), np.int16), np.zeros((2, 2, 2), np.uint8)))
    genes = make_cohort(tmp_path / "genes", subjects=3, variants=50, causal=4)
    first, others = (read_table(genes / name) for name in ("genotypes.csv", "anatomy.csv"))
    assert (
        [row["subject"] for row in first] == [row["subject"] for row in others] == [f"phantom_00{i}" for i in range(3)]
    )
    assert len(first[0]) == 51 and {value for row in first for value in list(row.values())[1:]} <= {"0", "1", "2", ""}
    acting = read_table(genes / "effects.csv")
    assert len(acting) == 4 and {row["column"] for row in acting} < first[0].keys()
    assert [row["trait"] for row in acting] == list(others[0])[1:5]
    assert (genes / "outcomes.csv").is_file() and not (cohort / "genotypes.csv").exists()
    with pytest.raises(InputError, match="holds something else"):
        make_cohort(genes, subjects=3)


def read_table(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
