"""Which files are scans, and whose they are."""

import json
import logging
import os
from functools import partial

import pytest

from scripts.data import cohort
from scripts.data.files import Kind, sort_files
from scripts.data.lesion_voxels import paths_of
from scripts.errors import InputError

find_scans = partial(cohort.find_scans, synthetic_dir=None, converted_dir=None)  # nothing is made, as a rule


@pytest.fixture
def fill(tmp_path):
    """Empty files: the layout alone is looked at."""

    def make(*paths, root=tmp_path / "cohort"):
        for path in paths:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).touch()
        return root

    return make


def by_name(scans, root):
    return {os.path.relpath(scan["image"], root): scan for scan in scans}


def subjects(scans, root):
    return {name: scan["subject"] for name, scan in by_name(scans, root).items()}


def labels(scans, root):
    return {
        name: os.path.relpath(scan["label"], root) if "label" in scan else None
        for name, scan in by_name(scans, root).items()
    }


def test_each_file_of_a_flat_folder_is_a_subject(fill):
    root = fill("b.nii.gz", "a.nii", "c.NII.GZ", "notes.txt")
    assert subjects(find_scans(root), root) == {"a.nii": "a", "b.nii.gz": "b", "c.NII.GZ": "c"}


def test_scans_are_sorted_and_numbered_and_their_paths_absolute(fill, monkeypatch):
    root = fill("b.nii.gz", "a.nii", "c.nii.gz")
    monkeypatch.chdir(root.parent)
    scans = find_scans(root.name)
    assert [(scan["image"], scan["scan"]) for scan in scans] == [
        (str(root / name), i) for i, name in enumerate(["a.nii", "b.nii.gz", "c.nii.gz"])
    ]


def test_a_folder_of_a_subject_holds_one_subject(fill):
    root = fill("P1/t1.nii.gz", "P1/later/t1.nii.gz", "P2/t1.nii.gz")
    assert subjects(find_scans(root), root) == {
        "P1/t1.nii.gz": "P1",
        "P1/later/t1.nii.gz": "P1",
        "P2/t1.nii.gz": "P2",
    }


def test_folders_of_subjects_may_lie_deeper(fill):
    root = fill("data/mr/P1/t1.nii.gz", "data/mr/P2/t1.nii.gz")
    assert set(subjects(find_scans(root), root).values()) == {"P1", "P2"}


def test_bids_sessions_belong_to_one_subject(fill):
    root = fill(
        "sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz",
        "sub-01/ses-2/anat/sub-01_ses-2_T1w.nii.gz",
        "sub-02/ses-1/anat/sub-02_ses-1_T1w.nii.gz",
    )
    assert sorted(subjects(find_scans(root), root).values()) == ["sub-01", "sub-01", "sub-02"]


def test_bids_names_in_a_flat_folder_give_the_subject(fill):
    root = fill("sub-01_T1w.nii.gz", "sub-01_T2w.nii.gz", "sub-02_T1w.nii.gz")
    assert sorted(subjects(find_scans(root), root).values()) == ["sub-01", "sub-01", "sub-02"]


def test_a_decathlon_listing_gives_scans_and_labels(fill):
    root = fill("imagesTr/a.nii.gz", "imagesTr/b.nii.gz", "imagesTs/c.nii.gz", "labelsTr/a.nii.gz", "extra.nii.gz")
    listing = {"training": [{"image": "./imagesTr/a.nii.gz", "label": "./labelsTr/a.nii.gz"}]}
    listing["test"] = ["./imagesTs/c.nii.gz"]
    (root / "dataset.json").write_text(json.dumps(listing), encoding="utf-8")
    scans = find_scans(root)
    assert subjects(scans, root) == {"imagesTr/a.nii.gz": "a", "imagesTs/c.nii.gz": "c"}
    assert labels(scans, root) == {"imagesTr/a.nii.gz": "labelsTr/a.nii.gz", "imagesTs/c.nii.gz": None}


