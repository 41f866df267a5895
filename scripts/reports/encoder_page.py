"""The page about an encoder: its figures, from what its evaluation left behind, and a map over a test scan."""

import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from monai.utils import optional_import
from torch import nn

from ..inferers.grid import GridInferer, grid_affine
from ..metrics.subject_bootstrap import FEWEST
from ..probes.component_map import component_map
from ..probes.principal_components import PrincipalComponents
from .encoder_figures import (
    component_names,
    distance_agreement,
    embedding_map_2d,
    loss_curves,
    principal_components,
    umap_points,
)
from .encoder_table import ENCODER, layer_columns, metric_lines
from .figure import Figure
from .head import head_of_evaluation, head_of_run, made, read_history, read_settings
from .page import format_number, write_page
from .pretext_table import pretext_rows
from .retrieval_table import RETRIEVAL_COLUMNS, retrieval_rows
from .scan_figure import scan_map
from .share_tables import ShareTable, share_figure, share_tables

__all__ = ["report_encoder", "write_report"]

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
    metrics, history = json.loads((folder / "metrics.json").read_text(encoding="utf-8")), read_history(run)
    settings = {
        name: read_settings(path / f"{name}.json") for name, path in (("evaluate_config", folder), ("config", run))
    }
    figures = [loss_curves(history)] if history else []
    with np.load(folder / "embeddings.npz") as stored:
        figures += _embedding_figures(dict(stored), metrics)
    logger.info(f"Embedding a scan of {' × '.join(map(str, scan['image'].shape[1:]))} voxels for a map")
    table = folder / "structure_shares.csv"  # where scans have label maps
    shares = share_tables(table, metrics["structure_share_layers"]) if table.is_file() else []
    figures += [share_figure(shares)] if shares else []
    figures.append(_map_figure(network, inferer, scan, PrincipalComponents.load(folder / "basis.npz"), device))
    head = head_of_run(settings["config"], history, metrics["encoder"])
    head |= head_of_evaluation(metrics, settings["evaluate_config"]) | made(settings["evaluate_config"])
    logger.info(f"Drawing {len(figures)} figures")
    settings = {name: one for name, one in settings.items() if one}
    page = write_report(folder, title, head, metrics, figures, settings, shares)
    logger.info(f"Report: {page}")


def write_report(
    output_dir: str | Path,
    title: str,
    head: dict[str, str],
    metrics: dict,
    figures: list[Figure],
    settings: dict,
    shares: Sequence[ShareTable] = (),
) -> Path:
    """Write report.html (its path is returned), and figures/NAME.png and figures/NAME.csv for other uses.

    Args:
        output_dir: folder; it is made where it is missing.
        title: of the page; the `figures` follow in their order.
        head: what stands below the title, by name.
        metrics: as in metrics.json.
        settings: what the result depends on.
        shares: tables of structure shares.
    """
    lines = metric_lines(metrics)
    measured = {line.label: line for line in lines if line.values[ENCODER] is not None}
    compared = [line for line in lines if any(first == ENCODER for first, _ in line.differences)]
    counts = {
        "rows": sum(bool(line.better) for line in compared),
        "lost": sum(bool(line.told(ENCODER, "worse")) for line in compared),
        "unsure": sum(bool(line.told(ENCODER, "unsure")) for line in compared),
    }
    content: dict = {"encoder": ENCODER, "lines": lines, "measured": measured, "counts": counts}
    layers = metrics.get("layers", {})
    content |= {
        "layers": layers,
        "layer_columns": layer_columns(layers),
        "layer_sets": settings.get("evaluate_config", {}).get("layer_sets", {}),
        "share_tables": shares,
        "pretext": pretext_rows(metrics, settings.get("evaluate_config", {}).get("control", "none")),
        "retrieval": retrieval_rows(metrics),
        "retrieval_columns": RETRIEVAL_COLUMNS,
        "structures": metrics.get("structure_share_structures", {}),
    }
    known = {"title": title, "facts": head, "subjects": metrics.get("subjects"), "fewest": FEWEST}
    details = {"All metrics": metrics, "Settings": settings}
    return write_page(Path(output_dir) / "report.html", "encoder.html", figures, details, **content, **known)


def _embedding_figures(arrays: dict[str, np.ndarray], metrics: dict) -> Iterator[Figure]:
    embedding, scores, location = (arrays[key] for key in ("embedding", "components", "location"))
    pairs = (
        torch.pdist(torch.from_numpy(arrays[key])).numpy()
        for key in ("embedding", "location", "embedding_random_encoder")
    )
    yield distance_agreement(*pairs)
    shares = scores.var(0) / embedding.var(0, dtype=np.float64).sum()
    yield principal_components(scores, shares, location, arrays["predicted_location_of_components"], _r2(metrics))
    drawn = np.random.RandomState(0).permutation(len(location))[:UMAP_CROPS]
    logger.info(f"UMAP of {len(drawn)} crops, which takes up to a minute")
    points = umap_points(embedding[drawn], seed=0)
    if points is not None:
        caption = "UMAP of the embeddings of test crops, coloured by where in the body each crop lies."
        names = ("first UMAP dimension", "second UMAP dimension")
        yield embedding_map_2d("umap", "UMAP", caption, points, location[drawn], names)
    named = component_names(shares)
    for first, second in ((0, 1), (0, 2)):
        title = f"Principal components {first + 1} and {second + 1}"
        caption = "Two principal components of the embeddings of test crops, coloured by where each crop lies."
        name, chosen = f"components_{first + 1}_{second + 1}", [first, second]
        yield embedding_map_2d(name, title, caption, scores[:, chosen], location, (named[first], named[second]))


def _r2(metrics: dict) -> list[str]:
    """R² of three components with its interval, as the table has it, for x, y and z."""
    intervals = metrics.get("intervals", {}).get("pca3_location_r2", [None] * 3)
    return [
        format_number(value) + (f" ({format_number(interval[0])} to {format_number(interval[1])})" if interval else "")
        for value, interval in zip(metrics["pca3_location_r2"], intervals, strict=True)
    ]


def _map_figure(network, inferer: GridInferer, scan: dict, basis: PrincipalComponents, device: torch.device) -> Figure:
    image = scan["image"]
    others = {key: [value] for key, value in scan.items() if key != "image"}
    with torch.no_grad():
        embedding = inferer(image[None].to(device), network.eval(), **others)[0]
    affine = grid_affine(image.affine, inferer.crop_size, inferer.stride)
    colours = component_map(embedding, affine, basis, image)
    return scan_map(image[0].numpy(), colours.numpy(), tuple(image.pixdim.tolist()))
