"""A synthetic cohort: bodies of one anatomy that differ as people and scanners do, half of them with lesions."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import nibabel as nib
import numpy as np
from nibabel.affines import apply_affine, from_matvec
from nibabel.eulerangles import euler2mat

from ..atomic import explain_failure, temporary_suffix
from ..errors import InputError

__all__ = [
    "LABELLED",
    "LABELS",
    "LESIONS",
    "ORGANS",
    "Lesion",
    "Shape",
    "Subject",
    "Waves",
    "draw_subject",
    "make_cohort",
    "organ_map",
    "render",
    "tissue",
]

# centre (mm: to the right, front and head), half axes (mm), flatness of both ends (2: ellipsoid; above: towards a
# cylinder) and intensity; painted in this order, so that later ones cover earlier ones
ORGANS = {
    "fat": ((0, 0, 0), (115, 104, 118), 5, 0.80),
    "muscle": ((0, 0, 0), (103, 92, 112), 4, 0.52),
    "lung right": ((48, -2, 64), (34, 54, 44), 2.5, 0.24),
    "lung left": ((-53, -8, 69), (28, 50, 38), 2.5, 0.24),
    "heart": ((-17, 26, 47), (33, 29, 31), 2, 0.68),
    "liver": ((42, 10, -2), (50, 56, 32), 2, 0.62),
    "stomach": ((-44, 22, -6), (33, 27, 28), 2, 0.38),
    "spleen": ((-68, -30, 2), (18, 26, 27), 2, 0.44),
    "kidney right": ((40, -44, -52), (18, 16, 29), 2, 0.72),
    "kidney left": ((-42, -42, -34), (17, 15, 31), 2, 0.72),
    "pancreas": ((-10, 2, -40), (42, 11, 10), 2, 0.60),
    "bowel": ((10, 36, -66), (60, 32, 24), 3, 0.42),
    "gallbladder": ((34, 44, -27), (11, 11, 16), 2, 0.92),
    "bladder": ((4, 30, -98), (33, 26, 17), 2, 0.28),
    "spine": ((0, -64, 0), (19, 19, 116), 12, 0.34),
    "aorta": ((-10, -36, 8), (10, 10, 100), 12, 0.95),
    "vena cava": ((14, -32, -10), (11, 9, 90), 12, 0.86),
}

# organs of a label map, 1 and so on; all else is its background
LABELLED = (
    *("lung right", "lung left", "heart", "liver", "stomach", "spleen", "kidney right", "kidney left", "bladder"),
    "spine",
)
LABELS = ("lesions", "organs")  # what the masks of a cohort may be of

# smallest and largest radius (mm), and contrast of the core to the tissue around it
LESIONS = {"small": ((6, 14), (0.15, 0.25)), "large": ((12, 24), (0.3, 0.5))}


@dataclass(frozen=True)
class Waves:
    """A smooth function of position, of mean 0 and variance 1: plane waves of `vectors` [N, 3] (rad / mm)."""

    vectors: np.ndarray
    phases: np.ndarray

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Values [...] at points [..., 3] (mm)."""
        return np.sin(points @ self.vectors.T + self.phases).sum(-1) * np.float32(np.sqrt(2 / len(self.phases)))


@dataclass(frozen=True)
class Shape:
    """An organ as in `ORGANS`, with `dents` in its surface."""

    centre: np.ndarray
    half: np.ndarray
    flatness: float
    intensity: float
    dents: Waves

    def coverage(self, points: np.ndarray) -> np.ndarray:
        """Share of points [..., 3] (mm) that the organ fills, [...]: 1 inside, 0 outside, between over 3 mm."""
        squares = ((points - self.centre) / self.half) ** 2
        power = self.flatness / 2
        radius = ((squares[..., 0] + squares[..., 1]) ** power + squares[..., 2] ** power) ** (0.5 / power)
        radius *= 1 + np.float32(0.05) * self.dents(points)
        return np.clip(0.5 + (1 - radius) * self.half.min() / 3, 0, 1)


@dataclass(frozen=True)
class Lesion:
    """A ball: `centre` (mm, [3]), `radius` (mm), and `contrast` of its core to the tissue around it."""

    centre: np.ndarray
    radius: float
    contrast: float

    def texture(self, points: np.ndarray) -> np.ndarray:
        """What it adds to the tissue at points [..., 3] (mm), [...]; nan outside."""
        volume = (((points - self.centre) / self.radius) ** 2).sum(-1) ** 1.5
        # core and rim of opposite contrast fill half of the ball each: its mean intensity is that of the tissue
        return np.where(volume < 1, self.contrast * np.cos(np.pi * volume), np.nan)