@pytest.fixture
def nnunet(fill):
    root = fill(*(f"imagesTr/{case}_{i}.nii.gz" for case in ("A_1", "B_2") for i in ("0000", "0001")))
    fill("labelsTr/A_1.nii.gz", "labelsTr/B_2.nii.gz")
    (root / "dataset.json").write_text(json.dumps({"channel_names": {"0": "T1"}, "numTraining": 2}), encoding="utf-8")
    return root


def test_nnunet_channels_are_of_one_subject_and_share_its_label(nnunet):
    scans = find_scans(nnunet)
    assert len(scans) == 4
    for name, scan in by_name(scans, nnunet).items():
        case = name.split("/")[1][:3]
        assert scan["subject"] == case and scan["label"] == str(nnunet / f"labelsTr/{case}.nii.gz")


def test_nnunet_test_images_are_subjects_of_their_own(fill, nnunet):
    fill("imagesTs/C_3_0000.nii.gz")
    assert set(subjects(find_scans(nnunet), nnunet).values()) == {"A_1", "B_2", "C_3"}


def test_a_json_list_may_hold_paths_and_items(fill, tmp_path):
    root = fill("a.nii.gz", "b.nii.gz", "m.nii.gz")
    items = ["cohort/a.nii.gz", {"image": str(root / "b.nii.gz"), "subject": 7, "label": "cohort/m.nii.gz"}]
    (tmp_path / "list.json").write_text(json.dumps(items), encoding="utf-8")
    scans = find_scans(tmp_path / "list.json")
    assert subjects(scans, root) == {"a.nii.gz": "a", "b.nii.gz": "7"}
    assert labels(scans, root) == {"a.nii.gz": None, "b.nii.gz": "m.nii.gz"}


def test_a_csv_list_may_leave_cells_empty(fill):
    root = fill("a.nii.gz", "b.nii.gz", "m.nii.gz")
    (root / "list.csv").write_text("image,subject,label\na.nii.gz,P1,m.nii.gz\nb.nii.gz,,\n", encoding="utf-8")
    scans = find_scans(root / "list.csv")
    assert subjects(scans, root) == {"a.nii.gz": "P1", "b.nii.gz": "b"}
    assert labels(scans, root) == {"a.nii.gz": "m.nii.gz", "b.nii.gz": None}


@pytest.mark.parametrize("name", ["list.json", "list.csv"])
def test_a_listed_folder_of_a_subject_holds_one_subject(fill, name):
    paths = ["P1/t1.nii.gz", "P1/t2.nii.gz", "P2/t1.nii.gz", "P2/t2.nii.gz"]
    root = fill(*paths)
    (root / name).write_text(
        json.dumps(paths) if name.endswith("json") else "\n".join(["image", *paths]), encoding="utf-8"
    )
    assert subjects(find_scans(root / name), root) == {path: path[:2] for path in paths}


def test_masks_in_a_folder_of_labels_are_no_scans(fill):
    root = fill("images/a.nii.gz", "images/b.nii.gz", "labels/a.nii.gz", "labels/b.nii.gz")
    scans = find_scans(root)
    assert subjects(scans, root) == {"images/a.nii.gz": "a", "images/b.nii.gz": "b"}
    assert labels(scans, root) == {"images/a.nii.gz": "labels/a.nii.gz", "images/b.nii.gz": "labels/b.nii.gz"}


def test_a_mask_in_the_folder_of_a_subject_is_its_label(fill):
    root = fill("P1/T1.nii.gz", "P1/SEG.nii.gz", "P2/T1.nii.gz", "P2/SEG.nii.gz")
    assert labels(find_scans(root), root) == {"P1/T1.nii.gz": "P1/SEG.nii.gz", "P2/T1.nii.gz": "P2/SEG.nii.gz"}


