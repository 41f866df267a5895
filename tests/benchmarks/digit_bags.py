"""Where is the nine? Training knows of pictures of 64 digits whether there is one: what each pooling makes of it.

`python -m tests.benchmarks.digit_bags`. The digits are scikit-learn's, 8 x 8 pixels each; no digit of a test picture is
in one of training. Prints, of test pictures, the AUC of scores, and of those with a nine, whether the hottest patch is
one, and how well heat ranks patches: means over seeds, and the lowest and highest.
"""

import argparse
from itertools import pairwise

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

from scripts.evaluation.patch_networks import PatchNetwork
from scripts.losses.weak_label import WeakLabelLoss
from scripts.metrics.heatmaps import localisation
from scripts.metrics.roc_auc import roc_auc
from scripts.networks.bag_scores import POOLINGS, bag_of
from scripts.networks.interactive_mil import InteractiveMIL

CELLS = 8  # along each side of a picture
SOUGHT, MOST = 9, 2  # of which a picture has none, or one to so many


def pictures(digits, kinds, number, rng):
    """Pictures [N, 1, 64, 64], and which of their cells are nines, [N, 8, 8]."""
    others, nines = (np.flatnonzero(kinds == SOUGHT) if there else np.flatnonzero(kinds != SOUGHT) for there in (0, 1))
    chosen = rng.choice(others, (number, CELLS**2))
    for picture in chosen[::2]:
        count = rng.integers(1, MOST + 1)
        picture[rng.choice(CELLS**2, count, replace=False)] = rng.choice(nines, count)
    images = digits[chosen].reshape(number, CELLS, CELLS, 8, 8).transpose(0, 1, 3, 2, 4).reshape(number, 1, 64, 64)
    marked = (kinds[chosen] == SOUGHT).reshape(number, CELLS, CELLS)
    return torch.from_numpy(images).float() / 8 - 1, torch.from_numpy(marked)


def encoder():
    """Features of each digit: three convolutions, whose last positions are the cells."""
    widths, layers = [1, 8, 16, 32], []
    for before, after in pairwise(widths):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers)


def trained(pooling, images, marked, epochs, min_attention):
    network = InteractiveMIL(encoder(), "11", [64, 64])
    loss, optimizer = WeakLabelLoss(pooling, min_attention), torch.optim.Adam(network.parameters(), 1e-3)
    label, seen = marked.flatten(1).any(1).float(), torch.ones(len(images), 1, CELLS, CELLS, 1)
    for _ in range(epochs):
        for batch in torch.randperm(len(images)).split(16):
            optimizer.zero_grad()
            logits = network(images[batch])[..., None]
            loss(logits, {"class_label": label[batch], "seen": seen[batch]}).backward()
            optimizer.step()
    return PatchNetwork("", network.eval(), pooling, min_attention)


def scores(one, images, marked):
    """AUC, pointing game and heatmap AUC."""
    with torch.no_grad():
        logits = one.network(images)[..., None]
    seen = torch.ones(CELLS, CELLS, 1, dtype=torch.bool)
    bags = [bag_of(some, seen, one.pooling, one.min_attention) for some in logits]
    label = marked.flatten(1).any(1)
    found = [
        localisation(one.heat(bag), where[..., None], seen)
        for bag, where, there in zip(bags, marked, label, strict=True)
        if there
    ]
    auc = roc_auc(torch.stack([bag.score[0] for bag in bags]), label.int())
    return [auc, *(float(np.mean([row[name] for row in found])) for name in ("pointing_game", "heatmap_auc"))]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--pictures", type=int, default=300)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--min_attention", type=float, default=0.005)
    given = parser.parse_args()
    digits, kinds = load_digits(return_X_y=True)
    results = {pooling: [] for pooling in POOLINGS}
    for seed in range(given.seeds):
        train, test = train_test_split(np.arange(len(kinds)), test_size=0.5, random_state=seed, stratify=kinds)
        rng = np.random.default_rng(seed)
        known = pictures(digits[train], kinds[train], given.pictures, rng)
        new = pictures(digits[test], kinds[test], given.pictures, rng)
        for pooling, rows in results.items():
            torch.manual_seed(seed)
            rows.append(scores(trained(pooling, *known, given.epochs, given.min_attention), *new))
    print("| pooling | AUC | pointing game | heatmap AUC |\n|---|---|---|---|")
    for pooling, rows in results.items():
        columns = zip(*rows, strict=True)
        print(
            f"| {pooling} | " + " | ".join(f"{np.mean(c):.3f} ({min(c):.3f} to {max(c):.3f})" for c in columns) + " |"
        )


if __name__ == "__main__":
    main()
