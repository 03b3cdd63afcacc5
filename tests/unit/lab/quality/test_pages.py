"""Both pages say what was measured; nothing that a stranger wrote becomes markup."""

import re
import shutil
from dataclasses import replace

import polars as pl
import pytest

from unit.lab.report.tree import parsed
from viral.data.dataset import Dataset
from viral.lab.quality import description_quality, descriptions_by_prompt
from viral.lab.quality.map_page import map_report, write_map
from viral.lab.quality.modality_maps import item_map
from viral.lab.quality.quality_page import CARDS, quality_report, write_quality_report
from viral.lab.report import ContactSheet, Scatter, Table, render_report
from viral.lab.report.figures.item_map import STYLES

HOSTILE = "</title><script>alert(1)</script>"


def measured(dataset, encoder, sets=None):
    sets = sets or descriptions_by_prompt(dataset)
    return sets, description_quality(dataset, sets, encoder=encoder)


@pytest.fixture(scope="module")
def quality(shop, encoder):
    return measured(shop, encoder)


@pytest.fixture
def hostile(shop, tmp_path):
    """The shop with titles and categories by a stranger, and without truth."""
    path = shutil.copytree(shop.path, tmp_path / "hostile")
    items = pl.read_parquet(path / "items.parquet")
    rows = [f"{HOSTILE} {n % 20}" for n in range(len(items))]
    items.with_columns(title=pl.Series(rows), category=pl.Series(rows)).write_parquet(path / "items.parquet")
    (path / "truth.parquet").unlink()
    return Dataset.open(path)


def table(page, heading):
    section = next(node for node in page.all("section") if node.one("h2").text == heading)
    columns = [cell.text for cell in section.one("thead").all("th")]
    return {
        row.one("th").text: dict(zip(columns[1:], (cell.text for cell in row.all("td")), strict=True))
        for row in section.one("tbody").all("tr")
    }


def percent(text):
    return float(re.match(r"[+−]?[\d.,]+", text)[0].replace("−", "-").replace(",", "")) / 100


def test_the_quality_page_shows_the_numbers_that_were_measured(shop, quality, tmp_path):
    sets, found = quality
    path = write_quality_report(tmp_path / "quality.html", shop, sets, found)
    page = parsed(path.read_text(encoding="utf-8"))
    named = table(page, "What is named")
    for prompt, by_attribute in found.planted.by_prompt.items():
        for name, one in by_attribute.items():
            shown = named[f"{name}, {prompt}"]
            read = [percent(shown[column]) for column in ("named", "another's", "nobody's", "only its own")]
            assert read == pytest.approx([one.right, one.foreign, one.invented, one.exact], abs=6e-4)
    gained = table(page, "What the title adds")["named, and no other value, title"]
    assert percent(gained["relative gain [95 %]"]) == pytest.approx(
        found.planted.gains["title"]["exact"].relative, abs=1e-3
    )
    agreed = table(page, "Description and title")["title, without the titles' words"]
    assert percent(agreed["own is nearer"]) == pytest.approx(
        found.agreement["title"]["without_title_words"].nearer, abs=6e-4
    )
    told = table(page, "What can be read from the vectors")["colour"]
    assert percent(told["title"]) == pytest.approx(
        max(found.planted.read["title"]["colour"][kind] for kind in ("linear", "nonlinear")), abs=6e-4
    )
    assert "100.0 % of the cases" in page.one(class_="lede").text


def test_the_sheets_show_the_same_sample_for_every_prompt(shop, quality):
    sets, found = quality
    sheets = [section for section in quality_report(shop, sets, found).sections if isinstance(section, ContactSheet)]
    assert [sheet.prompt for sheet in sheets] == ["title", "plain"]
    shown = [[card.thing.item_id for card in sheet.cards] for sheet in sheets]
    assert shown[0] == shown[1] and len(shown[0]) == CARDS
    for sheet in sheets:
        assert all(card.description == sets[sheet.prompt].texts[card.thing.item_id] for card in sheet.cards)
        assert all(card.thing.title == shop.catalog()[card.thing.item_id].title for card in sheet.cards)
        assert "not a vision-language model" in sheet.describer
    other = quality_report(shop, sets, replace(found, seed=5))
    assert [card.thing.item_id for section in other.sections if isinstance(section, ContactSheet)
            for card in section.cards][:CARDS] != shown[0]  # fmt: skip


