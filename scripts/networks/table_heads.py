"""Scans and tables of persons in one space: a projector of embeddings, and an encoder of lines, for each table."""

from collections.abc import Mapping

import torch
from torch import nn

from ..errors import require_one_of

__all__ = ["TABLE_ENCODERS", "TableHeads"]

TABLE_ENCODERS = {"none": 0, "H1": 1, "H12": 2}  # layers before the projector


class TableHeads(nn.Module):
    """Projections of what an encoder says of persons, and of what tables say of them, to vectors to be compared.

    Each table has a projector of its own for embeddings, and one for its lines behind its encoder, as in Taleb et al.,
    "ContIG", CVPR 2022, section 3. The tables are in no state_dict, since persons' data have no place in weights.

    Args:
        tables: of `scale_tables`: by their names, lines [persons, C], nan where a number is missing.
        features: of an embedding.
        hidden_size: of the layers between.
        projection_size: of the vectors.
        table_encoder: one of `TABLE_ENCODERS`: no layers, one or two of them, each linear, a rectifier and a batch
            normalisation.

    Raises:
        InputError: there is no such encoder of tables.
    """

    def __init__(
        self,
        tables: Mapping[str, torch.Tensor],
        features: int,
        hidden_size: int = 512,
        projection_size: int = 128,
        table_encoder: str = "H1",
    ) -> None:
        super().__init__()
        require_one_of("table_encoder", table_encoder, TABLE_ENCODERS)
        self.names, widths = list(tables), [lines.shape[1] for lines in tables.values()]
        self.image_projectors = nn.ModuleList(_projector(features, hidden_size, projection_size) for _ in widths)
        self.missing = nn.ParameterList(nn.Parameter(torch.zeros(width)) for width in widths)  # at first the mean
        self.table_encoders = nn.ModuleList(
            _table_encoder(width, hidden_size, projection_size, TABLE_ENCODERS[table_encoder]) for width in widths
        )
        for i, lines in enumerate(tables.values()):
            self.register_buffer(f"lines_{i}", lines, persistent=False)

    def in_table(self, i: int, person: torch.Tensor) -> torch.Tensor:
        """Which persons, by their numbers [P], have a line in the i-th table, [P], bool."""
        return ~self.lines(i, person).isnan().all(1)

    def of_images(self, i: int, embedding: torch.Tensor) -> torch.Tensor:
        """Vectors of embeddings [N, D] to compare with the i-th table's, [N, projection_size]."""
        return self.image_projectors[i](embedding)

    def of_tables(self, i: int, person: torch.Tensor) -> torch.Tensor:
        """Vectors of the lines of persons who are in the i-th table, by their numbers [P], [P, projection_size].

        A missing number is read as one that is learned for its column.
        """
        return self.table_encoders[i](self.filled(i, self.lines(i, person)))

    def filled(self, i: int, lines: torch.Tensor) -> torch.Tensor:
        """Lines [P, C] of the i-th table, with what is learned for a column where a number is missing."""
        return torch.where(lines.isnan(), self.missing[i], lines)

    def lines(self, i: int, person: torch.Tensor) -> torch.Tensor:
        """What the i-th table says of persons, by their numbers [P], [P, C]; nan where it says nothing."""
        return getattr(self, f"lines_{i}")[person]


def _projector(features: int, hidden_size: int, projection_size: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(features, hidden_size), nn.ReLU(), nn.Linear(hidden_size, projection_size))


def _table_encoder(columns: int, hidden_size: int, projection_size: int, layers: int) -> nn.Sequential:
    parts: list[nn.Module] = []
    for features in [columns, *layers * [hidden_size]][:layers]:
        parts += [nn.Linear(features, hidden_size), nn.ReLU(), nn.BatchNorm1d(hidden_size)]
    return nn.Sequential(*parts, *_projector(hidden_size if layers else columns, hidden_size, projection_size))
