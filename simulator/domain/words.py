"""Help with misspelt words."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Find the one of `known` that is closest to `word`; None when none is close."""
    import difflib  # most programs are spelt well, and start sooner without it

    by_folded = {choice.casefold().replace("-", "_"): choice for choice in reversed(list(known))}
    near = difflib.get_close_matches(word.casefold().replace("-", "_"), list(by_folded), 1, 0.6)
    return by_folded[near[0]] if near else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Say which of `known` is closest to `word`, as the end of a sentence; else list them all."""
    choices = list(known)
    near = nearest(word, choices)
    if near is not None:
        return f"did you mean {near!r}?"
    return f"known here: {', '.join(choices)}" if choices else "there is none"
