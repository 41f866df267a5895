"""What is left of each scan: maps in its own grid that sum to its score, a line of a table, a page."""

import csv
from types import SimpleNamespace

import nibabel
import numpy as np
import pytest
import torch
from monai.transforms import Compose, DivisiblePadd, LoadImaged, Orientationd, Spacingd
from nibabel.affines import apply_affine

from scripts.data.structures import Structures
from scripts.handlers.save_bags import SaveBags
from scripts.networks.bag_scores import POOLINGS
from scripts.transforms.bag_maps import BagMapsd
from scripts.transforms.regions import Region

TWO = Structures(("no lesion", "lesion"), ((1,), (2,)))
THREE = Structures(("mild", "moderate", "severe"), ((1,), (2,), (3,)))
NOWHERE = (Region(None, [], "attend"), Region(None, [], "ignore"))
SCAN = Compose(
    [
        LoadImaged("image", ensure_channel_first=True),
        Orientationd("image", "RAS", labels=None),
        Spacingd("image", (2.0, 2.0, 2.0)),
    ]
)


@pytest.fixture
def left(write_scan, tmp_path):
    """A function: what is left of an oblique scan whose network's logits are drawn."""

    def save(classes=TWO, regions=NOWHERE, blind=False, shape=(30, 24, 18), pooling="interactive"):
        path = write_scan(tmp_path / "in" / "scan.nii.gz", voxels=np.random.rand(*shape), seed=3)
        image = SCAN({"image": str(path)})["image"]
        seen = torch.ones_like(image)
        padded = DivisiblePadd(["image", "seen"], 16, method="end")({"image": image, "seen": seen})
        patches = [size // 4 for size in padded["image"].shape[1:]]
        logits = 2 * torch.randn(1 + (1 if classes is TWO else 3), *patches)
        if blind:
            logits[-1] = -30
        found = BagMapsd(pooling, 0.005, 0.5, *regions)({**padded, "pred": logits})
        pages = []
        handler = SaveBags(tmp_path / "out", classes, regions, lambda *content: pages.append(content))
        state = SimpleNamespace(batch=[{**padded, "subject": "A"}], output=[found])
        handler._save(SimpleNamespace(state=state, data_loader=[path]))
        handler._page()
        with open(tmp_path / "out" / "scores.csv", encoding="utf-8", newline="") as file:
            (row,) = csv.DictReader(file)
        maps = {one.name[5:-7]: nibabel.load(one) for one in (tmp_path / "out").glob("scan_*.nii.gz")}
        return row, maps, pages[0]

    return save


@pytest.mark.parametrize("classes", [TWO, THREE])
def test_contributions_sum_to_the_score_in_an_oblique_scan(left, classes):
    row, maps, _ = left(classes)
    said = "lesion" if classes is TWO else row["class"]
    assert maps["contribution"].get_fdata().sum() == pytest.approx(float(row[said]), abs=1e-5)
    assert row["score"] == row[said] and row["scan"] == "scan"


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_map_of_contributions_says_what_it_sums_to(left, pooling):
    _, maps, _ = left(pooling=pooling)
    said = maps["contribution"].header["descrip"].item().decode()
    assert float(said.removeprefix("sums to ").removesuffix("; of lesion")) == pytest.approx(
        maps["contribution"].get_fdata().sum(), abs=1e-5
    )


def test_a_scan_smaller_than_a_patch_has_the_score_of_it(left):
    row, maps, _ = left(shape=(3, 2, 1))
    assert row["patches"] == "1" and maps["contribution"].shape == (3, 2, 1)
    assert maps["contribution"].get_fdata().sum() == pytest.approx(float(row["lesion"]), abs=1e-5)


def test_maps_are_in_the_scans_own_grid(left, oblique):
    _, maps, _ = left()
    assert maps.keys() == {"local", "attention", "contribution"}
    for one in maps.values():
        assert one.shape == (30, 24, 18) and np.allclose(one.affine, oblique(3), atol=1e-4)


def test_a_line_has_each_class_and_how_much_is_attended_to(left):
    row, _, _ = left()
    assert ",".join(row) == "image,subject,scan,class,score,no lesion,lesion,attended,patches"
    assert float(row["no lesion"]) + float(row["lesion"]) == pytest.approx(1)


def test_a_correction_has_the_score_before_beside_the_one_after(left, oblique):
    middle = apply_affine(oblique(3), [15, 12, 9]).tolist()
    row, _, (_, (shown,), _) = left(regions=(NOWHERE[0], Region(None, [middle], "ignore")))
    assert row["before lesion"] != row["lesion"] and shown.before["lesion"] == float(row["before lesion"])


def test_a_scan_in_which_nothing_is_attended_to_has_a_low_score_and_a_sentence(left, caplog):
    caplog.set_level("INFO")
    row, _, _ = left(blind=True)
    assert row["class"] == "no lesion" and float(row["lesion"]) < 1e-6
    assert "hardly anything is attended to" in caplog.text


def test_of_several_classes_a_scan_in_which_everything_is_ignored_has_none(left, write_scan, oblique, tmp_path, caplog):
    caplog.set_level("INFO")
    everything = write_scan(tmp_path / "roi.nii.gz", voxels=np.ones((30, 24, 18)), seed=3)
    row, _, (_, (shown,), _) = left(THREE, (NOWHERE[0], Region(str(everything), [], "ignore")))
    before = max(THREE.names, key=lambda name: float(row[f"before {name}"]))
    assert row["class"] == shown.said == "none" and {float(row[name]) for name in THREE.names} == {0.0}
    assert f"none (0.000), before {before} (" in caplog.text


def test_the_page_shows_the_place_that_contributes_most(left):
    _, maps, (path, (shown,), number) = left()
    voxels = maps["local"].get_fdata() * maps["attention"].get_fdata()
    hottest = apply_affine(maps["local"].affine, np.argwhere(voxels == voxels.max()))
    assert np.abs(hottest - shown.place).max(1).min() < 8 and (path.name, number) == ("report.html", 1)
