"""One page that shows how good an encoder is, and beside what; it needs no network and no other file."""

import base64
import io
import json
from html import escape
from pathlib import Path

import numpy as np

from .atomic import write_atomically
from .figures import AXES, Figure

__all__ = ["write_report"]

# what a column's metrics are named: the key of the row, and one of these endings
COLUMNS = {
    "this encoder": ("",),
    "untrained encoder": ("_random_encoder",),
    "raw intensities": ("_intensities",),
    "mean": ("_mean_position", "_mean_distance"),
}
# key, label, explanation, and which is better (nothing: neither)
ROWS = (
    ("location_error_mm", "Location error (mm)", "from a crop's centre to where its embedding puts it", "lower"),
    ("location_error_mm_axes", "Location error along an axis (mm)", "mean absolute error", "lower"),
    ("location_r2", "Location R²", "share of the variance of location that is explained; 1 is best", "higher"),
    ("distance_error_mm", "Distance error (mm)", "between the distance of embeddings and that of crops", "lower"),
    ("distance_error_mm_within_scans", "Distance error within scans (mm)", "of pairs of crops of one scan", "lower"),
    ("pca3_location_r2", "Location R² of three components", "the first three principal ones; 1 is best", "higher"),
    ("rankme", "Effective dimension (RankMe)", "position has three; neither high nor low is better", ""),
)
STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --quiet: #59636e; --line: #d8dee4; --ground: #fff; --raised: #f6f8fa;
  --accent: #0072b2; --warn: #a8410c; --warn-ground: #fdf0e7; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --quiet: #9aa4af; --line: #32383f; --ground: #14181d;
  --raised: #1c2128; --accent: #58b2ea; --warn: #f5a06a; --warn-ground: #33231a; } }
body { margin: 0 auto; max-width: 980px; padding: 3rem 1.5rem 5rem; background: var(--ground); color: var(--ink);
  font: 16px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0; } h2 { font-size: 1.25rem; margin: 3rem 0 .5rem; }