def test_masks_named_after_their_scan_are_the_labels_of_that_scan(fill):
    root = fill("a.nii.gz", "a_seg.nii.gz", "b.nii.gz")
    assert labels(find_scans(root), root) == {"a.nii.gz": "a_seg.nii.gz", "b.nii.gz": None}


@pytest.fixture
def log(caplog):
    """A function: what is logged of a folder, as (level, text)."""

    def read(root, **settings):
        with caplog.at_level(logging.INFO):
            caplog.clear()
            find_scans(root, **settings)
        return [(record.levelname, record.getMessage()) for record in caplog.records]

    return read


def test_what_was_understood_is_a_table_with_examples(fill, log):
    root = fill(*(f"IXI-{c}/IXI0{i:02}-{c}.nii.gz" for c in ("T1", "T2") for i in range(5)), "notes.txt", "age.csv")
    fill("IXI-T1/IXI000-T1_seg.nii.gz")
    ((level, table),) = log(root)
    assert (level, table.splitlines()) == (
        "INFO",
        [
            f"{root}: 10 scans of 5 subjects (up to 2 each; contrasts are not told apart), 1 with a mask.",
            "  read      11 NIfTI files; 1 of them are masks by their names",
            "  left out  1 .csv, 1 .txt",
            "  subjects  read from names of files, less contrasts, visits and repeats",
            "  such as   IXI-T1/IXI000-T1.nii.gz -> IXI000, mask IXI000-T1_seg.nii.gz",
            "            IXI-T1/IXI002-T1.nii.gz -> IXI002",
            "            IXI-T1/IXI004-T1.nii.gz -> IXI004",
        ],
    )


def test_a_choice_between_two_readings_is_a_warning(fill, log):
    root = fill(*(f"site{site}/sub-0{i}/anat/sub-0{i}_T1w.nii.gz" for site in (1, 2) for i in (1, 2, 3)))
    assert log(root)[1:] == [
        (
            "WARNING",
            "sub-01, sub-02, sub-03 are in several of site1, site2: each was taken for one person in all; if they are "
            "other people, give dataset_dir a CSV list with the columns image and subject.",
        )
    ]


def test_links_to_nothing_are_counted_with_their_cure(fill, log):
    root = fill("sub-01_T1w.nii.gz", "sub-02_T1w.nii.gz")
    for i in range(3, 8):
        (root / f"sub-0{i}_T1w.nii.gz").symlink_to("../.git/annex/objects/x.nii.gz")
    (root / "sub-08_T1w.nii.gz").write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n", encoding="utf-8"
    )
    (level, text) = log(root)[1]
    assert level == "WARNING" and text.startswith("6 names of scans are links to nothing (sub-03_T1w.nii.gz, sub-04")
    assert "and 3 more) and left out: fetch them with `datalad get`" in text


def test_where_all_are_links_to_nothing_that_is_said(fill):
    root = fill()
    root.mkdir()
    (root / "sub-03_T1w.nii.gz").symlink_to("nowhere.nii.gz")
    with pytest.raises(
        InputError, match=r"no NIfTI scans .* 1 are links to nothing \(sub-03_T1w.nii.gz\).*datalad get"
    ):
        find_scans(root)


def test_a_mask_of_nobody_is_named(fill, log):
    (level, text) = log(fill("a.nii.gz", "b.nii.gz", "c_seg.nii.gz"))[1]
    assert level == "WARNING" and text.startswith("1 masks belong to no scan by their names") and "c_seg.nii.gz" in text


def test_a_mask_of_a_brain_is_counted_and_nobody_is_asked_for_it(fill, log):
    ((_, table),) = log(fill("a.nii.gz", "a_brain_mask.nii.gz", "b.nii.gz", "b_brain_mask.nii.gz", "notes.txt"))
    assert "  left out  2 masks of a brain, head or body, 1 .txt" in table.splitlines()


