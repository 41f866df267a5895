"""The table of a pretext task: how often an encoder answers right, and how often what should not."""

from dataclasses import dataclass

__all__ = ["PretextRow", "pretext_rows"]

ROWS = {
    "this encoder and its head": "pretext_accuracy",
    "on noise": "pretext_accuracy_noise",
    "on constant voxels": "pretext_accuracy_constant",
    "on borders of crops alone": "pretext_accuracy_borders",
    "this encoder, a head fitted anew": "pretext_accuracy_fitted_head",
    "untrained encoder, a head fitted anew": "pretext_accuracy_random_encoder",
    "chance": "pretext_chance",
}
MEANING = {
    "on noise": "the encoder and its head; right answers beyond chance would be a fault of the task",
    "on constant voxels": "likewise",
    "on borders of crops alone": (
        "an outer shell of 2 voxels, of which neither was trained; what borders are good for, a training with "
        "--control borders decides"
    ),
    "this encoder, a head fitted anew": "to its embeddings of a few draws of training subjects",
    "untrained encoder, a head fitted anew": "in the very same way: compare these two",
}


@dataclass(frozen=True)
class PretextRow:
    """Share of right answers of what `label` says, with its interval where there is one; `explanation` may be empty."""

    label: str
    explanation: str
    value: float
    interval: list[float] | None


def pretext_rows(metrics: dict) -> list[PretextRow]:
    """Rows of the metrics of a pretext task, as metrics.json has them; none where it was not measured."""
    known = metrics.get("intervals", {})
    return [
        PretextRow(label, MEANING.get(label, ""), metrics[key], known.get(key))
        for label, key in ROWS.items()
        if metrics.get(key) is not None
    ]
