"""The table of a pretext task: how often an encoder answers right, and how often what should not."""

from dataclasses import dataclass

__all__ = ["PretextRow", "pretext_rows"]

OWN = "this encoder and its head"
CONTROLS = {"noise": "on noise", "constant": "on constant voxels", "borders": "on borders of crops alone"}
ROWS = {
    OWN: "pretext_accuracy",
    **{label: f"pretext_accuracy_{control}" for control, label in CONTROLS.items()},
    "this encoder, a head fitted anew": "pretext_accuracy_fitted_head",
    "untrained encoder, a head fitted anew": "pretext_accuracy_random_encoder",
    "what the first of these two has more": "pretext_accuracy_gain",
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
    "what the first of these two has more": "what the pretraining adds",
}


@dataclass(frozen=True)
class PretextRow:
    """Share of right answers of what `label` says, with its interval where there is one; `explanation` may be empty."""

    label: str
    explanation: str
    value: float
    interval: list[float] | None


def pretext_rows(metrics: dict, control: str = "none") -> list[PretextRow]:
    """Rows of the metrics of a pretext task, as metrics.json has them; none where it was not measured.

    Args:
        metrics: as there.
        control: of `Controld`, what the encoder was trained on, and is asked about but for the other controls.
    """
    known, explained = metrics.get("intervals", {}), MEANING
    if control in CONTROLS:
        explained = MEANING | {OWN: f"trained and asked {CONTROLS[control]}, as are the heads that are fitted anew"}
    return [
        PretextRow(label, explained.get(label, ""), metrics[key], known.get(key))
        for label, key in ROWS.items()
        if metrics.get(key) is not None and label != CONTROLS.get(control)
    ]
