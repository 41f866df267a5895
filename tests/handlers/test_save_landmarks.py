"""Landmarks are told in mm of their scan's world, shown in a mask, and cut out where they have a size."""

import csv
import logging

import nibabel
import numpy as np
import pytest
import torch
from ignite.engine import Engine
from monai.data import MetaTensor
from monai.transforms import Compose, LoadImaged, Orientationd, Spacingd
from nibabel.affines import apply_affine

from scripts.data.landmarks import Landmark, MarkedScan, read_landmarks
from scripts.handlers.save_landmarks import SaveLandmarks
from scripts.landmarks.expected_error import ExpectedError

SHAPE = (40, 30, 24)
VOXEL = (21, 12, 9)  # of a scan's own grid, where the landmark is
PREPROCESSING = Compose(
    [
        LoadImaged("image", ensure_channel_first=True),
        Orientationd("image", axcodes="RAS", labels=None),
        Spacingd("image", pixdim=(2.0, 2.0, 2.0)),
    ]
)
NOWHERE = (np.nan,) * 3
TIP, BOX = Landmark("tip", (0, 0, 0)), Landmark("box", (0, 0, 0), (20, 10, 16))


@pytest.fixture
def scan(write_scan, oblique, tmp_path):
    """A function: path of an oblique scan with anisotropic voxels, and where its landmark is in the world."""

    def write(folder="a", seed=1):
        affine = oblique(seed)
        path = write_scan(tmp_path / folder / "scan.nii.gz", SHAPE, affine=affine, seed=seed)
        return str(path), apply_affine(affine, VOXEL)

    return write


def outcome(path, *found):
    """A batch and an output of the evaluator: places in the world, or nowhere, and confidences."""
    image = PREPROCESSING({"image": path})["image"]
    to_voxels = np.linalg.inv(image.affine.numpy())
    table = torch.tensor(np.array([[*apply_affine(to_voxels, place), sure] for place, sure in found]))
    mask = MetaTensor(torch.zeros(1, *SHAPE))
    mask[0, VOXEL[0], VOXEL[1], VOXEL[2]] = len(found)
    return [{"image": image, "subject": path.split("/")[-2]}], [{"landmarks": table, "pred": mask}]


