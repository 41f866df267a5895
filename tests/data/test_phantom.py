"""The synthetic cohort: what it holds, and that it is written as a whole or not at all."""

import dataclasses
import json

import nibabel as nib
import numpy as np
import pytest
from nibabel.affines import apply_affine

from scripts.data import phantom
from scripts.data.phantom import LABELLED, ORGANS, draw_subject, make_cohort, organ_map, render, tissue
from scripts.errors import InputError


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return make_cohort(tmp_path_factory.mktemp("cohorts") / "phantom", subjects=4, seed=0)


@pytest.fixture
def subject():
    return draw_subject(np.random.default_rng(0), "small")


@pytest.fixture
def points():
    """A grid of 6 mm over the body, the same to the left as to the right, [X, Y, Z, 3]."""
    axis = np.arange(-138, 139, 6)
    return np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).astype(np.float32)


def load(folder, part):
    return [nib.load(path) for path in sorted((folder / part).iterdir())]


def read_bytes(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_seed_gives_the_same_bytes(cohort, tmp_path):
    first = read_bytes(make_cohort(tmp_path / "again", subjects=2, seed=0))
    del first[next(path for path in first if path.name == "dataset.json")]
    assert len(first) == 4
    assert first.items() <= read_bytes(cohort).items()


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


def test_air_is_not_zero(cohort):
    for image in load(cohort, "imagesTr"):
        corner = np.asarray(image.dataobj)[:5, :5, :5]
        assert corner.min() > 0 and corner.std() > 0


def test_at_least_ten_organs_are_visible(subject, points):
    image = tissue(subject.organs, points)
    assert len(ORGANS) == len(subject.organs) >= 10
    for i, organ in enumerate(subject.organs):
        brighter = dataclasses.replace(organ, intensity=organ.intensity + 1)
        changed = tissue([*subject.organs[:i], brighter, *subject.organs[i + 1 :]], points) - image
        assert (changed > 0.5).sum() * 6**3 > 2000  # mm³


def test_left_and_right_are_not_mirror_images(subject, points):
    inner = [dataclasses.replace(organ, centre=organ.centre - subject.organs[0].centre) for organ in subject.organs]
    image = tissue(inner, points)
    assert np.abs(image - image[::-1]).mean() > 0.1 * image.mean()


def test_no_two_bodies_are_alike(points):
    images = [tissue(draw_subject(np.random.default_rng(seed), None).organs, points) for seed in range(3)]
    assert np.abs(images[0] - images[1]).mean() > 0.02 and np.abs(images[1] - images[2]).mean() > 0.02


def test_a_lesion_leaves_the_mean_of_the_tissue_as_it_is(points):
    lesion = phantom.Lesion(centre=np.zeros(3, np.float32), radius=120, contrast=0.2)
    texture = lesion.texture(points)
    assert abs(np.nanmean(texture)) < 0.005 < 0.1 < np.nanstd(texture)


def test_lesions_change_the_image_in_their_mask_only(subject):
    image, mask = render(subject)
    healthy, empty = render(dataclasses.replace(subject, lesions=[]))
    assert mask.any() and not empty.any()
    changed = image != healthy
    assert changed[mask == 1].mean() > 0.8
    assert changed[mask == 0].mean() < 1e-4  # the faded surface of the body


def test_lesions_lie_anywhere_in_the_body_and_are_of_either_sign():
    rng = np.random.default_rng(0)
    body = draw_subject(rng, None).organs[0]
    lesions = [phantom._draw_lesion(rng, body, *phantom.LESIONS["small"]) for _ in range(300)]
    places = np.array([(lesion.centre - body.centre) / body.half for lesion in lesions])
    assert np.all(np.abs(places.mean(0)) < 0.1) and np.all(places.std(0) > 0.4)
    assert 0.4 < np.mean([lesion.contrast > 0 for lesion in lesions]) < 0.6


def test_lesions_are_as_large_as_is_asked_for():
    subjects = [draw_subject(np.random.default_rng(seed), "large") for seed in range(10)]
    radii = [lesion.radius for subject in subjects for lesion in subject.lesions]
    assert 12 <= min(radii) < 14 and 22 < max(radii) <= 24


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


def test_a_label_map_has_each_organ_where_its_centre_is(subject):
    labels, places = organ_map(subject), np.linalg.inv(subject.affine) @ subject.pose
    for number, name in enumerate(LABELLED, 1):
        centre = subject.organs[list(ORGANS).index(name)].centre
        x, y, z = np.rint(apply_affine(places, centre)).astype(int)
        assert labels[x, y, z] == number, name


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
