"""A synthetic scan: a body, where it lies, and the scanner that it lies in."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from nibabel.affines import apply_affine, from_matvec
from nibabel.eulerangles import euler2mat

from .phantom_body import LABELLED, LESIONS, ORGANS, Lesion, Shape, Waves, draw_lesion, draw_organ, draw_waves, tissue

__all__ = ["GROWTH_SD", "STRETCH_SD", "Subject", "draw_subject", "organ_map", "render", "voxel_places"]

GROWTH_SD, STRETCH_SD = 0.08, 0.05  # of the log size of a body, along all axes and along each


@dataclass(frozen=True)
class Subject:
    """All that is random about a scan: the body and its `pose` [4, 4] (body to scanner, mm), then the scanner.

    `size` [3] is how large it is along each axis, times the usual size, and `organs` are so too.
    `shape` [3] and `affine` [4, 4] are those of the voxel grid; `noise` is in the unit of intensities of `ORGANS`,
    which `gain` and `offset` turn into stored numbers; `bias` varies the gain over space.
    """

    size: np.ndarray
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


def draw_subject(
    rng: np.random.Generator, lesions: str | None, growth: float = 0.0, usual: Mapping[str, tuple] = ORGANS
) -> Subject:
    """Draw a body, where it lies, its scanner and, if it has `lesions`, 1 to 4 of such (see `LESIONS`).

    `growth` (log of size) and `usual` organs are what chance varies, for this person.
    """
    size = np.exp(growth + rng.normal(0, GROWTH_SD) + rng.normal(0, STRETCH_SD, 3))
    organs = [draw_organ(rng, size, *organ) for organ in usual.values()]
    pose = from_matvec(euler2mat(*rng.normal(0, 0.07, 3)), rng.normal(0, 12, 3))
    shape, affine = _draw_grid(rng, 2 * organs[0].half, pose)
    return Subject(
        size=size,
        organs=organs,
        mottle=draw_waves(rng, 30),
        lesions=[draw_lesion(rng, organs[0], *LESIONS[lesions]) for _ in range(rng.integers(1, 5))] if lesions else [],
        pose=pose,
        shape=shape,
        affine=affine,
        gain=np.exp(rng.uniform(np.log(200), np.log(2000))),
        offset=rng.uniform(10, 100),
        noise=rng.uniform(0.02, 0.05),
        noise_seed=int(rng.integers(2**32)),
        bias=draw_waves(rng, 400),
    )


def render(subject: Subject) -> tuple[np.ndarray, np.ndarray]:
    """Scan a subject: image (int16) and mask of its lesions (uint8), both [X, Y, Z]."""
    points = voxel_places(subject)
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
    points = voxel_places(subject)
    body = subject.organs[0].coverage(points) > 0.5
    labels = np.zeros(points.shape[:3], np.uint8)
    for name, organ in zip(ORGANS, subject.organs, strict=True):
        near = body & organ.is_near(points)
        filled = np.flatnonzero(near)[organ.coverage(points[near]) > 0.5]
        labels.flat[filled] = LABELLED.index(name) + 1 if name in LABELLED else 0
    return labels


def voxel_places(subject: Subject) -> np.ndarray:
    """The voxels of its scan in the body's own mm, [X, Y, Z, 3], float32."""
    voxels = np.stack(np.meshgrid(*map(np.arange, subject.shape), indexing="ij"), -1)
    return apply_affine(np.linalg.inv(subject.pose) @ subject.affine, voxels).astype(np.float32)


def _draw_grid(rng, extent: np.ndarray, pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Draw shape and affine of a grid around a body of this `extent` (mm, [3]) and `pose`, its axes in any order."""
    order = rng.permutation(3)
    field = 1.2 * extent[order]
    spacing = np.clip(field / rng.uniform(80, 130, 3), 1.8, 3.5)
    shape = np.ceil(field / spacing).astype(int)
    axes = euler2mat(*rng.normal(0, 0.06, 3)) @ np.eye(3)[:, order] * rng.choice([-1, 1], 3) * spacing
    return shape, from_matvec(axes, pose[:3, 3] - axes @ (shape - 1) / 2)