@pytest.fixture
def save(tmp_path):
    """A function: lines of landmarks.csv after these scans, for such landmarks."""

    def run(landmarks, outcomes, marked="marked.nii.gz", **settings):
        def step(engine, pair):
            engine.state.batch, output = pair
            return output

        engine = Engine(step)
        scans = [MarkedScan(str(marked), tuple(landmarks))]
        SaveLandmarks(str(tmp_path / "out"), scans, **settings).attach(engine)
        engine.run(outcomes)
        with open(tmp_path / "out" / "landmarks.csv", encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    return run


def place(row):
    return [float(row[axis]) for axis in "xyz"]


@pytest.mark.parametrize("seed", range(3))
def test_a_landmark_is_told_in_mm_of_the_world_of_an_oblique_scans_header(scan, save, seed):
    path, world = scan(seed=seed)
    (row,) = save([TIP], [outcome(path, (world, 0.75))])
    assert np.allclose(place(row), nibabel.load(path).affine @ [*VOXEL, 1] @ np.eye(4, 3), atol=2e-3)
    assert (row["scan"], row["name"], row["confidence"], row["note"]) == (path, "tip", "0.75", "")


def test_one_that_is_not_in_the_scan_has_no_place_no_error_and_no_box(scan, save, tmp_path):
    path, world = scan()
    calibration = calibration_of(tmp_path, "0,9\n1,3\n")
    tip, box = save(
        [TIP, BOX], [outcome(path, (world, 0.5), (NOWHERE, 0.1))], expected_error=ExpectedError(calibration)
    )
    assert [box[key] for key in ("x", "y", "z", "size_x", "size_y", "size_z", "expected_error_mm")] == [""] * 7
    assert (box["note"], box["confidence"], tip["note"]) == ("not in this scan", "0.1", "")
    assert not (tmp_path / "out" / "scan_box.nii.gz").exists()


def test_each_scan_has_a_mask_in_its_own_grid(scan, save, tmp_path):
    scans = [scan("a", 1), scan("b", 2)]
    rows = save([TIP, BOX], [outcome(path, (world, 1), (NOWHERE, 0)) for path, world in scans])
    for (path, _), name in zip(scans, ("scan", "b_scan"), strict=True):
        mask, source = nibabel.load(tmp_path / "out" / f"{name}_landmarks.nii.gz"), nibabel.load(path)
        assert np.allclose(mask.affine, source.affine) and mask.get_data_dtype() == np.uint8
        assert np.argwhere(mask.get_fdata() == 2).tolist() == [list(VOXEL)]
    assert [row["note"] for row in rows] == [
        "",
        "not in this scan",
        "files are named b_scan",
        "not in this scan; files are named b_scan",
    ]


def test_more_landmarks_than_a_byte_tells_apart_are_told_apart(scan, save, tmp_path):
    path, world = scan()
    save([Landmark(f"{i}", (0, 0, 0)) for i in range(300)], [outcome(path, *[(world, 1)] * 300)])
    mask = nibabel.load(tmp_path / "out" / "scan_landmarks.nii.gz")
    assert mask.get_data_dtype() == np.uint16 and mask.get_fdata().max() == 300


def test_a_box_holds_the_marked_size_and_a_margin_around_the_place_that_was_found(scan, save, tmp_path):
    path, world = scan()
    save([BOX], [outcome(path, (world, 1))], margin_mm=3.0)
    box, source = nibabel.load(tmp_path / "out" / "scan_box.nii.gz"), nibabel.load(path)
    corners = world + (np.indices((2, 2, 2)).reshape(3, -1).T - 0.5) * (26, 16, 22)
    at = apply_affine(np.linalg.inv(box.affine), corners)
    assert (at >= -0.501).all() and (at <= np.array(box.shape) - 0.499).all()
    start = apply_affine(np.linalg.inv(source.affine) @ box.affine, (0, 0, 0)).round().astype(int)
    whole = source.get_fdata()[tuple(map(slice, start, start + box.shape))]
    assert np.array_equal(box.get_fdata(), whole)


def test_the_size_of_a_box_is_the_median_of_those_marked(tmp_path):
    sizes = [(10, 20, 30), (12, 26, 90), (40, 22, 32), None]
    marked = [MarkedScan("scan.nii", (Landmark("box", (0, 0, 0), size), TIP)) for size in sizes]
    assert SaveLandmarks(str(tmp_path), marked).sizes == {"box": (12, 22, 32)}


@pytest.mark.parametrize("margin_mm", [None, 3.0])
def test_the_table_can_be_given_back_as_marks_boxes_and_all(scan, save, tmp_path, margin_mm):
    scans = [scan("a", 1), scan("b", 2)]
    save([TIP, BOX], [outcome(path, (world, 1), (world, 1)) for path, world in scans], margin_mm=margin_mm)
    for (path, world), again in zip(scans, read_landmarks(tmp_path / "out" / "landmarks.csv"), strict=True):
        assert again.image == path and [mark.size for mark in again.landmarks] == [None, BOX.size]
        assert np.allclose([mark.point for mark in again.landmarks], [world, world], atol=1e-3)


def test_without_a_margin_no_boxes_are_cut_out(scan, save, tmp_path):
    path, world = scan()
    save([BOX], [outcome(path, (world, 1))], margin_mm=None)
    assert not (tmp_path / "out" / "scan_box.nii.gz").exists()


def test_a_box_that_is_outside_of_the_scan_is_no_file_and_a_note(scan, save, tmp_path):
    path, world = scan()
    (row,) = save([BOX], [outcome(path, (world + 500, 1))])
    assert row["note"] == "its box is outside of this scan"
    assert not (tmp_path / "out" / "scan_box.nii.gz").exists()


def test_a_marked_landmark_whose_box_is_outside_is_not_on_the_page_either(scan, save):
    (path, world), shown = scan(), []
    settings = {"marked": path, "write_page": lambda page, found, marked: shown.extend(found)}
    (row,) = save([BOX], [outcome(path, (world + 500, np.nan))], **settings)
    assert row["note"] == "its box is outside of this scan; marked in this scan" and shown == []


def test_names_of_landmarks_make_names_of_files_that_never_meet(scan, save, tmp_path):
    path, world = scan()
    names = ["../L 4", "...L/4", "landmarks", "ä-1", "Ä-1"]
    save([Landmark(name, (0, 0, 0), (9, 9, 9)) for name in names], [outcome(path, *[(world, 1)] * 5)])
    assert {file.name for file in (tmp_path / "out").iterdir()} == {
        *("landmarks.csv", "scan_landmarks.nii.gz", "scan____L_4.nii.gz", "scan____L_4_2.nii.gz"),
        *("scan_landmarks_2.nii.gz", "scan_ä-1.nii.gz", "scan_Ä-1_2.nii.gz"),
    }


def test_no_box_overwrites_that_of_another_scan(write_scan, save, tmp_path):
    paths = [str(write_scan(tmp_path / "in" / f"{name}.nii.gz", SHAPE)) for name in ("a", "a_b")]
    world = apply_affine(nibabel.load(paths[0]).affine, VOXEL)
    save(
        [Landmark(name, (0, 0, 0), (9, 9, 9)) for name in ("b_c", "c")],
        [outcome(path, (world, 1), (world, 1)) for path in paths],
    )
    boxes = {file.name for file in (tmp_path / "out").glob("*c*.gz")}
    assert boxes == {"a_b_c.nii.gz", "a_c.nii.gz", "a_b_b_c.nii.gz", "a_b_c_2.nii.gz"}


def calibration_of(folder, lines):
    path = folder / "calibration.csv"
    path.write_text(f"confidence,expected_error_mm\n{lines}", encoding="utf-8")
    return str(path)


def test_the_expected_error_is_read_off_the_calibration(scan, save, tmp_path):
    path, world = scan()
    calibration = calibration_of(tmp_path, "0.2,20\n0.6,10\n0.8,4\n")
    rows = save([TIP, BOX], [outcome(path, (world, 0.7), (world, 0.1))], expected_error=ExpectedError(calibration))
    assert [row["expected_error_mm"] for row in rows] == ["7.0", ""]


def test_another_run_replaces_the_table(scan, save):
    path, world = scan()
    assert len(save([TIP, BOX], [outcome(path, (world, 1), (world, 1))])) == 2
    assert len(save([TIP], [outcome(path, (world, 1))])) == 1


def test_at_the_end_the_log_says_what_was_found_and_where_the_results_are(scan, save, caplog, tmp_path):
    caplog.set_level(logging.INFO)
    pages = []
    path, world = scan()
    save([TIP, BOX], [outcome(path, (world, 1), (NOWHERE, 0))], write_page=lambda *content: pages.append(content))
    (last,) = [message for message in caplog.messages if message.startswith("1 scans")]
    assert "landmarks found: 1, not in their scan: 1" in last
    assert f"{tmp_path / 'out' / 'landmarks.csv'}, the page {tmp_path / 'out' / 'landmarks.html'}." in last
    ((page, found, marked),) = pages
    assert page == tmp_path / "out" / "landmarks.html"
    assert [one.point is None for one in found] == [False, True] and marked[0].image == "marked.nii.gz"


def test_what_is_marked_in_a_scan_is_noted_and_not_on_the_page(scan, save):
    (path, world), shown = scan(), []
    settings = {"marked": path, "write_page": lambda page, found, marked: shown.extend(found)}
    (row,) = save([TIP], [outcome(path, (world, np.nan))], **settings)
    assert np.allclose(place(row), world, atol=1e-3) and shown == []
    assert (row["confidence"], row["note"]) == ("", "marked in this scan")
