"""Runs somebody's ASGI application on a free port of this machine: `python -m simulator.commands.host MODULE:APP`.

Prints `listening on URL` once connections are accepted, and ends when it is told to.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from simulator.errors import UsageError
from simulator.runtime.server import bind, url_of


def load(target: str) -> Any:
    """The application that "package.module:name" names. Raises UsageError when there is none."""
    module_name, colon, path = target.partition(":")
    if not (module_name and colon and path):
        raise UsageError(f"{target!r} names no application: write MODULE:APP, such as my_handler:app")
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise  # something that the module itself needs: its traceback says what
        raise UsageError(f"there is no module {error.name!r} in {Path.cwd()} or on the path") from error
    for name in path.split("."):
        if not hasattr(found, name):
            raise UsageError(f"{module_name} has no {path!r}")
        found = getattr(found, name)
    if not callable(found):
        raise UsageError(f"{target} is no ASGI application: it cannot be called")
    return found


def main(target: str) -> None:
    """Serve the application until SIGTERM."""
    import uvicorn

    sys.path.insert(0, str(Path.cwd()))
    app = load(target)
    sock = bind("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    sock.listen()  # from here on connections wait; the server accepts them when the application has started
    print(f"listening on {url_of(sock)}", flush=True)
    server.run(sockets=[sock])


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except UsageError as mistake:
        sys.exit(str(mistake))
