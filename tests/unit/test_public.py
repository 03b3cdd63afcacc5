"""The public names: pinned, complete for type checkers, and costing nothing until they are used."""

import ast
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import viral

PUBLIC = [
    "MODELS",
    "Bundle",
    "Catalog",
    "Dataset",
    "EmbeddingRecommender",
    "FeatureTable",
    "Item",
    "Ledger",
    "ModelInputs",
    "Recipe",
    "Recommender",
    "Retriever",
    "Run",
    "Split",
    "TrainConfig",
    "ViralError",
    "ablate",
    "compare",
    "dataset_from_frames",
    "encode_dataset",
    "evaluate",
    "fit",
    "import_amazon2014",
    "import_amazon2018",
    "import_amazon2023",
    "import_hm",
    "import_microlens",
    "import_mmrec",
    "import_movielens",
    "import_table",
    "split",
    "train",
    "tune",
]


def test_the_public_names_are_these() -> None:
    """A name that goes breaks somebody's program; one that comes is kept for years: both are decided here."""
    assert viral.__all__ == PUBLIC and set(PUBLIC) <= set(dir(viral))


def test_a_type_checker_sees_each_where_it_is() -> None:
    tree = ast.parse(Path(viral.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    homes = {alias.name: node.module for node in imports for alias in node.names}
    assert homes == {name: viral._HOME[name] for name in PUBLIC}


def test_every_public_name_can_be_had() -> None:
    for name in viral.__all__:
        found = getattr(viral, name)
        assert not isinstance(found, ModuleType), f"{name} is hidden by a module of that name"
        assert found is viral.MODELS or found.__name__ == name


def test_importing_viral_imports_nothing_heavy() -> None:
    code = "import sys, viral; print(sorted(m for m in sys.modules if m.split('.')[0] in {'torch', 'polars', 'PIL'}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_name_is_an_attribute_error() -> None:
    try:
        viral.Catalogue  # noqa: B018
    except AttributeError as error:
        assert "Catalogue" in str(error)
    else:
        raise AssertionError("an unknown name was found")
