"""Cases of BraTS 2021, in both layouts."""

import json
from pathlib import Path

import pytest
from monai.bundle import ConfigParser

from scripts.data.brats import find_brats, tumour_classes
from scripts.data.split import split_scans
from scripts.errors import InputError

BUNDLES = Path(__file__).parents[2] / "bundles"
PRETRAINING = sorted(
    bundle
    for bundle in BUNDLES.glob("*_pretraining")
    if (bundle / "configs" / "brats.json").is_file() and not bundle.name.startswith("multimodal")  # which takes cases
)
IMAGES = ("t1", "t1ce", "t2", "flair")
CASES = [f"BraTS2021_{number:05d}" for number in (0, 2, 3, 1666)]


@pytest.fixture
def fill(tmp_path):
    """Empty files: the layout alone is looked at."""

    def make(*paths, root):
        for path in paths:
            (tmp_path / root / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / root / path).touch()
        return tmp_path / root

    return make


@pytest.fixture
def challenge(fill):
    paths = [f"{case}/{case}_{name}.nii.gz" for case in CASES for name in (*IMAGES, "seg")]
    return fill(*paths, root="data/BraTS2021_Training_Data")


@pytest.fixture
def make_nnunet(fill):
    """A function: an nnU-Net raw folder whose dataset.json has this content."""

    def make(content):
        images = [f"imagesTr/{case}_{number:04d}.nii.gz" for case in CASES for number in range(4)]
        root = fill(*images, *(f"labelsTr/{case}.nii.gz" for case in CASES), root="raw/Dataset137_BraTS2021")
        (root / "dataset.json").write_text(
            content if isinstance(content, str) else json.dumps(content), encoding="utf-8"
        )
        return root

    return make


def channels(*names, key="channel_names"):
    return {key: {str(number): name for number, name in enumerate(names)}, "numTraining": len(CASES)}


@pytest.mark.parametrize("image", IMAGES)
def test_a_case_of_the_challenge_has_an_image_and_a_mask(challenge, image):
    scans = find_brats(challenge, image)
    assert scans == [
        {
            "image": str(challenge / case / f"{case}_{image}.nii.gz"),
            "subject": case,
            "label": str(challenge / case / f"{case}_seg.nii.gz"),
            "scan": number,
        }
        for number, case in enumerate(CASES)
    ]


def test_the_image_is_t1_where_none_is_named(challenge):
    assert find_brats(challenge) == find_brats(challenge, "t1")


def test_the_folder_above_is_searched_too_and_paths_are_absolute(challenge, make_nnunet, monkeypatch):
    nnunet = make_nnunet(channels(*IMAGES))
    for root in (challenge, nnunet):
        monkeypatch.chdir(root.parent)
        assert find_brats(".") == find_brats(root)


@pytest.mark.parametrize("key", ["modality", "channel_names"])
@pytest.mark.parametrize(
    "names", [("T1", "T1ce", "T2", "Flair"), ("T1w", "t1gd", "T2w", "T2-FLAIR"), ("t1", "T1c", "t2", "FLAIR")]
)
def test_the_channel_of_an_nnunet_case_is_that_of_its_name(make_nnunet, names, key):
    root = make_nnunet(channels(*names, key=key))
    for number, image in enumerate(IMAGES):
        scans = find_brats(root, image)
        assert [scan["subject"] for scan in scans] == CASES
        assert [scan["image"] for scan in scans] == [
            str(root / f"imagesTr/{case}_{number:04d}.nii.gz") for case in CASES
        ]
        assert [scan["label"] for scan in scans] == [str(root / f"labelsTr/{case}.nii.gz") for case in CASES]
        assert [scan["scan"] for scan in scans] == [0, 1, 2, 3]


def test_a_channel_that_is_not_named_is_refused_with_those_that_are(make_nnunet):
    with pytest.raises(InputError, match=r"dataset\.json names no channel t1 \(but T1ce, T2, FLAIR\)"):
        find_brats(make_nnunet(channels("T1ce", "T2", "FLAIR")))


@pytest.mark.parametrize("content", [{}, [], {"modality": "MR"}])
def test_a_listing_without_channels_is_refused(make_nnunet, content):
    with pytest.raises(InputError, match=r"dataset\.json names no channel t1 \(but none\)"):
        find_brats(make_nnunet(content))


def test_a_listing_that_cannot_be_read_is_named(make_nnunet):
    root = make_nnunet("{")
    with pytest.raises(InputError, match=r"dataset\.json cannot be read"):
        find_brats(root)
    (root / "dataset.json").unlink()
    with pytest.raises(InputError, match=r"dataset\.json cannot be read"):
        find_brats(root)


@pytest.mark.parametrize("image", ["seg", "T1", "t1gd"])
def test_another_image_is_refused(challenge, image):
    with pytest.raises(InputError, match=f"image is {image}: give t1, t1ce, t2 or flair"):
        find_brats(challenge, image)


@pytest.mark.parametrize("lacking", ["t1", "seg"])
def test_a_case_of_the_challenge_without_image_or_mask_is_named(challenge, lacking):
    (challenge / CASES[1] / f"{CASES[1]}_{lacking}.nii.gz").unlink()
    with pytest.raises(InputError, match=rf"no .*{CASES[1]}_{lacking}\.nii\.gz: complete the data set"):
        find_brats(challenge)


