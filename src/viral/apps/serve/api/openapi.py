"""The OpenAPI document: what may go wrong with a route, examples of its answers, and errors as they are sent."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from viral.apps.serve.problems import MEDIA_TYPE

REASONS = {
    401: "No token, or an unknown one.",
    403: "The token's scope does not allow it, or a page of another site asks.",
    404: "A user, item, category or modality is not known.",
    409: "The bundle or the server lacks what this needs: features of a modality, a describer's settings, a stock.",
    413: "The body is too long.",
    415: "The picture is not one that can be read.",
    421: "Without tokens the server answers to localhost alone.",
    422: "The request is not as described here.",
    429: "Too many requests; `Retry-After` says when.",
    500: "The server failed.",
    503: "Too much to do; `Retry-After` says when.",
    507: "The feedback file is full.",
}
COMMON = (401, 403, 421, 422, 429, 500, 503)
PROBLEM: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "hint": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["where", "what"],
                "properties": {"where": {"type": "string"}, "what": {"type": "string"}},
            },
        },
    },
    "example": {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "unknown user 'u9'",
        "hint": "ids are text, compared exactly",
    },
}


def install(app: FastAPI, *, open_: bool, kinds: Sequence[str]) -> None:
    """Have the application tell its own errors; one without tokens does not tell that it needs any."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            made["components"]["schemas"]["EventIn"]["properties"]["kind"] = {"type": "string", "enum": list(kinds)}
            app.openapi_schema = _with_problems(made, open_)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _with_problems(document: dict[str, Any], open_: bool) -> dict[str, Any]:
    schemas = document["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = PROBLEM
    reference = {"schema": {"$ref": "#/components/schemas/Problem"}}
    for operations in document["paths"].values():
        for operation in operations.values():
            if open_:
                operation.pop("security", None)
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    response["content"] = {MEDIA_TYPE: reference}
    return document


def errors(*more: int) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route: what may go wrong with every one, and these."""
    return {status: {"description": REASONS[status]} for status in sorted({*COMMON, *more})}


def answered(example: object, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """The example of a successful answer, as ``responses`` of a route."""
    return {status: {"content": {"application/json": {"example": example}}}}


def answered_by(examples: Mapping[str, object], status: int = 200) -> dict[int | str, dict[str, Any]]:
    """Several examples of successful answers, by their names."""
    shown = {name: {"value": one} for name, one in examples.items()}
    return {status: {"content": {"application/json": {"examples": shown}}}}
