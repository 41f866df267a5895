"""From the files of a cohort to the visits of its subjects."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath

from ..errors import InputError, some
from .brats import channel_names
from .found import Found, scans_of_folder, scans_of_list
from .names.modalities import OCCASIONS, contrast_of, modality_name, modality_of, rest_of, visit_of
from .names.subjects import without_channels
from .scan_list import listed_in_folder, read_list, read_table_of_images
from .stem import scan_stem
from .synthetic import is_synthetic
from .visits import Image, Visit, visits_of

__all__ = ["find_visits"]


def find_visits(
    path: Path, converted_dir: str | os.PathLike, asked: Iterable[str]
) -> tuple[Found, list[Visit], list[str]]:
    """Find the visits in a cohort, with the images of all modalities.

    Args:
        path: of the folder or list.
        converted_dir: as for `find_scans`.
        asked: names of modalities, by `modality_name`, that are known beside the usual ones.

    Returns:
        What was found, its visits, and a sentence for all that takes no part.

    Raises:
        InputError: as by `find_scans`, or two columns of a list are of one modality.
    """
    if path.is_file() and (table := read_table_of_images(path)):
        return _of_table(path, table, converted_dir)
    listed = read_list(path, ["image"]) if path.is_file() else listed_in_folder(path, ["image"])
    if path.is_file() and not listed:
        raise InputError(f"There are no scans in {path}: give dataset_dir a list that has some.")
    found = scans_of_list(path, listed, ["image"], converted_dir) if listed else scans_of_folder(path, converted_dir)
    roots = [path if path.is_dir() else path.parent, Path(converted_dir)]
    images, unnamed = _images(found, roots, set(asked))
    visits, others = visits_of(images)
    warnings = []
    if others:
        warnings.append(
            f"{len(others)} images are of a modality that their subject's visit has already, and left out "
            f"({some(image.path for image in others)}): the first by name is taken, unless you give dataset_dir a list "
            "with a column a modality."
        )
    if unnamed:
        warnings.append(
            f"{len(unnamed)} images have no modality in their names ({some(unnamed)}), and are left out: name them "
            "CASE_t1.nii.gz and so on, or give dataset_dir a list with a column a modality."
        )
    return found, visits, warnings + _doubts(found, roots, set(asked))


def _doubts(found: Found, roots: Sequence[Path], asked: set[str]) -> list[str]:
    """A warning where `pre` and `post` may be visits behind T1 too, as they are behind others."""
    names = [_below(Path(scan["image"]), roots) for scan in found.scans]
    contrasts = [name for name in names if contrast_of(name, asked)]
    if not contrasts or not any(OCCASIONS & visit_of(name, asked) for name in names):
        return []
    return [
        f"{len(contrasts)} names ({some(map(str, contrasts))}) were taken for T1 without or with contrast, though pre "
        "and post are visits in others: if these are visits too, put the word before T1, or give dataset_dir a list "
        "with a column a modality."
    ]


def _of_table(path: Path, table: list[dict], converted_dir: str | os.PathLike) -> tuple[Found, list[Visit], list[str]]:
    """Visits of a list with a column a modality."""
    columns = list(dict.fromkeys(name for row in table for name in row["images"]))
    names = {modality_name(column): column for column in columns}
    if alike := [column for column in columns if names[modality_name(column)] != column]:
        both = f"{alike[0]} and {names[modality_name(alike[0])]}"
        raise InputError(f"The columns {both} of {path} are of one modality: leave one out, or give rows of their own.")
    found = scans_of_list(path, [row.pop("images") | row for row in table], ["image", *columns], converted_dir)
    return found, [_row(row, names) for row in found.scans], []


def _row(row: dict, names: dict[str, str]) -> Visit:
    """The visit of a row; `names` has the column of each modality."""
    return {
        name: Image(row[key], row["subject"], name, synthetic=is_synthetic(row[key]), label=row.get("label"))
        for name, key in names.items()
        if key in row
    }


def _images(found: Found, roots: Sequence[Path], asked: set[str]) -> tuple[list[Image], list[str]]:
    """Images by what their names say, and paths of those that say no modality."""
    names = [_below(Path(scan["image"]), roots) for scan in found.scans]
    channels = _channels([scan["image"] for scan in found.scans])
    images, unnamed = [], []
    for scan, name in zip(found.scans, names, strict=True):
        path = scan["image"]
        modality, rest = channels.get(path) or (modality_of(name, asked), rest_of(name, asked))
        if modality is None:
            unnamed.append(str(name))
            continue
        images.append(
            Image(path, scan["subject"], modality, visit_of(name, asked), rest, is_synthetic(path), scan.get("label"))
        )
    return images, unnamed


def _below(path: Path, roots: Sequence[Path]) -> PurePath:
    return next((path.relative_to(root) for root in roots if path.is_relative_to(root)), path)


def _channels(paths: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Modality and case of images that are channels of nnU-Net: by dataset.json, else the channel's number."""
    stems = [scan_stem(path) for path in paths]
    short = without_channels(stems)
    if short == stems:
        return {}
    folders = {Path(path).parent.parent for path in paths}
    names = {folder: _channel_modalities(folder / "dataset.json") for folder in folders}
    return {
        path: (names[Path(path).parent.parent].get(int(stem[-4:]), str(int(stem[-4:]))), case)
        for path, stem, case in zip(paths, stems, short, strict=True)
        if stem != case
    }


def _channel_modalities(path: Path) -> dict[int, str]:
    """The modality of each channel; none where a dataset.json is missing or gives two channels one name."""
    channels = channel_names(path) if path.is_file() else {}
    names = {int(number): modality_of(str(name)) or modality_name(str(name)) for number, name in channels.items()}
    return names if len(set(names.values())) == len(names) else {}
