"""The file from which a running handler reads its secret."""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from simulator.errors import UsageError


class SecretFile:
    """Replaced in one step, so that nobody ever reads half a secret; its owner's alone to read.

    As a context manager it holds again at the end what it held before, if that was anything: it may be somebody's own.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._target = path.resolve()  # what a link points to is replaced, not the link
        self._before = b""

    def __enter__(self) -> Self:
        try:
            with suppress(FileNotFoundError):
                self._before = self._target.read_bytes()
        except OSError as error:
            raise UsageError(f"--secret-file {self.path} cannot be read: {error.strerror or error}") from error
        return self

    def write(self, secret: str) -> None:
        """Let the handler have this secret from now on. Raises UsageError."""
        self._replace(secret.encode())

    def _replace(self, content: bytes) -> None:
        beside = self._target.with_name(f".{self._target.name}.{secrets.token_hex(4)}")
        try:
            beside.touch(mode=0o600, exist_ok=False)  # before anything is in it
            try:
                beside.write_bytes(content)
                beside.replace(self._target)
            finally:
                beside.unlink(missing_ok=True)
        except OSError as error:
            raise UsageError(f"--secret-file {self.path} cannot be written: {error.strerror or error}") from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before:
            self._replace(self._before)
