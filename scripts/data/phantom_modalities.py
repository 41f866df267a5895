"""The synthetic body in other modalities: as T2 and CT see it, of which no map of intensities makes the other."""

from dataclasses import replace

import numpy as np
from nibabel.affines import apply_affine, from_matvec
from nibabel.eulerangles import euler2mat
from nibabel.quaternions import angle_axis2mat

from .phantom_body import ORGANS, Shape, tissue
from .phantom_scan import Subject, render, voxel_places

__all__ = ["MODALITIES", "draw_movement", "render_modality"]

# intensity of each organ, as a share of water's in T2 and in HU in CT; what T1 shows alike may differ
T2 = {
    **{"fat": 0.62, "muscle": 0.20, "lung right": 0.10, "lung left": 0.10, "heart": 0.36, "liver": 0.30},
    **{"stomach": 0.80, "spleen": 0.52, "kidney right": 0.66, "kidney left": 0.66, "pancreas": 0.44, "bowel": 0.58},
    **{"gallbladder": 0.96, "bladder": 1.0, "spine": 0.26, "aorta": 0.08, "vena cava": 0.14},
}
CT = {
    **{"fat": -100, "muscle": 50, "lung right": -820, "lung left": -820, "heart": 40, "liver": 110, "stomach": 10},
    **{"spleen": 100, "kidney right": 170, "kidney left": 170, "pancreas": 80, "bowel": 25, "gallbladder": 5},
    **{"bladder": 0, "spine": 550, "aorta": 260, "vena cava": 160},
}
MODALITIES = ("t1", "t2", "ct")  # the first is the scan of a cohort of one modality
AIR, NOISE = -1000, 15  # HU
COARSER = 1.25  # the voxels of a CT, which has a grid of its own, than those of T1 and T2


def render_modality(
    subject: Subject, modality: str, rng: np.random.Generator, movement: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Scan a subject again: image [X, Y, Z], int16, and its affine [4, 4].

    Args:
        subject: the body.
        modality: of `MODALITIES`. Lesions are bright in t2, and hardly seen in ct.
        rng: of the noise.
        movement: of the body since its first scan, [4, 4], mm, as `draw_movement` draws it; None: it lies still.
    """
    moved = subject if movement is None else replace(subject, pose=movement @ subject.pose)
    if modality == "t1":
        return render(moved)[0], subject.affine
    if modality == "t2":
        return _t2(moved, rng), subject.affine
    coarse = _coarser(moved)
    return _ct(coarse, rng), coarse.affine


def draw_movement(rng: np.random.Generator, subject: Subject) -> np.ndarray:
    """A rigid movement of a body about its middle: 3 to 8 mm and 2 to 6 degrees, [4, 4], scanner to scanner."""
    direction, axis = rng.normal(size=(2, 3))
    shift = rng.uniform(3, 8) * direction / np.linalg.norm(direction)
    turn = angle_axis2mat(np.radians(rng.uniform(2, 6)), axis)
    middle = subject.pose[:3, 3]
    return from_matvec(turn, middle + shift - turn @ middle)


def _coarser(subject: Subject) -> Subject:
    """The same body in a grid of larger voxels round the same middle, turned a little."""
    shape = np.ceil(subject.shape / COARSER).astype(int)
    axes = euler2mat(0.05, -0.03, 0.04) @ subject.affine[:3, :3] * COARSER
    middle = apply_affine(subject.affine, (subject.shape - 1) / 2)
    return replace(subject, shape=shape, affine=from_matvec(axes, middle - axes @ (shape - 1) / 2))


def _t2(subject: Subject, rng: np.random.Generator) -> np.ndarray:
    points = voxel_places(subject)
    body = subject.organs[0].coverage(points)
    signal = tissue(_organs(subject, T2, 1.0), points) - 0.02 * body * subject.mottle(points)
    signal += 0.4 * body * _lesions(subject, points)
    real, imaginary = rng.normal(0, subject.noise, (2, *signal.shape))
    return np.round(subject.offset + 1.3 * subject.gain * np.hypot(signal + real, imaginary)).astype(np.int16)


def _ct(subject: Subject, rng: np.random.Generator) -> np.ndarray:
    points = voxel_places(subject)
    body = subject.organs[0].coverage(points)
    above_air = tissue(_organs(subject, {name: value - AIR for name, value in CT.items()}, 100.0), points)
    above_air += body * (10 * subject.mottle(points) - 20 * _lesions(subject, points))
    return np.round(np.clip(AIR + above_air + rng.normal(0, NOISE, above_air.shape), -1024, 3071)).astype(np.int16)


def _organs(subject: Subject, intensities: dict[str, float], spread: float) -> list[Shape]:
    """Organs with other intensities, which differ between people as much as theirs in T1, in other directions."""
    return [
        replace(organ, intensity=intensities[name] + spread * (-1) ** i * (organ.intensity - usual) / 2)
        for i, ((name, (*_, usual)), organ) in enumerate(zip(ORGANS.items(), subject.organs, strict=True))
    ]


def _lesions(subject: Subject, points: np.ndarray) -> np.ndarray:
    """1 in lesions, 0 elsewhere, [X, Y, Z]."""
    inside = np.zeros(points.shape[:3], bool)
    for lesion in subject.lesions:
        inside |= ~np.isnan(lesion.texture(points))
    return inside.astype(np.float32)