@pytest.fixture
def close(monkeypatch):
    """A function: nobody may list a folder any more, root included."""

    def make(folder):
        scandir = os.scandir

        def listed(path):
            if os.fspath(path) == os.fspath(folder):
                raise PermissionError(13, "Permission denied", os.fspath(path))
            return scandir(path)

        monkeypatch.setattr(os, "scandir", listed)

    return make


def test_folders_that_may_not_be_listed_are_named(fill, log, close):
    root = fill("P1/T1.nii.gz", "P2/T1.nii.gz")
    close(root / "P2")
    (level, text) = log(root)[1]
    assert level == "WARNING" and text.startswith(f"1 folders may not be read ({root / 'P2'})")


def test_a_cohort_that_may_not_be_listed_is_named(fill, close):
    root = fill("T1.nii.gz")
    close(root)
    with pytest.raises(InputError, match=f"those in {root} may not be read"):
        find_scans(root)


@pytest.mark.parametrize(
    ("masks", "label"),
    [(["1.nii", "2.nii"], ["1.nii", "2.nii"]), (["1.nii"], "1.nii"), ("1.nii", "1.nii"), ([], None), (None, None)],
)
def test_an_item_of_a_list_may_have_several_masks(fill, masks, label):
    root = fill("a.nii", "1.nii", "2.nii")
    (root / "list.json").write_text(json.dumps([{"image": "a.nii", "label": masks}]), encoding="utf-8")
    (scan,) = find_scans(root / "list.json")
    found = [os.path.basename(path) for path in paths_of(scan.get("label", []))]
    assert (found if isinstance(scan.get("label"), list) else next(iter(found), None)) == label


@pytest.mark.parametrize("label", [0, 1.0, True, {"path": "a.nii"}, ["a.nii", 1]])
def test_a_label_that_is_no_path_is_refused(fill, label):
    root = fill("a.nii")
    (root / "list.json").write_text(json.dumps([{"image": "a.nii", "label": label}]), encoding="utf-8")
    with pytest.raises(InputError, match=r"list\.json gives a\.nii the label .*: give the path of its mask"):
        find_scans(root / "list.json")


@pytest.mark.parametrize("name", ["list.json", "dataset.json"])
def test_scans_that_a_list_names_are_marked(fill, name):
    root = fill("a.nii")
    (root / name).write_text(json.dumps({"training": ["a.nii"]}), encoding="utf-8")
    assert [scan.get("listed") for scan in find_scans(root / name if name == "list.json" else root)] == [True]
    (root / name).unlink()
    assert [scan.get("listed") for scan in find_scans(root)] == [None]


def test_pairs_are_found_whatever_the_case_of_their_suffixes(fill):
    files = sort_files(fill("a.img", "a.hdr", "B.IMG", "B.HDR", "c.img.gz", "c.hdr.gz", "d.hdr", "e.mhd", "e.zraw"))
    assert [files.names(kind) for kind in (Kind.PAIR, Kind.ITK)] == [["B.IMG", "a.img", "c.img.gz"], ["e.mhd"]]


def test_several_masks_of_a_scan_are_a_list(fill):
    root = fill("P1/T1.nii.gz", "P1/liver_mask.nii.gz", "P1/tumour_mask.nii.gz", "P2/T1.nii.gz", "P2/liver_mask.nii.gz")
    masks = [scan["label"] for scan in find_scans(root)]
    assert masks == [
        [str(root / "P1/liver_mask.nii.gz"), str(root / "P1/tumour_mask.nii.gz")],
        str(root / "P2/liver_mask.nii.gz"),
    ]


def test_what_bundles_wrote_is_no_scan(fill):
    root = fill("p0.nii.gz", "p0_lesions.nii.gz", "scores.csv", "maps/p0_components.nii.gz", "maps/p0_embeddings.npz")
    fill("masks_of_a_run/p0_lesion_mask.nii.gz", "masks_of_a_run/masks.csv", "run/any.nii.gz", "run/deeper/any.nii.gz")
    settings = {"bundle_root": ".", "output_dir": "run", "dataset_dir": "."}
    (root / "run/inference_config.json").write_text(json.dumps(settings), encoding="utf-8")
    assert list(subjects(find_scans(root), root)) == ["p0.nii.gz"]


