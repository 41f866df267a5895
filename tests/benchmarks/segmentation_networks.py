"""Networks for segmentation, each trained from scratch by organ_segmentation for as many seconds of one processor.

Run it as `python tests/benchmarks/segmentation_networks.py SCANS STRUCTURES SECONDS [NAME ...]`. What is told is of
validation subjects: the mean Dice coefficient after the last epoch; test subjects are not scored.
"""

import csv
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from monai.bundle import ConfigParser
from monai.losses import DiceCELoss
from torch import nn

from scripts.networks import densenet_unet_encoder  # noqa: F401 - registers densenet121 as a backbone

BUNDLE = Path(__file__).parents[2] / "bundles" / "organ_segmentation"
CROP, CROPS = 32, 16
SHARED = {"spatial_dims": 3, "in_channels": 1, "out_channels": 3}
BASIC = SHARED | {"_target_": "BasicUNet", "norm": "batch", "dropout": 0.1}
FLEXIBLE = SHARED | {"_target_": "FlexibleUNet", "dropout": 0.1}
UNET = SHARED | {"_target_": "UNet", "strides": [2, 2, 2, 2], "norm": "batch", "dropout": 0.1}
SEGRES = SHARED | {"dropout_prob": 0.1, "norm": "batch"}
NETWORKS = {
    "BasicUNet, 16 to 256": BASIC | {"features": [16, 32, 64, 128, 256, 16]},
    "BasicUNet, 8 to 128": BASIC | {"features": [8, 16, 32, 64, 128, 8]},
    "UNet, 16 to 192": UNET | {"channels": [16, 32, 64, 128, 192], "num_res_units": 2},
    "UNet, 16 to 256": UNET | {"channels": [16, 32, 64, 128, 256], "num_res_units": 2},
    "UNet, first step not halved": UNET
    | {"channels": [8, 16, 32, 64, 128, 256], "strides": [1, 2, 2, 2, 2], "num_res_units": 1},
    "SegResNet, 8": SEGRES | {"_target_": "SegResNet", "init_filters": 8},
    "SegResNet, 16": SEGRES | {"_target_": "SegResNet", "init_filters": 16},
    "SegResNetDS, 16": SHARED
    | {"_target_": "SegResNetDS", "init_filters": 16, "blocks_down": [1, 2, 2, 2], "norm": "batch"},
    "FlexibleUNet, ResNet-10": FLEXIBLE | {"backbone": "resnet10"},
    "FlexibleUNet, EfficientNet-B0": FLEXIBLE | {"backbone": "efficientnet-b0"},
    "FlexibleUNet, DenseNet121": FLEXIBLE | {"backbone": "densenet121"},
}


def seconds_a_step(network: nn.Module) -> float:
    """Of forward, loss and backward of one default step's crops, after one that does not count."""
    image, label = torch.randn(CROPS, 1, CROP, CROP, CROP), torch.randint(3, (CROPS, 1, CROP, CROP, CROP))
    loss, taken = DiceCELoss(to_onehot_y=True, softmax=True), []
    for _ in range(3):
        begun = time.process_time()
        with torch.autocast("cpu", torch.bfloat16):
            logits = network(image)
        loss(logits.float(), label).backward()
        taken.append(time.process_time() - begun)
    return min(taken[1:])


def train(network_def: dict, scans: str, structures: str, epochs: int) -> float:
    """The mean Dice coefficient of validation subjects after as many epochs."""
    with TemporaryDirectory() as folder:
        parser = ConfigParser()
        parser.read_config(BUNDLE / "configs" / "train.json")
        changed = {"dataset_dir": scans, "structures": structures, "spacing": [1, 1, 1], "output_dir": folder}
        changed |= {"network_def": network_def, "encoder_parts": [], "max_epochs": epochs, "val_interval": epochs}
        parser.update(changed | {"bundle_root": str(BUNDLE), "threads": 1, "learning_rate": 0.002})
        parser.get_parsed_content("initialize")
        parser.get_parsed_content("train#trainer").run()
        with open(Path(folder) / "history.csv", newline="", encoding="utf-8") as history:
            return float(list(csv.DictReader(history))[-1]["dice"])


def main() -> None:
    scans, structures, seconds, *names = sys.argv[1:]
    torch.set_num_threads(1)
    for name in names or NETWORKS:
        network = ConfigParser(NETWORKS[name]).get_parsed_content("")
        megabytes = sum(one.numel() for one in network.parameters()) * 2 / 1e6
        step = seconds_a_step(network)
        epochs = max(1, round(float(seconds) / step / 20))  # of 20 steps: 78 scans, four a step
        begun = time.process_time()
        dice = train(NETWORKS[name], scans, structures, epochs)
        taken = time.process_time() - begun
        speed = f"{megabytes:.1f} MB, {CROPS / step:.1f} crops/s, {epochs} epochs in {taken:.0f} s"
        print(f"{name}: {speed}, Dice {dice:.3f}", flush=True)


if __name__ == "__main__":
    main()
