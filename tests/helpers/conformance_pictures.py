"""Takes the picture of a report that the README shows: a handler of the zoo, examined, and its page in a browser.

    python -m tests.helpers.conformance_pictures [HANDLER] [--browser chromium]

Needs a Chromium. The same handler gives the same page but for the date and the ids.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from simulator.conformance.report import page
from tests.helpers.zoo import examined, load

PICTURE = Path(__file__).resolve().parents[2] / "fixtures" / "pictures" / "conformance.png"
SIZE = "1280,1720"


def photograph(html: str, browser: str, picture: Path) -> None:
    """Show a page and keep what is seen."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.html"
        file.write_text(html, "utf-8")
        flags = (
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--user-data-dir={folder}/profile",
        )
        command = [browser, *flags, f"--window-size={SIZE}", f"--screenshot={picture}", file.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=60)


def main() -> int:
    """See above."""
    parser = argparse.ArgumentParser()
    parser.add_argument("handler", nargs="?", default="accepts_anybody")
    parser.add_argument("--browser", default="chromium")
    chosen = parser.parse_args()
    browser = shutil.which(chosen.browser)
    if browser is None:
        print(f"there is no {chosen.browser}: give --browser", file=sys.stderr)
        return 2
    photograph(page.render(examined(load(chosen.handler))), browser, PICTURE)
    print(PICTURE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
