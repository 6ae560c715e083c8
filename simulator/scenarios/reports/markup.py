"""Builds HTML and SVG out of elements. Text is escaped unless it was built here: forgetting it is not possible."""

from __future__ import annotations

from simulator.scenarios.reports.texts import escaped

_VOID = frozenset({"meta", "br", "col", "hr"})


class Markup(str):
    """Text that is markup already. Only this module makes it."""

    __slots__ = ()


Child = str | int | float | None
Attribute = str | int | float | bool | None


def tag(name: str, /, *children: Child, **attributes: Attribute) -> Markup:
    """Make one element. `class_` stands for `class`, an underscore for a dash; None leaves a child or attribute out."""
    written = "".join(_attribute(key, value) for key, value in attributes.items() if value not in (None, False))
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{join(*children)}</{name}>")


def join(*children: Child) -> Markup:
    """Put elements and texts behind one another."""
    return Markup("".join(_child(child) for child in children if child is not None))


def style(css: str) -> Markup:
    """Make a style element of our own style sheet."""
    return Markup(f"<style>{css}</style>")


def document(head: Markup, body: Markup) -> str:
    """Make a whole page."""
    return f'<!doctype html>\n<html lang="en">\n<head>{head}</head>\n<body>{body}</body>\n</html>\n'


def _child(child: Child) -> str:
    return child if isinstance(child, Markup) else escaped(str(child))


def _attribute(key: str, value: Attribute) -> str:
    name = key.rstrip("_").replace("_", "-") if key not in ("viewBox",) else key
    if value is True:
        return f" {name}"
    text = f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return f' {name}="{escaped(text)}"'
