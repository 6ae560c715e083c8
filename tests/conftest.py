"""One Hypothesis profile for all of our own tests."""

from __future__ import annotations

import os

from hypothesis import settings

# A loaded machine is slow now and then; time is measured by the benchmarks, never by a test.
settings.register_profile("ours", deadline=None)
settings.register_profile("ours-ci", deadline=None, derandomize=True, max_examples=60)  # the same ones each time
settings.load_profile("ours-ci" if os.environ.get("CI") else "ours")
