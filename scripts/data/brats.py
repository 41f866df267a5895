"""BraTS 2021, the brain tumour cohort of ISImed: its scans, as the challenge or as nnU-Net lays them out.

Baid et al., The RSNA-ASNR-MICCAI BraTS 2021 Benchmark, arXiv 2107.02314.
"""

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import InputError
from .datasets import existing_folder, numbered, require_files
from .names.modalities import modality_name
from .structures import Structures

__all__ = ["channel_names", "find_brats", "tumour_classes"]

IMAGES = ("t1", "t1ce", "t2", "flair")
LAYOUT = "BraTS2021_<number>/ with BraTS2021_<number>_t1.nii.gz and so on, or nnU-Net's imagesTr and labelsTr"
CLASSES = ("necrotic core", "oedema", "enhancing tumour")
CASE = re.compile(r"BraTS2021_\d+")
CHANNEL_FILE = re.compile(r"(.+)_\d{4}")


def find_brats(
    dataset_dir: str | os.PathLike | None, image: str = "t1", images: Sequence[str] = ("image",)
) -> list[dict]:
    """List the cases of BraTS 2021 that have masks.

    Args:
        dataset_dir: the folder that holds the cases' folders BraTS2021_..., or nnU-Net's imagesTr, labelsTr and
            dataset.json; or the one above it.
        image: of each case: t1, t1ce, t2 or flair.
        images: keys of a case's images: `image`, and names of others of these four.

    Returns:
        One item a case, sorted by path: its images and `label` (the mask; absolute paths), `subject` (the case) and
        `scan` (its number).

    Raises:
        InputError: there is no such folder, there are no cases in it, a case lacks its image or mask, or the
            dataset.json of nnU-Net does not say which channel the image is.
    """
    wanted = _wanted(image, images)
    root = existing_folder(dataset_dir, LAYOUT)
    scans = _cases(root, wanted) or [scan for folder in _folders(root) for scan in _cases(folder, wanted)]
    if not scans:
        raise InputError(f"There are no cases in {root}: give dataset_dir the folder that holds {LAYOUT}.")
    require_files(scans)
    return numbered(scans, root)


def tumour_classes(dataset_dir: str | os.PathLike | None) -> Structures:
    """The three parts of a tumour and their values in masks: necrotic core 1, oedema 2 and enhancing tumour 4.

    nnU-Net numbers them otherwise, and names regions: the whole tumour, in it the core, and in that what enhances.

    Args:
        dataset_dir: as for `find_brats`.

    Raises:
        InputError: there is no such folder, or the dataset.json of nnU-Net has no such regions.
    """
    root = existing_folder(dataset_dir, LAYOUT)
    of_nnunet = [folder for folder in (root, *_folders(root)) if os.path.isdir(folder / "imagesTr")]
    return _parts_of_regions(of_nnunet[0] / "dataset.json") if of_nnunet else Structures(CLASSES, ((1,), (2,), (4,)))


def _parts_of_regions(path: Path) -> Structures:
    labels = _content(path).get("labels")
    values = labels.values() if isinstance(labels, dict) else ()
    nested = sorted((set(one) for one in values if isinstance(one, list)), key=len, reverse=True)
    if len(nested) != 3 or not nested[0] > nested[1] > nested[2]:
        raise InputError(
            f"{path} names no three regions, the whole tumour, its core and what enhances, each within the one before: "
            f"give --structures a table of {', '.join(CLASSES)}."
        )
    whole, core, enhancing = nested
    return Structures(CLASSES, tuple(tuple(sorted(part)) for part in (core - enhancing, whole - core, enhancing)))


def _wanted(image: str, images: Sequence[str]) -> dict[str, str]:
    """Which of a case's images is under which key."""
    if image not in IMAGES:
        raise InputError(f"image is {image}: give t1, t1ce, t2 or flair.")
    first, *others = images
    if first != "image" or len({image, *others}) < len(images) or not set(others) <= set(IMAGES):
        raise InputError(f"images is {list(images)}: give image, which is {image}, and others of {', '.join(IMAGES)}.")
    return {first: image} | {name: name for name in others}


def _folders(root: Path) -> list[Path]:
    return [path for path in root.glob("*") if path.is_dir() and not path.name.startswith(".")]


def _cases(folder: Path, wanted: Mapping[str, str]) -> list[dict]:
    """Items of the cases that lie directly in a folder, in either layout."""
    if os.path.isdir(folder / "imagesTr"):
        return _nnunet_cases(folder, wanted)
    files = {**wanted, "label": "seg"}
    return [
        {key: str(case / f"{case.name}_{file}.nii.gz") for key, file in files.items()} | {"subject": case.name}
        for case in _folders(folder)
        if CASE.fullmatch(case.name)
    ]


def _nnunet_cases(folder: Path, wanted: Mapping[str, str]) -> list[dict]:
    """Items of all cases that have a channel or a mask, so that what one lacks is seen."""
    names = channel_names(folder / "dataset.json")
    channel = {key: _channel(folder / "dataset.json", names, image) for key, image in wanted.items()}
    images, labels = folder / "imagesTr", folder / "labelsTr"
    channels = filter(None, map(CHANNEL_FILE.fullmatch, _names(images)))
    cases = {match[1] for match in channels} | set(_names(labels))
    return [
        {key: str(images / f"{case}_{number}.nii.gz") for key, number in channel.items()}
        | {"subject": case, "label": str(labels / f"{case}.nii.gz")}
        for case in cases
    ]


def _names(folder: Path) -> list[str]:
    return [path.name.removesuffix(".nii.gz") for path in folder.glob("*.nii.gz") if not path.name.startswith(".")]


def _channel(path: Path, names: Mapping[str, str], image: str) -> str:
    """Four digits of the channel that a dataset.json calls by the image's name."""
    for number, name in names.items():
        if modality_name(str(name)) == image:
            return number.zfill(4)
    known = ", ".join(map(str, names.values())) or "none"
    raise InputError(f"{path} names no channel {image} (but {known}): correct its channel_names, or image.")


def channel_names(path: Path) -> dict[str, str]:
    """`channel_names` of nnU-Net 2, or `modality` of nnU-Net 1: what a dataset.json calls each channel, by number."""
    content = _content(path)
    names = content.get("channel_names") or content.get("modality")
    return names if isinstance(names, dict) else {}


def _content(path: Path) -> dict:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} cannot be read ({error}): nnU-Net's dataset.json has to name the channels and the labels."
        ) from error
    return content if isinstance(content, dict) else {}
