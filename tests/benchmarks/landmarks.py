"""How far landmarks are off that are marked in one scan, or some, and found in others; beside what needs no encoder.

Run it as `python tests/benchmarks/landmarks.py SCANS STRUCTURES`, with a folder of scans that have label maps, and a
table (name, values) of the structures whose centres are the landmarks. `--part validate` takes the subjects that the
weights were validated on in place of those for testing, `--cut` leaves a slab of each scan that is sought in,
`--registration 3` adds rigid and affine registrations of three scans onto each (SimpleITK), and `--table FILE` writes
confidence and error of each landmark (nan where it is not in the scan).
"""

import argparse
import copy
import csv
import json
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor
from monai.transforms import Compose, SpatialCrop
from monai.utils import set_determinism

from scripts.data.landmarks import MarkedScan, read_landmarks
from scripts.inferers.grid import GridInferer, grid_affine, grid_centres
from scripts.landmarks.body_box import place_in_box, share_of_box
from scripts.landmarks.inferer import BEYOND
from scripts.landmarks.matching import is_near, patches_of, refine
from scripts.landmarks.place_regression import PlaceRegression
from scripts.landmarks.reference import Reference, reference_of, to_voxels
from scripts.networks.weights import load_encoder

BUNDLE = Path(__file__).parents[2] / "bundles" / "landmark_localization"
SEVERAL, DRAWS = 13, 3
BOX, TRAINED, UNTRAINED = "same place in the body's box", "trained encoder", "untrained encoder"


class Head:
    """A scan, the truth, and what encoders know of it, by their names."""

    def __init__(self, scan: MarkedScan, image: MetaTensor) -> None:
        self.name, self.scan, self.image = Path(scan.image).name, scan, image
        self.spacing = torch.as_tensor(image.affine, dtype=torch.float64)[:3, :3].norm(dim=0)
        self.truth = to_voxels(image, torch.tensor([mark.point for mark in scan.landmarks], dtype=torch.float64))
        self.patches = [patches_of(image.as_tensor(), place) for place in self.truth]
        self.reference: dict[str, Reference] = {}
        self.place_of: dict[str, PlaceRegression] = {}

    def embed_marks(self, name: str, network: torch.nn.Module, windows: GridInferer) -> None:
        """What is known of its marks by an encoder."""
        self.reference[name] = reference_of(self.scan, lambda item: {"image": self.image}, windows, network)

    def embed_windows(self, name: str, network: torch.nn.Module, windows: GridInferer) -> None:
        """What is known of its places by an encoder."""
        grid = windows(self.image.as_tensor()[None], network)[0]
        affine = grid_affine(torch.eye(4), windows.crop_size, windows.stride)
        self.place_of[name] = PlaceRegression(grid.flatten(1).T, grid_centres(affine, grid.shape[1:]))

    def off(self, places: torch.Tensor) -> np.ndarray:
        """Errors in mm, [K]; nan where the truth is not in the scan."""
        last = torch.tensor(self.image.shape[1:]) - 1
        there = ((self.truth >= 0) & (self.truth <= last)).all(1)
        return ((places - self.truth) * self.spacing).norm(dim=1).where(there, torch.nan).numpy()


def found_by(source: Head, target: Head) -> dict[str, tuple[torch.Tensor, list[float]]]:
    """Where each way has the landmarks of a scan in another, [K, 3] in voxels, and how well surroundings agree."""
    begun = {BOX: place_in_box(share_of_box(source.truth, source.image), target.image)}
    begun |= {name: source.reference[name].by_embeddings(place_of) for name, place_of in target.place_of.items()}
    found: dict[str, tuple[torch.Tensor, list[float]]] = {name: (places, []) for name, places in begun.items()}
    for name, places in begun.items():
        image = target.image.as_tensor()
        pairs = [refine(place, patches, image) for place, patches in zip(places, source.patches, strict=True)]
        found[f"{name}, matched"] = torch.stack([place for place, _ in pairs]), [agreed for _, agreed in pairs]
    for name in (TRAINED, UNTRAINED):
        found[f"{name} or box, matched"] = better(found[f"{name}, matched"], found[f"{BOX}, matched"])
    return found


