"""Maps of what the places of scans add, in the scans' own grids."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import LoadImage
from monai.utils import convert_to_tensor

from ..evaluation.explanations import Question, ScanMap, TestedPersons, explain_scan
from ..progress import with_progress
from .scan_files import free_name, in_grid_of, write_nifti

__all__ = ["ExplainedScan", "explain_scans", "own_grid"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ExplainedScan:
    """A scan with its maps.

    Attributes:
        name: of its files.
        subject: whose it is.
        image: as it was prepared, [1, X, Y, Z].
        maps: by the ending of the model.
    """

    name: str
    subject: str
    image: MetaTensor
    maps: dict[str, ScanMap]


def explain_scans(
    asked: Mapping[str, Question], persons: TestedPersons, number: int, steps: int, output_dir: str
) -> list[ExplainedScan]:
    """Explain the first so many persons' scans, and write NAME_explained.nii.gz of each; of others, with their ending.

    A map has the attribution of each voxel of the scan's own grid, 0 outside the body's box. Values are interpolated,
    and scaled by the volume of a voxel, so that they add up to nearly what those of the prepared scan do.

    Args:
        asked: by the ending of the model.
        persons: who is tested.
        number: of persons, of those of whom it can be asked.
        steps: of each integral.
        output_dir: where the files go.
    """
    known = torch.stack([one.contrast.known for one in asked.values()]).all(0)
    numbers = known.nonzero()[:number, 0].tolist()
    made: dict[str, ExplainedScan] = {}
    for i in with_progress(numbers, "Explaining scan"):
        item = persons.scans[i]
        image = persons.prepare(item)["image"]
        path = image.meta["filename_or_obj"]
        name = free_name(item["subject"], path, made)
        maps = {ending: explain_scan(image, one, i, persons.embed, steps) for ending, one in asked.items()}
        for ending, one in maps.items():
            write_nifti(own_grid(one, path), path, Path(output_dir) / f"{name}_explained{ending}.nii.gz")
        made[name] = ExplainedScan(name, item["subject"], image, maps)
        said = "; ".join(_said(ending, one) for ending, one in maps.items())
        logger.info(f"{name}: {said} ({len(made)} of {len(numbers)} scans)")
    return list(made.values())


def own_grid(found: ScanMap, path: str) -> torch.Tensor:
    """A map on the voxels of the scan's file, [1, X, Y, Z]."""
    whole = LoadImage(ensure_channel_first=True)(path)
    volume = [abs(np.linalg.det(np.asarray(affine)[:3, :3])) for affine in (whole.affine, found.attribution.affine)]
    values = in_grid_of(whole, found.attribution.as_tensor(), found.attribution.affine)
    return convert_to_tensor(values) * (volume[0] / volume[1])


def _said(ending: str, found: ScanMap) -> str:
    whose = "by the control, voxels" if ending else "voxels"
    return (
        f"{whose} add {found.added:.4f} to the similarity of air, and their attributions add up to "
        f"{found.added + found.error:.4f}, {abs(found.error):.4f} off"
    )
