"""A map lies where its scan does, whatever the scan's grid."""

import nibabel
import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import LoadImage, Orientation, Spacing, SpatialCrop

from scripts.evaluation.explanations import ScanMap, TestedPersons
from scripts.handlers import save_explained
from scripts.handlers.save_explained import explain_scans, own_grid


class Asked:
    """A question that can be asked of all persons but the first."""

    contrast = property(lambda self: self)
    known = torch.tensor([False, True, True])


def prepared(path):
    """A part of a scan in another orientation and spacing."""
    image = Spacing(pixdim=(2, 2, 2))(Orientation("RAS", labels=None)(LoadImage(ensure_channel_first=True)(path)))
    image.meta["filename_or_obj"] = str(path)
    return SpatialCrop(roi_start=[2, 2, 2], roi_end=[size - 2 for size in image.shape[1:]])(image)


@pytest.fixture
def path(write_scan, tmp_path):
    """A scan in an oblique grid, with something soft and bright around voxel (9, 8, 11)."""
    places = np.stack(np.meshgrid(*map(np.arange, (20, 18, 16)), indexing="ij"), -1)
    voxels = 100 * np.exp(-np.square(places - (9, 8, 11)).sum(-1) / 8)
    return write_scan(tmp_path / "in" / "scan.nii.gz", voxels=voxels, seed=3)


def test_what_adds_the_most_is_where_it_is_in_the_scan(path, oblique):
    image = prepared(path)
    found = own_grid(ScanMap(MetaTensor(image.as_tensor() / 100, affine=image.affine), 1, 0), str(path))
    assert found.shape == (1, 20, 18, 16)
    assert np.unravel_index(int(found.argmax()), found.shape[1:]) == (9, 8, 11)


def test_values_add_up_to_nearly_what_they_did(path):
    image = prepared(path)
    found = own_grid(ScanMap(image, 1, 0), str(path))
    assert float(found.sum()) == pytest.approx(float(image.sum()), rel=0.05)


def test_maps_of_each_model_are_written_for_those_who_can_be_asked(path, oblique, tmp_path, monkeypatch, caplog):
    caplog.set_level("INFO")
    monkeypatch.setattr(save_explained, "explain_scan", lambda image, *_: ScanMap(MetaTensor(image), 0.5, 0.01))
    scans = [{"subject": f"P{i}", "image": str(path)} for i in range(3)]
    persons = TestedPersons(scans, lambda item: {"image": prepared(item["image"])}, None)
    found = explain_scans({"": Asked(), "_shuffled": Asked()}, persons, 1, 8, str(tmp_path / "out"))
    assert [one.subject for one in found] == ["P1"] and found[0].maps.keys() == {"", "_shuffled"}
    names = ["scan_explained.nii.gz", "scan_explained_shuffled.nii.gz"]
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == names
    assert np.allclose(nibabel.load(tmp_path / "out" / names[0]).affine, oblique(3), atol=1e-4)
    assert "voxels add 0.5000 to the similarity of air, and their attributions add up to 0.5100" in caplog.text
