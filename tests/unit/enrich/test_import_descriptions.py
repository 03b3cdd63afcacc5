"""Words that were made elsewhere: taken in without pictures, by the ledger, with every bad row named."""

import json

import polars as pl
import pytest

from makers import write
from viral.base.errors import DataError, UsageError
from viral.data.dataset import Dataset, Source, write_tables
from viral.encode import FeatureTable, encode_dataset
from viral.enrich import LEDGER_FILE, Ledger, describer_named, edit, load_descriptions
from viral.enrich import import_descriptions as module
from viral.enrich.import_descriptions import REJECTED_FILE, ImportConfig, import_words, imported_sets

SAID = {n: f"A red thing of metal with the number {n} printed on it." for n in "0123"}
WORDS = "itemID,asin,words\n" + "".join(f"{n},B{n},{text}\n" for n, text in SAID.items())


@pytest.fixture
def dataset(tmp_path):
    rows = [{"item_id": str(n), "title": f"Thing {n}", "text": "", "image": None} for n in range(5)]
    items = pl.DataFrame(rows, schema=dict.fromkeys(rows[0], pl.String))
    return write_tables(make(tmp_path), items, pl.DataFrame({"user_id": ["u"], "item_id": ["0"]}), Source(layout="t"))


def make(tmp_path):
    (tmp_path / "shop").mkdir()
    return tmp_path / "shop"


def take(dataset, content, name="words.csv", **settings):
    file = dataset.path.parent / name
    if content is not None:
        write(file, content)
    with Ledger(dataset.path / LEDGER_FILE) as ledger:
        return import_words(dataset, ImportConfig(file=str(file), **settings), ledger)


def counts(found):
    (one,) = found.sets
    return one.added, one.replaced, one.unchanged, one.declined


def rejected(dataset):
    lines = (dataset.path / REJECTED_FILE).read_text(encoding="utf-8").splitlines()
    return [(row["row"], row["field"], row["reason"], row["value"]) for row in map(json.loads, lines)]


def entries(dataset, describer="Qwen", prompt="plain"):
    with Ledger(dataset.path / LEDGER_FILE) as ledger:
        return list(ledger.rows(describer, prompt))


def test_words_need_no_picture_and_say_where_they_came_from(dataset):
    found = take(dataset, WORDS, describer="Qwen", prompt="plain")
    assert counts(found) == (4, 0, 0, 0)
    said = load_descriptions(dataset)
    assert said.texts == SAID and (said.describer, said.prompt) == ("Qwen/imported", "plain")
    assert [(row.item_id, row.error) for row in said.rows if row.status == "pending"] == [
        ("4", "no words of it in words.csv")
    ]
    (first, *_) = entries(dataset)
    assert json.loads(first.key.parameters) == {"file": "words.csv", "sha256": found.file.sha256}
    assert (first.key.revision, first.status, first.attempts) == ("imported", "done", 0) and first.created


def test_the_same_file_twice_does_nothing_and_a_changed_one_says_what(dataset):
    take(dataset, WORDS, describer="Qwen", prompt="plain")
    before = entries(dataset)
    assert counts(take(dataset, WORDS, describer="Qwen", prompt="plain")) == (0, 0, 4, 0)
    assert entries(dataset) == before
    changed = "id,text\n1,A blue lamp with a shade of paper and a cord.\n4,A green bucket made of tin with a handle.\n"
    assert counts(take(dataset, changed, describer="Qwen", prompt="plain")) == (1, 1, 0, 0)
    texts = load_descriptions(dataset).texts
    assert texts["1"].startswith("A blue lamp") and texts["4"].startswith("A green bucket") and texts["0"] == SAID["0"]
    assert len(entries(dataset)) == 6
    assert counts(take(dataset, WORDS, describer="Qwen", prompt="plain")) == (0, 1, 3, 0)  # back again
    assert load_descriptions(dataset).texts["1"] == SAID["1"]


def test_rows_that_cannot_be_used_are_named(dataset):
    bad = "99,B,Words of nothing\n,B,Words of nobody\n2,B, \n3,B,Other words\n0,B," + SAID["0"] + "\n1,too few\n"
    found = take(dataset, WORDS + bad, describer="Qwen", prompt="plain")
    assert counts(found) == (4, 0, 0, 0)
    assert sorted(rejected(dataset)) == [
        (5, "itemID", "unknown item", "99"),
        (6, "itemID", "empty item id", ""),
        (7, "words", "empty text", ""),
        (8, "itemID", "item again, with other words", "3"),
        (9, "itemID", "item again, with the same words", "0"),
        (10, "", "wrong number of fields", "1,too few"),
    ]
    take(dataset, WORDS, describer="Qwen", prompt="plain")
    assert rejected(dataset) == []  # of the last file


def test_a_column_tells_who_wrote_the_words_and_by_which_prompt(dataset):
    lines = [
        "id,description,describer,prompt",
        "0,A plain lamp of brass with a cord,Qwen/Qwen2-VL,plain",
        "0,A brass lamp for a desk,Qwen/Qwen2-VL,title",
        "1,红色水桶,,",
        "2,A vase,pixel,plain",
        "3,A vase,../x,plain",
    ]
    found = take(dataset, "\n".join(lines), describer="Anna", prompt="title-zh")
    names = [(one.descriptions.describer, one.descriptions.prompt, one.added) for one in found.sets]
    assert names == [
        ("Qwen--Qwen2-VL/imported", "plain", 1),
        ("Qwen--Qwen2-VL/imported", "title", 1),
        ("Anna/imported", "title-zh", 1),
    ]
    assert [row[1:3] for row in rejected(dataset)] == [("describer", "not the name of a describer")] * 2
    assert [one.prompt for one in imported_sets(dataset, "Qwen--Qwen2-VL")] == ["plain", "title"]
    with pytest.raises(UsageError, match="several sets"):
        load_descriptions(dataset, "Qwen--Qwen2-VL")
    assert load_descriptions(dataset, prompt="title").texts == {"0": "A brass lamp for a desk"}
    assert load_descriptions(dataset, "Anna").rows[1].flags == ("too short",)


