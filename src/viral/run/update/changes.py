"""What has changed between a bundle and a data set, and whether what is measured of both can be compared."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from viral.base.errors import DataError
from viral.data.catalog import Catalog
from viral.data.dataset import Dataset
from viral.data.inputs import ModelInputs
from viral.data.splitting import Split
from viral.encode import load_features
from viral.run.bundle import Bundle
from viral.run.bundle_extras import columns_of, picture_hash
from viral.run.summary import tested_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """How many of each."""

    new_items: int
    changed_items: int  # in title, text or picture
    removed_items: int
    new_users: int
    removed_users: int
    new_interactions: int  # of the training part
    removed_interactions: int


def changes_between(bundle: Bundle, catalog: Catalog, parts: Split) -> Changes:
    """Compare by ids. Raises ``DataError`` where the data hold out what the bundle was trained on.

    A model that goes on from such a bundle would be measured on what it has learnt.
    """
    known, now = set(bundle.items.ids), set(parts.items.ids)
    old = _pairs(bundle.seen.users.tolist(), bundle.seen.items.tolist(), bundle.users.ids, bundle.items.ids)
    new = {name: _part(parts, name) for name in ("train", "valid", "test")}
    leaking = old & (new["valid"] | new["test"])
    if leaking:
        raise DataError(
            f"{len(leaking):,} interactions that the run was trained on are held out now (first: {min(leaking)})",
            where="interactions, field split",
            hint="keep the split of what was there, and give new rows one; or train afresh with `viral train`",
        )
    return Changes(
        new_items=len(now - known),
        changed_items=_changed(bundle, catalog),
        removed_items=len(known - now),
        new_users=len(set(parts.users.ids) - set(bundle.users.ids)),
        removed_users=len(set(bundle.users.ids) - set(parts.users.ids)),
        new_interactions=len(new["train"] - old),
        removed_interactions=len(old - new["train"]),
    )


def _pairs(
    users: list[int], items: list[int], user_ids: tuple[str, ...], item_ids: tuple[str, ...]
) -> set[tuple[str, str]]:
    return {(user_ids[user], item_ids[item]) for user, item in zip(users, items, strict=True)}


def knows(bundle: Bundle, dataset: Dataset, inputs: ModelInputs, parts: Split) -> bool:
    """Whether a bundle has the features, the words of its items, and the test part as they are now."""
    features, words = (
        bundle.material.features,
        columns_of(dataset, bundle.items.ids, load_features(dataset.features_folder)),
    )
    same = features.keys() == inputs.features.keys() and all(
        torch.equal(features[name], inputs.features[name]) for name in features
    )
    return same and bundle.material.columns == words and bundle.about.get("tested_on") == tested_on(parts)


def _part(parts: Split, name: str) -> set[tuple[str, str]]:
    part = parts.part(name)
    return _pairs(part.users.tolist(), part.items.tolist(), parts.users.ids, parts.items.ids)


def _changed(bundle: Bundle, catalog: Catalog) -> int:
    columns = bundle.material.columns
    texts, pictures = columns.get("text"), columns.get("picture")
    count = 0
    for row, item_id in enumerate(bundle.items.ids):
        if item_id in catalog:
            item = catalog[item_id]
            now = (item.title, item.text, picture_hash(item))
            before = (bundle.titles[row], texts[row] if texts else item.text, pictures[row] if pictures else now[2])
            count += now != before
    return count


@dataclass(frozen=True, slots=True)
class Comparability:
    """``test_changed`` is None where the run before does not say what it was measured on, or nothing is measured."""

    test_changed: bool | None
    test_note: str  # the same in words, for pages and the command line


def comparable(before: Mapping[str, Any], now: Mapping[str, Any]) -> Comparability:
    """Compare what two summaries were measured on: the test set's pairs, and the items that are ranked."""
    old, new = before.get("tested_on"), now["tested_on"]
    if not now["metrics"]:
        return Comparability(None, "")
    if old is None:
        return Comparability(
            None, "the run before does not tell what it was measured on: its numbers may be of other data"
        )
    pairs, items = (old[key] != new[key] for key in ("pairs_sha256", "items_sha256"))
    if not pairs and not items:
        return Comparability(False, "measured on the same test set as the run before")
    counted = [f"{old[name]:,} → {new[name]:,} {name}" for name in ("users", "interactions") if pairs]
    counted += [f"{old['items']:,} → {new['items']:,} items to rank"] if items else []
    changed = "the test set has changed" if pairs else "what is ranked for the test has changed"
    told = f"{changed} ({', '.join(counted)}): these numbers and those of the run before are of different data"
    return Comparability(True, told)
