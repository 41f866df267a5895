"""What programs that open a bundle ask of it: `open_bundle.py BUNDLE OUTPUT_DIR`, a process of its own.

Leaves model.ts and model.onnx in OUTPUT_DIR, and answers.json with what each client said.
"""

import json
import sys
from pathlib import Path

import torch
from monai.bundle import ckpt_export, load, onnx_export, verify_net_in_out
from monai.networks.nets import DenseNet121, UNet


def same_as_stored(network, stored) -> bool:
    return network.state_dict().keys() == stored.keys() and has_tensors(network, stored)


def has_tensors(network, stored) -> bool:
    tensors = network.state_dict()
    return all(torch.equal(tensors[name], tensor.to(tensors[name])) for name, tensor in stored.items())


def network_of_ones_own(stored):
    if "last.weight" in stored:  # of a U-Net's down path, which is that of a whole one too
        return UNet(3, 1, 2, [16, 32, 64, 128, 192], [2] * 4, num_res_units=2, norm="batch")
    if (last := stored.get("model.2.1.conv.unit0.conv.bias")) is not None:
        return UNet(3, 1, len(last), [16, 32, 64, 128, 192], [2] * 4, num_res_units=2, norm="batch")
    return DenseNet121(spatial_dims=3, in_channels=1, out_channels=len(stored["class_layers.out.bias"]))


def open_bundle(bundle: Path, output_dir: Path) -> dict:
    meta, inference = (str(bundle / "configs" / name) for name in ("metadata.json", "inference.json"))
    weights = str(bundle / "models" / "model.pt")
    stored = torch.load(weights, weights_only=True)
    files = {"meta_file": meta, "config_file": inference, "ckpt_file": weights}
    verify_net_in_out("network_def", meta, inference, device="cpu", bundle_root=str(bundle))
    ckpt_export("network_def", str(output_dir / "model.ts"), **files, bundle_root=str(bundle))
    onnx_export("network_def", str(output_dir / "model.onnx"), **files, bundle_root=str(bundle))
    ours = network_of_ones_own(stored)
    common = {name: tensor for name, tensor in stored.items() if name in ours.state_dict()}
    where = {"bundle_dir": str(bundle.parent), "device": "cpu"}
    training = json.loads((bundle / "configs" / "train.json").read_text(encoding="utf-8"))
    of_data = "@classes" in str(training["network_def"])  # no network is that of a training without the data
    unasked = {"workflow_type": "inference"} if of_data else {}
    return {
        "loaded": same_as_stored(load(bundle.name, **unasked, **where), stored),
        "loaded for inference": same_as_stored(load(bundle.name, workflow_type="inference", **where), stored),
        "loaded into a network of one's own": has_tensors(load(bundle.name, model=ours, **unasked, **where), common),
    }


if __name__ == "__main__":
    folder, output = sys.argv[1:]
    answers = open_bundle(Path(folder), Path(output))
    (Path(output) / "answers.json").write_text(json.dumps(answers), encoding="utf-8")
