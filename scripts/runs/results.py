"""What a run leaves, told at its end: only what is there."""

from pathlib import Path

from ..distributed import rank

__all__ = ["tell_result"]


def tell_result(what: str, path: str | Path) -> None:
    """Print where a result lies, or that it is missing.

    Args:
        what: it is, as a sentence begins.
        path: of its file.
    """
    if rank() > 0:
        return
    if Path(path).is_file():
        print(f"{what}: {path}")
    else:
        print(f"{what} is missing: {path} was not written, or was removed since. The lines above say why.")
