"""Genes of synthetic bodies: variants, some of which act on a size, a brightness or a place in the body."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import InputError, some
from .phantom_body import BRIGHTNESS_SD, HALF_SD, ORGANS, PLACE_SD
from .phantom_scan import GROWTH_SD, STRETCH_SD, Subject

__all__ = ["EFFECT_COLUMNS", "HERITABILITY", "TRAITS", "Genes", "inherited", "traits_of"]

# what is inherited, and of which organs: their mean brightness, log size, or place towards the head (mm), apart from
# how large the body is; of no organ: the log size of all of the body
TRAITS: dict[str, tuple[str, tuple[str, ...]]] = {
    "body size": ("size", ()),
    "muscle brightness": ("brightness", ("muscle",)),
    "liver size": ("size", ("liver",)),
    "fat brightness": ("brightness", ("fat",)),
    "lung size": ("size", ("lung right", "lung left")),
    "liver brightness": ("brightness", ("liver",)),
    "heart size": ("size", ("heart",)),
    "heart place": ("place", ("heart",)),
    "bladder brightness": ("brightness", ("bladder",)),
    "kidney place": ("place", ("kidney right", "kidney left")),
    "spine brightness": ("brightness", ("spine",)),
    "stomach place": ("place", ("stomach",)),
}
NUMBERS = {"brightness": BRIGHTNESS_SD, "size": HALF_SD / math.sqrt(3), "place": PLACE_SD}  # deviation in one organ
HERITABILITY = 0.3  # share of the variance of a trait that its variants make, each as much as the others
RARE, COMMON = 0.1, 0.5  # least and largest frequency of the counted allele
MISSING = 0.02  # share of genotypes that nobody could read
EFFECT_COLUMNS = ("column", "trait", "effect", "frequency", "share")
OF_ALL, OF_ONE = 100, 101  # last numbers of seeds; those of modalities are below


@dataclass(frozen=True)
class Genes:
    """The variants of a cohort, each drawn by itself: none says anything of another, as on a real chromosome it may.

    Attributes:
        seed: of the cohort.
        columns: names of the V variants: an invented place, and the allele that is counted.
        frequency: of that allele, [V].
        causal: the variants that act, [N].
        trait: of `TRAITS`, on which each of them acts, [N].
        effect: of one allele, in the unit of its trait, [N].
        share: of the variance of its trait, that each of them makes, [N].
    """

    seed: int
    columns: list[str]
    frequency: np.ndarray
    causal: np.ndarray
    trait: list[str]
    effect: np.ndarray
    share: np.ndarray

    @classmethod
    def draw(
        cls,
        seed: int,
        variants: int,
        causal: int,
        traits: Sequence[str] = tuple(TRAITS),
        heritability: float = HERITABILITY,
    ) -> "Genes":
        """Draw so many variants, `causal` of which act, in turn on each of `traits`.

        Raises:
            InputError: so many cannot act.
        """
        if not 0 <= causal <= variants:
            raise InputError(f"Of {variants} variants, {causal} cannot act: set causal to {variants} or less.")
        unknown = [name for name in traits if name not in TRAITS]
        if unknown or not traits:
            named = some(unknown) or "nothing"
            raise InputError(f"Variants cannot act on {named}: set traits to some of {', '.join(TRAITS)}.")
        if not 0 < heritability < 1:
            raise InputError(f"A heritability of {heritability} cannot be: set it above 0 and below 1.")
        rng = np.random.default_rng([seed, 0, OF_ALL])
        frequency, chosen = rng.uniform(RARE, COMMON, variants), rng.choice(variants, causal, replace=False)
        trait = [traits[i % len(traits)] for i in range(causal)]
        share = np.array([heritability / trait.count(name) for name in trait])
        sd = np.array([_deviation(*TRAITS[name]) for name in trait])
        effect = rng.choice([-1, 1], causal) * sd * np.sqrt(share / (1 - heritability)) / _spread(frequency[chosen])
        return cls(seed, [_column(i, variants) for i in range(variants)], frequency, chosen, trait, effect, share)

    def genotype(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """How many alleles of each variant the i-th person has, 0 to 2, [V], and which of them nobody could read, [V].

        They are in Hardy-Weinberg equilibrium.
        """
        rng = np.random.default_rng([self.seed, i, OF_ONE])
        return rng.binomial(2, self.frequency), rng.random(len(self.frequency)) < MISSING

    def known(self, i: int) -> list[int | str]:
        """The genotype of the i-th person as it is written in a table, where nothing stands for what is missing."""
        genotype, missing = self.genotype(i)
        return ["" if gone else count for count, gone in zip(genotype.tolist(), missing.tolist(), strict=True)]

    def shifts(self, genotype: np.ndarray) -> dict[str, float]:
        """What a genotype [V] adds to each trait."""
        more = self.effect * (genotype - 2 * self.frequency)[self.causal]
        shifts = dict.fromkeys(self.trait, 0.0)
        for name, shift in zip(self.trait, more.tolist(), strict=True):
            shifts[name] += shift
        return shifts

    def effects(self) -> list[list]:
        """Values of `EFFECT_COLUMNS` of each variant that acts."""
        found = zip(self.causal.tolist(), self.trait, self.effect.tolist(), self.share.tolist(), strict=True)
        return [
            [self.columns[i], trait, round(effect, 5), round(float(self.frequency[i]), 4), round(share, 4)]
            for i, trait, effect, share in found
        ]


def inherited(shifts: Mapping[str, float]) -> tuple[float, dict[str, tuple]]:
    """What a person's genes make of a body: its growth, in log units, and the person's own `ORGANS`."""
    organs: dict[str, tuple] = {**ORGANS}
    for trait, shift in shifts.items():
        what, names = TRAITS[trait]
        for name in names:
            (x, y, z), half, flatness, intensity = organs[name]
            by, place = shift if what == "brightness" else 0, z + shift if what == "place" else z
            larger = tuple(side * math.exp(shift) for side in half) if what == "size" else half
            organs[name] = ((x, y, place), larger, flatness, intensity + by)
    return shifts.get("body size", 0.0), organs


def traits_of(subject: Subject) -> list[float]:
    """Each of `TRAITS`, as it is in a body."""
    organs = dict(zip(ORGANS, subject.organs, strict=True))
    measured = {
        "size": lambda name: float(np.log(organs[name].half / ORGANS[name][1] / subject.size).mean()),
        "brightness": lambda name: organs[name].intensity - ORGANS[name][3],
        "place": lambda name: float(organs[name].centre[2] / subject.size[2]) - ORGANS[name][0][2],
    }
    grown = float(np.log(subject.size).mean())
    return [
        float(np.mean([measured[what](name) for name in names])) if names else grown for what, names in TRAITS.values()
    ]


def _deviation(what: str, names: tuple[str, ...]) -> float:
    """Standard deviation of a trait, of what is not inherited."""
    if not names:
        return math.sqrt(GROWTH_SD**2 + STRETCH_SD**2 / 3)
    return NUMBERS[what] / math.sqrt(len(names))


def _spread(frequency: np.ndarray) -> np.ndarray:
    """Standard deviation of the number of alleles."""
    return np.sqrt(2 * frequency * (1 - frequency))


def _column(i: int, variants: int) -> str:
    """A name such as chr1:1000000_A: variants lie evenly on 22 chromosomes."""
    chromosome = i * 22 // variants
    first = -(-chromosome * variants // 22)
    return f"chr{chromosome + 1}:{1_000_000 * (i - first + 1)}_A"
