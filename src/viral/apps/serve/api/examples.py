"""What the API's document shows of each route: one whole answer, of a shop that is made up."""

BUNDLE = "593402a96173407d"
STAMP = {"bundle": BUNDLE, "model": "viral", "version": BUNDLE}
MUG = {"item_id": "p0042", "title": "Blue mug"}
FACE = {"category": "mug", "image_url": "/pictures/p0042", "price": "EUR 14.90"}
LIKE_IT = [
    {**MUG, "rank": 1, "similarity": 0.93, **FACE},
    {
        "item_id": "p0007", "title": "Blue cup", "rank": 2, "similarity": 0.88, "category": "cup",
        "image_url": "https://shop.example/p0007.jpg", "price": "EUR 9.50",
    },
]  # fmt: skip
LISTED = {**MUG, "rank": 1, "score": 1.75, "pinned": False, **FACE}

RECOMMENDED = {
    **STAMP,
    "user_id": "u0001",
    "variant": "control",
    "source": "user_and_visit",
    "offset": 0,
    "unknown_item_ids": ["p9999"],
    "recommendations": [{**LISTED, "parts": {"text": 1.0, "synergy": 0.5, "unique_visual": 0.25}}],
}
TAKEN = [{**LISTED, "score": 17.0, "parts": {"popularity": 17.0}}]
MANY = {
    **STAMP,
    "answers": [
        RECOMMENDED,
        {**RECOMMENDED, "user_id": "u9999", "source": "popular", "unknown_item_ids": [], "recommendations": TAKEN},
    ],
}  # fmt: skip
POPULAR = {**STAMP, "days": 30, "offset": 0, "popular": TAKEN}
SIMILAR = {**STAMP, "item_id": "p0001", "by": "fused", "similar": LIKE_IT}
EXPLAINED = {
    **STAMP,
    "user_id": "u0001",
    **MUG,
    "because": "Because they chose Blue cup.",
    "score": 1.75,
    "parts": {"text": 1.0, "synergy": 0.5, "unique_visual": 0.25},
    "rank": 3,
    "num_items": 288,
    "seen": False,
    "taken": 12,
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
    "edited": True,
    "picture": "/pictures/p0042",
    "image_url": "https://shop.example/p0042.jpg",
    "price": "EUR 14.90",
    "colour": "blue",
    "brand": "Ado",
}
ITEM_PAGE = {**STAMP, "total": 1, "offset": 0, "items": [ITEM]}
ITEM_DETAIL = {**STAMP, **ITEM, "users": 17, "information": {"redundant": 0.25, "unique_text": 0.5}}
CATEGORIES = {"mug": 40, "lamp": 25}
COLD = {
    **STAMP,
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
HEALTH = {
    **STAMP,
    "status": "degraded",
    "broken": ["the file of rules: [[boost]] number 2: by = -1 cannot be used"],
    **{name: READY[name] for name in ("users", "items", "loaded", "reloads", "recall", "stock")},
    "rules": {
        "pins": 1, "boosts": 2, "max_per_category": 3, "less_popular": 0.3, "reloads": 1,
        "unknown": ["item 'p9999'"], "num_unknown": 1,
        "broken": "the file of rules: [[boost]] number 2: by = -1 cannot be used",
    },
    "variants": {"control": {**STAMP, "broken": ""}, "popular": {**STAMP, "model": "popularity", "broken": ""}},
    "exposure": {
        "k": 10, "users": 400, "coverage": 0.82, "most": 0.07, "most_item": "p0042", "gini": 0.41,
        "recommended": 12.5, "taken": 11.0, "most_title": "Blue mug",
    },
}  # fmt: skip
METRICS = 'viral_requests_total{method="GET",route="/healthz",status="200"} 12.0\n'
