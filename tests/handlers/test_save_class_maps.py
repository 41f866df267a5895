"""Each class has a map in the scan's own grid; one more says which is the likeliest."""

import csv
from types import SimpleNamespace

import nibabel
import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import LoadImage, Orientation, SpatialCrop

from scripts.data.structures import Structures
from scripts.errors import InputError
from scripts.handlers.save_class_maps import SaveClassMaps

CLASSES = Structures(("background", "left lung", "liver"), ((0,), (3,), (7, 8)))


@pytest.fixture
def left(write_scan, tmp_path):
    """A function: save maps of a scan, one voxel of which is liver, two are lung; a box of it alone is known."""

    def save(classes=CLASSES):
        voxels = np.zeros((20, 18, 16))
        voxels[4, 9, 12], voxels[5:7, 9, 12] = 100, 50
        path = write_scan(tmp_path / "in" / "scan.nii.gz", voxels=voxels, seed=3)
        image = Orientation("RAS", labels=None)(LoadImage(ensure_channel_first=True)(path))
        image.meta["filename_or_obj"] = str(path)
        box = SpatialCrop(roi_start=[2, 2, 2], roi_end=[size - 2 for size in image.shape[1:]])(image)
        marks = torch.cat([box < 40, (box > 40) & (box < 60), box > 60]).as_tensor()
        pred = MetaTensor(torch.where(marks, 0.8, 0.1), affine=box.affine)
        state = {"batch": [{"image": image, "subject": "A"}], "output": [{"pred": pred}]}
        handler = SaveClassMaps(tmp_path / "out", classes)
        handler._save(SimpleNamespace(state=SimpleNamespace(**state), data_loader=[path]))
        with open(tmp_path / "out" / "classes.csv", encoding="utf-8", newline="") as file:
            (row,) = csv.DictReader(file)
        return row, {one.name[5:-7]: nibabel.load(one) for one in (tmp_path / "out").glob("scan_*.nii.gz")}

    return save


def test_maps_are_in_the_scans_own_grid_and_0_where_nothing_is_known(left, oblique):
    _, maps = left()
    assert maps.keys() == {"background", "left_lung", "liver", "likeliest"}
    for one in maps.values():
        assert one.shape == (20, 18, 16) and np.allclose(one.affine, oblique(3), atol=1e-4)
        assert not one.get_fdata()[0].any()
    assert maps["liver"].get_fdata()[4, 9, 12] == pytest.approx(0.8, abs=1e-4)
    assert maps["left_lung"].get_fdata()[5, 9, 12] == pytest.approx(0.8, abs=1e-4)


def test_probabilities_are_together_1_where_something_is_known(left):
    _, maps = left()
    total = sum(maps[name].get_fdata() for name in ("background", "left_lung", "liver"))
    assert np.allclose(total[3:-3, 3:-3, 3:-3], 1, atol=1e-4)


def test_the_likeliest_has_the_first_value_of_its_class(left):
    _, maps = left()
    voxels = np.asarray(maps["likeliest"].dataobj)
    assert np.argwhere(voxels == 7).tolist() == [[4, 9, 12]]
    assert np.argwhere(voxels == 3).tolist() == [[5, 9, 12], [6, 9, 12]]
    assert voxels.dtype == np.uint8 and np.count_nonzero(voxels) == 3


def test_a_line_has_the_mean_of_each_class(left):
    row, _ = left()
    number = 16 * 14 * 12
    assert row["likeliest"] == "background"
    assert float(row["left lung"]) == pytest.approx(0.1 + 0.7 * 2 / number, abs=1e-4)


def test_classes_whose_files_would_have_one_name_are_refused(left):
    with pytest.raises(InputError, match="Maps of two classes would be called a_b"):
        left(Structures(("a b", "a?b", "c"), ((0,), (1,), (2,))))
    with pytest.raises(InputError, match="A class is called subject, as another column"):
        left(Structures(("subject", "b", "c"), ((0,), (1,), (2,))))
    with pytest.raises(InputError, match="likeliest"):
        left(Structures(("Likeliest", "b", "c"), ((0,), (1,), (2,))))


@pytest.mark.parametrize(
    ("side", "said"), [(400, "3 classes at 400 × 400 × 600 voxels, probabilities are 1.2 GB"), (50, "")]
)
def test_what_a_large_scan_takes_is_told_before_it_is_begun(caplog, tmp_path, side, said):
    caplog.set_level("INFO")
    handler = SaveClassMaps(tmp_path, CLASSES)
    image = torch.zeros(1).expand(1, 1, side, side, 600)
    handler._tell_memory(SimpleNamespace(state=SimpleNamespace(batch={"image": image})))
    assert said in caplog.text if said else not caplog.text
