"""The describer of a run's items, found again by what its bundle keeps and by options of the user's.

A bundle names describer, revision and prompt. The address of a server, the folder of a model and a prompt of one's own
lie elsewhere, and are given in the words of ``viral enrich``; keys stay in the environment.
"""

import shlex
from dataclasses import dataclass
from pathlib import Path

from viral.base.errors import UsageError, ViralError
from viral.enrich import Describer, Prompt, describer_named, load_prompt, prompt_names
from viral.run.bundle_extras import DescriptionSource


class NoDescriber(ViralError):
    """The describer of a run's items is not available here as it was: other options may help."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class DescriberOptions:
    """What a bundle does not keep of the describer, as the command line has it; never a secret."""

    describer: str | None = None
    settings: tuple[str, ...] = ()  # KEY=VALUE of its configuration
    prompt: str | None = None  # a name, or the file of one's own prompt

    def __post_init__(self) -> None:
        if self.settings and self.describer is None:
            raise UsageError("--set needs the describer whose setting it is", hint="--describer NAME --set KEY=VALUE")

    def settings_for(self, name: str) -> tuple[str, ...]:
        """The settings, if they are those of the describer of that name."""
        return self.settings if self.describer == name else ()

    def describer_for(self, name: str) -> Describer:
        """The describer of that name; raises ``UsageError``."""
        return describer_named(name, self.settings_for(name))

    def prompt_for(self, name: str) -> Prompt:
        """The prompt of that name, from the file that was given if it is of that name; raises ``UsageError``."""
        return load_prompt(self.prompt if self.prompt is not None and Path(self.prompt).stem == name else name)


NO_DESCRIBER_OPTIONS = DescriberOptions()


def describer_of(made: DescriptionSource, options: DescriberOptions) -> tuple[Describer, Prompt]:
    """The describer and the prompt that described a run's items; ``NoDescriber`` says which options lack."""
    describer, prompt = named(made, options)
    check_revision(describer, made)
    return describer, prompt


def named(made: DescriptionSource, options: DescriberOptions) -> tuple[Describer, Prompt]:
    """As :func:`describer_of`, of any revision: to find that out may mean to read a whole model."""
    _check_name("described by", made.describer, options.describer)
    _check_name("described with prompt", made.prompt, None if options.prompt is None else Path(options.prompt).stem)
    try:
        describer, prompt = options.describer_for(made.describer), options.prompt_for(made.prompt)
    except UsageError as error:
        what = f"the run's items were described by {_whole(made)}, which cannot be had so: {error.what}"
        hint = "; ".join(part for part in (error.hint.rstrip("."), options_of(made)) if part)
        raise NoDescriber(what, where=error.where, hint=hint) from None
    return describer, prompt


ANEW = (
    "describe the items anew and train again: viral enrich DATASET, viral encode DATASET, viral train DATASET --out RUN"
)


def check_revision(describer: Describer, made: DescriptionSource) -> None:
    """Raise ``NoDescriber`` where this is not the describer that described a run's items."""
    if (describer.name, describer.revision) != (made.describer, made.revision):
        what = f"the run's items were described by {_whole(made)}, and this is {describer.name}/{describer.revision}"
        raise NoDescriber(what, hint=ANEW if made.describer == describer.name == "pixel" else options_of(made))


def options_of(made: DescriptionSource) -> str:
    """The options to add to the command, as far as the bundle knows them."""
    model, _, commit = made.revision.rpartition("@")
    settings = {
        "openai": {"url": "ADDRESS", "model": made.revision},
        "qwen": {"model": model, "revision": commit} if model else {"model": f"FOLDER (of digest {made.revision})"},
    }.get(made.describer, {})
    words = ["--describer", shlex.quote(made.describer)]
    words += [f"--set {key}={value if 'FOLDER' in value else shlex.quote(value)}" for key, value in settings.items()]
    words += [] if made.prompt in prompt_names() else [f"--prompt FILE (named {made.prompt}, as it was then)"]
    return f"add to the command that runs this (viral update, cold or serve): {' '.join(words)}"


def _check_name(how: str, was: str, now: str | None) -> None:
    if now not in (None, was):
        raise NoDescriber(f"the run's items were {how} {was}, not {now}", hint=f"leave {now} out, or name {was}")


def _whole(made: DescriptionSource) -> str:
    return f"{made.describer}/{made.revision}"
