"""What is in stock: a file of item ids that another program writes, read again when it has changed."""

from collections.abc import Callable
from pathlib import Path

from viral.apps.serve.watched import Watched
from viral.data.vocabulary import Vocabulary
from viral.run.retrieval.filters import check_known, read_ids


class Stock(Watched[frozenset[str]]):
    """The ids of the file as it was last read.

    ``known`` gives the items that are served now: a file without any of them is not a file of the stock.
    """

    def __init__(self, file: Path, known: Callable[[], Vocabulary]) -> None:
        def read(file: Path) -> frozenset[str]:
            ids = read_ids(file)
            check_known(ids, known(), file)
            return ids

        super().__init__(file, read, "the file of the stock")

    def __len__(self) -> int:
        return len(self.value)

    def has(self, item_id: str) -> bool:
        """Whether the item is in stock now."""
        return item_id in self.value
