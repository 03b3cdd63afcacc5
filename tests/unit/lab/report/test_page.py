import base64
import hashlib
import io
import re
from itertools import pairwise
from typing import get_args

import pytest
from PIL import Image

from viral.base.errors import DataError
from viral.lab.report import (
    ContactSheet,
    Curve,
    Curves,
    Described,
    Estimate,
    Ranking,
    RankingRow,
    Report,
    Section,
    ShownItem,
    Table,
)
from viral.lab.report.render import PAPER, TEMPLATES, render_report, write_report


def of(report, kind):
    return next(section for section in report.sections if isinstance(section, kind))


def body_of(page, report, kind):
    return page.one(id=f"section-{report.sections.index(of(report, kind)) + 1}")


def test_every_kind_of_section_has_a_template_and_is_in_the_sample(report):
    assert set(TEMPLATES) == set(get_args(Section)) == {type(section) for section in report.sections}


def test_the_outline_is_a_document(page, report):
    assert page.one("html").attributes["lang"] == "en"
    assert page.one("head").one("title").text == page.one("h1").text == report.title
    assert [heading.text for heading in page.all("h2")] == [section.heading for section in report.sections]
    levels = [int(node.tag[1]) for node in page.all() if re.fullmatch("h[1-6]", node.tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [node.attributes["id"] for node in page.all() if "id" in node.attributes]
    assert len(ids) == len(set(ids))
    named = [word for node in page.all() for word in node.attributes.get("aria-labelledby", "").split()]
    assert named and set(named) <= set(ids)
    links = [link.attributes["href"] for link in page.one("nav").all("a")]
    assert links == [f"#section-{number + 1}" for number in range(len(report.sections))]
    assert page.one("a", class_="skip").attributes["href"] == "#main"


def test_tables_have_captions_and_scopes(page):
    assert page.all("table")
    for table in page.all("table"):
        assert all(head.attributes.get("scope") in ("col", "row") for head in table.all("th"))
    for kind in ("ranking", "sum"):
        assert page.one("table", class_=kind).one("caption").text


def test_nothing_outside_is_referenced(page, markup):
    for node in page.all():
        for name in ("src", "href", "srcset", "action", "data", "poster", "style", "background"):
            value = node.attributes.get(name, "")
            assert value.startswith(("#", "data:image/")) or not value or (node.tag, value) == ("a", PAPER)
        assert not [name for name in node.attributes if name.startswith("on")]
        assert node.tag not in ("script", "link", "iframe", "object", "embed", "base", "form")
    assert markup.count("http") == 2  # http-equiv of the policy, and the link to the paper
    assert "url(" not in page.one("style").text and "@import" not in page.one("style").text


def test_the_policy_lets_through_this_style_sheet_and_nothing_else(page):
    policy = page.all("meta", http_equiv="Content-Security-Policy")[0].attributes["content"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    style = "".join(page.one("style").strings()).encode()
    assert rules["style-src"] == f"'sha256-{base64.b64encode(hashlib.sha256(style).digest()).decode()}'"
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["img-src"] == "data:" and "script-src" not in rules


def test_the_ranking_shows_what_was_measured_and_marks_the_best(page, report):
    ranking = of(report, Ranking)
    table = page.one("table", class_="ranking")
    caption = table.one("caption").text
    for said in ("viral demo --seed 1", "the planted shop", "seeds 1–3", "abc1234", "test", "600 users"):
        assert said in caption
    rows = table.one("tbody").all("tr")
    for row, shown in zip(ranking.rows, rows, strict=True):
        cells = shown.all("td")
        for metric, cell in zip(ranking.metrics, cells, strict=False):
            assert cell.text.startswith(f"{row.metrics[metric].mean:.4f}")
            assert bool(cell.all(class_="best")) == (row.model == "VIRAL")
    assert "*" in rows[0].all("td")[1].text and "*" not in rows[0].all("td")[0].text
    assert "0.1900 to 0.2100" in rows[0].all("td")[1].text
    assert [cell.text for cell in rows[0].all("td")[4:]] == ["40", "2 min 5 s", "1,234,567"]
    assert [cell.text for cell in rows[2].all("td")[4:]] == ["–", "–", "–"]
    assert "p < 0.01" in body_of(page, report, Ranking).text


def test_ties_are_both_best_and_a_metric_without_a_number_is_a_dash(parse):
    rows = tuple(
        RankingRow(model=name, metrics={"recall@20": Estimate(mean)})
        for name, mean in (("a", 0.2), ("b", 0.2), ("c", float("nan")))
    )
    ranking = Ranking(heading="M", rows=rows, command="c", data="d", seeds=(1,), commit="x")
    table = parse(render_report(Report(title="t", sections=(ranking,)))).one("table")
    assert [bool(row.all(class_="best")) for row in table.one("tbody").all("tr")] == [True, True, False]
    assert table.one("tbody").all("tr")[2].all("td")[1].text == "–"
    assert table.one("tbody").all("tr")[0].all("td")[0].text == "–"


def test_hits_ranks_parts_and_reasons_are_told_in_words(page, report):
    stories = page.all("article", class_="story")
    assert len(stories) == 3
    for user in stories:
        cards = user.one("ol", class_="cards").all("li")
        assert ["✓ chosen" in card.text for card in cards] == [False, True, False]
        assert [card.one(class_="rank").text.split(",")[0] for card in cards] == ["rank 1", "rank 2", "rank 3"]
        assert "score 1.200" in cards[0].text and "Its words are near." in cards[0].text
        assert "text 0.900; synergy 0.400; unique visual −0.100;" in cards[0].text
        assert "1 of 3 chosen" in user.text and "4 of 9" in user.text and "2 withheld items" in user.text
        strip = user.all("ol", class_="strip")[0]
        assert "score 3.250" in strip.text and "Its words" not in strip.text


def test_an_explanation_lists_parts_that_add_up(page):
    table = page.one("table", class_="sum")
    numbers = [float(cell.text.replace("−", "-")) for cell in table.all("td", class_="number")]
    assert sum(numbers[:-1]) == pytest.approx(numbers[-1]) == pytest.approx(1.2)
    assert [head.text for head in table.one("tbody").all("th")] == ["text", "synergy", "unique visual"]


def test_every_picture_is_a_whole_small_image_with_a_name(page):
    images = page.all("img")
    assert len(images) == 48 + 3 * (4 + 3 + 1) + 1
    for image in images:
        assert image.parent and image.parent.parent
        assert image.attributes["alt"] or "Thing number" in image.parent.parent.text
        kind, data = image.attributes["src"].split(",", 1)
        assert kind == "data:image/webp;base64"
        with Image.open(io.BytesIO(base64.b64decode(data, validate=True))) as picture:
            assert picture.size == (int(image.attributes["width"]), int(image.attributes["height"]))
            assert max(picture.size) <= 200
    sheet = [figure for figure in page.all("figure") if figure.all(class_="said")]
    assert [figure.one("img").attributes["alt"] for figure in sheet] == [f"Thing number {n}" for n in range(48)]
    assert [figure.one(class_="said").text for figure in sheet] == [f"Says of i{n}." for n in range(48)]


def test_the_describer_and_its_prompt_are_named(page, report):
    said = body_of(page, report, ContactSheet).text
    assert "the pixel describer, not a VLM" in said and "prompt title" in said


def test_a_page_of_48_pictures_is_small(markup):
    assert len(markup.encode()) < 3_000_000


def test_the_same_report_gives_the_same_bytes_and_is_written_whole(report, markup, tmp_path):
    path = tmp_path / "new" / "report.html"
    assert write_report(path, report) == path
    assert path.read_bytes() == markup.encode("utf-8")
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]


def test_unreadable_pictures_become_placeholders_that_say_why(tmp_path, pictures, parse):
    files = {"nonsense.png": b"not a picture", "half.jpg": pictures[1].read_bytes()[:900], "empty.jpg": b""}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    paths = (*(tmp_path / name for name in files), tmp_path / "absent.jpg", None)
    cards = tuple(
        Described(thing=ShownItem(f"i{n}", f"T{n}", path), description="", problem="unreadable")
        for n, path in enumerate(paths)
    )
    sheet = ContactSheet(heading="S", cards=cards, describer="d", prompt="p")
    page = parse(render_report(Report(title="t", sections=(sheet,))))
    assert not page.all("img")
    reasons = [node.text for node in page.all(class_="no-picture")]
    statuses = ("unknown format", "truncated or damaged", "empty", "missing")
    assert reasons == [*(f"picture {status}" for status in statuses), "no picture"]
    assert [node.text for node in page.all(class_="said")] == ["unreadable"] * 5


@pytest.mark.parametrize("curve", [Curve(model="EASE", epochs=(), valid=()), None])
def test_without_training_there_is_a_sentence_and_no_chart(curve, parse):
    curves = Curves(heading="C", curves=(curve,) if curve else ())
    page = parse(render_report(Report(title="t", sections=(curves,))))
    assert not page.all("svg") and "No model of this run was trained" in page.text


def test_a_tables_notes_stand_beneath_the_heads_of_their_rows(parse):
    rows = (("theirs", "0.1"), ("ours", "0.2"))
    table = Table(heading="T", columns=("a", "b"), rows=rows, notes=("a caveat", "none"), highlight=frozenset({1}))
    lines = parse(render_report(Report(title="t", sections=(table,)))).one("tbody").all("tr")
    assert [line.one("th").one("small").text for line in lines] == ["a caveat", "none"]
    assert [line.attributes.get("class") for line in lines] == [None, "reference"]
    with pytest.raises(DataError, match="1 notes for 2 rows"):
        Table(heading="T", columns=("a", "b"), rows=rows, notes=("a caveat",))
