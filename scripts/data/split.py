"""Who is trained on, who validates, who tests: by subject, and on record."""

import logging
import os
from pathlib import Path

import numpy as np

from ..atomic import write_json_atomically
from ..distributed import rank
from ..errors import InputError, counted, some
from .recorded import PARTS, as_record, known_parts, read_split, seen_scans, subjects_of
from .seen import require_unseen, warn_of_seen

__all__ = [
    "check_split",
    "draw_subjects",
    "kept_split",
    "part_numbers",
    "recorded_split",
    "scans_of_parts",
    "split_scans",
    "unseen_scans",
    "write_split",
]

logger = logging.getLogger(__name__)


def split_scans(
    scans: list[dict], val_size: float, test_size: float, seed: int, fewest: int = 1
) -> dict[str, list[dict]]:
    """Split scans at random so that no subject is on two sides.

    Args:
        scans: items of `find_scans`.
        val_size: subjects to validate on: a share of them (float below 1) or their number (int).
        test_size: subjects that training never sees, likewise.
        seed: the same seed and subjects give the same split.
        fewest: subjects that each part needs, such as 2 where subjects are told from each other.

    Returns:
        The items under `train`, `validate` and `test`.

    Raises:
        InputError: there are too few subjects for each part to have so many, or a size is neither share nor number.
    """
    subjects = sorted({scan["subject"] for scan in scans})
    n_val, n_test = part_numbers(len(subjects), val_size, test_size)
    n_train = len(subjects) - n_val - n_test
    if min(n_train, n_val, n_test) < fewest:
        raise InputError(
            f"{len(subjects)} subjects ({some(subjects)}) cannot be split into training, {n_val} for validation and "
            f"{n_test} for testing, as each part needs {fewest} at least: add scans of others, or change val_size "
            "or test_size. If several subjects were taken for one, give dataset_dir a CSV list with the columns image "
            "and subject."
        )
    logger.info(f"Of {len(subjects)} subjects, {n_train} train, {n_val} validate, {n_test} test.")
    return scans_of_parts(scans, draw_subjects(subjects, n_val, n_test, seed))


def part_numbers(total: int, val_size: float, test_size: float) -> tuple[int, int]:
    """How many subjects validate and test, of so many in total.

    Args:
        total: of subjects.
        val_size, test_size: a share of them (float below 1) or their number (int).

    Returns:
        Both numbers, each at least 1.

    Raises:
        InputError: a size is neither share nor number.

    Example:
        >>> part_numbers(40, val_size=0.1, test_size=5)
        (4, 5)
    """
    for name, size in (("val_size", val_size), ("test_size", test_size)):
        if size <= 0 or (size >= 1 and size != int(size)):
            raise InputError(f"{name} is {size}: give a share below 1 or a number of subjects.")
    n_val, n_test = (max(1, round(size * total)) if size < 1 else int(size) for size in (val_size, test_size))
    return n_val, n_test


def draw_subjects(subjects: list[str], n_val: int, n_test: int, seed: int) -> dict[str, set[str]]:
    """Draw who tests and who validates, by the seed; `train` are those that are left.

    Example:
        >>> parts = draw_subjects(["Ann", "Ben", "Cleo", "Dan", "Eve"], n_val=1, n_test=2, seed=0)
        >>> {name: len(part) for name, part in parts.items()}
        {'train': 2, 'validate': 1, 'test': 2}
    """
    order = np.random.RandomState(seed).permutation(subjects)
    test, validate, train = (set(part) for part in np.split(order, [n_test, n_test + n_val]))
    return dict(zip(PARTS, (train, validate, test), strict=True))


def scans_of_parts(scans: list[dict], parts: dict[str, set[str]]) -> dict[str, list[dict]]:
    """The items of the subjects of each part."""
    return {name: [scan for scan in scans if scan["subject"] in part] for name, part in parts.items()}


def write_split(split: dict[str, list[dict]], path: str | os.PathLike, pretrained: dict | None = None) -> None:
    """Write the subjects of each part to a JSON file, or check that they are those of the run that is resumed.

    Args:
        split: as `split_scans` returns it.
        path: of the file; where a checkpoint.pt lies beside it, it must hold this split already. Under `fingerprints`
            it has those of each subject's scans.
        pretrained: as `record_of_encoder` returns it, for a training that begins with an encoder.

    Raises:
        InputError: the file holds another split: the scans, the seed or the sizes are not those of its run.
    """
    path = Path(path)
    if (path.parent / "checkpoint.pt").is_file():
        check_split(split, path)
    if rank() == 0:
        write_json_atomically(path, as_record(split) | ({"pretrained": pretrained} if pretrained else {}))


def check_split(split: dict[str, list[dict]], path: str | os.PathLike) -> None:
    """Raise an `InputError` if a split.json, where there is one, holds other subjects or scans than a split."""
    if not Path(path).is_file():
        return
    recorded, now = read_split(path), as_record(split)
    if any(recorded[name] != now[name] for name in PARTS):
        raise InputError(f"{path} holds another split than these scans, seed and sizes give: use those of its run.")
    before, marks = recorded.get("fingerprints", {}), now.get("fingerprints", {})
    if changed := sorted(name for name in before.keys() & marks.keys() if before[name] != marks[name]):
        raise InputError(f"{path} has other scans of {some(changed)} than there are now: give those of its run.")


