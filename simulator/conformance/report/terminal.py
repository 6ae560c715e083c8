"""The report for the person who ran it: the verdicts of all groups, what fails and how to mend it, on one screen."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from simulator.conformance.report.records import CaseRecord, CheckRecord, Reported, ReportRecord
from simulator.conformance.report.summary import MARKS, cases, groups, headline, reasons, state, tally
from simulator.conformance.report.telling import told, told_case
from simulator.conformance.report.texts import length, outcome, visible
from simulator.conformance.results import CaseResult
from simulator.conformance.verdicts import Verdict

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

FEW: Final = 8  # numbers that are listed; of more, the first and the last
SHOWN: Final = 5  # failures that are told; of the others, the numbers
WIDEST: Final = 100  # columns
LABEL: Final = 10  # columns


def show(report: Reported, console: Console, *, verbose: bool = False) -> None:
    """Print a report. `verbose` prints all failures, what is not strict, and what went to and fro, too."""
    record = told(report)
    for line in lines(record, console, verbose=verbose):
        console.print(fit(line, console))
    if again := record.again(next(iter(record.having(Verdict.FAIL)), None)):
        from rich.text import Text

        # A command is there to be copied, so it is as long as it is.
        console.print(spelt(Text(f"again: {visible(again)}", style="dim"), console), soft_wrap=True)


def line(result: CaseResult, console: Console | None = None) -> Text:
    """One case on a line, for those who watch."""
    from rich.text import Text

    case = told_case(result)
    mark = MARKS[case.verdict]
    sign = mark.glyph if console is None else glyph(case.verdict, console)
    why = case.reason or (case.broken[0].observed if case.broken else "")
    title = f"{visible(case.number):<5}{visible(case.title)}"
    return Text.assemble((f"{sign} ", mark.color), title, (f"  {_flat(why)}" if why else "", "dim"))


def lines(record: ReportRecord, console: Console, *, verbose: bool) -> list[Text]:
    """Every line of a report but the command that repeats it."""
    from rich.text import Text

    made: list[Text] = [_about(record)]
    made += [_group(name, members, console) for name, members in groups(record)]
    made += _doctor(record, console)
    failed = record.having(Verdict.FAIL)
    shown = failed if verbose else failed[:SHOWN]
    for case in shown:
        made += _failure(case, console, verbose=verbose)
    if rest := failed[len(shown) :]:
        made += _labelled("", f"and {len(rest)} more: {', '.join(visible(case.number) for case in rest)}", console)
    made += _lax(record, console, verbose=verbose)
    for reason, numbers in reasons(record).items():
        made += _labelled("not run", f"{_counted(numbers)}: {reason}", console, "dim")
    mark = MARKS[state(record)]
    made.append(Text.assemble((headline(record), mark.color), (f", {length(record.seconds)}", "dim")))
    return made


def _counted(numbers: list[str]) -> str:
    if len(numbers) <= FEW:
        return ", ".join(map(visible, numbers))
    return f"{cases(len(numbers))}, {visible(numbers[0])} to {visible(numbers[-1])}"


def _about(record: ReportRecord) -> Text:
    from rich.text import Text

    rest = f"  profile {record.profile.value}, contract {visible(record.contract)}"
    return Text.assemble((_flat(record.target), "bold"), (rest, "dim"))


def _group(name: str, members: tuple[CaseRecord, ...], console: Console) -> Text:
    from rich.text import Text

    line = Text(f"{name:<19}")
    for case in members:
        line.append(glyph(case.verdict, console), style=MARKS[case.verdict].color)
    return line.append(f"  {tally(members)}", style="dim")


def _failure(case: CaseRecord, console: Console, *, verbose: bool) -> list[Text]:
    made = [_heading(case, console)]
    for check in case.broken if verbose else case.broken[:1]:
        made += _compared(check, console)
    if not verbose and len(case.broken) > 1:
        made += _labelled("", f"and {len(case.broken) - 1} more that do not hold", console, "dim")
    made += _labelled("mend", case.mend, console)
    return made + (_exchanged(case, console) if verbose else [])


def _heading(case: CaseRecord, console: Console) -> Text:
    from rich.text import Text

    mark = MARKS[case.verdict]
    return Text.assemble(
        (f"{glyph(case.verdict, console)} {visible(case.number)} ", mark.color), (visible(case.title), "bold")
    )


def _compared(check: CheckRecord, console: Console) -> list[Text]:
    return [
        *_labelled("expected", check.expected, console),
        *_labelled("observed", check.observed, console, "red"),
    ]


def _exchanged(case: CaseRecord, console: Console) -> list[Text]:
    made: list[Text] = []
    for exchange in case.exchanges:
        note = exchange.note or exchange.method
        made += _labelled("sent", f"{exchange.place} {note}: {outcome(exchange)}, {length(exchange.ended_at)}", console)
    return made


def _lax(record: ReportRecord, console: Console, *, verbose: bool) -> list[Text]:
    made: list[Text] = []
    lax = record.having(Verdict.NON_STRICT)
    if verbose:
        for case in lax:
            made += [_heading(case, console), *(text for c in case.broken for text in _compared(c, console))]
            made += _labelled("mend", case.mend, console)
        return made
    for case in lax[:2]:
        observed = f": {_flat(case.broken[0].observed)}" if case.broken else ""
        made.append(_heading(case, console).append(observed))
    if rest := lax[2:]:
        made += _labelled("", f"and not strict in {', '.join(visible(case.number) for case in rest)}", console)
    return made


def _doctor(record: ReportRecord, console: Console) -> list[Text]:
    found = record.diagnosis
    if found is None:
        return []
    return [
        *(_labelled("doctor", found.mistake, console, "bold") if found.mistake else []),
        *(_labelled("mend", found.mend, console) if found.mend else []),
    ]


def _labelled(label: str, text: str, console: Console, style: str = "", most: int = 2) -> list[Text]:
    """A label and a few lines; what does not fit ends in an ellipsis."""
    from rich.text import Text

    width = min(console.width, WIDEST) - LABEL - 2
    parts = textwrap.wrap(_flat(text), max(20, width), max_lines=most, placeholder=" …")
    return [
        Text.assemble((f"  {label if not row else '':<{LABEL}}", "dim"), (part, style))
        for row, part in enumerate(parts or [""])
    ]


def _flat(text: str) -> str:
    return " ".join(visible(text).split())


def glyph(verdict: Verdict, console: Console) -> str:
    """The mark of a verdict, in the letters that a terminal has."""
    return MARKS[verdict].plain if console.options.ascii_only else MARKS[verdict].glyph


def fit(text: Text, console: Console) -> Text:
    """A line that stays one."""
    fitting = spelt(text, console)
    fitting.truncate(console.width, overflow="crop" if console.options.ascii_only else "ellipsis")
    return fitting


def spelt(text: Text, console: Console) -> Text:
    """A line in the letters that a terminal has."""
    from rich.text import Text

    if not console.options.ascii_only or text.plain.isascii():
        return text
    return Text(text.plain.encode("ascii", "backslashreplace").decode(), style=text.style)
