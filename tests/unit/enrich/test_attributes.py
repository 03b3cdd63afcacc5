"""Attributes: what a model answers, what is kept of it, and the text that an encoder reads."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viral.enrich.attributes import FIELDS, SCHEMA, as_text, canonical
from viral.enrich.prompts import load_prompt

ENGLISH, CHINESE = load_prompt("attributes"), load_prompt("attributes-zh")
MUG = {
    "category": "coffee mug",
    "colours": ["red", "white"],
    "material": "ceramic",
    "pattern": "striped",
    "shape": "cylindrical",
    "text": ["SUN"],
}


def test_what_follows_the_schema_is_kept():
    assert json.loads(canonical(json.dumps(MUG))) == MUG
    assert list(SCHEMA["properties"]) == SCHEMA["required"] == list(MUG)
    assert ENGLISH.schema == CHINESE.schema == SCHEMA
    assert load_prompt("title").schema is None


@pytest.mark.parametrize(
    "answer",
    [
        f"```json\n{json.dumps(MUG)}\n```",
        f"```\n{json.dumps(MUG)}```",
        f"Here it is:\n{json.dumps(MUG)}\nIs there anything else?",
        json.dumps(MUG | {"price": 3, "colors": ["green"]}),
        json.dumps(MUG | {"text": "SUN", "category": " coffee\n mug\u200b\x00"}),
        json.dumps(dict(reversed(MUG.items()))),
    ],
)
def test_what_models_make_of_a_schema_is_mended(answer):
    assert canonical(answer) == json.dumps(MUG)


def test_what_cannot_be_seen_is_empty():
    assert json.loads(canonical('{"category": "mug", "colours": null}')) == {
        "category": "mug", "colours": [], "material": "", "pattern": "", "shape": "", "text": []
    }  # fmt: skip


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("", "object"),
        ("A red mug.", "object"),
        ("[1, 2]", "object"),
        ('{"category": "mug"', "JSON"),
        ('{"category": "mug",}', "JSON"),
        ('{"category": ' + "[" * 100_000 + "]" * 100_000 + "}", "JSON"),
        ("{}", "not one attribute"),
        (json.dumps(dict.fromkeys(MUG)), "not one attribute"),
        ('{"category": {"is": "mug"}}', "category"),
        ('{"colours": [["red"]]}', "colours"),
        ('{"category": true}', "category"),
    ],
)
def test_other_answers_are_failed_attempts(answer, why):
    with pytest.raises(ValueError, match=why):
        canonical(answer)


def test_long_values_are_cut():
    kept = json.loads(canonical(json.dumps({"category": "x" * 5000, "colours": ["red"] * 500})))
    assert (len(kept["category"]), len(kept["colours"])) == (200, 20)


def test_the_text_for_an_encoder():
    assert as_text(canonical(json.dumps(MUG)), ENGLISH) == (
        "Category: coffee mug. Colours: red, white. Material: ceramic. Pattern: striped. Shape: cylindrical."
        " Text on it: SUN."
    )
    chinese = {"category": "杯子", "colours": ["红色", "白色"], "text": ["SUN"]}
    assert as_text(canonical(json.dumps(chinese)), CHINESE) == "类别：杯子。颜色：红色、白色。上面的文字：SUN。"


@given(
    st.dictionaries(
        st.sampled_from([*FIELDS, "other"]), st.none() | st.text(max_size=30) | st.lists(st.text(max_size=9))
    )
)
def test_keeping_twice_is_keeping_once(values):
    try:
        kept = canonical(json.dumps(values))
    except ValueError:
        return
    assert canonical(kept) == kept
    assert as_text(kept, ENGLISH).endswith(".")
