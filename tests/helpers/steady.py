"""Whether verdicts are steady: real handlers on sockets, examined again and again while the machine is kept busy.

    python -m tests.helpers.steady [--repeats 20] [--load 4] [HANDLER …]

A handler is a file name below `fixtures/handlers`. Prints every case whose verdict was not the same each time, and how
long the runs took; exit code 1 when there is one.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from simulator.app import build_app, build_simulator
from simulator.conformance.examine import Options, Target, examine
from simulator.conformance.results import Report
from simulator.runtime.server import ServerThread
from simulator.settings import Settings
from tests.helpers.processes import EXPRESS, KEY, run_handler

HANDLERS = ("simple_starlette.py", "streaming_fastapi.py", "tools_flask.py", EXPRESS, "broken/sound.py")
SECRET = "whsec_of_the_steady"
BUSY = "while True: pass"


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """Keep the machine busy with endless loops."""
    loops = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(processes)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


@contextmanager
def examiner(name: str, folder: Path) -> Iterator[Callable[[], Report]]:
    """A handler process, and a simulator whose API it uses; examines it each time it is called."""
    secret_file = folder / "secret.txt"
    secret_file.write_text(SECRET, "utf-8")
    app = build_app(build_simulator(Settings(api_keys=(KEY,), webhook_secret=SECRET)))
    with ServerThread(app) as server:
        env = {"AGENTPHONE_BASE_URL": server.url, "AGENTPHONE_API_KEY": KEY}
        with run_handler(name, secret_file, secret=SECRET, env=env) as handler:
            target = Target(url=handler.url, name=name, secret=SECRET, rotate=secret_file.write_text)

            def examined() -> Report:
                work = examine(app, KEY, target, Options())
                return asyncio.run_coroutine_threadsafe(work, server.loop).result()

            yield examined


def main() -> int:
    """See above."""
    parser = argparse.ArgumentParser()
    parser.add_argument("handlers", nargs="*", default=HANDLERS)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--load", type=int, default=4)
    chosen = parser.parse_args()
    unsteady = 0
    for name in chosen.handlers:
        seen: defaultdict[str, Counter[str]] = defaultdict(Counter)
        took = []
        with tempfile.TemporaryDirectory() as folder, examiner(name, Path(folder)) as examined, busy(chosen.load):
            for _ in range(chosen.repeats):
                began = time.monotonic()
                for result in examined().results:
                    seen[result.number][result.verdict] += 1
                took.append(time.monotonic() - began)
        changing = {number: dict(verdicts) for number, verdicts in seen.items() if len(verdicts) > 1}
        unsteady += len(changing)
        bad = {n: next(iter(v)) for n, v in seen.items() if not {*v} <= {"pass", "informational"}}
        print(f"{name}: {len(seen)} cases, {chosen.repeats} times, {min(took):.1f} to {max(took):.1f} s")
        print(f"    not the same each time: {changing or 'none'}; not passed: {bad or 'none'}", flush=True)
    return 1 if unsteady else 0


if __name__ == "__main__":
    sys.exit(main())
