"""ContIG, against the paper's equations written out, and against what its public code does otherwise."""

import math

import pytest
import torch
from torch.nn.functional import cosine_similarity

from scripts.errors import InputError
from scripts.losses.contig import ContIGLoss, contig_loss, mean_by_person
from scripts.networks.table_heads import TableHeads

T, WEIGHT = 0.1, 0.75


def tables(persons=6, seed=0):
    """Two tables; the second lacks persons 1 and 4, and a cell."""
    generator = torch.Generator().manual_seed(seed)
    blood, genes = torch.randn(persons, 3, generator=generator), torch.randn(persons, 4, generator=generator)
    genes[[1, 4]] = torch.nan
    genes[2, 1] = torch.nan
    return {"blood": blood, "genes": genes}


def make_loss(known=None, features=5, pooled=False, seed=0, **settings):
    torch.manual_seed(seed)
    heads = TableHeads(tables() if known is None else known, features, hidden_size=8, projection_size=4, **settings)
    return ContIGLoss(heads, T, WEIGHT, pooled)


def by_hand(loss, embedding, persons):
    """Equations 1 and 2 of the paper as loops, over the persons of each table alone; one row a person."""
    total = []
    for i in range(len(loss.heads.names)):
        known = [k for k, person in enumerate(persons) if bool(loss.heads.in_table(i, torch.tensor([person])))]
        images = loss.heads.of_images(i, embedding[known])
        lines = loss.heads.of_tables(i, torch.tensor([persons[k] for k in known]))
        similar = [[float(cosine_similarity(v, g, dim=0)) / T for g in lines] for v in images]
        n, to_table, to_image = len(known), 0.0, 0.0
        for k in range(n):
            to_table -= similar[k][k] - math.log(sum(math.exp(similar[k][other]) for other in range(n)))
            to_image -= similar[k][k] - math.log(sum(math.exp(similar[other][k]) for other in range(n)))
        total.append(WEIGHT * to_table / n + (1 - WEIGHT) * to_image / n)
    return sum(total) / len(total)


def test_with_one_row_a_person_it_is_the_papers_formula():
    loss, embedding = make_loss(), torch.randn(5, 5)
    persons = [3, 0, 1, 5, 2]
    for pooled in (False, True):
        loss.pooled = pooled
        assert float(loss(embedding, {"person": torch.tensor(persons)})) == pytest.approx(
            by_hand(loss, embedding, persons), rel=1e-5
        )


def test_where_all_is_alike_the_loss_is_the_logarithm_of_the_number_of_persons():
    assert float(contig_loss(torch.zeros(7, 7), torch.arange(7))) == pytest.approx(math.log(7))


def test_rows_of_one_person_are_no_negatives_of_each_other():
    logits, own = torch.randn(5, 3), torch.tensor([0, 0, 1, 2, 2])
    expected = []
    for row, person in enumerate(own.tolist()):
        to_table = logits[row].exp().sum().log() - logits[row, person]
        rivals = [row, *(other for other in range(5) if own[other] != person)]
        to_image = logits[rivals, person].exp().sum().log() - logits[row, person]
        expected.append(WEIGHT * to_table + (1 - WEIGHT) * to_image)
    assert torch.isclose(contig_loss(logits, own, WEIGHT), torch.stack(expected).mean())


def test_two_eyes_of_each_person_are_no_more_persons():
    """The public code takes them for persons of their own, with the same genes."""
    loss, embedding, person = make_loss(pooled=True).eval(), torch.randn(3, 5), torch.tensor([0, 3, 5])
    both = loss(embedding.repeat(2, 1), {"person": person.repeat(2)})
    assert torch.isclose(both, loss(embedding, {"person": person}))


def test_pooled_crops_are_averaged_by_person_before_they_are_projected():
    embedding, person = torch.randn(6, 5), torch.tensor([3, 0, 3, 5, 0, 3])
    loss = make_loss(pooled=True).eval()
    means = torch.stack([embedding[person == number].mean(0) for number in (0, 3, 5)])
    assert torch.isclose(loss(embedding, {"person": person}), loss(means, {"person": torch.tensor([0, 3, 5])}))
    assert torch.equal(mean_by_person(embedding, person)[1], torch.tensor([0, 3, 5]))


def test_who_is_not_in_a_table_has_no_part_in_it_nor_in_its_batch_norm():
    loss, embedding, person = make_loss(), torch.randn(4, 5), torch.tensor([0, 1, 2, 4])
    other = make_loss()
    loss(embedding, {"person": person})
    embedding[[1, 3]] = 1e3 * torch.randn(2, 5)
    other(embedding[[0, 2]], {"person": person[[0, 2]]})  # 1 and 4 are not in the second table
    ours, theirs = (one.heads.table_encoders[1][2].running_mean for one in (loss, other))
    assert torch.equal(ours, theirs) and ours.abs().sum() > 0


