"""What scans and lines of the same persons have to do with each other, beyond what those of any two persons have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import torch
from torch.nn.functional import normalize

from ..data.column_groups import ColumnGroups
from ..errors import InputError, require_one_of, some
from ..networks.table_heads import TableHeads
from ..probes.integrated_gradients import integrated_gradients

__all__ = ["PersonContrast", "less_mean_of_others", "persons_to_explain"]

_unit = partial(normalize, dim=1, eps=1e-8)


@dataclass(frozen=True)
class PersonContrast:
    """How similar a person's scan and line are, beyond the mean similarity to those of the P - 1 others.

    Attributes:
        heads: of a training, as they were trained.
        columns: of each table's lines, by its name.
        person: numbers of the P persons.
        table: None: the mean over the tables that a person is in.
        column: of the table's file: what is asked is how much more similar it makes them than its mean would; None: how
            similar they are. Who lacks it is left out.
    """

    heads: TableHeads
    columns: Mapping[str, Sequence[str]]
    person: torch.Tensor
    table: str | None = None
    column: str | None = None

    @cached_property
    def known(self) -> torch.Tensor:
        """Of whom it can be asked, [P], bool."""
        found = torch.zeros(len(self.person), dtype=torch.bool)
        for toward in self._toward.values():
            found |= ~toward.isnan().all(1).cpu()
        return found

    def of_scan(self, embedding: torch.Tensor, i: int) -> torch.Tensor:
        """Of embeddings [N, D] of the i-th person's scan, [N]; differentiable.

        Cosine similarity with the own line, less the mean of those with the lines of the others; with a column, less
        the same where all lines have the mean of those who train in its place, so that what it adds to everybody's is
        not counted.
        """
        said = [
            _unit(self.heads.of_images(table, embedding)) @ toward[i]
            for table, toward in self._toward.items()
            if not toward[i].isnan().any()
        ]
        return torch.stack(said).mean(0)

    @torch.no_grad()
    def of_scans(self, embedding: torch.Tensor) -> torch.Tensor:
        """Of embeddings [P, D] of all persons, [P]; nan where it cannot be asked."""
        found = torch.full((len(embedding),), torch.nan)
        for i in self.known.nonzero()[:, 0].tolist():
            found[i] = self.of_scan(embedding[i : i + 1], i)[0].cpu()
        return found

    def of_columns(self, embedding: torch.Tensor, steps: int) -> dict[tuple[str, str], torch.Tensor]:
        """What each column of a person's line adds, [P], by table and column; nan where the cell is missing.

        A line's cosine similarity with its own scan, less the mean of those with the scans of others, is attributed to
        its cells, from a line that has the mean of those who train in each. What is missing stays so. Were a line
        independent of its scan, these would be 0 in the mean: each other's scan would be as good as the own.

        Args:
            embedding: of all persons' scans, [P, D].
            steps: as for `integrated_gradients`.
        """
        found: dict[tuple[str, str], torch.Tensor] = {}
        for table in self._tables:
            name = self.heads.names[table]
            groups, values = ColumnGroups(self.columns[name]), self._of_cells(table, embedding, steps)
            missing = groups.sums(values.isnan().float()) > 0
            sums = groups.sums(values.nan_to_num(0)).masked_fill(missing, torch.nan)
            found |= {(name, column): sums[:, i] for i, column in enumerate(groups.names)}
        return found

    @cached_property
    def _tables(self) -> list[int]:
        """Numbers of the tables in which two persons are at least."""
        wanted = [i for i, name in enumerate(self.heads.names) if self.table in (None, name)]
        return [i for i in wanted if self.heads.in_table(i, self.person).sum() > 1]

    @cached_property
    def _toward(self) -> dict[int, torch.Tensor]:
        """By the number of a table, what makes a scan's vector more similar to the own line than to others, [P, V]."""
        found = {}
        for table in self._tables:
            lines = self.heads.lines(table, self.person)
            held = self._held(table)
            if held is None:
                continue
            known = ~(lines[:, held] if self.column else lines).isnan().all(1)
            toward = lines.new_full((len(lines), self.heads.of_tables(table, self.person[:1]).shape[1]), torch.nan)
            if known.sum() > 1:
                toward[known] = less_mean_of_others(self._vectors(table, lines[known], held))
            found[table] = toward
        return found

    def _held(self, table: int) -> torch.Tensor | None:
        """The columns that are asked about, [C], bool; none of them, where all are; None, where there are no such."""
        columns = self.columns[self.heads.names[table]]
        if self.column is None:
            return torch.zeros(len(columns), dtype=torch.bool)
        groups = ColumnGroups(columns)
        return groups.of(self.column) if self.column in groups.names else None

    @torch.no_grad()
    def _vectors(self, table: int, lines: torch.Tensor, held: torch.Tensor) -> torch.Tensor:
        encode, fill = self.heads.table_encoders[table], partial(self.heads.filled, table)
        vectors = _unit(encode(fill(lines)))
        if held.any():
            vectors = vectors - _unit(encode(fill(lines.masked_fill(held.to(lines.device), 0))))
        return vectors

    def _of_cells(self, table: int, embedding: torch.Tensor, steps: int) -> torch.Tensor:
        """Attributions of cells, [P, C], on the CPU."""
        lines, known = self.heads.lines(table, self.person), self.heads.in_table(table, self.person)
        with torch.no_grad():
            toward = less_mean_of_others(_unit(self.heads.of_images(table, embedding[known])))
        missing = lines[known].isnan()
        filled = self.heads.filled(table, lines[known]).detach()
        baseline = torch.where(missing, filled, 0)
        found = torch.full_like(lines, torch.nan)
        found[known], _ = integrated_gradients(
            lambda line, own: (_unit(self.heads.table_encoders[table](line)) * own).sum(1),
            filled,
            baseline,
            steps,
            toward,
        )
        return found.masked_fill(lines.isnan(), torch.nan).cpu()


def less_mean_of_others(vectors: torch.Tensor) -> torch.Tensor:
    """Each of P > 1 vectors, [P, V], less the mean of the others.

    Example:
        >>> less_mean_of_others(torch.tensor([[1.0], [2.0], [6.0]]))
        tensor([[-3.0000],
                [-1.5000],
                [ 4.5000]])
    """
    number = len(vectors)
    return (number * vectors - vectors.sum(0)) / (number - 1)


def persons_to_explain(
    heads: TableHeads, columns: Mapping[str, Sequence[str]], person: torch.Tensor, table: str | None, column: str | None
) -> PersonContrast:
    """What is asked of persons, where it can be.

    Args:
        heads, columns, person, table, column: as of `PersonContrast`.

    Raises:
        InputError: there is no such table or column, several tables have it, or it cannot be asked of two persons.
    """
    if table is not None:
        require_one_of("table", table, heads.names)
    if column is not None:
        having = [name for name in heads.names if column in ColumnGroups(columns[name]).names]
        if table is None and len(having) > 1:
            raise InputError(f"{some(having)} have a column {column}: give table one of them.")
        if not having or table not in (None, *having):
            raise InputError(
                f"{table or 'No table'} has {'no' if table else 'a'} column {column} that differs among "
                "those who train: give column another, or null."
            )
    found = PersonContrast(heads, columns, person, table, column)
    if found.known.sum() < 2:
        what = "column" if column else "table"
        raise InputError(
            f"There are no two test persons of whom the {what} says something, so that none is told from others: give "
            f"another {what}, or more test persons (test_size of the training)."
        )
    return found
