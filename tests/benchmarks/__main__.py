"""Speed and memory beside their budgets: `python -m tests.benchmarks [NAME…] [--json FILE]`.

Absolute numbers on a shared machine say little, so a figure stands beside a yardstick wherever there is one, measured
between its own repeats: ours, yardstick, ours, yardstick … The medians are compared. Nothing here is a test; nothing
here can fail.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from rich.console import Console

from tests.benchmarks.figures import table
from tests.benchmarks.registry import BENCHMARKS, measure


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description="Speed and memory beside their budgets."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which ones: {', '.join(BENCHMARKS)} (default: all)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in BENCHMARKS]:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    console, figures, skipped = Console(width=None if sys.stdout.isatty() else 140), [], []
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as pool:
        for name in options.names or BENCHMARKS:
            with console.status(name):
                found = pool.submit(measure, name).result()
            if isinstance(found, str):
                skipped.append((name, found))
            else:
                figures += found
    console.print(table(figures, skipped))
    if options.json is not None:
        rows = [figure.as_dict() for figure in figures]
        left_out = [{"name": name, "reason": reason} for name, reason in skipped]
        options.json.write_text(json.dumps({"figures": rows, "skipped": left_out}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
