"""What is said of subjects' outcomes: each by a model that never saw it, beside what it must beat, with tests."""

import csv
import json

import numpy as np
import pytest
import torch

from scripts.data.outcome import Outcome
from scripts.errors import InputError
from scripts.evaluation.outcome_figures import outcome_figures
from scripts.evaluation.outcome_results import Predicted, compare_models
from scripts.evaluation.outcome_tables import tell_outcomes, write_outcomes
from scripts.evaluation.outcomes import evaluate_outcomes
from scripts.reports.compare_folds import read_folds

SUBJECTS = [f"s{number:02}" for number in range(40)]
NONE = np.empty((40, 0))
FOLDS = 4
AGE = np.random.RandomState(0).uniform(20, 80, 40)


def outcome(target=AGE, classes=(), threshold=None, covariates=NONE):
    return Outcome("age", SUBJECTS, target, classes, threshold, covariates)


def features(target=AGE):
    """Of an encoder that knows the target, and of noise."""
    random = np.random.RandomState(1)
    knows = random.randn(40, 30) + (target[:, None] - target.mean()) / target.std() * 1.5 * (np.arange(30) < 10)
    return {name: torch.from_numpy(values) for name, values in (("mine", knows), ("size", random.randn(40, 4)))}


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def evaluate(folder, of=None, values=None):
    known, of, layers = values or features(), of or outcome(), {"mine": "early"}
    evaluate_outcomes(known, of, of.folds(FOLDS, seed=0), 0, layers, folder)
    return {(row["model"], row["metric"]): row for row in rows(folder / "outcomes.csv")}


def test_a_quantity_is_predicted_beside_what_must_be_beaten(tmp_path):
    found = evaluate(tmp_path)
    assert {model for model, _ in found} == {"mine", "size", "mean"}
    assert {metric for _, metric in found} == {"mae", "r2", "pearson_r"}
    errors = {model: float(found[model, "mae"]["value"]) for model in ("mine", "size", "mean")}
    assert errors["mine"] < 0.6 * errors["mean"]
    said = rows(tmp_path / "predictions.csv")
    assert [float(row["target"]) for row in said] == AGE.tolist()
    mine = np.mean([abs(float(row["mine"]) - float(row["target"])) for row in said])
    assert mine == pytest.approx(errors["mine"])


def test_no_subject_is_predicted_by_a_model_that_saw_it(tmp_path):
    """Another target of one subject changes all predictions but those of its own fold."""
    changed = AGE.copy()
    changed[7] += 1e-3  # less than to the next, so that folds stay
    evaluate(tmp_path)
    before = rows(tmp_path / "predictions.csv")
    evaluate(tmp_path, outcome(changed))
    after = rows(tmp_path / "predictions.csv")
    same = [row["fold"] for row, other in zip(before, after, strict=True) if row["mine"] == other["mine"]]
    assert set(same) == {before[7]["fold"]} and len(same) == 40 / FOLDS


def test_the_mean_is_that_of_the_other_folds(tmp_path):
    evaluate(tmp_path)
    said = rows(tmp_path / "predictions.csv")
    fold = np.array([row["fold"] for row in said])
    assert float(said[3]["mean"]) == pytest.approx(AGE[fold != fold[3]].mean())


def test_what_is_said_of_everybody_has_no_correlation(tmp_path):
    found = evaluate(tmp_path)
    assert found["mean", "pearson_r"]["value"] == "" and float(found["mine", "pearson_r"]["value"]) > 0.5


def test_so_it_is_where_each_fold_has_one_subject(tmp_path):
    known, fold = outcome(), np.arange(40)
    mean = np.array([AGE[fold != own].mean() for own in fold])
    results = compare_models(Predicted(known, fold, {"mine": AGE + 1, "mean": mean}))
    assert results["mine"].values["pearson_r"] == pytest.approx(1)
    assert np.isnan(results["mean"].values["pearson_r"])


def test_a_threshold_adds_what_two_classes_have(tmp_path):
    found = evaluate(tmp_path, outcome(threshold=50))
    assert float(found["mine", "auc"]["value"]) > 0.9 and float(found["mean", "auc"]["value"]) == 0.5
    assert {row["label"] for row in rows(tmp_path / "scores.csv")} == {"0", "1"}


def test_classes_can_be_compared_as_those_of_crops_are(tmp_path):
    target = (AGE > 50).astype(int)
    evaluate(tmp_path, outcome(target, ("no", "yes")), features(target))
    folds = read_folds([tmp_path])
    assert folds.names == ["mine (early)", "size", "chance"] and folds.baselines == ["size", "chance"]
    assert folds.means.loc["mine (early)", "auc"] > 0.8
    assert list(rows(tmp_path / "cross_validation.csv")[0])[-1] == "layers"


def test_of_several_classes_the_likeliest_is_written(tmp_path):
    target = (AGE / 20).astype(int) - 1
    found = evaluate(tmp_path, outcome(target, ("young", "middle", "old")), features(target))
    assert float(found["mine", "balanced_accuracy"]["value"]) > 0.5
    said = rows(tmp_path / "predictions.csv")
    assert {row["mine"] for row in said} <= {"young", "middle", "old"} and said[0]["target"] in said[0].values()
    assert not (tmp_path / "scores.csv").exists()


