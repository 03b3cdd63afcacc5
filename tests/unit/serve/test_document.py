"""The OpenAPI document describes the API: whatever it allows is answered as it says (schemathesis)."""

from pathlib import Path

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.config import SchemathesisConfig

from serving import application, save_run
from viral.serve.api.schemas import EventIn, RecommendIn
from viral.serve.security.rate import Buckets
from viral.serve.security.tokens import add_token

OPERATIONS = [
    ("POST", "/v1/recommend"),
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


def test_examples_are_accepted(app: FastAPI) -> None:
    paths = app.openapi()["paths"]
    for path, model in (("/v1/recommend", RecommendIn), ("/v1/feedback", EventIn)):
        examples = paths[path]["post"]["requestBody"]["content"]["application/json"]["examples"]
        for example in examples.values():
            values = example["value"].get("events", [example["value"]])
            assert values and all(model.model_validate(value) for value in values)


def test_errors_are_problems_in_the_document(app: FastAPI) -> None:
    for path, operations in app.openapi()["paths"].items():
        for operation in operations.values():
            codes = {code: told for code, told in operation["responses"].items() if int(code) >= 400}
            assert all(list(told["content"]) == ["application/problem+json"] for told in codes.values()), path
            assert path in ("/healthz", "/readyz", "/metrics") or {"401", "422", "429", "503"} <= set(codes), path
    assert "HTTPValidationError" not in app.openapi()["components"]["schemas"]


def test_no_file_of_this_machine_is_named_in_errors(app: FastAPI, tmp_path: Path) -> None:
    assert str(app.state.settings.run) not in str(app.openapi())