small, figcaption { color: var(--quiet); font-size: .92rem; overflow-wrap: anywhere; }
.lead { font-size: 1.13rem; margin: 1.6rem 0; padding-left: 1.1rem; border-left: 3px solid var(--accent); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .55rem .7rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top; }
th { font-size: .82rem; color: var(--quiet); }
td:first-child { text-align: left; width: 46%; } td:nth-child(2) { font-weight: 650; }
td small, td b { display: block; font-size: .82rem; line-height: 1.4; }
.lost { background: var(--warn-ground); }
.lost b { width: fit-content; margin: 5px 0; padding: 0 8px; border: solid 1px; border-radius: 9px; color: var(--warn) }
figure { margin: 0; } figcaption a { color: var(--accent); white-space: nowrap; }
img, details { box-sizing: border-box; width: 100%; border: 1px solid var(--line); border-radius: 8px; margin: 5px 0; }
summary { cursor: pointer; padding: .6rem 1rem; font-weight: 600; background: var(--raised); border-radius: 8px; }
pre { margin: 0; padding: .2rem 1rem 1rem; overflow-x: auto; font: .82rem/1.5 ui-monospace, Consolas, monospace; }
"""


def write_report(
    output_dir: str | Path, title: str, metrics: dict, figures: list[Figure], settings: dict, log: str = ""
) -> Path:
    """Write report.html (its path is returned), and figures/NAME.png and figures/NAME.csv for other uses.

    Args:
        output_dir: folder; it is made where it is missing.
        title: of the page; the `figures` follow in their order.
        metrics: those that `ROWS` and `COLUMNS` name, a number or three for x, y and z, and any others.
        settings: what the result depends on; `log` is text to keep with them.
    """
    folder, lines = Path(output_dir), _lines(metrics)
    parts = [_head(title, metrics), f'<p class="lead">{_lead(lines)}</p>', _table(lines)]
    for figure in figures:
        png, table = _png(figure), _csv(figure.data)
        _write(folder / "figures" / f"{figure.name}.png", png)
        if table:
            _write(folder / "figures" / f"{figure.name}.csv", table)
        parts.append(_figure(figure, png, table))
    details = {"All metrics": _json(metrics), "Settings": _json(settings)} | ({"Log": log} if log else {})
    parts += ["<h2>Details</h2>"] + [_fold(name, text) for name, text in details.items()]
    return _write(folder / "report.html", "\n".join([*parts, "</body></html>\n"]).encode())


def _lines(metrics: dict) -> list[tuple]:
    """Label, explanation, values by column (None: missing), unbeaten baselines; three values make three lines."""
    lines = []
    for key, label, explanation, better in ROWS:
        found = [[metrics[key + end] for end in ends if key + end in metrics] for ends in COLUMNS.values()]
        cells = [cell[0] if cell else None for cell in found]
        axes = [f": {axis}" for axis in AXES] if any(np.ndim(cell) for cell in cells) else [""]
        for i, axis in enumerate(axes):
            values = [cell[i] if np.ndim(cell) else cell for cell in cells]
            lines.append((label + axis, "" if i else explanation, values, _unbeaten(values, better)))
    return lines


def _unbeaten(values: list, better: str) -> list[str]:
    """Baselines that the encoder does not beat; nan beats nothing."""
    beats = {"lower": np.less, "higher": np.greater}.get(better)
    if beats is None or values[0] is None:
        return []
    others = zip(list(COLUMNS)[1:], values[1:], strict=True)
    return [name for name, value in others if value is not None and not beats(values[0], value)]


def _head(title: str, metrics: dict) -> str:
    names = ("subjects", "scans", "crops", "encoder")
    facts = " · ".join(f"{name}: {metrics[name]}" for name in names if name in metrics)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n"
        f"<body><h1>{escape(title)}</h1><small>{escape(facts)}</small>"
    )


def _lead(lines: list[tuple]) -> str:
    """The main findings in a few sentences, of what was measured."""
    measured, sentences = {label: values for label, _, values, _ in lines if values[0] is not None}, []
    names = ("with an untrained encoder", "with raw intensities", "always answering the mean")
    for label, start in (
        ("Location error (mm)", "From its embedding, a crop is placed in the body with a mean error of"),
        ("Distance error (mm)", "Distances between embeddings differ from physical distances by"),
    ):
        if label in measured:
            own, *others = (_number(value) for value in measured[label])
            beside = [f"{other} mm {name}" for other, name in zip(others, names, strict=True) if other != "–"]
            sentences.append(f"{start} <b>{own} mm</b>" + (f" ({', '.join(beside)})." if beside else "."))
    lost = sum(bool(unbeaten) for *_, unbeaten in lines)
    verdict = f"In {lost} of the {len(measured)} rows" if lost else "In none of the rows"
    return " ".join([*sentences, f"{verdict} below, a baseline is as good as this encoder or better."])


def _table(lines: list[tuple]) -> str:
    rows = ["<tr>" + "".join(f"<th>{name}</th>" for name in ("", *COLUMNS)) + "</tr>"]
    for label, explanation, values, unbeaten in lines:
        badge = f"<b>does not beat: {', '.join(unbeaten)}</b>" if unbeaten else ""
        cells = "".join(f"<td>{_number(value)}</td>" for value in values)
        mark = ' class="lost"' if unbeaten else ""
        rows.append(f"<tr{mark}><td>{label}<small>{explanation}</small>{badge}</td>{cells}</tr>")
    return "\n".join(["<h2>Results</h2><table>", *rows, "</table>"])


def _figure(figure: Figure, png: bytes, table: bytes) -> str:
    title, name = escape(figure.title), escape(figure.name)
    link = f'<a download="{name}.csv" href="{_uri("text/csv", table)}">Download data (CSV)</a>' if table else ""
    return (
        f'<h2>{title}</h2><figure><img alt="{title}" src="{_uri("image/png", png)}">'
        f"<figcaption>{escape(figure.caption)} {link}</figcaption></figure>"
    )


def _fold(title: str, text: str) -> str:
    return f"<details><summary>{title}</summary><pre>{escape(text)}</pre></details>"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}" if abs(value) < 1 else f"{value:.1f}"


def _json(content: dict) -> str:
    # arrays and numbers of numpy or torch have tolist; paths have not
    return json.dumps(content, indent=2, default=lambda item: item.tolist() if hasattr(item, "tolist") else str(item))


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.picture.savefig(buffer, format="png", dpi=130)
    return buffer.getvalue()


def _csv(data: dict[str, np.ndarray]) -> bytes:
    """The columns as a table; nothing where there are none."""
    rows = [data, *([f"{value:.6g}" for value in row] for row in zip(*data.values(), strict=True))] if data else []
    return "".join(",".join(row) + "\n" for row in rows).encode()


def _write(path: Path, content: bytes) -> Path:
    write_atomically(path, lambda temporary: temporary.write_bytes(content))
    return path
