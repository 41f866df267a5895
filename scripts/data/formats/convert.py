"""Scans in other formats, made NIfTI once."""

import glob
import json
import logging
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from ...atomic import write_json_atomically
from ...errors import some
from ...progress import with_progress
from ..files import CONVERTED, Kind, kind_of
from ..nifti import write_compressed
from ..stem import scan_stem
from .readers import images_of, reader_of, says_no_side, sentence_on, unreadable

__all__ = ["Conversions", "convert"]

logger = logging.getLogger(__name__)


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
    """Convert files, pairs and folders of DICOM to NIfTI, each once.

    Args:
        sources: their paths; of a DICOM series that of its folder.
        root: names below `folder` are theirs below the root.
        folder: for the NIfTI files, and for a record of what they are made of.
    """
    result, folder = Conversions(), Path(folder).expanduser().absolute()
    kinds = {source: _kind(source) for source in sources}
    lacking = [kind for kind in unreadable() if kind in kinds.values()]
    readable = [source for source in sources if kinds[source] not in lacking]
    record = _convert_all(readable, root, folder)
    for source in readable:
        entry = record[str(source)]
        result.files[source] = [(PurePath(name), folder / file) for name, file in entry["files"]]
        result.faults += entry["faults"]
        result.readers[entry["reader"]] += len(entry["files"])
    if unknown := [source for source in readable if record[str(source)]["sides_unknown"]]:
        result.doubts.append(
            f"{some(unknown)} are Analyze, which does not say which side is left: they were read as nibabel does; if "
            "that is wrong, convert them yourself."
        )
    result.faults += [sentence_on(kind, [source for source in sources if kinds[source] is kind]) for kind in lacking]
    return result


def _kind(source: Path) -> Kind:
    return Kind.DICOM if source.is_dir() else kind_of(source)


def _convert_all(sources: Sequence[Path], root: Path, folder: Path) -> dict[str, dict]:
    """The record, which is there before the first file, as it tells the folder from one of scans."""
    record = _read_record(folder)
    given = {source: {"stamp": _stamp(source), "reader": reader_of(_kind(source))} for source in sources}
    new = [source for source in sources if not _is_known(record.get(str(source)), given[source], folder)]
    if not new:
        return record
    logger.info(f"Converting {len(new)} scans of other formats to NIfTI, in {folder}.")
    write_json_atomically(folder / CONVERTED, record)
    for source in with_progress(new, "Converting scan"):
        taken = {file for name, entry in record.items() if name != str(source) for _, file in entry["files"]}
        record[str(source)] = given[source] | _converted(source, root, folder, taken)
        write_json_atomically(folder / CONVERTED, record)
    return record


def _converted(source: Path, root: Path, folder: Path, taken: set[str]) -> dict:
    """Entry of the record: files that were written, faults, and whether left and right are known."""
    files, faults = [], []
    for part, image in images_of(source):
        name = _name(source, root) / part
        if isinstance(image, str):
            faults.append(f"{source}{f' ({part})' if part else ''} {image}.")
            continue
        target = _free(name if source.is_dir() else name.with_name(scan_stem(name)), taken)
        write_compressed(folder / target, image.to_bytes())
        taken.add(target)
        files.append((str(name), target))
    return {"files": files, "faults": faults, "sides_unknown": bool(files) and says_no_side(source)}


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


def _is_known(entry: dict | None, given: dict, folder: Path) -> bool:
    """Whether a source was converted as it is; what could not be read is tried again by another reader."""
    if not entry or entry["stamp"] != given["stamp"] or (entry["faults"] and entry["reader"] != given["reader"]):
        return False
    return all((folder / file).is_file() for _, file in entry["files"])


def _read_record(folder: Path) -> dict[str, dict]:
    path = folder / CONVERTED
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError:
        return {}
