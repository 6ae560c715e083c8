"""Group 4, the third part: what people write, say and show."""

from __future__ import annotations

import json
from functools import partial
from typing import Final

from simulator.conformance.bench import Bench
from simulator.conformance.case import Case, Trust, case
from simulator.conformance.cases.open_events import spoken_to, taken
from simulator.conformance.events import Event
from simulator.conformance.verdicts import Level, Profile

FILES: Final = "https://files.example.com"
PHOTO: Final = f"{FILES}/receipt.jpg"
EMOJI: Final = "👩‍👩‍👧‍👦 are 🇺🇦 👍🏽 ❤️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 1️⃣"  # joined, flags, skin, presentation, tags, keycap
RTL: Final = "שלום, מה שעות הפתיחה? مرحبا \u202eabc\u202c 12:30"
MARKS: Final = "Cafe\u0301, Z\u0335\u0321\u0350a\u034f\u0358l\u0321\u031bg\u0322o\u0340, กำ, ก็, 한국어, 𝔘𝔫𝔦𝔠𝔬𝔡𝔢"
CONTROLS: Final = "one\x1b[31mtwo\x07\x08\x7fthree\u2028four\u2029five\u0085six\ufeffseven\ufffe"
LONG_TEXT: Final = 10_000  # characters
LONG_SPEECH: Final = 5_000


@case(
    "4.9",
    "An e-mail address may be the sender",
    Level.MUST,
    source="users of the live service: people write by iMessage from their Apple ID",
    trust=Trust.OBSERVED,
    sent="an iMessage from an e-mail address",
    expected="2xx",
    why="Everybody who writes from an Apple ID is ignored, and their message is not sent again.",
    mend="Keep `from` as an opaque address; parse it as a telephone number only where you need one.",
    profile=Profile.SMS,
)
async def mail_sender(bench: Bench) -> None:
    sender = f"ann.{bench.platform.caller().removeprefix('+')}@example.com"
    await taken(bench, ("a text from an e-mail address", await bench.text(sender=sender, channel="imessage")))


@case(
    "4.10",
    "A picture without words is taken",
    Level.MUST,
    source="webhook documentation: `message` is empty when a text is pictures only",
    trust=Trust.DOCUMENTED,
    sent='a picture, with "" as its message',
    expected="2xx",
    why="Somebody sends the photo that they were asked for, and hears nothing.",
    mend="Look at mediaUrls as well as at `message` before you call a text empty, and acknowledge it either way.",
    profile=Profile.SMS,
)
async def picture_only(bench: Bench) -> None:
    await _shown(bench, "a picture without words", "", PHOTO)


@case(
    "4.11",
    "Several attachments of any kind are taken",
    Level.MUST,
    source="webhook documentation, mediaUrls; users have met URLs that do not tell the type",
    trust=Trust.OBSERVED,
    sent="a text with a HEIC photo, a contact card, a 3D model and a file without an ending",
    expected="2xx; the files cannot be fetched, and need not be before the text is acknowledged",
    why="Phones send what they have: a type that is not in the list would make the whole text disappear.",
    mend="Acknowledge first; then fetch what you can use, by its Content-Type, and pass over the rest.",
    profile=Profile.SMS,
)
async def attachments(bench: Bench) -> None:
    files = [f"{FILES}/{name}" for name in ("photo.heic", "card.vcf", "scene.usdz", "v1/messages/msg_1/media")]
    await _shown(bench, "a text with four attachments", "All of these.", *files)


async def _shown(bench: Bench, what: str, words: str, *files: str) -> None:
    """Deliver a text with pictures. Who fetches them first may answer 5xx, as nobody can fetch these.

    It is a failure only where a plain photo with words is taken: then it is not the fetching that goes wrong.
    """
    exchange = await bench.deliver(await bench.text(words, media=files), note=what)
    level = Level.MUST
    if exchange.crashed:
        plain = await bench.deliver(await bench.text("A photo.", media=[PHOTO]), note="a photo with words, to compare")
        level = Level.MUST if plain.ok else Level.SHOULD
    bench.accepted(exchange, level, what)


