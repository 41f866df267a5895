"""Scans that cannot be used are all named before training starts."""

import csv
import itertools
import shutil
from pathlib import Path

import numpy as np
import pytest

from scripts.data.audit import audited_scans, check_scans
from scripts.data.checks.scan_facts import examine
from scripts.data.recorded import known_parts
from scripts.data.split import write_split
from scripts.errors import InputError


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def test_all_faulty_scans_are_named_in_one_error(tmp_path, write_scan):
    (tmp_path / "no_nifti.nii.gz").write_bytes(b"a photograph")
    write_scan(tmp_path / "series.nii.gz", voxels=np.ones((9, 8, 7, 3)))
    write_scan(tmp_path / "with_nan.nii.gz", voxels=np.full((9, 8, 7), np.nan))
    write_scan(tmp_path / "good.nii.gz")
    with pytest.raises(InputError, match="3 of 4 scans cannot be used") as caught:
        check_scans([{"image": str(path)} for path in sorted(tmp_path.iterdir())])
    for text in ("no_nifti.nii.gz cannot be read", "series.nii.gz holds 3 volumes", "with_nan.nii.gz has 504 voxels"):
        assert text in str(caught.value)
    assert "good" not in str(caught.value)


def test_of_many_faulty_scans_the_first_ten_are_named(tmp_path):
    scans = [{"image": str(tmp_path / f"gone_{i:02d}.nii.gz")} for i in range(12)]
    with pytest.raises(InputError, match="and 2 more") as caught:
        check_scans(scans)
    assert "gone_09" in str(caught.value) and "gone_10" not in str(caught.value)


def test_good_scans_pass(tmp_path, write_scan):
    check_scans([{"image": str(write_scan(tmp_path / f"{seed}.nii.gz", seed=seed))} for seed in range(3)])


def test_every_image_of_a_scan_is_checked(tmp_path, write_scan):
    (tmp_path / "pet.nii.gz").touch()
    scan = {"image": str(write_scan(tmp_path / "ct.nii.gz")), "pet": str(tmp_path / "pet.nii.gz")}
    with pytest.raises(InputError, match=r"1 of 2 scans cannot be used: .*pet\.nii\.gz"):
        check_scans([scan], images=["image", "pet"])