@pytest.mark.parametrize(("there", "missing"), [("title", "plain"), ("plain", "title")])
def test_a_missing_prompt_is_named_with_its_command(shop, encoder, there, missing):
    sets, found = measured(shop, encoder, {there: descriptions_by_prompt(shop)[there]})
    page = parsed(render_report(quality_report(shop, sets, found)))
    assert f"--describer pixel --prompt {missing} --report" in page.text
    headings = [node.text for node in page.all("h2")]
    assert "What is named" in headings and "What the title adds" not in headings


def test_what_was_not_described_and_mixed_revisions_are_noted(shop, encoder):
    sets = descriptions_by_prompt(shop)
    row = replace(sets["plain"].rows[0], status="unreadable", text="")
    sets["plain"] = replace(sets["plain"], describer="pixel/0", rows=(row, *sets["plain"].rows[1:]))
    text = parsed(render_report(quality_report(shop, *measured(shop, encoder, sets)))).text
    assert "Prompt plain has no description of 1 of 48 items: 1 unreadable." in text
    assert "plain by pixel/0, title by pixel/1" in text


def test_strangers_titles_stay_text(hostile, encoder):
    sets, found = measured(hostile, encoder)
    assert found.planted is None
    pages = [render_report(quality_report(hostile, sets, found))]
    pages.append(render_report(map_report(hostile, item_map(hostile, sets, encoder=encoder))))
    for markup in pages:
        page = parsed(markup)
        assert not page.all("script") and HOSTILE in page.text
    assert "own title than to another" in parsed(pages[0]).one(class_="lede").text


def test_the_map_page_shows_the_numbers_that_were_measured(shop, encoder, tmp_path):
    found = item_map(shop, descriptions_by_prompt(shop), by="pattern", encoder=encoder)
    page = parsed(write_map(tmp_path / "map.html", shop, found).read_text(encoding="utf-8"))
    rows, every = table(page, "Clusters by pattern"), table(page, "Neighbour purity by every group")
    for place in found.places:
        shown, one = rows[place.space.label], place.clusters["pattern"]
        assert percent(shown["neighbour purity"]) == pytest.approx(one.purity, abs=6e-4)
        assert float(shown["silhouette"].replace("−", "-")) == pytest.approx(one.silhouette, abs=6e-4)
        assert {name: percent(cell) for name, cell in every[place.space.label].items()} == pytest.approx(
            {name: c.purity for name, c in place.clusters.items()}, abs=6e-4
        )
    assert len(page.all("svg", class_="cloud")) == len(found.places)
    assert percent(every["chance"]["pattern"]) == pytest.approx(found.places[0].clusters["pattern"].chance, abs=6e-4)
    assert "principal components" in page.text and "48 items in 6 groups" in page.text
    assert "viral encode" in page.text and "--modality title" not in page.text, "only what is missing is asked for"


def test_more_groups_than_styles_are_grey_together(hostile, encoder):
    found = item_map(hostile, descriptions_by_prompt(hostile), encoder=encoder)
    scatter = next(s for s in map_report(hostile, found).sections if isinstance(s, Scatter))
    assert len(scatter.groups) == STYLES + 1 and scatter.groups[-1] == f"{20 - STYLES} smaller groups"
    assert max(scatter.clouds[0].groups) == STYLES
    assert found.places[0].clusters["category"].groups == 20, "measured are all of them"


def test_a_map_without_groups_says_so(hostile, encoder):
    pl.read_parquet(hostile.path / "items.parquet").drop("category").write_parquet(hostile.path / "items.parquet")
    report = map_report(hostile, item_map(hostile, descriptions_by_prompt(hostile), encoder=encoder))
    assert "drawn, and not measured" in report.lede and not [s for s in report.sections if isinstance(s, Table)]
    assert "48 items without a category" in parsed(render_report(report)).text
