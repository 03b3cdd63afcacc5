"""What the API takes: typed, bounded, and no field that it does not know."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic.json_schema import SkipJsonSchema

from viral.serve.settings import MAX_ID, MAX_K

MAX_LIST = 10_000  # ids in one list
LATEST = 4_102_444_800  # the first second of 2100

Id = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID)]
PlainId = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
Category = Annotated[str, StringConstraints(min_length=1, max_length=200)]


def _whole(value: Any) -> Any:
    """A number like 3.0 is a whole number to JSON."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = BeforeValidator(_whole)
K = Annotated[int, Field(ge=1, le=MAX_K, description="How many."), Whole]


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


class RecommendIn(Body):
    """Either a user of the training data, or the items that somebody new took."""

    user_id: Id | SkipJsonSchema[None] = Field(default=None, description="As in the log.")
    item_ids: Annotated[list[Id], Field(min_length=1, max_length=MAX_K)] | SkipJsonSchema[None] = None
    k: K = 10
    exclude_seen: bool = Field(default=True, description="Leave out what was taken already.")
    filters: FiltersIn = FiltersIn()
    diversity: float = Field(default=0.0, ge=0, le=1, description="0: by score; towards 1: more variety (MMR).")

    @model_validator(mode="after")
    def _one_of_both(self) -> "RecommendIn":
        if (self.user_id is None) == (self.item_ids is None):
            raise ValueError("give either user_id or item_ids")
        return self


def _either(schema: dict[str, Any]) -> None:
    for name in ("user_id", "item_ids"):
        schema["properties"][name].pop("default", None)
    schema["oneOf"] = [{"required": ["user_id"]}, {"required": ["item_ids"]}]


RecommendIn.model_config["json_schema_extra"] = _either
RecommendIn.model_rebuild(force=True)


class EventIn(Body):
    """Somebody did something with an item."""

    user_id: PlainId
    item_id: PlainId
    kind: Literal["view", "click", "cart", "purchase", "like", "dislike"]
    timestamp: Annotated[int, Field(ge=0, le=LATEST), Whole] | None = Field(
        default=None, description="Seconds since 1970; by default now."
    )


class FeedbackIn(Body):
    """Events, all taken or none."""

    events: list[EventIn] = Field(min_length=1, max_length=1000)
