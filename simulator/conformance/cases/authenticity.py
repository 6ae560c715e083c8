"""Group 1: nobody but the platform is believed, and the platform always is."""

from __future__ import annotations

from typing import Final

from simulator.conformance.bench import Bench
from simulator.conformance.case import Case, Need, Trust, case
from simulator.conformance.schemes import SIGNATURE
from simulator.conformance.verdicts import Level

WRONG: Final = "sha256=" + "0" * 64


@case(
    "1.1",
    "A correctly signed event is taken",
    Level.MUST,
    source="webhook documentation, signatures: HMAC-SHA256 of timestamp, a dot, and the raw body",
    trust=Trust.DOCUMENTED,
    sent="a text, signed as the platform signs",
    expected="2xx",
    why="A handler that refuses the platform's own events gets none of them; each is tried six times, then lost.",
    mend='Compute HMAC-SHA256 with the whole secret over the timestamp header, ".", and the body\'s raw bytes.',
    needs=(Need.SECRET,),
)
async def good_signature(bench: Bench) -> None:
    bench.accepted(await bench.deliver(await bench.text()))


@case(
    "1.3",
    "A wrong signature is refused",
    Level.MUST,
    source="webhook documentation, signatures",
    trust=Trust.DOCUMENTED,
    sent="a text whose signature is sixty-four zeros",
    expected="401 or 403",
    why="Whoever finds the URL can make the agent speak, text and spend.",
    mend="Compare the signature with the one you compute, in constant time, and answer 401 when they differ.",
)
async def wrong_signature(bench: Bench) -> None:
    request = bench.signed(await bench.text(), note="signed with zeros").but({SIGNATURE: WRONG})
    bench.refused(await bench.send(request))


CASES: Final[tuple[Case, ...]] = (good_signature, wrong_signature)
