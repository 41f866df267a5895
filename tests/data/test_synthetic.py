"""Images that a network made are known, whatever they are called."""

import nibabel
import numpy as np
import pytest

from scripts.data.cohort import find_scans
from scripts.data.synthetic import MARK, is_synthetic
from scripts.errors import InputError


@pytest.fixture
def write(tmp_path):
    """A function: a scan of this name and, in its header, this description."""

    def make(name, description=""):
        image = nibabel.Nifti1Image(np.zeros((2, 2, 2), np.float32), np.eye(4))
        image.header["descrip"] = description
        (tmp_path / "scans").mkdir(exist_ok=True)
        nibabel.save(image, tmp_path / "scans" / name)
        return tmp_path / "scans" / name

    return make


def find(root):
    return find_scans(root, root.parent / "made", root.parent / "converted")


def test_a_name_says_it(tmp_path):
    names = ("P1_ct_synthetic.nii.gz", "synthetic-P1.nii", "P1_ct.nii.gz", "photosynthetic.nii")
    assert [is_synthetic(tmp_path / name) for name in names] == [True, True, False, False]


def test_a_header_says_it_of_a_file_that_was_renamed(write):
    assert is_synthetic(write("P1_ct.nii.gz", f"{MARK} from t1")) and not is_synthetic(write("P2_ct.nii.gz", "FSL5.0"))


def test_a_folder_gives_them_as_no_scans_and_says_so(write, caplog):
    root = write("P1_ct_synthetic.nii.gz").parent
    write("P1_t1.nii.gz")
    write("P2_ct.nii.gz", f"{MARK} from t1")
    assert [scan["image"][-12:] for scan in find(root)] == ["P1_t1.nii.gz"[-12:]]
    assert "2 images were made by a network" in caplog.text and "left out" in caplog.text


def test_a_list_may_name_them_and_a_warning_does(write, caplog):
    root = write("P1_ct_synthetic.nii.gz").parent
    (root / "list.csv").write_text("image\nP1_ct_synthetic.nii.gz\n")
    assert len(find(root / "list.csv")) == 1
    assert "1 images were made by a network" in caplog.text and "as the list says" in caplog.text


def test_the_warning_is_of_every_image_of_a_listed_scan(write, caplog):
    root = write("P1_t1.nii.gz").parent
    write("P1_ct.nii.gz", f"{MARK} from t1")
    (root / "list.csv").write_text("image,ct\nP1_t1.nii.gz,P1_ct.nii.gz\n")
    find_scans(root / "list.csv", root.parent / "made", root.parent / "converted", images=("image", "ct"))
    assert "1 images were made by a network" in caplog.text and "P1_ct.nii.gz" in caplog.text


def test_a_folder_of_them_alone_has_no_scans(write):
    with pytest.raises(InputError, match=r"All images in .* were made by a network.*P1_ct_synthetic"):
        find(write("P1_ct_synthetic.nii.gz").parent)
