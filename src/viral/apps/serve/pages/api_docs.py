"""``/docs``: the API's document as a page to read, made here and without scripts; ``/openapi.json`` is the document."""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from viral.apps.serve.api.json_answers import as_json
from viral.apps.serve.pages.rendering import environment

router = APIRouter(include_in_schema=False)
LIMITS = {
    "maxLength": "at most {} characters", "minimum": "from {}", "maximum": "to {}", "minItems": "at least {}",
    "maxItems": "at most {}",
}  # fmt: skip
Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DocumentedField:
    """A parameter, or a field of a body."""

    name: str
    kind: str
    told: str
    needed: bool


@dataclass(frozen=True, slots=True)
class Example:
    """An example of a request as a command, or of an answer."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    told: str
    fields: tuple[DocumentedField, ...]
    requests: tuple[Example, ...]
    answers: tuple[Example, ...]
    faults: tuple[tuple[str, str], ...]  # status and reason

    @property
    def anchor(self) -> str:
        return f"{self.method}{self.path}".replace("/", "-").replace("{", "").replace("}", "").lower()


@router.get("/openapi.json")
async def document(request: Request) -> Response:
    """The same as ``/v1/openapi.json``."""
    return as_json(request.app.openapi())


@router.get("/docs")
async def reference(request: Request) -> Response:
    """Every operation with its fields, a command to type, an answer, and what may go wrong."""
    told = request.app.openapi()
    base = str(request.base_url).rstrip("/")
    shown = {"told": told, "operations": list(operations(told, base)), "base": base}
    return HTMLResponse(environment().get_template("api_docs.html").render(shown))


def operations(document: Mapping[str, Any], base: str) -> Iterator[Operation]:
    """The document's operations, in its order; commands ask the server at ``base``."""
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            answers = {status: one for status, one in told["responses"].items() if int(status) < 400}
            faults = {status: one for status, one in told["responses"].items() if int(status) >= 400}
            yield Operation(
                method.upper(), path, told.get("description", ""), tuple(_fields(told, schemas)),
                tuple(_requests(method.upper(), base + path, told, "security" in told)),
                tuple(one for answer in answers.values() for one in _examples(answer)),
                tuple((status, one["description"]) for status, one in faults.items()),
            )  # fmt: skip


def _fields(operation: Mapping[str, Any], schemas: Schema) -> Iterator[DocumentedField]:
    for one in operation.get("parameters", []):
        told = {"description": one.get("description", "")}
        yield _field(one["name"], one["schema"] | told, one.get("required", False), schemas)
    for content in operation.get("requestBody", {}).get("content", {}).values():
        yield from _of_body(content["schema"], schemas, "")


def _of_body(schema: Schema, schemas: Schema, prefix: str) -> Iterator[DocumentedField]:
    """The fields of an object, and below each those of its own objects."""
    for name, one in _resolved(schema, schemas).get("properties", {}).items():
        yield _field(prefix + name, one, name in _resolved(schema, schemas).get("required", ()), schemas)
        for inner in _parts(one, schemas):
            element = inner.get("items", inner)
            ending = "[]." if "items" in inner else "."
            for part in _parts(element, schemas):
                yield from _of_body(part, schemas, prefix + name + ending)


def _field(name: str, schema: Schema, needed: bool, schemas: Schema) -> DocumentedField:
    parts = _parts(schema, schemas)
    told = [str(schema.get("description", "")).strip()]
    for one in parts:
        told += _limits(one)
        told += [f"each {limit}" for part in _parts(one.get("items", {}), schemas) for limit in _limits(part)]
    if isinstance(schema.get("default"), str | int | float) and schema["default"] != "":
        told.append(f"by default {json.dumps(schema['default'])}")
    kinds = " or ".join(dict.fromkeys(_kind(one) for one in parts))
    return DocumentedField(name, kinds, "; ".join(dict.fromkeys(one.rstrip(".") for one in told if one)), needed)


def _limits(schema: Schema) -> list[str]:
    told = [words.format(f"{int(schema[key]):,}") for key, words in LIMITS.items() if key in schema]
    return told + (["one of " + ", ".join(map(str, schema["enum"]))] if "enum" in schema else [])


def _parts(schema: Schema, schemas: Schema) -> list[Schema]:
    """What a value may be beside ``null``, with references followed."""
    whole = _resolved(schema, schemas)
    if "anyOf" in whole and "properties" not in whole:
        return [part for one in whole["anyOf"] for part in _parts(one, schemas)]
    return [] if whole.get("type") == "null" else [whole]


def _kind(schema: Schema) -> str:
    if schema.get("type") == "array":
        return "list"
    return "picture" if "contentMediaType" in schema else str(schema.get("type", "any"))


def _resolved(schema: Schema, schemas: Schema) -> Schema:
    if "$ref" not in schema:
        return schema
    found: Schema = schemas[schema["$ref"].rpartition("/")[2]]
    return found


def _requests(method: str, address: str, told: Mapping[str, Any], guarded: bool) -> Iterator[Example]:
    """Commands with the document's examples."""
    head = "curl -s" + (' -H "Authorization: Bearer $TOKEN"' if guarded else "")
    body = told.get("requestBody", {}).get("content", {})
    parameters = told.get("parameters", [])
    given = {one["name"]: one["schema"]["examples"][0] for one in parameters if one["schema"].get("examples")}
    inside = {name: value for name, value in given.items() if f"{{{name}}}" in address}
    for name in [one["name"] for one in parameters if one["in"] == "path"]:
        address = address.replace(f"{{{name}}}", quote(str(inside.get(name, "p0001")), safe=""))
    query = urlencode({name: value for name, value in given.items() if name not in inside})
    if "application/json" in body:
        for name, example in body["application/json"]["examples"].items():
            sent = json.dumps(example["value"], ensure_ascii=False)
            yield Example(name, f"{head} {address} -H 'content-type: application/json' -d {shlex.quote(sent)}")
    elif body:
        yield Example("", f"{head} {address} -F 'title=Blue mug' -F picture=@mug.jpg")
    else:
        yield Example("", f"{head} '{address}{'?' + query if query else ''}'")


def _examples(answer: Mapping[str, Any]) -> Iterator[Example]:
    for content in answer.get("content", {}).values():
        named = {name: one["value"] for name, one in content.get("examples", {}).items()}
        for name, value in (named or {"": content.get("example", "")}).items():
            yield Example(name, value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False))
