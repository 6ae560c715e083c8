"""A program of ours in a process of its own: started, waited for by what it prints, stopped by its process id."""

from __future__ import annotations

import os
import queue
import re
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import IO, Final, Self

from simulator.errors import SimulatorError

KEPT_LINES: Final = 200  # of each stream; enough to say why something did not start
STOP_PATIENCE: Final = 10.0  # real seconds between asking a process to end and ending it


class ChildFailed(SimulatorError):
    """A process ended, or said nothing, before it printed the line that was waited for."""


class Child:
    """A running process whose output is read all the time, so that it can never block on a full pipe."""

    def __init__(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> None:
        self.argv = tuple(argv)
        self.stdout: deque[str] = deque(maxlen=KEPT_LINES)
        self.stderr: deque[str] = deque(maxlen=KEPT_LINES)
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()  # of stdout, not yet waited for; None: ended
        self._process = subprocess.Popen(
            self.argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **(env or {})},
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._readers = (
            threading.Thread(target=self._read_stdout, args=(self._process.stdout,), daemon=True),
            threading.Thread(target=_keep, args=(self._process.stderr, self.stderr), daemon=True),
        )
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def _read_stdout(self, stream: IO[str]) -> None:
        _keep(stream, self.stdout, self._lines.put)
        self._lines.put(None)

    def wait_for_line(self, pattern: str, real_seconds: float) -> re.Match[str]:
        """The first line of stdout, from where the last wait ended, in which `pattern` is found.

        Raises ChildFailed with what was printed when the process ends or the time is up first.
        """
        deadline = time.monotonic() + real_seconds
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise ChildFailed(self._story(f"printed no line like {pattern!r} in {real_seconds:g} s")) from None
            if line is None:
                self._process.wait()
                raise ChildFailed(self._story(f"ended with code {self._process.returncode}"))
            if found := re.search(pattern, line):
                return found

    def _story(self, what: str) -> str:
        said = " | ".join([*self.stdout, *self.stderr][-20:])
        return f"{' '.join(self.argv)} {what}; it said: {said or 'nothing'}"

    def wait(self, real_seconds: float) -> int:
        """Wait for the process to end by itself and return its exit code. Raises ChildFailed when it does not."""
        try:
            code = self._process.wait(real_seconds)
        except subprocess.TimeoutExpired:
            raise ChildFailed(self._story(f"still runs after {real_seconds:g} s")) from None
        self._join()
        return code

    def stop(self) -> int:
        """Ask the process to end (SIGTERM), insist if it does not, and return its exit code."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(STOP_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
        code = self._process.wait()
        self._join()
        return code

    def kill(self) -> None:
        """End the process at once, as a power cut would (SIGKILL)."""
        self._process.kill()
        self._process.wait()
        self._join()

    def _join(self) -> None:
        for reader in self._readers:
            reader.join(STOP_PATIENCE)  # not for ever: a grandchild may hold the pipes open

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _keep(stream: IO[str], kept: deque[str], tell: Callable[[str], None] | None = None) -> None:
    with stream:
        for line in stream:
            kept.append(line.rstrip("\n"))
            if tell is not None:
                tell(kept[-1])
