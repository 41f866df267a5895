"""The record of a split, and which part of it a scan belongs to: known by its content, else by its subject's name."""

import json
import logging
import os
from pathlib import Path

from ..errors import InputError, require_one_of, some
from .checks.fingerprint import fingerprints_of

__all__ = ["KNOWN_BY", "PARTS", "SEEN", "as_record", "known_parts", "read_split", "seen_scans", "subjects_of"]

logger = logging.getLogger(__name__)

PARTS = ("train", "validate", "test")
SEEN = ("train", "validate")  # by weights: the latter chose among them
KNOWN_BY = ("content", "names")
STRICTEST = {name: number for number, name in enumerate(PARTS)}  # what is trained on counts first


def subjects_of(split: dict[str, list[dict]]) -> dict[str, list[str]]:
    """The subjects of each part."""
    return {name: sorted({scan["subject"] for scan in split[name]}) for name in PARTS}


def as_record(split: dict[str, list[dict]]) -> dict:
    """What split.json holds: the subjects of each part, and under `fingerprints` the scans of each, where known."""
    marks: dict[str, set[str]] = {}
    for scan in (scan for part in PARTS for scan in split[part]):
        if found := fingerprints_of(scan):
            marks.setdefault(scan["subject"], set()).update(found)
    known = {subject: sorted(own) for subject, own in sorted(marks.items())}
    return subjects_of(split) | ({"fingerprints": known} if known else {})


def read_split(path: str | os.PathLike) -> dict:
    """The content of a split.json.

    Raises:
        InputError: it is none.
    """
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
        _require_parts(record)
        return record
    except (OSError, ValueError, LookupError, TypeError, AssertionError) as error:
        raise InputError(
            f"{path} is no split.json of a run: give that of one, or null in place of its path."
        ) from error


def _require_parts(record: dict) -> None:
    assert all(isinstance(record[name], list) for name in PARTS)
    if "pretrained" in record:
        _require_parts(record["pretrained"])


def known_parts(scans: list[dict], path: str | os.PathLike, known_by: str = "content") -> list[str | None]:
    """The part of a recorded split that each scan belongs to; None for those that the run never had.

    A scan that is on record belongs to its part, whatever it is called now, and so do others of its subject. Where no
    scan is on record though names agree, these are other people with the same names. A record without fingerprints,
    as that of an older run, goes by names.

    Args:
        scans: with `fingerprint`, where known.
        path: of the split.json.
        known_by: `names`: scans are not compared; for the same people in another contrast or preparation.

    Raises:
        InputError: the file is no split.json, or there is no such way to know a scan.
    """
    _require_way(known_by)
    return _parts(scans, read_split(path), path, known_by)


def seen_scans(scans: list[dict], path: str | os.PathLike, known_by: str = "content") -> list[bool]:
    """Whether the weights of a run have seen each scan: in its training or validation, or in that of their encoder.

    Args:
        scans, path, known_by: as for `known_parts`; whom the encoder saw is under `pretrained` of the split.json.

    Raises:
        InputError: as by `known_parts`.
    """
    _require_way(known_by)
    seen = [False] * len(scans)
    record = read_split(path)
    while record:
        parts = _parts(scans, record, path, known_by)
        seen = [before or part in SEEN for before, part in zip(seen, parts, strict=True)]
        record = record.get("pretrained", {})
    return seen


def _require_way(known_by: str) -> None:
    require_one_of("known_by", known_by, KNOWN_BY)


def _parts(scans: list[dict], record: dict, path: str | os.PathLike, known_by: str) -> list[str | None]:
    by_name = {subject: name for name in reversed(PARTS) for subject in record[name]}
    if known_by == "names" or not record.get("fingerprints") or not any(scan.get("fingerprint") for scan in scans):
        return [by_name.get(scan["subject"]) for scan in scans]
    by_mark = {mark: by_name.get(subject) for subject, marks in record["fingerprints"].items() for mark in marks}
    own = [by_mark.get(scan.get("fingerprint")) for scan in scans]
    if not any(own):
        _warn_of_names(scans, by_name, path)
        return own
    shared: dict[str, str | None] = {}  # part of a subject, by the scans that are on record
    for scan, part in zip(scans, own, strict=True):
        shared[scan["subject"]] = _strictest([part, shared.get(scan["subject"])])
    return [
        part or shared[scan["subject"]] or by_name.get(scan["subject"]) for scan, part in zip(scans, own, strict=True)
    ]


def _strictest(parts: list[str | None]) -> str | None:
    return min((part for part in parts if part), key=STRICTEST.__getitem__, default=None)


def _warn_of_names(scans: list[dict], by_name: dict[str, str], path: str | os.PathLike) -> None:
    names = sorted({scan["subject"] for scan in scans}.intersection(by_name))
    if names:
        logger.warning(
            f"{path} has subjects of the same names ({some(names)}), but none of these scans: they are "
            "taken for other people, whom the encoder has not seen. If they are the same people in another contrast or "
            "preparation, give --known_by names."
        )
