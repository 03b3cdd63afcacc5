"""What one describer said with each prompt: the sets of descriptions that are set beside each other."""

from viral.base.errors import UsageError
from viral.data.dataset import Dataset
from viral.enrich import Descriptions, all_descriptions

PLAIN, TITLE = "plain", "title"


def descriptions_by_prompt(
    dataset: Dataset, describer: str | None = None, fresh: Descriptions | None = None
) -> dict[str, Descriptions]:
    """Everything that one describer has said, by prompt; plain first, title last. Empty where nothing was described.

    ``describer`` is a name without its revision; ``UsageError`` where it is left out and there are several.
    ``fresh`` takes the place of the file of its prompt.
    """
    there = [one for one in all_descriptions(dataset) if describer in (None, _name(one))]
    if len(names := sorted({_name(one) for one in there})) > 1:
        hint = f"name one with --describer: {', '.join(names)}"
        raise UsageError("several describers have described this data set", where=str(dataset.path), hint=hint)
    found = {one.prompt: one for one in [*there, *([fresh] if fresh is not None else [])]}
    order = sorted(found, key=lambda prompt: (prompt != PLAIN, prompt == TITLE, prompt))
    return {prompt: found[prompt] for prompt in order}


def _name(descriptions: Descriptions) -> str:
    return descriptions.describer.partition("/")[0]
