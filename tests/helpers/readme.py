"""The README's generated tables. `python -m tests.helpers.readme` writes them; a test compares."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from simulator.app import operations
from simulator.domain.policy import CONTRACTS, POLICIES

README = Path(__file__).resolve().parents[2] / "README.md"


def operations_table() -> str:
    """What is served and what is not, by tag."""
    served: dict[str, list[str]] = defaultdict(list)
    missing: dict[str, list[str]] = defaultdict(list)
    for operation in operations():
        rows = missing if operation.status == 501 else served
        if operation.tag != "simulator":
            rows[operation.tag].append(f"`{operation.method} {operation.path}`")
    lines = ["| resource | simulated | answers 501 |", "| --- | --- | --- |"]
    for tag in [*served, *(t for t in missing if t not in served)]:
        lines.append(f"| {tag} | {' · '.join(served[tag]) or '-'} | {' · '.join(missing[tag]) or '-'} |")
    return "\n".join(lines)


def policies_table() -> str:
    """Every switch, its values (the default first), and which contracts change it."""
    lines = ["| policy | values, default first | about | changed by |", "| --- | --- | --- | --- |"]
    for policy in POLICIES:
        changes = [f"{name}: {values[policy.name]}" for name, values in CONTRACTS.items() if policy.name in values]
        values = ", ".join(f"`{value}`" for value in policy.values)
        lines.append(f"| `{policy.name}` | {values} | {policy.about} | {', '.join(changes) or '-'} |")
    return "\n".join(lines)


TABLES = {"operations": operations_table, "policies": policies_table}


def rendered(text: str) -> str:
    """The README with its tables as they should be."""
    for name, table in TABLES.items():
        block = f"<!-- {name} -->\n{table()}\n<!-- /{name} -->"
        text = re.sub(rf"<!-- {name} -->\n.*?<!-- /{name} -->", lambda _, b=block: b, text, flags=re.DOTALL)
    return text


if __name__ == "__main__":
    README.write_text(rendered(README.read_text("utf-8")), "utf-8")
