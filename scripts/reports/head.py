"""What a page says of itself before anything else: when, of what, and by what it was made."""

import csv
import json
from datetime import datetime, timezone
from pathlib import Path

import monai
import numpy as np
import torch

__all__ = ["head_of_evaluation", "head_of_run", "made", "read_history", "read_settings", "told_epochs"]

PARTS = {"train": "for training", "validate": "for validation", "test": "for testing"}


def read_settings(path: Path) -> dict:
    """A configuration that was recorded; empty where it is not there."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def read_history(run: Path) -> dict[str, np.ndarray]:
    """Columns of a run's history.csv; none where it is not there."""
    if not (run / "history.csv").is_file():
        return {}
    with open(run / "history.csv", encoding="utf-8", newline="") as file:
        rows = [{key: float(value or "nan") for key, value in row.items()} for row in csv.DictReader(file)]
    return {key: np.array([row[key] for row in rows]) for key in rows[0]}


def made(settings: dict) -> dict[str, str]:
    """Date and versions, from the settings of what is shown."""
    version = settings.get("_meta_", {}).get("version")
    versions = [f"bundle {version}"] if version else []
    versions += [f"MONAI {monai.__version__}", f"torch {torch.__version__}"]
    return {"made": f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC", "with": ", ".join(versions)}


def head_of_evaluation(metrics: dict, settings: dict) -> dict[str, str]:
    """Data and crops of an evaluation, as far as its settings and metrics have them."""
    head = {"data": ", ".join(filter(None, (_folder(settings), _parts(metrics))))}
    tested = f"{metrics['crops']} of {metrics['scans']} scans of {metrics['subjects']} subjects"
    size = "" if not isinstance(settings.get("crop_size"), list) else f", {_times(settings['crop_size'])} voxels each"
    spacing = settings.get("spacing")
    head |= {"test crops": tested + size, "spacing": f"{_times(spacing)} mm" if isinstance(spacing, list) else ""}
    return {name: fact for name, fact in head.items() if fact}


def head_of_run(run: dict, history: dict, encoder: str) -> dict[str, str]:
    """Method and epochs of a training run, as far as its settings and losses are there.

    Args:
        run: its settings.
        history: columns of its history.csv.
        encoder: path of the weights.
    """
    head = {"method": run.get("_meta_", {}).get("name", ""), "weights": encoder}
    if history:
        head["epochs"] = told_epochs(history)
    return {name: fact for name, fact in head.items() if fact}


def told_epochs(history: dict[str, np.ndarray]) -> str:
    """How long a run was trained, in epochs and crops, and which of its weights were kept."""
    kept = [int(epoch) for epoch, best in zip(history["epoch"], history.get("best", []), strict=False) if best == 1]
    crops = f", with {history['crops'][-1]:.0f} crops" if "crops" in history else ""
    return f"{history['epoch'][-1]:.0f}{crops}" + (f"; the weights of epoch {kept[-1]} were kept" if kept else "")


def _folder(settings: dict) -> str:
    """Where the scans are; nothing where no settings say so."""
    if "dataset_dir" not in settings:
        return ""
    return str(settings["dataset_dir"] or "a synthetic cohort")


def _parts(metrics: dict) -> str:
    found = metrics.get("parts", {})
    said = [f"{found[part]['subjects']} {what}" for part, what in PARTS.items() if part in found]
    total = sum(part["scans"] for part in found.values())
    return f"{total} scans; subjects: {', '.join(said)}" if said else ""


def _times(numbers: list) -> str:
    return " × ".join(f"{number:g}" for number in numbers)
