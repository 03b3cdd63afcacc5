"""The API for programs: JSON under ``/v1``, and what watches over a server."""

from fastapi import APIRouter

from viral.apps.serve.api import cold, feedback, health, items, ranking, recommend, reference


def router() -> APIRouter:
    """All routes of the API."""
    all_ = APIRouter()
    for part in (recommend, ranking, items, cold, feedback, health, reference):
        all_.include_router(part.router)
    return all_
