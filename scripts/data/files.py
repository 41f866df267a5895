"""What is in a folder: scans by their formats, links to nothing, results of the bundles, and the rest."""

import json
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from .stem import DICOM, HEADER, ITK, ITK_HEADER, NIFTI, PAIR, VOXELS, in_any_case, scan_stem

__all__ = ["Files", "Kind", "kind_of", "sort_files"]


class Kind(Enum):
    """What a file is; the value is what the log calls it."""

    NIFTI = "NIfTI"
    PAIR = ".hdr/.img pair"
    ITK = ".mha, .mhd or .nrrd"
    DICOM = "DICOM file"
    MISSING = "link to nothing"
    RESULT = "result of a bundle"
    OTHER = "other"


SUFFIXES = {Kind.NIFTI: NIFTI, Kind.PAIR: PAIR, Kind.ITK: ITK, Kind.DICOM: DICOM}
# results of a scan, and the file that lies beside them
RESULTS = {
    "components": "{name}_embeddings.npz",
    "lesions": "scores.csv",
    "lesion_mask": "masks.csv",
    "segmentation": "segmentations.csv",
    "landmarks": "landmarks.csv",
}
RESULT = re.compile(rf"(?P<name>.+)_(?P<kind>{'|'.join(RESULTS)})")
SETTINGS = ("config.json", "inference_config.json", "evaluate_config.json", "cross_validate_config.json")
CONVERTED = "converted.json"
POINTERS = (b"/annex/objects/", b"version https://git-lfs")  # what git-annex and Git LFS leave in place of a file


@dataclass
class Files:
    """Files of a folder, absolute paths by kind; of other files their number by suffix. DICOM: folders of series.

    Folders that may not be listed are in `closed`.
    """

    root: Path
    paths: dict[Kind, list[Path]] = field(default_factory=lambda: defaultdict(list))
    others: Counter = field(default_factory=Counter)
    closed: list[str] = field(default_factory=list)

    def names(self, kind: Kind) -> list[str]:
        """Paths of a kind, relative to the root."""
        return [str(path.relative_to(self.root)) for path in self.paths[kind]]

    def suffixes(self) -> str:
        """Other files by their suffixes, the most frequent first."""
        return ", ".join(f"{number} {suffix}" for suffix, number in self.others.most_common(3))


def sort_files(root: Path) -> Files:
    """Walk through a folder once, through links too, and sort its files into kinds; hidden ones are not there.

    Folders of runs below the folder, and what was converted for a run, are results. The root itself is never one.
    """
    files, own, seen = Files(root), set[Path](), set[str]()

    def note(error: OSError) -> None:
        files.closed.append(error.filename)

    for name, folders, names in os.walk(root, followlinks=True, onerror=note):
        folder, real = Path(name), os.path.realpath(name)
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        names = [name for name in names if not name.startswith(".")]
        if folder != root and (folder.parent in own or _is_of_a_run(folder, names)):
            own.add(folder)
        _sort(files, folder, names, folder in own)
    return files


def kind_of(path: Path) -> Kind:
    """What a file is, by its suffix; by its first bytes where it has none, or numbers for one."""
    name = path.name.lower()
    kind = next((kind for kind, suffixes in SUFFIXES.items() if name.endswith(suffixes)), Kind.OTHER)
    if kind is Kind.OTHER and path.is_file() and re.fullmatch(r"[^.]*|.*\.\d+", name) and _is_dicom(path):
        return Kind.DICOM
    if kind is Kind.PAIR and not _has_other_half(path):
        return Kind.OTHER
    return Kind.MISSING if kind is not Kind.OTHER and _is_missing(path) else kind


def _sort(files: Files, folder: Path, names: list[str], of_a_run: bool) -> None:
    """Add the files of one folder."""
    there = set(names)
    halves = {name for name in names if _is_second_half(name, there)}
    for name in sorted(there - halves):
        path = folder / name
        kind = kind_of(path)
        if kind is Kind.NIFTI and (of_a_run or _is_result(name, there)):
            kind = Kind.RESULT
        if kind is Kind.OTHER:
            files.others.update([path.suffix.lower() or "without suffix"])
        elif kind is Kind.DICOM:
            files.paths[kind] += [] if folder in files.paths[kind][-1:] else [folder]
        else:
            files.paths[kind].append(path)


def _is_of_a_run(folder: Path, names: Iterable[str]) -> bool:
    """Whether a folder holds the results of a run, or scans that were converted for one."""
    return CONVERTED in names or any(_is_settings(folder / name) for name in SETTINGS if name in names)


def _is_settings(path: Path) -> bool:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and {"bundle_root", "output_dir", "dataset_dir"} <= content.keys()


def _is_result(name: str, there: set[str]) -> bool:
    """Whether a bundle wrote a file, by its name and those beside it."""
    match = RESULT.fullmatch(scan_stem(name))
    return match is not None and RESULTS[match["kind"]].format(name=match["name"]) in there


def _is_second_half(name: str, there: set[str]) -> bool:
    """Whether a file is the header of an .img, or has the voxels of a header."""
    if name.lower().endswith(HEADER):
        stem, firsts = scan_stem(name), VOXELS
    elif match := re.fullmatch(r"(?P<stem>.+)\.z?raw(\.gz)?", name, re.IGNORECASE):
        stem, firsts = match["stem"], ITK_HEADER
    else:
        return False
    return not there.isdisjoint(stem + suffix for suffix in in_any_case(firsts))


def _has_other_half(path: Path) -> bool:
    """Whether both files of a pair are there."""
    stem, halves = scan_stem(path), map(in_any_case, (VOXELS, HEADER))
    return all(any(path.with_name(stem + suffix).exists() for suffix in half) for half in halves)


def _is_missing(path: Path) -> bool:
    """Whether a name is a link to nothing, or a pointer of git-annex or Git LFS in place of a file."""
    if not path.is_file():
        return not path.is_dir()
    return 0 < path.stat().st_size < 1024 and path.read_bytes().startswith(POINTERS)


def _is_dicom(path: Path) -> bool:
    if path.name.upper() == "DICOMDIR":
        return False
    try:
        with open(path, "rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False
