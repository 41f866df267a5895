"""A cohort registered rigidly to its mean image, so that its scans share one coordinate system."""

import argparse
import json
import logging
import re
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
from monai.utils import optional_import

from ..atomic import write_csv_atomically, write_json_atomically
from ..data.audit import check_scans
from ..data.cohort import find_scans
from ..data.nifti import load_scan, write_compressed
from ..data.stem import scan_stem
from ..errors import InputError, report_input_errors, require_package, require_positive
from .rigid import as_template
from .steps import Steps

__all__ = ["register_cohort"]

logger = logging.getLogger(__name__)

SETTINGS = "registration.json"


def register_cohort(dataset_dir: str | Path, output_dir: str | Path, spacing: float = 4, rounds: int = 2) -> Path:
    """Register scans to their mean image, and write them with new affines; their voxels stay as they are.

    A call that was stopped is resumed by the same call.

    Args:
        dataset_dir: folder or list of scans, as for `find_scans`.
        output_dir: `images`, `labels` (the masks), scans.csv, template.nii.gz and `transforms` go there.
        spacing: of the copies that are registered, and of the template, in mm.
        rounds: how often all scans are registered; first to one of them, then to the mean of the round before.

    Returns:
        Path of scans.csv, which `find_scans` reads.

    Raises:
        InputError: SimpleITK is not installed, scans cannot be used, or the folder holds something else.
    """
    require_package("SimpleITK", "Registration")
    require_positive("spacing", spacing)
    require_positive("rounds", rounds)
    output, dataset = (Path(path).expanduser().resolve() for path in (output_dir, dataset_dir))
    _check_free(output, dataset)
    made, converted = (output.with_name(f"{output.name}_{what}") for what in ("synthetic_cohort", "converted"))
    scans = find_scans(dataset_dir, synthetic_dir=made, converted_dir=converted)
    work = Steps(output, _named(_with_one_mask(scans)), spacing)
    _open(work, dataset, {"spacing": spacing, "rounds": rounds})
    start = _median_scan(work.scans)
    template, advance = as_template(work.copy(start), spacing), _bar(len(work.scans) * (rounds + 1))
    for number in range(1, rounds + 1):
        records = {name: advance(work.registered(name, number, template)) for name in work.scans}
        template = work.mean(records, template)
    write_compressed(work.output / "template.nii.gz", nibabel.Nifti1Image(template.voxels, template.affine).to_bytes())
    rows = [advance(work.written(name, records[name]["matrix"])) for name in work.scans]
    write_csv_atomically(work.output / "scans.csv", [("image", "subject", "label"), *rows])
    _report(work, records, start)
    return work.output / "scans.csv"


def _check_free(output: Path, dataset: Path) -> None:
    """Raise an `InputError` where a folder holds no registration but something else, or lies among the scans."""
    if output.is_relative_to(dataset):
        _refuse_to_mix(output)
    found = output.is_file() or (output.is_dir() and any(not file.name.startswith(".") for file in output.iterdir()))
    if found and not (output / SETTINGS).is_file():
        raise InputError(f"{output} holds something else: give a new output folder.")


def _refuse_to_mix(output: Path) -> None:
    raise InputError(f"{output} and the scans lie in one another: give an output folder apart from them.")


def _with_one_mask(scans: list[dict]) -> list[dict]:
    for scan in scans:
        if isinstance(scan.get("label"), list):
            raise InputError(
                f"{scan['image']} has {len(scan['label'])} masks: give dataset_dir a CSV list whose label is the one "
                "to be moved."
            )
    return scans


def _named(scans: list[dict]) -> dict[str, dict]:
    """Scans by their files' names; with subject, and number, where these alone are not unique."""
    stems = [scan_stem(scan["image"]) for scan in scans]
    subjects = [re.sub(r"[^\w.-]", "_", scan["subject"]) for scan in scans]
    prefixed = [f"{subject}_{stem}" for subject, stem in zip(subjects, stems, strict=True)]
    numbered = [f"{name}_{scan['scan']}" for name, scan in zip(prefixed, scans, strict=True)]
    kinds = (stems, prefixed, numbered)
    return dict(zip(next(names for names in kinds if len(set(names)) == len(scans)), scans, strict=True))


def _open(work: Steps, dataset: Path, settings: dict) -> None:
    """Check scans, and that what is in the folder is a registration of them with these settings, which it records."""
    output, path = work.output, work.output / SETTINGS
    inputs = [Path(scan[key]).resolve() for scan in work.scans.values() for key in ("image", "label") if key in scan]
    if any(file.is_relative_to(output) for file in inputs):
        _refuse_to_mix(output)
    if len(work.scans) < 2:
        raise InputError(f"There is one scan only in {dataset}: give two or more to register.")
    settings = settings | {"scans": {name: scan["image"] for name, scan in work.scans.items()}}
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else settings
    for key, value in settings.items():
        if value != known[key]:
            values = f"{key} is {value}, but {known[key]} in" if key != "scans" else "These are not the scans of"
            raise InputError(f"{values} the registration in {output}: give what it was given, or another folder.")
    check_scans(list(work.scans.values()))
    write_json_atomically(path, settings)


def _median_scan(scans: dict[str, dict]) -> str:
    """The first by name of the scans whose field of view is of median size (litres, so that digits do not matter)."""
    images = {name: load_scan(scan["image"]) for name, scan in sorted(scans.items())}
    sizes = {
        name: round(float(np.prod(image.shape) * abs(np.linalg.det(image.affine[:3, :3]))) / 1e6, 3)
        for name, image in images.items()
    }
    median = sorted(sizes.values())[(len(sizes) - 1) // 2]
    return next(name for name, size in sizes.items() if size == median)


def _bar(total: int) -> Callable:
    """A function that passes on what it is given, and moves a progress bar on."""
    tqdm, installed = optional_import("tqdm.auto", name="tqdm")
    # disable=None: no bar where the output is a file
    bar = tqdm(total=total, unit="scan", disable=None, leave=False) if installed else None

    def advance(result):
        if bar is not None:
            bar.update()
            if bar.n >= total:
                bar.close()
        return result

    return advance


def _report(work: Steps, records: dict[str, dict], start: str) -> None:
    def column(key: str) -> np.ndarray:
        return np.array([record[key] for record in records.values()])

    rotation, shift, after = (column(key) for key in ("rotation_degrees", "shift_mm", "correlation"))
    logger.info(
        f"{len(records)} scans were brought to where {start} lies: turned by {rotation.mean():.1f} degrees on average "
        f"(at most {rotation.max():.1f}) and shifted by {shift.mean():.1f} mm (at most {shift.max():.1f}); "
        f"correlation with their mean {column('correlation_unmoved').mean():.3f} before, {after.mean():.3f} after "
        f"(lowest {after.min():.3f}, {list(records)[after.argmin()]})."
    )
    failed = [work.scans[name]["image"] for name, record in records.items() if record["failed"]]
    if failed:
        logger.warning(f"{len(failed)} scans could not be registered, only shifted or left: {', '.join(failed)}.")


if __name__ == "__main__":
    report_input_errors()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(prog="python -m scripts.registration.register_cohort", description=__doc__)
    parser.add_argument("dataset_dir", help="folder or list of scans")
    parser.add_argument("output_dir", help="folder to write to")
    parser.add_argument("--spacing", type=float, default=4, help="of the copies that are registered, in mm")
    parser.add_argument("--rounds", type=int, default=2, help="how often the scans are registered to their mean")
    print(f"Registered: {register_cohort(**vars(parser.parse_args()))}")