def test_a_config_json_of_another_program_hides_nothing(fill):
    root = fill("P1/t1.nii.gz", "P2/t1.nii.gz")
    (root / "P1/config.json").write_text('{"scanner": "x"}', encoding="utf-8")
    assert len(find_scans(root)) == 2


def test_a_lesion_mask_of_other_programs_is_a_mask(fill):
    root = fill("p0.nii.gz", "p0_lesions.nii.gz", "p1.nii.gz", "p1_lesion_mask.nii.gz")
    assert labels(find_scans(root), root) == {"p0.nii.gz": "p0_lesions.nii.gz", "p1.nii.gz": "p1_lesion_mask.nii.gz"}


def test_a_folder_whose_name_is_a_number_is_read(fill, tmp_path, monkeypatch):
    fill("a.nii.gz", root=tmp_path / "7")
    monkeypatch.chdir(tmp_path)
    assert len(find_scans("7")) == 1


@pytest.mark.parametrize("channels", [1, 2])
def test_a_listing_of_nnunets_first_version_means_all_channels(fill, channels):
    root = fill(*(f"imagesTr/{case}_{i:04}.nii.gz" for case in "AB" for i in range(channels)))
    fill("labelsTr/A.nii.gz", "labelsTr/B.nii.gz")
    items = [{"image": f"./imagesTr/{case}.nii.gz", "label": f"./labelsTr/{case}.nii.gz"} for case in "AB"]
    (root / "dataset.json").write_text(json.dumps({"training": items, "test": []}), encoding="utf-8")
    scans = find_scans(root)
    assert [(scan["subject"], os.path.basename(scan["label"])) for scan in scans] == [
        (case, f"{case}.nii.gz") for case in "AB" for _ in range(channels)
    ]


def test_a_folder_above_named_labels_hides_nothing(fill, tmp_path):
    root = fill("a.nii.gz", root=tmp_path / "labels" / "cohort")
    assert len(find_scans(root)) == 1


def test_hidden_files_are_no_scans(fill):
    root = fill("a.nii.gz", "._a.nii.gz")
    assert list(subjects(find_scans(root), root)) == ["a.nii.gz"]


def test_without_a_folder_the_synthetic_cohort_is_used(fill, monkeypatch, tmp_path):
    monkeypatch.setattr("scripts.data.cohort.make_cohort", lambda folder, *_, **__: fill("a.nii.gz", root=folder))
    assert find_scans(None, synthetic_dir=tmp_path / "made")[0]["image"] == str(tmp_path / "made/a.nii.gz")


def test_a_synthetic_cohort_with_genes_is_larger(fill, monkeypatch, tmp_path):
    made = {}

    def make(folder, subjects, **settings):
        made.update(settings, subjects=subjects)
        fill("a.nii.gz", root=folder)

    monkeypatch.setattr("scripts.data.cohort.make_cohort", make)
    find_scans(None, synthetic_dir=tmp_path / "made", synthetic_variants=30)
    assert made["variants"] == 30 and made["subjects"] >= 100


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(InputError, match=r"There is no .*nowhere.*dataset_dir"):
        find_scans(tmp_path / "nowhere")


def test_a_folder_without_scans_is_named(fill):
    root = fill("image.png")
    with pytest.raises(InputError, match=r"no NIfTI scans \(.nii, .nii.gz\) in .*cohort"):
        find_scans(root)


def test_a_folder_of_masks_alone_has_no_scans(fill):
    with pytest.raises(InputError, match="no NIfTI scans"):
        find_scans(fill("labels/a.nii.gz"))


