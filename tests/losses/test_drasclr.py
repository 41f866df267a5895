"""DrasCLR's loss, against its equations written out."""

import copy
import math

import pytest
import torch
from torch import nn
from torch.nn.functional import normalize

from scripts.errors import InputError
from scripts.losses.drasclr import DrasCLRLoss, contrast
from scripts.losses.key_queues import KeyQueues

PLACES, SIZE, CROPS, NUMBERS = 3, 6, 5, 4


def slow_contrast(query, key, others, temperature, size):
    """Of one query, with a list of keys of other subjects."""
    product = lambda a, b: math.exp(sum(x * y for x, y in zip(a, b, strict=True)) / temperature)  # noqa: E731
    negatives = sum(product(query, other) for other in others) * size / len(others)
    return -math.log(product(query, key) / (product(query, key) + negatives))


def unit(*shape):
    return normalize(torch.randn(*shape, dtype=torch.float64), dim=-1)


@pytest.mark.parametrize("temperature", [0.05, 0.2, 1.0])
@pytest.mark.parametrize("known", [SIZE, 2], ids=["full", "two of six"])
def test_it_is_the_papers_cross_entropy_over_a_full_queue(temperature, known):
    query, key, others = unit(CROPS, NUMBERS), unit(CROPS, NUMBERS), unit(CROPS, SIZE, NUMBERS)
    valid = torch.arange(SIZE).expand(CROPS, SIZE) < known
    expected = [
        slow_contrast(query[n].tolist(), key[n].tolist(), others[n, :known].tolist(), temperature, SIZE)
        for n in range(CROPS)
    ]
    loss = contrast(query, key, others, valid, temperature)
    assert float(loss) == pytest.approx(sum(expected) / CROPS, rel=1e-10)


@pytest.mark.parametrize("known", [1, 3, SIZE])
def test_crops_that_are_all_alike_cost_the_logarithm_of_the_candidates_however_full_the_queue_is(known):
    ones, valid = torch.ones(CROPS, NUMBERS), torch.arange(SIZE).expand(CROPS, SIZE) < known
    loss = contrast(ones, ones, torch.ones(CROPS, SIZE, NUMBERS), valid)
    assert float(loss) == pytest.approx(math.log(1 + SIZE))


def test_orthogonal_keys_have_a_closed_form():
    basis = torch.eye(NUMBERS, dtype=torch.float64)
    others = basis[1:].expand(1, NUMBERS - 1, NUMBERS)
    loss = contrast(basis[:1], basis[:1], others, torch.ones(1, NUMBERS - 1, dtype=torch.bool), 0.5)
    assert float(loss) == pytest.approx(-math.log(math.exp(2) / (math.exp(2) + NUMBERS - 1)))


def test_queries_that_have_no_negatives_do_not_count():
    query, key, others = unit(2, NUMBERS), unit(2, NUMBERS), unit(2, SIZE, NUMBERS)
    valid = torch.tensor([[True] * SIZE, [False] * SIZE])
    assert torch.equal(contrast(query, key, others, valid), contrast(query[:1], key[:1], others[:1], valid[:1]))
    assert float(contrast(query, key, others, torch.zeros_like(valid))) == 0


def test_keys_that_are_not_meant_change_neither_loss_nor_gradient():
    query, key, others = unit(CROPS, NUMBERS).requires_grad_(), unit(CROPS, NUMBERS), unit(CROPS, SIZE, NUMBERS)
    valid = torch.rand(CROPS, SIZE) < 0.5
    valid[0] = False
    changed = torch.where(valid[..., None], others, 9.0)
    gradients = [torch.autograd.grad(contrast(query, key, each, valid), query)[0] for each in (others, changed)]
    assert torch.equal(*gradients) and gradients[0].isfinite().all() and not gradients[0][0].any()


@pytest.fixture
def target():
    return {"place_number": torch.tensor([0, 1, 1, 2, 0]), "subject_number": torch.tensor([1, 1, 2, 2, 3])}


@pytest.fixture
def make():
    """A function: a loss with keys of three subjects at the first two places."""

    def loss(**settings):
        queues = KeyQueues(PLACES, SIZE, NUMBERS)
        keys, place = normalize(torch.randn(10, NUMBERS)), torch.tensor([0, 1] * 5)
        queues.add(keys, place, torch.tensor([1, 1, 2, 2, 3, 3, 3, 3, 1, 1]))
        head = nn.Linear(NUMBERS, NUMBERS)
        return DrasCLRLoss(queues, head, copy.deepcopy(head), **settings)

    return loss


def slow_loss(loss, embedding, target, neighbours=2, beta=1.0):
    query, *near, key = normalize(loss.head(embedding)).chunk(2 + neighbours)
    terms = []
    for query_of in (query, sum(near)):
        at = []
        for n, (place, subject) in enumerate(zip(*(target[k].tolist() for k in target), strict=True)):
            subjects = loss.queues.subjects[place].tolist()
            others = [loss.queues.keys[place, i].tolist() for i, of in enumerate(subjects) if of not in (-1, subject)]
            if others:
                at.append(slow_contrast(query_of[n].tolist(), key[n].tolist(), others, loss.temperature, SIZE))
        terms.append(sum(at) / len(at))
    return terms[0] + beta * terms[1]


