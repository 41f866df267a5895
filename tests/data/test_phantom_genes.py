"""Genes of synthetic bodies: what acts is found in what bodies are like, and nothing else is."""

import numpy as np
import pytest

from scripts.data.phantom_body import ORGANS
from scripts.data.phantom_genes import HERITABILITY, TRAITS, Genes, inherited, traits_of
from scripts.data.phantom_scan import draw_subject
from scripts.errors import InputError
from scripts.probes.association import associate, inverse_normal

VARIANTS, CAUSAL, PERSONS = 1000, 10, 300
ACTED_ON = ["body size", "muscle brightness", "fat brightness"]


def cohort(seed, persons=PERSONS, variants=VARIANTS, causal=CAUSAL, **inheritance):
    """Genes, what persons' genotypes are as they are known, [S, V], and what their bodies are like, [S, T]."""
    genes, known, traits = Genes.draw(seed, variants, causal, **inheritance), [], []
    for i in range(persons):
        genotype, missing = genes.genotype(i)
        body = draw_subject(np.random.default_rng([seed, i]), None, *inherited(genes.shifts(genotype)))
        known.append(np.where(missing, np.nan, genotype))
        traits.append(traits_of(body))
    return genes, np.array(known), np.array(traits)


@pytest.fixture(scope="module")
def people():
    return cohort(0)


def corrected_p(genotypes, traits):
    """p of each variant in each trait, corrected for all of them."""
    pytest.importorskip("scipy")
    p = associate(inverse_normal(traits), genotypes, np.empty((len(traits), 0))).p
    return p * p.size


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_what_acts_is_found_in_its_trait_and_nothing_else_is(seed):
    genes, genotypes, traits = cohort(seed)
    found = set(map(tuple, np.argwhere(corrected_p(genotypes, traits) < 0.05).tolist()))
    assert found == {(variant, trait) for trait, variant in enumerate(genes.causal.tolist())}


@pytest.mark.slow
def test_false_ones_are_as_rare_as_the_error_rate_says():
    """At 5 % a cohort, 4 or more of 20 cohorts with a false one come once in 60 times; 6 or more, once in 3000."""
    false, missed = 0, 0
    for seed in range(20):
        genes, genotypes, traits = cohort(100 + seed)
        found = corrected_p(genotypes, traits) < 0.05
        own = (genes.causal, np.arange(CAUSAL))
        missed += (~found[own]).sum()
        found[own] = False
        false += found.any()
    assert false < 6 and missed <= 2


def test_nothing_is_found_in_other_persons(people):
    _, genotypes, traits = people
    assert not (corrected_p(np.random.RandomState(0).permutation(genotypes), traits) < 0.05).any()


def test_a_variant_makes_the_share_of_variance_that_is_said():
    genes, genotypes, traits = cohort(3, persons=1200, variants=12, causal=12)
    for trait, variant in enumerate(genes.causal):
        known = ~np.isnan(genotypes[:, variant])
        r = np.corrcoef(genotypes[known, variant], traits[known, trait])[0, 1]
        assert r**2 == pytest.approx(HERITABILITY, abs=0.08), list(TRAITS)[trait]
        assert np.sign(r) == np.sign(genes.effect[trait])


def test_genotypes_are_in_equilibrium_and_some_are_missing(people):
    genes, genotypes, _ = people
    f = genes.frequency
    assert 0.015 < np.isnan(genotypes).mean() < 0.025 and f.min() >= 0.1 and f.max() <= 0.5
    expected = np.array([(1 - f) ** 2, 2 * f * (1 - f), f**2]).sum(1)
    found = [(genotypes == count).mean(0).sum() / 0.98 for count in range(3)]
    assert found == pytest.approx(expected.tolist(), rel=0.02)


def test_variants_say_nothing_of_each_other(people):
    _, genotypes, _ = people
    r = np.corrcoef(np.nan_to_num(genotypes, nan=0.6).T)[np.triu_indices(VARIANTS, 1)]
    assert r.std() == pytest.approx(PERSONS**-0.5, rel=0.05)


def test_a_larger_cohort_begins_with_the_persons_of_a_smaller_one():
    first, second = (Genes.draw(0, 30, 3).genotype(5)[0] for _ in range(2))
    assert np.array_equal(first, second) and not np.array_equal(first, Genes.draw(0, 30, 3).genotype(6)[0])


def test_who_inherits_nothing_has_the_usual_body():
    assert inherited({}) == (0.0, ORGANS)
    genes = Genes.draw(0, 5, 0)
    assert genes.shifts(genes.genotype(0)[0]) == {} and genes.effects() == []


def test_columns_have_places_of_their_own():
    columns = Genes.draw(0, VARIANTS, 0).columns
    assert len({*columns}) == VARIANTS and columns[0] == "chr1:1000000_A" and columns[-1].startswith("chr22:")


def test_variants_share_the_traits_on_which_they_act_in_turn():
    genes, genotypes, traits = cohort(4, persons=1200, variants=10, causal=10, traits=ACTED_ON, heritability=0.8)
    assert genes.trait == [ACTED_ON[i % 3] for i in range(10)]
    expected = [0.2 if i % 3 == 0 else 0.8 / 3 for i in range(10)]
    assert [effect[-1] for effect in genes.effects()] == pytest.approx(expected, abs=1e-4)
    known = np.nan_to_num(genotypes[:, genes.causal], nan=2 * genes.frequency[genes.causal].mean())
    acted_on = traits[:, [list(TRAITS).index(name) for name in genes.trait]]
    r2 = [np.corrcoef(known[:, i], acted_on[:, i])[0, 1] ** 2 for i in range(10)]
    assert r2 == pytest.approx(expected, abs=0.08)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"causal": 31}, "Of 30 variants, 31 cannot act: set causal to 30 or less"),
        ({"causal": 3, "traits": ["body size", "height"]}, "cannot act on height: set traits to some of body size"),
        ({"causal": 3, "traits": []}, "cannot act on nothing: set traits to some of body size, muscle"),
        ({"causal": 3, "heritability": 1}, "A heritability of 1 cannot be: set it above 0 and below 1"),
    ],
)
def test_inheritance_that_cannot_be_is_refused(settings, sentence):
    with pytest.raises(InputError, match=sentence):
        Genes.draw(0, 30, **settings)
