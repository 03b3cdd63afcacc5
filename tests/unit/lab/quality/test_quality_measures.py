import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from viral.base.errors import DataError, UsageError
from viral.data.dataset import Dataset
from viral.enrich import Descriptions, save_descriptions
from viral.lab.quality import description_quality, descriptions_by_prompt
from viral.lab.quality import quality_measures as module
from viral.lab.quality.title_agreement import partners, without_words


@pytest.fixture
def copy(shop, tmp_path):
    """The same shop, to be changed."""
    return Dataset.open(shutil.copytree(shop.path, tmp_path / "copy"))


def without(descriptions: Descriptions, *item_ids: str) -> Descriptions:
    rows = (replace(row, status="failed", text="") if row.item_id in item_ids else row for row in descriptions.rows)
    return replace(descriptions, rows=tuple(rows))


def test_prompts_are_found_by_their_files_plain_first_and_title_last(shop, copy):
    assert list(descriptions_by_prompt(shop)) == ["plain", "title"]
    sets = descriptions_by_prompt(shop, "pixel")
    save_descriptions(replace(sets["title"], prompt="my-own"), copy.path)
    assert list(descriptions_by_prompt(copy)) == ["plain", "my-own", "title"]
    assert descriptions_by_prompt(copy, "nobody") == {}
    fresh = without(sets["title"], "p0001")
    assert descriptions_by_prompt(copy, "pixel", fresh)["title"].counts["failed"] == 1


def test_several_describers_are_told_apart_by_name(copy):
    save_descriptions(replace(descriptions_by_prompt(copy)["title"], describer="qwen/7"), copy.path)
    with pytest.raises(UsageError, match="several describers") as error:
        descriptions_by_prompt(copy)
    assert "pixel, qwen" in error.value.hint
    assert [one.describer for one in descriptions_by_prompt(copy, "qwen").values()] == ["qwen/7"]


def test_only_items_that_every_prompt_describes_are_compared(shop, encoder):
    sets = descriptions_by_prompt(shop)
    sets["plain"] = without(sets["plain"], "p0003", "p0040")
    found = description_quality(shop, sets, encoder=encoder)
    assert found.described == {"plain": 46, "title": 48}
    assert found.shared == len(found.sample) == 46 and not {"p0003", "p0040"} & set(found.sample)
    assert found.planted.items == found.agreement["title"]["as_said"].items == 46


def test_words_of_the_title_are_why_guided_words_agree(shop, encoder):
    found = description_quality(shop, descriptions_by_prompt(shop), encoder=encoder)
    said, rest = (found.agreement["title"][name] for name in ("as_said", "without_title_words"))
    assert said.nearer > 0.8 and said.p_value <= 0.001
    assert rest.items == 48 and rest.p_value > 0.05
    against = found.against_plain["title"]["as_said"]
    assert list(found.against_plain) == ["title"]
    assert against.difference == pytest.approx(said.difference - found.agreement["plain"]["as_said"].difference)


def test_without_the_titles_words_own_and_other_title_are_treated_alike(shop, encoder):
    sets, catalog = descriptions_by_prompt(shop), shop.catalog()
    found = description_quality(shop, sets, seed=6, encoder=encoder).agreement["plain"]["without_title_words"]
    titles = [item.title for item in catalog]
    own, other = [], []
    for row, partner in enumerate(partners(48, seed=6).tolist()):
        left = without_words(sets["plain"].texts[catalog.ids[row]], titles[row], titles[partner])
        vectors = encoder.encode([left, titles[row], titles[partner]])
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        own.append(unit[0] @ unit[1])
        other.append(unit[0] @ unit[2])
    assert (found.own, found.other) == pytest.approx((np.mean(own), np.mean(other)), abs=1e-6)


def test_large_data_sets_are_sampled_by_the_seed(shop, encoder, monkeypatch):
    monkeypatch.setattr(module, "MOST", 12)
    sets = descriptions_by_prompt(shop)
    first, again, other = (description_quality(shop, sets, seed=seed, encoder=encoder) for seed in (1, 1, 2))
    assert len(first.sample) == 12 and first.shared == 48
    assert first.sample == again.sample == tuple(sorted(first.sample)) and first.sample != other.sample
    assert first.to_json() == again.to_json()
    assert first.planted.read == {}, "twelve items are too few to hold some out"


def test_a_data_set_without_truth_or_titles_is_measured_by_what_it_has(copy, encoder):
    import polars as pl

    (copy.path / "truth.parquet").unlink()
    sets = {"title": descriptions_by_prompt(copy)["title"]}
    found = description_quality(copy, sets, encoder=encoder)
    assert found.planted is None and list(found.agreement) == ["title"] and found.against_plain == {}
    items = pl.read_parquet(copy.path / "items.parquet")
    items.with_columns(title=pl.lit("")).write_parquet(copy.path / "items.parquet")
    bare = description_quality(copy, sets, encoder=encoder)
    assert bare.agreement == {} and bare.planted is None
    assert json.loads(json.dumps(bare.to_json()))["compared_items"] == 48


def test_nothing_described_by_all_is_said(shop, encoder):
    sets = descriptions_by_prompt(shop)
    everything = [row.item_id for row in sets["plain"].rows]
    with pytest.raises(DataError, match="no item has a description"):
        description_quality(shop, sets | {"plain": without(sets["plain"], *everything)}, encoder=encoder)
    with pytest.raises(DataError, match="no item has a description"):
        description_quality(shop, {}, encoder=encoder)


def test_texts_are_encoded_once(copy, encoder):
    class Counting:
        name = "counting/1"
        asked = 0

        def encode(self, texts):
            Counting.asked += len(texts)
            return encoder.encode(texts)

    sets = descriptions_by_prompt(copy)
    first = description_quality(copy, sets, encoder=Counting())
    asked = Counting.asked
    assert asked > 48 and description_quality(copy, sets, encoder=Counting()).to_json() == first.to_json()
    assert Counting.asked == asked
