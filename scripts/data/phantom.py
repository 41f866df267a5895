"""A synthetic cohort: bodies of one anatomy that differ as people and scanners do, half of them with lesions."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import nibabel as nib
import numpy as np

from ..atomic import explain_failure, temporary_suffix, write_csv_atomically, write_json_atomically
from ..errors import InputError, some
from ..progress import with_progress
from .phantom_body import LABELLED, LESIONS
from .phantom_body_table import BODY_COLUMNS, body_row
from .phantom_genes import EFFECT_COLUMNS, HERITABILITY, TRAITS, Genes, inherited, traits_of
from .phantom_modalities import MODALITIES, draw_movement, render_modality
from .phantom_outcome import COLUMNS, draw_outcome
from .phantom_scan import Subject, draw_subject, organ_map, render

__all__ = ["LABELS", "make_cohort"]

NAME = "phantom_{:03}"
NO_GENES = {"variants": 0, "causal": 0}
LABELS = ("lesions", "organs")  # what the masks of a cohort may be of


def make_cohort(
    folder: str | os.PathLike,
    subjects: int = 24,
    seed: int = 0,
    lesions: str = "small",
    labels: str = "lesions",
    modalities: Sequence[str] = (),
    moved: Sequence[str] = (),
    variants: int = 0,
    causal: int = 10,
    traits: Sequence[str] = tuple(TRAITS),
    heritability: float = HERITABILITY,
) -> Path:
    """Write a cohort in the layout of the Medical Segmentation Decathlon; every second subject has lesions.

    Args:
        folder: where to; it appears when all is written. If it holds this very cohort already, it is left as it is.
        subjects: their number; a larger cohort begins with the subjects of a smaller one.
        seed: the same seed gives the same bytes.
        lesions: which of `LESIONS`.
        labels: which of `LABELS` masks are of: lesions, 1, or the organs of `LABELLED`; the images are the same.
        modalities: of `MODALITIES`, of each subject, as phantom_000_t1.nii.gz and so on; every third subject lacks the
            last one. Masks lie in the grid of t1 and t2. None: one scan a subject, which is its t1.
        moved: those before which a body moved, so that they are not registered; `movements.json` says how, as affines
            in mm from where it lay.
        variants: of the genes of each subject, in genotypes.csv: 0, 1 or 2, some of them missing.
        causal: variants that act on what bodies are like: effects.csv says how, and anatomy.csv what came of it (see
            `Genes`).
        traits: of `TRAITS`, on which they act in turn.
        heritability: share of the variance of each of these that they make together.

    Returns:
        The folder: `imagesTr` (int16), `labelsTr` (uint8), `dataset.json`, `outcomes.csv` (see `draw_outcome`) and
        `bodies.csv` (see `body_row`).

    Raises:
        InputError: the folder holds something else, or there are no subjects, or such lesions, to write, or so many
            variants cannot act.
    """
    folder = Path(folder).expanduser().absolute()
    if subjects < 1:
        raise InputError(f"A cohort of {subjects} subjects cannot be made: set subjects to 1 or more.")
    if lesions not in LESIONS:
        raise InputError(f"There are no lesions called {lesions}: set lesions to one of {', '.join(LESIONS)}.")
    if labels not in LABELS:
        raise InputError(f"There are no labels called {labels}: set labels to one of {', '.join(LABELS)}.")
    if unknown := set(modalities).union(moved).difference(MODALITIES):
        raise InputError(f"There are no modalities called {some(unknown)}: give some of {', '.join(MODALITIES)}.")
    inheritance = {"causal": causal, "traits": [*traits], "heritability": heritability}
    genes = {"variants": variants, **inheritance} if variants else {}
    Genes.draw(seed, **(genes or NO_GENES))  # or it says that so many cannot act
    content = _listing(subjects, seed, lesions, labels) | _images(subjects, modalities, moved)
    listing = json.dumps(content | ({"genes": genes} if genes else {}), indent=2)
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


def _write(folder: Path, listing: dict) -> None:
    for part in ("imagesTr", "labelsTr"):
        (folder / part).mkdir(parents=True)
    genes = Genes.draw(listing["seed"], **listing.get("genes", NO_GENES))
    numbers = range(listing.get("subjects", listing["numTraining"]))
    written = [_write_subject(folder, listing, genes, i) for i in with_progress(numbers, "Making body")]
    lines, movements = zip(*written, strict=True)
    heads: dict[str, Sequence[str]] = {"outcomes": COLUMNS, "bodies": BODY_COLUMNS}
    if genes.columns:
        heads |= {"genotypes": ["subject", *genes.columns], "anatomy": ["subject", *TRAITS]}
        write_csv_atomically(folder / "effects.csv", [EFFECT_COLUMNS, *genes.effects()])
    for table, head in heads.items():
        write_csv_atomically(folder / f"{table}.csv", [head, *(of_subject[table] for of_subject in lines)])
    if listing.get("moved"):
        names = [NAME.format(i) for i in numbers]
        write_json_atomically(folder / "movements.json", dict(zip(names, movements, strict=True)))


def _write_subject(folder: Path, listing: dict, genes: Genes, i: int) -> tuple[dict[str, list], dict]:
    """Write the i-th subject's scans with their mask; its lines, by their table, and its movements are returned."""
    rng, name = np.random.default_rng([listing["seed"], i]), NAME.format(i)
    lesions = listing.get("lesions", "small") if i % 2 == 1 else None
    subject = draw_subject(rng, lesions, *inherited(genes.shifts(genes.genotype(i)[0])))
    image, mask = render(subject)
    lesion_ml = mask.sum() * abs(np.linalg.det(subject.affine[:3, :3])) / 1000
    if listing.get("labels_of") == "organs":
        mask = organ_map(subject)
    nib.save(nib.Nifti1Image(mask, subject.affine), folder / "labelsTr" / f"{name}.nii.gz")
    said: dict[str, Sequence] = {"outcomes": draw_outcome(rng, float(lesion_ml)), "bodies": body_row(subject)}
    said |= {"genotypes": genes.known(i), "anatomy": [round(value, 5) for value in traits_of(subject)]}
    lines = {table: [name, *values] for table, values in said.items()}
    if "modalities" in listing:
        return lines, _write_modalities(folder, listing, i, subject, image)
    nib.save(nib.Nifti1Image(image, subject.affine), folder / "imagesTr" / f"{name}.nii.gz")
    return lines, {}


