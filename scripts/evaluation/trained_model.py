"""An encoder with the heads of its training, and of a control beside it."""

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from ..data.person_table import PersonTable
from ..data.seen import require_unseen
from ..data.table_scale import read_scales, scale_tables
from ..errors import InputError
from ..losses.contig import ContIGLoss
from ..networks.table_heads import TableHeads
from ..networks.weights import load_encoder

__all__ = ["TrainedModel", "read_control", "read_model", "require_control"]


@dataclass(frozen=True)
class TrainedModel:
    """What a training with tables left, in evaluation mode, without gradients of its weights.

    Attributes:
        network: the encoder.
        heads: with lines of all persons.
        columns: of the lines of each table, by its name.
    """

    network: nn.Module
    heads: TableHeads
    columns: dict[str, list[str]]


def read_model(
    encoder: str,
    network: nn.Module,
    heads: Callable[..., TableHeads],
    tables: Sequence[PersonTable],
    split: Mapping[str, list[dict]],
) -> TrainedModel:
    """Read an encoder, and the head.pt and tables.json that lie beside it.

    Args:
        encoder: path of its weights.
        network: of its kind, which stays as it is, on the device where all is to be.
        heads: makes untrained heads of `tables`.
        tables: of `read_tables`.
        split: of their scans.

    Raises:
        InputError: something is not there, or does not fit.
    """
    folder = Path(encoder).parent
    scales = read_scales(folder / "tables.json")
    loss = ContIGLoss(heads(tables=scale_tables(tables, scales, dict(split))))
    load_encoder(loss, folder / "head.pt")
    trained = load_encoder(copy.deepcopy(network), encoder)
    device = next(trained.parameters()).device
    return TrainedModel(
        trained.eval().requires_grad_(False),
        loss.heads.to(device).eval().requires_grad_(False),
        {name: scale.columns for name, scale in scales.items()},
    )


def read_control(run: str | None, **model) -> TrainedModel | None:
    """`read_model` of the encoder of a run, on the tables as they are; None where no run is given.

    Args:
        run: folder of a training with shuffled_tables.json.
        model: the other arguments of `read_model`.
    """
    return None if run in (None, "null") else read_model(str(Path(run) / "encoder.pt"), **model)


def require_control(run: str | None, scans: list[dict], path: str, known_by: str = "content") -> None:
    """Check that a run is of shuffled tables, and has not seen who is tested.

    Args:
        run: its folder; None: nothing is checked.
        scans: to be tested.
        path: the split.json that was gone by.
        known_by: as for `require_unseen`.

    Raises:
        InputError: it is not, or it has.
    """
    if run in (None, "null"):
        return
    settings = Path(run) / "config.json"
    if settings.is_file():
        target = json.loads(settings.read_text(encoding="utf-8")).get("person_tables", {}).get("_target_", "")
        if not target.endswith("shuffled_tables"):
            raise InputError(f"{run} was trained without shuffled_tables.json: give beside the folder of a control.")
    require_unseen(scans, str(Path(run) / "encoder.pt"), path, known_by)
