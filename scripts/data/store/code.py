"""What code says, as a number that comments and docstrings do not change."""

import ast
import functools
import hashlib
import importlib.util
import platform
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["PACKAGES", "code_of", "versions"]

# known by their versions, and others by their source; the last are those that MONAI's transforms use where they are
PACKAGES = ("monai", "nibabel", "numpy", "torch", "scipy", "scikit-image")
IMPORTED = {*PACKAGES, "skimage"}
OURS = __name__.partition(".")[0]


def versions() -> dict[str, str]:
    """Of the packages that prepare scans, and of Python, which compiles expressions in other words.

    A build of torch for GPUs computes the same on the CPU; a package that is not installed has no version.
    """
    python = ".".join(platform.python_version_tuple()[:2])
    return {"python": python, **{name: _version(name) for name in PACKAGES}}


def _version(package: str) -> str:
    try:
        return version(package).partition("+")[0]
    except PackageNotFoundError:
        return ""


def code_of(modules: Iterable[str]) -> dict[str, str]:
    """A number of each module and of all that they import from their own package, by their names.

    Packages with a version, Python's own modules, and our ground floor (errors, files, processes), which makes no
    voxels, are left out.

    Args:
        modules: names of imported modules.
    """
    found: dict[str, str] = {}
    left = list(modules)
    while left:
        name = left.pop()
        if name in found or not _counts(name) or not (source := _source(name)):
            continue
        package = name if source.stem == "__init__" else name.rpartition(".")[0]
        found[name], imported = _understood(source.read_text(encoding="utf-8"), name, package)
        left += imported
    return dict(sorted(found.items()))


def _counts(name: str) -> bool:
    top = name.partition(".")[0]
    ground_floor = top == OURS and name.count(".") < 2
    return not ground_floor and top not in IMPORTED and top not in sys.stdlib_module_names


@functools.cache
def _source(name: str) -> Path | None:
    """The file of a module; None where there is no such module, or it is not written in Python."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    return Path(spec.origin) if spec and spec.origin and spec.origin.endswith(".py") else None


@functools.cache  # stores and their entries ask for the same modules
def _understood(text: str, name: str, package: str) -> tuple[str, list[str]]:
    """The number of a module's text, and what it imports."""
    tree = ast.parse(text)
    return _number(tree), list(_imports(tree, name, package))


def _number(tree: ast.Module) -> str:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node, clean=False):
            node.body = node.body[1:]
    return hashlib.blake2b(ast.dump(tree).encode(), digest_size=16).hexdigest()


def _imports(tree: ast.Module, name: str, package: str) -> Iterator[str]:
    """Modules of its package that a module in `package` names; some of the names are of what is in them."""
    top = name.partition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            named = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            named = [alias.name for alias in node.names]
        else:
            continue
        yield from (one for one in named if one.partition(".")[0] == top)
