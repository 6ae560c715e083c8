"""What a call's recording sounds like: one tone per party while it speaks, true keypad tones, silence elsewhere.

WAV, 16 bit, mono, 8 kHz: what telephone networks carry. The sound is made piece by piece from the call's record, so
that a recording of two hours (115 MB) needs no more memory than one of two seconds.
"""

from __future__ import annotations

import math
import struct
import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from operator import add
from typing import Final

from simulator.domain.calls import Call, Party
from simulator.engine.speech import TONE, TONE_PAUSE

RATE: Final = 8000  # samples a second
SAMPLE: Final = 2  # bytes
HEADER: Final = 44  # bytes
CHUNK: Final = 8192  # samples rendered in one go: a second, which takes well under a millisecond
LONGEST: Final = (2**32 - HEADER) // SAMPLE  # samples; a WAV file counts its bytes in 32 bits (74 hours)

# A hertz number that divides the rate gives a wave that repeats after few samples: here 80, for both of them.
SPEECH_HZ: Final = {Party.REMOTE: 300, Party.AGENT: 500}
PERIOD: Final = 80
ROWS: Final = {697: "123A", 770: "456B", 852: "789C", 941: "*0#D"}
COLUMNS: Final = (1209, 1336, 1477, 1633)
KEY_HZ: Final = {key: (row, column) for row, keys in ROWS.items() for key, column in zip(keys, COLUMNS, strict=True)}

# Both parties at once, each pressing or speaking, stay below the largest sample (32767), so nothing ever clips.
SPEECH_LEVEL: Final = 8000
KEY_LEVEL: Final = 7000  # of each of a key's two tones

_SPEECH: Final = None  # in place of a key: words
_PAUSE: Final = ""  # in place of a key: the finger moves on


def samples_in(span: timedelta) -> int:
    """Say how many whole samples fit into `span`."""
    return span // timedelta(microseconds=1) * RATE // 1_000_000


@dataclass(frozen=True, slots=True)
class _Sound:
    """From sample `start` up to `end`, a party speaks, presses a key, or pauses between keys."""

    start: int
    end: int
    party: Party
    key: str | None


class Recording:
    """The recording of a call that was connected and has ended, as bytes of a WAV file."""

    def __init__(self, call: Call) -> None:
        self._length = min(samples_in(call.duration or timedelta()), LONGEST)
        self._sounds = sorted(self._heard(call), key=lambda sound: sound.start)  # stable: a pause before its keys
        self._words: dict[tuple[Party, ...], array[int]] = {}
        self._keys: dict[str, array[int]] = {}

    @property
    def size(self) -> int:
        """How many bytes `chunks` gives in all."""
        return HEADER + self._length * SAMPLE

    def chunks(self) -> Iterator[bytes]:
        """Give the file piece by piece: its header, then at most `CHUNK` samples each time."""
        yield self._header()
        part = bytearray()
        for start, end, voices in self._spans():
            while start < end:
                stop = min(end, start + CHUNK - len(part) // SAMPLE)
                part += self._render(start, stop, voices)
                start = stop
                if len(part) == CHUNK * SAMPLE:
                    yield bytes(part)
                    part.clear()
        if part:
            yield bytes(part)

    def _header(self) -> bytes:
        data = self._length * SAMPLE
        form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, RATE * SAMPLE, SAMPLE, 8 * SAMPLE)
        return struct.pack("<4sI4s", b"RIFF", HEADER - 8 + data, b"WAVE") + form + struct.pack("<4sI", b"data", data)

    def _heard(self, call: Call) -> Iterator[_Sound]:
        if call.connected_at is None:
            return
        for spoken in call.utterances:
            start = samples_in(spoken.at - call.connected_at)
            yield from self._cut(start, start + samples_in(spoken.duration), spoken.party, _SPEECH)
        step, tone = samples_in(TONE + TONE_PAUSE), samples_in(TONE)
        for tones in call.tones:
            start = samples_in(tones.at - call.connected_at)
            yield from self._cut(start, start + samples_in(tones.duration), tones.party, _PAUSE)
            for at, key in enumerate(tones.digits):
                yield from self._cut(start + at * step, start + at * step + tone, tones.party, key)

    def _cut(self, start: int, end: int, party: Party, key: str | None) -> Iterator[_Sound]:
        """The part of a sound that lies within the call."""
        start, end = max(start, 0), min(end, self._length)
        if start < end:
            yield _Sound(start, end, party, key)

    def _spans(self) -> Iterator[tuple[int, int, list[_Sound]]]:
        """The whole call, cut wherever a sound begins or ends, with what is audible in each part."""
        edges = sorted({0, self._length, *(s.start for s in self._sounds), *(s.end for s in self._sounds)})
        active: list[_Sound] = []
        following = 0
        for start, end in pairwise(edges):
            active = [sound for sound in active if sound.end > start]
            while following < len(self._sounds) and self._sounds[following].start == start:
                active.append(self._sounds[following])
                following += 1
            yield start, end, [voice for party in Party if (voice := _audible(active, party)) is not None]

    def _render(self, start: int, end: int, voices: list[_Sound]) -> bytes:
        if not voices:
            return bytes((end - start) * SAMPLE)
        speaking = tuple(voice.party for voice in voices if voice.key is _SPEECH)
        heard = [self._speech(speaking, start, end)] if speaking else []
        heard += (self._key(v.key)[start - v.start : end - v.start] for v in voices if v.key is not _SPEECH)
        mixed = heard[0] if len(heard) == 1 else array("h", map(add, *heard))
        if sys.byteorder == "big":
            mixed.byteswap()
        return mixed.tobytes()

    def _speech(self, parties: tuple[Party, ...], start: int, end: int) -> array[int]:
        """One party's words, or both at once; its wave repeats from the beginning of the call to its end."""
        if parties not in self._words:
            self._words[parties] = array("h", _wave(PERIOD, SPEECH_LEVEL, *(SPEECH_HZ[party] for party in parties)))
        offset, count = start % PERIOD, end - start
        return (self._words[parties] * ((offset + count) // PERIOD + 1))[offset : offset + count]

    def _key(self, key: str) -> array[int]:
        """The two tones of a key, made when first needed."""
        if key not in self._keys:
            self._keys[key] = array("h", _wave(samples_in(TONE), KEY_LEVEL, *KEY_HZ[key]))
        return self._keys[key]


def _audible(active: list[_Sound], party: Party) -> _Sound | None:
    """What a party is heard doing, given the sounds under way: who presses keys does not speak."""
    own = [sound for sound in active if sound.party is party]
    pressing = [sound for sound in own if sound.key is not _SPEECH]
    latest = (pressing or own)[-1:]
    return None if not latest or latest[0].key == _PAUSE else latest[0]


def _wave(length: int, level: int, *hertz: int) -> Iterator[int]:
    turns = [2 * math.pi * hz / RATE for hz in hertz]
    return (round(level * sum(math.sin(turn * at) for turn in turns)) for at in range(length))
