"""What the API takes: typed, bounded, and no field that it does not know."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic.json_schema import SkipJsonSchema

from viral.apps.serve.ab_test import PATTERN
from viral.apps.serve.settings import MAX_ID, MAX_K, MAX_K_OF_MANY, MAX_OFFSET, MAX_USERS
from viral.data.feedback import KIND

MAX_LIST = 10_000  # ids in one list
LATEST = 4_102_444_800  # the first second of 2100
MAX_DAYS = 3650
# Times as people and programs write them: ISO 8601 with a zone, exactly as the API's document describes them.
_YEAR = r"(?:19(?:7[1-9]|[89][0-9])|20[0-9]{2})"
_LEAP = r"(?:19(?:7[26]|8[048]|9[26])|20(?:[02468][048]|[13579][26]))"
_DAY = (
    r"(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"  # of any year
)
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
_ZONE = r"(?:Z|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])"
TIME = rf"^(?:{_YEAR}-{_DAY}|{_LEAP}-02-29)[T ]{_CLOCK}{_ZONE}$"

Id = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID)]
PlainId = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
Category = Annotated[str, StringConstraints(min_length=1, max_length=200)]


def _whole(value: Any) -> Any:
    """A number like 3.0 is a whole number to JSON."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def seconds(text: str) -> int:
    """Seconds since 1970 of a time that is as the pattern ``TIME`` says."""
    return int(datetime.fromisoformat(text).timestamp())


Whole = BeforeValidator(_whole)
K = Annotated[int, Field(ge=1, le=MAX_K, description="How many."), Whole]
Offset = Annotated[int, Field(ge=0, le=MAX_OFFSET, description="Places to leave out before them."), Whole]
Days = Annotated[int, Field(ge=1, le=MAX_DAYS), Whole]
AnyId = Annotated[str, StringConstraints(max_length=MAX_ID)]
Variant = Annotated[str, StringConstraints(pattern=PATTERN)]
Unknown = Literal["popular", "error"]
Categories = Annotated[list[Category] | None, Query(max_length=100, description="Only of these.")]
InStock = Annotated[bool, Query(description="Only what is in the server's file of the stock.")]
ByRules = Annotated[bool, Query(description="By the shop's rules, where the server has some.")]
Moment = Annotated[
    str, StringConstraints(pattern=TIME), AfterValidator(seconds), Field(examples=["2026-11-30T18:30:00+01:00"])
]


class Body(BaseModel):
    """A JSON body."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class FiltersIn(Body):
    """Conditions that every item must meet; ids that the bundle does not know are without effect."""

    categories: Annotated[list[Category], Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="An item must be in one of them."
    )
    allow: Annotated[list[Id], Field(max_length=MAX_LIST)] | None = Field(
        default=None, description="Nothing else is recommended."
    )
    deny: list[Id] = Field(default=[], max_length=MAX_LIST, description="These are not.")
    in_stock: bool = Field(default=False, description="Only what is in the server's file of the stock.")


class ExcludeIn(Body):
    """What is not recommended; what the bundle does not know is without effect."""

    item_ids: list[Id] = Field(default=[], max_length=MAX_LIST)
    categories: list[Category] = Field(default=[], max_length=100)


class WhoIn(Body):
    """A person of a call for many: a user, a visit, or both; an empty list is a visit that has just begun."""

    user_id: AnyId | None = None
    item_ids: list[AnyId] = Field(default=[], max_length=MAX_K)


class RecommendIn(Body):
    """Who, and what of the list: a user, somebody by the items just looked at, both, or many of them at once."""

    user_id: Id | SkipJsonSchema[None] = Field(
        default=None, description="As in the log; others are given what is popular."
    )
    item_ids: Annotated[list[Id], Field(max_length=MAX_K)] | SkipJsonSchema[None] = Field(
        default=None, description="What the current visit has shown; unknown ids are told, and without effect."
    )
    users: Annotated[list[AnyId | WhoIn], Field(min_length=1, max_length=MAX_USERS)] | SkipJsonSchema[None] = Field(
        default=None, description="Many at once: ids of users, or visits; each gets an answer of its own."
    )
    k: K = 10
    offset: Offset = 0
    exclude_seen: bool = Field(default=True, description="Leave out the items of the history.")
    exclude: ExcludeIn = Field(default=ExcludeIn(), description="What is not recommended.")
    filters: FiltersIn = Field(default=FiltersIn(), description="What every item must be.")
    diversity: float = Field(default=0.0, ge=0, le=1, description="0: by score; towards 1: more variety (MMR).")
    unknown: Unknown = Field(default="popular", description="For unknown ids: what is popular, or an error (404).")
    popular_days: Days | None = Field(default=None, description="What is popular counts so many days; null: all.")
    rules: bool = Field(default=True, description="By the shop's rules, where the server has some.")
    variant: Variant | None = Field(default=None, description="Of an A/B test; by default as the user's id tells.")

    @model_validator(mode="after")
    def _somebody(self) -> "RecommendIn":
        if self.users is not None:
            if self.user_id is not None or self.item_ids is not None:
                raise ValueError("give either users, or user_id and item_ids")
            if self.k > MAX_K_OF_MANY:
                raise ValueError(f"k is at most {MAX_K_OF_MANY} where there are users")
        elif self.user_id is None and not self.item_ids:
            raise ValueError("give user_id, item_ids, both, or users")
        return self


def _either(schema: dict[str, Any]) -> None:
    for name in ("user_id", "item_ids", "users"):
        schema["properties"][name].pop("default", None)
    of_one = {"users": False}
    schema["anyOf"] = [
        {"required": ["user_id"], "properties": of_one},
        {"required": ["item_ids"], "properties": {"item_ids": {"minItems": 1}, **of_one}},
        {"required": ["users"], "properties": {"user_id": False, "item_ids": False, "k": {"maximum": MAX_K_OF_MANY}}},
    ]


RecommendIn.model_config["json_schema_extra"] = _either
RecommendIn.model_rebuild(force=True)


class EventIn(Body):
    """Somebody did something with an item."""

    user_id: PlainId
    item_id: PlainId
    kind: Annotated[str, StringConstraints(pattern=f"^{KIND.pattern}$")]  # which ones, the server's settings say
    timestamp: Annotated[int, Field(ge=0, le=LATEST), Whole] | Moment | None = Field(
        default=None, description="Seconds since 1970, or a time with its zone (ISO 8601); by default now."
    )
    variant: Variant | None = Field(default=None, description="Of an A/B test; by default as the user's id tells.")


class FeedbackIn(Body):
    """Events, all kept or none."""

    events: list[EventIn] = Field(min_length=1, max_length=1000)
