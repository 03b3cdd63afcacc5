"""A shop's side of `viral serve RUN`, with httpx: a client that waits when it is told to, and what it is for.

python examples/shop.py http://localhost:8000 --user u0001 --item p0001 [--token viral_…]
"""

import argparse
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx

MANY = 100  # users of one call; the server takes no more
TRIES = 5


class Shop:
    """Requests of the API; raises ``httpx.HTTPStatusError`` for what it refuses, whose text says why."""

    def __init__(self, server: str, token: str | None = None) -> None:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._client = httpx.Client(base_url=server, headers=headers, timeout=30)

    def recommend(self, user_id: str | None, visit: list[str] | None = None, **more: Any) -> dict[str, Any]:
        """The list for one person; ``source`` says whether it goes by the user, the visit or what is popular."""
        body = {"user_id": user_id, "item_ids": visit} | more
        return self._send("POST", "/v1/recommend", {name: value for name, value in body.items() if value is not None})

    def recommend_all(self, user_ids: list[str], **more: Any) -> Iterator[dict[str, Any]]:
        """The lists of many, a hundred a call; an ``error`` in one is of that user alone."""
        for start in range(0, len(user_ids), MANY):
            body = {"users": user_ids[start : start + MANY]} | more
            yield from self._send("POST", "/v1/recommend", body)["answers"]

    def tell(self, user_id: str, item_id: str, kind: str, variant: str | None = None) -> None:
        """What a user did now; kept for the next training."""
        event = {"user_id": user_id, "item_id": item_id, "kind": kind, "timestamp": datetime.now(UTC).isoformat()}
        self._send("POST", "/v1/feedback", {"events": [event if variant is None else event | {"variant": variant}]})

    def why(self, user_id: str, item_id: str) -> str:
        """One sentence."""
        return str(self._send("GET", f"/v1/explain?{httpx.QueryParams(user_id=user_id, item_id=item_id)}")["because"])

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        for attempt in range(1, TRIES + 1):
            answer = self._client.request(method, path, json=body)
            if answer.status_code not in (429, 503) or attempt == TRIES:
                break
            time.sleep(float(answer.headers.get("retry-after", "1")))
        if answer.is_error:
            raise httpx.HTTPStatusError(answer.text, request=answer.request, response=answer)
        found: dict[str, Any] = answer.json()
        return found


def show(title: str, answer: dict[str, Any]) -> None:
    """A list, one item a line."""
    print(f"{title} (by {answer['source']}, model {answer['model']} {answer['version']})")
    for one in answer["recommendations"]:
        print(
            f"  {one['rank']}. {one['title'] or one['item_id']} {one['price'] or ''} {one['image_url'] or ''}".rstrip()
        )


def main() -> None:
    """Ask once of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server")
    parser.add_argument("--user", default="u0001")
    parser.add_argument("--item", default="p0001", help="what the visit has shown")
    parser.add_argument("--token")
    told = parser.parse_args()
    shop = Shop(told.server, told.token)
    show("for the user", answer := shop.recommend(told.user, k=3))
    show("after a look at the item", shop.recommend(told.user, [told.item], k=3))
    show("for a stranger", shop.recommend("nobody knows me", k=3))
    for one in shop.recommend_all([told.user, "nobody knows me"], k=1):
        show(f"of many, {one['user_id']}", one)
    best = answer["recommendations"][0]["item_id"]
    print("why:", shop.why(told.user, best))
    shop.tell(told.user, best, "click", answer["variant"])


if __name__ == "__main__":
    main()