def test_tables_of_two_classes_do_not_outlive_them(tmp_path):
    evaluate(tmp_path, outcome(threshold=50))
    evaluate(tmp_path)
    assert not {"scores.csv", "cross_validation.csv"} & {path.name for path in tmp_path.iterdir()}


def test_covariates_are_one_more_thing_to_beat(tmp_path, caplog):
    found = evaluate(tmp_path, outcome(covariates=AGE[:, None]))
    assert float(found["covariates", "mae"]["value"]) < 0.1
    assert "mine does not beat covariates: MAE" in caplog.text
    assert "beat the mean" not in caplog.text


def test_tests_are_of_the_first_model_against_each_other(tmp_path):
    found = evaluate(tmp_path)
    assert found["mine", "mae"]["p"] == "" and found["mean", "r2"]["p"] == ""
    assert float(found["mean", "mae"]["p"]) < 0.01 < float(found["mean", "mae"]["effect_size"])
    assert float(found["size", "mae"]["p_holm"]) <= 2 * float(found["size", "mae"]["p"])
    assert found["mine", "mae"]["layers"] == "early" and found["size", "mae"]["layers"] == ""


def test_wilcoxon_is_of_absolute_errors():
    wilcoxon = pytest.importorskip("scipy.stats").wilcoxon
    random = np.random.RandomState(0)
    said = {name: AGE + random.randn(40) * spread for name, spread in (("mine", 5), ("other", 7))}
    lead = compare_models(Predicted(outcome(), np.arange(40) % FOLDS, said))["other"].leads["mae"]
    errors = {name: np.abs(values - AGE) for name, values in said.items()}
    assert lead.p == pytest.approx(wilcoxon(errors["mine"], errors["other"]).pvalue)
    assert lead.better_in == (errors["mine"] < errors["other"]).sum()


def test_the_same_predictions_are_no_lead():
    said = {"mine": AGE + 1, "other": AGE + 1}
    leads = compare_models(Predicted(outcome(threshold=50), np.arange(40) % FOLDS, said))["other"].leads
    assert [lead.better_in for lead in leads.values()] == [0, 0]
    assert np.isnan(leads["mae"].p) and leads["auc"].p == 1


def test_no_lead_is_sure_where_most_errors_are_larger(caplog):
    """A few wild errors of the other decide the mean; the ranks, which are sure, say the opposite."""
    error = np.linspace(1, 2, 40)
    said = {"mine": AGE + error, "other": AGE + np.where(np.arange(40) < 4, 100, error / 2)}
    predicted = Predicted(outcome(), np.arange(40) % FOLDS, said)
    results = compare_models(predicted)
    lead = results["other"].leads["mae"]
    assert results["mine"].values["mae"] < results["other"].values["mae"]
    assert lead.p_holm < 0.05 and lead.rank_biserial < 0
    tell_outcomes(predicted.outcome, results, {})
    assert "mine does not surely beat other: MAE" in caplog.text


def test_four_subjects_have_neither_intervals_nor_tests():
    few = Outcome("age", SUBJECTS[:4], AGE[:4], (), 50.0, NONE[:4])
    said = {"mine": AGE[:4] + 1, "other": AGE[:4] + np.arange(1, 5)}
    results = compare_models(Predicted(few, np.arange(4) % 2, said))
    assert not results["mine"].intervals and set(results["other"].leads) == {"mae", "auc"}
    assert all(np.isnan(lead.p) and np.isnan(lead.p_holm) for lead in results["other"].leads.values())


def of_classes(positives, negatives, right):
    """Subjects of two classes in folds of one each, as far as they go, all ranked rightly or wrongly."""
    number = positives + negatives
    target = (np.arange(number) < positives).astype(int)
    fold = np.concatenate([np.arange(positives), np.arange(negatives) % positives])
    known = Outcome("sick", SUBJECTS[:number], target, ("no", "yes"), None, NONE[:number])
    yes = np.where(target == right, 0.9, 0.1)
    return Predicted(known, fold, {"mine": np.stack([1 - yes, yes], 1), "other": np.full((number, 2), 0.5)})


def test_an_interval_of_few_subjects_of_a_class_is_not_to_be_relied_on(tmp_path, caplog):
    caplog.set_level("INFO")
    predicted = of_classes(4, 20, right=1)
    results = compare_models(predicted)
    write_outcomes(predicted, results, {}, tmp_path)
    assert {row["caution"] for row in rows(tmp_path / "outcomes.csv")} == {"fewer than 5 subjects of a class"}
    tell_outcomes(predicted.outcome, results, {})
    assert "(95 % from 1 to 1, not to be relied on: fewer than 5 subjects of a class)" in caplog.text
    assert (
        results["other"].leads["auc"].p_holm < 0.05
        and "mine does not surely beat other: AUC 1 against 0.5" in caplog.text
    )


