"""How fast crops are read from scans that are prepared: formats, and the store beside what there is without one.

python tests/benchmarks/store.py FOLDER, on the disk that is to be measured; a format whose package is absent is left
out. "Cold": the system has been told to forget the files; "warm": they are in its memory.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import nibabel as nib
import numpy as np
import torch
from monai.data import CacheDataset, Dataset
from monai.transforms import (
    Compose,
    CropForegroundd,
    EnsureTyped,
    LoadImaged,
    Orientationd,
    RandSpatialCropSamplesd,
    ScaleIntensityRangePercentilesd,
    Spacingd,
)
from monai.utils import optional_import
from synthetic_ct import write_ct

from scripts.data.store.dataset import StoredDataset
from scripts.data.store.prepared_store import PreparedStore
from scripts.transforms.foreground import body_mask
from scripts.transforms.location import CropLocationd, FrameOrigind
from scripts.transforms.padding import PaddingToAird

blosc2, has_blosc2 = optional_import("blosc2")
zarr, has_zarr = optional_import("zarr")
SIZE, CROPS = 32, 16  # voxels; crops of a scan in a step
Window = tuple[slice, slice, slice]


def forget(*paths: Path) -> None:
    """Have the system drop files, or all files of folders, from its memory."""
    for path in paths:
        for file in [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]:
            descriptor = os.open(file, os.O_RDONLY)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def seconds(step: Callable[[], object]) -> float:
    """How long it takes, by the clock."""
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


def windows(shape: tuple[int, ...], rng: np.random.Generator) -> Iterator[Window]:
    """Random crops of a step."""
    for _ in range(CROPS):
        starts = [int(rng.integers(size - SIZE + 1)) for size in shape]
        yield tuple(slice(start, start + SIZE) for start in starts)


class Npy:
    """A memory map of an uncompressed array."""

    def write(self, path: Path, volume: np.ndarray) -> None:
        with open(path, "wb") as file:
            np.save(file, volume)

    def open(self, path: Path):
        return np.load(path, mmap_mode="c")


class Nifti(Npy):
    """An uncompressed NIfTI file."""

    suffix = ".nii"

    def write(self, path: Path, volume: np.ndarray) -> None:
        nib.save(nib.Nifti1Image(volume, np.eye(4)), f"{path}{self.suffix}")
        os.rename(f"{path}{self.suffix}", path)

    def open(self, path: Path):
        link = path.with_name(f"{path.name}{self.suffix}")
        link.unlink(missing_ok=True)
        link.symlink_to(path)
        return nib.load(link).dataobj


class NiftiGz(Nifti):
    """A compressed one."""

    suffix = ".nii.gz"


class Blosc2(Npy):
    """Compressed chunks of the size of a crop."""

    def write(self, path: Path, volume: np.ndarray) -> None:
        blosc2.asarray(volume, chunks=3 * (SIZE,), urlpath=str(path), mode="w")

    def open(self, path: Path):
        return blosc2.open(str(path), mode="r")


class Zarr(Npy):
    """The same, a file each."""

    def write(self, path: Path, volume: np.ndarray) -> None:
        zarr.create_array(store=str(path), data=volume, chunks=3 * (SIZE,))

    def open(self, path: Path):
        return zarr.open_array(str(path), mode="r")


def formats() -> dict[str, Npy]:
    """Those that can be tried here."""
    found: dict[str, Npy] = {".npy, mapped": Npy(), ".nii": Nifti(), ".nii.gz": NiftiGz()}
    return found | ({"blosc2": Blosc2()} if has_blosc2 else {}) | ({"zarr": Zarr()} if has_zarr else {})


def read_crops(kind: Npy, path: Path, shape: tuple[int, ...], rng: np.random.Generator) -> None:
    """The crops of a step, of a file that is opened for it."""
    opened = kind.open(path)
    for window in windows(shape, rng):
        assert np.ascontiguousarray(opened[window]).shape == 3 * (SIZE,)


def read_all(kind: Npy, path: Path) -> np.ndarray:
    """The whole volume."""
    return np.array(kind.open(path)[:])


def compare_formats(folder: Path, volume: np.ndarray) -> None:
    """Print a line for each format, for a volume of float32."""
    print(f"{'format':14}{'MB':>8}{'crops/s cold':>14}{'crops/s warm':>14}{'whole, s cold':>15}")
    for number, (name, kind) in enumerate(formats().items()):
        path = folder / f"volume{number}"
        kind.write(path, volume)
        size = sum(one.stat().st_size for one in ([path] if path.is_file() else path.rglob("*")) if one.is_file())

        step = partial(read_crops, kind, path, volume.shape, np.random.default_rng(0))
        times = {"cold": np.median([(forget(path), seconds(step))[1] for _ in range(5)])}
        times["warm"] = np.median([seconds(step) for _ in range(6)][1:])
        forget(path)
        whole = seconds(partial(read_all, kind, path))
        speeds = "".join(f"{CROPS / times[state]:14.0f}" for state in ("cold", "warm"))
        print(f"{name:14}{size / 1e6:8.1f}{speeds}{whole:15.2f}")


def preparation() -> list[Callable]:
    """As the default training prepares a scan."""
    return [
        LoadImaged("image", ensure_channel_first=True),
        PaddingToAird("image"),
        Orientationd("image", axcodes="RAS", labels=None),
        Spacingd("image", pixdim=(2, 2, 2)),
        CropForegroundd("image", source_key="image", select_fn=body_mask, allow_smaller=True),
        FrameOrigind("image", "foreground"),
        ScaleIntensityRangePercentilesd("image", 5, 95, -1.0, 1.0),
    ]


def training(steps: list[Callable]) -> Compose:
    """As it draws crops."""
    draws = RandSpatialCropSamplesd("image", 3 * [SIZE], CROPS, random_size=False)
    return Compose([*steps, draws, CropLocationd("image"), EnsureTyped("image", track_meta=False)])


def step_of(data: Dataset) -> Callable[[], torch.Tensor]:
    """Crops of the first scan, in a batch."""
    return lambda: torch.stack([crop["image"] for crop in data[0]])


def compare_with_none(folder: Path, scan: dict) -> None:
    """Print crops a second of a scan that is loaded, kept in memory, and in a store."""
    steps = preparation()
    everything = training(steps)
    loaded = float(np.median([seconds(step_of(Dataset([scan], everything))) for _ in range(3)]))
    memory = CacheDataset([scan], everything, progress=False)
    stored = StoredDataset([scan], everything, PreparedStore(steps, folder / "store"))
    times = {"memory": [], "cold": [], "warm": []}
    for _ in range(15):  # in turns, so that what else the machine does is shared
        times["memory"].append(seconds(step_of(memory)))
        forget(folder / "store")
        times["cold"].append(seconds(step_of(stored)))
        times["warm"].append(seconds(step_of(stored)))
    print(f"\n{'scan':22}{'crops/s':>9}{'against loading':>17}\n{'loaded at each step':22}{CROPS / loaded:9.1f}")
    for name, title in {"memory": "in memory", "cold": "in the store, cold", "warm": "in the store, warm"}.items():
        taken = float(np.median(times[name]))
        print(f"{title:22}{CROPS / taken:9.0f}{loaded / taken:17.0f}")
    size = sum(one.stat().st_size for one in (folder / "store").rglob("*") if one.is_file())
    print(f"store: {size / 1e6:.0f} MB, beside {os.path.getsize(scan['image']) / 1e6:.0f} MB of .nii.gz")
    image = stored.store(scan)["image"].as_tensor()
    unit = (image.max() - image.min()) / 2
    print(f"float16 would change it by up to {float((image.half().float() - image).abs().max()):.1e} (of {unit:.1f})")


def watch_memory(folder: Path, scans: int) -> None:
    """Print how much memory this process takes after ten scans of a store, and after many."""
    paths = [write_ct(folder / f"small{i}.nii.gz", (64, 64, 40), seed=i) for i in range(10)]
    steps = preparation()
    items = [{"image": str(paths[i % 10]), "subject": i} for i in range(scans)]
    data = StoredDataset(items, training(steps), PreparedStore(steps, folder / "many"))
    for i in range(scans):
        data[i]
        if i + 1 in (10, scans):
            pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
            print(f"{i + 1:5} scans read: {pages * os.sysconf('SC_PAGE_SIZE') / 1e6:.0f} MB")


def main() -> None:
    """Print three tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="on the disk that is measured")
    parser.add_argument("--scans", type=int, default=200, help="of the last table")
    parser.add_argument("--shape", type=int, nargs=3, default=(512, 512, 300), help="voxels of the CT")
    given = parser.parse_args()
    torch.set_num_threads(1)
    with TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        scan = {"image": str(write_ct(folder / "ct.nii.gz", tuple(given.shape))), "subject": "P1", "scan": 0}
        compare_with_none(folder, scan)
        prepared = PreparedStore(preparation(), folder / "store")(scan)["image"]
        print()
        compare_formats(folder, prepared.numpy()[0].copy())
        print()
        watch_memory(folder, given.scans)


if __name__ == "__main__":
    main()
