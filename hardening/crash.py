"""`make crash`: long verbs killed at random moments; afterwards the same command must end as if nothing had been."""

import random
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from hardening.content import content, difference, left_behind
from hardening.world import Stage, command, environment, run, stages

FULL, SHORT = 200, 10  # kills
MOST_IN_A_ROW = 3


def crash(short: bool, seed: int, only: str | None = None) -> list[str]:
    """Kill each verb in turn; returns what was wrong, a line each."""
    draw, faults, kills = random.Random(seed), list[str](), 0
    with tempfile.TemporaryDirectory() as name:
        there = [stage for stage in stages(Path(name)) if only in (None, stage.verb.name)]
        wanted = SHORT if short else FULL
        while kills < wanted:
            stage = there[kills % len(there)] if short else draw.choice(there)
            in_a_row = draw.randint(1, min(MOST_IN_A_ROW, wanted - kills))
            told = _killed(stage, Path(name) / "try", draw, in_a_row)
            kills += in_a_row
            if told:
                faults.append(f"{stage.verb.name}: {told}")
                print(f"  FAULT {faults[-1]}", flush=True)
            print(f"{kills} of {wanted} kills, the last of {stage.verb.name}", flush=True)
    return faults


def _killed(stage: Stage, world: Path, draw: random.Random, times: int) -> str:
    """What is wrong after so many kills in a row and a last, undisturbed run; "" where all is well."""
    shutil.rmtree(world, ignore_errors=True)
    shutil.copytree(stage.before, world, symlinks=True)
    for _ in range(times):
        with subprocess.Popen(
            command(stage.verb), cwd=world, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                process.wait(draw.uniform(0.0, 1.1 * stage.seconds))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
    done = run(world, stage.verb)
    if done.returncode:
        return f"the same command ends with {done.returncode}: {done.stderr.strip()[-300:]}"
    if "Traceback" in done.stderr:
        return f"a traceback: {done.stderr.strip()[-300:]}"
    rest = left_behind(world)
    return difference(stage.expected, content(world, stage.verb.leaves)) or (f"left behind: {rest[:3]}" if rest else "")
