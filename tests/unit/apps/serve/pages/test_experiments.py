"""What studies and runs left, as the pages show it; two of them against each other, computed here by hand."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from starlette.testclient import TestClient

from pages_world import SIZES, Tree, make_run, opened
from viral.apps.serve.pages.experiment_files import discover
from viral.apps.serve.pages.rendering import quoted
from viral.base.recipe import Recipe, TrainConfig
from viral.lab.study import Leaderboard, ablate, compare
from viral.lab.study.study import setting_text
from worlds import dataset_folder, two_tastes

BRIEF = TrainConfig(max_epochs=3, batch_size=64, learning_rate=0.02)
RECIPES = {
    "popularity": Recipe(model="popularity", train=BRIEF),
    "itemknn": Recipe(model="itemknn", train=BRIEF),
    "bpr": Recipe(
        model="bpr", train=TrainConfig(max_epochs=2, learning_rate=1e-5)
    ),  # learns nothing: some gain, some lose
}
HOSTILE = "<script>alert(1)</script>"
Made = tuple[Path, Leaderboard]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A folder of outputs, and the leaderboard: a comparison, an ablation, a run, and what is none of them."""
    folder = tmp_path_factory.mktemp("experiments")
    data = dataset_folder(folder / "tastes", two_tastes(80))
    board = compare(data, RECIPES, folder / "out" / "board", seeds=(0, 1), command="viral compare tastes")
    base = Recipe(model="viral", config={**SIZES, "variant": "light"}, train=TrainConfig(max_epochs=1, batch_size=4096))
    ablate(data, folder / "out" / "parts", base=base, seeds=(0,), studies=["parts"])
    make_run(data, folder / "out" / "knn", "itemknn")
    for name in ("popularity", "served"):
        make_run(data, folder / name, "popularity")
    (folder / "out" / "empty").mkdir()
    harmed = folder / "out" / HOSTILE.replace("/", "\u2215")
    harmed.mkdir()
    (harmed / "results.json").write_text('{"rows": [{"name": "<b>x</b>"}]}')
    for name, text in [("torn", '{"trials'), ("odd", '{"trials": 5, "best": "none"}'), ("list", "[1]")]:
        (folder / "out" / name).mkdir()
        (folder / "out" / name / "tune.json").write_text(text)
    (folder / "secret").mkdir()
    shutil.copy(folder / "out" / "board" / "results.json", folder / "secret")
    return folder, board


@pytest.fixture(scope="module")
def looking(made: Made) -> Iterator[TestClient]:
    folder, _ = made
    with opened(folder / "served", folder / "tastes", experiments=(folder / "out", folder / "popularity")) as client:
        yield client


def rows(tree: Tree) -> list[str]:
    return [text for _, text in tree.all("tr")]


def test_everything_below_the_folders_is_listed_the_served_run_first(looking: TestClient, made: Made) -> None:
    listed = rows(Tree(looking.get("/experiments").text))[1:]
    listed = listed[: next(place for place, text in enumerate(listed) if text.startswith("When"))]  # then trends
    assert listed[0].startswith("this run Run") or listed[0].startswith("this runRun")
    assert len(listed) == 1 + 7 + 1  # the served one, those of the folder that are something, and the run by its name
    best = max(made[1].rows, key=lambda row: row.metrics["recall@20"].mean)
    board = next(text for text in listed if text.startswith("board"))
    assert f"3 rows, 2 seeds{best.name}: recall@20 {best.metrics['recall@20'].mean:.4f}" in board.replace(
        " seeds ", " seeds"
    )
    assert "empty" not in " ".join(listed)


def test_what_cannot_be_read_is_named_with_its_reason_and_hides_nothing(looking: TestClient) -> None:
    answer = looking.get("/experiments")
    tree = Tree(answer.text)
    unreadable = [text for text in rows(tree) if "Unreadable" in text]
    assert len(unreadable) == 4 and any("TypeError" in text or "AttributeError" in text for text in unreadable)
    assert all(link["href"].count("torn") == 0 for link, _ in tree.all("a"))
    for name in ("torn", "odd", "list"):
        assert looking.get(f"/experiments/study/{name}").status_code < 500
    assert not tree.all("b")