def better(
    one: tuple[torch.Tensor, list[float]], other: tuple[torch.Tensor, list[float]]
) -> tuple[torch.Tensor, list[float]]:
    """Of each landmark, the place whose surroundings agree more."""
    agreed = torch.tensor([one[1], other[1]])
    return torch.where((agreed[0] >= agreed[1])[:, None], one[0], other[0]), agreed.amax(0).tolist()


def registered(source: Head, target: Head) -> dict[str, tuple[torch.Tensor, float]]:
    """By a rigid and by an affine registration of the preprocessed scans, and in how many seconds."""
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)

    def itk(head: Head):
        image = sitk.GetImageFromArray(head.image[0].numpy().transpose(2, 1, 0))
        image.SetSpacing(torch.as_tensor(head.image.affine)[:3, :3].norm(dim=0).tolist())
        return image

    def optimise(transform):
        method = sitk.ImageRegistrationMethod()
        method.SetMetricAsMattesMutualInformation(32)
        method.SetMetricSamplingStrategy(method.RANDOM)
        method.SetMetricSamplingPercentage(0.1, 0)
        method.SetInterpolator(sitk.sitkLinear)
        method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-3, 200)
        method.SetOptimizerScalesFromPhysicalShift()
        method.SetShrinkFactorsPerLevel([4, 2, 1])
        method.SetSmoothingSigmasPerLevel([4, 2, 0])
        method.SetSmoothingSigmasAreSpecifiedInPhysicalUnits(True)
        method.SetInitialTransform(transform, True)
        method.Execute(fixed, moving)

    def places(transform) -> torch.Tensor:
        points = [transform.TransformPoint(point) for point in (source.truth * spacing[0]).tolist()]
        return torch.tensor(points, dtype=torch.float64) / spacing[1]

    spacing = [torch.as_tensor(head.image.affine, dtype=torch.float64)[:3, :3].norm(dim=0) for head in (source, target)]
    fixed, moving, start = itk(source), itk(target), time.perf_counter()
    geometry = sitk.CenteredTransformInitializerFilter.GEOMETRY
    rigid = sitk.Euler3DTransform(sitk.CenteredTransformInitializer(fixed, moving, sitk.Euler3DTransform(), geometry))
    optimise(rigid)
    found = {"rigid registration": (places(rigid), time.perf_counter() - start)}
    affine = sitk.AffineTransform(3)
    affine.SetMatrix(rigid.GetMatrix())
    affine.SetCenter(rigid.GetCenter())
    affine.SetTranslation(rigid.GetTranslation())
    optimise(affine)
    return found | {"affine registration": (places(affine), time.perf_counter() - start)}


class Slab:
    """From 40 to 70 % of a scan along one axis, from either end, as if no more had been scanned."""

    def __init__(self, draw: np.random.RandomState) -> None:
        self.draw = draw

    def __call__(self, item: dict) -> dict:
        image, axis = item["image"], self.draw.randint(3)
        size = image.shape[1 + axis]
        kept = int(size * self.draw.uniform(0.4, 0.7))
        start, end = [0, 0, 0], list(image.shape[1:])
        start[axis] = 0 if self.draw.rand() < 0.5 else size - kept
        end[axis] = start[axis] + kept
        return item | {"image": SpatialCrop(roi_start=start, roi_end=end)(image)}


def tell(title: str, errors: dict[str, dict[str, list[np.ndarray]]]) -> None:
    """The mean over subjects of their mean errors, and how many landmarks are far off; errors by way and subject."""
    print(f"\n{title}")
    for way, by_subject in errors.items():
        all_of = {name: np.concatenate(off) for name, off in by_subject.items()}
        every = np.concatenate(list(all_of.values()))
        mean = np.mean([np.nanmean(off) for off in all_of.values() if np.isfinite(off).any()])
        far = (every[np.isfinite(every)] > 10).mean()
        print(
            f"{way:40s} {mean:5.1f} mm, 95 % below {np.nanquantile(every, 0.95):5.1f}, {100 * far:4.1f} % above 10 mm"
        )


def nested() -> dict[str, dict[str, list[np.ndarray]]]:
    return defaultdict(lambda: defaultdict(list))


