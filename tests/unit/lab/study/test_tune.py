"""Tuning: validation chooses, no point is tried twice, and a study that was stopped goes on as if it had not been."""

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from viral.apps.cli import app
from viral.base.errors import DataError, UsageError
from viral.base.recipe import Recipe, TrainConfig
from viral.data.features import FeatureTable
from viral.lab.study.tuning import trials
from viral.lab.study.tuning import tune as run
from viral.lab.study.tuning.trials import RANDOM_TRIALS, any_untried
from viral.lab.study.tuning.tune import tune
from viral.models import MODELS
from viral.run.pipeline import train
from worlds import dataset_folder, two_tastes

FEW = TrainConfig(max_epochs=4, batch_size=256, monitor="ndcg@10", seed=3)
WEIGHTS = (1e-2, 1e-3, 0.1, 1.0)
BASE = Recipe(model="bpr", config={"embedding_dim": 4}, train=FEW)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return dataset_folder(tmp_path_factory.mktemp("tune") / "world", two_tastes(40))


@pytest.fixture(autouse=True)
def space(monkeypatch):
    """A small space of 4 × 3 points."""
    monkeypatch.setattr(MODELS["bpr"], "SPACE", {"reg_weight": WEIGHTS, "learning_rate": (1e-3, 0.1, 0.05)})


def points(result):
    return [tuple(row.point.values()) for row in result.trials]


def lasting(row):
    return row.number, row.state, row.point, row.value, row.epochs, row.best_epoch, row.why


def test_the_best_trial_is_a_recipe_that_train_repeats(dataset, tmp_path):
    result = tune(dataset, BASE, tmp_path / "study", trials=6)
    recipe = Recipe.read(tmp_path / "study" / "best.toml")
    assert recipe == result.recipe
    summary = train(dataset, recipe, tmp_path / "run")
    best = max(row.value for row in result.trials if row.state == "complete")
    assert summary["valid"]["ndcg@10"] == result.best.value == best
    assert recipe.train.seed == 3 and recipe.config["embedding_dim"] == 4


def test_the_first_trial_is_the_recipe_as_it_is(dataset, tmp_path):
    base = replace(BASE, config={**BASE.config, "reg_weight": 0.1}, train=replace(FEW, learning_rate=0.1))
    assert points(tune(dataset, base, tmp_path / "a", trials=1)) == [(0.1, 0.1)]
    outside = replace(BASE, config={**BASE.config, "reg_weight": 0.3})
    assert points(tune(dataset, outside, tmp_path / "b", trials=1))[0][0] != 0.3


def test_every_point_is_tried_once_and_then_the_study_ends(dataset, tmp_path):
    result = tune(dataset, BASE, tmp_path / "study", trials=100)
    assert len(set(points(result))) == len(result.trials) == 12 and result.exhausted


