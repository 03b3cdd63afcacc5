"""What is marked for translation is translated, and nothing is translated that is not marked."""

import ast
import json
import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from jinja2 import nodes

import viral
from viral.apps.serve.pages.rendering import HERE, environment
from viral.base.language import LANGUAGES, LOCALE

SOURCE = Path(viral.__file__).parent
UNMARKED = "messages.json"  # names and messages of other layers: no marks, they are translated where they are shown
# Of a message that is put together from parts, the part that stands in the code as it is.
COMPOSED = re.compile(r"^(?:unique |empty |picture: |pictures are |add the items, or )|;.*| split$")
MARKS = {"_": 1, "gettext": 1, "marked": 1, "n_": 2, "ngettext": 2, "translated": 1}


def in_code(source: str) -> Iterator[str]:
    """The sentences that Python code marks; of a plural, its second form is the one that is looked up."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS:
            wanted = node.args[: MARKS[node.func.id]][-1:]
            yield from (one.value for one in wanted if isinstance(one, ast.Constant) and isinstance(one.value, str))


def in_template(source: str) -> Iterator[str]:
    """The sentences that a template marks."""
    for _, _, found in environment().extract_translations(source):  # type: ignore[attr-defined]
        yield found if isinstance(found, str) else [one for one in found if isinstance(one, str)][-1]


def used() -> dict[str, str]:
    """Every marked sentence with a file that has it."""
    found = {}
    for file in SOURCE.rglob("*.py"):
        found |= dict.fromkeys(in_code(file.read_text(encoding="utf-8")), file.name)
    for file in SOURCE.rglob("templates/**/*.html"):
        found |= dict.fromkeys(in_template(file.read_text(encoding="utf-8")), file.name)
    return found


def catalogue(language: str) -> dict[str, str]:
    files = sorted(file for file in (LOCALE / language).glob("*.json") if file.name != UNMARKED)
    return {key: file.name for file in files for key in json.loads(file.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_every_marked_sentence_is_translated_and_none_that_is_gone(language: str) -> None:
    marked, there = used(), catalogue(language)
    assert {key: file for key, file in marked.items() if key not in there} == {}
    assert {key: file for key, file in there.items() if key not in marked} == {}


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_messages_of_other_layers_stand_in_the_code(language: str) -> None:
    phrases = {status.phrase for status in HTTPStatus} | {"Content Too Large", "Unprocessable Content"}  # newer names
    source = "".join(file.read_text(encoding="utf-8") for file in SOURCE.rglob("*.py"))
    there = json.loads((LOCALE / language / UNMARKED).read_text(encoding="utf-8"))
    assert [key for key in there if key not in phrases and COMPOSED.sub("", key).replace(" ", "_") not in source
            and COMPOSED.sub("", key) not in source] == []  # fmt: skip
    assert not set(there) & set(used())


def test_a_template_marks_constants_alone() -> None:
    """What is marked is trusted as markup, so no text of the data may come that way."""
    for file in (HERE / "templates").glob("*.html"):
        tree = environment().parse(file.read_text(encoding="utf-8"))
        for call in tree.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name in ("_", "gettext", "ngettext"):
                first = call.args[: MARKS[call.node.name]]
                assert all(isinstance(one, nodes.Const) for one in first), f"{file.name}, line {call.lineno}"


def test_marks_are_found_in_code_and_in_templates() -> None:
    assert list(in_code('a = _("one", x=1) + n_("a", "many", 3)\nT = {"k": marked("two"), "l": _(name)}')) == [
        "one", "many", "two",
    ]  # fmt: skip
    source = '{% trans n=3 %}one\n  {{ n }}{% pluralize %}{{ n }} of\n  them{% endtrans %}{{ _("two") }}'
    assert sorted(in_template(source)) == ["%(n)s of them", "two"]
