"""The page's way in: a token is exchanged for a session."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from viral.apps.serve.pages.rendering import render
from viral.apps.serve.problems import Problem
from viral.apps.serve.security.access import Gate
from viral.apps.serve.security.tokens import COOKIE, SECONDS, issue

router = APIRouter(include_in_schema=False)


@router.get("/login")
async def ask(request: Request, next: str = "/") -> Response:
    """The form."""
    return render(request, "login.html", next=_inside(next), fault="")


@router.post("/login")
async def log_in(
    request: Request, token: Annotated[str, Form(max_length=512)], next: Annotated[str, Form(max_length=2048)] = "/"
) -> Response:
    """A session for a known token."""
    gate: Gate = request.app.state.gate
    if gate.tokens is None:
        return RedirectResponse(_inside(next), 303)
    try:
        found = gate.present(token.strip(), request.client.host if request.client else "unknown")
    except Problem as problem:
        fault = str(problem.detail)
        return render(request, "login.html", code=problem.status_code, next=_inside(next), fault=fault)
    answer = RedirectResponse(_inside(next), 303)
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, issue(found, gate.secret), SECONDS, secure=secure, httponly=True, samesite="strict")
    return answer


@router.post("/logout")
async def log_out() -> Response:
    """The end of the session."""
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


def _inside(place: str) -> str:
    """A path of this server; anything else becomes the start page."""
    parts = urlsplit(place.replace("\\", "/"))
    safe = place.startswith("/") and not place.startswith("//") and not parts.netloc and place.isprintable()
    return place if safe and not place.startswith("/\\") else "/"
