"""Scenario files: what they say, what is expected of them, what came of them, and how that is shown."""