@pytest.mark.parametrize("beta", [0.5, 1.0])
def test_the_sum_of_neighbours_is_to_find_the_key_as_the_place_itself_is(make, target, beta):
    loss, embedding = make(temperature=0.3, beta=beta).eval(), torch.randn(4 * CROPS, NUMBERS)
    assert float(loss(embedding, target)) == pytest.approx(slow_loss(loss, embedding, target, beta=beta), rel=1e-5)


def test_without_neighbours_the_contrast_is_local(make, target):
    loss, embedding = make().eval(), torch.randn(4 * CROPS, NUMBERS)
    query, key = embedding[:CROPS], embedding[-CROPS:]
    local = loss(torch.cat([query, key]), target)
    assert float(local) == pytest.approx(slow_loss(loss, embedding, target, beta=0.0), rel=1e-5)


def test_the_gradient_reaches_queries_and_neighbours_and_no_key(make, target):
    loss, embedding = make(), torch.randn(4 * CROPS, NUMBERS, requires_grad=True)
    loss(embedding, target).backward()
    reached = embedding.grad.reshape(4, CROPS, NUMBERS).abs().sum(2) > 0
    with_negatives = target["place_number"] < 2
    assert reached.tolist() == [with_negatives.tolist()] * 3 + [[False] * CROPS]
    assert loss.head.weight.grad.any() and loss._key_head[0].weight.grad is None


def test_a_subject_is_not_told_from_itself(make, target):
    """Its keys in the queue are as good as none."""
    loss, embedding = make().eval(), torch.randn(4 * CROPS, NUMBERS)
    before = loss(embedding, target)
    own = loss.queues.subjects[0] == 1
    loss.queues.keys[0, own] = 5.0
    alone = {"place_number": torch.zeros(CROPS, dtype=torch.long), "subject_number": torch.ones(CROPS)}
    unlike = {**alone, "subject_number": 2 * torch.ones(CROPS)}
    assert own.any() and not torch.equal(loss(embedding, target), before)  # another subject sees it
    values = [loss(embedding, each) for each in (alone, unlike)]
    loss.queues.keys[0, own] = -5.0
    again = [loss(embedding, each) for each in (alone, unlike)]
    assert torch.equal(values[0], again[0]) and not torch.equal(values[1], again[1])


def test_a_key_is_a_negative_from_the_next_step_on(make, target):
    loss = make()
    loss.queues.subjects.fill_(-1)
    first, second = (float(loss(torch.randn(4 * CROPS, NUMBERS), target)) for _ in range(2))
    assert first == 0 and second > 0


def test_a_validation_leaves_the_queues_as_they_are(make, target):
    loss = make().eval()
    before = {name: each.clone() for name, each in loss.state_dict().items()}
    loss(torch.randn(4 * CROPS, NUMBERS), target)
    assert all(torch.equal(before[name], each) for name, each in loss.state_dict().items())


def test_a_restored_loss_goes_on_as_if_never_stopped(make, target):
    first, second = make(), make()
    steps = torch.randn(6, 4 * CROPS, NUMBERS)
    for step in steps[:3]:
        first(step, target)
    second.load_state_dict(first.state_dict())
    second._key_head[0].load_state_dict(first._key_head[0].state_dict())
    assert all(torch.equal(first(step, target), second(step, target)) for step in steps[3:])


def test_bfloat16_embeddings_are_compared_in_float32(make, target):
    loss, embedding = make().eval(), torch.randn(4 * CROPS, NUMBERS).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        value = loss(embedding, target)
    assert value.dtype == torch.float32 and torch.equal(value, loss(embedding.float(), target))


@pytest.mark.parametrize("temperature", [0, -1, None])
def test_a_temperature_that_is_no_positive_number_is_refused(make, temperature):
    with pytest.raises(InputError, match="temperature is"):
        make(temperature=temperature)


def held_out(views, queues=2, steps=80, subjects=24):
    """Local and regional loss, less what a guess costs, of a tiny encoder on subjects that it was not trained with."""
    encoder = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 8))
    head = nn.Linear(8, 8)
    loss = DrasCLRLoss(KeyQueues(queues, 2 * subjects, 8), head, copy.deepcopy(head))
    optimizer = torch.optim.Adam([*encoder.parameters(), *loss.parameters()], lr=0.01)
    target = {"place_number": torch.arange(subjects) % queues, "subject_number": torch.arange(subjects)}
    for _ in range(steps):
        optimizer.zero_grad()
        loss(encoder(views(subjects)), target).backward()
        optimizer.step()
        loss._key_head[0].load_state_dict(head.state_dict())
    loss.eval()
    with torch.no_grad():
        unseen = {**target, "subject_number": target["subject_number"] + subjects}
        return float(loss(encoder(views(subjects)), unseen)) - 2 * math.log(1 + 2 * subjects)


def noise(subjects):
    """Views that share the place alone which the network is told, one of two."""
    views = torch.randn(4, subjects, 30)
    views[:, ::2, :3] += 3
    return views.flatten(0, 1)


def crops(subjects):
    """Views that share what they show."""
    return (torch.randn(subjects, 30) + 0.2 * torch.randn(4, subjects, 30)).flatten(0, 1)


def test_noise_is_not_solved():
    assert held_out(noise) > -0.05


def test_noise_would_be_solved_if_the_places_of_one_queue_were_told_apart():
    assert held_out(noise, queues=1) < -0.3


def test_views_that_share_something_find_each_other():
    assert held_out(crops) < -1