def one_scan(heads: Iterable[Head], targets: list[Head], path: str | None) -> dict[tuple[str, str], dict]:
    """From each scan in each of the others."""
    errors, found, rows = nested(), {}, []
    for source in heads:
        for target in targets:
            if source.name == target.name:
                continue
            found[source.name, target.name] = found_by(source, target)
            for way, (places, agreed) in found[source.name, target.name].items():
                off = target.off(places)
                errors[way][target.name].append(off)
                if agreed:
                    names = [mark.name for mark in source.scan.landmarks]
                    there = [is_near(place, target.image, BEYOND) for place in places]
                    cells = zip(names, agreed, there, off.tolist(), strict=True)
                    rows += [[way, source.name, target.name, *row] for row in cells]
    tell("One marked scan:", errors)
    if path:
        with open(path, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([["way", "marked", "scan", "name", "confidence", "near", "error_mm"], *rows])
    return found


def several_scans(heads: list[Head], targets: list[Head], found: dict[tuple[str, str], dict]) -> None:
    """From some, drawn anew for each target: the median of what each says."""
    draw, errors, number = np.random.RandomState(0), nested(), min(SEVERAL, len(heads) - 1)
    for target in targets:
        others = [head.name for head in heads if head.name != target.name]
        for _ in range(DRAWS):
            said = [found[name, target.name] for name in draw.permutation(others)[:number]]
            for way in said[0]:
                places = torch.stack([one[way][0] for one in said]).quantile(0.5, dim=0)
                errors[way][target.name].append(target.off(places))
    tell(f"{number} marked scans:", errors)


def registrations(heads: list[Head], targets: list[Head], number: int) -> None:
    errors, seconds = nested(), defaultdict(list)
    for i, target in enumerate(targets):
        others = [head for head in heads[i + 1 :] + heads[:i] if head.name != target.name]
        for source in others[:number]:
            for way, (places, took) in registered(source, target).items():
                errors[way][target.name].append(target.off(places))
                seconds[way].append(took)
            matched = [refine(*one, target.image.as_tensor())[0] for one in zip(places, source.patches, strict=True)]
            errors[f"{way}, matched"][target.name].append(target.off(torch.stack(matched)))
            for way, (places, _) in found_by(source, target).items():
                errors[way][target.name].append(target.off(places))
    tell(f"One marked scan, {number} for each target:", errors)
    print({way: f"{np.mean(took):.1f} s" for way, took in seconds.items()})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scans")
    parser.add_argument("structures")
    parser.add_argument("--part", default="test")
    parser.add_argument("--cut", action="store_true")
    parser.add_argument("--registration", type=int, default=0)
    parser.add_argument("--table")
    given = parser.parse_args()
    set_determinism(0)
    config = ConfigParser()
    config.read_config(BUNDLE / "configs" / "inference.json")
    config.update({"bundle_root": str(BUNDLE), "dataset_dir": given.scans})
    part = json.loads((BUNDLE / "models" / "split.json").read_text(encoding="utf-8"))[given.part]
    preprocessing, windows = (config.get_parsed_content(name) for name in ("preprocessing", "windows"))
    marked = [scan for scan in read_landmarks(given.scans, None, given.structures) if _subject(scan) in part]
    heads = [Head(scan, preprocessing({"image": scan.image})["image"]) for scan in marked]
    draw = np.random.RandomState(0)
    targets = heads
    if given.cut:
        load, *others = preprocessing.transforms
        cut = [Compose([load, Slab(draw), *others])({"image": scan.image})["image"] for scan in marked]
        targets = [Head(scan, image) for scan, image in zip(marked, cut, strict=True)]
    untrained = config.get_parsed_content("network_def")
    trained = load_encoder(copy.deepcopy(untrained), BUNDLE / "models" / "model.pt")
    with torch.inference_mode():
        start = time.perf_counter()
        for name, network in ((UNTRAINED, untrained.eval()), (TRAINED, trained.eval())):
            for head in heads:
                head.embed_marks(name, network, windows)
            for target in targets:
                target.embed_windows(name, network, windows)
        print(f"{len(heads)} scans, {(time.perf_counter() - start) / 2 / len(heads):.1f} s to embed each and its marks")
        if given.registration:
            registrations(heads, targets, given.registration)
        else:
            several_scans(heads, targets, one_scan(heads, targets, given.table))


def _subject(scan: MarkedScan) -> str:
    return Path(scan.image).name.split(".")[0]


if __name__ == "__main__":
    main()
