"""What the API's document shows of each route: one whole answer, of a shop that is made up."""

from typing import Any

BUNDLE = "593402a96173407d"
MUG = {"item_id": "p0042", "title": "Blue mug"}
LIKE_IT = [
    {**MUG, "rank": 1, "similarity": 0.93},
    {"item_id": "p0007", "title": "Blue cup", "rank": 2, "similarity": 0.88},
]

RECOMMENDED = {
    "bundle": BUNDLE,
    "recommendations": [
        {**MUG, "rank": 1, "score": 1.75, "parts": {"text": 1.0, "synergy": 0.5, "unique_visual": 0.25}},
    ],
}
SIMILAR = {"bundle": BUNDLE, "item_id": "p0001", "by": "fused", "similar": LIKE_IT}
EXPLAINED = {
    "bundle": BUNDLE,
    "user_id": "u0001",
    **MUG,
    "score": 1.75,
    "parts": {"text": 1.0, "synergy": 0.5, "unique_visual": 0.25},
    "rank": 3,
    "num_items": 300,
    "seen": False,
    "origins": {"text": 0.75, "synergy": 0.5, "unique_visual": 0.25, "neighbours": 0.25},
    "evidence": [{"item_id": "p0007", "title": "Blue cup", "share": 1.25}],
    "history": 1.5,
    "beyond": 0.25,
    "information": {"redundant": 0.25, "unique_text": 0.5},
    "words": [{"word": "blue", "effect": 0.375}],
}
ITEM = {
    **MUG,
    "text": "Stoneware, 300 ml.",
    "category": "mug",
    "description": "A blue stoneware mug with a white rim.",
    "picture": "/pictures/p0042",
}
ITEM_PAGE = {"bundle": BUNDLE, "total": 1, "offset": 0, "items": [ITEM]}
ITEM_DETAIL = {**ITEM, "bundle": BUNDLE, "users": 17, "information": {"redundant": 0.25, "unique_text": 0.5}}
CATEGORIES = {"mug": 40, "lamp": 25}
COLD = {
    "bundle": BUNDLE,
    "title": "Blue mug",
    "description": "A blue stoneware mug with a white rim.",
    "way": "foretold",
    "similar": {"fused": LIKE_IT, "text": LIKE_IT},
    "fans": [{"user_id": "u0001", "rank": 1, "score": 2.5}],
}
ACCEPTED = {"accepted": 2, "unknown_users": 1, "unknown_items": 0}
HEALTHY = {"status": "ok"}
READY = {
    "ready": True,
    "bundle": BUNDLE,
    "model": "viral",
    "users": 400,
    "items": 300,
    "loaded": 1795533539.5,
    "reloads": 1,
    "recall": 1.0,
    "stock": 250,
    "broken": "",
}
METRICS = 'viral_requests_total{method="GET",route="/healthz",status="200"} 12.0\n'


def answered(example: object, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """The example of a successful answer, as ``responses`` of a route."""
    return {status: {"content": {"application/json": {"example": example}}}}
