"""A file that is always whole: replaced in one step, locked by one process, readable by its owner alone."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from simulator.errors import UsageError

MODE: Final = 0o600  # API keys and webhook secrets are in it


class StateFile:
    """The file of a server, held from the beginning to the end of the block. Raises UsageError when that cannot be.

    The lock is on a file of its own beside it: what is replaced cannot be locked. The operating system lets go of it
    when the process ends, however it ends.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).resolve()  # where a link leads: replacing the link would leave the file behind
        self._lock: Any = None

    def __enter__(self) -> Self:
        try:
            self._lock = self._locked()
        except OSError as error:
            raise UsageError(f"state file {self.path} cannot be used: {error.strerror or error}") from error
        for left in self.path.parent.glob(f".{self.path.name}.*.tmp"):  # of a process that was killed while it wrote
            with contextlib.suppress(OSError):
                left.unlink()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.close()

    def _locked(self) -> Any:
        try:
            import fcntl
        except ImportError:
            raise UsageError("--state needs file locks, which this operating system does not have") from None
        lock = os.fdopen(os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT, MODE), "r+", encoding="ascii")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = lock.read(20).strip()
            lock.close()
            raise UsageError(
                f"state file {self.path} is in use by another server (process {holder or 'unknown'}): "
                "stop it, or give this one another file"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        return lock

    def read(self) -> bytes | None:
        """What is in it; None when there is no such file."""
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UsageError(f"state file {self.path} cannot be read: {error.strerror or error}") from error

    def write(self, text: str) -> None:
        """Replace what is in it, all at once: after any power cut there is either the old content or the new."""
        new = self.path.parent / f".{self.path.name}.{os.getpid()}.tmp"
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, MODE)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self.path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
