"""How large the two terms of ISImed + Barlow Twins are before training, on crops of own scans: DATA as argument."""

import sys
from pathlib import Path

import torch
from monai.bundle import ConfigParser
from monai.data import list_data_collate
from monai.utils import set_determinism

CONFIGS = Path(__file__).parents[2] / "bundles" / "isimed_barlow_pretraining" / "configs"
STEPS, VOLUMES = 3, 4


def norm(loss: torch.Tensor, network: torch.nn.Module) -> float:
    """L2 norm of the gradient with respect to the network."""
    gradients = torch.autograd.grad(loss, list(network.parameters()), retain_graph=True)
    return float(torch.cat([gradient.flatten() for gradient in gradients]).norm())


def main(data: str) -> None:
    """Print values and gradients of the two terms, and the weights that would make them equal."""
    for overlays in ((), ("two_heads",)):
        parser = ConfigParser()
        parser.read_config([str(CONFIGS / f"{name}.json") for name in ("train", *overlays)])
        parser.update({"dataset_dir": data, "device": "cpu"})
        set_determinism(0)
        network, loss, split, preprocessing, prepare_batch = (
            parser.get_parsed_content(name)
            for name in ("network", "loss", "split", "train#preprocessing", "train#prepare_batch")
        )
        for step in range(STEPS):
            scans = split["train"][VOLUMES * step : VOLUMES * (step + 1)]
            image, target, *_ = prepare_batch(
                list_data_collate([crop for scan in scans for crop in preprocessing(scan)])
            )
            embedding = network.train()(image)
            terms = [term(embedding, target) for term in (loss.distance_term, loss.barlow_term)]
            values, norms = [float(term) for term in terms], [norm(term, network) for term in terms]
            print(
                f"{'two heads' if overlays else 'shared   '}  distance {values[0]:5.0f} mm², gradient {norms[0]:5.0f}; "
                f"Barlow {values[1]:5.3f}, gradient {norms[1]:5.2f}; "
                f"equal values at {values[0] / values[1]:5.0f}, equal gradients at {norms[0] / norms[1]:4.0f}"
            )


if __name__ == "__main__":
    main(sys.argv[1])
