"""As many scans are in work at once as there are processors, and as memory allows."""

import pytest

from scripts.data.checks import at_once
from scripts.data.checks.at_once import scans_at_once
from scripts.data.checks.resampled import NATIVE


@pytest.mark.parametrize("memory, number", [(1e12, 8), (2 * 3.5 * NATIVE * 1000, 3), (1, 1)])
def test_so_many_of_the_largest_take_half_of_the_memory(tmp_path, monkeypatch, memory, number):
    paths = [tmp_path / "small", tmp_path / "large"]
    for path, size in zip(paths, (10, 1000), strict=True):
        path.write_bytes(bytes(size))
    monkeypatch.setattr(at_once, "memory_of_process", lambda: memory)
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    assert scans_at_once([*map(str, paths), str(tmp_path / "nowhere")]) == number


def test_processes_of_other_machines_take_none_of_this_one(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.setattr("scripts.distributed.processes", lambda: 16)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert scans_at_once([]) == 2
    monkeypatch.delenv("LOCAL_WORLD_SIZE")
    assert scans_at_once([]) == 1
