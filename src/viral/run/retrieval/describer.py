"""The describer of a run's items, to be had again: what a bundle does not keep of it, whoever runs the program gives.

A bundle names describer, revision and prompt. The address of a server, the folder of a model and a prompt of one's own
lie elsewhere, and are given in the words of ``viral enrich``; keys stay in the environment.
"""

import shlex
from dataclasses import dataclass
from pathlib import Path

from viral.base.errors import UsageError, ViralError
from viral.enrich import Describer, Prompt, describer_named, load_prompt, prompt_names
from viral.run.bundle_extras import Described


class NoDescriber(ViralError):
    """The describer of a run's items cannot be had here as it was: whoever started the program can mend that."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class DescriberOptions:
    """What the command line says of the describer; never a secret."""

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


def describer_of(made: Described, given: DescriberOptions) -> tuple[Describer, Prompt]:
    """The describer and the prompt that described a run's items; ``NoDescriber`` says what to give."""
    describer, prompt = named(made, given)
    check_revision(describer, made)
    return describer, prompt


def named(made: Described, given: DescriberOptions) -> tuple[Describer, Prompt]:
    """As :func:`describer_of`, of any revision: to tell that may take the reading of a whole model."""
    _check_name("described by", made.describer, given.describer)
    _check_name("described with prompt", made.prompt, None if given.prompt is None else Path(given.prompt).stem)
    try:
        describer, prompt = given.describer_for(made.describer), given.prompt_for(made.prompt)
    except UsageError as error:
        what = f"the run's items were described by {_whole(made)}, which cannot be had so: {error.what}"
        hint = "; ".join(part for part in (error.hint.rstrip("."), options_of(made)) if part)
        raise NoDescriber(what, where=error.where, hint=hint) from None
    return describer, prompt


ANEW = (
    "describe the items anew and train again: viral enrich DATASET, viral encode DATASET, viral train DATASET --out RUN"
)


def check_revision(describer: Describer, made: Described) -> None:
    """Raise ``NoDescriber`` where this is not the describer that described a run's items."""
    if (describer.name, describer.revision) != (made.describer, made.revision):
        what = f"the run's items were described by {_whole(made)}, and this is {describer.name}/{describer.revision}"
        raise NoDescriber(what, hint=ANEW if made.describer == describer.name == "pixel" else options_of(made))


def options_of(made: Described) -> str:
    """What to add to the command, as far as the bundle tells it."""
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


def _whole(made: Described) -> str:
    return f"{made.describer}/{made.revision}"
