"""The table of persons who are found by what tables say of them, beside what else would find them."""

from dataclasses import dataclass

__all__ = ["RETRIEVAL_COLUMNS", "RetrievalRow", "retrieval_rows"]

# columns, and the ending of their metrics
RETRIEVAL_COLUMNS = {
    "this encoder and its heads": "",
    "ridge, this encoder": "_ridge",
    "ridge, untrained encoder": "_random_encoder",
    "ridge, size of the body": "_size",
}
FIGURES = {
    "retrieval_top1": "persons found at once, by their scans",
    "retrieval_top1_back": "scans found at once, by the line",
    "retrieval_median_rank": "median rank of a person's own line",
}


@dataclass(frozen=True)
class RetrievalRow:
    """Figures of a table, or of all, by `RETRIEVAL_COLUMNS`, with their intervals where there are some.

    Beside them stands what a `guess` reaches, of so many `persons`. The `best` of the values is the lowest of ranks,
    and the highest of shares.
    """

    label: str
    persons: int
    guess: float
    values: dict[str, float]
    intervals: dict[str, list[float]]
    best: float


def retrieval_rows(metrics: dict) -> list[RetrievalRow]:
    """Rows of the metrics of persons, as metrics.json has them; none where nobody was sought."""
    endings = [key.removeprefix("persons") for key in metrics if key == "persons" or key.startswith("persons_")]
    tables = [ending for ending in endings if f"retrieval_top1{ending}" in metrics]
    if len(endings) == 2:
        tables = tables[1:]  # of a single table, all tables say the same
    return [_row(metrics, key, words, table) for table in tables for key, words in FIGURES.items()]


def _row(metrics: dict, key: str, words: str, table: str) -> RetrievalRow:
    names = {column: f"{key}{table}{ending}" for column, ending in RETRIEVAL_COLUMNS.items()}
    persons, intervals = metrics[f"persons{table}"], metrics.get("intervals", {})
    ranks = key == "retrieval_median_rank"
    values = {column: metrics[name] for column, name in names.items()}
    return RetrievalRow(
        f"{table[1:] or 'all tables'}: {words}",
        persons,
        (persons + 1) / 2 if ranks else 1 / persons,
        values,
        {column: intervals[name] for column, name in names.items() if name in intervals},
        (min if ranks else max)(values.values()),
    )
