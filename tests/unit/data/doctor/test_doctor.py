"""The doctor: every kind of damage is named with its number and place, and nothing is raised."""

import json

import numpy as np
import polars as pl
import pytest

from makers import ITEMS, LOG, damaged
from viral.base.errors import ViralError
from viral.data.doctor import DoctorReport, Finding, examine, render
from viral.data.sampling import TripletSampler
from viral.data.splitting import split


def found(dataset):
    return {finding.check: finding for finding in examine(dataset).findings if finding.check != "changed by hand"}


def log_of(*rows):
    return pl.DataFrame(rows, schema=["user_id", "item_id", "split"], orient="row")


def test_a_healthy_data_set_has_no_finding(tmp_path):
    report = examine(damaged(tmp_path))
    assert report.findings == ()
    assert report.trainable
    assert report.counts == {"items": 4, "images": 4, "users": 2, "interactions": 6}
    assert "No fault" in render(report)


ITEM_DAMAGE = {
    "empty item id": ("error", {"item_id": ["a", "", "c", None]}, "items.parquet row 2, field item_id: ''", 2),
    "blanks around an id": ("warning", {"item_id": ["a", " b", "c\u00a0", " "]}, "row 2, field item_id: ' b'", 2),
    "duplicate item": ("error", {"item_id": ["a", "b", "a", "d"]}, "items.parquet row 3, field item_id: 'a'", 1),
    "empty title": ("warning", {"title": ["A", None, " ", "D"]}, "items.parquet row 2, field item_id: 'b'", 2),
    "no picture": ("note", {"image": ["images/p.png", None, "", "images/p.png"]}, "row 2, field item_id: 'b'", 2),
    "markup in title": (
        "note",
        {"title": ["<script>alert(1)</script>", "52&quot; x 3 &reg;", "1 < 2 & 3 > 2", "R&D;"]},
        "row 1, field title: '<script>alert(1)</script>'",
        2,
    ),
    "control characters in title": (
        "note",
        {"title": ["\x1b[2J", "A\tB", "x\u202ey", "Kettle — ключ"]},
        r"row 1, field title: '\x1b[2J'",
        3,
    ),
}


@pytest.mark.parametrize("check", ITEM_DAMAGE)
def test_damaged_items_are_named(tmp_path, check):
    severity, columns, example, count = ITEM_DAMAGE[check]
    items = ITEMS.with_columns(pl.Series(name, values, dtype=pl.String) for name, values in columns.items())
    finding = found(damaged(tmp_path, items=items))[check]
    assert (finding.severity, finding.count) == (severity, count)
    assert finding.examples[0].endswith(example)


LOG_DAMAGE = {
    "empty user id": ("error", [("", "a", "train"), (None, "b", "train")], "row 7, field user_id: ''", 2),
    "empty item id": ("error", [("u", "", "train")], "row 7, field item_id: ''", 1),
    "blanks around an id": ("warning", [(" v", "a", "train")], "row 7, field user_id: ' v'", 1),
    "unknown item": ("error", [("u", "zz", "train")], "row 7, field item_id: 'zz'", 1),
    "duplicate pair": ("warning", [("u", "a", "train"), ("u", "a", "train")], "row 7, field user_id: 'u'", 2),
    "leaking split": ("error", [("u", "a", "test")], "row 7, field user_id: 'u'", 1),
    "unknown split": ("error", [("w", "a", "holdout"), ("w", "b", None)], "row 7, field split: 'holdout'", 2),
    "user with one interaction": ("note", [("once", "a", "train")], "row 7, field user_id: 'once'", 1),
    "user without training": ("warning", [("w", "a", "test"), ("w", "b", "valid")], "row 7, field user_id: 'w'", 1),
}


@pytest.mark.parametrize("check", LOG_DAMAGE)
def test_a_damaged_log_is_named(tmp_path, check):
    severity, rows, example, count = LOG_DAMAGE[check]
    finding = found(damaged(tmp_path, log=pl.concat([LOG, log_of(*rows)])))[check]
    assert (finding.severity, finding.count) == (severity, count)
    assert finding.examples[0] == f"interactions.parquet {example}"


def test_a_pair_that_leaks_is_told_from_one_that_is_only_repeated(tmp_path):
    assert "leaking split" not in found(damaged(tmp_path, log=pl.concat([LOG, LOG[:1]])))


