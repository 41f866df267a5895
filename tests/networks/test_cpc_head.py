"""The head of contrastive predictive coding: contexts counted by hand, and who sees what."""

import pytest
import torch

from scripts.errors import InputError
from scripts.networks.cpc_head import CPCHead, RowPredictor, pyramid


def numbers(*places):
    """Numbers of patches of a grid of 4 x 4 x 4, by their places."""
    return [16 * x + 4 * y + z for x, y, z in places]


@pytest.mark.parametrize(("cells", "terms"), [(3, 1), (4, 10), (5, 10), (7, 35)])
def test_a_context_has_as_many_terms_as_in_the_published_code(cells, terms):
    assert pyramid([cells] * 3).shape == (cells * cells, terms)


def test_a_context_is_the_square_before_and_then_the_patch_itself():
    square = [(0, y, z) for y in (0, 1, 2) for z in (1, 2, 3)]
    assert pyramid([4, 4, 4])[4 * 1 + 2].tolist() == numbers(*square, (1, 1, 2))


def test_beyond_the_edge_the_grid_is_mirrored():
    below = [(0, 1, 1), (0, 1, 0), (0, 1, 1), (0, 0, 1), (0, 0, 0), (0, 0, 1), (0, 1, 1), (0, 1, 0), (0, 1, 1)]
    beyond = [(0, 2, 2), (0, 2, 3), (0, 2, 2), (0, 3, 2), (0, 3, 3), (0, 3, 2), (0, 2, 2), (0, 2, 3), (0, 2, 2)]
    assert pyramid([4, 4, 4])[0].tolist() == numbers(*below, (1, 0, 0))
    assert pyramid([4, 4, 4])[-1].tolist() == numbers(*beyond, (1, 3, 3))


def test_in_a_slice_the_square_is_a_line():
    assert pyramid([4, 4, 1]).tolist() == [[1, 0, 1, 4], [0, 1, 2, 5], [1, 2, 3, 6], [2, 3, 2, 7]]


def test_a_grid_that_is_narrower_than_the_square_is_mirrored_again():
    assert pyramid([6, 2, 1])[0].tolist() == [0, 1, 0, 1, 0, 3, 2, 3, 4]


def test_the_last_row_of_a_context_is_of_its_own_column():
    assert pyramid([4, 3, 5])[:, -1].tolist() == list(range(15, 30))


def test_a_grid_of_one_row_is_refused():
    with pytest.raises(InputError, match="nothing to predict"):
        CPCHead([1, 4, 4])


def test_unknown_directions_are_refused():
    with pytest.raises(InputError, match=r"directions is back: give one of forward, both"):
        CPCHead(directions="back")


def test_a_prediction_stands_beside_the_code_of_its_own_place():
    codes = torch.randn(2, 4, 3, 2, 5)
    predicted, of = RowPredictor([4, 3, 2], code_size=5, context_size=6)(codes)
    assert predicted.shape == of.shape == (2 * 2 * 3 * 2, 5)
    assert torch.equal(of.reshape(2, 2, 3, 2, 5), codes[:, 2:])


def context_of(predictor, place, cells=(4, 4, 4)):
    """Numbers of the patches whose codes the prediction for a place (grid, x, y, z) depends on, of two grids."""
    codes = torch.randn(2, *cells, 5, requires_grad=True)
    predicted, _ = predictor(codes)
    predicted.reshape(2, -1, *cells[1:], 5)[place].sum().backward()
    return codes.grad.abs().sum(-1).flatten().nonzero().flatten().tolist()


@pytest.mark.parametrize("row", [0, 1])
def test_a_prediction_depends_on_the_context_of_its_column_and_on_nothing_else(row):
    predictor = RowPredictor([4, 4, 4], code_size=5, context_size=6)
    assert context_of(predictor, (0, row, 1, 2)) == sorted(pyramid([4, 4, 4])[6].tolist())
    assert context_of(predictor, (1, row, 0, 0)) == sorted({64 + number for number in pyramid([4, 4, 4])[0].tolist()})


def test_a_gru_reads_the_context_in_its_order_and_a_map_a_row_predicts():
    predictor, codes = RowPredictor([4, 2, 2], code_size=5, context_size=6), torch.randn(1, 4, 2, 2, 5)
    predicted, _ = predictor(codes)
    for column, context in enumerate(pyramid([4, 2, 2])):
        state = predictor.gru(codes.reshape(16, 5)[context])[0][-1]
        for row, predict in enumerate(predictor.rows):
            assert torch.allclose(predicted[4 * row + column], predict(state), atol=1e-6)


def test_both_directions_predict_one_half_from_the_other():
    head = CPCHead([4, 2, 2], embedding_size=7, code_size=5, context_size=6, directions="both")
    embedding = torch.randn(3 * 16, 7)
    (_, later), (_, earlier) = head(embedding)
    codes = head.code(embedding).reshape(3, 4, 2, 2, 5)
    assert torch.equal(later, codes[:, 2:].flatten(0, 3))
    assert torch.equal(earlier, codes[:, :2].flip(1).flatten(0, 3))


@pytest.mark.parametrize("cells", [(2, 1, 1), (3, 3, 3), (4, 4, 1), (5, 2, 3)])
def test_predictions_are_counted(cells):
    head = CPCHead(cells, embedding_size=7, code_size=5, context_size=6, directions="both")
    patches = 3 * torch.tensor(cells).prod()
    assert [len(of) for _, of in head(torch.randn(patches, 7))] == 2 * [head.predictions(int(patches))]


def test_each_direction_learns_its_own_predictions_of_shared_codes():
    head = CPCHead(directions="both")
    size = {name: sum(weight.numel() for weight in part.parameters()) for name, part in head.named_children()}
    assert size["code"] == 256 * 1024 + 1024
    assert size["predictors"] == 2 * (3 * 256 * (1024 + 256 + 2) + 2 * (256 * 1024 + 1024))
