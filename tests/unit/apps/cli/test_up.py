"""`viral up`: the plan, its commands, what is passed over, what goes on, and what is said where a step fails."""

import json
import shlex
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from makers import picture, write
from viral.apps.cli import app
from viral.base.files import read_json
from viral.data.dataset import Dataset
from viral.enrich import Description, Descriptions, save_descriptions

USERS, GOODS = 12, 10
COLOURS = [(200, 30, 30), (30, 30, 200), (30, 160, 60)]


def viral(*words: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == code, done.output
    return done.output


def export(folder: Path, *, goods: int = GOODS, users: int = USERS, pictures: int = 4) -> Path:
    """What a shop exports: a log, a table of goods, and pictures of some."""
    write(folder / "items.csv", "item,title\n" + "".join(f"g{n},Mug number {n}\n" for n in range(goods)))
    pairs = [(user, item) for user in range(users) for item in range(goods) if (user + item) % 2 == 0]
    write(folder / "interactions.csv", "user,item\n" + "".join(f"c{user},g{item}\n" for user, item in pairs))
    for n in range(pictures):
        write(folder / "images" / f"g{n}.png", picture(size=(96, 96), colour=COLOURS[n % 3]))
    return folder


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def states(*words: object) -> dict[str, str]:
    """Step -> state, as ``--dry-run`` plans it."""
    done = CliRunner().invoke(app, ["up", *map(str, words), "--dry-run", "--json"])
    assert done.exit_code == 0, done.output
    return {step["name"]: step["state"] for step in json.loads(done.stdout)["steps"]}


def commands(output: str) -> list[list[str]]:
    """The commands of a plan."""
    lines = (line.strip() for line in output.splitlines() if line.startswith("     viral "))
    return [shlex.split(line)[1:] for line in lines]


def test_a_dry_run_prints_every_step_with_its_command_and_does_nothing(here):
    export(here / "my goods")
    output = viral("up", "my goods", "--dry-run")
    assert commands(output) == [
        ["import", "table", "my goods", "my goods-shop"],
        ["doctor", "my goods-shop"],
        ["enrich", "my goods-shop"],
        ["encode", "my goods-shop"],
        ["train", "my goods-shop", "--model", "viral", "--out", "runs/my goods"],
        ["serve", "runs/my goods", "--port", "8000"],
    ]
    assert "in all about" in output and output.count("about") >= 6
    assert [path.name for path in here.iterdir()] == ["my goods"]


def test_the_printed_commands_do_what_up_does_and_up_recognises_it(here):
    export(here / "mine", pictures=0)
    for words in commands(viral("up", "mine", "--dry-run", "--no-serve")):
        if words[0] not in ("enrich",):
            viral(*words, *(["--set", "max_epochs=2"] if words[0] == "train" else []))
    found = states("mine")
    assert (found["import"], found["enrich"], found["train"]) == ("done", "skipped", "to do"), "encoding may change it"
    viral("up", "mine", "--no-serve")
    assert set(states("mine").values()) == {"done", "skipped", "to do"}
    assert [name for name, state in states("mine").items() if state == "to do"] == ["serve"]


@pytest.fixture(scope="module")
def brought_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop that is up, of goods without pictures (whose steps take seconds)."""
    folder = tmp_path_factory.mktemp("up")
    export(folder / "mine", pictures=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        viral("up", "mine", "--no-serve")
    return folder


@pytest.fixture
def shop(brought_up: Path, here: Path) -> Path:
    """A copy of it, file times and all."""
    shutil.copytree(brought_up, here, dirs_exist_ok=True)
    return here


def test_what_is_done_is_passed_over(shop):
    assert states("mine") == {
        "import": "done", "doctor": "done", "enrich": "skipped", "encode": "done", "train": "done", "serve": "to do",
    }  # fmt: skip
    before = (shop / "runs" / "mine" / "run.json").stat().st_mtime_ns
    output = viral("up", "mine", "--no-serve")
    assert "all is done" in output and "viral serve runs/mine --port 8000" in output
    assert (shop / "runs" / "mine" / "run.json").stat().st_mtime_ns == before
    recommend = next(line.strip() for line in output.splitlines() if line.startswith("  viral recommend"))
    assert "Mug number" in viral(*shlex.split(recommend)[1:])


def test_new_files_are_appended_and_the_run_is_updated(shop):
    week2 = shop / "week2"
    write(week2 / "items.csv", "item,title\ng10,Kettle\ng3,Mug number three\n")
    write(week2 / "interactions.csv", "user,item\nc0,g10\nc1,g10\n")
    words = ("week2", "--dataset", "mine-shop", "--run", "runs/mine", "--no-serve")
    output = viral("up", *words)
    assert ["import", "table", "week2", "mine-shop", "--append"] in commands(output)
    assert ["update", "runs/mine", "mine-shop", "--out", "runs/mine"] in commands(output)
    told = read_json(shop / "runs" / "mine" / "run.json")["update"]
    assert told["changes"]["new_items"] == told["changes"]["changed_items"] == 1
    assert "what is ranked for the test has changed (10 → 11 items to rank)" in output
    assert set(states(*words[:5]).values()) == {"done", "skipped", "to do"}
    assert states(*words[:5])["train"] == "done"
    assert states("mine")["import"] == "done", "the first week's files are in it"


def test_many_new_interactions_are_learnt_in_full_by_the_runs_recipe(shop):
    export(shop / "week2", users=3 * USERS, pictures=0)
    words = ("week2", "--dataset", "mine-shop", "--run", "runs/mine", "--no-serve")
    output = viral("up", *words)
    assert "of the interactions are new: training in full" in output
    assert "update" not in read_json(shop / "runs" / "mine" / "run.json")
    assert states(*words[:5])["train"] == "done"
    assert not list((shop / "runs").glob(".mine*"))


def test_a_failed_import_names_the_command_to_change_and_how_to_go_on(here):
    write(here / "odd" / "interactions.csv", "alpha,beta\nx,y\nx,z\nv,y\nv,z\nw,y\n")
    output = viral("up", "odd", "--no-serve", code=1)
    assert "step 'import' failed" in output
    assert "\n  viral import table odd odd-shop\n" in output
    assert "\n  viral up odd --dataset odd-shop --run runs/odd --no-serve\n" in output
    viral("import", "table", "odd", "odd-shop", "--column", "user=alpha", "--column", "item=beta")
    assert states("odd")["import"] == "done"


def test_goods_without_words_and_pictures_are_learnt_from_the_log_alone(here):
    write(here / "bare" / "interactions.csv", "user,item\n" + "".join(
        f"c{user},g{item}\n" for user in range(12) for item in range(9) if (user + item) % 2
    ))  # fmt: skip
    viral("up", "bare", "--no-serve")
    assert read_json(here / "runs" / "bare" / "run.json")["model"] == "lightgcn"


def test_an_edit_by_hand_is_encoded_and_learnt(here):
    export(here / "mine", pictures=3)
    viral("up", "mine", "--no-serve")
    assert set(states("mine").values()) == {"done", "to do"}
    viral("enrich", "mine-shop", "--edit", "g1", "--text", "Grandmother's mug.")
    found = states("mine")
    assert (found["enrich"], found["encode"], found["train"]) == ("done", "to do", "to do")
    viral("up", "mine", "--no-serve")
    assert states("mine")["train"] == "done"
    assert Dataset.open("mine-shop").manifest["counts"]["images"] == 3


def test_what_another_describer_said_is_not_described_by_pixels(shop):
    write(shop / "two" / "images" / "g1.png", picture(size=(96, 96)))
    write(shop / "two" / "items.csv", "item,title\ng1,Mug number 1\n")
    viral("import", "table", "two", "mine-shop", "--append")
    ids = Dataset.open("mine-shop").catalog().ids
    rows = tuple(Description(item, f"About {item}.", "openai/m1", "title", "", "done") for item in ids)
    save_descriptions(Descriptions(rows, "openai/m1", "title"), Path("mine-shop"))
    output = viral("up", "two", "--dataset", "mine-shop", "--run", "runs/mine", "--dry-run")
    assert "openai describes here: new pictures by viral enrich mine-shop --describer openai --prompt title" in output
    done = CliRunner().invoke(app, ["up", "two", "--dataset", "mine-shop", "--run", "runs/mine", "--dry-run", "--json"])
    assert {step["name"]: step["state"] for step in json.loads(done.stdout)["steps"]}["enrich"] == "skipped"


def test_json_is_one_document(here):
    export(here / "mine", pictures=0)
    done = CliRunner().invoke(app, ["up", "mine", "--no-serve", "--json"])
    told = json.loads(done.stdout)
    assert told["dataset"] == "mine-shop" and set(told["seconds"]) == {"import", "doctor", "encode", "train"}
    assert {step["state"] for step in told["steps"] if step["name"] != "serve"} == {"done", "skipped"}


def test_no_such_folder(here):
    assert "no such file or folder" in viral("up", "nowhere", code=2)
