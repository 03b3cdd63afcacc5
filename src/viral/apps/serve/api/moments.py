"""Times as people and programs write them: ISO 8601 with a zone, exactly as the API's document describes them."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

_YEAR = r"(?:19(?:7[1-9]|[89][0-9])|20[0-9]{2})"
_LEAP = r"(?:19(?:7[26]|8[048]|9[26])|20(?:[02468][048]|[13579][26]))"
_DAY = (
    r"(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"  # of any year
)
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
_ZONE = r"(?:Z|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])"
PATTERN = rf"^(?:{_YEAR}-{_DAY}|{_LEAP}-02-29)[T ]{_CLOCK}{_ZONE}$"


def seconds(text: str) -> int:
    """Seconds since 1970 of a time that is as the pattern says."""
    return int(datetime.fromisoformat(text).timestamp())


Moment = Annotated[
    str, StringConstraints(pattern=PATTERN), AfterValidator(seconds), Field(examples=["2026-11-30T18:30:00+01:00"])
]