@pytest.mark.parametrize("right", [0, 1])
def test_an_interval_that_has_no_width_is_not_to_be_relied_on(right):
    cautions = compare_models(of_classes(6, 6, right))["mine"].cautions
    assert cautions["auc"] == "the same in every draw of the subjects"


def test_other_intervals_are(tmp_path):
    assert {row["caution"] for row in evaluate(tmp_path, outcome(threshold=50)).values()} == {""}


def test_what_a_test_does_not_have_is_an_empty_cell(tmp_path):
    found = evaluate(tmp_path, outcome(threshold=50))
    assert found["size", "auc"]["rank_biserial"] == "" and found["size", "mae"]["rank_biserial"] != ""
    assert "nan" not in (tmp_path / "outcomes.csv").read_text(encoding="utf-8")


TIME, EVENT = np.exp(-(AGE - AGE.mean()) / AGE.std()), np.arange(40) % 4 > 0


def survival(events=EVENT):
    return Outcome("time", SUBJECTS, TIME, (), None, NONE, events)


def test_a_time_is_predicted_beside_chance(tmp_path):
    found = evaluate(tmp_path, survival())
    assert {key for key in found if key[0] != "mine"} == {("size", "concordance"), ("chance", "concordance")}
    assert float(found["mine", "concordance"]["value"]) > 0.8 and float(found["chance", "concordance"]["value"]) == 0.5
    said = rows(tmp_path / "predictions.csv")
    assert [row["event"] for row in said] == [str(int(event)) for event in EVENT]
    risks = [float(row["mine"]) for row in said]
    assert np.corrcoef(risks, AGE)[0, 1] > 0.5  # the older, the earlier


def test_few_events_are_a_caution():
    predicted = Predicted(survival(np.arange(40) < 4), np.arange(40) % FOLDS, {"mine": AGE})
    assert compare_models(predicted)["mine"].cautions == {"concordance": "fewer than 5 subjects with an event"}


METRICS = {"regression": ("mae", "r2"), "classes": ("auc", "balanced_accuracy"), "survival": ("concordance",)}
OUTCOMES = {"regression": outcome(), "classes": outcome((AGE > 50).astype(int), ("no", "yes")), "survival": survival()}


def said(kind, noise):
    """Of a model that is off by so much."""
    score = (AGE - 50) / 20 + np.random.RandomState(1).randn(40) * noise
    of_classes = np.stack([-score, score], 1)
    return {"regression": 50 + 20 * score, "classes": of_classes, "survival": score}[kind]


@pytest.mark.parametrize("kind", METRICS)
def test_metrics_stand_in_a_file_beside_each_baselines(kind):
    models = {"mine": said(kind, 0.5), "size": said(kind, 2)}
    results = compare_models(Predicted(OUTCOMES[kind], np.arange(40) % FOLDS, models))
    metrics = outcome_figures(OUTCOMES[kind], results)
    for model, ending in (("mine", ""), ("size", "_size")):
        for metric in METRICS[kind]:
            found = [metrics[f"{metric}{ending}{end}"] for end in ("", "_low", "_high")]
            assert found == [results[model].values[metric], *results[model].intervals[metric]]
    (tested, *_) = METRICS[kind]
    assert metrics[f"{tested}_size_p"] == results["size"].leads[tested].p < 0.05
    difference = metrics[tested] - metrics[f"{tested}_size"]
    low, high = metrics[f"{tested}_size_difference_low"], metrics[f"{tested}_size_difference_high"]
    assert metrics[f"{tested}_size_difference"] == pytest.approx(difference) and low < difference < high
    assert low > 0 or high < 0


def test_what_cannot_be_said_is_none_in_the_file():
    constant = np.full(40, 50.0)  # which correlates with nothing
    results = compare_models(Predicted(outcome(), np.arange(40) % FOLDS, {"mine": constant}))
    assert outcome_figures(outcome(), results)["pearson_r"] is None


def test_a_run_leaves_the_file(tmp_path):
    evaluate(tmp_path)
    metrics = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["subjects"] == 40 and metrics["mae"] < metrics["mae_mean"]


def test_a_model_that_is_trained_in_each_fold_comes_first(tmp_path):
    known = outcome()
    fold = known.folds(FOLDS, seed=0)
    trained = {"tuned": lambda number: AGE[fold == number] + 1}
    evaluate_outcomes({"size": features()["size"]}, known, fold, 0, {}, tmp_path, trained)
    metrics = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["mae"] == pytest.approx(1) and {"mae_size", "mae_mean_p"} <= metrics.keys()
    assert list(rows(tmp_path / "predictions.csv")[0])[3:] == ["tuned", "size", "mean"]


def test_a_trained_model_cannot_be_called_as_what_it_is_compared_with(tmp_path):
    known = outcome()
    with pytest.raises(InputError, match="cannot be called mean"):
        evaluate_outcomes(features(), known, known.folds(FOLDS, 0), 0, {}, tmp_path, {"mean": lambda number: AGE})
