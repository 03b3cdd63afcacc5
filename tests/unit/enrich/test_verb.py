"""``viral enrich`` as a user types it: settings, statuses, edits, comparisons, the report."""

import json
import re

import polars as pl
import pytest
from typer.testing import CliRunner

from describers import LoggingDescriber, draw
from viral.apps.cli import app
from viral.data.dataset import Dataset, Source, write_tables
from viral.enrich import Answer, BudgetSpent, describers, load_descriptions
from viral.enrich.pixel import PixelConfig
from viral.lab.quality import modality_vectors

ITEMS = 12


def viral(*words, code=0):
    done = CliRunner().invoke(app, ["enrich", *map(str, words)])
    assert done.exit_code == code, done.output
    return done.stdout if code == 0 else done.output


@pytest.fixture
def dataset(tmp_path):
    folder = tmp_path / "shop"
    for n in range(ITEMS):
        draw(folder / "images" / f"{n}.png", n + 1)
    rows = [{"item_id": f"i{n}", "title": f"Thing {n}", "text": "", "image": f"images/{n}.png"} for n in range(ITEMS)]
    write_tables(folder, pl.DataFrame(rows), pl.DataFrame({"user_id": ["u"], "item_id": ["i0"]}), Source(layout="test"))
    return folder


@pytest.fixture
def says(tmp_path, monkeypatch):
    """Makes "pixel" a describer that gives the answers that are put in here."""
    answers: dict[str, object] = {}
    made = LoggingDescriber(tmp_path / "calls.log", answers, name="pixel")
    monkeypatch.setattr(
        describers, "DESCRIBERS", {"pixel": lambda: describers.DescriberKind(PixelConfig, lambda config: made)}
    )
    answers |= {f"i{n}": f"The item is a red thing with the number {n} on it." for n in range(ITEMS)}
    return answers


def test_counts_flags_and_cost_are_told(dataset, says):
    says |= {"i1": Answer("A mug.", 100, 5, 0.25), "i2": TimeoutError("60 s"), "i3": "I'm sorry, I can't."}
    found = json.loads(viral(dataset, "--json"))
    assert {name: count for name, count in found["counts"].items() if count} == {"done": 10, "refused": 1, "failed": 1}
    assert found["flags"]["too short"] == 1
    assert found["spent"] == {"asked": 12, "tokens_in": 100, "tokens_out": 5, "cost": 0.25}
    text = viral(dataset, "--max-attempts", 1)
    assert "1 quarantined" in text and "1 × too short" in text and "60 s" in text
    del says["i2"]
    assert json.loads(viral(dataset, "--retry-failed", "--json"))["counts"]["quarantined"] == 0


def test_a_budget_that_is_spent_is_a_failure_with_what_there_is(dataset, says):
    says |= {"i5": BudgetSpent("1 of 1 money is spent", hint="raise budget_money")}
    text = viral(dataset, code=1)
    assert "raise budget_money" in text and "5 pending" in text
    assert len(load_descriptions(Dataset.open(dataset)).texts) == 7


def test_a_description_by_hand(dataset, says):
    viral(dataset)
    assert json.loads(viral(dataset, "--edit", "i4", "--text", " A  vase. ", "--json")) == {
        "item": "i4", "text": "A vase.", "locked": True
    }  # fmt: skip
    assert "by hand, and locked: 1" in viral(dataset)
    assert load_descriptions(Dataset.open(dataset)).texts["i4"] == "A vase."
    assert "A vase." in viral(dataset, "--unlock", "i4")
    assert json.loads(viral(dataset, "--json"))["edited"] == 0
    assert "unknown item" in viral(dataset, "--edit", "i99", "--text", "x", code=1)
    assert "go together" in viral(dataset, "--edit", "i4", code=2)
    assert "one at a time" in viral(dataset, "--unlock", "i4", "--compare", "a,b", code=2)


def test_two_prompts_are_compared(dataset, says, monkeypatch):
    from unit.lab.quality.conftest import Words

    monkeypatch.setattr(modality_vectors, "SentenceEncoder", Words)
    viral(dataset, "--prompt", "plain")
    says |= {"i7": "Something else altogether stands there."}
    (dataset / "ledger.sqlite").unlink()
    viral(dataset)
    found = json.loads(viral(dataset, "--compare", "pixel-plain,pixel-title", "--json"))["comparisons"]
    assert [one["both"] for one in found] == [ITEMS] and found[0]["worst"][0]["item_id"] == "i7"
    text = viral(dataset, "--compare", "pixel-plain, pixel-title")
    assert "Something else altogether" in text and "pixel-plain and pixel-title" in text
    assert "several sets" in viral(dataset, "--compare", "pixel,pixel-title", code=2)


def test_the_report_shows_every_status_and_can_be_filtered_without_scripts(dataset, says, tmp_path, monkeypatch):
    from unit.lab.quality.conftest import Words

    monkeypatch.setattr(modality_vectors, "SentenceEncoder", Words)
    says |= {"i1": "A mug.", "i2": TimeoutError("<b>60 s</b>"), "i3": "抱歉，我无法描述。"}
    viral(dataset, "--edit", "i4", "--text", "A vase.")
    viral(dataset, "--report", tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    shown = re.findall(r'<label for="filter-\d+-\d+">([^<]*)</label>', page)
    kinds = [label.rpartition(" (")[0] for label in shown]
    assert set(kinds) == {"all", "done", "failed", "refused", "too short", "edited by hand"}
    assert {"failed (1)", "refused (1)", "too short (1)", "edited by hand (1)"} < set(shown)
    counted = re.search(r">done</bdi></th>\s*<td[^>]*><bdi>(\d+)", page)
    assert counted and counted[1] == "10"
    assert "A vase." in page and "&lt;b&gt;60 s" in page and "<script" not in page
    for name in ("failed", "refused"):
        number = next(n for n, label in enumerate(shown) if label.startswith(name))
        assert len(re.findall(rf'class="card[^"]* has-{number}\b', page)) == 1
        assert f".show-{number}:checked ~ .sheet .card:not(.has-{number})" in page


def test_fetching_can_be_turned_off_and_private_addresses_need_consent(dataset, says, monkeypatch):
    import viral.enrich as package

    real, asked = package.enrich, []
    monkeypatch.setattr(package, "enrich", lambda *words, options: asked.append(options) or real(*words))
    for words in ([], ["--no-fetch"], ["--fetch-private"]):
        viral(dataset, *words)
    assert [one.fetcher is not None for one in asked] == [True, False, True]
    assert [one.fetcher._config.allow_private for one in (asked[0], asked[2])] == [False, True]


def test_what_is_locked_counts_as_done_though_no_describer_was_asked(dataset, says):
    viral(dataset, "--edit", "i4", "--text", "A vase.")
    del says["i4"]
    found = json.loads(viral(dataset, "--json"))
    assert (found["counts"]["done"], found["counts"]["pending"], found["edited"]) == (ITEMS, 0, 1)
    assert found["spent"]["asked"] == ITEMS - 1


def test_where_nothing_was_described_the_report_shows_why(dataset, says, tmp_path):
    says |= {f"i{n}": TimeoutError("60 s") for n in range(ITEMS)}
    out = tmp_path / "report.html"
    found = json.loads(viral(dataset, "--report", out, "--json"))
    assert found["quality"] is None and found["counts"]["failed"] == ITEMS
    page = out.read_text(encoding="utf-8")
    assert "cannot be measured" in page and "TimeoutError: 60 s" in page
