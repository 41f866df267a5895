"""A synthetic body: organs of one anatomy that differ as people do, and lesions."""

from dataclasses import dataclass

import numpy as np

__all__ = [
    "BRIGHTNESS_SD",
    "HALF_SD",
    "LABELLED",
    "LESIONS",
    "ORGANS",
    "PLACE_SD",
    "Lesion",
    "Shape",
    "Waves",
    "draw_lesion",
    "draw_organ",
    "draw_waves",
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

# standard deviations, from person to person: of an organ's centre (mm), of the log of each half axis, and of intensity
PLACE_SD, HALF_SD, BRIGHTNESS_SD = 4, 0.05, 0.05

# organs of a label map, 1 and so on; all else is its background
LABELLED = (
    *("lung right", "lung left", "heart", "liver", "stomach", "spleen", "kidney right", "kidney left", "bladder"),
    "spine",
)

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

    def is_near(self, points: np.ndarray) -> np.ndarray:
        """Whether points [..., 3] (mm) lie in a box that holds the organ, [...]."""
        axes = ((points[..., i], self.centre[i], self.half[i]) for i in range(3))
        return np.logical_and.reduce([np.abs(point - centre) < 1.5 * half for point, centre, half in axes])


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


def tissue(organs: list[Shape], points: np.ndarray) -> np.ndarray:
    """Intensity of organs, painted in their order, at points [..., 3] (mm), [...]; 0 in air."""
    body = organs[0].coverage(points)
    image = organs[0].intensity * body
    for organ in organs[1:]:
        near = organ.is_near(points)
        cover = organ.coverage(points[near]) * body[near]  # what sticks out of the body is cut off
        image[near] += cover * (organ.intensity - image[near])
    return image


def draw_organ(rng, size: np.ndarray, centre: tuple, half: tuple, flatness: float, intensity: float) -> Shape:
    """Draw an organ of `ORGANS` in a body that is `size` [3] times the usual one."""
    return Shape(
        centre=((np.array(centre) + rng.normal(0, PLACE_SD, 3)) * size).astype(np.float32),
        half=(np.array(half) * size * np.exp(rng.normal(0, HALF_SD, 3))).astype(np.float32),
        flatness=flatness,
        intensity=intensity + rng.normal(0, BRIGHTNESS_SD),
        dents=draw_waves(rng, 1.5 * max(half)),
    )


def draw_lesion(rng, body: Shape, radius: tuple[float, float], contrast: tuple[float, float]) -> Lesion:
    """Draw a lesion, its centre uniform over the inside of the body."""
    place = rng.uniform(-1, 1, 3)
    while body.coverage(body.centre + (place / 0.97 * body.half).astype(np.float32)) < 1:
        place = rng.uniform(-1, 1, 3)
    core = rng.choice([-1, 1]) * rng.uniform(*contrast)
    return Lesion((body.centre + place * body.half).astype(np.float32), rng.uniform(*radius), core)


def draw_waves(rng, length: float) -> Waves:
    """Draw six waves of about a `length` (mm), in any direction."""
    vectors = rng.normal(0, 1, (6, 3))
    vectors *= 2 * np.pi / (length * rng.uniform(0.7, 1.4, (6, 1)) * np.linalg.norm(vectors, axis=1, keepdims=True))
    return Waves(vectors.astype(np.float32), rng.uniform(0, 2 * np.pi, 6).astype(np.float32))
