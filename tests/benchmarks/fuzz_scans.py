"""Files as no scanner writes them, through the audit and, where it accepts them, through what comes behind it.

    python tests/benchmarks/fuzz_scans.py --files 20000

Small scans are changed at random: bytes of the header, its fields, voxels, the gzip stream. Whatever the audit accepts
goes through the transforms of isimed_pretraining's train.json. Nothing may raise, take 30 seconds, or 4 GB.
"""

import argparse
import gzip
import io
import json
import multiprocessing
import multiprocessing.connection
import os
import re
import resource
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from monai.bundle import ConfigParser
from monai.transforms import Compose

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
SECONDS, MEMORY = 30, 4 * 2**30
PATIENCE = 600  # seconds on the clock, where a machine is busy with other things
CONFIG = ROOT / "bundles" / "isimed_pretraining" / "configs" / "train.json"

# of a NIfTI-1 header: offset, struct's letter, how many there are
FIELDS = {
    "sizeof_hdr": (0, "i", 1),
    "dim": (40, "h", 8),
    "intent": (68, "h", 1),
    "datatype": (70, "h", 1),
    "bitpix": (72, "h", 1),
    "pixdim": (76, "f", 8),
    "vox_offset": (108, "f", 1),
    "slope": (112, "f", 1),
    "inter": (116, "f", 1),
    "units": (123, "B", 1),
    "codes": (252, "h", 2),
    "quaternion": (256, "f", 3),
    "offsets": (268, "f", 3),
    "srow": (280, "f", 12),
    "magic": (344, "B", 4),
    "extension": (348, "B", 4),
}
VALUES = {
    "h": (-32768, -1, 0, 1, 2, 3, 4, 5, 7, 8, 16, 32, 64, 128, 256, 512, 768, 1024, 1280, 1536, 1792, 2048, 32767),
    "f": (0, -0.0, 1, -1, 0.001, 60, 352, 1e-7, 1e-30, 1e-42, 1e7, 1e30, 3.4e38, -3e38, np.inf, -np.inf, np.nan),
    "i": (-1, 0, 348, 540, 1543569408, 2**31 - 1),
    "B": (0, 1, 2, 3, 4, 8, 10, 16, 43, 49, 50, 110, 255),
}


def scans() -> list[bytes]:
    """Files to begin with: of several types, byte orders and affines, each a bright body in noisy air."""
    rng = np.random.default_rng(0)
    turned = np.array([[1.7, 0.3, 0, -20], [-0.2, 2.1, 0.4, 5], [0.1, -0.3, 2.6, 40], [0, 0, 0, 1]])
    files, headers = [], {">": nib.Nifti1Header(endianness=">")}
    for dtype in ("<i2", ">i2", "u1", "<f4", ">f4", "<f8", "<i4", "<u2"):
        for affine in (np.diag([-2.0, -2.0, 2.0, 1]), turned):
            voxels = rng.uniform(0, 40, (22, 20, 18))
            voxels[5:17, 5:15, 4:14] += rng.uniform(80, 200, (12, 10, 10))
            image = nib.Nifti1Image(voxels.astype(dtype), affine, headers.get(dtype[0]))
            image.header.set_xyzt_units("mm")
            if dtype == "u1":
                image.header.set_slope_inter(3.5, -20)
            files.append(image.to_bytes())
    return files


def flip_header(raw: bytearray, rng: np.random.Generator) -> None:
    for place in rng.integers(0, 352, rng.integers(1, 6)):
        raw[place] = rng.integers(256)


def set_field(raw: bytearray, rng: np.random.Generator) -> None:
    for name in rng.choice(list(FIELDS), rng.integers(1, 4)):
        offset, letter, number = FIELDS[name]
        size, order = struct.calcsize(letter), "<" if raw[0] == 92 else ">"
        place = offset + size * int(rng.integers(number))
        struct.pack_into(order + letter, raw, place, VALUES[letter][rng.integers(len(VALUES[letter]))])


