"""The cells of comparisons and ablations: a recipe is trained, and the test set is ranked once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viral.base.errors import DataError
from viral.base.files import fingerprint
from viral.base.provenance import commit
from viral.base.recipe import Recipe
from viral.data.dataset import Dataset
from viral.data.features import FeatureTable
from viral.data.inputs import Fill, ModelInputs
from viral.data.splitting import Split
from viral.evaluation import CUTOFFS, Metrics
from viral.evaluation.protocol import PROTOCOLS, measure
from viral.lab.study.cells import Cell, Measured, data_hashes, fingerprint_of
from viral.lab.study.code_fingerprint import code_of
from viral.lab.study.kept_results import RANKS_FILE, USERS_FILE
from viral.run.configuration import configured
from viral.run.fitted_model import fit_model
from viral.run.pipeline import load_split
from viral.run.summary import summarise

if TYPE_CHECKING:
    import pyarrow as pa

VERSION = 1  # raised when the same recipe and data would be measured otherwise


@dataclass(frozen=True, kw_only=True)
class TrainingCell(Cell):
    """One training: a row of a table, in the ``group`` of an ablation, at the seed of its recipe."""

    MEASURED = ("metrics", "protocols", "users")

    group: str
    recipe: Recipe
    place: float | None = None  # on the axis of a sweep

    @property
    def seed(self) -> int:
        return self.recipe.train.seed

    @property
    def model_key(self) -> str:
        """What is the same for all seeds of a row: the recipe with every default written out, but for the seed."""
        return _key(self.recipe, seed=None)

    @property
    def row_key(self) -> str:
        return self.model_key

    @property
    def code(self) -> str:
        return code_of(configured(self.recipe).model)

    @property
    def label(self) -> str:
        return f"{self.group}: {self.name}"

    @property
    def about(self) -> dict[str, Any]:
        """All of the recipe, and the row that it is of, whatever the row is called."""
        return {"recipe": configured(self.recipe).whole, "model_key": self.model_key}

    def key(self, hashes: Mapping[str, str]) -> str:
        """Of the whole recipe, defaults included, and the data that it is given."""
        return self._key_of(self.data(hashes))

    def former_keys(self, hashes: Mapping[str, str]) -> tuple[str, ...]:
        """That of every table there is: so were cells kept before they were given what their model reads alone."""
        return () if self.reads is None else (self._key_of(fingerprint_of(hashes, None)),)

    def _key_of(self, data: str) -> str:
        return fingerprint(VERSION, _key(self.recipe, seed=self.seed), data)

    def compute(self, dataset: Path, data: str, checkpoint: Path) -> Measured:
        chosen = configured(self.recipe)
        split, inputs = _prepared(dataset, data, chosen.recipe.fill, self.reads)
        fitted = fit_model(chosen, inputs, split, checkpoint=checkpoint)
        ranker = fitted.ranker()
        measured = measure(ranker.scorer, split)
        metrics = measured[PROTOCOLS[0]]
        summary = summarise(fitted, ranker, measured)
        summary |= {"build_seconds": fitted.build_seconds, "cell": self.name, "data": data, "commit": commit()}
        summary |= {"code": self.code, **self.about, "reads": list(fitted.model.reads)}
        tables = {USERS_FILE: _users(metrics, split.users.ids), RANKS_FILE: _ranks(metrics)}
        return Measured(summary | {"exposure": exposure_of(metrics, split)}, tables)

    def training_seconds(self, summary: Mapping[str, Any]) -> float:
        return training_seconds(summary)


def training_seconds(summary: Mapping[str, Any]) -> float:
    """Of building, training and validation."""
    return float(summary["build_seconds"] + sum(summary["epoch_seconds"]) + sum(summary["valid_seconds"]))


def _key(recipe: Recipe, seed: int | None) -> str:
    values = configured(recipe).plain
    values["train"]["seed"] = seed
    return fingerprint(values)


def _users(metrics: Metrics, user_ids: Sequence[str]) -> "pa.Table":
    import pyarrow as pa

    columns = {"user_id": pa.array([user_ids[user] for user in metrics.users.tolist()], pa.string())}
    return pa.table(columns | {name: pa.array(v.numpy(), pa.float64()) for name, v in metrics.per_user.items()})


def _ranks(metrics: Metrics) -> "pa.Table":
    """Where each held-out pair came, as indices of the split, which the cell's key determines: 10 bytes a pair."""
    import pyarrow as pa

    num_items = len(metrics.exposure)
    user, item = metrics.pairs // num_items, metrics.pairs % num_items
    columns = {"user": pa.array(user.numpy(), pa.int32()), "item": pa.array(item.numpy(), pa.int32())}
    return pa.table({**columns, "rank": pa.array(metrics.ranks.numpy(), pa.int16())})


def exposure_of(metrics: Metrics, split: Split) -> dict[str, float]:
    """``popularity@20``: the mean number of training interactions of the items in users' first 20 places.

    It is the average recommendation popularity (Abdollahpouri et al., FLAIRS 2019), taken over all places that are
    filled. ``held_out_popularity`` is the same of the items that users chose in the test set: what they wanted.
    """
    degrees = split.train.item_degrees().double()
    shown = metrics.exposure.sum().clamp(min=1)
    wanted = degrees[metrics.pairs % len(metrics.exposure)].mean()
    return {
        f"popularity@{max(CUTOFFS)}": ((metrics.exposure * degrees).sum() / shown).item(),
        "held_out_popularity": wanted.item(),
    }


@lru_cache(maxsize=1)
def _prepared(path: Path, data: str, fill: Fill, reads: tuple[str, ...] | None) -> tuple[Split, ModelInputs]:
    """Split and inputs of the data set, read once for all cells of a row; what the key does not name is not there."""
    dataset = Dataset.open(path)
    names = [file.stem for file in sorted(dataset.features_folder.glob("*.parquet"))] if reads is None else reads
    tables = [FeatureTable.load(dataset.features_folder / f"{name}.parquet") for name in sorted(names)]
    split = load_split(dataset)
    inputs = ModelInputs.of(split, tables, fill=fill)
    check_unchanged(dataset, reads, data)
    return split, inputs


def check_unchanged(dataset: Dataset, reads: tuple[str, ...] | None, data: str) -> None:
    """Raise ``DataError`` where the data are no longer those of the fingerprint."""
    if fingerprint_of(data_hashes(dataset), reads) != data:
        hint = "run the same command again: cells of the data as they are now are computed anew"
        raise DataError("the data have changed since the study began", where=str(dataset.path), hint=hint)
