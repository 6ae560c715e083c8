"""How long things take to be said and heard.

Nothing here synthesises sound. A duration only has to be plausible, the same on every run, and in proportion to the
words, so that what was heard of a cut utterance can be told from the time that passed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

# Conversational English runs at 140 to 170 words a minute; telephone voices speak a little slower than people.
WORDS_PER_MINUTE: Final = 150

# Scripts without spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese) are counted by character, two to a
# word: about 300 a minute, the usual pace of Mandarin and Thai newsreaders.
CHARACTERS_PER_WORD: Final = 2

# A run of this many letters counts as another word, so that a URL or a pasted token isn't said in 0.4 s.
LETTERS_PER_WORD: Final = 12

# Recognisers wait 0.5 to 1 s after the last word before they believe that the speaker has finished.
ENDPOINTING_DELAY: Final = timedelta(milliseconds=700)

# People leave about 0.2 s between one speaker's end and the next one's beginning, in every language measured.
REACTION_DELAY: Final = timedelta(milliseconds=200)

# Keypad tones must last 40 ms and pause 40 ms to be understood; telephones send 100 and 100.
TONE: Final = timedelta(milliseconds=100)
TONE_PAUSE: Final = timedelta(milliseconds=100)

# How long speech over the agent must last before the agent stops, at the two ends of `interruptionSensitivity`. A tenth
# of a second is three frames of a voice detector: with fewer, a click of the line would count. Six tenths are a word
# and a half: whoever is still speaking then means it. The platform's default of 0.8 gives 200 ms.
QUICKEST_STOP: Final = timedelta(milliseconds=100)
SLOWEST_STOP: Final = timedelta(milliseconds=600)

# A backchannel is a short sound that says "go on"; three words ("yeah, I see") are the longest that is heard as one.
LONGEST_BACKCHANNEL: Final = timedelta(milliseconds=1200)

# Answering machines' tones last from 0.3 to 1 s.
BEEP: Final = timedelta(milliseconds=500)

# The sounds with which people show that they listen. No answers to questions ("yes", "no") are among them.
_SOUND: Final = "ah|aha|gotcha|h+m+|huh|i see|mm*hm*|mm+|oh|ok|okay|right|sure|uh|uhhuh|um|wow|yeah|yep|yup"
_BACKCHANNEL: Final = re.compile(rf"(?:{_SOUND})(?: (?:{_SOUND}))*")

_MICROSECOND: Final = timedelta(microseconds=1)

# One character of a script without spaces, or one run of anything else. Both alternatives consume at least one
# character and none can start where another could, so the scan is linear.
_UNSPACED: Final = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_PIECE: Final = re.compile(rf"(?P<character>[{_UNSPACED}])|[^\s{_UNSPACED}]+")


def speech_duration(text: str, speed: float = 1.0) -> timedelta:
    """Say how long `text` takes at `speed` (1.0 is normal), in whole milliseconds; zero for blank text."""
    if speed <= 0:
        raise ValueError(f"the speed of a voice must be above 0, got {speed}")
    seconds = _weight(text) * 60 / (WORDS_PER_MINUTE * CHARACTERS_PER_WORD * speed)
    return timedelta(milliseconds=round(seconds * 1000)) if text.strip() else timedelta()


def tones_duration(digits: str) -> timedelta:
    """Say how long the keypad tones of `digits` take, pauses between them included."""
    return len(digits) * (TONE + TONE_PAUSE)


def stop_delay(sensitivity: float) -> timedelta | None:
    """Say how long speech over the agent lasts before the agent stops; None where it never stops.

    `sensitivity` is the agent's, from 0 (can't be interrupted) to 1.
    """
    if not 0 <= sensitivity <= 1:
        raise ValueError(f"a sensitivity to interruptions is from 0 to 1, got {sensitivity}")
    if sensitivity == 0:
        return None
    delay = SLOWEST_STOP - (SLOWEST_STOP - QUICKEST_STOP) * sensitivity
    return timedelta(milliseconds=round(delay / timedelta(milliseconds=1)))


def is_backchannel(text: str) -> bool:
    """Say whether `text` is nothing but a sound of listening ("uh-huh", "okay, right"): short, and without content."""
    letters = ("".join(filter(str.isalnum, word)).casefold() for word in text.split())
    words = " ".join(filter(None, letters))
    return speech_duration(text) <= LONGEST_BACKCHANNEL and _BACKCHANNEL.fullmatch(words) is not None


def heard(text: str, elapsed: timedelta, duration: timedelta) -> str:
    """Say which whole words of `text` were heard when it was cut after `elapsed` of its `duration`.

    Always a prefix of `text`. A word counts as heard when its share of the time has passed completely.
    """
    if elapsed >= duration:
        return text
    total = _weight(text)
    end = spoken = 0
    for piece in _PIECE.finditer(text):
        spoken += _piece_weight(piece)
        if spoken * duration > elapsed * total:
            break
        if spoken:
            end = piece.end()
    return text[:end]


def hearing(text: str, duration: timedelta) -> Iterator[tuple[timedelta, str]]:
    """Yield how much of `text` has been heard after how much of its `duration`, word by word; the last is all of it.

    Agrees with `heard`: at the time given the words are heard, and a microsecond earlier they are not.
    """
    total = _weight(text)
    end = spoken = 0
    for piece in _PIECE.finditer(text):
        spoken += _piece_weight(piece)
        needed = -(-spoken * (duration // _MICROSECOND) // total) * _MICROSECOND
        if spoken and needed < duration:
            end = piece.end()
            yield needed, text[:end]
    if end < len(text):
        yield duration, text


def _weight(text: str) -> int:
    """Add up the pieces of `text`, in characters of unspaced script; a spaced word weighs two. At least one word."""
    return max(CHARACTERS_PER_WORD, sum(map(_piece_weight, _PIECE.finditer(text))))


def _piece_weight(piece: re.Match[str]) -> int:
    if piece["character"]:
        return 1
    letters = sum(map(str.isalnum, piece[0]))  # punctuation on its own takes no time
    return CHARACTERS_PER_WORD * -(-letters // LETTERS_PER_WORD)
