"""Scans in other formats, made NIfTI once."""

import glob
import gzip
import json
import logging
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path, PurePath

import nibabel
import numpy as np

from ..atomic import write_atomically, write_json_atomically
from ..distributed import rank, wait
from ..errors import shorten
from .dicom import dicom_reader, read_series, series_in_folder
from .files import CONVERTED, Kind, kind_of
from .itk import read_itk
from .stem import scan_stem
from .wording import some

__all__ = ["Conversions", "convert"]

logger = logging.getLogger(__name__)

UNREAD = {Kind.ITK: "files of ITK", Kind.DICOM: "folders of DICOM"}
CURES = {
    Kind.ITK: "convert them by `c3d FILE -o FILE.nii.gz` (Convert3D)",
    Kind.DICOM: "convert them by `dcm2niix -z y -f %i_%t_%s -o FOLDER_OF_NIFTI FOLDER_OF_DICOM`",
}


@dataclass
class Conversions:
    """What became of files in other formats.

    Args:
        files: of each source its names, as if they were files below the root, and where the NIfTI files are.
        faults: a sentence for each source, or series of one, that could not be read.
        doubts: a sentence for each choice between two readings.
        readers: what was converted by which program.
    """

    files: dict[Path, list[tuple[PurePath, Path]]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    readers: Counter = field(default_factory=Counter)


def convert(sources: Sequence[Path], root: Path, folder: str | os.PathLike) -> Conversions:
    """Convert files, pairs and folders of DICOM to NIfTI, each once; one process does while others wait.

    Args:
        sources: their paths; of a DICOM series that of its folder.
        root: names below `folder` are theirs below the root.
        folder: for the NIfTI files, and for a record of what they are made of.
    """
    result, folder = Conversions(), Path(folder).expanduser().absolute()
    kinds = {source: Kind.DICOM if source.is_dir() else kind_of(source) for source in sources}
    lacking = [kind for kind in CURES if kind in kinds.values() and not find_spec("SimpleITK")]
    readable = [source for source in sources if kinds[source] not in lacking]
    if rank() == 0 and readable:
        _convert_all(readable, root, folder)
    wait()
    record = _read_record(folder)
    for source in readable:
        entry = record[str(source)]
        result.files[source] = [(PurePath(name), folder / file) for name, file in entry["files"]]
        result.faults += entry["faults"]
        result.readers[_reader(kinds[source])] += len(entry["files"])
    if unknown := [source for source in readable if record[str(source)]["sides_unknown"]]:
        result.doubts.append(
            f"{some(unknown)} are Analyze, which does not say which side is left: they were read as nibabel does; if "
            "that is wrong, convert them yourself."
        )
    result.faults += [_lacking(kind, [source for source in sources if kinds[source] is kind]) for kind in lacking]
    return result


def _lacking(kind: Kind, sources: list[Path]) -> str:
    return (
        f"{len(sources)} {UNREAD[kind]} ({some(sources)}) cannot be read without SimpleITK: pip install SimpleITK, "
        f"or {CURES[kind]}."
    )


def _reader(kind: Kind) -> str:
    if kind is Kind.DICOM:
        return f"DICOM series by {dicom_reader()}"
    return f"{kind.value}s by nibabel" if kind is Kind.PAIR else f"{kind.value} by SimpleITK"


def _convert_all(sources: Sequence[Path], root: Path, folder: Path) -> None:
    record = _read_record(folder)
    stamps = {source: _stamp(source) for source in sources}
    new = [source for source in sources if not _is_known(record.get(str(source)), stamps[source], folder)]
    if not new:
        return
    logger.info(f"Converting {len(new)} scans of other formats to NIfTI, in {folder}.")
    try:
        for source in new:
            taken = {file for name, entry in record.items() if name != str(source) for _, file in entry["files"]}
            record[str(source)] = {"stamp": stamps[source], **_converted(source, root, folder, taken)}
    finally:
        write_json_atomically(folder / CONVERTED, record)


def _converted(source: Path, root: Path, folder: Path, taken: set[str]) -> dict:
    """Entry of the record: files that were written, faults, and whether left and right are known."""
    files, faults = [], []
    for part, image in _images(source):
        name = _name(source, root) / part
        if isinstance(image, str):
            faults.append(f"{source}{f' ({part})' if part else ''} {image}.")
            continue
        target = _free(name if source.is_dir() else name.with_name(scan_stem(name)), taken)
        _write(image, folder / target)
        taken.add(target)
        files.append((str(name), target))
    return {"files": files, "faults": faults, "sides_unknown": bool(files) and _says_no_side(source)}


def _images(source: Path) -> list[tuple[str, nibabel.Nifti1Image | str]]:
    """Images of a source, or what is wrong with them, by the names of its series."""
    read = {Kind.PAIR: _read_pair, Kind.ITK: read_itk}
    try:
        if not source.is_dir():
            return [("", read[kind_of(source)](source))]
        return [(name, _guarded(read_series, names)) for name, names in series_in_folder(source).items()] or [
            ("", "has no DICOM series that can be read")
        ]
    except Exception as error:  # whatever a reader raises means that the file cannot be read
        return [("", f"cannot be read ({shorten(error)})")]


def _guarded(read, names: list[str]) -> nibabel.Nifti1Image | str:
    try:
        return read(names)
    except Exception as error:  # as above, of one series
        return f"cannot be read ({shorten(error)})"


def _read_pair(path: Path) -> nibabel.Nifti1Image | str:
    image = nibabel.load(path)
    assert isinstance(image, nibabel.spatialimages.SpatialImage)
    header = image.header if isinstance(image, nibabel.Nifti1Pair) else None
    return nibabel.Nifti1Image(np.asanyarray(image.dataobj), image.affine, header)


def _says_no_side(path: Path) -> bool:
    """Whether a pair is Analyze, which does not say which side is left."""
    try:
        return kind_of(path) is Kind.PAIR and not isinstance(nibabel.load(path), nibabel.Nifti1Pair)
    except Exception:  # what cannot be read is said elsewhere
        return False


def _write(image: nibabel.Nifti1Image, path: Path) -> None:
    write_atomically(path, lambda file: file.write_bytes(gzip.compress(image.to_bytes(), 6)))


def _name(source: Path, root: Path) -> PurePath:
    """Name of a source below the root; of one elsewhere its whole path."""
    if source == root:
        return PurePath(root.name)
    return PurePath(source.relative_to(root)) if source.is_relative_to(root) else PurePath(*source.parts[1:])


def _free(name: PurePath, taken: set[str]) -> str:
    names = (f"{name}{suffix}.nii.gz" for suffix in ("", *(f"_{i}" for i in range(2, len(taken) + 3))))
    return next(file for file in names if file not in taken)


def _stamp(source: Path) -> list[int]:
    """Number, size and time of the files of a source."""
    files = source.iterdir() if source.is_dir() else source.parent.glob(f"{glob.escape(scan_stem(source))}.*")
    stats = [file.stat() for file in files if file.is_file()]
    return [len(stats), sum(stat.st_size for stat in stats), max((stat.st_mtime_ns for stat in stats), default=0)]


def _is_known(entry: dict | None, stamp: list[int], folder: Path) -> bool:
    if not entry or entry["stamp"] != stamp:
        return False
    return all((folder / file).is_file() for _, file in entry["files"])


def _read_record(folder: Path) -> dict[str, dict]:
    path = folder / CONVERTED
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError:
        return {}
