"""Images that were made are compared with real ones in the body, beside the baselines."""

import csv
import json
import re
from types import SimpleNamespace

import pytest
import torch
from monai.data import MetaTensor

from scripts.errors import InputError
from scripts.handlers.translation_scores import TranslationScores
from scripts.reports.translation_page import write_translation_page

AFFINE = torch.diag(torch.tensor([2.0, 2.0, 3.0, 1.0]))


def on_grid(image):
    return MetaTensor(image, affine=AFFINE, meta={"filename_or_obj": "/scans/P_t1.nii.gz"})


def scored(folder, offsets, subjects=6, target="ct", write_page=lambda *_: None, covered=24):
    """Metrics of bodies in air of which images were made that are off by so much in the body, and by 999 outside.

    Of the 24 sagittal slices, some are covered by the target; beyond them it is 777.
    """
    body = torch.zeros(1, 24, 20, 16)
    body[:, 4:20, 4:16, 4:12] = 1
    handler = TranslationScores(folder, "t1", target, (-1000.0, 1000.0), write_page)
    handler._begin()
    for number in range(subjects):
        noise = torch.rand(body.shape)
        source, real = 100 * body + noise, (40 + noise) * body - 1000 * (1 - body)
        pred = torch.cat([real + torch.where(body > 0, offset, 999.0) for offset in offsets])
        known = (torch.arange(24) < covered)[None, :, None, None].expand(body.shape)
        real = torch.where(known, real, 777.0)
        images = {"source": on_grid(source), "target": on_grid(real), "covered": on_grid(known.float())}
        scan = {**images, "subject": f"S{number}", "case": f"P{number}"}
        state = SimpleNamespace(batch=[scan], output=[{"pred": on_grid(pred)}])
        handler._score(SimpleNamespace(state=state))
    handler._write()
    return json.loads((folder / "metrics.json").read_text(encoding="utf-8"))


def test_the_body_alone_counts_and_the_baselines_stand_beside(tmp_path):
    metrics = scored(tmp_path, [5.0, 50.0, 20.0])
    assert [metrics[f"mae{which}"] for which in ("", "_mean_image", "_voxelwise")] == pytest.approx(
        [5, 50, 20], abs=1e-2
    )
    assert metrics["psnr"] > metrics["psnr_voxelwise"] > metrics["psnr_mean_image"]
    assert metrics["mae_low"] <= metrics["mae"] <= metrics["mae_high"]
    assert (metrics["scans"], metrics["subjects"], metrics["target_range"]) == (6, 6, [-1000, 1000])
    with open(tmp_path / "scores.csv", encoding="utf-8", newline="") as file:
        assert [row["subject"] for row in csv.DictReader(file)] == [f"S{number}" for number in range(6)]


def test_what_the_target_does_not_cover_does_not_count(tmp_path):
    assert scored(tmp_path, [5.0], covered=13)["mae"] == pytest.approx(5, abs=1e-2)
    with pytest.raises(InputError, match="The ct of P0 shows nothing of the body in its t1"):
        scored(tmp_path, [5.0], covered=3)


def test_a_ct_is_measured_in_its_tissues_and_nothing_else_is(tmp_path):
    metrics = scored(tmp_path / "ct", [5.0], target="CT")
    assert metrics["mae_soft_tissue"] == pytest.approx(5, abs=1e-2)
    assert metrics["mae_bone"] is None and metrics["mae_air"] is None
    assert "mae_bone" not in scored(tmp_path / "t2", [5.0], target="t2")


def test_without_baselines_there_are_none_and_below_five_subjects_no_intervals(tmp_path):
    metrics = scored(tmp_path, [5.0], subjects=4)
    assert not [key for key in metrics if key.endswith(("_voxelwise", "_mean_image", "_low", "_high"))]


@pytest.mark.parametrize("offsets", [[5.0, 50.0, 20.0], [5.0]])
def test_a_page_shows_each_scan_with_what_it_was_made_of_and_the_difference(tmp_path, offsets):
    scored(tmp_path, offsets, subjects=2, write_page=write_translation_page)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<title>ct made of t1</title>" in page and page.count("data:image/png") == 2 * 4 * 3
    assert ("regression of intensities" in page) is (len(offsets) == 3)
    assert "P0" in page and "<b>5.0</b>" in page


def test_the_best_of_a_row_is_bold_also_where_the_network_loses(tmp_path):
    scored(tmp_path, [50.0, 90.0, 20.0], subjects=2, write_page=write_translation_page)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert re.findall(r'data-of="([^"]*)"><strong>', page)[:2] == ["regression of intensities"] * 2
