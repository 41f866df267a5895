"""What networks of patches say of an image, and how far their maps go with its mask and with their own scores."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch

from ..metrics.heatmaps import localisation
from ..networks.bag_scores import Bag, bag_of, in_patches
from .grad_cam import GradCAMOfPatches
from .patch_networks import PatchNetwork
from .perturbation import perturbation

__all__ = ["GRAD_CAM", "RANDOM", "MapJudge"]

logger = logging.getLogger(__name__)

RANDOM, GRAD_CAM = "_random_map", "_grad_cam"


class MapJudge:
    """Gives of an image the scores of some networks and, where its mask holds lesion, figures of their maps.

    Beside these maps, one is drawn at random, of the first network; and one is Grad-CAM of a network of pooling `mean`,
    or where there is none, of the first network's classifier as if it were pooled so.

    Args:
        networks: that are compared.
        inferer: runs a network on the tiles of an image.
        device: where.
        steps: of deletion and insertion; 0: neither.
        seed: of random maps.
    """

    def __init__(
        self, networks: Sequence[PatchNetwork], inferer: Callable, device: torch.device, steps: int, seed: int
    ) -> None:
        self.networks, self.inferer, self.device, self.steps = networks, inferer, device, steps
        self.random = torch.Generator().manual_seed(seed)
        averaged = next((one for one in networks if one.pooling == "mean"), networks[0])
        self.averaged = PatchNetwork(GRAD_CAM, averaged.network, "mean", averaged.min_attention)
        self.cam = GradCAMOfPatches(averaged.network)
        if averaged.pooling != "mean":
            logger.info("Grad-CAM is of this network's classifier of patches, averaged: no baseline has pooling mean.")

    def __call__(self, scan: Mapping, several: bool) -> dict[str, float | torch.Tensor]:
        """Under `score` and the suffix of each network its scores, [L]; and figures with the suffix of their map.

        Args:
            scan: `image` [1, C, X, Y, Z], `seen` and `label` (the mask) [1, 1, X, Y, Z], and `class_label`.
            several: there are more classes than two. Of two, the first has no map.
        """
        bags = {one.suffix: self._bag(one, scan["image"], scan) for one in self.networks}
        label, found = int(scan["class_label"]), dict[str, float | torch.Tensor]()
        found |= {f"score{suffix}": bag.score for suffix, bag in bags.items()}
        seen, marked = (
            in_patches(torch.as_tensor(scan[key]), bags[self.networks[0].suffix].attention.shape)[0]
            for key in ("seen", "label")
        )
        if not marked.any() or not (several or label):
            return found
        row = label if several else 0
        for one, suffix, heat in self._maps(bags, scan, row):
            said = localisation(heat, marked, seen)
            if self.steps:
                image, there = (torch.as_tensor(scan[key]) for key in ("image", "seen"))
                said |= perturbation(image, heat, there, self._score(one, scan, row), self.steps)
            found |= {f"{name}{suffix}": value for name, value in said.items()}
        return found

    def _maps(
        self, bags: Mapping[str, Bag], scan: Mapping, row: int
    ) -> Iterator[tuple[PatchNetwork, str, torch.Tensor]]:
        """Each map with the network whose score it explains, and its suffix."""
        for one in self.networks:
            yield one, one.suffix, one.heat(bags[one.suffix], row)
        first = self.networks[0]
        yield first, RANDOM, torch.rand(bags[first.suffix].attention.shape, generator=self.random)
        yield self.averaged, GRAD_CAM, self._run(self.cam.of_class(row), scan["image"])[0]

    def _score(self, one: PatchNetwork, scan: Mapping, row: int) -> Callable[[torch.Tensor], float]:
        return lambda image: float(self._bag(one, image, scan).score[row])

    def _bag(self, one: PatchNetwork, image: torch.Tensor, scan: Mapping) -> Bag:
        logits = self._run(one.network.eval(), image)
        seen = in_patches(torch.as_tensor(scan["seen"]), logits.shape[1:])[0]
        return bag_of(logits, seen, one.pooling, one.min_attention)

    def _run(self, network: Callable, image: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return self.inferer(torch.as_tensor(image).to(self.device), network)[0].cpu()
