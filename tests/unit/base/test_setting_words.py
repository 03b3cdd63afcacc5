"""Settings of Python as words of the command line, and back."""

from pathlib import Path
from typing import Any

import pytest

from viral.base.recipe import Recipe
from viral.base.setting_words import setting, words_of


@pytest.mark.parametrize(
    "value", [1, 0.5, 1e-05, True, False, None, "a b", "12", 'a "quoted" \\ text', "", [1, 2], ["a", "b"], {"a": "b c"}]
)
def test_a_value_is_read_back(value: Any) -> None:
    (word,) = words_of({"name": value})
    assert setting(word) == ("name", value)


def test_paths_tuples_and_what_is_no_number() -> None:
    words = words_of({"file": Path("a/b"), "sizes": (1, 2), "rate": float("inf")})
    assert [setting(word)[1] for word in words] == ["a/b", [1, 2], float("inf")]


def test_sections_of_a_recipe() -> None:
    words = words_of(
        {"train": {"seed": 1}, "memory": {"kind": "off"}, "config": {"num_layers": 2}, "train.patience": 3}
    )
    recipe = Recipe(model="lightgcn").with_settings(words)
    assert (recipe.train.seed, recipe.train.patience, recipe.memory.kind) == (1, 3, "off")
    assert recipe.config == {"num_layers": 2}
