"""A scan is called as its file, less what says its format."""

import pytest

from scripts.data.stem import scan_stem


@pytest.mark.parametrize(
    ("path", "stem"),
    [
        ("a/b.nii.gz", "b"),
        ("b.nii", "b"),
        ("B.NII.GZ", "B"),
        ("b.nii.5.nii.gz", "b.nii.5"),
        ("v1.2.nii", "v1.2"),
        ("P1.hdr.gz", "P1"),
        ("P1.IMG", "P1"),
        ("P1.dicom", "P1"),
        ("v1.2", "v1.2"),
    ],
)
def test_the_stem_is_the_name_without_its_suffix(path, stem):
    assert scan_stem(path) == stem