def recorded_split(
    scans: list[dict],
    path: str | os.PathLike,
    val_size: float,
    test_size: float,
    seed: int,
    known_by: str = "content",
) -> dict[str, list[dict]]:
    """Split scans as a training run did, so that what was trained on is not tested on.

    Args:
        scans: items of `audited_scans`.
        path: the split.json of the run. What it knows keeps its part; other scans, never trained on, are tested on.
            Where it knows none of them, or there is no such file, a split is drawn as by `split_scans`.
        val_size, test_size, seed: as for `split_scans`.
        known_by: as for `known_parts`.

    Returns:
        The items under `train`, `validate` and `test`.

    Raises:
        InputError: a part has no subject, or there are too few to split.
    """
    if not Path(path).is_file():
        logger.warning(f"There is no {path}: the encoder may have been trained on the subjects that it is tested on.")
        return _told(split_scans(scans, val_size, test_size, seed))
    parts = known_parts(scans, path, known_by)
    if not any(parts):
        logger.warning(f"{path} knows none of these scans: they are taken for ones that the encoder has never seen.")
        return _told(split_scans(scans, val_size, test_size, seed))
    members = [(part or "test", scan) for part, scan in zip(parts, scans, strict=True)]
    split = {name: [scan for part, scan in members if part == name] for name in PARTS}
    new = sorted({scan["subject"] for part, scan in zip(parts, scans, strict=True) if part is None})
    for name, group in split.items():
        if not group:
            raise InputError(_cure_of_empty(name, path, new))
    if new:
        logger.warning(
            f"{path} does not know {len(new)} of these subjects ({some(new)}): they are tested with those under 'test' "
            "by probes that are fitted to its cohort. If they are of another one, evaluate them alone."
        )
    return _told(split)


def kept_split(scans: list[dict], path: str | os.PathLike, known_by: str = "content") -> dict[str, list[dict]]:
    """Split scans as a training did that is gone on with, so that it goes on to validate on whom it never learned from.

    Args:
        scans: items of `audited_scans`.
        path: the split.json of that training. What it knows keeps its part; others train.
        known_by: as for `known_parts`.

    Returns:
        The items under `train`, `validate` and `test`.

    Raises:
        InputError: there is no such file, or nobody trains or validates.
    """
    parts = [part or "train" for part in known_parts(scans, path, known_by)]
    split = {name: [scan for part, scan in zip(parts, scans, strict=True) if part == name] for name in PARTS}
    for name, wanted in (("train", "or whom it does not know"), ("validate", "to choose the epoch by")):
        if not split[name]:
            raise InputError(
                f"{path} has none of these subjects under '{name}': give scans of such subjects as well "
                f"({some(read_split(path)[name])}), {wanted}."
            )
    if split["test"]:
        names = some(sorted({scan["subject"] for scan in split["test"]}))
        logger.warning(f"Nothing is learned of {names}, whom {path} has under 'test', so that they can still test.")
    return split


def _told(split: dict[str, list[dict]]) -> dict[str, list[dict]]:
    """A split, after a line on who is there for what."""
    train, validate, test = (
        f"{counted(len(names), 'subject')} ({some(names)})" for names in subjects_of(split).values()
    )
    logger.info(f"Probes are fitted to {train}, their penalties chosen on {validate}, and all is tested on {test}.")
    return split


def _cure_of_empty(part: str, path: str | os.PathLike, new: list[str]) -> str:
    """Why there is no split, where a part has none of the subjects, and what to give; new ones are not on record."""
    alone = f", or {some(new)} alone, whom it does not know" if len(new) >= len(PARTS) else ""
    return (
        f"{path} knows some of these subjects, but none of them under '{part}': give scans of such subjects as well "
        f"({some(read_split(path)[part])}){alone}."
    )


def unseen_scans(
    scans: list[dict], path: str | os.PathLike | None, encoder: str, known_by: str = "content"
) -> list[dict]:
    """Scans of subjects that an encoder was neither trained nor validated on, nor one that it began with.

    Args:
        scans: items of `audited_scans`.
        path: the split.json of its run; None (or null, as a command line says it): all scans, with a warning of those
            that it has seen.
        encoder: path of its weights. Where there is no such file beside them, all scans are taken, with a warning.
        known_by: as for `known_parts`.

    Raises:
        InputError: it has seen all of them, there is no such file elsewhere, or by the one beside its weights it has
            seen some that are left.
    """
    if path in (None, "null"):
        warn_of_seen(scans, encoder, known_by)
        return scans
    if not Path(path).is_file():
        if Path(path).parent != Path(encoder).parent:
            raise InputError(f"There is no {path}: give the split.json of the encoder's run, or null in its place.")
        logger.warning(f"There is no {path}: {encoder} may have been trained on the subjects that it is tested on.")
        return scans
    seen = seen_scans(scans, path, known_by)
    unseen = [scan for scan, one in zip(scans, seen, strict=True) if not one]
    if not unseen:
        raise InputError(
            f"By {path}, the encoder was trained on all of these subjects: give others, or null in place of this path "
            "to use them all the same."
        )
    require_unseen(unseen, encoder, path, known_by)
    if not any(seen) and not any(known_parts(scans, path, known_by)):
        logger.warning(f"{path} knows none of these scans: they are taken for ones that the encoder has never seen.")
    if len(unseen) < len(scans):
        _say_left_out(scans, unseen, path, read_split(path))
    return unseen


def _say_left_out(scans: list[dict], unseen: list[dict], path: str | os.PathLike, recorded: dict) -> None:
    """What is left out, and by what it is known; by names alone is a guess, which may be wrong."""
    names = sorted({scan["subject"] for scan in scans} - {scan["subject"] for scan in unseen})
    number = len(scans) - len(unseen)
    text = f"{number} scans are left out, of subjects that {path} says were trained on ({some(names)})."
    if recorded.get("fingerprints") and recorded.get("pretrained", recorded).get("fingerprints"):
        logger.info(text)
    else:
        logger.warning(
            f"{text} It knows them by their names alone: if these are other people, give null in place of this path "
            "(--pretraining_split null)."
        )
