"""`numbers`: the fictional telephone numbers with a fixed behaviour."""

from __future__ import annotations

import json

import click

from simulator.domain.magic import NUMBERS
from simulator.errors import UsageError


@click.command()
@click.option("--area-code", default="415", show_default=True, metavar="NPA", help="Any; the behaviour is the same.")
@click.option("--json", "as_json", is_flag=True, help="For programs: one JSON array.")
def command(area_code: str, as_json: bool) -> None:
    """List the fictional numbers with a fixed behaviour.

    Call one, text one or look one up, and it does what is listed. The other numbers of +1 NPA 555 01xx are ordinary:
    they answer and listen, and get their texts.

    Example: agentphone-simulator numbers --area-code 212
    """
    if len(area_code) != 3 or not area_code.isdecimal() or not area_code.isascii() or area_code[0] in "01":
        raise UsageError(f"--area-code {area_code!r} is no area code: use three digits from 200 to 999")
    rows = [(f"+1{area_code}55501{magic.digits}", magic) for magic in NUMBERS]
    if as_json:
        shown = [{"number": number, "name": magic.name, "about": magic.about} for number, magic in rows]
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("NUMBER", "NAME", "WHAT IT DOES"):
        table.add_column(title, no_wrap=title == "NUMBER")
    for number, magic in rows:
        table.add_row(number, magic.name, magic.about.replace("`", ""))
    Console(highlight=False, markup=False).print(table)
