"""The map: every item as a point, drawn by the browser's WebGL from one compact answer; and the same as a table."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import JSONResponse, Response

from viral.apps.serve.hot_reload import current_snapshot
from viral.apps.serve.pages import map_layout
from viral.apps.serve.pages.map_layout import NONE, Colouring, MapLayout
from viral.apps.serve.pages.rendering import Page, quoted, render
from viral.apps.serve.security.access import asks, require_read
from viral.apps.serve.snapshot import Snapshot
from viral.apps.serve.thread_pools import pools
from viral.base.errors import UnknownIdError, UsageError, nearest
from viral.base.language import _, current, marked
from viral.lab.quality.map_projection import Method
from viral.lab.report.wording import percent, shown
from viral.run.bundle import Bundle
from viral.run.retrieval.similarity import FUSED

ROWS = 50  # of a page of the table
TITLE, TEXT = 200, 60  # characters
SPACES = {FUSED: marked("what the model learnt"), "image": marked("the picture"), "text": marked("title and text"),
          "title": marked("the title"), "description": marked("the description")}  # fmt: skip
METHODS = {"pca": marked("principal components"), "tsne": "t-SNE"}
SAID = {  # by the script
    "busy": marked("Laying out the items …"),
    "lost": marked("The map could not be loaded."),
    "table": marked("The table below has the same items."),
    "absent": marked("%(number)s items have nothing to be laid out by"),
    "changed": marked("The bundle has changed since: load the page again."),
    "no-webgl": marked("This browser draws no WebGL 2."),
    "no-map": marked("This browser cannot draw the map."),
}
router = APIRouter(include_in_schema=False)


@dataclass(eq=False)
class Map:
    """What was computed of a bundle's map so far; its snapshot keeps it."""

    bundle: Bundle
    layouts: dict[tuple[str, Method], MapLayout] = field(default_factory=dict)
    clusters: dict[str, Colouring] = field(default_factory=dict)

    @cached_property
    def plain(self) -> tuple[Colouring, ...]:
        """The colourings that need no clustering."""
        both = map_layout.by_category(self.bundle), map_layout.by_dominance(self.bundle)
        return tuple(one for one in both if one is not None)

    def cluster(self, space: str) -> Colouring:
        if space not in self.clusters:
            self.clusters[space] = map_layout.by_cluster(self.bundle, space)
        return self.clusters[space]

    def layout(self, request: Request, space: str, method: Method) -> MapLayout:
        if (space, method) not in self.layouts:
            run = request.app.state.settings.run
            self.layouts[space, method] = map_layout.layout(self.bundle, space, method, run)
        return self.layouts[space, method]

    def colouring(self, name: str, space: str) -> Colouring:
        """One by its name."""
        return self.cluster(space) if name == "cluster" else {one.name: one for one in self.plain}[name]


def map_of(snapshot: Snapshot) -> Map:
    """The snapshot's map, as far as it is known."""
    return snapshot.kept(Map, snapshot.bundle)


@dataclass(frozen=True, slots=True)
class MapChoice:
    """What the page is asked to show; anything else is a fault of the asker."""

    space: str = FUSED
    method: Method = "pca"
    colour: str = ""

    @classmethod
    def of(cls, found: Map, space: str, method: str, colour: str) -> "MapChoice":
        """The choice, with defaults; ``UsageError`` for what is not there."""
        known = {one: one for one in map_layout.methods(found.bundle)}
        if method not in known:
            raise UsageError("there is no such layout", hint=", ".join(known))
        colour = colour or (found.plain[0].name if found.plain else "cluster")
        if colour not in ("cluster", *(one.name for one in found.plain)):
            raise UsageError("there is no such colouring", hint=", ".join(["cluster", *(c.name for c in found.plain)]))
        return cls(known_space(found, space), known[method], colour)


Short = Annotated[str, Query(max_length=64)]


def known_space(found: Map, space: str) -> str:
    """The space; ``UsageError`` where there is no such one."""
    there = map_layout.spaces(found.bundle)
    if space not in there:
        raise UsageError("there is no such space", hint=nearest(space, there))
    return space


@router.get("/map", dependencies=[Depends(asks)])
async def show_map(
    request: Request, space: Short = FUSED, layout: Short = "pca", colour: Short = "", group: Short = "",
    page: str = "1",
) -> Response:  # fmt: skip
    """The page; its points are asked for by its script, its table is in it."""
    snapshot, ranking = current_snapshot(request), pools(request).ranking
    wanted = await ranking.run(lambda: MapChoice.of(map_of(snapshot), space, layout, colour))
    if wanted.colour == "cluster":
        await _clustered(request, map_of(snapshot), wanted.space)

    def made() -> Response:
        return render(request, "map.html", snapshot=snapshot, **page_values(snapshot, wanted, group, page))

    return await ranking.run(made)


async def _clustered(request: Request, found: Map, space: str) -> None:
    """Have the clusters of a space; they take long the first time."""
    if space not in found.clusters:
        await pools(request).long.run(lambda: found.cluster(space))


