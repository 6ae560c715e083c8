"""The README's generated tables. `python -m tests.helpers.readme` writes them; a test compares."""

from __future__ import annotations

import re
from pathlib import Path

from simulator.domain.journal_kinds import KINDS as KINDS_OF_ENTRIES
from simulator.domain.limits import KINDS
from simulator.domain.magic import NUMBERS
from simulator.domain.policy import CONTRACTS, POLICIES
from tests.helpers.coverage import by_operation, compact

README = Path(__file__).resolve().parents[2] / "README.md"


def policies_table() -> str:
    """Every switch, its values (the default first), and which contracts change it."""
    lines = ["| policy | values, default first | about | changed by |", "| --- | --- | --- | --- |"]
    for policy in POLICIES:
        changes = [f"{name}: {values[policy.name]}" for name, values in CONTRACTS.items() if policy.name in values]
        values = ", ".join(f"`{value}`" for value in policy.values)
        lines.append(f"| `{policy.name}` | {values} | {policy.about} | {', '.join(changes) or '-'} |")
    return "\n".join(lines)


def numbers_table() -> str:
    """The fictional numbers with a fixed behaviour."""
    rows = [f"| `{magic.digits}` | {magic.name} | {magic.about} |" for magic in NUMBERS]
    return "\n".join(["| last digits | name | what it does |", "| --- | --- | --- |", *rows])


def limits_table() -> str:
    """Every limit that can be switched on."""
    rows = [f"| `{kind.name}` | {kind.about} | {kind.documented or '-'} |" for kind in KINDS]
    return "\n".join(["| limit | what it is | `documented` is |", "| --- | --- | --- |", *rows])


def kinds_table() -> str:
    """What there is to ask a journal for."""
    rows = [f"| `{kind.name}` | {kind.about} | {', '.join(kind.fields) or '-'} |" for kind in KINDS_OF_ENTRIES]
    table = "\n".join(["| kind | what happened | fields |", "| --- | --- | --- |", *rows])
    return f"<details><summary>Kinds of journal entries, and their fields</summary>\n\n{table}\n\n</details>"


TABLES = {
    "coverage": compact,
    "by operation": by_operation,
    "policies": policies_table,
    "numbers": numbers_table,
    "limits": limits_table,
    "kinds": kinds_table,
}


def rendered(text: str) -> str:
    """The README with its tables as they should be."""
    for name, table in TABLES.items():
        block = f"<!-- {name} -->\n{table()}\n<!-- /{name} -->"
        text = re.sub(rf"<!-- {name} -->\n.*?<!-- /{name} -->", lambda _, b=block: b, text, flags=re.DOTALL)
    return text


if __name__ == "__main__":
    README.write_text(rendered(README.read_text("utf-8")), "utf-8")
