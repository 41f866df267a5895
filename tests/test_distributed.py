"""Several processes train as one process with all their data would, with each of the losses."""

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from ignite.engine import Engine
from monai.inferers import SimpleInferer
from torch.nn.parallel import DistributedDataParallel

from scripts.distributed import as_in_first, by_first, from_all, from_first, gather, rank, wait
from scripts.errors import InputError
from scripts.handlers.collapse_monitor import CollapseMonitor
from scripts.inferers.grad_cache import GradCacheInferer
from scripts.losses.barlow_twins import BarlowTwinsLoss
from scripts.losses.class_head import ClassHeadLoss
from scripts.losses.contig import ContIGLoss
from scripts.losses.cpc import CPCLoss
from scripts.losses.distance import DistanceLoss
from scripts.losses.drasclr import DrasCLRLoss
from scripts.losses.exemplar import ExemplarLoss
from scripts.losses.isimed_barlow import ISImedBarlowLoss, TwoHeadLoss
from scripts.losses.key_queues import KeyQueues
from scripts.losses.multimodal_puzzle import MultimodalPuzzleLoss
from scripts.losses.nt_xent import NTXentLoss
from scripts.losses.relative_location import RelativeLocationLoss
from scripts.metrics.pretext import PretextAccuracy, PretextChance
from scripts.networks.cpc_head import CPCHead
from scripts.networks.table_heads import TableHeads

PROCESSES, CROPS = 2, 6
CHUNKS = GradCacheInferer(SimpleInferer(), 4)


def head():
    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.BatchNorm1d(5), torch.nn.ReLU(), torch.nn.Linear(5, 3))


def cpc_loss():
    torch.manual_seed(1)
    return CPCLoss(CPCHead([3, 1, 1], 4, code_size=5, context_size=6, directions="both"))


def contig_loss(pooled, features=4):
    torch.manual_seed(1)
    lines = torch.randn(6, 7)
    lines[1, 4:] = lines[3, 2] = torch.nan  # who is not in the second table, and what is missing in the first
    return ContIGLoss(TableHeads({"blood": lines[:, :4], "genes": lines[:, 4:]}, features, 6, 5), 0.5, 0.75, pooled)


class SecondStep(torch.nn.Module):
    """DrasCLR's loss in a step that finds the keys of one before in its queues."""

    def __init__(self):
        super().__init__()
        self.loss = DrasCLRLoss(KeyQueues(2, 4, 3), head(), torch.nn.Linear(4, 3))

    def forward(self, embedding, target):
        self.loss(embedding.flip(1).detach(), target)
        return self.loss(embedding, target)


# by name: a loss, and how many views of each crop it takes
LOSSES = {
    "all pairs": (DistanceLoss, 1),
    "pairs within": (lambda: DistanceLoss("within"), 1),
    "barlow twins": (lambda: BarlowTwinsLoss(0.1), 2),
    "barlow twins, head": (lambda: BarlowTwinsLoss(0.1, head()), 2),
    "nt-xent": (lambda: NTXentLoss(0.2), 2),
    "nt-xent, disjoint": (lambda: NTXentLoss(0.2, "disjoint", [8, 8, 8]), 2),
    "nt-xent, head": (lambda: NTXentLoss(0.2, head=head()), 2),
    "exemplar": (ExemplarLoss, 2),
    "exemplar, hardest": (lambda: ExemplarLoss(0.5, "hardest"), 2),
    "exemplar, head": (lambda: ExemplarLoss(head=head()), 2),
    "isimed + barlow": (lambda: ISImedBarlowLoss(100), 2),
    "cpc": (cpc_loss, 1),
    "drasclr": (SecondStep, 2),
    "contig": (lambda: contig_loss(pooled=False), 1),
    "contig, pooled": (lambda: contig_loss(pooled=True), 1),
    "two heads": (lambda: TwoHeadLoss(head(), head(), 100), 2),
}
# those of a process's own crops, whose head is one for all processes
OWN = {
    "class head": (lambda: ClassHeadLoss(class_head(4), 4, "scan"), 1),
    "relative location": (lambda: RelativeLocationLoss(class_head(8), [1, 1, 5]), 1),
    "relative location, mm": (lambda: RelativeLocationLoss(class_head(8, 3), [1, 1, 3], "all", "mm"), 1),
    "multimodal puzzle": (lambda: MultimodalPuzzleLoss(class_head(4, 3), [1, 1, 3]), 1),
}


