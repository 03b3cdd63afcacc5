"""Errors as answers: ``application/problem+json`` (RFC 9457) for programs, a page for people."""

import json
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from viral.base.errors import UnknownIdError, UsageError, ViralError
from viral.data.pictures import PictureError

MEDIA_TYPE = "application/problem+json"


class Problem(HTTPException):
    """An answer that is no success."""

    def __init__(self, status: int, detail: str, *, hint: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.hint = hint


def problem(
    status: int, detail: str, *, hint: str = "", errors: Sequence[dict[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:  # fmt: skip
    """The document: ``type``, ``title``, ``status``, ``detail``, and ``hint`` and ``errors`` where there are any."""
    body: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    body |= {"detail": detail} | ({"hint": hint} if hint else {}) | ({"errors": list(errors)} if errors else {})
    return Response(json.dumps(body), status, headers, MEDIA_TYPE)  # ASCII: a lone surrogate cannot be sent otherwise


def status_of(error: ViralError) -> int:
    """404 for an unknown id, 422 for wrong words, 415 for no picture; 409 where the data do not allow what is asked."""
    if isinstance(error, UnknownIdError):
        return HTTPStatus.NOT_FOUND
    if isinstance(error, PictureError):
        return HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    return HTTPStatus.UNPROCESSABLE_ENTITY if isinstance(error, UsageError) else HTTPStatus.CONFLICT


def is_for_people(request: Request) -> bool:
    """Whether a page is wanted rather than a document."""
    machine = request.url.path.startswith("/v1/") or "hx-request" in request.headers
    return not machine and "text/html" in request.headers.get("accept", "")


def install(app: FastAPI, page: Callable[..., Response]) -> None:
    """Answer every foreseen error: with ``page`` whoever wants a page, with the document everybody else."""

    def answer(
        request: Request, status: int, detail: str, *, hint: str = "", errors: Sequence[dict[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Response:  # fmt: skip
        if is_for_people(request):
            return page(request, status, detail, hint=hint, errors=errors, headers=headers or {})
        return problem(status, detail, hint=hint, errors=errors, headers=headers)

    async def of_data(request: Request, error: Exception) -> Response:
        # Not ``where``: it names files of this machine.
        assert isinstance(error, ViralError)
        return answer(request, status_of(error), error.what, hint=error.hint)

    async def of_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        hint = getattr(error, "hint", "")
        return answer(request, error.status_code, str(error.detail), hint=hint, headers=error.headers)

    async def of_words(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        faults = [one for one in error.errors() if one["type"] != "none_required"]  # of a field that may be null
        errors = [{"where": _place(one["loc"])[:200], "what": str(one["msg"])[:500]} for one in faults[:20]]
        return answer(request, 422, "the request is not what the API describes", errors=errors)

    app.add_exception_handler(ViralError, of_data)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(RequestValidationError, of_words)


def _place(steps: Sequence[int | str]) -> str:
    """Where in a request something is, without the names of the types that were tried there."""
    return ".".join(str(one) for one in steps if not any(mark in str(one) for mark in ("[", "constrained-")))
