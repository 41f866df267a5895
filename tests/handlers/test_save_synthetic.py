"""An image that a network made lies where its scan does, and says that it was made."""

import csv
from types import SimpleNamespace

import nibabel
import numpy as np
import pytest
import torch
from ignite.engine import Engine
from monai.data import MetaTensor
from monai.transforms import LoadImage

from scripts.data.synthetic import is_synthetic
from scripts.errors import InputError
from scripts.handlers.save_synthetic import SaveSynthetic


@pytest.fixture
def save(write_scan, tmp_path):
    """A function: what a handler makes of a scan, of which -1000 to 1000 HU and a baseline were made."""
    path = write_scan(tmp_path / "in" / "P1_t1.nii.gz", seed=1)
    image = LoadImage(ensure_channel_first=True)(path)
    pred = torch.linspace(-1000, 1000, image.numel()).reshape(image.shape)
    scan = {"image": image, "subject": "A", "case": "P1"}
    output = [{"pred": MetaTensor(torch.cat([pred, 0 * pred]), affine=image.affine)}]

    def run(handler):
        state = SimpleNamespace(batch=[scan], output=output)
        handler._save(SimpleNamespace(state=state, data_loader=[path]))
        return nibabel.load(path), pred[0].numpy()

    return run


def test_it_has_the_grid_of_its_scan_the_values_that_were_made_and_a_line(save, tmp_path):
    scan, made = save(SaveSynthetic(tmp_path / "out", "t1", "ct"))
    image = nibabel.load(tmp_path / "out" / "P1_ct.nii.gz")
    assert np.allclose(image.affine, scan.affine, atol=1e-4) and np.allclose(image.get_fdata(), made)
    with open(tmp_path / "out" / "synthetic.csv", encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["subject"], row["synthetic"]) == ("A", "P1_ct.nii.gz")


def test_it_is_known_for_what_it_is_whatever_it_is_called(save, tmp_path):
    save(SaveSynthetic(tmp_path / "out", "t1", "ct"))
    renamed = (tmp_path / "out" / "P1_ct.nii.gz").rename(tmp_path / "another.nii.gz")
    assert is_synthetic(renamed)
    assert nibabel.load(renamed).header["descrip"].item() == b"synthetic: ct made of t1"


def test_a_real_image_is_not_written_over_and_an_earlier_synthetic_one_is(save, write_scan, tmp_path):
    handler = SaveSynthetic(tmp_path, "t1", "ct")
    real = write_scan(tmp_path / "P1_ct.nii.gz").read_bytes()
    with pytest.raises(InputError, match="is a real image, and would be written over"):
        save(handler)
    assert (tmp_path / "P1_ct.nii.gz").read_bytes() == real
    (tmp_path / "P1_ct.nii.gz").unlink()
    save(SaveSynthetic(tmp_path, "t1", "ct"))
    save(SaveSynthetic(tmp_path, "t1", "ct"))


def test_a_run_that_would_write_over_a_real_image_makes_none(write_scan, tmp_path):
    scans = [{"case": f"{name}_t1.nii.gz", "subject": "A"} for name in ("P1", "P1", "P2")]
    made = []
    engine = Engine(lambda _, scan: made.append(scan))
    SaveSynthetic(tmp_path, "t1", "ct", scans).attach(engine)
    real = write_scan(tmp_path / "A_P1_t1_ct.nii.gz")
    with pytest.raises(InputError, match=f"{real} is a real image, and would be written over"):
        engine.run(scans)
    assert not made
