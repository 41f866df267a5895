"""A page about files that are no scans shows what could be seen of them."""

import io
import re
from base64 import b64decode

import numpy as np
import pytest
from matplotlib.image import imread

from scripts.data.audit import audited_scans
from scripts.data.checks.whole_file import Unusable
from scripts.errors import InputError
from scripts.reports import audit_page
from scripts.reports.audit_page import write_audit_page


def test_each_file_is_named_with_its_reason_and_three_planes(tmp_path, write_scan):
    (tmp_path / "gone.nii.gz").write_bytes(b"no scan")
    voxels = np.zeros((20, 18, 16))
    voxels[:5, :, 8:] = 1  # left, upper half
    files = [tmp_path / "gone.nii.gz", write_scan(tmp_path / "<mask>.nii.gz", voxels=voxels, affine=np.eye(4))]
    files.append(write_scan(tmp_path / "scan.nii.gz"))
    scans = [{"image": str(file), "subject": file.name} for file in files]
    audited_scans(scans, on_bad_scan="skip", output_dir=tmp_path, write_page=write_audit_page)
    page = (tmp_path / "audit.html").read_text(encoding="utf-8")
    assert "gone.nii.gz" in page and "cannot be read" in page and "scan.nii.gz</td>" not in page
    assert "&lt;mask&gt;.nii.gz" in page and "has the values of a mask" in page
    planes = [imread(io.BytesIO(b64decode(text))) for text in re.findall(r"data:image/png;base64,([^\"]+)", page)]
    assert [plane.shape for plane in planes] == [(16, 18), (16, 20), (18, 20)]
    assert planes[1][:8, :5].all() and not planes[1][8:].any() and not planes[1][:, 5:].any()


@pytest.mark.parametrize("error", [MemoryError, RuntimeError, Unusable("is not there")])
def test_a_file_that_cannot_be_drawn_is_named_without_planes(error, tmp_path, write_scan, monkeypatch):
    def fail(_):
        raise error

    monkeypatch.setattr(audit_page, "read_whole", fail)
    path = write_scan(tmp_path / "mask.nii.gz", voxels=np.arange(5760).reshape(20, 18, 16) // 2880)
    scans = [{"image": str(path), "subject": "A"}]
    with pytest.raises(InputError, match="can be used"):
        audited_scans(scans, output_dir=tmp_path, write_page=write_audit_page)
    page = (tmp_path / "audit.html").read_text(encoding="utf-8")
    assert "mask.nii.gz" in page and "image/png" not in page