def set_extent(raw: bytearray, rng: np.random.Generator) -> None:
    """Sizes of voxels and numbers of them that may be true."""
    order = "<" if raw[0] == 92 else ">"
    for axis in range(3):
        if rng.random() < 0.6:
            struct.pack_into(order + "h", raw, 42 + 2 * axis, int(2 ** rng.uniform(0, 14)))
        if rng.random() < 0.6:
            scale = float(10 ** rng.uniform(-4, 4))
            for offset in (80 + 4 * axis, 280 + 4 * axis, 296 + 4 * axis, 312 + 4 * axis):
                (old,) = struct.unpack_from(order + "f", raw, offset)
                struct.pack_into(order + "f", raw, offset, float(np.clip(old * scale, -3e38, 3e38)))


def set_voxels(raw: bytearray, rng: np.random.Generator) -> None:
    first = int(rng.integers(352, len(raw)))
    last = min(len(raw), first + int(2 ** rng.uniform(0, 14)))
    raw[first:last] = rng.bytes(last - first) if rng.random() < 0.5 else bytes(last - first)


def damage(packed: bytes, rng: np.random.Generator) -> bytes:
    """A gzip stream flipped, cut, with a part of it twice, with members or bytes behind it or before it."""
    data, kind = bytearray(packed), rng.integers(7)
    first, last = sorted(rng.integers(0, len(data), 2))
    if kind == 0:
        for place in rng.integers(0, len(data), rng.integers(1, 5)):
            data[place] ^= 1 << rng.integers(8)
    elif kind == 1:
        del data[first:]
    elif kind == 2:
        data[first:first] = data[first:last]
    elif kind == 3:
        data += gzip.compress(bytes(int(2 ** rng.uniform(0, 24))), mtime=0)
    elif kind == 4:
        data += rng.bytes(int(rng.integers(1, 40)))
    elif kind == 5:
        data[:0] = gzip.compress(b"", mtime=0)
    else:
        del data[first:last]
    return bytes(data)


CHANGES = {flip_header: 0.35, set_field: 0.4, set_extent: 0.1, set_voxels: 0.15}  # and how often


def files(number: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """Suffix and content of so many files, the same for the same seed."""
    begun = scans()
    for index in range(number):
        rng = np.random.default_rng([seed, index])
        raw = bytearray(begun[rng.integers(len(begun))])
        stream = rng.random() < 0.25
        for change in rng.choice(list(CHANGES), 0 if stream else rng.integers(1, 3), p=list(CHANGES.values())):
            change(raw, rng)
        if not stream and rng.random() < 0.3:
            yield ".nii", bytes(raw)
            continue
        packed = gzip.compress(bytes(raw), int(rng.choice([0, 1, 9])), mtime=0)
        yield ".nii.gz", damage(packed, rng) if stream else packed


def outcome(path: Path, judged: Callable, prepare: Callable) -> tuple[str, str]:
    """What became of a file, and why."""
    try:
        verdict = judged(path)
    except Exception as error:
        return "raised in the audit", repr(error)[:200]
    if verdict.kind in ("faulty", "mask"):
        return ("over memory in the audit" if "more memory than" in verdict.fault else "refused"), verdict.reason
    try:
        crops = prepare({"image": str(path), "scan": 0, "subject": "one"})
        assert all(crop["image"].shape == (1, 32, 32, 32) for crop in crops), "crops of another shape"
        assert all(torch.isfinite(crop["image"]).all() for crop in crops), "values that are no numbers"
        assert all(torch.isfinite(crop["location"]).all() for crop in crops), "places that are no numbers"
        return "accepted", verdict.reason
    except Exception as error:
        causes = [repr(error)]
        while error := error.__cause__:
            causes.append(repr(error))
        return ("over memory" if "memory" in causes[-1] else "raised") + " in the transforms", causes[-1][:200]


def work(pipe) -> None:
    """A process that is asked about one file after another, in 4 GB more than it has at the beginning."""
    from scripts.data.checks.scan_facts import examine
    from scripts.data.checks.verdict import judge

    torch.set_num_threads(1)
    sys.stderr = io.StringIO()
    parser = ConfigParser(json.loads(CONFIG.read_text(encoding="utf-8")) | {"bundle_root": str(CONFIG.parents[1])})
    parser.parse()
    prepare = Compose(parser.get_parsed_content("train#preprocessing").transforms)
    spacing, intensity = parser.get_parsed_content("spacing"), parser.get_parsed_content("intensity")
    taken = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, taken + MEMORY))
    while path := pipe.recv():
        pipe.send(outcome(path, lambda path: judge(examine(path), spacing, intensity), prepare))


