"""What goes with what, of test persons' scans and tables, as a training sees it and as a control does."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from monai.data import MetaTensor

from ..probes.integrated_gradients import integrated_gradients
from ..progress import with_progress
from .person_contrast import PersonContrast, persons_to_explain
from .trained_model import TrainedModel

__all__ = [
    "CONTROL",
    "Explanation",
    "Question",
    "ScanMap",
    "TestedPersons",
    "ask",
    "explain_scan",
    "explain_tables",
    "who_is_tested",
]

logger = logging.getLogger(__name__)

CONTROL = "_shuffled"
AIR = -1.0  # as scans are scaled


@dataclass(frozen=True)
class TestedPersons:
    """Who is tested.

    Attributes:
        scans: items of the first scan of each of the P persons, in the order of the names of subjects.
        prepare: makes the scan that an encoder sees of an item, [1, X, Y, Z] under `image`.
        embed: the mean embedding of a scan by a network, as `WindowMean`.
    """

    scans: Sequence[dict]
    prepare: Callable[[dict], Mapping]
    embed: Callable

    @property
    def subjects(self) -> list[str]:
        """Names of the persons."""
        return [scan["subject"] for scan in self.scans]

    @property
    def person(self) -> torch.Tensor:
        """Their numbers in tables, [P]."""
        return torch.tensor([scan["person"] for scan in self.scans])


def who_is_tested(scans: Sequence[dict], prepare: Callable[[dict], Mapping], embed: Callable) -> TestedPersons:
    """The persons of all test scans; else as of `TestedPersons`."""
    first = {scan["subject"]: scan for scan in reversed(scans)}
    return TestedPersons([first[subject] for subject in sorted(first)], prepare, embed)


@dataclass(frozen=True)
class Question:
    """What is asked of a model.

    Attributes:
        model: a training's, or a control's.
        contrast: of the tested persons, by its heads.
    """

    model: TrainedModel
    contrast: PersonContrast


@dataclass(frozen=True)
class Explanation:
    """What a model answers.

    Attributes:
        question: that was asked.
        similarity: how similar each person's scan and line are beyond the mean of others, [P], as `of_scans` says.
        columns: what each column adds, [P], by table and column, as `of_columns` says.
    """

    question: Question
    similarity: torch.Tensor
    columns: dict[tuple[str, str], torch.Tensor]


@dataclass(frozen=True)
class ScanMap:
    """What each voxel of a prepared scan adds, [1, X, Y, Z].

    Attributes:
        attribution: of voxels, with the prepared scan's affine.
        added: what all should add: the scan's similarity less that of air.
        error: by how much their sum is off.
    """

    attribution: MetaTensor
    added: float
    error: float


def ask(
    model: TrainedModel,
    control: TrainedModel | None,
    persons: TestedPersons,
    table: str | None = None,
    column: str | None = None,
) -> dict[str, Question]:
    """What is to be explained, by the ending of the model, before any scan is read.

    Args:
        model: whose metrics have the ending ""; `control`: one that learned nothing of persons, whose metrics end with
            `_shuffled`; None: there is none.
        persons: who is tested.
        table, column: as for `PersonContrast`.

    Raises:
        InputError: a table or a column is not there, or two persons are not.
    """
    found = {"": model} if control is None else {"": model, CONTROL: control}
    return {
        ending: Question(
            one, persons_to_explain(one.heads, one.columns, persons.person.to(_device(one)), table, column)
        )
        for ending, one in found.items()
    }


def explain_tables(asked: Mapping[str, Question], persons: TestedPersons, steps: int) -> dict[str, Explanation]:
    """Explain what tables have to do with scans, by the ending of the model.

    Args:
        asked: of `ask`.
        persons: who is tested.
        steps: of each integral.
    """
    seen = _embeddings([one.model for one in asked.values()], persons)
    return {
        ending: Explanation(one, one.contrast.of_scans(embedding), one.contrast.of_columns(embedding, steps))
        for (ending, one), embedding in zip(asked.items(), seen, strict=True)
    }


def explain_scan(image: MetaTensor, question: Question, i: int, embed: Callable, steps: int) -> ScanMap:
    """Attribute the i-th person's similarity to the voxels of a prepared scan [1, X, Y, Z], from one of air."""
    model = question.model
    scan = image.as_tensor().to(_device(model))[None].float()

    def similarity(inputs: torch.Tensor) -> torch.Tensor:
        return question.contrast.of_scan(embed(inputs, model.network), i)

    found, error = integrated_gradients(similarity, scan, torch.full_like(scan, AIR), steps)
    added = found.double().sum() - error.double().sum()
    return ScanMap(MetaTensor(found[0].cpu(), affine=image.affine), float(added), float(error))


@torch.no_grad()
def _embeddings(models: Sequence[TrainedModel], persons: TestedPersons) -> list[torch.Tensor]:
    """By each of the models, of all persons, [P, D]."""
    rows: list[list[torch.Tensor]] = [[] for _ in models]
    for item in with_progress(persons.scans, "Embedding scan"):
        image = persons.prepare(item)["image"].as_tensor()[None].float()
        for model, row in zip(models, rows, strict=True):
            row.append(persons.embed(image.to(_device(model)), model.network))
    return [torch.cat(row) for row in rows]


def _device(model: TrainedModel) -> torch.device:
    return next(model.network.parameters()).device
