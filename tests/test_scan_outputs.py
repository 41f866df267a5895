"""No scan's result takes the place of another's."""

import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import SaveImage

from scripts.scan_outputs import FreeNames


@pytest.fixture
def save(tmp_path):
    """A function: save results of scans at these paths with MONAI, and return the names of the files."""

    def run(*paths, **options):
        saver = SaveImage(tmp_path, "lesions", separate_folder=False, print_log=False, **options)
        for path in paths:
            saver(MetaTensor(torch.ones(1, 4, 4, 4), meta={"filename_or_obj": path}))
        return {path.name for path in tmp_path.iterdir()}

    return run


PATHS = ["/in/A/scan.nii.gz", "/in/B/scan.nii.gz", "/in/C/B/scan.nii.gz", "/in/other.nii"]


def test_monais_own_names_lose_results(save):
    assert save(*PATHS) == {"scan_lesions.nii.gz", "other_lesions.nii.gz"}


def test_a_name_that_occurs_again_has_its_folder_before_it_then_a_number(save):
    names = {"scan_lesions.nii.gz", "B_scan_lesions.nii.gz", "B_scan_2_lesions.nii.gz", "other_lesions.nii.gz"}
    assert save(*PATHS, output_name_formatter=FreeNames()) == names
