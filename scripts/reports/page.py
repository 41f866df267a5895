"""A page that needs no other file: one HTML document with its figures in it, and those as files for other uses."""

import base64
import io
import json
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined  # torch's own dependency

from ..atomic import plain, write_atomically
from ..progress import with_progress
from .figure import Figure

__all__ = ["format_number", "write_page"]


def write_page(path: str | Path, section: str, figures: list[Figure], details: dict, **content) -> Path:
    """Write a page, and beside it figures/NAME.png and figures/NAME.csv; the page's path is returned.

    Args:
        path: of the page; its folder is made where it is missing.
        section: which of the templates follows the head; then come the `figures`.
        details: texts, or what is written as JSON, by name: folded, at the end.
        content: of the templates: the page's `title`, its `facts` (what by name), and what the section's names.
    """
    path = Path(path)
    drawn = [(figure, figure.svgs(), _csv(figure.data)) for figure in with_progress(figures, "Drawing figure")]
    for figure, _, table in drawn:
        _write(path.parent / "figures" / f"{figure.name}.png", figure.png())
        if table:
            _write(path.parent / "figures" / f"{figure.name}.csv", table)
    page = _templates().get_template("page.html")
    _write(path, page.render(section=section, figures=drawn, details=details, **content).encode())
    return path


def format_number(value: float | None) -> str:
    """A number as a person reads it; a dash for None."""
    if value is None:
        return "–"
    digits = 3 if abs(value) <= 1 else 1
    return f"{round(value, digits) + 0.0:.{digits}f}"  # + 0.0: no sign before 0.000


def _templates() -> Environment:
    loader = FileSystemLoader(Path(__file__).parent / "templates")
    templates = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters["number"] = format_number
    templates.filters["json"] = lambda content: json.dumps(content, indent=2, default=plain)
    templates.filters["base64"] = lambda content: base64.b64encode(content).decode()
    return templates


def _csv(data: dict[str, np.ndarray]) -> bytes:
    """The columns as a table; nothing where there are none."""
    buffer = io.StringIO()
    if data:
        np.savetxt(buffer, np.column_stack([*data.values()]), "%.6g", ",", header=",".join(data), comments="")
    return buffer.getvalue().encode()


def _write(path: Path, content: bytes) -> None:
    write_atomically(path, lambda temporary: temporary.write_bytes(content))
