"""What inference leaves of each scan: embeddings with their places in mm, and a map in the scan's own grid."""

import logging
import math
from pathlib import Path

import numpy as np
import torch
from ignite.engine import Engine, Events
from monai.data import MetaTensor
from monai.transforms import LoadImage, ResampleToMatch
from torch import nn

from ..atomic import savez_atomically
from ..errors import InputError
from ..inferers.grid import grid_affine, grid_centres
from ..networks.weights import fingerprint
from ..probes.component_map import component_map
from ..probes.principal_components import PrincipalComponents
from .scan_files import free_name, write_nifti

__all__ = ["SaveEmbeddings"]

logger = logging.getLogger(__name__)

BASIS_CROPS = 2000  # of a scan, for the principal components of all


class SaveEmbeddings:
    """Writes NAME_embeddings.npz after each scan and, when all are done, NAME_components.nii.gz.

    The .npz has `embedding` [N, D], `centre_mm` [N, 3] in scanner coordinates, and the grid that they lie on:
    `grid_shape` [3] and `grid_affine` [4, 4]. The map has three channels in [0, 1] on the scan's voxels, and is 0
    outside the body's box.

    Args:
        output_dir: where the files go. A NAME that occurs again has the subject before it, then a number behind.
        basis: .npz of this encoder's principal components; fitted to all these scans and written if it is not there.
        crop_size: voxels, [X, Y, Z].
        stride: voxels from one crop to the next.

    Raises:
        InputError: the principal components are of another encoder.
    """

    def __init__(self, output_dir: str, basis: str, crop_size: list[int], stride: int) -> None:
        self.output_dir, self.basis = Path(output_dir), Path(basis)
        self.crop_size, self.stride = crop_size, stride
        self.done: dict[str, tuple[str, torch.Size, torch.Tensor]] = {}

    def attach(self, engine: Engine) -> None:
        """Attach to a MONAI evaluator whose batches are single scans."""
        engine.add_event_handler(Events.STARTED, self._check_basis)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._save_embeddings)
        engine.add_event_handler(Events.COMPLETED, self._save_maps)

    def _check_basis(self, engine: Engine) -> None:
        if self.basis.is_file() and int(PrincipalComponents.load(self.basis).encoder) != fingerprint(engine.network):
            raise InputError(
                f"The principal components in {self.basis} are of another encoder: give basis that of this encoder's "
                "evaluation, or a new name, to have them made of these scans."
            )

    def _save_embeddings(self, engine: Engine) -> None:
        image, embedding = engine.state.batch["image"][0], engine.state.output["pred"][0].cpu()
        name = free_name(engine.state.batch["subject"][0], image.meta["filename_or_obj"], self.done)
        shape, affine = embedding.shape[1:], grid_affine(image.affine, self.crop_size, self.stride)
        savez_atomically(
            self.output_dir / f"{name}_embeddings.npz",
            embedding=embedding.flatten(1).T.numpy(),
            centre_mm=grid_centres(affine, shape).numpy(),
            grid_shape=np.array(shape),
            grid_affine=affine.numpy(),
        )
        self.done[name] = (image.meta["filename_or_obj"], image.shape[1:], image.affine)
        logger.info(f"{name}: {shape.numel()} embeddings ({len(self.done)} of {len(engine.data_loader)} scans)")

    def _save_maps(self, engine: Engine) -> None:
        basis = self._basis(engine.network)
        for name, (source, box_shape, box_affine) in self.done.items():
            box = MetaTensor(torch.ones(1, *box_shape), affine=box_affine)
            scan = LoadImage(ensure_channel_first=True)(source)
            embedding, affine = self._grid(name)
            inside = ResampleToMatch(mode="nearest", padding_mode="zeros")(box, scan)
            values = component_map(embedding, affine, basis, scan) * inside
            write_nifti(values, source, self.output_dir / f"{name}_components.nii.gz")
        logger.info(f"{len(self.done)} maps are in {self.output_dir}; their principal components are {self.basis}.")

    def _grid(self, name: str) -> tuple[torch.Tensor, torch.Tensor]:
        with np.load(self.output_dir / f"{name}_embeddings.npz") as stored:
            grid = stored["embedding"].T.reshape(-1, *stored["grid_shape"])
            return torch.from_numpy(grid), torch.from_numpy(stored["grid_affine"])

    def _basis(self, network: nn.Module) -> PrincipalComponents:
        if not self.basis.is_file():
            grids = [self._grid(name)[0].flatten(1).T for name in self.done]
            few = [grid[:: math.ceil(len(grid) / BASIS_CROPS)] for grid in grids]
            PrincipalComponents(torch.cat(few), encoder=fingerprint(network)).save(self.basis)
        return PrincipalComponents.load(self.basis)
