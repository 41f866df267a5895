"""Whom an encoder has seen, by the split that lies beside its weights, whatever other split a run goes by."""

import logging
import os
from pathlib import Path

from ..errors import InputError, some
from .recorded import known_parts, read_split, seen_scans

__all__ = ["record_of_encoder", "require_not_trained_on", "require_unseen", "warn_of_seen"]

logger = logging.getLogger(__name__)


def record_of_encoder(encoder: str, path: str | os.PathLike | None) -> dict | None:
    """Whom an encoder has seen, for the split.json of a training that begins with it.

    Args:
        encoder: path of its weights; one that is no file, such as `untrained`, has seen nobody.
        path: a split.json that is taken for its own where none lies beside its weights; None (or null): none is.

    Returns:
        The content of its split.json; None where there is none.

    Raises:
        InputError: the file is no split.json.
    """
    if not Path(encoder).is_file():
        return None
    found = [one for one in (_beside(encoder), path) if one not in (None, "null") and Path(one).is_file()]
    return read_split(found[0]) if found else None


def require_unseen(scans: list[dict], encoder: str, path: str | os.PathLike, known_by: str = "content") -> None:
    """Check that an encoder was neither trained nor validated on scans that are tested by the split of another run.

    Where no split lies beside the weights, a warning says that nobody knows.

    Args:
        scans: to be tested.
        encoder: path of the weights; of one that is no file, such as `untrained`, nothing is asked.
        path: the split.json that was gone by.
        known_by: as for `known_parts`.

    Raises:
        InputError: it has seen some of their subjects.
    """
    own = _beside(encoder)
    if own.resolve() == Path(path).resolve() or not (Path(encoder).is_file() and Path(path).is_file()):
        return
    if not own.is_file():
        logger.warning(
            f"There is no {own}, so that nobody knows whom {encoder} was trained on: {path} is taken for its split."
        )
        return
    if seen := _seen(scans, own, known_by):
        number = len({scan["subject"] for scan in scans})
        raise InputError(
            f"By {own}, {encoder} was trained or validated on {len(seen)} of the {number} subjects that {path} would "
            f"have tested ({some(seen)}): leave out the setting that names the latter (run_dir, pretraining_split or "
            "training_split), so that the split of the weights is used."
        )


def require_not_trained_on(scans: list[dict], encoder: str, path: str | os.PathLike, known_by: str = "content") -> None:
    """Check that an encoder was not trained on scans that validate by the split of another run.

    Those that validated the encoder may validate again.

    Args:
        scans: that validate.
        encoder, path, known_by: as for `require_unseen`.

    Raises:
        InputError: it was trained on some of their subjects.
    """
    own = _beside(encoder)
    if not (Path(encoder).is_file() and own.is_file()) or own.resolve() == Path(path).resolve():
        return
    parts = known_parts(scans, own, known_by)
    trained = sorted({scan["subject"] for scan, part in zip(scans, parts, strict=True) if part == "train"})
    if trained:
        raise InputError(
            f"By {own}, {encoder} was trained on {some(trained)}, who validate by {path}: give pretraining_split the "
            "former, or an encoder that was trained by the latter."
        )


def warn_of_seen(scans: list[dict], encoder: str, known_by: str = "content") -> None:
    """Log whom of those that are all used, as was asked for, an encoder was trained or validated on.

    Args:
        scans, encoder, known_by: as for `require_unseen`.
    """
    own = _beside(encoder)
    if not Path(encoder).is_file():
        return
    if not own.is_file():
        logger.warning(f"All subjects are used: whether {encoder} was trained on some of them, nobody knows.")
    elif seen := _seen(scans, own, known_by):
        number = len({scan["subject"] for scan in scans})
        logger.warning(
            f"All subjects are used, also the {len(seen)} of {number} that {encoder} was trained or validated on, as "
            f"{own} says ({some(seen)}): its figures may be too good."
        )


def _beside(encoder: str) -> Path:
    return Path(encoder).parent / "split.json"


def _seen(scans: list[dict], own: Path, known_by: str) -> list[str]:
    """Subjects that were trained or validated on."""
    seen = seen_scans(scans, own, known_by)
    return sorted({scan["subject"] for scan, one in zip(scans, seen, strict=True) if one})
