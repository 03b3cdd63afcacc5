import json
import shutil

import numpy as np
import polars as pl
import pytest

from viral.base.errors import DataError, UsageError
from viral.data.dataset import Dataset
from viral.encode import FeatureTable
from viral.lab.quality import descriptions_by_prompt
from viral.lab.quality.cosine_clusters import clustering
from viral.lab.quality.modality_maps import CLUSTER, item_map


def mapped(dataset, encoder, **options):
    return item_map(dataset, descriptions_by_prompt(dataset), encoder=encoder, **options)


@pytest.fixture
def copy(shop, tmp_path):
    return Dataset.open(shutil.copytree(shop.path, tmp_path / "copy"))


def test_every_table_and_the_words_alone_are_mapped_before_and_after(shop, encoder):
    found = mapped(shop, encoder)
    assert [place.space.name for place in found.places] == ["image", "words-plain", "words-title", "title"]
    assert found.item_ids == shop.catalog().ids and found.shared == 48
    assert all(place.projection.points.shape == (48, 2) for place in found.places)
    assert "pixel/1 with prompt plain" in found.places[1].space.encoder


def test_the_measure_is_taken_in_the_whole_space_of_the_right_items(shop, encoder):
    found = mapped(shop, encoder, neighbours=4)
    table = FeatureTable.load(shop.features_folder / "title.parquet")
    truth = pl.read_parquet(shop.path / "truth.parquet")
    for grouping, column in (("category", "object"), ("colour", "colour"), ("tag", "tag")):
        codes = np.unique(truth[column].to_numpy(), return_inverse=True)[1]
        assert found.places[-1].clusters[grouping] == clustering(table.values, codes, 4)


def test_what_was_said_groups_colours_and_the_noise_of_the_picture_does_not(shop, encoder):
    found = {place.space.name: place for place in mapped(shop, encoder, by="colour").places}
    image, words = found["image"].clusters["colour"], found["words-title"].clusters["colour"]
    assert words.purity > image.purity + 0.1
    against = found["words-title"].against_image
    assert against.difference == pytest.approx(words.purity - image.purity) and against.p_value < 0.05
    assert found["image"].against_image is None


def test_a_sample_is_the_seeds_and_in_the_catalogues_order(shop, encoder):
    first, again, other = (mapped(shop, encoder, most=10, seed=seed) for seed in (1, 1, 2))
    assert len(first.item_ids) == 10 and first.shared == 48
    assert first.item_ids == again.item_ids == tuple(sorted(first.item_ids)) and first.item_ids != other.item_ids
    assert first.to_json() == again.to_json()


def test_modalities_are_compared_on_the_items_that_all_have(copy, encoder):
    ids = copy.catalog().ids
    FeatureTable(ids[::-1][:30], "sound", np.eye(30, dtype=np.float32), "noise/1").save(copy.features_folder)
    found = mapped(copy, encoder)
    assert found.item_ids == ids[18:] and found.places[-1].space.name == "sound"
    sound = found.places[-1].space.vectors
    assert sound.argmax(axis=1).tolist() == list(range(29, -1, -1)), "aligned by id, not by order"
    assert len(mapped(copy, encoder, modalities=["title", "image"]).item_ids) == 48
    FeatureTable(("p0001",), "sound", np.ones((1, 2), dtype=np.float32), "noise/1").save(copy.features_folder)
    with pytest.raises(DataError, match="only 1 items") as error:
        mapped(copy, encoder)
    assert "sound 1" in error.value.hint


def test_items_without_a_group_are_drawn_and_not_measured(copy, encoder):
    items = pl.read_parquet(copy.path / "items.parquet").with_row_index()
    category = pl.when(pl.col("index") < 8).then(pl.lit(" ")).otherwise("category")
    items.with_columns(category=category).drop("index").write_parquet(copy.path / "items.parquet")
    found = mapped(copy, encoder)
    assert found.labels[:8] == (None,) * 8 and len(found.places[0].projection.points) == 48
    assert found.places[0].clusters["category"].items == 40
    document = json.loads(json.dumps(found.to_json()))
    assert document["without_group"] == 8 and sum(document["groups"].values()) == 40


def test_a_data_set_without_groups_is_mapped_all_the_same(copy, encoder):
    (copy.path / "truth.parquet").unlink()
    pl.read_parquet(copy.path / "items.parquet").drop("category").write_parquet(copy.path / "items.parquet")
    found = mapped(copy, encoder)
    assert set(found.labels) == {None} and all(not place.clusters for place in found.places)


def test_wrong_words_name_what_there_is(copy, encoder):
    with pytest.raises(UsageError, match="coloured by 'patern'") as error:
        mapped(copy, encoder, by="patern")
    assert "pattern" in error.value.hint
    with pytest.raises(UsageError, match="no modality 'titel'") as error:
        mapped(copy, encoder, modalities=["titel"])
    assert "title" in error.value.hint
    shutil.rmtree(copy.features_folder)
    shutil.rmtree(copy.path / "descriptions")
    with pytest.raises(DataError, match="no feature tables") as error:
        mapped(copy, encoder)
    assert "viral encode" in error.value.hint


def test_without_categories_the_groups_are_clusters_named_by_what_they_share(copy, encoder):
    """Twice the items of the shop: enough for clusters, of two kinds of titles."""
    items = pl.read_parquet(copy.path / "items.parquet").drop("category")
    titles = [f"{'striped wool scarf' if row % 2 else 'green garden hose'} number {row}" for row in range(len(items))]
    many = [items.with_columns(title=pl.Series(titles), item_id=items["item_id"] + end) for end in ("", "-b", "-c")]
    pl.concat(many).write_parquet(copy.path / "items.parquet")
    ids = tuple(pl.concat(many)["item_id"].to_list())
    planted = np.eye(2, dtype=np.float32)[np.arange(len(ids)) % 2] + 0.01
    FeatureTable(ids, "title", planted, "planted/1").save(copy.features_folder)
    found = item_map(copy, {}, modalities=["title"], encoder=encoder)
    assert (found.by, found.clustered) == ("cluster", "title")
    assert not any(CLUSTER in place.clusters for place in found.places), "what made them cannot measure them"
    for row, label in enumerate(found.labels[:48]):
        assert (
            {"striped", "wool", "scarf"} & set(label.replace(",", "").split())
            if row % 2
            else "hose" in label or "garden" in label
        )
    asked = item_map(copy, {}, by="cluster", modalities=["title"], encoder=encoder)
    assert asked.labels == found.labels