@case(
    "4.12",
    "Emoji are taken",
    Level.MUST,
    source="texts are Unicode",
    trust=Trust.INFERRED,
    sent="joined emoji, flags, skin tones and keycaps",
    expected="2xx",
    why="One thumb up, and the handler crashes six times over the same text.",
    mend="Keep text as Unicode everywhere: UTF-8 for files and logs, utf8mb4 in MySQL.",
    profile=Profile.SMS,
)
async def emoji(bench: Bench) -> None:
    await taken(bench, ("a text with emoji", await bench.text(EMOJI)))


@case(
    "4.13",
    "Other scripts are taken",
    Level.MUST,
    source="texts are Unicode",
    trust=Trust.INFERRED,
    sent="right-to-left text with an override, and text with combining marks and characters beyond 16 bits",
    expected="2xx",
    why="Whoever does not write in Latin letters is not answered.",
    mend="Keep text as Unicode everywhere, and validate no letters.",
    profile=Profile.SMS,
)
async def scripts(bench: Bench) -> None:
    await taken(bench, ("a text from right to left", await bench.text(RTL)))
    await taken(bench, ("a text with combining marks", await bench.text(MARKS)))


@case(
    "4.14",
    "A text of 10,000 characters is taken",
    Level.MUST,
    source="iMessage joins long texts; no limit is documented for inbound texts",
    trust=Trust.INFERRED,
    sent=f"a text of {LONG_TEXT:,} characters",
    expected="2xx",
    why="Somebody explains their problem at length, and is the only one who gets no answer.",
    mend="Cut what the model cannot take after you have acknowledged; refuse no text for its length.",
    profile=Profile.SMS,
)
async def long_text(bench: Bench) -> None:
    await taken(bench, ("a long text", await bench.text(_long(LONG_TEXT), channel="imessage")))


@case(
    "4.15",
    "Control characters are taken",
    Level.MUST,
    source="JSON carries any character; text is pasted from anywhere",
    trust=Trust.INFERRED,
    sent="a text with ESC, DEL, line separators and a byte order mark; one with NUL; one with half a surrogate pair",
    expected="2xx; for NUL and the half pair, which some parsers refuse, this is a SHOULD",
    why="Text that was pasted from a terminal is lost for ever, or is tried six times and crashes each time.",
    mend="Strip control characters and lone surrogates before text goes to XML, a terminal or a database.",
    profile=Profile.SMS,
)
async def control_characters(bench: Bench) -> None:
    await taken(bench, ("a text with control characters", worded(await bench.text(), CONTROLS)))
    await taken(bench, ("a text with NUL", worded(await bench.text(), "one\x00two")), level=Level.SHOULD)
    half = worded(await bench.text(), "half of an emoji: \ud83d")
    escaped = half.written(json.dumps(half.body, separators=(",", ":")).encode())
    await taken(bench, ("a text with half a surrogate pair, escaped", escaped), level=Level.SHOULD)


@case(
    "4.16",
    "Whatever is said gets a reply",
    Level.MUST,
    source="transcripts are Unicode of any length",
    trust=Trust.INFERRED,
    sent=f"turns whose transcript is emoji, right-to-left text, and {LONG_SPEECH:,} characters",
    expected="a whole reply to each",
    why="The caller hears nothing: a turn that crashes is not sent again.",
    mend="Cut what the model cannot take, keep text as Unicode, and answer something even when all else fails.",
    profile=Profile.VOICE,
)
async def spoken_words(bench: Bench) -> None:
    await bench.needs_replies()
    words = (("emoji", EMOJI), ("other letters", RTL), (f"{LONG_SPEECH:,} characters", _long(LONG_SPEECH)))
    await spoken_to(
        bench, *((f"a turn of {what}", partial(Event.but, data={"transcript": said})) for what, said in words)
    )


def worded(event: Event, words: str) -> Event:
    """A text that says something that cannot be sent through the API."""
    return event.but(data={name: words for name in ("message", "body") if name in event.data})


def _long(length: int) -> str:
    words = "I ordered the blue one, and a green one came. "
    return (words * (length // len(words) + 1))[:length]


CASES: Final[tuple[Case, ...]] = (
    mail_sender,
    picture_only,
    attachments,
    emoji,
    scripts,
    long_text,
    control_characters,
    spoken_words,
)
