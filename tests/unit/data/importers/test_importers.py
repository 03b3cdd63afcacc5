"""The table of layouts, and the folder an import fills."""

import inspect
from pathlib import Path

import pytest

from makers import write
from viral.base.errors import DataError, UsageError
from viral.data.dataset import Dataset
from viral.data.importers import IMPORTERS, import_dataset, import_table
from viral.data.importers.dataset_folder import new_dataset

LOG = "user,item\nu,a\nu,b\nv,a\n"
REAL = Path(__file__).parents[4] / "../shared/data"


def real(name):
    folder = REAL / name
    if not folder.is_dir():
        pytest.skip(f"{name}: real data not here")
    return folder


def counts(dataset):
    """Users, items, interactions, and those of each split, counted from the tables and not from the manifest."""
    log = dataset.interactions()
    parts = [(log["split"] == name).sum() for name in ("train", "valid", "test")]
    return (log["user_id"].n_unique(), len(dataset.catalog()), log.height, *parts)


@pytest.mark.parametrize("layout", IMPORTERS)
def test_every_importer_takes_source_dataset_and_options_by_name(layout):
    parameters = inspect.signature(IMPORTERS[layout]).parameters
    assert list(parameters)[:3] == ["source", "dataset", "overwrite"]
    assert all(parameters[name].kind is inspect.Parameter.KEYWORD_ONLY for name in list(parameters)[2:])
    assert all(parameters[name].default is not inspect.Parameter.empty for name in list(parameters)[2:])


def test_a_layout_is_imported_by_name_with_its_options(tmp_path):
    source = write(tmp_path / "log.csv", LOG)
    dataset = import_dataset("table", source, tmp_path / "data", split="random", seed=4)
    assert dataset.manifest["source"]["options"]["seed"] == 4
    assert counts(dataset) == (2, 2, 3, 3, 0, 0)


def test_an_unknown_layout_or_option_names_the_nearest(tmp_path):
    with pytest.raises(UsageError, match=r"'movielense'\n.*did you mean movielens"):
        import_dataset("movielense", tmp_path, tmp_path / "data")
    with pytest.raises(UsageError, match=r"'table' has no option 'colums'\n.*did you mean columns"):
        import_dataset("table", tmp_path, tmp_path / "data", colums={})
    with pytest.raises(UsageError, match="'mmrec' has no option 'core'"):
        import_dataset("mmrec", tmp_path, tmp_path / "data", core=5)


def test_a_data_set_is_replaced_only_when_asked(tmp_path):
    source = write(tmp_path / "log.csv", LOG)
    import_table(source, tmp_path / "data")
    write(source, "user,item\nu,z\n")
    with pytest.raises(UsageError, match="already exists"):
        import_table(source, tmp_path / "data")
    assert Dataset.open(tmp_path / "data").catalog().ids == ("a", "b")
    assert import_table(source, tmp_path / "data", overwrite=True).catalog().ids == ("z",)


def test_an_import_that_fails_leaves_the_old_data_set(tmp_path):
    source = write(tmp_path / "log.csv", LOG)
    import_table(source, tmp_path / "data")
    write(source, "nonsense\n")
    with pytest.raises(DataError):
        import_table(source, tmp_path / "data", overwrite=True)
    assert Dataset.open(tmp_path / "data").catalog().ids == ("a", "b")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "log.csv"]


def test_what_is_not_a_data_set_is_never_replaced(tmp_path):
    source = write(tmp_path / "log.csv", LOG)
    precious = write(tmp_path / "home" / "thesis.txt", "years of work")
    for target in (tmp_path / "home", precious):
        with pytest.raises(UsageError, match="not a data set folder"):
            import_table(source, target, overwrite=True)
    assert precious.read_text() == "years of work"
    (tmp_path / "empty").mkdir()
    assert import_table(source, tmp_path / "empty", overwrite=True).catalog().ids == ("a", "b")


def test_a_data_set_never_replaces_its_own_source(tmp_path):
    source = write(tmp_path / "shop" / "interactions.csv", LOG)
    write(tmp_path / "shop" / "manifest.json", "{}")
    for target in (tmp_path / "shop", tmp_path, tmp_path / "shop" / ".." / "shop"):
        with pytest.raises(UsageError, match="replace its own source"):
            import_table(source.parent, target, overwrite=True)
    assert source.read_text() == LOG


def test_a_source_that_is_not_there(tmp_path):
    with (
        pytest.raises(DataError, match="no such file or folder"),
        new_dataset(tmp_path / "none", tmp_path / "data", overwrite=False),
    ):
        pytest.fail("the block must not run")


@pytest.mark.parametrize(
    ("name", "expected", "warm"),
    [
        ("amazon-baby", (19_445, 7_050, 160_792, 118_551, 20_559, 21_682), 7_047),
        ("amazon-sports", (35_598, 18_357, 296_337, 218_409, 37_899, 40_029), None),
    ],
)
def test_the_published_benchmarks_have_their_published_counts(tmp_path, name, expected, warm):
    dataset = import_dataset("mmrec", real(name), tmp_path / "data")
    assert counts(dataset) == expected
    assert dataset.manifest["counts"]["rejected"] == {}
    log = dataset.interactions()
    assert warm is None or log.filter(split="train")["item_id"].n_unique() == warm
    texts = sum(bool(item.text) for item in dataset.catalog())
    titles = sum(bool(item.title) for item in dataset.catalog())
    assert (titles, texts) == {"amazon-baby": (3_416, 978), "amazon-sports": (0, 18_357)}[name]


def test_the_posters_subset_has_its_published_counts(tmp_path):
    dataset = import_dataset("movielens", real("movielens-posters"), tmp_path / "data")
    assert counts(dataset)[:3] == (638, 1_395, 33_386)
    assert dataset.manifest["counts"]["images"] == 1_395
    options = dataset.manifest["source"]["options"]
    filtered = sum(options[f"filtered_by_{what}"] for what in ("rating", "poster", "core"))
    assert filtered + 33_386 == 100_004  # every rating is accounted for
    assert all(item.title and item.category and item.image for item in dataset.catalog())
