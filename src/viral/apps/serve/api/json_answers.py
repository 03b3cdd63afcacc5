"""Answers as JSON: which bundle they come from, and items with what a shop's page shows of them."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.responses import Response

from viral.apps.serve.snapshot import Snapshot
from viral.run.retrieval import Recommendation, Similar


def as_json(document: Mapping[str, Any], status: int = 200) -> Response:
    """An answer that is known to be as described."""
    content = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Response(content.encode(), status, media_type="application/json")


def stamp(snapshot: Snapshot) -> dict[str, Any]:
    """What every answer begins with: which bundle of which model it comes from."""
    return {"bundle": snapshot.etag, "model": str(snapshot.bundle.about.get("model", "")), "version": snapshot.etag}


def ranked(found: list[Recommendation], snapshot: Snapshot) -> list[dict[str, Any]]:
    """Recommendations as they go into JSON."""
    return [
        {
            "item_id": r.item_id, "title": r.title, "rank": r.rank, "score": r.score, "parts": r.parts,
            "pinned": r.pinned, **face(r.item_id, snapshot),
        }
        for r in found
    ]  # fmt: skip


def alike(found: list[Similar], snapshot: Snapshot) -> list[dict[str, Any]]:
    """Similar items as they go into JSON."""
    return [asdict(one) | face(one.item_id, snapshot) for one in found]


def face(item_id: str, snapshot: Snapshot) -> dict[str, str | None]:
    """Category, picture and price of an item of the bundle; None where it is unknown."""
    category, price = (snapshot.of_catalogue(name, item_id) for name in ("category", "price"))
    return {"category": category, "image_url": image_url(item_id, snapshot), "price": price}


def image_url(item_id: str, snapshot: Snapshot) -> str | None:
    """Where the picture is: the catalogue's address if it has a web address, else this server's own route."""
    given = snapshot.of_catalogue("image_url", item_id)
    return given if given is not None and is_web(given) else picture(item_id, snapshot)


def picture(item_id: str, snapshot: Snapshot) -> str | None:
    """The route of this server to the picture, where the data set has one."""
    catalog = snapshot.catalog
    if catalog is None or item_id not in catalog or catalog[item_id].image is None:
        return None
    return f"/pictures/{quote(item_id, safe='')}"


def is_web(address: str) -> bool:
    """Whether an address of the catalogue, which anybody may have written, is one of the web."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)
