"""Other objectives and schedules than ISImed's: each trains the network on as many crops, and is judged on validation.

Run it as `python tests/benchmarks/objectives.py SCANS STRUCTURES VARIANT [CROPS]`, with a folder of scans that have
label maps, a table (name, values) of their structures, and one of the variants below. Test subjects are not touched.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import torch
from monai.bundle import ConfigParser
from monai.networks.nets import DenseNet121
from torch import nn
from torch.nn.functional import adaptive_avg_pool3d, interpolate, mse_loss

from scripts.data.structures import read_structures
from scripts.losses.distance import distance_loss
from scripts.networks.layers import layer_features, mean, mean_sd
from scripts.probes.standardise import Standardise
from scripts.probes.subject_ridge import SubjectRidge

BUNDLE = Path(__file__).parents[2] / "bundles" / "isimed_pretraining"
SIZE, EPOCH = 32, 1440
LAST = "class_layers.flatten"
DEPTHS = {"features.denseblock1": mean_sd, "features.denseblock2": mean_sd, "features.denseblock3": mean}

VARIANTS = {
    "paper": {},
    "within scans": {"pairs": "within"},
    "one cycle, small steps": {"volumes": 2, "rate": 0.002, "schedule": "one cycle"},
    "annealed": {"rate": 0.002, "schedule": "cosine"},
    "annealed, places": {"rate": 0.002, "schedule": "cosine", "terms": ["places"]},
    "annealed, depths": {"rate": 0.002, "schedule": "cosine", "terms": ["depths"]},
    "annealed, augmented": {"rate": 0.002, "schedule": "cosine", "changed": True, "zoom": 0.15},
    "annealed, views": {"rate": 0.002, "schedule": "cosine", "changed": True, "views": 2, "terms": ["invariance"]},
    "reconstruction": {"terms": ["reconstruction"]},
}


class Head:
    """A preprocessed scan, and the structure that each of its voxels is of: 0, or a number of the table's lines."""

    def __init__(self, item: dict, labels: torch.Tensor) -> None:
        self.image, self.labels = item["image"].as_tensor().half().float(), labels
        self.affine = torch.as_tensor(item["image"].affine, dtype=torch.float64)
        self.size = tuple(self.image.shape[1:])
        self.middle = self.place((torch.tensor(self.size).double() - 1) / 2)

    def place(self, voxel: torch.Tensor) -> torch.Tensor:
        return self.affine[:3, :3] @ voxel + self.affine[:3, 3]

    def crop(self, draw: np.random.RandomState, size: int = SIZE) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Somewhere: its intensities, its centre from the body's in mm, and its labels."""
        sizes = [min(size, whole) for whole in self.size]
        start = [draw.randint(whole - part + 1) for whole, part in zip(self.size, sizes, strict=True)]
        where = (..., *(slice(begin, begin + part) for begin, part in zip(start, sizes, strict=True)))
        centre = torch.tensor(start).double() + (torch.tensor(sizes).double() - 1) / 2
        return self.image[where], (self.place(centre) - self.middle).float(), self.labels[where]


def read_heads(scans: str, structures: str) -> dict[str, list[Head]]:
    """Those of the training and of the validation subjects of the bundle's weights."""
    parser = ConfigParser()
    parser.read_config([BUNDLE / "configs" / f"{name}.json" for name in ("train", "evaluate")])
    parser.update({"bundle_root": str(BUNDLE), "dataset_dir": scans, "run_dir": str(BUNDLE / "models")})
    transforms, split = parser.get_parsed_content("train#deterministic_transforms"), parser.get_parsed_content("split")
    number = torch.zeros(1000, dtype=torch.uint8)
    for line, values in enumerate(read_structures(structures).values, 1):
        number[list(values)] = line

    def head(scan: dict) -> Head:
        item = {"image": scan["image"], "scan": scan["scan"]}
        for transform in transforms:
            item = transform(item)
        affine = np.linalg.inv(nibabel.load(scan["label"]).affine) @ np.asarray(item["image"].affine)
        labels = torch.from_numpy(np.asarray(nibabel.load(scan["label"]).dataobj).astype("int64"))
        voxels = np.indices(item["image"].shape[1:]).reshape(3, -1)
        nearest = np.rint(affine[:3, :3] @ voxels + affine[:3, 3:]).astype(int)
        inside = ((nearest >= 0) & (nearest < np.array(labels.shape)[:, None])).all(0)
        found = torch.zeros(voxels.shape[1], dtype=torch.uint8)
        found[torch.from_numpy(inside)] = number[labels[tuple(nearest[:, inside])]]
        return Head(item, found.reshape(item["image"].shape[1:]))

    return {part: [head(scan) for scan in split[part]] for part in ("train", "validate")}


