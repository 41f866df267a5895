"""How well an encoder finds persons by what tables say of them, and what else would find them."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from ..losses.contig import ContIGLoss, mean_by_person
from ..metrics.location import Crops
from ..metrics.retrieval import column_cosines, drawn_medians, joined, own_ranks
from ..metrics.subject_bootstrap import SubjectBootstrap
from ..probes.standardise import Standardise
from ..probes.subject_ridge import SubjectRidge
from .drawn_metrics import join_metrics, metrics_of_draws
from .pretext_heads import trained_head

__all__ = ["PersonRetrieval"]

logger = logging.getLogger(__name__)

Split = Mapping[str, list[dict]]
Parts = Mapping[str, Crops]
Similarities = Mapping[str, torch.Tensor]  # by table, of persons' scans (rows) with persons' lines (columns)
Drawn = dict[str, dict[str, torch.Tensor]]


@dataclass(frozen=True)
class PersonRetrieval:
    """Persons, found by their lines in tables.

    Attributes:
        loss: as yet untrained, with the tables of all persons.
    """

    loss: ContIGLoss

    def trained(self, encoder: str) -> "PersonRetrieval | None":
        """With the head.pt that lies beside an encoder; None where there is none."""
        head = trained_head(self.loss, encoder)
        return None if head is None else PersonRetrieval(head)

    def measure(self, ours: Parts, theirs: Parts, split: Split) -> tuple[dict, Drawn]:
        """Metrics of test persons, each of whom is to be found among all of them.

        Args:
            ours: crops of the parts `train` and `test`, as the encoder sees them, with their `size`; `theirs`: as the
                untrained one does.
            split: scans of these parts, each with its `person`.

        Returns:
            As `metrics_of_draws`, and what it takes: `retrieval_top1`, the share of persons whose own line is the most
            similar to the mean of their crops; `retrieval_median_rank` of it; and `retrieval_top1_back`, the share of
            lines to which their own person's mean is the most similar. These are of all tables together, and with
            `_NAME` of each; of the encoder and its heads and, with further endings, where lines are compared with
            columns that a ridge regression predicts from the encoder's features (`_ridge`), the untrained one's
            (`_random_encoder`) and the size of the body (`_size`). `retrieval_chance` is what guesses reach, and
            `persons` how many there are.
        """
        embedding, persons = _by_person(ours, "test", split)
        found: dict[str, Similarities] = {"": self.loss.similarities(embedding, persons)}
        for ending, parts, kind in (
            ("_ridge", ours, "embedding"),
            ("_random_encoder", theirs, "embedding"),
            ("_size", ours, "size"),
        ):
            found[ending] = self._by_ridge(
                _by_person(parts, "train", split, kind), _by_person(parts, "test", split, kind)
            )
        metrics, drawn = _metrics({ending: joined(one) for ending, one in found.items()}, "")
        for name in self.loss.heads.names:
            of_table, draws = _metrics({ending: one[name] for ending, one in found.items()}, f"_{name}")
            metrics = join_metrics(metrics, of_table)
            drawn = {ending: drawn[ending] | draws.get(ending, {}) for ending in drawn}
        logger.info(_summary(metrics))
        return metrics, drawn

    def _by_ridge(
        self, train: tuple[torch.Tensor, torch.Tensor], test: tuple[torch.Tensor, torch.Tensor]
    ) -> Similarities:
        """Of lines with what a ridge says of persons, fitted to features [P, D] of those who train."""
        heads, found = self.loss.heads, {}
        for i, name in enumerate(heads.names):
            known = heads.in_table(i, train[1])
            said = _ridge(train[0][known], heads.lines(i, train[1][known]), test[0])
            found[name] = column_cosines(said, heads.lines(i, test[1]))
        return found


def _ridge(features: torch.Tensor, lines: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """Columns of others, [M, C], by their features [M, D], as those of N persons go with theirs; of none, 0 for all."""
    if len(features) < 2:
        return torch.zeros(len(others), lines.shape[1])
    scale = Standardise(features)
    return SubjectRidge(scale(features), range(len(features))).fit(lines.nan_to_num(0))(scale(others))


def _by_person(parts: Parts, part: str, split: Split, kind: str = "embedding") -> tuple[torch.Tensor, torch.Tensor]:
    """Mean over the crops of each person of what they are like, [P, D], and the persons' numbers, [P]."""
    crops, person = parts[part], {scan["scan"]: scan["person"] for scan in split[part]}
    values = crops.embedding if kind == "embedding" else crops.known[kind]
    return mean_by_person(values.float(), torch.tensor([person[int(scan)] for scan in crops.scan]))


def _metrics(similarities: Similarities, ending: str) -> tuple[dict, Drawn]:
    """Of one table, or of all; `similarities` are by the ending of what they are of."""
    ranks = {of: own_ranks(similarity) for of, similarity in similarities.items()}
    number = len(ranks[""])
    metrics: dict = {f"persons{ending}": number}
    if number < 2:
        return metrics | {"intervals": {}, "differences": {}}, {of: {} for of in similarities}
    draws = SubjectBootstrap(range(number))
    drawn = {
        of: {
            f"retrieval_top1{ending}": draws.crop_means((ranks[of] == 1)[:, None])[:, 0],
            f"retrieval_median_rank{ending}": drawn_medians(ranks[of], draws),
            f"retrieval_top1_back{ending}": draws.crop_means((_ranks_back(similarity) == 1)[:, None])[:, 0],
        }
        for of, similarity in similarities.items()
    }
    return metrics | {f"retrieval_chance{ending}": 1 / number} | metrics_of_draws(drawn, draws), drawn


def _ranks_back(similarity: torch.Tensor) -> torch.Tensor:
    known = ~similarity.isnan().all(0)
    return own_ranks(similarity[known][:, known].T)


def _summary(metrics: dict) -> str:
    if metrics["persons"] < 2:
        return "There are no two test persons who are in a table, so that nobody is to be found."
    others = {"_ridge": "by a ridge", "_random_encoder": "of an untrained encoder", "_size": "by body size alone"}
    beside = ", ".join(f"{metrics[f'retrieval_top1{ending}']:.3f} {words}" for ending, words in others.items())
    return (
        f"Of {metrics['persons']} test persons, {metrics['retrieval_top1']:.3f} are found by their tables at once "
        f"(chance {metrics['retrieval_chance']:.3f}; {beside}); median rank {metrics['retrieval_median_rank']:g}."
    )
