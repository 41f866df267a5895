"""A page that needs no other file: one HTML document with its figures in it, and those as files for other uses."""

import base64
import io
import json
from html import escape
from pathlib import Path

import numpy as np

from ..atomic import write_atomically
from .figures import Figure

__all__ = ["format_number", "format_table", "write_page"]


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
td:first-child { text-align: left; width: 38%; }
td small, td b { display: block; font-size: .82rem; line-height: 1.4; }
.lost { background: var(--warn-ground); }
.lost b { width: fit-content; margin: 5px 0; padding: 0 8px; border: solid 1px; border-radius: 9px; color: var(--warn) }
figure { margin: 0; } figcaption a { color: var(--accent); white-space: nowrap; }
img, details { box-sizing: border-box; width: 100%; border: 1px solid var(--line); border-radius: 8px; margin: 5px 0; }
summary { cursor: pointer; padding: .6rem 1rem; font-weight: 600; background: var(--raised); border-radius: 8px; }
pre { margin: 0; padding: .2rem 1rem 1rem; overflow-x: auto; font: .82rem/1.5 ui-monospace, Consolas, monospace; }
"""


def write_page(
    path: str | Path, title: str, facts: dict, parts: list[str], figures: list[Figure], details: dict
) -> Path:
    """Write a page, and beside it figures/NAME.png and figures/NAME.csv; the page's path is returned.

    Args:
        path: of the page; its folder is made where it is missing.
        title: of the page; below it, the `facts`, what by name.
        parts: HTML that follows; then come the `figures`.
        details: texts, or what is written as JSON, by name: folded, at the end.
    """
    path, sections = Path(path), [_head(title, facts), *parts]
    for figure in figures:
        png, table = _png(figure), _csv(figure.data)
        _write(path.parent / "figures" / f"{figure.name}.png", png)
        if table:
            _write(path.parent / "figures" / f"{figure.name}.csv", table)
        sections.append(_figure(figure, png, table))
    sections += ["<h2>Details</h2>"] * bool(details) + [_fold(name, content) for name, content in details.items()]
    return _write(path, "\n".join([*sections, "</body></html>\n"]).encode())


def format_table(title: str, columns: list[str], rows: list[str]) -> str:
    """HTML of a table; rows are `<tr>` elements, whose first cell has no column name."""
    head = "<tr>" + "".join(f"<th>{escape(name).replace('_', '_<wbr>')}</th>" for name in ("", *columns)) + "</tr>"
    return "\n".join([f"<h2>{escape(title)}</h2><table>", head, *rows, "</table>"])


def format_number(value: float | None) -> str:
    """A number as a person reads it; a dash for None."""
    return "–" if value is None else f"{value:.3f}" if abs(value) < 1 else f"{value:.1f}"


def _head(title: str, facts: dict) -> str:
    title = escape(str(title))  # a number on the command line is one here
    told = " · ".join(f"{name}: {fact}" for name, fact in facts.items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{STYLE}</style></head>\n"
        f"<body><h1>{title}</h1><small>{escape(told)}</small>"
    )


def _figure(figure: Figure, png: bytes, table: bytes) -> str:
    title, name = escape(figure.title), escape(figure.name)
    link = f'<a download="{name}.csv" href="{_uri("text/csv", table)}">Download data (CSV)</a>' if table else ""
    return (
        f'<h2>{title}</h2><figure><img alt="{title}" src="{_uri("image/png", png)}">'
        f"<figcaption>{escape(figure.caption)} {link}</figcaption></figure>"
    )


def _fold(title: str, content: str | dict) -> str:
    text = content if isinstance(content, str) else _json(content)
    return f"<details><summary>{title}</summary><pre>{escape(text)}</pre></details>"


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