@pytest.mark.parametrize("folder", [True, False])
def test_broken_json_is_named(tmp_path, folder):
    (tmp_path / "dataset.json").write_text('{"training": [', encoding="utf-8")
    with pytest.raises(InputError, match=r"dataset\.json is not valid JSON"):
        find_scans(tmp_path if folder else tmp_path / "dataset.json")


WRONG_JSON = ["5", "null", "[5]", "[null]", '[{"image": ["a.nii.gz"]}]']


@pytest.mark.parametrize("content", WRONG_JSON)
def test_json_that_is_no_list_of_scans_is_refused(fill, content):
    root = fill("a.nii.gz")
    (root / "list.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"list\.json"):
        find_scans(root / "list.json")


def test_a_listed_file_that_is_missing_is_named(tmp_path):
    (tmp_path / "list.csv").write_text("image\ngone.nii.gz\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"list\.csv lists gone\.nii\.gz, but there is no"):
        find_scans(tmp_path / "list.csv")


def test_an_item_without_an_image_is_refused(tmp_path):
    (tmp_path / "list.json").write_text('[{"label": "a.nii.gz"}]', encoding="utf-8")
    with pytest.raises(InputError, match="has no image"):
        find_scans(tmp_path / "list.json")


def test_a_scan_alone_is_no_list(fill):
    with pytest.raises(InputError, match=r"neither a folder nor a \.json or \.csv list"):
        find_scans(fill("a.nii.gz") / "a.nii.gz")


def test_four_digits_that_are_no_channels_belong_to_the_name(fill):
    root = fill("amos_0001.nii.gz", "amos_0002.nii.gz", "amos_0003.nii.gz")
    assert len(set(subjects(find_scans(root), root).values())) == 3


def test_linked_folders_are_followed_and_circles_are_not(fill, tmp_path):
    root = fill("P1/t1.nii.gz")
    elsewhere = fill("t1.nii.gz", root=tmp_path / "archive")
    (root / "P2").symlink_to(elsewhere)
    (root / "P1" / "circle").symlink_to(root)
    assert set(subjects(find_scans(root), root).values()) == {"P1", "P2"}


def test_a_table_saved_by_a_spreadsheet_is_read(fill):
    root = fill("a.nii.gz")
    (root / "list.csv").write_bytes(b"\xef\xbb\xbfimage,subject\r\na.nii.gz,P1\r\n")
    assert subjects(find_scans(root / "list.csv"), root) == {"a.nii.gz": "P1"}


def test_a_table_in_another_encoding_is_refused(fill):
    root = fill("a.nii.gz")
    (root / "list.csv").write_bytes("image,subject\na.nii.gz,Müller\n".encode("latin-1"))
    with pytest.raises(InputError, match="is not a text in UTF-8"):
        find_scans(root / "list.csv")


def test_a_list_may_name_several_images_of_a_scan(fill, tmp_path):
    folder = fill("a.nii.gz", "a_pet.nii.gz")
    (tmp_path / "list.csv").write_text(
        f"image,pet,subject\n{folder}/a.nii.gz,{folder}/a_pet.nii.gz,A\n", encoding="utf-8"
    )
    (scan,) = find_scans(tmp_path / "list.csv", images=["image", "pet"])
    assert (scan["image"], scan["pet"]) == (str(folder / "a.nii.gz"), str(folder / "a_pet.nii.gz"))


def test_an_image_that_an_item_lacks_is_named(fill, tmp_path):
    folder = fill("a.nii.gz")
    (tmp_path / "list.csv").write_text(f"image,pet,subject\n{folder}/a.nii.gz,,A\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"An item of .*list\.csv has no pet"):
        find_scans(tmp_path / "list.csv", images=["image", "pet"])


def test_a_folder_gives_one_image_a_scan(fill):
    with pytest.raises(InputError, match="give dataset_dir a JSON or CSV list with the columns image, pet and subject"):
        find_scans(fill("a.nii.gz"), images=["image", "pet"])
