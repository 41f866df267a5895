"""Several processes train as one process with all their data would."""

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.nn.parallel import DistributedDataParallel

from scripts.distance_loss import PAIRS, DistanceLoss
from scripts.distributed import gather, rank, wait

PROCESSES, CROPS = 2, 6


def data(process):
    """Images, and where they are from; each process has others."""
    generator = torch.Generator().manual_seed(process)
    location = 30 * torch.randn(CROPS, 3, generator=generator) + 20 * process
    scan = torch.tensor([0, 0, 0, 1, 1, 1]) + 2 * process
    return torch.randn(CROPS, 5, generator=generator), {"location": location, "scan": scan}


def tiny_network():
    torch.manual_seed(0)
    return torch.nn.Linear(5, 4)


def step(network, image, target, pairs):
    loss = DistanceLoss(pairs)(network(image), target)
    loss.backward()
    return loss.item()


def work(process, folder):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=process, world_size=PROCESSES)
    image, target = data(process)
    result = {"gathered": gather(image), "rank": rank()}
    for pairs in PAIRS:
        network = DistributedDataParallel(tiny_network())
        value = step(network, image, target, pairs)
        result[pairs] = (value, [parameter.grad for parameter in network.module.parameters()])
    wait()
    torch.save(result, f"{folder}/{process}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What each of two processes computed."""
    folder = tmp_path_factory.mktemp("processes")
    context = mp.spawn(work, (str(folder),), PROCESSES, join=False)
    try:
        for _ in range(PROCESSES):  # each call returns when one more process has ended
            if context.join(timeout=120):
                break
    finally:
        for process in context.processes:
            process.kill()
    return [torch.load(folder / f"{process}.pt") for process in range(PROCESSES)]


@pytest.fixture
def everything():
    image, target = zip(*map(data, range(PROCESSES)), strict=True)
    return torch.cat(image), {key: torch.cat([part[key] for part in target]) for key in ("location", "scan")}


@pytest.mark.parametrize("pairs", PAIRS)
def test_each_process_has_the_loss_of_all_data(results, everything, pairs):
    expected = step(tiny_network(), *everything, pairs)
    for result in results:
        assert result[pairs][0] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("pairs", PAIRS)
def test_each_process_has_the_gradient_of_all_data(results, everything, pairs):
    network = tiny_network()
    step(network, *everything, pairs)
    for result in results:
        for gradient, parameter in zip(result[pairs][1], network.parameters(), strict=True):
            # the loss depends on differences of embeddings alone: the gradient of the bias is rounding
            assert torch.allclose(gradient, parameter.grad, rtol=1e-5, atol=1e-4)


def test_pairs_across_processes_count(results):
    alone = [step(tiny_network(), *data(process), "all") for process in range(PROCESSES)]
    assert results[0]["all"][0] != pytest.approx(sum(alone) / PROCESSES, rel=0.01)


def test_gathered_data_are_in_the_order_of_the_processes(results, everything):
    for result in results:
        assert torch.equal(result["gathered"], everything[0])


def test_processes_are_numbered(results):
    assert [result["rank"] for result in results] == [0, 1]


def test_one_process_gathers_nothing():
    tensor = torch.ones(2)
    assert gather(tensor) is tensor and rank() == 0
