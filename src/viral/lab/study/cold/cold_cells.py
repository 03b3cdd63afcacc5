"""The cells of ``viral compare --cold``: a model is trained without some items, which are then ranked as new ones."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from viral.base.errors import UsageError
from viral.base.files import fingerprint
from viral.base.language import marked
from viral.base.provenance import commit
from viral.base.recipe import Recipe
from viral.data.dataset import Dataset
from viral.encode import load_features
from viral.lab.study.cells import Cell, Measured
from viral.lab.study.code_fingerprint import code_of, code_of_modules
from viral.lab.study.cold import withheld_items
from viral.lab.study.cold.withheld_items import ByPlace, by_chance, by_content, by_model, withhold
from viral.lab.study.kept_results import USERS_FILE, CellResult
from viral.lab.study.training_cells import TrainingCell, check_unchanged
from viral.models.viral import new_items as own_way
from viral.run.configuration import configured
from viral.run.pipeline import load_split
from viral.run.retrieval import feature_prediction, new_items

VERSION = 1  # raised when the same recipe and data would be measured otherwise
RANDOM, CONTENT = marked("random"), marked("content neighbours")
BASELINES = (RANDOM, CONTENT)  # rows that are no model, and have no recipe
METRIC = f"recall@{withheld_items.CUTOFF}"


@dataclass(frozen=True, kw_only=True)
class ColdCell(Cell):
    """One row at one seed, which is that of the withheld items and of the training.

    It is given every feature table: new items are embedded by what all of them tell.
    """

    NEEDS = ("train", "valid")
    MEASURED = (METRIC, "items_withheld", "pairs_withheld")

    recipe: Recipe | None  # of a model
    at_seed: int
    share: float

    @property
    def seed(self) -> int:
        return self.at_seed

    @property
    def row_key(self) -> str:
        return fingerprint(self._row, self.share)

    @property
    def _row(self) -> str:
        if self.recipe is None:
            return self.name
        return TrainingCell(name=self.name, group="cold", recipe=self.recipe).model_key

    def key(self, hashes: Mapping[str, str]) -> str:
        """Of the recipe with its defaults, seed, share, and the data."""
        return fingerprint("cold", VERSION, self._row, self.seed, self.share, self.data(hashes))

    @property
    def code(self) -> str:
        """Of what trains the model, withholds, embeds and measures."""
        ours = code_of_modules(module.__name__ for module in (withheld_items, new_items, feature_prediction, own_way))
        return fingerprint(ours, "" if self.recipe is None else code_of(configured(self.recipe).model))

    def compute(self, dataset: Path, data: str, checkpoint: Path) -> Measured:
        opened = Dataset.open(dataset)
        check_unchanged(opened, self.reads, data)
        withheld, tables = withhold(load_split(opened), self.share, self.seed), load_features(opened.features_folder)
        summary: dict[str, Any] = {"row": self.name, "seed": self.seed, "share": self.share}
        found: Mapping[str, ByPlace]
        if self.recipe is None:
            found = {"": by_chance(withheld) if self.name == RANDOM else by_content(withheld, tables)}
        else:
            found, report = by_model(withheld, tables, configured(self.recipe), checkpoint)
            summary |= {"model": self.recipe.model, "epochs": len(report.history), "seconds": sum(report.epoch_seconds),
                        "stopped_because": report.stopped_because}  # fmt: skip
        means = {way: {place: float(r.values.mean()) for place, r in places.items()} for way, places in found.items()}
        summary |= {"items_withheld": len(withheld.item_ids), "pairs_withheld": len(withheld.relevant), METRIC: means}
        users = _users(found, withheld.split.users.ids)
        return Measured(summary | {"code": self.code, "commit": commit()}, {USERS_FILE: users})


def _users(found: Mapping[str, ByPlace], user_ids: Sequence[str]) -> Any:
    """Recall by user, way and place, one below the other."""
    import pyarrow as pa

    def tables() -> Iterator[Any]:
        for way, places in found.items():
            for place, recalls in places.items():
                ids = [user_ids[user] for user in recalls.users.tolist()]
                same = {"way": [way] * len(ids), "place": [place] * len(ids)}
                yield pa.table({"user_id": pa.array(ids, pa.string()), METRIC: recalls.values, **same})

    return pa.concat_tables(tables())


def recalls_of(result: CellResult) -> dict[str, dict[str, tuple[tuple[str, ...], np.ndarray]]]:
    """User ids (n,) and Recall@20 (n,) by way and place."""
    import polars as pl

    frame = pl.read_parquet(result.folder / USERS_FILE)
    found: dict[str, dict[str, tuple[tuple[str, ...], np.ndarray]]] = {}
    for (way, place), rows in frame.group_by("way", "place", maintain_order=True):
        found.setdefault(str(way), {})[str(place)] = (tuple(rows["user_id"]), rows[METRIC].to_numpy())
    return found


def cold_cells(recipes: Mapping[str, Recipe], seeds: Sequence[int], share: float) -> list[ColdCell]:
    """Random order, content-only neighbours and every recipe, at every seed. Raises ``UsageError`` before any work."""
    for name in recipes:
        if name in BASELINES:
            raise UsageError(f"a row cannot be called {name!r}", hint="it is there anyway; rename the recipe's file")
    rows: dict[str, Recipe | None] = dict.fromkeys(BASELINES) | dict(recipes)
    return [
        ColdCell(name=name, recipe=recipe and replace(recipe, train=replace(recipe.train, seed=seed)), at_seed=seed,
                 share=share)
        for name, recipe in rows.items()
        for seed in seeds
    ]  # fmt: skip
