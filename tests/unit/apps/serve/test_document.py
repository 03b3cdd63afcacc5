"""The OpenAPI document describes the API: whatever it allows is answered as it says (schemathesis)."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema_rs import Draft202012Validator
from schemathesis.config import SchemathesisConfig

from serving import application, save_run
from viral.apps.serve.api.request_models import FeedbackIn, RecommendIn
from viral.apps.serve.security.rate_limit import Buckets
from viral.apps.serve.security.tokens import add_token
from viral.run.retrieval.new_items import Way

OPERATIONS = [
    ("POST", "/v1/recommend"),
    ("GET", "/v1/recommend"),
    ("GET", "/v1/popular"),
    ("GET", "/v1/health"),
    ("GET", "/v1/similar"),
    ("GET", "/v1/explain"),
    ("GET", "/v1/items"),
    ("GET", "/v1/items/{item_id}"),
    ("GET", "/v1/categories"),
    ("POST", "/v1/cold"),
    ("POST", "/v1/feedback"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    folder = tmp_path_factory.mktemp("document")
    token = add_token(folder / "tokens", "test", "admin")
    app = application(save_run(folder / "run"), tokens=folder / "tokens", rate=1e9)
    app.state.gate.failures = Buckets(1e9, 1e9)  # many wrong tokens come
    app.state.token = token
    return app


@pytest.fixture(scope="module")
def schema(app: FastAPI) -> schemathesis.BaseSchema:
    # 415: no schema can say which bytes are a picture.
    accepted = {"positive_data_acceptance": {"expected-statuses": ["2xx", "401", "404", "409", "415"]}}
    headers = {"Authorization": f"Bearer {app.state.token}"}
    config = SchemathesisConfig.from_dict({"headers": headers, "checks": accepted})
    return schemathesis.openapi.from_asgi("/v1/openapi.json", app, config=config)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, of in document["paths"].items():
        for method, operation in of.items():
            yield path, method, operation


def test_the_document_has_every_operation(app: FastAPI) -> None:
    there = [(method.upper(), path) for path, of in app.openapi()["paths"].items() for method in of]
    assert sorted(there) == sorted(OPERATIONS)


def explore(schema: schemathesis.BaseSchema, method: str, path: str, examples: int) -> None:
    """Draw requests that are as described and such that are not, and check every answer."""

    def check(case: schemathesis.Case) -> None:
        case.call_and_validate()

    strategy = schema[path][method].as_strategy()
    quiet = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    phases = [Phase.explicit, Phase.generate]
    settings(max_examples=examples, deadline=None, derandomize=True, suppress_health_check=quiet, phases=phases)(
        given(strategy)(check)
    )()


@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=lambda value: value)
def test_answers_are_as_described(schema: schemathesis.BaseSchema, method: str, path: str) -> None:
    explore(schema, method, path, examples=12)


@pytest.mark.slow
@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=lambda value: value)
def test_answers_are_as_described_at_length(schema: schemathesis.BaseSchema, method: str, path: str) -> None:
    explore(schema, method, path, examples=150)


def shown(told: dict[str, Any]) -> list[Any]:
    """The examples of a parameter, or of the content of a request or an answer."""
    inside = told.get("schema", {})
    found = [told["example"]] if "example" in told else []
    return found + [one["value"] for one in told.get("examples", {}).values()] + inside.get("examples", [])


def examples_of(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], list[Any]]]:
    """Every place of an operation that has a schema, with its examples."""
    for parameter in operation.get("parameters", []):
        yield f"parameter {parameter['name']}", parameter["schema"], shown(parameter)
    for media, told in operation.get("requestBody", {}).get("content", {}).items():
        yield f"request {media}", told["schema"], shown(told)
    for status, response in operation["responses"].items():
        for media, told in response.get("content", {}).items():
            yield f"answer {status} {media}", told["schema"], shown(told)


def test_examples_are_accepted(app: FastAPI) -> None:
    document, counts = app.openapi(), Counter[str]()
    components = {"components": document["components"]}
    for path, method, operation in operations(document):
        for place, schema, examples in examples_of(operation):
            for example in examples:
                fault = next(Draft202012Validator(schema | components).iter_errors(example), None)
                assert fault is None, f"{method} {path}, {place}: {fault.message}"
            counts[f"{method} {path} {place.split()[0]}"] += len(examples)
        assert counts[f"{method} {path} answer"] > 0, f"{method} {path} has no example of an answer"
    assert counts["post /v1/recommend request"] == 8 and counts["post /v1/feedback request"] == 2
    assert counts["get /v1/explain parameter"] == 2
    for name, model in (("/v1/recommend", RecommendIn), ("/v1/feedback", FeedbackIn)):
        body = document["paths"][name]["post"]["requestBody"]["content"]["application/json"]
        assert all(model.model_validate(example) for example in shown(body)), name


def test_examples_of_answers_are_whole(app: FastAPI) -> None:
    """A field that the schema has is in the example, and no other."""
    schemas = app.openapi()["components"]["schemas"]
    for path, method, operation in operations(app.openapi()):
        for place, schema, examples in examples_of(operation):
            name = schema.get("$ref", "").rpartition("/")[2]
            if place.startswith("answer 2") and name:
                assert [set(example) for example in examples] == [set(schemas[name]["properties"])], f"{method} {path}"


def test_every_way_of_a_new_item_is_in_the_document(app: FastAPI) -> None:
    assert app.openapi()["components"]["schemas"]["ColdOut"]["properties"]["way"]["enum"] == list(get_args(Way))


def test_errors_are_problems_in_the_document(app: FastAPI) -> None:
    for path, operations in app.openapi()["paths"].items():
        for operation in operations.values():
            codes = {code: told for code, told in operation["responses"].items() if int(code) >= 400}
            assert all(list(told["content"]) == ["application/problem+json"] for told in codes.values()), path
            assert path in ("/healthz", "/readyz", "/metrics") or {"401", "422", "429", "503"} <= set(codes), path
    assert "HTTPValidationError" not in app.openapi()["components"]["schemas"]


def test_no_file_of_this_machine_is_named_in_errors(app: FastAPI, tmp_path: Path) -> None:
    assert str(app.state.settings.run) not in str(app.openapi())
