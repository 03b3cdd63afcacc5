"""Features that tell no item from another are named by the doctor, and those that do are not."""

import numpy as np
import pytest

from viral.data.doctor import examine
from viral.data.doctor.features import check_spread, mean_cosine
from viral.encode import FeatureTable, encode_dataset
from viral.lab.shop import ShopConfig, make_shop

ITEMS = 40
RNG = np.random.default_rng(0)
SPREAD = RNG.normal(size=(ITEMS, 16)).astype(np.float32)


def table(values: np.ndarray, modality: str = "description") -> FeatureTable:
    return FeatureTable(tuple(f"i{row}" for row in range(len(values))), modality, values.astype(np.float32), "test/1")


def findings(values: np.ndarray, *others: str):
    return list(check_spread(table(values), "features/description.parquet", others))


def test_one_vector_for_most_items_is_named_with_its_count_and_what_to_do():
    values = SPREAD.copy()
    values[5:35] = values[5]
    (finding,) = findings(values, "image", "text")
    assert (finding.severity, finding.check, finding.count) == ("warning", "features that separate nothing", 30)
    assert "of 40 items have one and the same vector in features/description.parquet" in finding.message
    assert finding.examples[0].endswith("item_id: 'i5'")
    assert "viral enrich DATASET --report" in finding.hint
    assert finding.hint.endswith("""--set 'sources=["image","text"]'""")


def test_vectors_that_hardly_differ_are_named():
    (finding,) = findings(np.full((ITEMS, 16), 3.0) + 0.01 * SPREAD)
    assert finding.count == ITEMS and "nearly the same vector" in finding.message
    assert "train without it" not in finding.hint  # nothing else is there to be read


@pytest.mark.parametrize(
    "values",
    [
        SPREAD,
        np.abs(SPREAD) + 1,  # one side of the origin, as many features are
        np.eye(ITEMS)[np.arange(ITEMS) % 3],  # three kinds
        np.ones((5, 4)),  # too few to say
    ],
)
def test_vectors_that_differ_are_not(values):
    assert findings(values) == []


def test_vectors_of_nothing_are_alike():
    (finding,) = findings(np.zeros((ITEMS, 4)))
    assert finding.count == ITEMS


def test_mean_cosine_is_that_of_all_pairs():
    unit = SPREAD / np.linalg.norm(SPREAD, axis=1, keepdims=True)
    assert mean_cosine(SPREAD) == pytest.approx(float((unit @ unit.T).mean()), abs=1e-6)


def test_the_doctor_of_a_planted_shop_is_silent_and_speaks_once_a_table_is_flat(tmp_path):
    shop = make_shop(tmp_path / "shop", ShopConfig(users=30, items=24, seed=3))
    encode_dataset(shop, modalities=("title", "image"))
    assert "features that separate nothing" not in {finding.check for finding in examine(shop).findings}
    ids = shop.catalog().ids
    FeatureTable(ids, "image", np.ones((len(ids), 8), dtype=np.float32), "test/1").save(shop.features_folder)
    (finding,) = [one for one in examine(shop).findings if one.check == "features that separate nothing"]
    assert finding.count == len(ids) and "features/image.parquet" in finding.message
    assert "placeholder" in finding.hint and '["title"]' in finding.hint