def _write_modalities(folder: Path, listing: dict, i: int, subject: Subject, t1: np.ndarray) -> dict:
    """Write the images of a subject; how its body moved before each is returned, [4, 4], in mm."""
    movements: dict[str, list] = {}
    for modality in _of_subject(i, listing["modalities"]):
        rng = np.random.default_rng([listing["seed"], i, 1 + MODALITIES.index(modality)])
        movement = draw_movement(rng, subject) if modality in listing["moved"] else None
        still_t1 = modality == "t1" and movement is None
        data, affine = (t1, subject.affine) if still_t1 else render_modality(subject, modality, rng, movement)
        nib.save(nib.Nifti1Image(data, affine), folder / "imagesTr" / f"{NAME.format(i)}_{modality}.nii.gz")
        movements |= {} if movement is None else {modality: movement.tolist()}
    return movements


def _of_subject(i: int, modalities: Sequence[str]) -> Sequence[str]:
    """The modalities that the i-th subject has."""
    return modalities[:-1] if i % 3 == 2 else modalities


def _images(subjects: int, modalities: Sequence[str], moved: Sequence[str]) -> dict:
    """What dataset.json says otherwise of a cohort of several modalities."""
    if not modalities:
        return {}
    training = [
        _item(i, name, name not in ("ct", *moved)) for i in range(subjects) for name in _of_subject(i, modalities)
    ]
    return {
        "modality": {str(number): name for number, name in enumerate(modalities)},
        "modalities": list(modalities),
        "moved": list(moved),
        "subjects": subjects,
        "numTraining": len(training),
        "training": training,
    }


def _item(i: int, modality: str, labelled: bool) -> dict:
    """An image of a list; a mask lies in the grid of t1 and t2, where the body was not moved."""
    name = NAME.format(i)
    label = {"label": f"./labelsTr/{name}.nii.gz"} if labelled else {}
    return {"image": f"./imagesTr/{name}_{modality}.nii.gz", "subject": name} | label


def _listing(subjects: int, seed: int, lesions: str, labels: str) -> dict:
    """Content of dataset.json."""
    names = [f"{NAME.format(i)}.nii.gz" for i in range(subjects)]
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
