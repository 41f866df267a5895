"""What inference says of each scan: one score, a map of lesion probabilities in the scan's own grid, a table of all."""

import logging
from collections.abc import Callable
from pathlib import Path

import torch
from ignite.engine import Engine, Events
from monai.data import MetaTensor
from monai.inferers import Inferer, SlidingWindowInferer
from monai.transforms import LoadImage, ResampleToMatch
from nibabel.affines import apply_affine
from torch import nn

from .atomic import write_csv_atomically
from .errors import InputError
from .scan_outputs import free_name, write_nifti

__all__ = ["SaveLesionMaps", "WindowInferer", "check_threshold"]

logger = logging.getLogger(__name__)


class WindowInferer(Inferer):
    """`SlidingWindowInferer` for a network with one logit a crop: a window's voxels all have its logit.

    Where windows overlap, their logits are averaged, those with the voxel near their centre counting more.

    Args:
        crop_size: voxels, [X, Y, Z].
        overlap: of neighbouring windows, as a share of their size.
        batch_size: windows that run at once.
        inferer: runs the network on a batch of windows.

    Raises:
        InputError: the overlap is no share.
    """

    def __init__(self, crop_size: list[int], overlap: float, batch_size: int, inferer: Callable) -> None:
        super().__init__()
        if not isinstance(overlap, (int, float)) or not 0 <= overlap < 1:
            raise InputError(f"overlap is {overlap}: give a share of the crops' size, from 0 to below 1.")
        self.inferer, self.crop_size = inferer, crop_size
        self.windows = SlidingWindowInferer(crop_size, batch_size, overlap, mode="gaussian")

    def __call__(self, inputs: torch.Tensor, network: nn.Module, *args, **kwargs) -> torch.Tensor:
        """Logits [1, 1, X, Y, Z] of a scan [1, C, X, Y, Z]."""
        return self.windows(inputs, lambda crops: self._spread(self.inferer(crops, network, *args, **kwargs)))

    def _spread(self, logits: torch.Tensor) -> torch.Tensor:
        return logits[:, :, None, None, None].repeat(1, 1, *self.crop_size)


def check_threshold(threshold: float) -> None:
    """Raise an `InputError` unless a threshold is a probability."""
    if not isinstance(threshold, (int, float)) or not 0 <= threshold <= 1:
        raise InputError(f"threshold is {threshold}: give a probability, from 0 to 1.")


class SaveLesionMaps:
    """Writes NAME_lesions.nii.gz, and a line to scores.csv, after each scan.

    The map has lesion probabilities on the scan's voxels, 0 outside the body's box. scores.csv has the columns image,
    subject, score (the largest probability of the network's map), x, y, z (where the scan's is largest, mm in scanner
    coordinates) and lesion (1 where the score is at least the threshold).

    Args:
        output_dir: where the files go. A NAME that occurs again has the subject before it, then a number behind.
        threshold: probability from which a scan is said to have a lesion.

    Raises:
        InputError: the threshold is no probability.
    """

    def __init__(self, output_dir: str, threshold: float) -> None:
        check_threshold(threshold)
        self.output_dir, self.threshold, self.done = Path(output_dir), threshold, {}

    def attach(self, engine: Engine) -> None:
        """Attach to a MONAI evaluator whose batches are single scans, with lesion_map [1, X, Y, Z] and pred [1]."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._save)

    def _save(self, engine: Engine) -> None:
        (scan_read,), (found,) = engine.state.batch, engine.state.output
        image, subject = scan_read["image"], scan_read["subject"]
        source, probability = image.meta["filename_or_obj"], found["lesion_map"].cpu().float()
        name = free_name(subject, source, self.done)
        scan = LoadImage(ensure_channel_first=True)(source)
        inside = ResampleToMatch(mode="bilinear", padding_mode="zeros")
        lesions = inside(MetaTensor(probability, affine=image.affine), scan).as_tensor()
        write_nifti(lesions, scan.affine, self.output_dir / f"{name}_lesions.nii.gz")
        highest = torch.unravel_index(lesions[0].argmax(), lesions.shape[1:])
        place = apply_affine(scan.affine.numpy(), [int(index) for index in highest])
        score = float(found["pred"])
        self.done[name] = [source, subject, score, *place.round(1).tolist(), int(score >= self.threshold)]
        header = ["image", "subject", "score", "x", "y", "z", "lesion"]
        write_csv_atomically(self.output_dir / "scores.csv", [header, *self.done.values()])
        logger.info(f"{name}: score {score:.3f} ({len(self.done)} of {len(engine.data_loader)} scans)")