def test_cold_items_are_a_note(tmp_path):
    log = LOG.filter(pl.col("item_id") != "d")
    finding = found(damaged(tmp_path, log=log))["cold item"]
    assert (finding.severity, finding.count) == ("note", 1)
    assert finding.examples == ("items.parquet row 4, field item_id: 'd'",)


@pytest.mark.parametrize(
    ("log", "check", "severity"),
    [
        (LOG[:0], "no interaction", "error"),
        (LOG.filter(pl.col("split") != "train"), "no training interaction", "error"),
        (LOG.filter(pl.col("split") != "valid"), "empty valid split", "warning"),
        (LOG.filter(pl.col("split") != "test"), "empty test split", "warning"),
        (log_of(("u", "a", "train"), ("u", "b", "train")), "no negative", "error"),
        (log_of(("u", "a", "train"), ("u", "b", "train")).drop("split"), "no negative", "error"),
    ],
)
def test_a_log_that_leaves_too_little(tmp_path, log, check, severity):
    dataset = damaged(tmp_path, log=log)
    assert found(dataset)[check].severity == severity
    assert examine(dataset).trainable == (severity != "error")


def test_a_log_without_a_split_is_no_fault(tmp_path):
    assert found(damaged(tmp_path, log=LOG.drop("split"))) == {}


@pytest.mark.parametrize("seed", range(40))
def test_random_damage_never_raises_and_what_is_called_trainable_is(tmp_path, seed):
    """Tables with random holes: whatever the doctor lets pass can be read, split and sampled from."""
    rng = np.random.default_rng(seed)
    log = pl.concat([LOG, LOG.sample(3, seed=seed)]).with_columns(
        pl.Series(
            name, [None if rng.random() < 0.02 else value for value in _holes(rng, pl.concat([LOG, LOG[:3]])[name])]
        )
        for name in LOG.columns
    )
    items = ITEMS.with_columns(item_id=pl.Series(_holes(rng, ITEMS["item_id"])))
    dataset = damaged(tmp_path, items=items, log=log)
    report = examine(dataset)
    try:
        parts = split(dataset.interactions(), dataset.catalog().ids)
        TripletSampler(parts.train)
        usable = True
    except ViralError:
        usable = False
    assert usable or not report.trainable


def _holes(rng, values):
    """The values, now and then another one in the place of one."""
    pool = [*values.to_list(), "", "zz", None]
    return [pool[rng.integers(len(pool))] if rng.random() < 0.05 else value for value in values]


def test_a_report_is_json_and_orders_errors_first():
    note, error = Finding("note", "n", 1, "m"), Finding("error", "e", 7, "m", ("x row 1",), "mend it")
    report = DoctorReport.of("here", [note, Finding("error", "none of these", 0, ""), error], {"items": 3})
    assert report.findings == (error, note)
    assert not report.trainable
    assert json.loads(json.dumps(report.to_json())) == {
        "dataset": "here",
        "trainable": False,
        "counts": {"items": 3},
        "findings": [
            {"severity": "error", "check": "e", "count": 7, "message": "m", "examples": ["x row 1"], "hint": "mend it"},
            {"severity": "note", "check": "n", "count": 1, "message": "m", "examples": [], "hint": ""},
        ],
    }


def test_the_text_names_number_place_and_remedy_and_escapes_what_a_terminal_would_obey(tmp_path):
    items = ITEMS.with_columns(title=pl.lit("\x1b]0;owned\x07" + "x" * 300))
    text = render(examine(damaged(tmp_path, items=items, log=pl.concat([LOG, log_of(("u", "zz", "train"))]))))
    assert "error    unknown item (1)" in text
    assert "interactions.parquet row 7, field item_id: 'zz'" in text
    assert "→ add the items, or drop these rows" in text
    assert "it cannot be trained on (1 kinds of error)" in text
    assert not {"\x1b", "\x07"} & set(text)
    assert max(map(len, text.splitlines())) < 220


def test_an_empty_catalogue_is_an_error(tmp_path):
    report = examine(damaged(tmp_path, items=ITEMS[:0], log=LOG[:0]))
    assert {"no item", "no interaction"} <= {finding.check for finding in report.findings}


def test_no_more_than_five_places_are_shown_and_the_others_counted(tmp_path):
    log = pl.concat([LOG, log_of(*[(f"u{number}", "zz", "train") for number in range(9)])])
    text = render(examine(damaged(tmp_path, log=log)))
    assert text.count("field item_id: 'zz'") == 5
    assert "… and 4 more" in text
