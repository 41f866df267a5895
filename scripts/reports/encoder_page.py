"""The page about an encoder: its figures, from what its evaluation left behind, and a map over a test scan."""

import csv
import json
import logging
from pathlib import Path

import numpy as np
import torch
from monai.utils import optional_import
from torch import nn

from ..inferers.grid import GridInferer, grid_affine
from ..metrics.location import Crops, distance_pairs
from ..probes.component_map import component_map
from ..probes.principal_components import PrincipalComponents
from .encoder_table import write_report
from .figures import (
    Figure,
    distance_agreement,
    embedding_map_2d,
    loss_curves,
    principal_components,
    scan_map,
    umap_points,
)

__all__ = ["report_encoder"]

logger = logging.getLogger(__name__)

UMAP_CROPS = 2000


def report_encoder(
    output_dir: str,
    run_dir: str,
    title: str,
    network: nn.Module,
    inferer: GridInferer,
    scan: dict,
    device: torch.device,
) -> None:
    """Write report.html and its figures.

    Args:
        output_dir: where `evaluate_encoder` wrote, and where the report goes.
        run_dir: of the training run, for its losses and settings, as far as they are there.
        title: of the page.
        network: with the encoder's weights.
        inferer: embeds the scan on a grid.
        scan: a preprocessed item with the `image` [1, X, Y, Z] of a test subject.
        device: where to.
    """
    if not optional_import("matplotlib")[1]:
        logger.warning("Without matplotlib there are no figures and no report: pip install matplotlib umap-learn.")
        return
    folder, run = Path(output_dir), Path(run_dir)
    with np.load(folder / "embeddings.npz") as stored:
        arrays = {name: torch.from_numpy(stored[name]) for name in stored}
    metrics = json.loads((folder / "metrics.json").read_text())
    figures = [*_losses(run), *_embedding_figures(arrays)]
    figures.append(_map_figure(network, inferer, scan, PrincipalComponents.load(folder / "basis.npz"), device))
    settings = {path.stem: json.loads(path.read_text()) for path in _settings(folder, run)}
    page = write_report(folder, title, metrics, figures, settings)
    logger.info(f"Report: {page}")


def _losses(run: Path) -> list[Figure]:
    """Loss curves, if the run's history is there."""
    if not (run / "history.csv").is_file():
        return []
    with open(run / "history.csv", newline="") as file:
        rows = [{key: float(value or "nan") for key, value in row.items()} for row in csv.DictReader(file)]
    return [loss_curves({key: np.array([row[key] for row in rows]) for key in rows[0]})]


def _embedding_figures(arrays: dict[str, torch.Tensor]) -> list[Figure]:
    crops = Crops(*(arrays[name] for name in ("embedding", "location", "scan", "intensities")))
    untrained = Crops(arrays["embedding_random_encoder"], crops.location, crops.scan, crops.intensities)
    latent, physical, _ = (pairs.numpy() for pairs in distance_pairs(crops))
    figures = [distance_agreement(latent, physical, distance_pairs(untrained)[0].numpy())]
    scores, location = arrays["components"].numpy(), crops.location.numpy()
    figures.append(principal_components(scores, location))
    drawn = np.random.RandomState(0).permutation(len(location))[:UMAP_CROPS]
    points = umap_points(crops.embedding.numpy()[drawn], seed=0)
    if points is not None:
        caption = "UMAP of the embeddings of test crops (no unit), coloured by where in the body each crop lies."
        figures.append(embedding_map_2d("umap", "UMAP", caption, points, location[drawn]))
    for first, second in ((0, 1), (0, 2)):
        title = f"Principal components {first + 1} and {second + 1}"
        caption = "Two principal components of the embeddings of test crops, coloured by where each crop lies."
        name = f"components_{first + 1}_{second + 1}"
        figures.append(embedding_map_2d(name, title, caption, scores[:, [first, second]], location))
    return figures


def _map_figure(network, inferer: GridInferer, scan: dict, basis: PrincipalComponents, device: torch.device) -> Figure:
    image = scan["image"]
    others = {key: [value.to(device) if isinstance(value, torch.Tensor) else value] for key, value in scan.items()}
    with torch.no_grad():
        embedding = inferer(image[None].to(device), network.eval(), **others)[0]
    affine = grid_affine(image.affine, inferer.crop_size, inferer.stride)
    colours = component_map(embedding, affine, basis, image)
    return scan_map(image[0].numpy(), colours.numpy(), tuple(image.pixdim.tolist()))


def _settings(folder: Path, run: Path) -> list[Path]:
    """Settings of the evaluation and of the training run, as far as they are there."""
    paths = (folder / "evaluate_config.json", run / "config.json")
    return [path for path in paths if path.is_file()]