def test_a_point_that_diverges_is_a_failed_trial_and_the_study_goes_on(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(MODELS["bpr"], "SPACE", {"learning_rate": (1e-3, 1e38, 0.1)})
    result = tune(dataset, BASE, tmp_path / "study", trials=3)
    failed = [row for row in result.trials if row.state == "failed"]
    assert len(failed) == 1 and failed[0].point == {"learning_rate": 1e38} and "loss is" in failed[0].why
    assert len(tune(dataset, BASE, tmp_path / "study", trials=3).trials) == 3, "it is not tried again"


def test_more_trials_add_to_a_study_and_the_same_number_adds_nothing(dataset, tmp_path, monkeypatch):
    whole = tune(dataset, BASE, tmp_path / "whole", trials=12)
    first = tune(dataset, BASE, tmp_path / "study", trials=11)
    assert len(first.trials) == 11 > RANDOM_TRIALS, "TPE proposes too"
    assert [*map(lasting, tune(dataset, BASE, tmp_path / "study", trials=12).trials)] == [*map(lasting, whole.trials)]
    monkeypatch.setattr(run, "fit_model", lambda *_, **__: pytest.fail("a finished trial is trained again"))
    assert len(tune(dataset, BASE, tmp_path / "study", trials=12).trials) == 12


def test_another_seed_tries_other_points(dataset, tmp_path):
    one, same, other = (
        points(tune(dataset, replace(BASE, train=replace(FEW, seed=seed)), tmp_path / name, trials=4))
        for seed, name in ((3, "a"), (3, "b"), (4, "c"))
    )
    assert one == same != other


class Stopped(BaseException):
    """What a kill is to the code: nothing may handle it."""


def test_a_stopped_study_goes_on_inside_the_trial(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr("viral.training.loop.CHECKPOINT_SECONDS", -1.0)
    whole = tune(dataset, BASE, tmp_path / "whole", trials=4)
    call, calls = trials._Watch.__call__, []

    def stopping(watch, record):
        calls.append((watch.trial.number, record.epoch))
        call(watch, record)
        if calls[-1] == (2, 2):
            raise Stopped

    monkeypatch.setattr(trials._Watch, "__call__", stopping)
    with pytest.raises(Stopped):
        tune(dataset, BASE, tmp_path / "study", trials=4)
    assert not (tmp_path / "study" / "best.toml").exists()
    calls.clear()
    monkeypatch.setattr(
        trials._Watch, "__call__", lambda watch, record: (calls.append(record.epoch), call(watch, record))
    )
    again = tune(dataset, BASE, tmp_path / "study", trials=4)
    assert [*map(lasting, again.trials)] == [*map(lasting, whole.trials)]
    assert calls[:2] == [2, 3], "epochs of the checkpoint are not trained again, the one that was stopped is"
    assert again.recipe == whole.recipe and not (tmp_path / "study" / "trials").exists()


def test_a_trial_below_the_median_is_pruned(dataset, tmp_path, monkeypatch):
    rates = (0.1, 0.09, 0.08, 0.07, 0.06, 0.05, 1e-7)
    monkeypatch.setattr(MODELS["bpr"], "SPACE", {"learning_rate": rates})
    monkeypatch.setattr(trials, "PRUNE_AFTER", 2)
    base = replace(BASE, train=replace(FEW, learning_rate=0.1, max_epochs=12, seed=1))
    result = tune(dataset, base, tmp_path / "study", trials=7, warmup=3)
    hopeless = next(row for row in result.trials if row.point["learning_rate"] == 1e-7)
    assert hopeless.state == "pruned" and 3 < hopeless.epochs < 12 and hopeless.number >= 2
    assert result.best.value > hopeless.value
    patient = tune(dataset, base, tmp_path / "patient", trials=7, warmup=12)
    assert {row.state for row in patient.trials} == {"complete"}


def test_the_test_set_is_not_even_given(dataset, tmp_path, monkeypatch):
    fit, seen = run.fit_model, []

    def watched(chosen, inputs, split, *words, **more):
        seen.append((len(split.train), len(split.valid), len(split.test)))
        return fit(chosen, inputs, split, *words, **more)

    monkeypatch.setattr(run, "fit_model", watched)
    tune(dataset, BASE, tmp_path / "study", trials=2)
    assert seen == [(dataset.manifest["counts"]["train"], dataset.manifest["counts"]["valid"], 0)] * 2


def test_a_model_in_closed_form_is_tuned_too(dataset, tmp_path):
    result = tune(dataset, Recipe(model="ease"), tmp_path / "study", trials=3)
    assert [row.state for row in result.trials] == ["complete"] * 3 and result.trials[0].point == {"reg_weight": 250.0}
    assert all(row.value is not None and row.epochs == 1 for row in result.trials)


@pytest.mark.parametrize("changed", ["recipe", "space", "data", "warmup"])
def test_another_study_s_folder_is_refused(tmp_path, monkeypatch, changed):
    dataset = dataset_folder(tmp_path / "world", two_tastes(12))
    tune(dataset, BASE, tmp_path / "study", trials=1)
    base, warmup = BASE, 10
    if changed == "recipe":
        base = replace(BASE, config={"embedding_dim": 3})
    elif changed == "space":
        monkeypatch.setattr(MODELS["bpr"], "SPACE", {"reg_weight": (0.5,)})
    elif changed == "data":
        FeatureTable(("i0",), "audio", np.ones((1, 2), np.float32), "test").save(dataset.features_folder)
    else:
        warmup = 1
    with pytest.raises(UsageError, match="another recipe or space"):
        tune(dataset, base, tmp_path / "study", trials=1, warmup=warmup)


def test_a_folder_of_something_else_is_refused(dataset, tmp_path):
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        tune(dataset, BASE, tmp_path)
    tune(dataset, BASE, tmp_path / "study", trials=1)
    (tmp_path / "study" / "study.sqlite").write_bytes(b"no database, but long enough to look like something")
    with pytest.raises(DataError, match="not a study's database"):
        tune(dataset, BASE, tmp_path / "study", trials=1)


def test_where_every_trial_fails_there_is_no_recipe(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(MODELS["bpr"], "SPACE", {"learning_rate": (1e38,)})
    with pytest.raises(UsageError, match="not one of 1 trials was completed: the bpr loss is"):
        tune(dataset, BASE, tmp_path / "study")
    assert not (tmp_path / "study" / "best.toml").exists()


def test_a_path_with_signs_of_a_url_is_a_path(dataset, tmp_path):
    out = tmp_path / "a?b=%41&c#d"
    tune(dataset, BASE, out, trials=1)
    assert (out / "study.sqlite").stat().st_size > 0 and [path.name for path in tmp_path.iterdir()] == [out.name]


def test_an_untried_point_is_drawn_uniformly():
    drawn = [any_untried(6, {0, 2, 3}, np.random.default_rng(seed)) for seed in range(300)]
    assert set(drawn) == {1, 4, 5} and min(map(drawn.count, (1, 4, 5))) > 70


def viral(*words, code=0):
    done = CliRunner().invoke(app, ["tune", *map(str, words)])
    assert done.exit_code == code, done.output
    return done


def test_the_command_line_tunes_what_is_not_set(dataset, tmp_path):
    words = [dataset.path, "--model", "bpr", "--out", tmp_path / "study", "--trials", 3, "--seed", 1, "--epochs", 2]
    words += ["--set", "learning_rate=0.1", "--set", "embedding_dim=4"]
    document = json.loads(viral(*words, "--json").stdout)
    assert document["space"] == {"reg_weight": list(WEIGHTS)} and document["counts"]["trials"] == 3
    assert {trial["epochs"] for trial in document["trials"]} == {2}
    assert json.loads((tmp_path / "study" / "tune.json").read_text()) == document
    recipe = Recipe.read(tmp_path / "study" / "best.toml")
    assert recipe.fingerprint == document["recipe_fingerprint"]
    assert recipe.train.learning_rate == 0.1 and recipe.train.seed == 1 and recipe.train.max_epochs == 2
    assert "--set learning_rate=0.1" in document["command"]
    shown = viral(*words).stdout
    assert "best.toml" in shown and shown.splitlines()[1].split()[1] == "complete"


@pytest.mark.parametrize(
    ("words", "said"), [(["--model", "bprr"], "unknown model"), (["--model", "popularity"], "nothing to tune")]
)
def test_wrong_words_are_told_at_once(dataset, tmp_path, words, said):
    done = viral(dataset.path, *words, "--out", tmp_path / "study", code=2)
    assert said in done.stderr and "Traceback" not in done.output and not (tmp_path / "study").exists()
