"""The steps of registering a cohort, each of which is done once for the same input."""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import nibabel
import numpy as np
from nibabel.affines import apply_affine
from nibabel.openers import ImageOpener

from ..atomic import savez_atomically, write_json_atomically
from ..data.nifti import write_compressed
from ..errors import InputError
from .rigid import Volume, centring, correlation, register, resample, small_copy

__all__ = ["Steps", "move_scan"]

WORSE = 0.01  # a registration that lowers the correlation with the template by more has failed


@dataclass(frozen=True)
class Steps:
    """What is done with scans, and put on record so that it is not done again while its input is the same.

    Args:
        output: folder of the records and results.
        scans: items of `find_scans`, by their names.
        spacing: of the copies that are registered, in mm.
    """

    output: Path
    scans: dict[str, dict]
    spacing: float

    def copy(self, name: str) -> Volume:
        """Small copy of a scan."""
        path, stamp = self.output / "copies" / f"{name}.npz", _stamp(self.scans[name]["image"])
        known = dict(np.load(path)) if path.is_file() else {}
        if not known or known["stamp"].tolist() != stamp:
            known = small_copy(self.scans[name]["image"], self.spacing)._asdict()
            savez_atomically(path, stamp=np.array(stamp), **known)
        return Volume(known["voxels"], known["affine"])

    def registered(self, name: str, number: int, template: Volume) -> dict:
        """Matrix and quality of a scan in this round."""
        digest = hashlib.sha256(template.voxels.tobytes() + template.affine.tobytes()).hexdigest()
        path = self.output / "transforms" / f"round_{number}" / f"{name}.json"
        given = {"scan": _stamp(self.scans[name]["image"]), "template": digest}
        return _once(path, given, lambda: _register(self.copy(name), template))

    def mean(self, records: dict[str, dict], template: Volume) -> Volume:
        """Mean of the registered scans, at each voxel of those that reach it."""
        total, count = np.zeros(template.voxels.shape), np.zeros(template.voxels.shape)
        for name, record in records.items():
            values = resample(_moved(self.copy(name), np.array(record["matrix"])), template)
            total, count = total + np.nan_to_num(values), count + np.isfinite(values)
        return template._replace(voxels=(total / count.clip(1)).astype(np.float32))

    def written(self, name: str, matrix: list) -> tuple[str, str, str]:
        """Row of scans.csv of a scan that is written with its mask."""
        scan = self.scans[name]
        files = {key: f"{key}s/{name}.nii.gz" for key in ("image", "label") if key in scan}
        for key, file in files.items():
            given = {"scan": _stamp(scan[key]), "matrix": matrix}
            target, record = self.output / file, self.output / "transforms" / key / f"{name}.json"
            if not target.is_file():
                record.unlink(missing_ok=True)
            _once(record, given, partial(move_scan, scan[key], target, np.array(matrix)))
        return files["image"], scan["subject"], files.get("label", "")


def move_scan(source: str | Path, target: str | Path, matrix: np.ndarray) -> dict:
    """Copy a NIfTI file with another affine and not a bit of its voxels changed.

    Args:
        source: of the file, .nii or .nii.gz.
        target: .nii.gz.
        matrix: [4, 4], mm to mm, to be applied after the file's affine.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        image = nibabel.load(source)
        assert isinstance(image, nibabel.nifti1.Nifti1Pair)
        with ImageOpener(str(source)) as file:
            content = file.read()
    except (nibabel.filebasedimages.ImageFileError, AssertionError, OSError, EOFError) as error:
        raise InputError(f"{source} cannot be read ({error}): mend it, or leave it out of the list.") from error
    header = type(image.header)(content[: image.header.sizeof_hdr])  # as stored; nibabel's has no scale factors
    header.set_qform(matrix @ image.affine, "aligned")
    header.set_sform(matrix @ image.affine, "aligned")
    content = header.binaryblock + content[image.header.sizeof_hdr :]
    write_compressed(target, content)
    return {}


def _register(copy: Volume, template: Volume) -> dict:
    """Start as the scan lies or with centres on one another, and keep to that where registration makes it worse."""
    starts = [np.eye(4), centring(copy, template)]
    before = [correlation(_moved(copy, start), template) for start in starts]
    start = starts[int(np.argmax(before))]
    found, metric = register(_moved(copy, start), template)
    after = correlation(_moved(copy, found @ start), template)
    failed = metric is None or after < max(before) - WORSE
    matrix = start if failed else found @ start
    middle = apply_affine(copy.affine, (np.array(copy.voxels.shape) - 1) / 2)
    return {
        "matrix": matrix.tolist(),
        "mutual_information": metric,
        "correlation": max(before) if failed else after,
        "correlation_unmoved": before[0],
        "rotation_degrees": float(np.degrees(np.arccos(np.clip((np.trace(matrix[:3, :3]) - 1) / 2, -1, 1)))),
        "shift_mm": float(np.linalg.norm(apply_affine(matrix, middle) - middle)),
        "failed": failed,
    }


def _moved(scan: Volume, matrix: np.ndarray) -> Volume:
    return scan._replace(affine=matrix @ scan.affine)


def _stamp(path: str) -> list[int]:
    status = os.stat(path)
    return [status.st_size, status.st_mtime_ns]


def _once(path: Path, given: dict, step: Callable[[], dict]) -> dict:
    """What a step gives; from its record, where it has been done for what is given."""
    record = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if record.get("given") != given:
        record = {"given": given} | step()
        write_json_atomically(path, record)
    return record