@pytest.mark.parametrize("lacking", [f"imagesTr/{CASES[2]}_0000.nii.gz", f"labelsTr/{CASES[2]}.nii.gz"])
def test_an_nnunet_case_without_image_or_mask_is_named(make_nnunet, lacking):
    root = make_nnunet(channels(*IMAGES))
    (root / lacking).unlink()
    with pytest.raises(InputError, match=f"no .*{lacking}: complete the data set"):
        find_brats(root)


def test_a_case_may_have_several_images_in_either_layout(challenge, make_nnunet):
    keys = ("image", "t1ce", "flair")
    first = find_brats(challenge, "t2", keys)[0]
    names = [f"{CASES[0]}_{name}.nii.gz" for name in ("t2", "t1ce", "flair")]
    assert [Path(first[key]).name for key in keys] == names
    first = find_brats(make_nnunet(channels("T1", "T1ce", "T2", "Flair")), "t2", keys)[0]
    assert [Path(first[key]).name for key in keys] == [f"{CASES[0]}_000{number}.nii.gz" for number in (2, 1, 3)]


@pytest.mark.parametrize("images", [["t1"], ["image", "t1"], ["image", "t2", "t2"], ["image", "pet"]])
def test_images_that_are_no_others_of_the_four_are_refused(challenge, images):
    with pytest.raises(InputError, match="give image, which is t1, and others of t1, t1ce, t2, flair"):
        find_brats(challenge, "t1", images)


def test_each_further_image_has_to_be_there(challenge):
    (challenge / CASES[1] / f"{CASES[1]}_flair.nii.gz").unlink()
    with pytest.raises(InputError, match=rf"no .*{CASES[1]}_flair\.nii\.gz: complete the data set"):
        find_brats(challenge, "t1", ["image", "flair"])


PARTS = ("necrotic core", "oedema", "enhancing tumour")


def test_parts_of_a_tumour_have_the_values_of_the_challenge(challenge):
    classes = tumour_classes(challenge)
    assert (classes.names, classes.values) == (PARTS, ((1,), (2,), (4,)))


@pytest.mark.parametrize("above", [False, True])
def test_or_those_that_the_regions_of_nnunet_say(make_nnunet, above):
    labels = {"background": 0, "whole tumor": [1, 2, 3], "tumor core": [2, 3], "enhancing tumor": [3]}
    root = make_nnunet(channels(*IMAGES) | {"labels": labels})
    classes = tumour_classes(root.parent if above else root)
    assert (classes.names, classes.values) == (PARTS, ((2,), (1,), (3,)))


@pytest.mark.parametrize(
    "labels", [{"0": "background", "1": "a", "2": "b", "3": "c"}, {"a": [1, 2], "b": [3], "c": [4]}]
)
def test_labels_that_are_no_such_regions_are_refused(make_nnunet, labels):
    with pytest.raises(
        InputError, match=r"dataset\.json names no three regions.*give --structures a table of necrotic"
    ):
        tumour_classes(make_nnunet(channels(*IMAGES) | {"labels": labels}))


def test_hidden_files_and_other_folders_are_no_cases(challenge, make_nnunet, fill):
    nnunet = make_nnunet(channels(*IMAGES))
    before = find_brats(challenge), find_brats(nnunet)
    fill(".DS_Store", "name_mapping.csv", ".cache/a.nii.gz", "BraTS2021_logs/a.nii.gz", root=challenge)
    fill(f"imagesTr/._{CASES[0]}_0000.nii.gz", "labelsTr/.DS_Store", "imagesTs/x_0000.nii.gz", root=nnunet)
    assert (find_brats(challenge), find_brats(nnunet)) == before


@pytest.mark.parametrize("name", [None, "nowhere"])
def test_without_a_folder_the_expected_one_is_said(tmp_path, name):
    with pytest.raises(InputError, match=r"dataset_dir is .*(None|nowhere), .*BraTS2021_<number>/"):
        find_brats(name and tmp_path / name)


def test_a_folder_of_something_else_is_refused_with_the_expected_layout(fill):
    with pytest.raises(InputError, match=r"no cases in .*BraTS2021_<number>/"):
        find_brats(fill("t1.nii.gz", root="other"))


def overlay(bundle):
    return json.loads((bundle / "configs" / "brats.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("bundle", PRETRAINING, ids=lambda path: path.name)
def test_the_overlay_finds_the_scans_and_splits_them(challenge, bundle):
    parser = ConfigParser()
    parser.read_config([bundle / "configs" / "train.json", bundle / "configs" / "brats.json"])
    parser.update({"dataset_dir": str(challenge), "val_size": 1, "test_size": 2, "split#fewest": 1})
    parser["scans"] = "@cohort"  # empty files, which no audit passes
    parser["split#scans"] = "@scans"  # whether or not tables know of them
    assert parser.get_parsed_content("cohort") == find_brats(challenge)
    assert parser.get_parsed_content("split") == split_scans(find_brats(challenge), 1, 2, seed=0)
