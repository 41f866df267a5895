"""Files that something went wrong with."""

import gzip
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def damage():
    """A function: change a bit of a .nii.gz on the way, so that the stream inflates and its checksum does not fit."""

    def change(path: Path) -> None:
        stored = bytearray(gzip.compress(gzip.decompress(path.read_bytes()), 0))
        stored[len(stored) // 2] ^= 1
        path.write_bytes(stored)

    return change
