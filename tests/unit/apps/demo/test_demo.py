"""The demonstration from pictures to its page, on a shop of the smallest size."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from viral.apps.demo import DEMO_RECIPES, DEMO_SHOP, run_demo
from viral.data.dataset import Dataset
from viral.evaluation import paired_test
from viral.evaluation.protocol import measure
from viral.run.bundle import Bundle
from viral.run.explain.information import FILE, load
from viral.run.pipeline import BUNDLE_FOLDER, load_split

SMALL = replace(DEMO_SHOP, users=30, items=44, interactions_per_user=6.0)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("demo") / "demo"
    return out, run_demo(out, seed=1, shop=SMALL)


def test_the_ranking_is_that_of_the_runs(done: tuple[Path, dict[str, Any]]) -> None:
    out, result = done
    assert list(result["models"]) == list(DEMO_RECIPES)
    for name, metrics in result["models"].items():
        assert metrics == json.loads((out / "runs" / name / "run.json").read_text())["metrics"]
        assert f"{metrics['recall@20']:.4f}" in (out / "report.html").read_text()


def test_the_paired_test_is_of_the_bundles(done: tuple[Path, dict[str, Any]]) -> None:
    out, result = done
    parts = load_split(Dataset.open(out / "shop"))
    ours, theirs = (
        measure(Bundle.load(out / "runs" / name / BUNDLE_FOLDER).scorer, parts)["train"].per_user["recall@20"].numpy()
        for name in ("viral", "lightgcn")
    )
    again = paired_test(ours, theirs)
    assert result["viral_against_lightgcn"]["difference"] == pytest.approx((ours - theirs).mean())
    assert result["viral_against_lightgcn"]["p_value"] == again.p_value


def test_the_page_has_its_parts_and_needs_nothing_else(done: tuple[Path, dict[str, Any]]) -> None:
    page = (done[0] / "report.html").read_text()
    for heading in ("Ranking", "Learning curves", "What was seen", "3 users, drawn at random", "Why these"):
        assert heading in page
    assert page.count("data:image/") >= 24, "every picture of the contact sheet is inside"
    assert not re.findall(r'src="(?!data:)[^"]*"|<link[^>]*>|url\((?!data:)[^)]*\)', page), "nothing is fetched"
    assert "not a vision-language model" in page


def test_what_is_there_is_used_again(done: tuple[Path, dict[str, Any]]) -> None:
    out, result = done
    kept = [
        out / "shop" / "items.parquet",
        out / "runs" / "viral" / FILE,
        *(out / "runs" / name / "run.json" for name in DEMO_RECIPES),
    ]
    before = [path.stat().st_mtime_ns for path in kept]
    again = run_demo(out, seed=1, shop=SMALL)
    assert [path.stat().st_mtime_ns for path in kept] == before
    assert again["models"] == result["models"]


def test_what_title_and_picture_tell_is_kept_for_the_pages(done: tuple[Path, dict[str, Any]]) -> None:
    out, _ = done
    catalog = Dataset.open(out / "shop").catalog()
    bits = load(out / "runs" / "viral")
    assert len(bits) > 22 and all(item_id in catalog for item_id in bits)
    assert {part for parts in bits.values() for part in parts} == {
        "redundant", "unique_text", "unique_visual", "synergistic"
    }  # fmt: skip


def test_a_shop_too_small_to_measure_goes_without(
    done: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from viral.apps.demo.steps import inform

    monkeypatch.setattr("viral.lab.information.choice_pairs.LEAST_ITEMS", SMALL.items + 1)
    run = tmp_path / "run"
    shutil.copytree(done[0] / "runs" / "viral", run)
    (run / FILE).unlink()
    inform(Dataset.open(done[0] / "shop"), run)
    assert not (run / FILE).exists()


def test_a_shop_of_another_seed_is_drawn_anew(done: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    from viral.apps.demo.steps import draw

    first = draw(tmp_path / "shop", replace(SMALL, seed=1))
    titles = [item.title for item in first.catalog()]
    assert [item.title for item in draw(tmp_path / "shop", replace(SMALL, seed=1)).catalog()] == titles
    assert [item.title for item in draw(tmp_path / "shop", replace(SMALL, seed=2)).catalog()] != titles


def test_the_users_are_drawn_by_the_seed_and_not_by_how_they_are_served(done: tuple[Path, dict[str, Any]]) -> None:
    from viral.apps.demo.demo_sections import LISTED, drawn, hits
    from viral.run.retrieval import Retriever

    out, _ = done
    page, parts = (out / "report.html").read_text(), load_split(Dataset.open(out / "shop"))
    there = [parts.users.ids[user] for user in parts.test.users.unique().tolist()]
    named = re.findall(r'<h3 id="user-\d+-\d+"><bdi>([^<]+)</bdi>', page)
    assert tuple(named) == drawn(there, 1) and set(named) <= set(there) and len(set(named)) == 3
    assert drawn(there, 2) != drawn(there, 1) and drawn(there[:1], 5) == (there[0],)
    bundle = Bundle.load(out / "runs" / "viral" / BUNDLE_FOLDER)
    held_out = set(zip(parts.test.users.tolist(), parts.test.items.tolist(), strict=True))
    found = sum(
        any((parts.users.index(user), parts.items.index(r.item_id)) in held_out for r in shown)
        for user in there
        for shown in [Retriever(bundle).recommend(user, LISTED)]
    )
    assert found == hits(measure(bundle.scorer, parts)["train"], len(parts.items))
    assert f"VIRAL {found} (" in page, "the page says how many of all users have a hit"


def test_the_product_is_framed_where_it_was_drawn(done: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    from viral.lab.quality.named_attributes import product_boxes

    shop = Dataset.open(done[0] / "shop")
    boxes = product_boxes(shop)
    assert set(boxes) == {item.id for item in shop.catalog()}
    assert all(0 <= left < right <= 1 and 0 <= top < bottom <= 1 for left, top, right, bottom in boxes.values())
    assert 'class="product"' in (done[0] / "report.html").read_text()
    shutil.copytree(shop.path, tmp_path / "plain")
    (tmp_path / "plain" / "truth.parquet").unlink()
    assert product_boxes(Dataset.open(tmp_path / "plain")) == {}, "of what nobody knows nothing is claimed"


def test_what_to_type_next_ends_with_serve(done: tuple[Path, dict[str, Any]]) -> None:
    commands = re.findall(r"<dt><code>([^<]+)</code>", (done[0] / "report.html").read_text())
    assert commands[-1].startswith("viral serve ")


def test_the_report_is_chinese_but_for_data_models_and_metrics(done: tuple[Path, dict[str, Any]]) -> None:
    from viral.base.language import using

    with using("zh"):
        run_demo(done[0], seed=1, shop=SMALL)
    page = (done[0] / "report.html").read_text()
    run_demo(done[0], seed=1, shop=SMALL)
    assert '<html lang="zh">' in page
    page = re.sub(r"<(style|code)>.*?</\1>", "", page, flags=re.S)
    told = re.findall(r"<(?:p|h2|dt|dd|figcaption|caption|summary|h4|li)[^>]*>(.*?)</", page, flags=re.S)
    words = [re.sub(r"<[^>]+>", " ", text) for text in told]
    items = {word for item in Dataset.open(done[0] / "shop").catalog() for word in re.findall(r"[A-Za-z]+", item.title)}
    known = {
        "VIRAL",
        "LightGCN",
        "viral",
        "arXiv",
        "recall",
        "ndcg",
        "seed",
        "demo",
        "title",
        "changes",
        "pixel",
    } | items
    english = [text for text in words if len(set(re.findall(r"[A-Za-z]{3,}", text)) - known) > 2]
    assert english == []