def test_who_wrote_them_may_be_unknown(dataset):
    assert take(dataset, WORDS).sets[0].descriptions.describer == "unknown/imported"
    assert load_descriptions(dataset, "unknown", "unknown").texts == SAID


@pytest.mark.parametrize(("name", "make_file"), [("w.jsonl", "write_ndjson"), ("w.parquet", "write_parquet")])
def test_other_kinds_of_table_and_other_columns(dataset, name, make_file):
    frame = pl.DataFrame({"nr": [0, 1], "says": ["A lamp of brass with a cord", "A bucket of tin with a handle"]})
    getattr(frame, make_file)(dataset.path.parent / name)
    take(dataset, None, name, item_column="nr", text_column="says")
    assert set(load_descriptions(dataset).texts) == {"0", "1"}


def test_the_checks_of_answers_are_those_of_every_describer(dataset):
    take(dataset, WORDS, describer="Qwen", prompt="plain")
    said = 'id,text\n0,"I\'m sorry, I cannot see it."\n4,"I\'m sorry, I cannot see it."\n1,\x1b[31mA mug.\n'
    assert counts(take(dataset, said, describer="Qwen", prompt="plain")) == (0, 1, 0, 2)
    rows = {row.item_id: row for row in load_descriptions(dataset).rows}
    assert (rows["0"].text, rows["4"].status) == (SAID["0"], "refused")  # words that were there stay
    assert (rows["1"].text, rows["1"].flags) == ("[31mA mug.", ("too short",))
    assert "declines" in rows["4"].error
    found = take(dataset, 'id,text\n0,no JSON\n1,"{""category"": ""mug""}"\n', prompt="attributes")
    assert counts(found) == (1, 0, 0, 1)
    assert load_descriptions(dataset, prompt="attributes").texts == {"1": "Category: mug."}


def test_a_prompt_of_ones_own_names_the_set(dataset):
    prompt = write(dataset.path.parent / "short.txt", "Say in ten words what {title} looks like.")
    take(dataset, WORDS, describer="Qwen", prompt=str(prompt))
    assert load_descriptions(dataset).prompt == "short"
    assert entries(dataset, prompt="short")[0].key.prompt_sha256


def test_a_run_that_is_killed_between_ledger_and_set_is_made_good(dataset, monkeypatch):
    def killed(*words):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "save_descriptions", killed)
        with pytest.raises(KeyboardInterrupt):
            take(dataset, WORDS, describer="Qwen", prompt="plain")
    assert load_descriptions(dataset) is None and len(entries(dataset)) == 4
    assert counts(take(dataset, WORDS, describer="Qwen", prompt="plain")) == (4, 0, 0, 0)
    assert len(entries(dataset)) == 4
    (dataset.path / LEDGER_FILE).unlink()
    assert counts(take(dataset, WORDS, describer="Qwen", prompt="plain")) == (0, 0, 4, 0)
    assert len(entries(dataset)) == 4


def test_what_a_human_wrote_stays(dataset):
    edit(dataset, "0", "A vase.")
    take(dataset, WORDS, describer="Qwen", prompt="plain")
    assert load_descriptions(dataset).texts["0"] == "A vase."


def test_faults_say_what_to_do(dataset):
    with pytest.raises(DataError, match=r"'text' is missing; the columns are: id, says\n.*--set text_column=NAME"):
        take(dataset, "id,says\n0,x\n")
    with pytest.raises(DataError, match="not one description is left: unknown item"):
        take(dataset, "id,text\n9,x\n")
    with pytest.raises(DataError, match="no such file"):
        take(dataset, None, "absent.csv")
    with pytest.raises(UsageError, match="cannot be called 'pixel'"):
        take(dataset, WORDS, describer="pixel")
    with pytest.raises(UsageError, match="a prompt cannot be called"):
        take(dataset, WORDS, prompt=" ..")
    with pytest.raises(UsageError, match="--set file=WORDS"):
        describer_named("import")
    assert imported_sets(dataset) == ()


def test_a_set_without_words_does_not_count_beside_one_that_has_some(dataset):
    take(dataset, WORDS, describer="Qwen", prompt="plain")
    from viral.enrich import Description, Descriptions, save_descriptions

    rows = tuple(Description(str(n), "", "pixel/1", "title", "", "missing picture") for n in range(5))
    save_descriptions(Descriptions(rows, "pixel/1", "title"), dataset.path)
    assert load_descriptions(dataset).texts == SAID
    assert load_descriptions(dataset, "pixel").texts == {}


def test_words_are_encoded_with_the_title_and_alone(dataset):
    from unit.lab.quality.conftest import Words

    take(dataset, WORDS, describer="Qwen", prompt="plain")
    made = encode_dataset(
        Dataset.open(dataset.path), descriptions=load_descriptions(dataset), encoder=Words(), modalities=["words"]
    )["words"]
    assert made.item_ids == ("0", "1", "2", "3") and made.encoder.endswith("of Qwen/imported with prompt plain")
    assert FeatureTable.load(dataset.features_folder / "words.parquet").item_ids == made.item_ids
