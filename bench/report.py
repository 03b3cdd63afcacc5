"""Results as Markdown, and two results side by side."""

from collections.abc import Iterator
from typing import Any

from bench.growth import exponents, slope

EPOCH = ("epoch", "sampling", "epoch start", "propagation", "loss", "backward", "optimiser", "build")
LARGEST = 5_000_000 / 64  # interactions of size 1


def rows_of(result: dict[str, Any], kind: str) -> Iterator[tuple[str, dict[str, float], dict[str, Any]]]:
    """Title, seconds and the part they belong to; ``kind`` is the beginning of the part's name, or "" for the rest."""
    for name, part in result["parts"].items():
        if name.startswith(kind) if kind else ":" not in name:
            for title, seconds in part["seconds"].items():
                yield title, seconds, part


def table(result: dict[str, Any]) -> str:
    """The whole result as a Markdown page."""
    busy = max((part.get("load_before", 0.0) for part in result["parts"].values()), default=0.0)
    lines = [
        "# Speed",
        "",
        f"Made by `python -m bench` at {result['commit']}: {result['data']}, torch {result['torch']}, "
        f"{result['threads']} threads, {result['machine']}; load before a part at most {busy:.1f}. "
        "Ratios are of one run; milliseconds are of this machine.",
        "",
        "| what | ms | over its limit | others, over ours |",
        "|---|---|---|---|",
    ]
    for title, seconds, _ in rows_of(result, ""):
        ours = seconds["ours"]
        limit = f"{ours / seconds['limit']:.2f}" if "limit" in seconds else ""
        others = "; ".join(
            f"{name} {value / ours:.2f}" for name, value in seconds.items() if name not in ("ours", "limit")
        )
        lines.append(f"| {title} | {ours * 1e3:.3g} | {limit} | {others} |")
    return "\n".join([*lines, *_epochs(result), *_sizes(result)]) + "\n"


def _epochs(result: dict[str, Any]) -> list[str]:
    found = list(rows_of(result, "epochs:"))
    if not found:
        return []
    lines = ["", "## Epochs", "", "Seconds, batches of 2048, default configurations, features of 384 for text,"]
    lines += ["description and picture; loss and backward without the products that propagate.", ""]
    lines += ["| model | " + " | ".join(EPOCH) + " | peak GB |", "|---" * (len(EPOCH) + 2) + "|"]
    for title, seconds, part in found:
        cells = [f"{seconds[name]:.3g}" if name in seconds else "" for name in EPOCH]
        lines.append(f"| {title.removeprefix('epoch of ')} | {' | '.join(cells)} | {part['peak_bytes'] / 1e9:.2f} |")
    return lines


def _sizes(result: dict[str, Any]) -> list[str]:
    found = {float(title.removeprefix("size ×")): (seconds, part) for title, seconds, part in rows_of(result, "sizes:")}
    if len(found) < 2:
        return []
    sizes = sorted(found)
    growth = exponents([{"interactions": size * LARGEST} | found[size][0] for size in sizes])
    memory = [found[size][1]["extra_bytes"] for size in sizes]
    lines = ["", "## Growth with the interactions", "", "Processor seconds; ×64 is 200,000 users, 50,000 items, "]
    lines[-1] += "5 million interactions."
    lines += ["", "| what | " + " | ".join(f"×{size:g}" for size in sizes) + " | exponent |"]
    lines += ["|---" * (len(sizes) + 2) + "|"]
    for name, exponent in growth.items():
        cells = " | ".join(f"{found[size][0][name]:.3g}" for size in sizes)
        lines.append(f"| {name} | {cells} | {exponent:.2f} |")
    cells = " | ".join(f"{value / 1e9:.2f} GB" for value in memory)
    lines.append(f"| memory beyond the start | {cells} | {slope(sizes, memory):.2f} |")
    return lines


def compared(before: dict[str, Any], after: dict[str, Any]) -> str:
    """Seconds of both over the limits that each run measured, and their ratio; above 1 the second is slower."""
    lines = [f"| what | {before['commit']} | {after['commit']} | ratio |", "|---|---|---|---|"]
    theirs = {(title, name): value for title, name, value in _normalised(before)}
    for title, name, value in _normalised(after):
        if (title, name) in theirs:
            old = theirs[title, name]
            lines.append(f"| {title}, {name} | {old:.3g} | {value:.3g} | {value / old:.2f} |")
    return "\n".join(lines) + "\n"


def _normalised(result: dict[str, Any]) -> Iterator[tuple[str, str, float]]:
    """What is ours over its own limit; where there is none, seconds times the machine's speed in that part.

    That speed is the geometric mean of a copy in units of 10 GB/s and of a product in units of 100 GFLOP/s.
    """
    for part in result["parts"].values():
        speed = (part["limits"]["bytes_per_second"] / 1e10 * part["limits"]["flops"] / 1e11) ** 0.5
        for title, seconds in part["seconds"].items():
            if "limit" in seconds:
                yield title, "ours", seconds["ours"] / seconds["limit"]
            else:
                yield from ((title, name, value * speed) for name, value in seconds.items())