def test_the_leaderboard_is_that_of_the_study(looking: TestClient, made: Made) -> None:
    _, board = made
    tree = Tree(looking.get("/experiments/study/board").text)
    headings = [text for _, text in tree.all("h2")]
    assert {"Leaderboard", "Learning curves", "Cost"} <= set(headings)
    for row in board.rows:
        mean = f"{row.metrics['recall@20'].mean:.4f}"
        assert any(row.name in text and mean in text for text in rows(tree)), (row.name, mean)
    assert "viral compare tastes" in tree.text and tree.all("svg")


def test_an_ablation_is_a_matrix_of_what_each_row_changes(looking: TestClient) -> None:
    tree = Tree(looking.get("/experiments/study/parts").text)
    assert "Ablation matrix" in [text for _, text in tree.all("h2")]
    heads = [text for _, text in tree.all("th")]
    assert all(
        f"{name}{group}" in heads for name, group in (("VIRAL (full)", "anchors"), ("no S", "parts"), ("no R", "parts"))
    )
    without = next(text for text in rows(tree) if "no S" in text and text.endswith("off"))
    assert "%" in without  # beside the setting that it changes, what comes of it


@pytest.mark.parametrize(("value", "shown"), [(None, "none"), ("off", "off"), (False, "false"), ([1, 2], "[1, 2]")])
def test_a_setting_is_shown_as_a_recipe_has_it(value: object, shown: str) -> None:
    assert setting_text(value) == shown


def test_a_folder_that_is_none_is_told_in_words(made: Made, tmp_path: Path) -> None:
    folder, _ = made
    with opened(
        folder / "served", folder / "tastes", experiments=(folder / "out" / "empty", tmp_path / "no")
    ) as client:
        listed = rows(Tree(client.get("/experiments").text))
        assert sum("there is no results.json, cold.json, tune.json or run.json in it" in text for text in listed) <= 1
        assert any("no" in text and "there is no results.json" in text for text in listed)
        assert str(tmp_path) not in client.get("/experiments").text


@pytest.mark.parametrize(
    "name",
    ["../secret", "..%2Fsecret", "board/../../secret", "%2Fetc", "secret", "board%2Fcells", "", "%00", "a" * 5000],
)
def test_only_what_the_server_was_given_is_shown(looking: TestClient, name: str) -> None:
    answer = looking.get(f"/experiments/study/{name}")
    assert answer.status_code in (404, 422) and "itemknn" not in answer.text


def test_hostile_names_are_text(made: Made, tmp_path: Path) -> None:
    folder, _ = made
    place = tmp_path / "<img src=x onerror=alert(1)>"
    place.mkdir()
    document = json.loads((folder / "out" / "board" / "results.json").read_text())
    document |= {"command": HOSTILE, "dataset": "/data/<b>bold</b>", "failures": [HOSTILE], "reference": HOSTILE}
    document["rows"][0]["name"] = HOSTILE
    (place / "results.json").write_text(json.dumps(document))
    with opened(folder / "served", folder / "tastes", experiments=(place,)) as client:
        pages = ["/experiments", f"/experiments/study/{quoted(place.name)}", "/experiments/compare"]
        pages.append(f"/experiments/compare?a=this%20run&b={quoted(f'{place.name}/{HOSTILE}')}")
        for page in pages:
            answer = client.get(page)
            tree = Tree(answer.text)
            assert answer.status_code == 200 and not tree.stray, page
            assert not tree.all("b", class_="x") and not tree.all("img", src="x")
            assert all(item["src"].startswith("/static/") for item, _ in tree.all("script"))
        assert HOSTILE in Tree(client.get(pages[1]).text).text


def test_a_long_command_can_be_read_to_its_end(made: Made, tmp_path: Path) -> None:
    folder, _ = made
    document = json.loads((folder / "out" / "board" / "results.json").read_text())
    command = "viral compare tastes" + " --recipe some/where/else.toml" * 40
    (tmp_path / "results.json").write_text(json.dumps(document | {"command": command}))
    with opened(folder / "served", folder / "tastes", experiments=(tmp_path,)) as client:
        tree = Tree(client.get(f"/experiments/study/{quoted(tmp_path.name)}").text)
    assert command in tree.text