def changed(images: torch.Tensor) -> torch.Tensor:
    """Other contrasts (gamma from 0.7 to 1.4), 10 % brighter or darker, and noise."""

    def draw(low: float, high: float) -> torch.Tensor:
        return torch.empty(len(images), 1, 1, 1, 1).uniform_(low, high)

    low, width, gamma = -1.2, 3.2, torch.exp(draw(-0.35, 0.35))
    images = ((images - low) / width).clamp(min=0) ** gamma * width + low
    images = images * draw(0.9, 1.1) + draw(-0.1, 0.1)
    return images + torch.randn_like(images) * draw(0, 0.1)


class Training:
    """An encoder, and what a variant adds to its distance loss."""

    def __init__(self, terms: list[str], pairs: str) -> None:
        self.network = DenseNet121(3, 1, 1024).to(memory_format=torch.channels_last_3d)
        self.terms, self.pairs, self.seen = terms, pairs, {}
        for name, module in self.network.named_modules():
            if name in {*DEPTHS, LAST}:
                module.register_forward_hook(lambda *call, name=name: self.seen.update({name: call[2]}))
        widths = dict(zip(DEPTHS, (512, 1024, 1024), strict=True))
        self.heads = nn.ModuleDict({"blocks": nn.Linear(1024, 512), "place": nn.Linear(1024, 3)})
        self.depths = nn.ModuleList([nn.Linear(width, 64) for width in widths.values()])

    def parameters(self) -> list[nn.Parameter]:
        return [*self.network.parameters(), *self.heads.parameters(), *self.depths.parameters()]

    def loss(self, images: torch.Tensor, places: torch.Tensor, scans: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            embedding = self.network(images.to(memory_format=torch.channels_last_3d)).float()
        total = self.distance(embedding, places, scans)
        return total + sum(getattr(self, f"_{term}")(images, embedding, places, scans) for term in self.terms)

    def distance(self, embedding: torch.Tensor, places: torch.Tensor, scans: torch.Tensor) -> torch.Tensor:
        return distance_loss(embedding, places, scans if self.pairs == "within" else None)

    def _places(self, images, embedding, places, scans) -> torch.Tensor:
        """The place itself, mm²."""
        return (self.heads["place"](embedding / 30) * 30 - places).square().sum(1).mean()

    def _depths(self, images, embedding, places, scans) -> torch.Tensor:
        """Distances behind each block but the last."""
        read = [pool(self.seen[name]) for name, pool in DEPTHS.items()]
        return 0.2 * sum(self.distance(head(one), places, scans) for head, one in zip(self.depths, read, strict=True))

    def _reconstruction(self, images, embedding, places, scans) -> torch.Tensor:
        """Averages of 8 x 8 x 8 blocks of the crop, from what the last layer reads."""
        return 300 * mse_loss(self.heads["blocks"](self.seen[LAST].float()), adaptive_avg_pool3d(images, 8).flatten(1))

    def _invariance(self, images, embedding, places, scans) -> torch.Tensor:
        """Two views of a crop are one point, mm²."""
        first, second = embedding.chunk(2)
        return (first - second).square().sum(1).mean()


SCHEDULES: dict[str, Callable] = {
    "published": lambda optimizer, steps, epoch: torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: 0.9 ** (step // epoch)
    ),
    "cosine": lambda optimizer, steps, epoch: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps),
    "one cycle": lambda optimizer, steps, epoch: torch.optim.lr_scheduler.OneCycleLR(
        optimizer, optimizer.param_groups[0]["lr"], total_steps=steps, pct_start=0.2, final_div_factor=100
    ),
}


