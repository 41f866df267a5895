"""A synthetic cohort: bodies of one anatomy that differ as people and scanners do, half of them with lesions."""

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import nibabel as nib
import numpy as np

from ..atomic import explain_failure, temporary_suffix, write_csv_atomically
from ..errors import InputError
from .phantom_body import LABELLED, LESIONS
from .phantom_outcome import COLUMNS, draw_outcome
from .phantom_scan import draw_subject, organ_map, render

__all__ = ["LABELS", "make_cohort"]

LABELS = ("lesions", "organs")  # what the masks of a cohort may be of


def make_cohort(
    folder: str | os.PathLike, subjects: int = 24, seed: int = 0, lesions: str = "small", labels: str = "lesions"
) -> Path:
    """Write a cohort in the layout of the Medical Segmentation Decathlon; every second subject has lesions.

    Args:
        folder: where to; it appears when all is written. If it holds this very cohort already, it is left as it is.
        subjects: their number; a larger cohort begins with the subjects of a smaller one.
        seed: the same seed gives the same bytes.
        lesions: which of `LESIONS`.
        labels: which of `LABELS` masks are of: lesions, 1, or the organs of `LABELLED`; the images are the same.

    Returns:
        The folder: `imagesTr` (int16), `labelsTr` (uint8), `dataset.json` and `outcomes.csv` (see `draw_outcome`).

    Raises:
        InputError: the folder holds something else, or there are no subjects, or such lesions, to write.
    """
    folder = Path(folder).expanduser().absolute()
    if subjects < 1:
        raise InputError(f"A cohort of {subjects} subjects cannot be made: set subjects to 1 or more.")
    if lesions not in LESIONS:
        raise InputError(f"There are no lesions called {lesions}: set lesions to one of {', '.join(LESIONS)}.")
    if labels not in LABELS:
        raise InputError(f"There are no labels called {labels}: set labels to one of {', '.join(LABELS)}.")
    listing = json.dumps(_listing(subjects, seed, lesions, labels), indent=2)
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        path = folder / "dataset.json"
        if not path.is_file() or path.read_text(encoding="utf-8") != listing:
            raise InputError(f"{folder} holds something else than this cohort: give a folder that is new or empty.")
        return folder
    with explain_failure(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(temporary_suffix(), f".{folder.name}-", folder.parent) as temporary:
            unfinished = Path(temporary) / folder.name
            _write(unfinished, json.loads(listing))
            (unfinished / "dataset.json").write_text(listing, encoding="utf-8")
            unfinished.rename(folder)
    return folder


def _write(folder: Path, listing: dict) -> None:
    for part in ("imagesTr", "labelsTr"):
        (folder / part).mkdir(parents=True)
    outcomes = [_write_subject(folder, listing, i) for i in range(listing["numTraining"])]
    write_csv_atomically(folder / "outcomes.csv", [COLUMNS, *outcomes])


def _write_subject(folder: Path, listing: dict, i: int) -> list:
    """Write the i-th scan with its mask; the line of its subject in outcomes.csv is returned."""
    rng, item = np.random.default_rng([listing["seed"], i]), listing["training"][i]
    subject = draw_subject(rng, listing.get("lesions", "small") if i % 2 == 1 else None)
    image, mask = render(subject)
    lesion_ml = mask.sum() * abs(np.linalg.det(subject.affine[:3, :3])) / 1000
    if listing.get("labels_of") == "organs":
        mask = organ_map(subject)
    for path, data in zip(item.values(), (image, mask), strict=True):
        nib.save(nib.Nifti1Image(data, subject.affine), folder / path)
    return [Path(item["image"]).name.removesuffix(".nii.gz"), *draw_outcome(rng, float(lesion_ml))]


def _listing(subjects: int, seed: int, lesions: str, labels: str) -> dict:
    """Content of dataset.json."""
    names = [f"phantom_{i:03}.nii.gz" for i in range(subjects)]
    listing = {
        "name": "Phantom",
        "description": "Synthetic bodies, every second one with lesions",
        "modality": {"0": "synthetic"},
        "labels": {"0": "background", "1": "lesion"},
        "seed": seed,
        "numTraining": subjects,
        "training": [{"image": f"./imagesTr/{name}", "label": f"./labelsTr/{name}"} for name in names],
        "test": [],
    }
    if labels == "organs":
        names_of = {str(number): name for number, name in enumerate(("background", *LABELLED))}
        listing |= {"labels": names_of, "labels_of": labels}
    return listing if lesions == "small" else listing | {"lesions": lesions}