def of_users(folder: Path, row: str) -> dict[str, float]:
    """Each user's mean of Recall@20 over the seeds, from the study's files."""
    frames = []
    for file in (folder / "out" / "board" / "cells").glob("*/result.json"):
        if json.loads(file.read_text())["cell"] == row:
            frames.append(pl.read_parquet(file.parent / "users.parquet"))
    assert len(frames) == 2
    found = pl.concat(frames).group_by("user_id").agg(pl.col("recall@20").mean())
    return dict(found.iter_rows())


def test_users_won_and_lost_are_those_counted_by_hand(looking: TestClient, made: Made) -> None:
    first, second = (of_users(made[0], name) for name in ("popularity", "bpr"))
    won = {user for user in first if second[user] > first[user]}
    lost = {user for user in first if second[user] < first[user]}
    assert won and lost  # else it would show nothing
    page = looking.get("/experiments/compare?a=board/popularity&b=board/bpr")
    tree = Tree(page.text)
    said = " ".join(tree.text.split())
    for count in (len(won), len(first) - len(won) - len(lost), len(lost)):
        assert f"{count} users" in said
    tables = [text for _, text in tree.all("section")]
    gained = next(text for text in tables if text.startswith("Won by the second"))
    worse = next(text for text in tables if text.startswith("Lost by the second"))
    assert sum(f"{user}" in gained for user in won) >= min(15, len(won))
    assert {
        link["href"].removeprefix("/users/") for link, _ in tree.all("a") if "/users/u" in link["href"]
    } <= won | lost
    assert all(f"{second[user]:.3f}" in worse for user in list(lost)[:3])
    means = [sum(those.values()) / len(those) for those in (first, second)]
    assert f"first {means[0]:.4f}, second {means[1]:.4f}" in said


def test_a_run_is_ranked_again_from_its_bundle(looking: TestClient, made: Made) -> None:
    """The same model on the same data, once as a run and once as a row of the study: nobody wins."""
    said = " ".join(Tree(looking.get("/experiments/compare?a=knn&b=board/itemknn").text).text.split())
    assert "The second serves nobody better." in said and "The second serves nobody worse." in said
    assert "80 users" in said


def test_the_difference_of_two_recipes_is_whole(made: Made, looking: TestClient, tmp_path: Path) -> None:
    lines = rows(Tree(looking.get("/experiments/compare?a=this%20run&b=knn").text))
    changed = {line.split()[0] for line in lines}
    assert any(line.startswith("model") and "popularity" in line and "itemknn" in line for line in lines)
    assert not any(name.startswith("train.") for name in changed)  # both had the same budget
    same = rows(Tree(looking.get("/experiments/compare?a=this%20run&b=popularity").text))
    assert any(line.startswith("nothing") for line in same)


def test_what_cannot_be_compared_is_told(looking: TestClient, made: Made, tmp_path: Path) -> None:
    unknown = looking.get("/experiments/compare?a=board/bpr&b=../secret/bpr")
    assert unknown.status_code == 422 and "no such run to compare" in unknown.text
    folder, _ = made
    shutil.copytree(folder / "out" / "board", tmp_path / "board")
    for file in (tmp_path / "board" / "cells").glob("*/users.parquet"):
        file.write_bytes(b"no table")
    with opened(folder / "served", folder / "tastes", experiments=(tmp_path / "board",)) as client:
        said = client.get("/experiments/compare?a=board/bpr&b=board/itemknn")
        assert said.status_code == 200 and "Users cannot be compared" in said.text


def test_a_study_is_read_again_when_it_goes_on(made: Made, tmp_path: Path) -> None:
    shutil.copytree(made[0] / "out" / "board", tmp_path / "board")
    assert discover([tmp_path], tmp_path / "none")["board"].kind == "comparison"
    (tmp_path / "board" / "results.json").write_text("{}")
    assert discover([tmp_path], tmp_path / "none")["board"].kind == "unreadable"


