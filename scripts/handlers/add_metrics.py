"""More figures in a metrics.json, beside those of handlers that wrote it before."""

import json
import logging
import math
from collections.abc import Mapping
from pathlib import Path

from ..atomic import write_json_atomically

__all__ = ["add_metrics"]

logger = logging.getLogger(__name__)


def add_metrics(output_dir: Path, metrics: Mapping[str, float | list[float] | None]) -> None:
    """Add figures to the metrics.json of a folder, which is made where there is none, and log those that are known.

    Args:
        output_dir: the folder.
        metrics: by name; one that is nan becomes null.
    """
    path = output_dir / "metrics.json"
    before = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    known = {name: value for name, value in metrics.items() if isinstance(value, float) and not math.isnan(value)}
    unknown = {name: None for name, value in metrics.items() if isinstance(value, float) and math.isnan(value)}
    write_json_atomically(path, {**before, **metrics, **unknown})
    logger.info("Test scans: " + ", ".join(f"{name} {value:.3g}" for name, value in known.items()))