def page_values(snapshot: Snapshot, wanted: MapChoice, group: str, page: str) -> dict[str, Any]:
    """What the template shows; ``group`` is a number, and what is none is as good as none."""
    bundle, found = snapshot.bundle, map_of(snapshot)
    colouring = found.colouring(wanted.colour, wanted.space)
    code = int(group) if group.isascii() and group.isdigit() and int(group) < len(colouring.groups) else None
    rows = np.arange(len(bundle.items)) if code is None else np.flatnonzero(colouring.codes == code)
    listed = Page.of(rows.tolist(), page, ROWS)
    return {
        "given": {"space": wanted.space, "layout": wanted.method, "colour": wanted.colour, "group": code},
        "wanted": wanted,
        "spaces": {name: _(SPACES[name]) if name in SPACES else name for name in map_layout.spaces(bundle)},
        "methods": {name: _(METHODS[name]) for name in map_layout.methods(bundle)},
        "colours": {**{one.name: _(one.label) for one in found.plain}, "cluster": _(map_layout.CLUSTER)},
        "colouring": colouring,
        "says": {f"data-say-{name}": _(sentence) for name, sentence in SAID.items()},
        "groups": list(enumerate(zip(colouring.names, colouring.counts, strict=True))),
        "group": code,
        "listed": listed,
        "rows": [item_values(snapshot, row, colouring) for row in listed.rows],
    }


def item_values(snapshot: Snapshot, index: int, colouring: Colouring | None = None) -> dict[str, Any]:
    """What is shown of an item."""
    view = snapshot.item_at(index)
    values: dict[str, Any] = {
        "id": view.id,
        "title": shown(view.title, TITLE) or shown(view.id, TITLE),
        "category": shown(view.category, TEXT),
        "href": f"/items/{quoted(view.id)}",
        "picture": f"/pictures/{quoted(view.id)}?size=320" if view.image is not None else "",
    }
    if colouring is not None:
        values["group"] = _group(colouring, index)
    return values


def _group(colouring: Colouring, index: int) -> str:
    code = int(colouring.codes[index])
    return "" if code == NONE else shown(colouring.names[code], TEXT)


@router.get("/map/points", dependencies=[Depends(asks)])
async def points(request: Request, space: Short = FUSED, layout: Short = "pca") -> Response:
    """All points and the groups of each colouring, for ``map.js``; it is the same until the bundle is another."""
    snapshot, ranking = current_snapshot(request), pools(request).ranking
    found = map_of(snapshot)
    wanted = await ranking.run(lambda: MapChoice.of(found, space, layout, ""))
    tag = f'"{snapshot.etag}-{quoted(space)}-{layout}-{current()}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)

    def compute() -> bytes:
        placed = found.layout(request, wanted.space, wanted.method)
        return packed(snapshot.etag, placed, (*found.plain, found.cluster(wanted.space)))

    body = await pools(request).long.run(compute)
    return Response(body, headers=headers, media_type="application/octet-stream")


def packed(etag: str, placed: MapLayout, colourings: tuple[Colouring, ...]) -> bytes:
    """The answer: the length of its head (uint32), the head (JSON, padded to 4 bytes), float32 (I, 2), uint8 (I,) each.

    All little-endian; each array of codes is padded to 4 bytes.
    """
    explained = placed.explained
    share = None if explained is None else percent(explained, 0)
    note = "" if share is None else _("The two dimensions show %(share)s of the variance.", share=share)
    head: Mapping[str, Any] = {
        "etag": etag,
        "items": len(placed.points),
        "drawn": int(np.isfinite(placed.points[:, 0]).sum()),
        "note": note,
        "colourings": [
            {
                "name": one.name,
                "about": _(one.about),
                "groups": [
                    [shown(name, TEXT), count] for name, count in zip(one.names, one.counts, strict=True)
                ],
            }
            for one in colourings
        ],
    }  # fmt: skip
    text = _padded(json.dumps(head).encode("ascii"), b" ")
    codes = [_padded(one.codes.tobytes(), b"\0") for one in colourings]
    return b"".join([len(text).to_bytes(4, "little"), text, placed.points.astype("<f4").tobytes(), *codes])


def _padded(data: bytes, by: bytes) -> bytes:
    return data + by * (-len(data) % 4)


@router.get("/map/items/{index}", dependencies=[Depends(require_read)])
async def item(request: Request, index: int, space: Short = FUSED) -> Response:
    """One point's item: what is shown beside the map."""
    snapshot = current_snapshot(request)
    found = map_of(snapshot)
    if not 0 <= index < len(found.bundle.items):
        raise UnknownIdError("the map has no such point", hint="load the page again: the bundle may have changed")
    await _clustered(request, found, known_space(found, space))

    def made() -> Response:
        values, known = item_values(snapshot, index), [*found.plain, found.cluster(space)]
        values["groups"] = [[_(one.label), _group(one, index)] for one in known if _group(one, index)]
        return JSONResponse({"etag": snapshot.etag, **values})

    return await pools(request).ranking.run(made)
