"""Landmarks of a scan, found again where they are marked in others."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

import torch
from monai.inferers import Inferer
from monai.utils import convert_to_tensor

from ..data.landmarks import MarkedScan, landmark_names
from ..errors import some
from ..inferers.grid import GridInferer, grid_affine, grid_centres
from .body_box import place_in_box
from .loaded_scan import is_in_file, own_places
from .matching import has_contrast, is_near, refine
from .place_regression import PlaceRegression
from .reference import Reference, reference_of

__all__ = ["LandmarkInferer"]

logger = logging.getLogger(__name__)

UNKNOWN = torch.full((1,), torch.nan, dtype=torch.float64)  # confidence in what was not sought
BEYOND = 4.0  # voxels; the body's box leaves out its outermost, a nose's tip
AGREEING = 5.0  # voxels from the median of all, at most


class LandmarkInferer(Inferer):
    """Finds landmarks, coarse to fine; in a scan in which they are marked, they are where the marks are.

    An encoder says where the crops around each landmark would be in the scan (`PlaceRegression`): 27 of them, whose
    displacements are averaged. From there, and from the same place in the body's box, which is nearer in scans that an
    encoder does not know, the intensities around the landmark are matched (`refine`); the better match is taken. Of
    several scans with the landmark, the places' median is taken, along each axis, and the confidence is the median
    correlation times the share of scans that agree.

    Args:
        marked: scans in which landmarks are marked; embedded by the network that the first call brings.
        preprocessing: of their items, as of the scans in which landmarks are sought.
        windows: embed crops of a scan on a grid.
        lowest_confidence: below, a landmark is said not to be in a scan.
    """

    def __init__(
        self, marked: Sequence[MarkedScan], preprocessing: Callable, windows: GridInferer, lowest_confidence: float
    ) -> None:
        super().__init__()
        self.marked, self.preprocessing, self.windows = marked, preprocessing, windows
        self.lowest_confidence, self.names = lowest_confidence, landmark_names(marked)
        self.references: list[Reference] = []
        self.network: Callable | None = None  # that embedded them

    def __call__(self, inputs: torch.Tensor, network: Callable, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Where the landmarks are in a scan.

        Args:
            inputs: the scan, [1, C, X, Y, Z], at least as large as a crop. Its metadata tell whether it is marked.
            network: whose output for crops [B, C, x, y, z] is [B, D].
            args, kwargs: unused.

        Returns:
            x, y and z in voxels, and the confidence, from 0 to 1: [1, K, 4], float64, in the order of
            `landmark_names`. Where a landmark is not in the scan, x, y and z are nan; so they are where it would lie
            outside of the file that the scan was loaded from, or more than `BEYOND` outside of the body's box. The
            confidence is nan where the scan itself is marked.
        """
        places = {name: torch.cat([place, UNKNOWN]) for name, place in own_places(inputs[0], self.marked).items()}
        if sought := [name for name in self.names if name not in places]:
            places |= self._find(sought, inputs, network)
        return torch.stack([places[name] for name in self.names])[None]

    def _find(self, names: Sequence[str], inputs: torch.Tensor, network: Callable) -> dict[str, torch.Tensor]:
        self._embed_marked(network, inputs.device)
        image = convert_to_tensor(inputs)
        place_of = self._place_regression(image, network)
        votes: dict[str, list[torch.Tensor]] = {name: [] for name in names}
        for reference in self.references:
            starts = torch.stack([reference.by_embeddings(place_of), place_in_box(reference.shares, image[0])], 1)
            for name, begun, patches in zip(reference.names, starts, reference.patches, strict=True):
                if name in votes:
                    votes[name].append(_best([refine(start, patches, image[0]) for start in begun]))
        return {name: self._agreed(of_one, inputs[0]) for name, of_one in votes.items()}

    def _embed_marked(self, network: Callable, device: torch.device) -> None:
        if self.network is not network:
            number = sum(len(scan.landmarks) for scan in self.marked)
            logger.info(f"Embedding the surroundings of {number} marked landmarks.")
            self.references = [
                reference_of(scan, self.preprocessing, self.windows, network, device) for scan in self.marked
            ]
            self.network = network
            for scan, reference in zip(self.marked, self.references, strict=True):
                _warn_of_air(scan, reference)

    def _place_regression(self, image: torch.Tensor, network: Callable) -> PlaceRegression:
        grid = self.windows(image, network)[0].cpu()
        affine = grid_affine(torch.eye(4), self.windows.crop_size, self.windows.stride)
        return PlaceRegression(grid.flatten(1).T, grid_centres(affine, grid.shape[1:]))

    def _agreed(self, votes: list[torch.Tensor], scan: torch.Tensor) -> torch.Tensor:
        found = torch.stack(votes).quantile(0.5, dim=0)
        away = (torch.stack(votes)[:, :3] - found[:3]).norm(dim=1)
        found[3] *= (away <= AGREEING).double().mean()
        is_there = is_near(found[:3], scan, BEYOND) and is_in_file(found[:3], scan)
        if found[3] < self.lowest_confidence or not is_there:
            found[:3] = torch.nan
        return found


def _warn_of_air(scan: MarkedScan, reference: Reference) -> None:
    """Log which marks have nothing around them that could be found in another scan."""
    patches = zip(reference.names, reference.patches, strict=True)
    if flat := [name for name, of_one in patches if not has_contrast(of_one)]:
        logger.warning(
            f"{scan.image}: around {some(flat)} all has one intensity, as air has, and is found in no other scan: look "
            "at landmarks.html, which shows where marks are, and correct them."
        )


def _best(matches: list[tuple[torch.Tensor, float]]) -> torch.Tensor:
    """The place with the largest correlation, and that, not below 0, [4]."""
    place, correlation = max(matches, key=lambda match: match[1])
    return torch.cat([place, place.new_tensor([max(correlation, 0.0)])])
