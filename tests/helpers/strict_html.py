"""Reads a page more strictly than browsers do: every element closed in order, every link with a place to go."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = frozenset({"meta", "br", "col", "hr"})


class Page(HTMLParser):
    """What a page holds; `at` is what is open while it is read."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.at: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()
        assert self.at == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), f"<{tag}> has an attribute twice"
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.at.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.at.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def having(self, attribute: str) -> list[str]:
        """Every value of an attribute, in order."""
        return [attrs[attribute] for _, attrs in self.elements if attribute in attrs]

    @property
    def tags(self) -> set[str]:
        """The elements that occur."""
        return {tag for tag, _ in self.elements}

    @property
    def text(self) -> str:
        """Everything that can be read."""
        return "".join(self.texts)
