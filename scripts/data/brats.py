"""BraTS 2021, the brain tumour cohort of ISImed: its scans, as the challenge or as nnU-Net lays them out.

Baid et al., The RSNA-ASNR-MICCAI BraTS 2021 Benchmark, arXiv 2107.02314.
"""

import json
import os
import re
from pathlib import Path

from ..errors import InputError
from .datasets import existing_folder, numbered, require_files

__all__ = ["find_brats"]

IMAGES = ("t1", "t1ce", "t2", "flair")
ALIASES = {"t1gd": "t1ce", "t1c": "t1ce", "t1w": "t1", "t2w": "t2", "t2flair": "flair"}
LAYOUT = "BraTS2021_<number>/ with BraTS2021_<number>_t1.nii.gz and so on, or nnU-Net's imagesTr and labelsTr"
CASE = re.compile(r"BraTS2021_\d+")
CHANNEL_FILE = re.compile(r"(.+)_\d{4}")


def find_brats(dataset_dir: str | os.PathLike | None, image: str = "t1") -> list[dict]:
    """List the cases of BraTS 2021 that have masks.

    Args:
        dataset_dir: the folder that holds the cases' folders BraTS2021_..., or nnU-Net's imagesTr, labelsTr and
            dataset.json; or the one above it.
        image: of each case: t1, t1ce, t2 or flair.

    Returns:
        One item a case, sorted by path: `image` and `label` (the mask; absolute paths), `subject` (the case) and `scan`
        (its number).

    Raises:
        InputError: there is no such folder, there are no cases in it, a case lacks its image or mask, or the
            dataset.json of nnU-Net does not say which channel the image is.
    """
    if image not in IMAGES:
        raise InputError(f"image is {image}: give t1, t1ce, t2 or flair.")
    root = existing_folder(dataset_dir, LAYOUT)
    scans = _cases(root, image) or [scan for folder in _folders(root) for scan in _cases(folder, image)]
    if not scans:
        raise InputError(f"There are no cases in {root}: give dataset_dir the folder that holds {LAYOUT}.")
    require_files(scans)
    return numbered(scans, root)


def _folders(root: Path) -> list[Path]:
    return [path for path in root.glob("*") if path.is_dir() and not path.name.startswith(".")]


def _cases(folder: Path, image: str) -> list[dict]:
    """Items of the cases that lie directly in a folder, in either layout."""
    if os.path.isdir(folder / "imagesTr"):
        return _nnunet_cases(folder, image)
    return [
        _item(case.name, case / f"{case.name}_{image}.nii.gz", case / f"{case.name}_seg.nii.gz")
        for case in _folders(folder)
        if CASE.fullmatch(case.name)
    ]


def _nnunet_cases(folder: Path, image: str) -> list[dict]:
    """Items of all cases that have a channel or a mask, so that what one lacks is seen."""
    channel = _channel(folder / "dataset.json", image)
    images, labels = folder / "imagesTr", folder / "labelsTr"
    channels = filter(None, map(CHANNEL_FILE.fullmatch, _names(images)))
    cases = {match[1] for match in channels} | set(_names(labels))
    return [_item(case, images / f"{case}_{channel}.nii.gz", labels / f"{case}.nii.gz") for case in cases]


def _names(folder: Path) -> list[str]:
    return [path.name.removesuffix(".nii.gz") for path in folder.glob("*.nii.gz") if not path.name.startswith(".")]


def _item(case: str, image: Path, label: Path) -> dict:
    return {"image": str(image), "subject": case, "label": str(label)}


def _channel(path: Path, image: str) -> str:
    """Four digits of the channel that a dataset.json calls by the image's name."""
    names = _channel_names(path)
    for number, name in names.items():
        plain = re.sub(r"[^a-z0-9]", "", str(name).lower())
        if ALIASES.get(plain, plain) == image:
            return number.zfill(4)
    known = ", ".join(map(str, names.values())) or "none"
    raise InputError(f"{path} names no channel {image} (but {known}): correct its channel_names, or image.")


def _channel_names(path: Path) -> dict[str, str]:
    """`channel_names` of nnU-Net 2, or `modality` of nnU-Net 1."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} cannot be read ({error}): nnU-Net's dataset.json has to name the channels."
        ) from error
    names = content.get("channel_names") or content.get("modality") if isinstance(content, dict) else None
    return names if isinstance(names, dict) else {}
