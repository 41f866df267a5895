"""What an encoder knows of anatomy: the share of each structure in a crop, predicted from many labels and from few."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch

from ..data.structures import Structures
from ..errors import some
from ..metrics.location import Crops
from ..metrics.structure_shares import structure_error, structure_r2
from ..metrics.subject_bootstrap import SubjectBootstrap
from ..probes.subject_ridge import SubjectRidge
from ..progress import with_progress
from .labelled_subjects import draws_of_subjects
from .share_baselines import Alternatives, layer_features_of, share_baselines

__all__ = ["TARGETS", "LabelledCrops", "MeasuredShares", "Method", "Share", "StructureShares", "measure_shares"]

TARGETS = ("crop", "centre")
FEWEST_CROPS = 5  # of training that hold a structure, without which its spread among them says nothing

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StructureShares:
    """How structure shares are measured.

    Attributes:
        structures: of the cohort's label maps; without any, nothing is measured.
        layers: name of the set of layers that is compared with baselines.
        labelled_subjects: numbers of training subjects whose labels are used, beside all.
        seed: draws these.
    """

    structures: Structures
    layers: str
    labelled_subjects: Sequence[int] = (5, 10, 20)
    seed: int = 0


@dataclass(frozen=True)
class Method:
    """What predicts: `trained` or `untrained` with a set of layers, or a baseline, which has none."""

    encoder: str
    layers: str = ""


@dataclass(frozen=True)
class LabelledCrops:
    """Crops of n subjects' label maps, as an encoder sees them, and the subject of each, [n]."""

    crops: Crops
    subjects: np.ndarray

    @classmethod
    def of(cls, crops: Crops, subjects: np.ndarray) -> "LabelledCrops":
        """Those of crops that have shares."""
        return cls(crops, subjects).some(crops.known["structure_shares"].isfinite().flatten(1).all(1).numpy())

    @property
    def shares(self) -> torch.Tensor:
        """[n, targets, S]."""
        return self.crops.known["structure_shares"]

    def in_units(self, unit: torch.Tensor) -> "LabelledCrops":
        """With shares in units [targets, S] of their own; a structure that has none is taken for nowhere."""
        shares = (self.shares / unit).where(unit > 0, 0.0)
        return replace(self, crops=replace(self.crops, known={**self.crops.known, "structure_shares": shares}))

    def with_layers(self, layers: Sequence[str]) -> "LabelledCrops":
        """With features of these alone, so that no others are copied where some of the crops are taken."""
        return replace(self, crops=replace(self.crops, layers={layer: self.crops.layers[layer] for layer in layers}))

    def some(self, kept: np.ndarray) -> "LabelledCrops":
        """Those of rows [n], bool."""
        if kept.all():
            return self
        return LabelledCrops(self.crops.some(torch.from_numpy(kept)), self.subjects[kept])


@dataclass(frozen=True)
class Share:
    """How well one method predicts one target from the labels of so many subjects.

    Attributes:
        r2: in each draw of the test subjects, [R].
        errors: of each test subject, in units of the structures' variance in training, [subjects].
    """

    method: Method
    target: str
    labelled_subjects: int
    r2: torch.Tensor
    errors: np.ndarray


@dataclass(frozen=True)
class MeasuredShares:
    """All that was measured.

    Attributes:
        shares: of each method, number of labelled subjects and target.
        layers: the set of layers that is the encoder's.
        draws: of the test subjects, R.
        structures: how many R² is of, by target.
        left_out: how many it is not of, by target: too few training subjects have them, or too few of their crops.
    """

    shares: list[Share]
    layers: str
    draws: SubjectBootstrap
    structures: dict[str, int]
    left_out: dict[str, int]

    @property
    def encoder(self) -> Method:
        """What is compared with baselines."""
        return Method("trained", self.layers)

    def of_all(self, target: str) -> dict[Method, Share]:
        """How well each method predicts a target from all labelled subjects."""
        most = max(one.labelled_subjects for one in self.shares)
        return self.beside(target, most)

    def beside(self, target: str, labelled_subjects: int) -> dict[Method, Share]:
        """How well each method predicts a target from so many labelled subjects."""
        asked = (target, labelled_subjects)
        return {one.method: one for one in self.shares if (one.target, one.labelled_subjects) == asked}


