"""Group 1: timestamps. All requests here are signed with the right secret, over the timestamp that they carry."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from simulator.conformance.bench import Bench
from simulator.conformance.case import Case, Need, Trust, case
from simulator.conformance.cases.refusals import STALE, again, needs_taking, now, refuses, stamped, taken
from simulator.conformance.schemes import body_alone
from simulator.conformance.verdicts import Level, Profile

WINDOW: Final = "webhook documentation, signatures: a timestamp more than 300 s away is refused, on either side"
RECENT: Final = 240.0  # seconds; within the five minutes, even where a clock is a little wrong
FOR_EVER: Final = "Whoever has recorded one request can send it again, for ever."
NEVER_OLD: Final = "Such a request never grows old: what was once signed so is good for ever."
PLAIN: Final = (
    "Take decimal digits and nothing else (`stamp.isdigit()`, `/^\\d+$/`), and refuse unless the age is at most 300 s: "
    "`if not age <= 300`, since every comparison with NaN is false."
)


@case(
    "1.14",
    "A request that is ten minutes old is refused",
    Level.MUST,
    source=WINDOW,
    trust=Trust.DOCUMENTED,
    sent="a text that was signed ten minutes ago",
    expected="401 or 403",
    why=FOR_EVER,
    mend="Refuse when `abs(now - timestamp) > 300`.",
)
async def stale(bench: Bench) -> None:
    request = bench.signed(
        await bench.plain(), scheme=taken(bench), age=STALE, note="an event that was signed ten minutes ago"
    )
    await refuses(bench, request)


@case(
    "1.15",
    "A request from the future is refused",
    Level.MUST,
    source=WINDOW,
    trust=Trust.DOCUMENTED,
    sent="a text that is signed for in ten minutes",
    expected="401 or 403",
    why="What is signed for a later day stays good until then, however often it is sent.",
    mend="Compare the absolute difference: refuse when `abs(now - timestamp) > 300`.",
)
async def future(bench: Bench) -> None:
    request = bench.signed(
        await bench.plain(), scheme=taken(bench), age=-STALE, note="an event that is signed for in ten minutes"
    )
    await refuses(bench, request)


@case(
    "1.16",
    "A request that is four minutes old is taken",
    Level.SHOULD,
    source=WINDOW,
    trust=Trust.DOCUMENTED,
    sent="a text that was signed four minutes ago",
    expected="2xx",
    why="Where clocks differ by a minute, or a queue is in front, good events are lost.",
    mend="Allow five minutes, as the documentation does.",
    needs=(Need.SECRET,),
)
async def recent(bench: Bench) -> None:
    needs_taking(bench)
    request = bench.signed(await bench.plain(), scheme=taken(bench), age=RECENT, note="signed four minutes ago")
    bench.accepted(await bench.send(request), Level.SHOULD, "a text that was signed four minutes ago")


@case(
    "1.17",
    "A missing timestamp is refused",
    Level.MUST,
    source="webhook documentation, signatures: every request has X-Webhook-Timestamp",
    trust=Trust.DOCUMENTED,
    sent="texts without a timestamp or with an empty one, signed over what such a handler might make of it",
    expected="401 or 403",
    why=NEVER_OLD,
    mend="Refuse what has no timestamp before you compute anything.",
)
async def missing_timestamp(bench: Bench) -> None:
    scheme = taken(bench)
    without = dict.fromkeys(scheme.timestamp_headers)
    note = "a text without a timestamp, signed over"
    requests = [
        bench.signed(await bench.plain(), scheme=scheme).but(without, note=f"{note} the time of now"),
        bench.signed(await bench.plain(), scheme=replace(scheme, content=body_alone)).but(
            without, note=f"{note} the body alone"
        ),
        stamped(bench, await bench.plain(), "", note="an event with an empty timestamp"),
    ]
    for nothing in ("", "undefined", "null", "None"):
        made = stamped(bench, await bench.plain(), nothing)
        requests.append(made.but(without, note=f'{note} "{nothing}." and the body'))
    await refuses(bench, *requests)


@case(
    "1.18",
    "A timestamp that is no number is refused",
    Level.MUST,
    source="webhook documentation, signatures: the timestamp is in unix seconds",
    trust=Trust.DOCUMENTED,
    sent='a text with the timestamp "now", signed over it',
    expected="401 or 403",
    why=NEVER_OLD,
    mend=PLAIN,
)
async def timestamp_of_words(bench: Bench) -> None:
    await refuses(bench, stamped(bench, await bench.plain(), "now", note='an event with the timestamp "now"'))


@case(
    "1.19",
    "A timestamp that only looks like a number is refused",
    Level.MUST,
    source="webhook documentation, signatures: the timestamp is in unix seconds",
    trust=Trust.INFERRED,
    sent="texts with the timestamps NaN, Infinity, -1 and 1e10, each signed over it",
    expected="401 or 403",
    why=NEVER_OLD,
    mend=PLAIN,
)
async def timestamp_of_sorts(bench: Bench) -> None:
    stamps = ("NaN", "nan", "Infinity", "-Infinity", "-1", "1e10")
    await refuses(
        bench, *[stamped(bench, await bench.plain(), it, note=f'an event with the timestamp "{it}"') for it in stamps]
    )


@case(
    "1.20",
    "A timestamp in milliseconds is refused",
    Level.SHOULD,
    source="webhook documentation, signatures: the timestamp is in unix seconds",
    trust=Trust.INFERRED,
    sent="a text that is signed now, with the timestamp in milliseconds",
    expected="401 or 403",
    why="In seconds that is some fifty thousand years away: whoever takes it checks no future, or guesses at units.",
    mend="Take the timestamp for seconds, and refuse when `abs(now - timestamp) > 300`.",
)
async def milliseconds(bench: Bench) -> None:
    stamp = str(now(bench) * 1000)
    request = stamped(bench, await bench.plain(), stamp, note="an event with its timestamp in milliseconds")
    await refuses(bench, request, level=Level.SHOULD)


@case(
    "1.22",
    "A recorded voice turn cannot be sent again later",
    Level.MUST,
    source=WINDOW,
    trust=Trust.DOCUMENTED,
    sent="a caller's question that was signed ten minutes ago",
    expected="401 or 403",
    why="A turn may come twice, so nobody remembers turns: its age is all that keeps a recorded one out.",
    mend="Check the age of every request, before you look at its channel.",
    profile=Profile.VOICE,
)
async def recorded_turn(bench: Bench) -> None:
    turn = await bench.turn()
    await refuses(
        bench,
        bench.signed(turn, scheme=taken(bench), age=STALE, note="a turn that was signed ten minutes ago"),
        control=bench.signed(again(turn, 2), scheme=bench.session.scheme, note="a good turn, for comparison"),
    )


CASES: Final[tuple[Case, ...]] = (
    *(stale, future, recent, missing_timestamp, timestamp_of_words, timestamp_of_sorts, milliseconds, recorded_turn),
)