@dataclass(frozen=True)
class Subject:
    """All that is random about a scan: the body and its `pose` [4, 4] (body to scanner, mm), then the scanner.

    `shape` [3] and `affine` [4, 4] are those of the voxel grid; `noise` is in the unit of intensities of `ORGANS`,
    which `gain` and `offset` turn into stored numbers; `bias` varies the gain over space.
    """

    organs: list[Shape]
    mottle: Waves
    lesions: list[Lesion]
    pose: np.ndarray
    shape: np.ndarray
    affine: np.ndarray
    gain: float
    offset: float
    noise: float
    noise_seed: int
    bias: Waves


def make_cohort(
    folder: str | os.PathLike, subjects: int = 24, seed: int = 0, lesions: str = "small", labels: str = "lesions"
) -> Path:
    """Write a cohort in the layout of the Medical Segmentation Decathlon; every second subject has lesions.

    Args:
        folder: where to; it appears when all is written. If it holds this very cohort already, it is left as it is.
        subjects: their number; a larger cohort begins with the subjects of a smaller one.
        seed: the same seed gives the same bytes.
        lesions: which of `LESIONS`.
        labels: which of `LABELS` masks are of: lesions, 1, or the organs of `LABELLED`; the images are the same.

    Returns:
        The folder: `imagesTr` (int16), `labelsTr` (uint8) and `dataset.json`.

    Raises:
        InputError: the folder holds something else, or there are no subjects, or such lesions, to write.
    """
    folder = Path(folder).expanduser().absolute()
    if subjects < 1:
        raise InputError(f"A cohort of {subjects} subjects cannot be made: set subjects to 1 or more.")
    if lesions not in LESIONS:
        raise InputError(f"There are no lesions called {lesions}: set lesions to one of {', '.join(LESIONS)}.")
    if labels not in LABELS:
        raise InputError(f"There are no labels called {labels}: set labels to one of {', '.join(LABELS)}.")
    listing = json.dumps(_listing(subjects, seed, lesions, labels), indent=2)
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        path = folder / "dataset.json"
        if not path.is_file() or path.read_text(encoding="utf-8") != listing:
            raise InputError(f"{folder} holds something else than this cohort: give a folder that is new or empty.")
        return folder
    with explain_failure(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(temporary_suffix(), f".{folder.name}-", folder.parent) as temporary:
            unfinished = Path(temporary) / folder.name
            _write(unfinished, json.loads(listing))
            (unfinished / "dataset.json").write_text(listing, encoding="utf-8")
            unfinished.rename(folder)
    return folder


def draw_subject(rng: np.random.Generator, lesions: str | None) -> Subject:
    """Draw a body, where it lies, its scanner and, if it has `lesions`, 1 to 4 of such (see `LESIONS`)."""
    size = np.exp(rng.normal(0, 0.08) + rng.normal(0, 0.05, 3))
    organs = [_draw_organ(rng, size, *organ) for organ in ORGANS.values()]
    pose = from_matvec(euler2mat(*rng.normal(0, 0.07, 3)), rng.normal(0, 12, 3))
    shape, affine = _draw_grid(rng, 2 * organs[0].half, pose)
    return Subject(
        organs=organs,
        mottle=_draw_waves(rng, 30),
        lesions=[_draw_lesion(rng, organs[0], *LESIONS[lesions]) for _ in range(rng.integers(1, 5))] if lesions else [],
        pose=pose,
        shape=shape,
        affine=affine,
        gain=np.exp(rng.uniform(np.log(200), np.log(2000))),
        offset=rng.uniform(10, 100),
        noise=rng.uniform(0.02, 0.05),
        noise_seed=int(rng.integers(2**32)),
        bias=_draw_waves(rng, 400),
    )


def render(subject: Subject) -> tuple[np.ndarray, np.ndarray]:
    """Scan a subject: image (int16) and mask of its lesions (uint8), both [X, Y, Z]."""
    points = _points(subject)
    body = subject.organs[0].coverage(points)
    signal = tissue(subject.organs, points) + 0.02 * body * subject.mottle(points)
    mask = np.zeros(signal.shape, np.uint8)
    for lesion in subject.lesions:
        texture = lesion.texture(points)
        signal += body * np.nan_to_num(texture)
        mask[~np.isnan(texture) & (body > 0.5)] = 1
    signal *= np.exp(np.float32(0.1) * subject.bias(points))
    real, imaginary = np.random.default_rng(subject.noise_seed).normal(0, subject.noise, (2, *signal.shape))
    measured = np.hypot(signal + real, imaginary)  # Rician, so that air is not 0
    return np.round(subject.offset + subject.gain * measured).astype(np.int16), mask


def organ_map(subject: Subject) -> np.ndarray:
    """Label map of a subject's organs, [X, Y, Z], uint8: the number of each in `LABELLED`, from 1, else 0.

    A voxel is of the organ that was painted last of those that fill half of it, as in the image.
    """
    points = _points(subject)
    body = subject.organs[0].coverage(points) > 0.5
    labels = np.zeros(points.shape[:3], np.uint8)
    for name, organ in zip(ORGANS, subject.organs, strict=True):
        near = body & (np.abs(points - organ.centre) < 1.5 * organ.half).all(-1)
        filled = np.flatnonzero(near)[organ.coverage(points[near]) > 0.5]
        labels.flat[filled] = LABELLED.index(name) + 1 if name in LABELLED else 0
    return labels


def tissue(organs: list[Shape], points: np.ndarray) -> np.ndarray:
    """Intensity of organs, painted in their order, at points [..., 3] (mm), [...]; 0 in air."""
    body = organs[0].coverage(points)
    image = organs[0].intensity * body
    for organ in organs[1:]:
        near = (np.abs(points - organ.centre) < 1.5 * organ.half).all(-1)
        cover = organ.coverage(points[near]) * body[near]  # what sticks out of the body is cut off
        image[near] += cover * (organ.intensity - image[near])
    return image


def _write(folder: Path, listing: dict) -> None:
    for part in ("imagesTr", "labelsTr"):
        (folder / part).mkdir(parents=True)
    for i, item in enumerate(listing["training"]):
        rng = np.random.default_rng([listing["seed"], i])
        subject = draw_subject(rng, listing.get("lesions", "small") if i % 2 == 1 else None)
        image, mask = render(subject)
        if listing.get("labels_of") == "organs":
            mask = organ_map(subject)
        for path, data in zip(item.values(), (image, mask), strict=True):
            nib.save(nib.Nifti1Image(data, subject.affine), folder / path)


def _points(subject: Subject) -> np.ndarray:
    """The voxels of its scan in the body's own mm, [X, Y, Z, 3], float32."""
    voxels = np.stack(np.meshgrid(*map(np.arange, subject.shape), indexing="ij"), -1)
    return apply_affine(np.linalg.inv(subject.pose) @ subject.affine, voxels).astype(np.float32)


def _listing(subjects: int, seed: int, lesions: str, labels: str) -> dict:
    """Content of dataset.json."""
    names = [f"phantom_{i:03}.nii.gz" for i in range(subjects)]
    listing = {
        "name": "Phantom",
        "description": "Synthetic bodies, every second one with lesions",
        "modality": {"0": "synthetic"},
        "labels": {"0": "background", "1": "lesion"},
        "seed": seed,
        "numTraining": subjects,
        "training": [{"image": f"./imagesTr/{name}", "label": f"./labelsTr/{name}"} for name in names],
        "test": [],
    }
    if labels == "organs":
        names_of = {str(number): name for number, name in enumerate(("background", *LABELLED))}
        listing |= {"labels": names_of, "labels_of": labels}
    return listing if lesions == "small" else listing | {"lesions": lesions}


def _draw_organ(rng, size: np.ndarray, centre: tuple, half: tuple, flatness: float, intensity: float) -> Shape:
    """Draw an organ of `ORGANS` in a body that is `size` [3] times the usual one."""
    return Shape(
        centre=((np.array(centre) + rng.normal(0, 4, 3)) * size).astype(np.float32),
        half=(np.array(half) * size * np.exp(rng.normal(0, 0.05, 3))).astype(np.float32),
        flatness=flatness,
        intensity=intensity + rng.normal(0, 0.05),
        dents=_draw_waves(rng, 1.5 * max(half)),
    )


def _draw_lesion(rng, body: Shape, radius: tuple[float, float], contrast: tuple[float, float]) -> Lesion:
    """Draw a lesion, its centre uniform over the inside of the body."""
    place = rng.uniform(-1, 1, 3)
    while body.coverage(body.centre + (place / 0.97 * body.half).astype(np.float32)) < 1:
        place = rng.uniform(-1, 1, 3)
    core = rng.choice([-1, 1]) * rng.uniform(*contrast)
    return Lesion((body.centre + place * body.half).astype(np.float32), rng.uniform(*radius), core)


def _draw_grid(rng, extent: np.ndarray, pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Draw shape and affine of a grid around a body of this `extent` (mm, [3]) and `pose`, its axes in any order."""
    order = rng.permutation(3)
    field = 1.2 * extent[order]
    spacing = np.clip(field / rng.uniform(80, 130, 3), 1.8, 3.5)
    shape = np.ceil(field / spacing).astype(int)
    axes = euler2mat(*rng.normal(0, 0.06, 3)) @ np.eye(3)[:, order] * rng.choice([-1, 1], 3) * spacing
    return shape, from_matvec(axes, pose[:3, 3] - axes @ (shape - 1) / 2)


def _draw_waves(rng, length: float) -> Waves:
    """Draw six waves of about a `length` (mm), in any direction."""
    vectors = rng.normal(0, 1, (6, 3))
    vectors *= 2 * np.pi / (length * rng.uniform(0.7, 1.4, (6, 1)) * np.linalg.norm(vectors, axis=1, keepdims=True))
    return Waves(vectors.astype(np.float32), rng.uniform(0, 2 * np.pi, 6).astype(np.float32))
