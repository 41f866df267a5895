"""What evaluations of several encoders left behind, if they are of the same crops."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from ..errors import InputError
from .encoder_table import BASELINES, Line, comparison_lines
from .head import read_history, told_epochs
from .pretext_table import PretextRow, pretext_rows
from .retrieval_table import RetrievalRow, retrieval_rows

__all__ = ["EncoderResults", "read_encoders"]


@dataclass(frozen=True)
class EncoderResults:
    """Results of encoders on the same N crops.

    Attributes:
        metrics: of each encoder by its name, as in metrics.json; `draws` as in draws.npz.
        embedding: of the crops by each encoder, [N, D]; `components`: its principal ones in mm, [N, 3].
        location: of the crops in mm, [N, 3].
        settings: of the first evaluation, as far as they are there.
        epochs: for which each was trained, in words, where the history of its run lies beside the results.
    """

    metrics: dict[str, dict]
    draws: dict[str, dict[str, np.ndarray]]
    embedding: dict[str, np.ndarray]
    components: dict[str, np.ndarray]
    location: np.ndarray
    settings: dict
    epochs: dict[str, str] = field(default_factory=dict)

    @cached_property
    def lines(self) -> list[Line]:
        """The table's, as `comparison_lines` makes them."""
        return comparison_lines(self.metrics, self.draws)

    @cached_property
    def pretext(self) -> dict[str, dict[str, PretextRow]]:
        """Rows by their labels, of each encoder whose pretext task was measured."""
        rows = {name: pretext_rows(metrics) for name, metrics in self.metrics.items()}
        return {name: {row.label: row for row in found} for name, found in rows.items() if found}

    @cached_property
    def retrieval(self) -> dict[str, dict[str, RetrievalRow]]:
        """Rows by their labels, of each encoder by which persons were sought in tables."""
        rows = {name: retrieval_rows(metrics) for name, metrics in self.metrics.items()}
        return {name: {row.label: row for row in found} for name, found in rows.items() if found}


def read_encoders(folders: Iterable[str | Path]) -> EncoderResults:
    """Read each file of some folders of `evaluate_encoder`'s results once; an encoder is called as its folder is.

    Raises:
        InputError: a folder has no results, two have one name, or they are not of the same crops.
    """
    named = _named(folders)
    metrics, arrays, draws = {}, {}, {}
    for name, folder in named.items():
        metrics[name] = json.loads(_existing(folder / "metrics.json").read_text(encoding="utf-8"))
        arrays[name] = _arrays(_existing(folder / "embeddings.npz"), "embedding", "components", "location", "scan")
        draws[name] = _arrays(_existing(folder / "draws.npz"))
    _require_same_crops(arrays)
    embedding, components = (
        {name: found[key] for name, found in arrays.items()} for key in ("embedding", "components")
    )
    settings = next(iter(named.values())) / "evaluate_config.json"
    described = json.loads(settings.read_text(encoding="utf-8")) if settings.is_file() else {}
    location = next(iter(arrays.values()))["location"]
    histories = {name: read_history(folder) for name, folder in named.items()}
    epochs = {name: told_epochs(history) for name, history in histories.items() if history}
    return EncoderResults(metrics, draws, embedding, components, location, described, epochs)


def _arrays(path: Path, *keys: str) -> dict[str, np.ndarray]:
    """Those of a file, or all of them."""
    with np.load(path) as stored:
        return {key: stored[key] for key in keys or stored}


def _named(folders: Iterable[str | Path]) -> dict[str, Path]:
    named: dict[str, Path] = {}
    for folder in map(Path, folders):
        if folder.name in BASELINES:
            raise InputError(f"An encoder cannot be called {folder.name}, as a baseline is: rename {folder}.")
        if folder.name in named:
            raise InputError(f"Two encoders are called {folder.name}: rename one of {named[folder.name]} and {folder}.")
        named[folder.name] = folder
    return named


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise InputError(
            f"There is no {path.name} in {path.parent}: evaluate the encoder with this as output_dir first."
        )
    return path


def _require_same_crops(arrays: dict[str, dict[str, np.ndarray]]) -> None:
    (first, expected), *others = arrays.items()
    for name, found in others:
        if any(not np.array_equal(found[key], expected[key]) for key in ("location", "scan")):
            raise InputError(
                f"{name} and {first} were not evaluated on the same crops: give both runs the same dataset_dir, seed, "
                "val_size, test_size, spacing, crop_size, frame and evaluation_crops."
            )