def measure_shares(
    trained: Mapping[str, LabelledCrops],
    untrained: Mapping[str, LabelledCrops],
    layer_sets: Mapping[str, Sequence[str]],
    asked: StructureShares,
) -> MeasuredShares:
    """Predict the shares of the test crops, and those of their middle, by each method from each number of subjects.

    Each is ridge regression whose penalty is chosen among the subjects that it is fitted to. Figures of a few subjects
    are means over several draws of them.

    Args:
        trained: crops with shares under `train` and `test`; `untrained` likewise.
        layer_sets: names of layers, by that of their set.
        asked: what is to be measured.
    """
    draws = SubjectBootstrap(trained["test"].subjects)
    unit = _units(trained["train"].shares, asked.structures.names)
    encoders = {
        name: {part: of_part.in_units(unit) for part, of_part in crops.items()}
        for name, crops in (("trained", trained), ("untrained", untrained))
    }
    ways: dict[Method, tuple[Mapping[str, LabelledCrops], Alternatives]] = {
        Method(encoder, name): (_of_layers(crops, layers), [partial(layer_features_of, layers=layers)])
        for encoder, crops in encoders.items()
        for name, layers in layer_sets.items()
    }
    without = _of_layers(encoders["trained"], [])
    ways |= {Method(name): (without, alternatives) for name, alternatives in share_baselines().items()}
    numbers = _numbers(asked.labelled_subjects, len(set(trained["train"].subjects)))
    shares: list[Share] = []
    for method, (crops, alternatives) in with_progress(
        ways.items(), "Predicting structure shares by method", total=len(ways)
    ):
        for number in numbers:
            drawn = draws_of_subjects(crops["train"].subjects, number, asked.seed)
            predicted = torch.stack(
                [_predict(alternatives, crops["train"].some(kept), crops["test"]) for kept in drawn]
            )
            shares += _measured(method, number, predicted, crops["test"], draws)
    structures = dict(zip(TARGETS, (unit > 0).sum(1).tolist(), strict=True))
    every = len(asked.structures.names) + asked.structures.left_out
    left_out = {target: every - number for target, number in structures.items()}
    return MeasuredShares(shares, asked.layers, draws, structures, left_out)


def _units(shares: torch.Tensor, names: Sequence[str]) -> torch.Tensor:
    """Standard deviations of shares [n, targets, S], [targets, S]; 0 of what next to no crop holds, which is told."""
    held = (shares > 0).sum(0) >= FEWEST_CROPS
    for target, of_target in zip(TARGETS, held, strict=True):
        if rare := [name for name, is_held in zip(names, of_target.tolist(), strict=True) if not is_held]:
            logger.warning(
                f"Left out of structure shares ({target}), as fewer than {FEWEST_CROPS} training crops hold them: "
                f"{some(rare)}; with more evaluation_crops, they may count."
            )
    return shares.std(0).where(held, 0.0)


def _of_layers(crops: Mapping[str, LabelledCrops], layers: Sequence[str]) -> dict[str, LabelledCrops]:
    return {part: of_part.with_layers(layers) for part, of_part in crops.items()}


def _numbers(asked: Sequence[int], there: int) -> list[int]:
    """Of labelled subjects, those that are there, and all."""
    return [*sorted({number for number in asked if number < there}), there]


def _predict(alternatives: Alternatives, train: LabelledCrops, test: LabelledCrops) -> torch.Tensor:
    """Of the targets of the test crops, [targets, n, S], by the best alternative for left-out training subjects."""
    found: list[list[tuple[float, torch.Tensor]]] = [[] for _ in TARGETS]
    for fitted in alternatives:
        features = fitted(train.crops)
        probe, seen = SubjectRidge(features(train.crops), train.subjects), features(test.crops)
        for i, of_target in enumerate(found):
            probe.fit(train.shares[:, i])
            of_target.append((probe.error, probe(seen)))
    return torch.stack([min(of_target, key=lambda one: one[0])[1] for of_target in found])


def _measured(
    method: Method, number: int, predicted: torch.Tensor, test: LabelledCrops, draws: SubjectBootstrap
) -> Iterator[Share]:
    """By target, from what is predicted in each draw of labelled subjects, [draws, targets, n, S]."""
    for i, target in enumerate(TARGETS):
        said, true = predicted[:, i], test.shares[:, i]
        r2 = torch.stack([structure_r2(draws, one, true) for one in said]).mean(0)
        errors = np.mean([structure_error(one, true, test.subjects) for one in said], axis=0)
        yield Share(method, target, number, r2, errors)