@pytest.fixture
def cohort(tmp_path, write_scan, damage):
    """Five scans of four subjects, the third of which is damaged and the fourth a mask."""
    files = [write_scan(tmp_path / "in" / f"{number}.nii.gz", seed=number) for number in range(3)]
    files.append(write_scan(tmp_path / "in" / "3.nii.gz", voxels=np.arange(5760).reshape(20, 18, 16) // 2880))
    files.append(write_scan(tmp_path / "in" / "4.nii.gz", seed=4))
    damage(files[2])
    return [{"image": str(file), "subject": f"S{number % 4}", "scan": number} for number, file in enumerate(files)]


@pytest.fixture
def table(tmp_path):
    """A function: audit.csv as dictionaries, by file."""

    def read():
        with open(tmp_path / "out" / "audit.csv", encoding="utf-8", newline="") as file:
            return {Path(row["path"]).name: row for row in csv.DictReader(file)}

    return read


def test_scans_that_cannot_be_used_stop_a_run_and_are_on_record(cohort, tmp_path, table):
    with pytest.raises(InputError, match=r"1 of 5 scans cannot be used: .*2\.nii\.gz is damaged.*--on_bad_scan skip"):
        audited_scans(cohort, output_dir=tmp_path / "out")
    assert table()["2.nii.gz"]["verdict"] == "faulty"


def test_they_are_left_out_where_that_is_asked_for(cohort, tmp_path, caplog):
    usable = audited_scans(cohort, on_bad_scan="skip", output_dir=tmp_path / "out")
    assert [Path(scan["image"]).name for scan in usable] == ["0.nii.gz", "1.nii.gz", "4.nii.gz"]
    assert [scan["scan"] for scan in usable] == [0, 1, 2] and len({scan["fingerprint"] for scan in usable}) == 3
    assert "Left out, since they cannot be used: 1 of" in caplog.text and "2.nii.gz is damaged" in caplog.text


def test_what_looks_like_a_mask_is_left_out_with_the_way_to_say_otherwise(cohort, caplog):
    audited_scans(cohort, on_bad_scan="skip")
    assert (
        "since they have the values of masks: 1 of" in caplog.text
        and "CASE_seg" in caplog.text
        and "list" in caplog.text
    )


def test_a_list_is_believed(cohort, caplog):
    usable = audited_scans([scan | {"listed": True} for scan in cohort], on_bad_scan="skip")
    assert len(usable) == 4 and "3.nii.gz" in caplog.text and "is listed as a scan" in caplog.text


def test_all_files_are_on_record_with_what_was_found(cohort, tmp_path, table):
    audited_scans(cohort, on_bad_scan="skip", output_dir=tmp_path / "out")
    assert {name: row["verdict"] for name, row in table().items()} == {
        **{"0.nii.gz": "usable", "1.nii.gz": "usable", "2.nii.gz": "faulty", "3.nii.gz": "mask", "4.nii.gz": "usable"}
    }
    row = table()["0.nii.gz"]
    assert (row["subject"], row["shape"], row["spacing_mm"]) == ("S0", "20x18x16", "1.5 x 2.5 x 3.5")
    assert float(row["min"]) < float(row["max"]) and len(row["fingerprint"]) == 32


def test_a_page_is_written_about_suspects_alone(cohort, tmp_path):
    pages = []
    audited_scans(cohort, on_bad_scan="skip", output_dir=tmp_path, write_page=lambda path, rows: pages.append(rows))
    audited_scans([cohort[0]], output_dir=tmp_path, write_page=lambda path, rows: pages.append(rows))
    ((first, second),) = pages
    assert first[0].endswith("2.nii.gz") and second[0].endswith("3.nii.gz")


def test_nothing_left_is_refused(cohort):
    with pytest.raises(
        InputError, match=r"None of 1 files can be used as a scan: .*3\.nii\.gz has the values of a mask"
    ):
        audited_scans([cohort[3]])


def test_subjects_with_the_same_scan_are_one(cohort, tmp_path):
    shutil.copy(cohort[0]["image"], tmp_path / "again.nii.gz")
    again = cohort[1] | {"image": str(tmp_path / "again.nii.gz"), "subject": "Zoe"}
    assert [scan["subject"] for scan in audited_scans([cohort[0], again])] == ["S0", "S0"]


def test_people_who_share_another_image_such_as_an_atlas_stay_apart(cohort):
    scans = [scan | {"atlas": cohort[4]["image"]} for scan in cohort[:2]]
    usable = audited_scans(scans, images=["image", "atlas"])
    assert [scan["subject"] for scan in usable] == ["S0", "S1"]
    assert [scan["fingerprint"] for scan in usable] == [examine(scan["image"]).fingerprint for scan in scans]


def test_a_scan_with_one_faulty_image_is_left_out_whole(cohort):
    scans = [cohort[0] | {"pet": cohort[1]["image"]}, cohort[4] | {"pet": cohort[2]["image"]}]
    usable = audited_scans(scans, images=["image", "pet"], on_bad_scan="skip")
    assert [scan["image"] for scan in usable] == [cohort[0]["image"]]


def test_what_all_scans_take_once_they_are_prepared_is_said(cohort, caplog):
    with caplog.at_level("INFO"):
        audited_scans([cohort[0]], spacing=(1.5, 2.5, 3.5))
    assert "at 1.5 x 2.5 x 3.5 mm, all scans take about" in caplog.text


def test_long_audits_say_how_far_they_are(cohort, caplog, monkeypatch):
    times = itertools.count(0, 10)
    monkeypatch.setattr("time.monotonic", lambda: next(times))
    with caplog.at_level("INFO"):
        audited_scans([cohort[0], cohort[1]])
    assert "Reading file 1 of 2" in caplog.text


def test_another_way_with_bad_scans_is_refused(cohort):
    with pytest.raises(InputError, match="on_bad_scan is Skip: give one of stop, skip"):
        audited_scans(cohort, on_bad_scan="Skip")


@pytest.fixture
def cases(tmp_path, write_scan, damage):
    """Two cases of a t1 and a ct; the first one's t1 is damaged."""
    files = {(who, name): write_scan(tmp_path / f"{who}_{name}.nii.gz", seed=i) for i, (who, name) in enumerate(CASES)}
    damage(files["Ann", "t1"])
    return [
        {
            "image": str(files[who, "t1"]),
            "modalities": {name: str(files[who, name]) for name in ("t1", "ct")},
            "synthetic": [],
            "subject": who,
            "scan": i,
        }
        for i, who in enumerate(("Ann", "Ben"))
    ]


CASES = tuple(itertools.product(("Ann", "Ben"), ("t1", "ct")))


def test_every_modality_of_a_case_is_read(cases):
    with pytest.raises(InputError, match=r"1 of 4 scans cannot be used: .*Ann_t1\.nii\.gz"):
        audited_scans(cases)


def test_of_a_case_the_bad_modality_alone_is_skipped(cases, tmp_path):
    ann, ben = audited_scans(cases, on_bad_scan="skip", output_dir=tmp_path / "out")
    assert list(ann["modalities"]) == ["ct"] and ann["image"].endswith("Ann_ct.nii.gz")
    assert list(ben["modalities"]) == ["t1", "ct"] and ben["image"].endswith("Ben_t1.nii.gz")
    with open(tmp_path / "out" / "audit.csv", newline="", encoding="utf-8") as file:
        assert [Path(row["path"]).name for row in csv.DictReader(file) if row["verdict"] == "faulty"] == [
            "Ann_t1.nii.gz"
        ]


def test_subjects_whose_cases_share_any_image_are_one(cohort):
    files = [scan["image"] for scan in (*cohort[:2], cohort[4])]
    ann, ben = {"t1": files[0], "ct": files[2]}, {"t1": files[1], "ct": files[2]}
    cases = [
        {"image": images["t1"], "modalities": images, "synthetic": [], "subject": who, "scan": i}
        for i, (who, images) in enumerate((("Ann", ann), ("Ben", ben)))
    ]
    assert [case["subject"] for case in audited_scans(cases)] == ["Ann", "Ann"]


def test_every_image_of_a_case_is_known_again(cases, tmp_path):
    split = {"train": audited_scans(cases[1:]), "validate": [], "test": []}
    write_split(split, tmp_path / "split.json")
    scans = [{"image": path, "subject": "Zoe", "scan": 0} for path in cases[1]["modalities"].values()]
    assert [known_parts(audited_scans([scan]), tmp_path / "split.json") for scan in scans] == [["train"], ["train"]]


def test_a_case_of_which_nothing_is_left_is_left_out(cases, damage):
    damage(Path(cases[0]["modalities"]["ct"]))
    assert [case["subject"] for case in audited_scans(cases, on_bad_scan="skip")] == ["Ben"]