def class_head(inputs, outputs=4):
    torch.manual_seed(1)
    return torch.nn.Linear(inputs, outputs)


def shipped_head(process):
    """A head with the layers of the class tasks, drawn otherwise in each process."""
    torch.manual_seed(process)
    norm, dropout = torch.nn.BatchNorm1d(8), torch.nn.Dropout(0.5)
    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), norm, dropout, torch.nn.Linear(8, 4))


def trained_head(process):
    """Weights of a loss whose head learned from each process's own crops for some steps, and its next metrics."""
    loss = ClassHeadLoss(shipped_head(process), 4, "scan")
    optimizer, (first, _, target) = torch.optim.AdamW(loss.parameters(), 0.1), data(process)
    for _ in range(5):
        optimizer.zero_grad()
        loss(first[:, :4], target).backward()
        optimizer.step()
    loss.eval()(first[:, :4], target)  # as the validation loss, before its accuracy
    return {name: tensor.clone() for name, tensor in loss.state_dict().items()}, measured(loss, [data(process)])


def measured(loss, parts):
    """Accuracy and chance of a loss, where each part is a batch of its own."""
    engine = Engine(lambda _, part: (part[0][:, :4], part[2]))
    PretextAccuracy(loss).attach(engine, "accuracy")
    PretextChance(loss).attach(engine, "chance")
    return engine.run(parts).metrics


def data(process):
    """Two views of each image, and where they are from; each process has others."""
    generator = torch.Generator().manual_seed(process)
    location = 30 * torch.randn(CROPS, 3, generator=generator) + 20 * process
    target = {"location": location, "voxel": location / 3, "scan": torch.tensor([0, 0, 0, 1, 1, 1]) + 2 * process}
    target |= {"subject_number": target["scan"], "other": torch.tensor([3, 3, 0, 0, 1, 1])}
    target["person"] = torch.tensor([0, 0, 1, 1, 2, 3]) + 2 * process
    target["place_number"] = torch.tensor([0, 1, 0, 1, 0, 0])
    patches = torch.randn(2, 3, 7, generator=generator)
    target["distances"] = torch.cdist(patches, patches).square().flatten(0, 1)
    target["cell"] = torch.tensor([2, 0, 1, 0, 2, 1])
    target["empty"] = torch.tensor([False, False, True, False, False, False]) & (process == 0)
    first = torch.randn(CROPS, 5, generator=generator)
    return first, first + 0.5 * torch.randn(CROPS, 5, generator=generator), target


def tiny_network():
    torch.manual_seed(0)
    return torch.nn.Linear(5, 4)


def normalising_network():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.BatchNorm1d(4))


def step(network, name, first, second, target, inferer=None):
    """Value of a loss, and gradients of the network and of the loss's own heads."""
    make, views = (LOSSES | OWN)[name]
    loss = make()
    value = loss((inferer or SimpleInferer())(torch.cat([first, second][:views]), network), target)
    value.backward()
    parameters = [*network.parameters(), *loss.parameters()]
    return value.item(), [parameter.grad for parameter in parameters]


def copied_step(network, first, second, processes):
    """A loss of correlations that a plain all-reduce sums, as in Barlow Twins' own code and many copies of it."""
    correlation = network(first).T @ network(second) / (len(first) * processes)
    if processes > 1:
        dist.all_reduce(correlation)
    correlation.sub(torch.eye(4)).square().sum().backward()
    return [parameter.grad for parameter in network.parameters()]


def gathering(process):
    """Losses that apply a head to what is gathered, drawn otherwise in each process."""
    torch.manual_seed(process)
    exemplar, cpc = ExemplarLoss(head=torch.nn.Linear(4, 3)), CPCLoss(CPCHead([2, 1, 1], 4, 5, 6))
    drasclr = DrasCLRLoss(KeyQueues(1, 1, 3), torch.nn.Linear(4, 3), torch.nn.Identity())
    return {"exemplar": exemplar, "cpc": cpc, "drasclr": drasclr}