class Worker:
    """A process of `work`, and a new one where it does not come back."""

    def __init__(self) -> None:
        self.slowest = 0.0
        self.start()

    def start(self) -> None:
        context = multiprocessing.get_context("fork")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()

    def ask(self, path: Path) -> None:
        self.path, self.since, self.before = path, time.monotonic(), self.used()
        self.pipe.send(path)

    def used(self) -> float:
        """Seconds of a processor that its process took, so that what else the machine does is not counted."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def answer(self) -> tuple[str, str] | None:
        """What became of its file, if that is known."""
        try:
            if self.pipe.poll(0):
                self.slowest = max(self.slowest, self.used() - self.before)
                return self.pipe.recv()
        except EOFError:
            self.start()
            return "died", ""
        if self.used() - self.before < SECONDS and time.monotonic() - self.since < PATIENCE:
            return None
        self.process.kill()
        self.process.join()
        self.start()
        return "hung", f"over {SECONDS} s"


def fuzz(number: int, seed: int, workers: int, kept: Path | None = None) -> dict[str, Counter]:
    """Counts of what became of so many files, by reason, less its numbers and names; others than accepted are kept."""
    counts: dict[str, Counter] = {}
    with tempfile.TemporaryDirectory() as folder:
        todo, busy, idle = files(number, seed), [], [Worker() for _ in range(workers)]
        index = 0
        while True:
            while idle and (item := next(todo, None)):
                path = Path(folder) / f"{seed}_{index}{item[0]}"
                path.write_bytes(item[1])
                index += 1
                if index % 1000 == 0:
                    print(f"{index} files", flush=True)
                idle[-1].ask(path)
                busy.append(idle.pop())
            if not busy:
                break
            multiprocessing.connection.wait([worker.pipe for worker in busy], timeout=1)
            for worker in list(busy):
                if answer := worker.answer():
                    kind, reason = answer
                    if kept and kind not in ("accepted", "refused"):
                        kept.mkdir(parents=True, exist_ok=True)
                        (kept / worker.path.name).write_bytes(worker.path.read_bytes())
                        print(f"{worker.path.name}: {kind}: {reason}", flush=True)
                    counts.setdefault(kind, Counter())[_kind_of(reason)] += 1
                    worker.path.unlink()
                    busy.remove(worker)
                    idle.append(worker)
        print(f"slowest file: {max(worker.slowest for worker in idle):.1f} s of a processor")
    return counts


def _kind_of(reason: str) -> str:
    return re.sub(r"[\d.,]+(x[\d.-]+)*|\(.*", "", reason).strip()[:60]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--kept", type=Path, help="folder for files that did neither pass nor were refused")
    given = parser.parse_args()
    began = time.monotonic()
    found = fuzz(given.files, given.seed, given.workers, given.kept)
    for kind, reasons in found.items():
        print(f"{sum(reasons.values())} {kind}")
        for reason, times in reasons.most_common():
            print(f"    {times} {reason}")
    print(f"{time.monotonic() - began:.0f} s")
    sys.exit(bool(found.keys() - {"accepted", "refused"}))
