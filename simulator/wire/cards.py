"""Contact cards on the wire."""

from __future__ import annotations

from simulator.domain.cards import ContactCard
from simulator.wire.base import In, Out
from simulator.wire.urls import HttpUrl


class ContactCardIn(In):
    """A whole card, which replaces the one before: what is absent is blank. The picture is never fetched."""

    first_name: str | None = None
    last_name: str | None = None
    display_name: str | None = None
    avatar_url: HttpUrl | None = None

    def card(self) -> ContactCard:
        """The card in the domain's words."""
        return ContactCard(
            first_name=self.first_name,
            last_name=self.last_name,
            display_name=self.display_name,
            avatar_url=self.avatar_url,
        )


class ContactCardOut(Out):
    """A card. What it does not say is null."""

    first_name: str | None
    last_name: str | None
    display_name: str | None
    has_avatar: bool

    @classmethod
    def of(cls, card: ContactCard) -> ContactCardOut:
        """Show a card."""
        return cls(
            first_name=card.first_name,
            last_name=card.last_name,
            display_name=card.display_name,
            has_avatar=card.avatar_url is not None,
        )
