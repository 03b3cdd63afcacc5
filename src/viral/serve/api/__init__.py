"""The API for programs: JSON under ``/v1``, and what watches over a server."""

from fastapi import APIRouter

from viral.serve.api import health


def router() -> APIRouter:
    """All routes of the API."""
    all_ = APIRouter()
    all_.include_router(health.router)
    return all_