def train(heads: list[Head], crops: int, variant: dict) -> nn.Module:
    """An encoder, after as many crops."""
    setting = {"volumes": 4, "rate": 0.001, "schedule": "published", "terms": [], "pairs": "all", "views": 1} | variant
    torch.manual_seed(0)
    draw, order, start = np.random.RandomState(10), [], time.perf_counter()
    training = Training(setting["terms"], setting["pairs"])
    optimizer = torch.optim.AdamW(training.parameters(), lr=setting["rate"], weight_decay=0.01)
    shown = setting["volumes"] * 16 * setting["views"]
    schedule = SCHEDULES[setting["schedule"]](optimizer, crops // shown, EPOCH // shown)
    for step in range(crops // shown):
        drawn, scans = [], []
        for _ in range(setting["volumes"]):
            order = order or list(draw.permutation(len(heads)))
            scan = order.pop()
            for _ in range(16):
                size = (
                    round(SIZE * np.exp(draw.uniform(-setting["zoom"], setting["zoom"]))) if "zoom" in setting else SIZE
                )
                drawn.append(heads[scan].crop(draw, size))
                scans.append(scan)
        images = torch.cat([interpolate(image[None], (SIZE,) * 3, mode="trilinear") for image, *_ in drawn])
        places = torch.stack([place for _, place, _ in drawn])
        views = [changed(images) if "changed" in setting else images for _ in range(setting["views"])]
        optimizer.zero_grad()
        loss = training.loss(torch.cat(views), places.repeat(len(views), 1), torch.tensor(scans * len(views)))
        loss.backward()
        nn.utils.clip_grad_norm_(training.network.parameters(), 2.0)
        optimizer.step()
        schedule.step()
        if step % (EPOCH // shown) == 0:
            print(
                f"step {step}: loss {float(loss):.1f}, {(step + 1) * shown / (time.perf_counter() - start):.1f} crops/s"
            )
    return training.network


def crops_of(heads: list[Head], number: int, seed: int, structures: int) -> tuple[torch.Tensor, ...]:
    """Of each head as many: crops, places (mm), shares of structures, and whose they are."""
    draw = np.random.RandomState(seed)
    drawn = [(*head.crop(draw), whose) for whose, head in enumerate(heads) for _ in range(number)]
    images, places, labels, whose = zip(*drawn, strict=True)
    counts = [torch.bincount(one.flatten().long(), minlength=structures + 1)[1:] for one in labels]
    return torch.stack(images), torch.stack(places), torch.stack(counts) / SIZE**3, torch.tensor(whose)


def judge(network: nn.Module, heads: dict[str, list[Head]], structures: int) -> dict[str, float]:
    """Place (mm) and shares of structures (R²) by ridge regression of training subjects, for validation subjects."""
    parts = {
        "train": crops_of(heads["train"], 16, 1, structures),
        "validate": crops_of(heads["validate"], 64, 2, structures),
    }
    found = {}
    for name, layers in _layer_sets().items():
        reader = layer_features(network.to(memory_format=torch.contiguous_format), layers).eval()
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            read = {
                part: torch.cat([reader(some).float() for some in crops[0].split(32)]) for part, crops in parts.items()
            }
        standardise = Standardise(read["train"])
        ridge = SubjectRidge(standardise(read["train"]), parts["train"][3])
        for what, column in (("place", 1), ("shares", 2)):
            truth = parts["validate"][column].double()
            missed = ridge.fit(parts["train"][column])(standardise(read["validate"])) - truth
            unit = parts["train"][column].double().std(0)
            if what == "place":
                found[f"place {name} (mm)"] = float(missed.norm(dim=1).mean())
            else:
                spread = (truth - truth.mean(0)) / unit
                found[f"shares {name} (R2)"] = 1 - float((missed / unit).square().sum() / spread.square().sum())
        if name == "output":
            off = torch.pdist(read["validate"]) - torch.pdist(parts["validate"][1])
            found["distance (mm)"] = float(off.abs().mean())
    return found


def _layer_sets() -> dict[str, list[str]]:
    parser = ConfigParser()
    parser.read_config([BUNDLE / "configs" / f"{name}.json" for name in ("train", "evaluate")])
    return {name: parser["layer_sets"][name] for name in ("output", "several")}


def main() -> None:
    scans, structures, variant, *crops = sys.argv[1:]
    heads = read_heads(scans, structures)
    network = train(heads["train"], int(crops[0]) if crops else 18720, VARIANTS[variant])
    found = judge(network, heads, len(read_structures(structures).names))
    print(variant, {what: round(value, 4) for what, value in found.items()})


if __name__ == "__main__":
    main()
