"""How far landmarks are off that are marked in one scan, or some, and found in others; beside what needs no encoder.

Run it as `python tests/benchmarks/landmarks.py SCANS STRUCTURES`, with a folder of scans that have label maps, and a
table (name, values) of the structures whose centres are the landmarks. `--part validate` takes the subjects that the
weights were validated on in place of those for testing, `--cut` targets of which a slab alone is left, and
`--registration` adds a rigid and an affine registration by SimpleITK.
"""

import argparse
import csv
import json
import time
from collections import defaultdict
from itertools import permutations
from pathlib import Path

import numpy as np
import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor
from monai.utils import set_determinism

from scripts.data.landmarks import MarkedScan, read_landmarks
from scripts.inferers.grid import grid_affine, grid_centres
from scripts.landmarks.matching import patches_of, refine
from scripts.landmarks.place_regression import PlaceRegression
from scripts.landmarks.reference import Reference, reference_of, to_voxels
from scripts.networks.weights import load_encoder

BUNDLE = Path(__file__).parents[2] / "bundles" / "landmark_localization"
SEVERAL = 13
DRAWS = 3


class Head:
    """A scan with its truth, and all that is known of it by one encoder or another."""

    def __init__(self, scan: MarkedScan, image: MetaTensor) -> None:
        self.scan, self.image = scan, image
        self.truth = to_voxels(image, torch.tensor([mark.point for mark in scan.landmarks], dtype=torch.float64))
        self.patches = [patches_of(image.as_tensor(), place) for place in self.truth]
        self.reference: dict[str, Reference] = {}
        self.place_of: dict[str, PlaceRegression] = {}

    def embed(self, name: str, network: torch.nn.Module, config: ConfigParser) -> None:
        windows = config.get_parsed_content("windows")
        grid = windows(self.image.as_tensor()[None], network)[0]
        affine = grid_affine(torch.eye(4), windows.crop_size, windows.stride)
        self.place_of[name] = PlaceRegression(grid.flatten(1).T, grid_centres(affine, grid.shape[1:]))
        self.reference[name] = reference_of(self.scan, lambda item: {"image": self.image}, windows, network)

    def off(self, places: torch.Tensor) -> np.ndarray:
        """Errors in mm, [K]."""
        spacing = torch.as_tensor(self.image.affine, dtype=torch.float64)[:3, :3].norm(dim=0)
        return ((places - self.truth) * spacing).norm(dim=1).numpy()


def in_box(source: Head, target: Head) -> torch.Tensor:
    """The same place in the body's box."""
    sizes = [torch.tensor(head.image.shape[1:], dtype=torch.float64) for head in (source, target)]
    return (source.truth + 0.5) / sizes[0] * sizes[1] - 0.5


def matched(source: Head, target: Head, places: torch.Tensor) -> torch.Tensor:
    image = target.image.as_tensor()
    return torch.stack([refine(place, patches, image)[0] for place, patches in zip(places, source.patches, strict=True)])


def ways(source: Head, target: Head) -> dict[str, torch.Tensor]:
    """Where each way has the landmarks of a scan in another, [K, 3]."""
    found = {"same place in the body's box": in_box(source, target)}
    for name, place_of in target.place_of.items():
        found[name] = source.reference[name].places(place_of)
    return found | {f"{name}, matched": matched(source, target, places) for name, places in found.items()}


def registered(source: Head, target: Head) -> dict[str, tuple[torch.Tensor, float]]:
    """By a rigid and by an affine registration of the preprocessed scans, and in how many seconds."""
    import SimpleITK as sitk  # noqa: PLC0415

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


def slab(image: MetaTensor, draw: np.random.RandomState) -> MetaTensor:
    """From 40 to 70 % of a scan along one axis, from either end."""
    axis = draw.randint(3)
    size = image.shape[1 + axis]
    kept = max(34, int(size * draw.uniform(0.4, 0.7)))
    start = 0 if draw.rand() < 0.5 else size - kept
    cut: list[slice] = [slice(None)] * 4
    cut[1 + axis] = slice(start, start + kept)
    return image[tuple(cut)]


def inside(head: Head) -> np.ndarray:
    return ((head.truth >= 0) & (head.truth <= torch.tensor(head.image.shape[1:]) - 1)).all(1).numpy()


def tell(errors: dict[str, list[np.ndarray]], subjects: list[str]) -> None:
    """Means over subjects of mean errors, and the share of landmarks that is off by more than 10 mm."""
    for name, off in errors.items():
        of_subject = defaultdict(list)
        for subject, values in zip(subjects, off, strict=True):
            of_subject[subject].append(values)
        mean = np.mean([np.concatenate(values).mean() for values in of_subject.values()])
        every = np.concatenate(off)
        print(f"{name:48s} {mean:5.1f} mm   95 % below {np.quantile(every, 0.95):5.1f}   > 10 mm {(every > 10).mean():.3f}")


def several(heads: list[Head], names: list[str]) -> None:
    """From so many marked scans, some draws of them for each target: the median of their places."""
    number, draw = min(SEVERAL, len(heads) - 1), np.random.RandomState(0)
    errors, subjects = defaultdict(list), []
    for target in heads:
        for _ in range(DRAWS):
            sources = draw.permutation([head for head in heads if head is not target])[:number]
            found = [ways(source, target) for source in sources]
            subjects.append(target.scan.image)
            for name in names:
                errors[name].append(target.off(torch.stack([one[name] for one in found]).quantile(0.5, dim=0)))
    print(f"\n{number} marked scans:")
    tell(errors, subjects)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scans")
    parser.add_argument("structures")
    parser.add_argument("--part", default="test")
    parser.add_argument("--cut", action="store_true")
    parser.add_argument("--registration", action="store_true")
    parser.add_argument("--few", type=int, default=0, help="heads at most")
    parser.add_argument("--calibration", help="CSV to write: confidence and error of every landmark")
    given = parser.parse_args()
    set_determinism(0)
    config = ConfigParser()
    config.read_config(BUNDLE / "configs" / "inference.json")
    config.update({"bundle_root": str(BUNDLE), "dataset_dir": given.scans})
    part = json.loads((BUNDLE / "models" / "split.json").read_text(encoding="utf-8"))[given.part]
    marked = [scan for scan in read_landmarks(given.scans, None, given.structures) if any(s in scan.image for s in part)]
    marked = marked[: given.few or None]
    preprocessing, draw = config.get_parsed_content("preprocessing"), np.random.RandomState(0)
    images = [preprocessing({"image": scan.image})["image"] for scan in marked]
    heads = [Head(scan, image) for scan, image in zip(marked, images, strict=True)]
    networks = {name: config.get_parsed_content("network_def", instantiate=True) for name in ("untrained",)}
    networks["trained"] = load_encoder(config.get_parsed_content("network_def"), BUNDLE / "models" / "model.pt")
    with torch.inference_mode():
        for name, network in networks.items():
            for head in heads:
                head.embed(name, network.eval(), config)
        compare(heads, given, draw, networks, config)


if __name__ == "__main__":
    main()
