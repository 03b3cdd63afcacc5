"""The verb that goes all the way: from a shop's files to a served page, and again next week."""

import shlex
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from viral.apps.cli.options import Json
from viral.apps.cli.output import show, show_json, verb
from viral.base.progress import say

if TYPE_CHECKING:
    from viral.apps.up import Places, PlannedStep


@verb
def up(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder of your files, or the log itself.")],
    dataset: Annotated[Path | None, typer.Option(help="The data set (default: FOLDER-shop, here).")] = None,
    run: Annotated[Path | None, typer.Option(help="The run (default: runs/FOLDER).")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of the page; 0: one that is free.")] = 8000,
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Show the page at the end, until Ctrl-C.")] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan, and do nothing.")] = False,
    json_output: Json = False,
) -> None:
    """From files to a served page: import, doctor, enrich, encode, train, serve; what is done already is left out."""
    from viral.apps.up import Places, plan
    from viral.apps.up.step_plan import default_places

    named = default_places(folder)
    places = Places(folder, dataset or named[0], run or named[1], port)
    again = _again(places, serve)
    steps = plan(places)
    if not json_output:
        show(_table(steps, places, serve))
    if dry_run:
        if json_output:
            show_json(_told(steps, places, {}))
        return
    took = _work(context, places, again, quiet=json_output)
    if json_output:
        show_json(_told(plan(_fresh(places)), places, took))
    else:
        show(_next(places))
    if serve:
        _run_step(context, plan(_fresh(places))[-1], again, quiet=json_output)


def _fresh(places: "Places") -> "Places":
    """The places looked at anew."""
    from viral.apps.up import Places

    return Places(places.source, places.dataset, places.run, places.port)


def _work(context: typer.Context, places: "Places", again: str, *, quiet: bool) -> dict[str, float]:
    """Do what is to do, step by step; seconds by step. Each is planned with what those before it have left."""
    from viral.apps.up import plan

    took: dict[str, float] = {}
    while True:
        now = _fresh(places)
        steps = [step for step in plan(now) if step.name != "serve"]
        step = next((one for one in steps if one.state == "to do" and one.name not in took), None)
        if step is None:
            return took
        say(f"\n[{steps.index(step) + 1}/{len(steps)}] {step.command}" + (f"\n  {step.why}" if step.why else ""))
        started = time.monotonic()
        _run_step(context, step, again, quiet=quiet)
        took[step.name] = time.monotonic() - started
        now.finish(step.name)
        if step.name == "train":
            now.finish("encode")  # an update encodes what is new itself


def _run_step(context: typer.Context, step: "PlannedStep", again: str, *, quiet: bool) -> None:
    """Do a step by its own command, in this process; where it fails, say what to change and how to go on."""
    code: object = 0
    with redirect_stdout(sys.stderr if quiet else sys.stdout):
        try:
            context.find_root().command.main(args=list(step.words), prog_name="viral")
        except SystemExit as ended:
            code = ended.code
    if code == INTERRUPTED:
        say(f"it goes on by:\n  {again}")
        raise typer.Exit(code)
    if code:
        mend = "mend in your files what it names, or see it again by" if step.name == "doctor" else _CHANGE
        say(f"\nup: step {step.name!r} failed: {mend}\n  {step.command}")
        say(f"then go on with what is left:\n  {again}")
        raise typer.Exit(code if isinstance(code, int) else 1)


INTERRUPTED = 130
_CHANGE = "change its command, and type it yourself"


def _again(places: "Places", serve: bool) -> str:
    words = ["viral", "up", places.source, "--dataset", places.dataset, "--run", places.run]
    words += ["--port", places.port] if serve else ["--no-serve"]
    return shlex.join(map(str, words))


def _table(steps: "tuple[PlannedStep, ...]", places: "Places", serve: bool) -> str:
    shown = [step for step in steps if serve or step.name != "serve"]
    lines = [f"{places.source} → data set {places.dataset}, run {places.run}"]
    for number, step in enumerate(shown, start=1):
        long = f", about {_duration(step.seconds)}" if step.seconds is not None else ""
        why = f" ({step.why})" if step.why else ""
        lines.append(f"  {number}. {step.name:<7} {step.state}{long}{why}\n     {step.command}")
    left = sum(step.seconds or 0.0 for step in shown if step.state == "to do")
    lines.append(f"in all about {_duration(left)}, by one core that has nothing else to do" if left else "all is done")
    return "\n".join(lines)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _next(places: "Places") -> str:
    user = _somebody(places)
    commands = [("recommend", places.run, "--user", user), ("serve", places.run, "--port", places.port)]
    lines = [shlex.join(["viral", *map(str, words)]) for words in commands]
    following = ["viral", "up", "NEXT_FOLDER", "--dataset", places.dataset, "--run", places.run]
    return "next:\n" + "\n".join(f"  {line}" for line in [*lines, shlex.join(map(str, following)) + "  # next week"])


def _somebody(places: "Places") -> str:
    """A user of the log, for a command that can be typed."""
    from viral.data.dataset import Dataset

    return str(Dataset.open(places.dataset).interactions()["user_id"][0])


def _told(steps: "tuple[PlannedStep, ...]", places: "Places", took: dict[str, float]) -> dict[str, Any]:
    told = [
        {"name": step.name, "command": step.command, "state": step.state, "why": step.why, "estimate": step.seconds}
        for step in steps
    ]
    return {"dataset": str(places.dataset), "run": str(places.run), "steps": told, "seconds": took}