def queues(embedding, target):
    """Of DrasCLR's loss after a step with these queries and keys."""
    torch.manual_seed(0)
    loss = SecondStep().loss
    loss(torch.cat([embedding, -embedding])[:, :4], target)
    return loss.queues.state_dict()


@by_first
def folder_of(process):
    """A path of the process that is asked, unless that has to refuse."""
    if process is None:
        raise InputError(f"process {rank()} refuses")
    return Path(f"/{process}")


def refused(process):
    """What each process is told where the first one refuses, and whether they meet again."""
    with pytest.raises(InputError) as refusal:
        folder_of(process or None)
    wait()
    return str(refusal.value)


def work(process, folder):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=process, world_size=PROCESSES)
    result = {"gathered": gather(data(process)[0]), "rank": rank(), "monitored": monitored(data(process)[0])}
    result |= {"of all": from_all({"number": process}), "of the first": from_first(process)}
    head_of_loss, metrics = trained_head(process)
    result |= {"trained head": head_of_loss, "its metrics": metrics}
    result |= {"drawn": {name: one.state_dict() for name, one in gathering(process).items()}}
    result |= {"by the first": str(folder_of(process)), "refused by the first": refused(process)}
    result["queues"] = queues(*data(process)[::2])
    for name in LOSSES | OWN:
        result[name] = step(DistributedDataParallel(tiny_network()), name, *data(process))
    network = normalising_network()
    result["chunks"] = {
        name: step(DistributedDataParallel(tiny_network()), name, *data(process), CHUNKS) for name in LOSSES
    }
    result["normalised"] = step(DistributedDataParallel(network), "all pairs", *data(process), CHUNKS)
    result["statistics"] = list(network.buffers())
    # static_graph: the network is called once a view, as the published code does
    network = DistributedDataParallel(tiny_network(), static_graph=True)
    result["copied"] = copied_step(network, *data(process)[:2], PROCESSES)
    wait()
    torch.save(result, f"{folder}/{process}.pt")
    dist.destroy_process_group()


