"""A scan is found by what a table calls it, if that can mean one file alone."""

import pytest

from scripts.data.named_scan import NamedScans
from scripts.errors import InputError


@pytest.fixture
def folders(tmp_path):
    """The table's folder, and that of the scans."""
    for name in ("tables/own.nii.gz", "scans/P1.nii", "scans/a/P1.nii", "scans/a/P2.nii.gz", "scans/b/P3.v1.nii.gz"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "scans/b/P2.nii").write_bytes(b"")
    return tmp_path / "tables", tmp_path / "scans"


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("own", "tables/own.nii.gz"),
        ("../tables/own.nii.gz", "tables/own.nii.gz"),
        ("../scans/b/P3.v1", "scans/b/P3.v1.nii.gz"),
        ("P1", "scans/P1.nii"),  # a path in dataset_dir, and so not a/P1
        ("a/P1", "scans/a/P1.nii"),
        ("P3.v1", "scans/b/P3.v1.nii.gz"),
        ("P3.v1.nii.gz", "scans/b/P3.v1.nii.gz"),
        ("P2.nii", "scans/b/P2.nii"),
        ("b/P2", "scans/b/P2.nii"),
    ],
)
def test_a_path_counts_from_either_folder_and_else_is_the_end_of_one(folders, tmp_path, name, file):
    assert NamedScans(*folders).path(name, "line 2") == str(tmp_path / file)


def test_an_absolute_path_needs_no_folder(folders, tmp_path):
    path = str(tmp_path / "scans/a/P2.nii.gz")
    assert NamedScans(folders[0]).path(path, "line 2") == path


def test_names_count_among_the_scans_of_a_list(folders, tmp_path):
    (tmp_path / "list.csv").write_text("image,subject\nscans/a/P2.nii.gz,P2\n", encoding="utf-8")
    assert NamedScans(folders[0], tmp_path / "list.csv").path("P2", "line 2") == str(tmp_path / "scans/a/P2.nii.gz")


def test_a_mask_that_is_called_as_its_scan_is_not_meant(folders, tmp_path):
    for name in ("images/P7.nii", "labels/P7.nii"):
        (tmp_path / "scans" / name).parent.mkdir()
        (tmp_path / "scans" / name).write_bytes(b"")
    assert NamedScans(*folders).path("P7", "line 2") == str(tmp_path / "scans/images/P7.nii")


def test_a_link_to_a_scan_is_the_scan(folders, tmp_path):
    (tmp_path / "tables/P1.nii").symlink_to(tmp_path / "scans/P1.nii")
    scans = NamedScans(*folders)
    assert scans.path("P1", "line 2") == str(tmp_path / "tables/P1.nii")


def test_a_name_of_two_scans_is_refused_with_both(folders):
    with pytest.raises(InputError, match=r"line 2: the scan P2 may be .*a/P2\.nii\.gz or .*b/P2\.nii: give its path"):
        NamedScans(*folders).path("P2", "line 2")


@pytest.mark.parametrize("name", ["P9", "/no/P1.nii", "c/P2", "2", "a", "."])
def test_a_name_of_none_is_refused_with_the_folders(folders, name):
    with pytest.raises(InputError) as refusal:
        NamedScans(*folders).path(name, "line 2")
    assert str(refusal.value) == (
        f"line 2: there is no scan {name} in {folders[0]} or {folders[1]}: correct its name or its path."
    )


def test_where_no_dataset_is_given_the_refusal_says_so(folders):
    with pytest.raises(InputError, match=r"there is no scan P2 in .*tables, and dataset_dir is not given"):
        NamedScans(folders[0], "null").path("P2", "line 2")
