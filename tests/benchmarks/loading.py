"""How long a CT takes from its file to crops, beside MONAI's own transforms, and whether the voxels are the same.

python tests/benchmarks/loading.py [SCAN]: a NIfTI file; without one, a CT of 512 x 512 x 300 voxels is made. Each way
is measured in a process of its own, in CPU seconds, in turns.
"""

import argparse
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from monai.transforms import (
    Compose,
    CropForegroundd,
    LoadImaged,
    Orientationd,
    RandSpatialCropSamplesd,
    ScaleIntensityRangePercentilesd,
    Spacingd,
)
from synthetic_ct import write_ct

from scripts.data import voxel_stream
from scripts.transforms.foreground import body_mask
from scripts.transforms.padding import PaddingToAird
from scripts.transforms.separable_spacing import SeparableSpacingd
from scripts.transforms.stored_type_reader import StoredTypeReader

PIXDIM = (2, 2, 2)


def steps(load: Callable, resample: Callable) -> list[Callable]:
    """The default preparation, with two of its steps."""
    return [
        load,
        PaddingToAird("image"),
        Orientationd("image", axcodes="RAS", labels=None),
        resample,
        CropForegroundd("image", source_key="image", select_fn=body_mask, allow_smaller=True),
        ScaleIntensityRangePercentilesd("image", 5, 95, -1.0, 1.0),
    ]


def monais() -> list[Callable]:
    """MONAI's own."""
    return steps(LoadImaged("image", ensure_channel_first=True), Spacingd("image", PIXDIM))


def ours() -> list[Callable]:
    """Those of the bundles."""
    load = LoadImaged("image", reader=StoredTypeReader(), dtype=None, ensure_channel_first=True)
    return steps(load, SeparableSpacingd("image", PIXDIM))


def ours_without_isal() -> list[Callable]:
    """The same, decompressed by Python's own gzip; in a process of its own."""
    voxel_stream.HAS_IGZIP = False
    return ours()


WAYS = {"MONAI's own": monais, "without isal": ours_without_isal, "ours": ours}


def measured(way: str, path: Path, pipe) -> None:
    """Send the seconds of each step, and the memory that this process took beyond what it had, in GB."""
    torch.set_num_threads(1)
    before, item, times = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, {"image": str(path)}, {}
    for step in [*WAYS[way](), RandSpatialCropSamplesd("image", [32, 32, 32], 16, random_size=False)]:
        began = time.process_time()
        item = step(item)
        times[type(step).__name__.removeprefix("Separable")] = time.process_time() - began
    pipe.send((times, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e6))


def in_a_process(way: str, path: Path) -> tuple[dict[str, float], float]:
    """What `measured` sends."""
    here, there = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=measured, args=(way, path, there))
    process.start()
    there.close()  # or nobody would notice that the process ended early
    found = here.recv()
    process.join()
    return found


def compare(path: Path, repeats: int) -> None:
    """Print seconds of each step and memory of both ways, and by how much their voxels differ."""
    found = {way: [] for way in WAYS}
    for _ in range(repeats):
        for way in WAYS:
            found[way].append(in_a_process(way, path))
    medians = {
        way: {step: statistics.median(times[step] for times, _ in runs) for step in runs[0][0]}
        for way, runs in found.items()
    }
    print(f"{'CPU seconds':34}" + "".join(f"{way:>14}" for way in WAYS))
    for step in medians["ours"]:
        print(f"{step:34}" + "".join(f"{medians[way][step]:14.2f}" for way in WAYS))
    totals = {way: sum(times.values()) for way, times in medians.items()}
    print(f"{'all':34}" + "".join(f"{totals[way]:14.2f}" for way in WAYS))
    print(f"{'times as fast':34}" + "".join(f"{max(totals.values()) / totals[way]:14.1f}" for way in WAYS))
    memory = {way: max(gigabytes for _, gigabytes in runs) for way, runs in found.items()}
    print(f"{'GB, at most':34}" + "".join(f"{memory[way]:14.2f}" for way in WAYS))


def difference(path: Path) -> None:
    """Print how far prepared voxels are apart."""
    one, other = (Compose(way())({"image": str(path)})["image"] for way in (ours, monais))
    same = one.shape == other.shape
    apart = float((one - other).abs().max()) if same else float("inf")
    affines = float((one.affine - other.affine).abs().max())
    size = " x ".join(map(str, one.shape[1:]))
    print(f"{path.name}, {size} voxels, as many of both: {same}; they are apart by {apart:.1e} (air to tissue: 2)")
    print(f"and their affines by {affines:.1e} mm")


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scan", type=Path, nargs="?", help="a NIfTI file")
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        path = given.scan or write_ct(Path(folder) / "ct.nii.gz")
        print(f"{path.name}, {path.stat().st_size / 1e6:.0f} MB")
        compare(path, given.repeats)
        difference(path)


if __name__ == "__main__":
    main()