def monitored(embedding):
    """Metrics of an evaluator whose network gives these embeddings."""
    engine = Engine(lambda *_: {"pred": embedding})
    CollapseMonitor().attach(engine)
    return engine.run([0]).metrics


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What each of two processes computed."""
    folder = tmp_path_factory.mktemp("processes")
    method = "spawn" if torch.cuda.is_available() else "fork"  # which imports nothing anew, and no GPU survives
    context = mp.start_processes(work, (str(folder),), PROCESSES, join=False, start_method=method)
    try:
        for _ in range(PROCESSES):  # each call returns when one more process has ended
            if context.join(timeout=120):
                break
    finally:
        for process in context.processes:
            process.kill()
    return [torch.load(folder / f"{process}.pt") for process in range(PROCESSES)]


def test_what_all_processes_or_the_first_have_is_known_to_all(results):
    for result in results:
        assert result["of all"] == [{"number": 0}, {"number": 1}] and result["of the first"] == 0


def test_what_the_first_process_does_alone_is_known_to_all(results):
    assert [result["by the first"] for result in results] == ["/0", "/0"]


def test_what_the_first_process_refuses_is_refused_in_all(results):
    assert [result["refused by the first"] for result in results] == 2 * ["process 0 refuses"]


def test_one_process_does_it_itself():
    assert folder_of(3) == Path("/3")
    with pytest.raises(InputError, match="process 0 refuses"):
        folder_of(None)


def test_one_process_has_what_it_has():
    assert from_all("item") == ["item"] and from_first("item") == "item"


@pytest.fixture
def everything():
    first, second, target = zip(*map(data, range(PROCESSES)), strict=True)
    return torch.cat(first), torch.cat(second), {key: torch.cat([part[key] for part in target]) for key in target[0]}


@pytest.mark.parametrize("name", LOSSES)
def test_each_process_has_the_loss_of_all_data(results, everything, name):
    expected, _ = step(tiny_network(), name, *everything)
    for result in results:
        assert result[name][0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", OWN)
def test_a_loss_of_a_processs_own_crops_is_that_of_all_in_the_mean(results, everything, name):
    expected, _ = step(tiny_network(), name, *everything)
    assert sum(result[name][0] for result in results) / PROCESSES == pytest.approx(expected, rel=1e-5)
    assert results[0][name][0] != results[1][name][0]


@pytest.mark.parametrize("name", LOSSES | OWN)
def test_each_process_has_the_gradient_of_all_data(results, everything, name):
    _, expected = step(tiny_network(), name, *everything)
    scale = max(float(gradient.abs().max()) for gradient in expected)
    for result in results:
        for gradient, truth in zip(result[name][1], expected, strict=True):
            assert torch.allclose(gradient, truth, rtol=1e-4, atol=1e-5 * scale)


@pytest.mark.parametrize("name", LOSSES)
def test_in_chunks_too(results, everything, name):
    expected, gradients = step(tiny_network(), name, *everything)
    scale = max(float(gradient.abs().max()) for gradient in gradients)
    for result in results:
        assert result["chunks"][name][0] == pytest.approx(expected, rel=1e-5)
        for gradient, truth in zip(result["chunks"][name][1], gradients, strict=True):
            assert torch.allclose(gradient, truth, rtol=1e-4, atol=1e-5 * scale)


def test_processes_that_normalise_chunks_of_their_own_have_one_gradient(results):
    (_, ours), (_, theirs) = (result["normalised"] for result in results)
    assert all(torch.equal(*pair) for pair in zip(ours, theirs, strict=True)) and ours[0].any()


def test_the_first_process_has_the_running_statistics_of_one_pass_of_its_chunks(results):
    once = normalising_network()
    for chunk in data(0)[0].split(3):
        once(chunk)
    assert all(torch.equal(*pair) for pair in zip(results[0]["statistics"], once.buffers(), strict=True))


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "pairs within"])
def test_crops_of_other_processes_count(results, name):
    alone = [step(tiny_network(), name, *data(process))[0] for process in range(PROCESSES)]
    assert results[0][name][0] != pytest.approx(sum(alone) / PROCESSES, rel=0.01)


def test_a_head_with_dropout_and_normalisation_stays_one_for_all_processes(results):
    ours, theirs = (result["trained head"] for result in results)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert not torch.allclose(ours["head.0.weight"], shipped_head(0)[0].weight)


def test_accuracy_and_chance_are_those_of_the_crops_of_all_processes(results):
    loss = ClassHeadLoss(shipped_head(0), 4, "scan").eval()
    loss.load_state_dict(results[0]["trained head"])
    expected = measured(loss, [data(process) for process in range(PROCESSES)])
    alone = [measured(loss, [data(process)])["accuracy"] for process in range(PROCESSES)]
    assert all(result["its metrics"] == pytest.approx(expected) for result in results)
    assert alone[0] != alone[1]  # or it would not matter


@pytest.mark.parametrize("name", ["exemplar", "cpc", "drasclr"])
def test_a_head_that_is_applied_to_all_crops_begins_as_in_the_first_process(results, name):
    expected = gathering(0)[name].state_dict()
    for result in results:
        assert all(torch.equal(result["drawn"][name][key], value) for key, value in expected.items())


def test_the_queues_of_all_processes_hold_the_keys_of_all_in_one_order(results, everything):
    expected = queues(*everything[::2])
    assert all(torch.equal(result["queues"][name], each) for result in results for name, each in expected.items())


def test_one_process_leaves_a_head_as_it_was_drawn():
    head = torch.nn.Linear(2, 2)
    assert as_in_first(head) is head


def test_the_copied_all_reduce_is_off_by_the_number_of_processes(results, everything):
    expected = copied_step(tiny_network(), *everything[:2], 1)
    for gradient, truth in zip(results[0]["copied"], expected, strict=True):
        assert torch.allclose(gradient * PROCESSES, truth, rtol=1e-4, atol=1e-4)


def test_collapse_is_looked_for_in_the_embeddings_of_all_processes(results, everything):
    for result in results:
        assert result["monitored"] == pytest.approx(monitored(everything[0]))


def test_gathered_data_are_in_the_order_of_the_processes(results, everything):
    for result in results:
        assert torch.equal(result["gathered"], everything[0])


def test_processes_are_numbered(results):
    assert [result["rank"] for result in results] == [0, 1]


def test_one_process_gathers_nothing():
    tensor = torch.ones(2)
    assert gather(tensor) is tensor and rank() == 0
