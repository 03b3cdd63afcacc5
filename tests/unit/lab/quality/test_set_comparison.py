"""Sets of descriptions beside each other: known overlaps, known counts, names that choose."""

import numpy as np
import polars as pl
import pytest

from viral.base.errors import UsageError
from viral.data.dataset import Dataset
from viral.enrich import Description, Descriptions, save_descriptions
from viral.lab.quality.set_comparison import compare

IDS = [f"i{n}" for n in range(6)]


class Letters:
    """An encoder for tests: how often each letter occurs."""

    name = "letters"

    def encode(self, texts):
        return np.array([[text.lower().count(chr(97 + n)) for n in range(26)] for text in texts], dtype=np.float32)


@pytest.fixture
def dataset(tmp_path):
    items = [{"item_id": item_id, "title": "", "text": "", "image": None} for item_id in IDS]
    pl.DataFrame(items, schema_overrides={"image": pl.String}).write_parquet(tmp_path / "items.parquet")
    return Dataset(tmp_path, {})


def save(dataset, describer, prompt, texts):
    rows = tuple(
        Description(i, texts.get(i, ""), f"{describer}/1", prompt, "", "done" if i in texts else "failed") for i in IDS
    )
    save_descriptions(Descriptions(rows, f"{describer}/1", prompt), dataset.path)


@pytest.fixture
def filled(dataset):
    save(dataset, "pixel", "title", {"i0": "a red mug", "i1": "a blue hat", "i2": "a lamp", "i3": "a vase"})
    save(dataset, "qwen", "title", {"i0": "a red mug", "i1": "a blue cap", "i2": "zzz", "i4": "a chair"})
    save(dataset, "qwen", "plain", {"i0": "mug"})
    return dataset


def test_what_two_sets_share(filled):
    (found,) = compare(filled, ["pixel-title", "qwen-title"], encoder=Letters())
    assert found.sets == ("pixel-title", "qwen-title")
    assert (found.both, found.first_only, found.second_only, found.neither, found.compared) == (3, 1, 1, 1, 3)
    assert found.overlap == pytest.approx((1 + 2 / 4 + 0) / 3)
    worst = found.worst[0]
    assert (worst.item_id, worst.cosine, worst.texts) == ("i2", 0.0, ("a lamp", "zzz"))
    assert found.worst[-1].item_id == "i0" and found.worst[-1].cosine == pytest.approx(1)
    assert found.cosine == pytest.approx(sum(one.cosine for one in found.worst) / 3)
    assert found.cosine_others < found.cosine


def test_every_pair_is_compared(filled):
    found = compare(filled, ["pixel", "qwen-title", "qwen-plain"], encoder=Letters())
    assert [one.sets for one in found] == [
        ("pixel-title", "qwen-title"), ("pixel-title", "qwen-plain"), ("qwen-title", "qwen-plain")
    ]  # fmt: skip


def test_a_describer_with_a_prompt_is_a_name_too(filled):
    (found,) = compare(filled, ["pixel", "qwen"], prompt="title", encoder=Letters())
    assert found.sets == ("pixel-title", "qwen-title")


def test_sets_without_a_common_item(dataset):
    save(dataset, "pixel", "title", {"i0": "a"})
    save(dataset, "qwen", "title", {"i1": "b"})
    (found,) = compare(dataset, ["pixel", "qwen"], encoder=Letters())
    assert found.both == 0 and found.worst == () and np.isnan(found.cosine)


@pytest.mark.parametrize(
    ("names", "what"),
    [
        (["pixel", "qwen"], r"several sets[\s\S]*qwen-plain"),
        (["pixel", "qwen-titel"], r"no set[\s\S]*qwen-title"),
        (["pixel", "pixel"], "two sets"),
        (["pixel"], "two sets"),
    ],
)
def test_names_that_do_not_choose(filled, names, what):
    with pytest.raises(UsageError, match=what):
        compare(filled, names, encoder=Letters())
