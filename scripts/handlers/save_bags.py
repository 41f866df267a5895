"""What inference says of each scan as a whole, and which of its places say so: a table, maps, and a page."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from ignite.engine import Engine, Events
from monai.data import MetaTensor
from monai.data.utils import correct_nifti_header_if_necessary

from ..data.nifti import load_scan
from ..data.structures import Structures
from ..networks.bag_scores import Bag, class_of
from .save_each_scan import SaveEachScan
from .spread_patches import PatchGrid, patch_affine

__all__ = ["SaveBags", "ShownBag"]

logger = logging.getLogger(__name__)

MOST = 12  # scans on the page


@dataclass(frozen=True)
class ShownBag:
    """What the page shows of a scan.

    Attributes:
        name: of its files.
        path: of the scan.
        scores: of each class, by its name.
        before: likewise, before a person corrected it; none where nobody did.
        said: the class that it is said to be.
        place: mm of the patch that has most to do with it.
        maps: `local`, `attention`, `contribution`, and `contribution before` where it was corrected; [1, px, py, pz].
    """

    name: str
    path: str
    scores: dict[str, float]
    before: dict[str, float]
    said: str
    place: tuple[float, float, float]
    maps: dict[str, MetaTensor]


class SaveBags(SaveEachScan):
    """Writes NAME_local.nii.gz, NAME_attention.nii.gz, NAME_contribution.nii.gz and a line to scores.csv of each scan.

    Maps are on the scan's voxels, of the class that it is said to be (of two, of the second): the probability of the
    nearest patch, its attention, and its contribution to the score, shared by all voxels that are nearest to it, so
    that those of a scan sum to its score, unless the pooling is another than interactive. Outside of what the network
    saw, the body's box, all are 0.

    scores.csv has the columns image, subject, scan (the NAME of its files), class (the one with the largest score,
    `none` where all are 0), score (that of the class of the maps), the score of each class, attended (the sum of
    attention, in patches), patches (their number), and, where a person corrected it, `before` the scores.

    Args:
        output_dir: where the files go. A NAME that occurs again has the subject before it, then a number behind.
        classes: in the order of their numbers.
        regions: where a person corrects it; empty ones are none.
        write_page: gets the path of a page, and the scans that are shown on it, after the last of them.
    """

    def __init__(
        self,
        output_dir: str,
        classes: Structures,
        regions: Sequence[object] = (),
        write_page: Callable | None = None,
    ) -> None:
        self.corrected = any(regions)
        before = [f"before {name}" for name in classes.names] if self.corrected else []
        columns = ["scan", "class", "score", *classes.names, "attended", "patches", *before]
        super().__init__(output_dir, "scores.csv", columns)
        self.names = classes.names
        self.write_page, self.shown = write_page, list[ShownBag]()

    def attach(self, engine: Engine) -> None:
        """Attach to a MONAI evaluator whose batches are single scans."""
        super().attach(engine)
        if self.write_page is not None:
            engine.add_event_handler(Events.COMPLETED, self._page)

    def save(self, scan: Mapping, found: Mapping) -> tuple[list, str]:
        """Of the `bag` and `before` that `BagMapsd` makes of what the network says, and what of the scan was `seen`."""
        bag, before = found["bag"], found["before"]
        whole = correct_nifti_header_if_necessary(load_scan(scan["image"].meta["filename_or_obj"]))
        scores = bag.scores(self.names)
        seen = torch.as_tensor(scan["seen"])[0] > 0
        size, patches = list(seen.shape), list(bag.attention.shape)
        affine = np.asarray(scan["image"].affine, dtype=float)
        grid = PatchGrid(whole.affine, whole.shape[:3], affine, size, _extent(seen), patches)
        row = self._row(bag)
        self.write(grid.each(bag.local[row])[None], "local", scan)
        self.write(grid.each(bag.attention)[None], "attention", scan)
        contribution = bag.contribution[row]
        text = f"sums to {float(contribution.sum()):.6f}; of {self.names[row if len(bag.local) > 1 else 1]}"
        self.write(grid.spread(contribution)[None], "contribution", scan, description=text)
        if len(self.shown) < MOST:
            self.shown.append(self._show(scan, bag, before, patch_affine(affine, size, patches)))
        values = [self._name(scan), class_of(scores), float(bag.score[row]), *scores.values()]
        values += [round(float(bag.attention.sum()), 4), bag.patches]
        values += list(before.scores(self.names).values()) if self.corrected else []
        return values, self._sentence(bag, before)

    def _row(self, bag: Bag) -> int:
        return int(bag.score.argmax())

    def _sentence(self, bag: Bag, before: Bag) -> str:
        text = self._with_score(bag)
        if self.corrected:
            text += f", before {self._with_score(before)}"
        if bag.attention.sum() < bag.least:
            text += "; hardly anything is attended to, so that its score is low whatever is there"
        return text

    def _with_score(self, bag: Bag) -> str:
        scores = bag.scores(self.names)
        return f"{class_of(scores)} ({max(scores.values()):.3f})"

    def _show(self, scan: Mapping, bag: Bag, before: Bag, affine: np.ndarray) -> ShownBag:
        row = self._row(bag)
        maps = {"local": bag.local[row], "attention": bag.attention, "contribution": bag.contribution[row]}
        if self.corrected:
            maps |= {"contribution before": before.contribution[row]}
        most = np.unravel_index(int(bag.contribution[row].argmax()), bag.attention.shape)
        x, y, z = (affine @ [*most, 1])[:3].tolist()
        return ShownBag(
            self._name(scan),
            scan["image"].meta["filename_or_obj"],
            bag.scores(self.names),
            before.scores(self.names) if self.corrected else {},
            class_of(bag.scores(self.names)),
            (x, y, z),
            {name: MetaTensor(values[None].float(), affine=torch.from_numpy(affine)) for name, values in maps.items()},
        )

    def _page(self) -> None:
        assert self.write_page is not None
        self.write_page(self.output_dir / "report.html", self.shown, len(self.lines))


def _extent(seen: torch.Tensor) -> list[int]:
    """Voxels along each axis that are no padding, which comes behind."""
    return [int(seen.any(dim=[other for other in range(3) if other != axis]).sum()) for axis in range(3)]
