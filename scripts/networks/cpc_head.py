"""Contrastive predictive coding in 3D: rows of patches that follow are predicted from a pyramid of those before."""

from collections.abc import Sequence
from itertools import product

import torch
from torch import nn

from ..errors import InputError, require_one_of

__all__ = ["DIRECTIONS", "CPCHead", "RowPredictor", "last_context_row", "pyramid"]

DIRECTIONS = ("forward", "both")


def last_context_row(rows: int) -> int:
    """Number of the row that a context ends with; all rows behind it are predicted.

    Args:
        rows: of the grid, along its first axis.

    Raises:
        InputError: there is one row, with nothing to predict.
    """
    if rows < 2:
        raise InputError(f"A grid of {rows} along its first axis has nothing to predict: give cells 2 there at least.")
    return rows // 2 - 1


def pyramid(cells: Sequence[int]) -> torch.Tensor:
    """Numbers of the patches of each column's context, [Y Z, terms].

    For column (y, z), whose context ends with row e: of each row x up to e the square of half-width e - x around
    (y, z), from the first row to the last, so that patch (e, y, z) is the last term. Beyond the edge of the grid, it is
    mirrored; along an axis of one cell, the square has one.

    Source: Taleb et al., "3D Self-Supervised Methods for Medical Imaging", NeurIPS 2020, section 3.1, and its code.

    Args:
        cells: of the grid, [X, Y, Z]; patch (x, y, z) has the number (x Y + y) Z + z.

    Example:
        >>> pyramid([2, 1, 2])  # the patches of the first row, one a column
        tensor([[0],
                [1]])
    """
    return torch.tensor([_context(y, z, *cells) for y, z in product(range(cells[1]), range(cells[2]))])


def _context(y: int, z: int, rows: int, columns: int, layers: int) -> list[int]:
    end = last_context_row(rows)
    squares = [product([x], _around(y, end - x, columns), _around(z, end - x, layers)) for x in range(end + 1)]
    return [(x * columns + j) * layers + k for square in squares for x, j, k in square]


def _around(place: int, width: int, cells: int) -> list[int]:
    """Places from `place` - `width` to `place` + `width`, mirrored into the grid."""
    if cells == 1:
        return [0]
    period = 2 * (cells - 1)
    places = [i % period for i in range(place - width, place + width + 1)]
    return [min(i, period - i) for i in places]


class RowPredictor(nn.Module):
    """Predicts the codes of the later rows of a grid, each by a linear map of a GRU's state after the context.

    Args:
        cells: of the grid, [X, Y, Z].
        code_size: D, numbers that are said of a patch.
        context_size: numbers that are said of a context.
    """

    context: torch.Tensor

    def __init__(self, cells: Sequence[int], code_size: int, context_size: int) -> None:
        super().__init__()
        self.register_buffer("context", pyramid(cells), persistent=False)
        self.first = last_context_row(cells[0]) + 1
        self.gru = nn.GRU(code_size, context_size, batch_first=True)
        self.rows = nn.ModuleList(nn.Linear(context_size, code_size) for _ in range(self.first, cells[0]))

    def forward(self, codes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Predictions and what they are of, [R rows Y Z, D] each, from the codes of R grids, [R, X, Y, Z, D]."""
        sequences = codes.flatten(1, 3)[:, self.context].flatten(0, 1)
        state = self.gru(sequences)[1][0].unflatten(0, (len(codes), -1))
        predicted = torch.stack([row(state) for row in self.rows], 1)
        return predicted.flatten(0, 2), codes[:, self.first :].flatten(0, 3)


class CPCHead(nn.Module):
    """From the embeddings of grids of patches, each encoded once, to predictions and the codes that they are of.

    A code is a linear map of a patch's embedding, one for contexts and for what is predicted.

    Args:
        cells: of the grid, [X, Y, Z], X of them one after the other.
        embedding_size: of a patch, as the encoder gives it.
        code_size: D, numbers that are compared.
        context_size: of the GRU's state.
        directions: `forward`: the later rows of the first axis are predicted from the earlier ones; `both`: those from
            these too, by a GRU and linear maps of their own.

    Raises:
        InputError: unknown directions, or a grid of one row.
    """

    def __init__(
        self,
        cells: Sequence[int] = (4, 4, 4),
        embedding_size: int = 256,
        code_size: int = 1024,
        context_size: int = 256,
        directions: str = "forward",
    ) -> None:
        super().__init__()
        require_one_of("directions", directions, DIRECTIONS)
        self.cells = tuple(cells)
        self.code = nn.Linear(embedding_size, code_size)
        number = 2 if directions == "both" else 1
        self.predictors = nn.ModuleList(RowPredictor(cells, code_size, context_size) for _ in range(number))

    def predictions(self, patches: int) -> int:
        """Number P of predictions of this many patches in each direction."""
        rows = self.cells[0]
        return patches // rows * (rows - 1 - last_context_row(rows))

    def forward(self, embedding: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Predictions and their codes, [P, D] each, a direction, from embeddings [R X Y Z, E] of R grids in order."""
        codes = self.code(embedding).unflatten(0, (-1, *self.cells))
        return [predict(seen) for predict, seen in zip(self.predictors, (codes, codes.flip(1)), strict=False)]
