"""A scan is called as its file, less what says that it is NIfTI."""

import pytest

from scripts.data.stem import nifti_stem


@pytest.mark.parametrize(
    ("path", "stem"),
    [("a/b.nii.gz", "b"), ("b.nii", "b"), ("B.NII.GZ", "B"), ("b.nii.5.nii.gz", "b.nii.5"), ("v1.2.nii", "v1.2")],
)
def test_the_stem_is_the_name_without_its_suffix(path, stem):
    assert nifti_stem(path) == stem
