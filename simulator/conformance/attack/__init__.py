"""Attacks: whole conversations that Hypothesis makes up, played against a handler until one of them breaks a law."""