def test_a_table_is_known_by_its_name_and_not_by_its_place():
    """In the public code, who lacks which table goes by the place in the user's list."""
    one, both = tables(), make_loss()
    alone = make_loss({"genes": one["genes"]})
    alone.heads.image_projectors[0].load_state_dict(both.heads.image_projectors[1].state_dict())
    alone.heads.table_encoders[0].load_state_dict(both.heads.table_encoders[1].state_dict())
    embedding, person = torch.randn(3, 5), torch.tensor([0, 1, 3])
    found = alone.eval().similarities(embedding, person)["genes"]
    assert torch.allclose(both.eval().similarities(embedding, person)["genes"], found, equal_nan=True)
    assert found.isnan().all(0).tolist() == [False, True, False]


def test_a_table_of_which_a_step_has_one_person_counts_for_nothing():
    known = tables()
    loss, embedding, person = make_loss(known), torch.randn(3, 5), torch.tensor([1, 4, 0])
    alone = make_loss({"blood": known["blood"]})
    alone.heads.image_projectors[0].load_state_dict(loss.heads.image_projectors[0].state_dict())
    alone.heads.table_encoders[0].load_state_dict(loss.heads.table_encoders[0].state_dict())
    assert torch.isclose(loss(embedding, {"person": person}), alone(embedding, {"person": person}))


def test_a_step_of_one_person_teaches_nothing_and_that_is_told_once(caplog):
    loss, embedding = make_loss(), torch.randn(2, 5, requires_grad=True)
    for _ in range(2):
        value = loss(embedding, {"person": torch.tensor([0, 0])})
        value.backward()
    assert value == 0 and not embedding.grad.any()
    assert caplog.text.count("A step has no two persons who are in one table") == 1


def test_bfloat16_embeddings_are_compared_in_float32():
    loss, embedding, target = make_loss().eval(), torch.randn(5, 5).bfloat16(), {"person": torch.arange(5)}
    with torch.autocast("cpu", torch.bfloat16):
        value = loss(embedding, target)
    assert value.dtype == torch.float32 and torch.equal(value, loss(embedding.float(), target))


def test_large_logits_do_not_overflow():
    logits = 1e4 * torch.randn(6, 4)
    logits.requires_grad_()
    value = contig_loss(logits, torch.tensor([0, 1, 2, 3, 3, 3]))
    value.backward()
    assert value.isfinite() and logits.grad.isfinite().all()


def test_the_gradient_is_that_of_finite_differences():
    own = torch.tensor([0, 1, 2, 2])
    logits = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda values: contig_loss(values, own), logits)


def test_the_order_of_rows_does_not_matter():
    loss, embedding, person = make_loss().eval(), torch.randn(6, 5), torch.tensor([0, 3, 5, 0, 2, 1])
    order = torch.randperm(6)
    shuffled = loss(embedding[order], {"person": person[order]})
    assert torch.isclose(shuffled, loss(embedding, {"person": person}), rtol=1e-5)


def test_validation_of_all_persons_is_the_loss_of_them():
    loss, embedding, person = make_loss().eval(), torch.randn(6, 5), torch.arange(6)
    assert loss.value(embedding, person) == pytest.approx(float(loss(embedding, {"person": person})))


@pytest.mark.parametrize("temperature", [0, -1, float("nan"), "low"])
def test_a_temperature_that_is_no_positive_number_is_refused(temperature):
    with pytest.raises(InputError, match="temperature is"):
        ContIGLoss(make_loss().heads, temperature)


def found_again(shuffled):
    """Of persons who were not trained on, how many are found by their lines, of which scans show two numbers."""
    torch.manual_seed(0)
    lines = torch.randn(240, 4)
    scans = torch.cat([lines[:, :2], torch.zeros(240, 4)], 1) + 0.3 * torch.randn(240, 6)
    if shuffled:
        lines = lines.roll(1, 0)
    loss, encoder = make_loss({"blood": lines}, features=8), torch.nn.Linear(6, 8)
    optimizer = torch.optim.AdamW([*encoder.parameters(), *loss.parameters()], 0.01)
    for _ in range(150):
        person = torch.randperm(200)[:64]
        optimizer.zero_grad()
        loss(encoder(scans[person]), {"person": person}).backward()
        optimizer.step()
    person = torch.arange(200, 240)
    with torch.no_grad():
        similar = loss.eval().similarities(encoder(scans[person]), person)["blood"]
    return float(((similar > similar.diagonal()[:, None]).sum(1) < 4).float().mean())  # among the first 4 of 40


def test_lines_that_scans_show_are_found_among_those_of_new_persons():
    assert found_again(shuffled=False) > 0.5


def test_lines_of_others_help_with_nobody_new():
    assert found_again(shuffled=True) < 0.25