@pytest.mark.parametrize(
    "place",
    ["", "/study/board", "/study/parts", "/study/knn", "/compare", "/compare?a=board/popularity&b=board/bpr"],
)
def test_nothing_is_inline(looking: TestClient, place: str) -> None:
    answer = looking.get(f"/experiments{place}")
    tree = Tree(answer.text)
    assert answer.status_code == 200 and not tree.stray, tree.stray[:3]
    for name, attributes, texts in tree.elements:
        assert name != "style" and "style" not in attributes and not any(key.startswith("on") for key in attributes)
        assert name != "script" or (attributes["src"].startswith("/static/") and not "".join(texts).strip())
    ids = [attributes["id"] for _, attributes, _ in tree.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert looking.get("/experiments/figures.css").headers["content-type"].startswith("text/css")


def names(tree: Tree) -> list[str]:
    """The list's names in order, those that cannot be read left out."""
    return [text for link, text in tree.all("a") if link["href"].startswith("/experiments/study/")]


def test_the_list_is_sorted_by_a_column_and_says_so(looking: TestClient) -> None:
    states = {}
    for order in ("asc", "desc"):
        tree = Tree(looking.get(f"/experiments?sort=name&order={order}").text)
        found = names(tree)
        assert found == sorted(found, key=str.casefold, reverse=order == "desc") and len(found) > 3
        states[order] = [head.get("aria-sort") for head, _ in tree.all("th", scope="col") if "aria-sort" in head]
        assert "Unreadable" in rows(tree)[len(found) + 1], "what cannot be read comes last in both"
    assert states["asc"] == ["ascending", *["none"] * 5] and states["desc"] == ["descending", *["none"] * 5]


def test_a_column_sorts_by_its_numbers_and_its_link_turns_it_round(looking: TestClient, made: Made) -> None:
    tree = Tree(looking.get("/experiments?sort=best&order=desc").text)
    values = [float(text.split("recall@20 ")[1][:6]) for text in rows(tree) if "recall@20 0." in text]
    assert values == sorted(values, reverse=True) and len(set(values)) > 1
    links = {text.rstrip("▲▼"): link["href"] for link, text in tree.all("a") if "sort=" in link["href"]}
    assert links["Best"].endswith("sort=best&order=asc") and links["When"].endswith("sort=when&order=desc")
    for href in links.values():
        assert looking.get(href).status_code == 200
    assert names(Tree(looking.get("/experiments?sort=<b>&order=up").text)) == names(
        Tree(looking.get("/experiments").text)
    )


def test_a_model_that_was_trained_again_has_a_line_over_time(made: Made, tmp_path: Path) -> None:
    folder, _ = made
    values = {"may": 0.25, "april": 0.125, "june": 0.5}
    for month, (name, value) in zip((5, 4, 6), values.items(), strict=True):
        place = tmp_path / name
        place.mkdir()
        document = {"model": "viral", "dataset": "/data/wares", "metrics": {"recall@20": value}, "seed": 0}
        (place / "run.json").write_text(json.dumps(document))
        os.utime(place / "run.json", (1_700_000_000 + month * 1e6,) * 2)
    with opened(folder / "served", folder / "tastes", experiments=(tmp_path,)) as client:
        tree = Tree(client.get("/experiments").text)
    headings = [text for _, text in tree.all("h3")]
    assert headings == ["wares"], "the served run alone is no line"
    line = next(item for item, _ in tree.all("polyline") if "line" in item["class"].split() and "main" in item["class"])
    heights = [float(pair.split(",")[1]) for pair in line["points"].split()]
    assert heights == sorted(heights, reverse=True) and len(heights) == 3, "April, May, June: ever higher"
    assert [text for text in rows(tree) if "0.1250" in text or "0.5000" in text][-1].count("april") == 1


def test_empty_states_say_what_to_do(made: Made) -> None:
    folder, _ = made
    with opened(folder / "served", folder / "tastes") as client:
        text = Tree(client.get("/experiments").text).text
    assert "viral serve RUN --experiments FOLDER" in text
    assert "two trainings of one model on one data set" in text and "It takes two runs" in text


@pytest.mark.parametrize("path", ["/experiments", "/experiments/study/board", "/experiments/study/knn"])
def test_the_pages_are_chinese_where_that_is_asked_for(looking: TestClient, path: str) -> None:
    tree = Tree(looking.get(f"{path}?lang=zh").text)
    looking.cookies.clear()  # the choice is kept there
    assert tree.all("html")[0][0]["lang"].startswith("zh")
    headings = [text for level in ("h1", "h2") for _, text in tree.all(level)]
    assert any(any("\u4e00" <= sign <= "\u9fff" for sign in text) for text in headings), headings
