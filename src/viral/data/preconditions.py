"""What a split must hold before it is trained on or evaluated: doctor and verbs report a lack in these words."""

from collections.abc import Mapping

from viral.base.errors import DataError
from viral.data.splitting import Split

LACKS: Mapping[str, str] = {
    "train": "no training interaction: there is nothing to learn from",
    "valid": "no validation interaction: nothing tells when to stop training",
    "test": "no test interaction: nothing can be reported",
}
AGAIN = "import the data again with a split that holds some out (viral import … --split random)"
NO_NEGATIVE = "every user has interacted with every item, so there is no negative item to train against"


def need(parts: Split, *names: str, where: str = "", hint: str = AGAIN) -> None:
    """Raise ``DataError`` where one of the parts ``names`` is empty."""
    for name in names:
        if not len(parts.part(name)):
            raise DataError(LACKS[name], where=where, hint=hint)
